import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How a program is run. */
export interface RunOptions {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    /** Called with each complete line as it comes. */
    readonly onLine?: (line: string, from: "stdout" | "stderr") => void;
    /** The program writes to this process's own output; nothing is captured. */
    readonly inherit?: boolean;
    /** An own process group, so that a terminal's Ctrl-C does not reach it; the caller passes signals on. */
    readonly ownGroup?: boolean;
    /** The started process, e.g. to signal it. */
    readonly onStart?: (child: ChildProcess) => void;
    /** The program is killed after this time; the result's code is then 124. */
    readonly timeoutMs?: number;
}

export interface RunResult {
    /** Exit code; 128 + n after a signal, 127 where the program could not be started, 124 after the time limit. */
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

/** Text kept of each stream: enough for any answer that is parsed, bounded for programs that talk without end. */
const keptCharacters = 32_000_000;

/** Runs a program to its end. Never throws: a program that cannot be started has code 127 and the reason in `stderr`. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return new Promise((done) => {
        const child = spawn(command, [...args], {
            cwd: options.cwd,
            env: options.env ?? process.env,
            stdio: options.inherit ? "inherit" : ["ignore", "pipe", "pipe"],
            detached: options.ownGroup ?? false,
        });
        const kept = { stdout: "", stderr: "" };
        for (const from of ["stdout", "stderr"] as const) {
            const stream = child[from];
            if (stream) {
                createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
                    if (kept[from].length < keptCharacters) {
                        kept[from] += `${line}\n`;
                    }
                    options.onLine?.(line, from);
                });
            }
        }
        let late = false;
        const timer =
            options.timeoutMs === undefined
                ? undefined
                : setTimeout(() => {
                      late = true;
                      child.kill("SIGKILL");
                  }, options.timeoutMs);
        const finish = (code: number) => {
            clearTimeout(timer);
            done({ code: late ? 124 : code, ...kept });
        };
        child.on("error", (error) => {
            kept.stderr += `${error.message}\n`;
            finish(127);
        });
        child.on("close", (code, signal) => finish(code ?? 128 + (signal === "SIGINT" ? 2 : signal === "SIGKILL" ? 9 : 15)));
        options.onStart?.(child);
    });
}
