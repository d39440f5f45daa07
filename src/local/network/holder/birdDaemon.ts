import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../../../errors.js";
import { type CommandResult, run } from "./commands.js";
import { Daemon } from "./daemon.js";

const startMs = 10_000;

/** BIRD in one namespace. */
export class BirdDaemon {
    readonly #namespace: string;
    readonly #folder: string;
    readonly #daemon: Daemon;

    constructor(namespace: string, folder: string, log: (event: string, detail: Record<string, unknown>) => void) {
        this.#namespace = namespace;
        this.#folder = folder;
        const [configuration, socket, pid] = [join(folder, "bird.conf"), this.#socket, join(folder, "bird.pid")];
        this.#daemon = new Daemon(
            `bird of ${namespace}`,
            () => ({
                command: "ip",
                args: ["netns", "exec", namespace, "bird", "-f", "-c", configuration, "-s", socket, "-P", pid],
            }),
            async () => {},
            log,
        );
    }

    get pid(): number | undefined {
        return this.#daemon.pid;
    }

    get #socket(): string {
        return join(this.#folder, "bird.ctl");
    }

    /** Starts BIRD, or lets it take another configuration: sessions that stay the same carry on. */
    async set(configuration: string): Promise<void> {
        mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
        writeFileSync(join(this.#folder, "bird.conf"), configuration, { mode: 0o600 });
        const fresh = !this.#daemon.running;
        if (fresh) {
            rmSync(this.#socket, { force: true });
            this.#daemon.start();
        }
        const deadline = Date.now() + startMs;
        for (;;) {
            const { code, stdout, stderr } = await this.birdc(...(fresh ? ["show", "status"] : ["configure"]));
            if (code === 0 && !/error/i.test(stdout)) {
                return;
            }
            if (Date.now() > deadline) {
                throw new OperationError({
                    what: `start BIRD in ${this.#namespace}`,
                    where: "the local network",
                    message: (stderr.trim() || stdout.trim()).slice(-300),
                });
            }
            await sleep(25);
        }
    }

    birdc(...args: string[]): Promise<CommandResult> {
        return run(
            "birdc",
            ["-r", "-s", this.#socket, ...args].filter((arg) => arg !== "-r" || args[0] === "show"),
        );
    }

    stop(): Promise<void> {
        return this.#daemon.stop();
    }
}
