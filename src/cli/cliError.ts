/** What the command line's exit code says. */
export const exitCodes = {
    /** All is well. */
    ok: 0,
    /** A check failed, or messages were lost. */
    failed: 1,
    /** Wrong options or arguments. */
    usage: 2,
    /** The stack, or the API of a cluster, cannot be read: nothing can be said. */
    unreadable: 3,
} as const;

/** An exit code of the command line. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** An error that ends the command with one message and an exit code. */
export class CliError extends Error {
    readonly exitCode: ExitCode;

    constructor(message: string, exitCode: ExitCode) {
        super(message);
        this.name = "CliError";
        this.exitCode = exitCode;
    }
}

/** The exit code that says more: an unreadable API hides a failed check no less than the other way round, so failures win. */
export function worst(codes: readonly ExitCode[]): ExitCode {
    for (const code of [exitCodes.usage, exitCodes.failed, exitCodes.unreadable]) {
        if (codes.includes(code)) {
            return code;
        }
    }
    return exitCodes.ok;
}
