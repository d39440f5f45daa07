import { messageOf, OperationError } from "../errors.js";

/** How to find out what became of a change that had no answer. */
export interface SettleArgs<T> {
    /** Looks at the cluster; `undefined`: the object is not there. Failures of the cluster or the way to it are waited out. */
    readonly read: () => Promise<T | undefined>;
    /** Whether what was read is what the change was to bring about. */
    readonly done: (value: T | undefined) => boolean;
    /** A broker that is busy with a silent remote applies a change up to 75 s after it hung up, so 120 is a good choice. */
    readonly deadlineSeconds: number;
    /** Told before each pause how many seconds are over and, where the last look failed, why. */
    readonly onWait?: (seconds: number, problem?: string) => void;
}

/** The time was over before a change had shown effect. */
export class NotSettledError extends Error {
    /** Whether the cluster could be read at all. */
    readonly wasRead: boolean;

    constructor(seconds: number, wasRead: boolean, problem: string | undefined) {
        const why = problem === undefined ? "the change has had no effect" : problem;
        super(`after ${seconds} s it is still open what became of the change: ${why}`);
        this.name = "NotSettledError";
        this.wasRead = wasRead;
    }
}

const firstPauseMs = 100;
const longestPauseMs = 3_000;

/**
 * Looks at the cluster until a change that had no answer has had effect.
 *
 * @returns what was read last
 * @throws NotSettledError when the time is over
 * @throws OperationError when the cluster refuses to be read (wrong key, bad request)
 */
export async function settleAfterUnknown<T>({ read, done, deadlineSeconds, onWait }: SettleArgs<T>): Promise<T | undefined> {
    const start = performance.now();
    const elapsed = () => (performance.now() - start) / 1000;
    let wasRead = false;
    let pause = firstPauseMs;
    for (;;) {
        let problem: string | undefined;
        try {
            const value = await bounded(read, deadlineSeconds - elapsed());
            wasRead = true;
            if (done(value)) {
                return value;
            }
        } catch (error) {
            if (!isPassing(error)) {
                throw error;
            }
            problem = messageOf(error);
        }
        const left = deadlineSeconds - elapsed();
        if (left <= 0) {
            throw new NotSettledError(deadlineSeconds, wasRead, problem);
        }
        onWait?.(Math.round(elapsed()), problem);
        const wait = Math.min(pause, left * 1000);
        await new Promise((resolve) => setTimeout(resolve, wait));
        pause = Math.min(pause * 2, longestPauseMs);
    }
}

class LateError extends Error {}

/** A look that hangs must not outlast the deadline. */
async function bounded<T>(read: () => Promise<T>, seconds: number): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new LateError("the cluster did not answer in time")), Math.max(seconds, 0) * 1000);
    });
    const reading = read();
    reading.catch(() => {});
    try {
        return await Promise.race([reading, late]);
    } finally {
        clearTimeout(timer);
    }
}

function isPassing(error: unknown): boolean {
    if (error instanceof LateError) {
        return true;
    }
    if (!(error instanceof OperationError)) {
        return false;
    }
    const { status } = error.detail;
    return status === undefined || status === 404 || status === 408 || status === 429 || status >= 500;
}
