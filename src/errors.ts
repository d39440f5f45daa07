/** What a failed step tells its reader: what was tried, on what, what came back, and what to do about it. */
export interface FailureDetail {
    /** What was being done, in the imperative: `create the cluster link "edge-gcp"`. */
    readonly what: string;
    /** The endpoint, host or site it was done on. Never with credentials. */
    readonly where: string;
    /** HTTP status, where there was an answer. */
    readonly status?: number | undefined;
    /** The machine-readable code of the answer, such as `BAD_API_KEY_OR_SECRET`, or of the transport, such as `ECONNREFUSED`. */
    readonly code?: string | undefined;
    /** What the other side said, shortened and without secrets. */
    readonly message: string;
    /** What the reader can do: which argument to set, what to look at. */
    readonly todo?: string | undefined;
}

/** A wrong argument. Its message names the argument, shows the value (unless it is secret) and says what to set. */
export class InputError extends Error {
    /** Path of the argument as the user wrote it, for example `pairs["aws-gcp"].topics[1]`. */
    readonly argument: string;
    /** What is wrong, without the argument's name in front. */
    readonly problem: string;

    constructor(argument: string, problem: string) {
        super(`${argument}: ${problem}`);
        this.name = "InputError";
        this.argument = argument;
        this.problem = problem;
    }
}

/** Something outside this program refused or failed. One shape for every call, whatever the endpoint. */
export class OperationError extends Error {
    readonly detail: FailureDetail;

    constructor(detail: FailureDetail) {
        const status = detail.status === undefined ? "" : ` ${detail.status}`;
        const code = detail.code === undefined ? "" : ` ${detail.code}`;
        const todo = detail.todo === undefined ? "" : ` ${detail.todo}`;
        super(`cannot ${detail.what} at ${detail.where}:${status}${code} ${detail.message}`.trimEnd() + (todo ? `.${todo}` : ""));
        this.name = "OperationError";
        this.detail = detail;
    }
}

/** Quotes a value for a message: short, one line, so that a pasted document never fills a terminal. */
export function quote(value: unknown): string {
    const text = typeof value === "string" ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
    return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
