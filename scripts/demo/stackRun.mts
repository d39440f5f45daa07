import type { ChildProcess } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunResult, run } from "../child.mts";
import { complain, ScriptError, say } from "../output.mts";
import { identify, isRunning, readOwner } from "../processLock.mts";
import { root } from "../project.mts";
import { checkpointFile, mendCheckpoint } from "./checkpoint.mts";
import { EngineView } from "./engineView.mts";
import { endAll } from "./leftovers.mts";
import { type DemoState, saltOf, stack } from "./state.mts";

/** Exit code after Ctrl-C. */
export const interrupted = 130;
/** One Ctrl-C can arrive twice: from the terminal and from npm. */
const sameSignalMs = 500;

/** Pulumi on the demo's stack. */
export class StackRun {
    readonly #state: DemoState;
    readonly #env: NodeJS.ProcessEnv;
    readonly #verbose: boolean;
    readonly #startedAt: number;

    /** @param startedAt what the elapsed time of printed lines counts from */
    constructor(state: DemoState, env: NodeJS.ProcessEnv, verbose: boolean, startedAt: number) {
        this.#startedAt = startedAt;
        this.#state = state;
        this.#env = env;
        this.#verbose = verbose;
    }

    /** Brings the stack into a state from which it can be changed: makes it, or clears what a killed run left. */
    async prepare(): Promise<void> {
        await this.#endEarlier();
        const mended = mendCheckpoint(this.#state);
        if (mended !== undefined) {
            say(
                `An earlier run was killed while Pulumi wrote its record: ${mended === "mended" ? "mending it" : "starting anew"}`,
            );
        }
        await this.#create();
        await this.#clear();
    }

    async #create(): Promise<void> {
        const there = existsSync(checkpointFile(this.#state));
        if (there && saltOf(this.#state) !== undefined) {
            return;
        }
        if (there) {
            // Interrupted between making the stack and writing its file: it is empty, or Pulumi refuses to remove it.
            await this.#quiet(["stack", "rm", stack, "--yes"], this.#state.project);
        }
        rmSync(this.#state.configFile, { force: true });
        await this.#quiet(["stack", "init", stack], this.#state.project);
    }

    /** Ends a Pulumi that an earlier run has left behind. */
    async #endEarlier(): Promise<void> {
        const earlier = readOwner(this.#state.pulumiPid);
        if (earlier !== undefined && isRunning(earlier)) {
            say(`Pulumi (process ${earlier.pid}) of an earlier run still works; ending it...`);
            try {
                process.kill(earlier.pid, "SIGINT");
            } catch {
                // It has ended meanwhile.
            }
            await endAll([earlier]);
        }
        rmSync(this.#state.pulumiPid, { force: true });
    }

    /** Clears a lock and operations without an end. */
    async #clear(): Promise<void> {
        const holder = this.#lockHolder();
        if (holder !== undefined) {
            if (holder.pid !== undefined && isRunning({ pid: holder.pid, startTime: "" })) {
                throw new ScriptError(
                    `Pulumi (process ${holder.pid}) works on the demo's stack; wait for it or end it, then run this again.`,
                );
            }
            say("An earlier run was killed: releasing its lock on the stack");
            await this.#quiet(["cancel", stack, "--yes"]);
        }
        const { stdout } = await this.#quiet(["stack", "export", "--stack", stack]);
        const pending = pendingOperations(stdout);
        if (pending > 0) {
            say(`An earlier run was killed in ${pending} operation${pending === 1 ? "" : "s"}: reading back what is there`);
            await this.#quiet(["refresh", "--yes", "--skip-preview", "--clear-pending-creates", ...this.#stackArgs()]);
        }
    }

    /** `pulumi up` or `pulumi destroy`: prints what happens and returns the exit code. */
    async change(verb: "up" | "destroy"): Promise<number> {
        const { events, pulumiPid } = this.#state;
        rmSync(events, { force: true });
        const view = new EngineView(this.#startedAt, Date.now());
        let child: ChildProcess | undefined;
        let stops = 0;
        let lastStopAt = 0;
        const onSignal = () => {
            const now = Date.now();
            if (now - lastStopAt < sameSignalMs) {
                return;
            }
            lastStopAt = now;
            stops += 1;
            complain(
                stops === 1
                    ? "Stopping: what is in progress is brought to its end and recorded. Ctrl-C again stops at once."
                    : "Stopping at once. Running the demo again, or destroy, clears up.",
            );
            child?.kill(stops === 1 ? "SIGINT" : "SIGTERM");
            if (stops > 1 && child?.pid !== undefined) {
                killGroup(child.pid);
            }
        };
        for (const signal of ["SIGINT", "SIGTERM"] as const) {
            process.on(signal, onSignal);
        }
        const tail = new EventTail(events);
        const show = () => {
            const now = Date.now();
            for (const line of [...tail.read().flatMap((event) => view.read(event, now)), ...view.heartbeat(now)]) {
                say(`  ${line.replaceAll("\n", "\n  ")}`);
            }
        };
        const timer = this.#verbose ? undefined : setInterval(show, 200);
        try {
            const args = [verb, "--yes", "--skip-preview", "--non-interactive", "--event-log", events, ...this.#stackArgs()];
            const result = await run("pulumi", args, {
                cwd: root,
                env: this.#env,
                ownGroup: true,
                onStart: (started) => {
                    child = started;
                    if (started.pid !== undefined) {
                        writeFileSync(pulumiPid, JSON.stringify(identify(started.pid)), { mode: 0o600 });
                    }
                },
                ...(this.#verbose ? { onLine: (line: string) => say(`  ${line}`) } : {}),
            });
            if (!this.#verbose) {
                show();
                this.#conclude(view, result);
            }
            return stops > 0 && result.code !== 0 ? interrupted : result.code;
        } finally {
            clearInterval(timer);
            tail.close();
            rmSync(pulumiPid, { force: true });
            for (const signal of ["SIGINT", "SIGTERM"] as const) {
                process.removeListener(signal, onSignal);
            }
        }
    }

    /** The stack's outputs as JSON text; secrets stay hidden. */
    async outputs(): Promise<string> {
        return (await this.#quiet(["stack", "output", "--json", "--stack", stack])).stdout;
    }

    #conclude(view: EngineView, { code, stderr, stdout }: RunResult): void {
        const rest = view.rest();
        if (rest !== undefined && code === 0) {
            say(`  ${rest}`);
        }
        if (code !== 0 && view.errors.length === 0) {
            // It failed before the engine began: the reason is in its own words.
            complain((stderr.trim() || stdout.trim()).split("\n").slice(-10).join("\n"));
        }
    }

    #stackArgs(): string[] {
        return ["--stack", stack, "--config-file", this.#state.configFile];
    }

    async #quiet(args: readonly string[], cwd = root): Promise<RunResult> {
        const result = await run("pulumi", [...args, "--non-interactive"], { cwd, env: this.#env });
        if (result.code !== 0) {
            throw new ScriptError(
                `pulumi ${args[0]} failed (exit code ${result.code}): ${(result.stderr.trim() || result.stdout.trim()).split("\n").slice(-10).join("\n")}`,
            );
        }
        return result;
    }

    /** Who holds the backend's lock on the stack; undefined where it is free. */
    #lockHolder(): { pid?: number } | undefined {
        const folder = join(this.#state.backend, ".pulumi", "locks");
        if (!existsSync(folder)) {
            return undefined;
        }
        const lock = readdirSync(folder, { recursive: true, withFileTypes: true }).find(
            (entry) => entry.isFile() && entry.name.endsWith(".json"),
        );
        if (lock === undefined) {
            return undefined;
        }
        try {
            const { pid } = JSON.parse(readFileSync(join(lock.parentPath, lock.name), "utf8")) as { pid?: unknown };
            return typeof pid === "number" ? { pid } : {};
        } catch {
            return {};
        }
    }
}

/** Ends what a killed Pulumi has started and what does not end by itself, e.g. a provider in the middle of a wait. */
function killGroup(pid: number): void {
    setTimeout(() => {
        try {
            process.kill(-pid, "SIGKILL");
        } catch {
            // Nothing of it is left.
        }
    }, 1500);
}

/** How many operations a stack's exported state records as begun and not ended. */
export function pendingOperations(exported: string): number {
    try {
        const { deployment } = JSON.parse(exported) as { deployment?: { pending_operations?: unknown[] } };
        return deployment?.pending_operations?.length ?? 0;
    } catch {
        return 0;
    }
}

/** Reads a growing file line by line. */
class EventTail {
    readonly #file: string;
    #handle: number | undefined;
    #rest = "";
    readonly #decoder = new TextDecoder();
    readonly #buffer = Buffer.alloc(1 << 16);

    constructor(file: string) {
        this.#file = file;
    }

    /** Complete lines that came since the last call. */
    read(): string[] {
        try {
            this.#handle ??= openSync(this.#file, "r");
        } catch {
            return [];
        }
        for (;;) {
            const count = readSync(this.#handle, this.#buffer);
            if (count === 0) {
                break;
            }
            this.#rest += this.#decoder.decode(this.#buffer.subarray(0, count), { stream: true });
        }
        const lines = this.#rest.split("\n");
        this.#rest = lines.pop() ?? "";
        return lines;
    }

    close(): void {
        if (this.#handle !== undefined) {
            closeSync(this.#handle);
        }
    }
}
