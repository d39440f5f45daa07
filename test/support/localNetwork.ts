import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { type Capability, whatIsMissing } from "../../src/local/network/capabilities.js";
import { ask } from "../../src/local/network/client.js";
import type { Cut, NetworkState } from "../../src/local/network/holder/protocol.js";
import { PulumiProject, type Run } from "./pulumiProject.js";
import { exportOfSite } from "./stackSite.js";

/** Why tests that need a capability do not run here; printed, so that nobody takes them for passed. Undefined where they run. */
export async function cannot(capability: Capability): Promise<string | undefined> {
    const missing = await whatIsMissing(capability);
    if (missing !== undefined) {
        process.stdout.write(`SKIPPED, level "network" (${capability}) is not possible on this machine: ${missing}\n`);
    }
    return missing;
}

/**
 * Sites a, b, c in one network, of which a and b are linked. With `wrong` site a is told something else of the tunnels than site b: arguments
 * of the library give both sides of a pair the same, so the half is changed on its way.
 */
const program = `
const pulumi = require("@pulumi/pulumi");
const { Mesh } = require("linkspan");
const { LocalSite } = require("linkspan/local");
const config = new pulumi.Config();
${exportOfSite}
const names = config.getObject("sites") ?? ["a", "b", "c"];
const level = (name) => (config.getObject("levels") ?? {})[name] ?? "network";
const sites = names.map((name, index) => new LocalSite(name, { siteNumber: index + 1, level: level(name) }));
const wrong = config.get("wrong");
if (wrong !== undefined) {
    const [site] = sites;
    const own = site.vpnEnd.bind(site);
    const key = pulumi.secret("Wrong" + "A".repeat(27));
    const change = {
        key: (peer) => ({ ...peer, presharedKeys: Object.fromEntries(Object.keys(peer.presharedKeys).map((each) => [each, key])) }),
        suite: (peer) => ({ ...peer, suite: "aes-gcm" }),
        range: (peer) => ({ ...peer, vpn: { ...peer.vpn, ranges: ["10.99.0.0/16"] } }),
        number: (peer) => ({ ...peer, vpn: { ...peer.vpn, asn: 64_999 } }),
    }[wrong];
    site.vpnEnd = (peers) => {
        const end = own(peers);
        return { ...end, gateway: { ...end.gateway, connect: (peer, opts) => end.gateway.connect(change(peer), opts) } };
    };
}
const mesh = new Mesh("fleet", {
    sites, topics: ["fleet/#"], tier: config.get("tier") ?? "nat",
    pairs: config.getObject("pairs") ?? { "a-c": { linked: false }, "b-c": { linked: false } },
});
exports.links = mesh.links;
exports.paths = mesh.paths;
exports.rows = mesh.sites;
exports.notProven = mesh.notProven;
exports.sites = sites.map(exported);
`;

/** What {@link NetworkProject}'s program exports. */
export interface NetworkOutputs<Site> {
    readonly links: readonly { from: string; to: string; tier: string; status: string; lost: number; delivered: number }[];
    readonly paths: readonly { pair: string; what: string; tunnels: readonly { tunnel: string; inside: string }[] }[];
    readonly rows: readonly { name: string; level?: string }[];
    readonly notProven: readonly string[];
    readonly sites: readonly Site[];
}

/** A Pulumi project with sites of level `network`, and a way into their namespaces. */
export class NetworkProject {
    readonly pulumi: PulumiProject;

    private constructor(pulumi: PulumiProject) {
        this.pulumi = pulumi;
    }

    static async create(env?: (base: NodeJS.ProcessEnv) => NodeJS.ProcessEnv): Promise<NetworkProject> {
        const files = {
            "Pulumi.yaml": "name: lab\nruntime: nodejs\nmain: main.js\n",
            "main.js": program,
            "package.json": JSON.stringify({ name: "lab", private: true, main: "main.js" }),
        };
        return new NetworkProject(await PulumiProject.create(files, env === undefined ? {} : { env }));
    }

    get folder(): string {
        return join(this.pulumi.folder, ".linkspan", "lab-test", ".network");
    }

