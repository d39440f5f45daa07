import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

type Log = (event: string, detail: Record<string, unknown>) => void;

/** How soon an ended daemon is started again. */
const restartMs = 500;
const graceMs = 2_000;

/** A process that is kept running in a namespace until it is stopped. */
export class Daemon {
    readonly name: string;
    readonly #start: () => { readonly command: string; readonly args: readonly string[]; readonly env?: Record<string, string> };
    readonly #started: () => Promise<void>;
    readonly #log: Log;
    #child: ChildProcess | undefined;
    #stopped = true;

    /**
     * @param start what to run; asked before every start
     * @param started called after a start by itself, when the process had ended before
     */
    constructor(
        name: string,
        start: () => { readonly command: string; readonly args: readonly string[]; readonly env?: Record<string, string> },
        started: () => Promise<void>,
        log: Log,
    ) {
        this.name = name;
        this.#start = start;
        this.#started = started;
        this.#log = log;
    }

    get running(): boolean {
        return this.#child !== undefined;
    }

    /** Process id in the holder's namespace. */
    get pid(): number | undefined {
        return this.#child?.pid;
    }

    start(): void {
        this.#stopped = false;
        const { command, args, env } = this.#start();
        const child = spawn(command, [...args], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
        this.#child = child;
        const last: string[] = [];
        for (const stream of [child.stdout, child.stderr]) {
            stream.setEncoding("utf8").on("data", (text: string) => {
                last.push(...text.trim().split("\n"));
                last.splice(0, last.length - 5);
            });
        }
        const over = (how: string) => {
            if (this.#child !== child) {
                return;
            }
            this.#child = undefined;
            if (!this.#stopped) {
                this.#log("daemon_ended", { daemon: this.name, how, said: last.join(" | ").slice(-400) });
                setTimeout(() => void this.#again(), restartMs);
            }
        };
        child.once("error", (error) => over(error.message));
        child.once("exit", (code, signal) => over(signal ?? `exit code ${code}`));
    }

    async #again(): Promise<void> {
        if (this.#stopped || this.#child !== undefined) {
            return;
        }
        this.start();
        await this.#started().catch((error: unknown) =>
            this.#log("daemon_start_failed", { daemon: this.name, reason: String(error) }),
        );
    }

    async stop(): Promise<void> {
        this.#stopped = true;
        const child = this.#child;
        if (child === undefined) {
            return;
        }
        const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
        child.kill("SIGTERM");
        await Promise.race([ended, sleep(graceMs)]);
        if (this.#child === child) {
            child.kill("SIGKILL");
            await Promise.race([ended, sleep(graceMs)]);
        }
    }
}
