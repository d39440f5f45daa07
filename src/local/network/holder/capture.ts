import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { namespaceOf } from "./addresses.js";

/**
 * Writes every frame of a namespace as a pcap file. In Perl, which every Debian has: tcpdump insists on becoming another user, and in a user
 * namespace of one's own there is none.
 */
const program = `
use strict; use Time::HiRes; $| = 1;
socket(my $wire, 17, 3, unpack("n", pack("S", 3))) or die "no packet socket: $!";
setsockopt($wire, 1, 8, 8 << 20);
binmode STDOUT;
print pack("VvvVVVV", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1);
print STDERR "listening\\n";
$SIG{TERM} = sub { exit 0 };
while (defined(my $from = recv($wire, my $frame, 65535, 0))) {
    my ($seconds, $micros) = Time::HiRes::gettimeofday();
    print pack("VVVV", $seconds, $micros, length $frame, length $frame), $frame;
}
`;

/** Records what crosses namespaces, one recording for each. */
export class Capture {
    readonly #children = new Map<string, ChildProcess>();

    /**
     * Begins; returns once frames are recorded.
     *
     * @param namespace default: the internet between the sites
     */
    async start(file: string, namespace: string = namespaceOf.internet): Promise<void> {
        await this.#end(namespace);
        const out = openSync(file, "w", 0o600);
        const child = spawn("ip", ["netns", "exec", namespace, "perl", "-e", program], {
            stdio: ["ignore", out, "pipe"],
        });
        closeSync(out);
        this.#children.set(namespace, child);
        await new Promise<void>((resolve, reject) => {
            let said = "";
            child.stderr?.setEncoding("utf8").on("data", (text: string) => {
                said += text;
                if (said.includes("listening")) {
                    resolve();
                }
            });
            child.once("error", reject);
            child.once("exit", () => reject(new Error(`the capture has ended: ${said.slice(-300)}`)));
        });
    }

    /** Ends all recordings. */
    async stop(): Promise<void> {
        await Promise.all([...this.#children.keys()].map((namespace) => this.#end(namespace)));
    }

    async #end(namespace: string): Promise<void> {
        const child = this.#children.get(namespace);
        this.#children.delete(namespace);
        if (child !== undefined && child.exitCode === null && child.signalCode === null) {
            const ended = new Promise((resolve) => child.once("exit", resolve));
            child.kill("SIGTERM");
            await ended;
        }
    }
}