    state(): Promise<NetworkState> {
        return ask<NetworkState>(this.folder, { op: "state" });
    }

    cut(cut: Cut): Promise<void> {
        return ask(this.folder, { op: "cut", cut });
    }

    restore(cut: Cut): Promise<void> {
        return ask(this.folder, { op: "restore", cut });
    }

    /** Runs a program in one of the network's namespaces. */
    async inside(namespace: string, command: string, ...args: string[]): Promise<Run> {
        const holder = (await this.state()).processes.find(({ what }) => what === "holder");
        return enter(holder?.pid ?? 0, namespace, command, ...args);
    }

    /** Whether a TCP connection can be made from a namespace: `open`, `refused`, or `silence` after a second and a half. */
    async dial(namespace: string, host: string, port: number, text = ""): Promise<string> {
        const code = `
            const socket = require("node:net").connect(${port}, ${JSON.stringify(host)});
            const end = (word) => { process.stdout.write(word); process.exit(0); };
            setTimeout(() => end("silence"), 1500);
            socket.on("connect", () => { socket.write(${JSON.stringify(text)}); setTimeout(() => end("open"), 200); });
            socket.on("error", (error) => end(error.code === "ECONNREFUSED" ? "refused" : error.code));
        `;
        return (await this.inside(namespace, process.execPath, "-e", code)).output;
    }

    /** Sends a datagram in plain text from a namespace, whether or not anybody takes it. */
    async send(namespace: string, host: string, text: string): Promise<void> {
        const code = `
            const socket = require("node:dgram").createSocket("udp4");
            socket.send(${JSON.stringify(text)}, 9, ${JSON.stringify(host)}, () => socket.close());
        `;
        await this.inside(namespace, process.execPath, "-e", code);
    }

    /** Records what crosses the internet between the sites while something happens. */
    async capture(work: () => Promise<void>): Promise<Buffer> {
        return (await this.captureIn(["internet"], work))[0] ?? Buffer.alloc(0);
    }

    /** Records what crosses several namespaces at the same time; one pcap file for each. */
    async captureIn(namespaces: readonly string[], work: () => Promise<void>): Promise<readonly Buffer[]> {
        const files = namespaces.map((namespace) => ({
            namespace,
            file: join(this.pulumi.folder, `capture-${namespace}.pcap`),
        }));
        try {
            for (const each of files) {
                await ask(this.folder, { op: "startCapture", ...each });
            }
            await work();
        } finally {
            await ask(this.folder, { op: "stopCapture" });
        }
        return files.map(({ file }) => readFileSync(file));
    }

    async dispose(): Promise<void> {
        for (const { pid } of await this.state().then(
            ({ processes }) => processes.filter(({ what }) => what === "holder"),
            () => [],
        )) {
            process.kill(pid, "SIGKILL");
        }
        await this.pulumi.dispose();
    }
}

/** Runs a program in a namespace of the network that a process holds. */
export function enter(holder: number, namespace: string, command: string, ...args: string[]): Promise<Run> {
    const into = ["-t", String(holder), "-U", "-n", "-m", "--preserve-credentials", "ip", "netns", "exec", namespace];
    return new Promise((done) => {
        execFile("nsenter", [...into, command, ...args], { timeout: 30_000, encoding: "utf8" }, (error, stdout, stderr) =>
            done({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, output: stdout + stderr }),
        );
    });
}

/** The frames of a pcap file. */
export function framesOf(pcap: Buffer): readonly Buffer[] {
    const frames: Buffer[] = [];
    for (let at = 24; at + 16 <= pcap.length; ) {
        const length = pcap.readUInt32LE(at + 8);
        frames.push(pcap.subarray(at + 16, at + 16 + length));
        at += 16 + length;
    }
    return frames;
}

/** The processes that share a pid namespace. */
export function processesOf(pidNamespace: string): number[] {
    return readdirSync("/proc")
        .filter((pid) => {
            try {
                return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/ns/pid`) === pidNamespace;
            } catch {
                return false;
            }
        })
        .map(Number);
}
