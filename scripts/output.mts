import { existsSync, realpathSync } from "node:fs";
import { styleText } from "node:util";

/** A failure that the user can act on: printed as its message alone, without a stack. */
export class ScriptError extends Error {
    readonly exitCode: number;

    constructor(message: string, exitCode = 1) {
        super(message);
        this.exitCode = exitCode;
    }
}

type Style = "bold" | "dim" | "red" | "green" | "yellow";

/** Colours text where the output is a terminal that shows colours. */
export function paint(style: Style, text: string): string {
    return styleText(style, text, { stream: process.stdout });
}

/** Seconds since `startedAt` as a fixed-width column, e.g. `[  12.3 s]`. */
export function elapsed(startedAt: number, now = Date.now()): string {
    return `[${((now - startedAt) / 1000).toFixed(1).padStart(6)} s]`;
}

/** One line on standard output. */
export function say(text = ""): void {
    process.stdout.write(`${text}\n`);
}

/** One line on standard error. */
export function complain(text: string): void {
    process.stderr.write(`${text}\n`);
}

/** A line that replaces itself on a terminal, and is repeated only every `quietMs` elsewhere. */
export class ProgressLine {
    readonly #stream: NodeJS.WriteStream;
    readonly #quietMs: number;
    #lastAt = 0;
    #open = false;

    constructor(quietMs = 10_000, stream: NodeJS.WriteStream = process.stderr) {
        this.#stream = stream;
        this.#quietMs = quietMs;
    }

    show(text: string): void {
        if (this.#stream.isTTY) {
            this.#stream.write(`\r\u001b[K${text.slice(0, (this.#stream.columns ?? 100) - 1)}`);
            this.#open = true;
            return;
        }
        const now = Date.now();
        if (now - this.#lastAt >= this.#quietMs) {
            this.#lastAt = now;
            this.#stream.write(`${text}\n`);
        }
    }

    /** Clears the line, so that ordinary output can follow. */
    clear(): void {
        if (this.#open) {
            this.#stream.write("\r\u001b[K");
            this.#open = false;
        }
    }
}

/**
 * Runs a script's main function if the script was started rather than imported: its arguments go in, its exit code comes out, and a
 * failure is printed.
 */
export function runMain(script: ImportMeta, main: (args: string[]) => Promise<number>): void {
    const started = process.argv[1];
    if (started === undefined || !existsSync(started) || realpathSync(started) !== script.filename) {
        return;
    }
    // Output that nobody reads any more (`| head`) is no failure of the work itself.
    process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
    main(process.argv.slice(2)).then(
        (code) => {
            process.exitCode = code;
        },
        (error: unknown) => {
            complain(
                error instanceof ScriptError
                    ? error.message
                    : error instanceof Error
                      ? (error.stack ?? error.message)
                      : String(error),
            );
            process.exitCode = error instanceof ScriptError ? error.exitCode : 1;
        },
    );
}
