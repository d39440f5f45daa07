import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { OperationError } from "../errors.js";
import { NotSettledError, settleAfterUnknown } from "./settle.js";

const failed = (status?: number) => new OperationError({ what: "read", where: "aws", status, message: "it did not answer" });
const wanted = (value: string | undefined) => value === "wanted";

beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});

afterEach(() => {
    vi.useRealTimers();
});

/** Reads that give one value or failure after the other, the last one for ever. */
function reads(...results: (string | undefined | Error)[]) {
    let count = 0;
    return vi.fn(async () => {
        const result = results[Math.min(count++, results.length - 1)];
        if (result instanceof Error) {
            throw result;
        }
        return result;
    });
}

/** Lets the given time pass for whoever waits, and gives the outcome. */
async function outcome<T>(settling: Promise<T>): Promise<{ value?: T; error?: unknown }> {
    const settled = settling.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
    );
    await vi.advanceTimersByTimeAsync(300_000);
    return settled;
}

describe("settleAfterUnknown", () => {
    test("looks once where the change shows at once", async () => {
        const read = reads("wanted");
        expect(await outcome(settleAfterUnknown({ read, done: wanted, deadlineSeconds: 120 }))).toEqual({ value: "wanted" });
        expect(read).toHaveBeenCalledTimes(1);
    });

    test("waits until the change shows, also through failures", async () => {
        const read = reads("old", failed(), failed(503), failed(404), undefined, "wanted");
        expect(await outcome(settleAfterUnknown({ read, done: wanted, deadlineSeconds: 120 }))).toEqual({ value: "wanted" });
        expect(read).toHaveBeenCalledTimes(6);
    });

    test("waits for something to be gone", async () => {
        const read = reads("there", "there", undefined);
        const done = (value: string | undefined) => value === undefined;
        expect(await outcome(settleAfterUnknown({ read, done, deadlineSeconds: 120 }))).toEqual({ value: undefined });
        expect(read).toHaveBeenCalledTimes(3);
    });

    test("gives up at the deadline, and says what it knows", async () => {
        const read = reads("old");
        const { error } = await outcome(settleAfterUnknown({ read, done: wanted, deadlineSeconds: 120 }));
        expect(error).toBeInstanceOf(NotSettledError);
        expect(error).toMatchObject({
            wasRead: true,
            message: "after 120 s it is still open what became of the change: the change has had no effect",
        });
        // Pauses grow to three seconds: enough looks to see a change soon, few enough to be no burden.
        expect(read.mock.calls.length).toBeGreaterThan(40);
        expect(read.mock.calls.length).toBeLessThan(50);
    });

    test("gives up at the deadline when the cluster could never be read", async () => {
        const read = reads(failed());
        const { error } = await outcome(settleAfterUnknown({ read, done: wanted, deadlineSeconds: 5 }));
        expect(error).toMatchObject({ wasRead: false, message: expect.stringContaining("it did not answer") });
    });

    test("a look that hangs does not outlast the deadline", async () => {
        const read = vi.fn(() => new Promise<string>(() => {}));
        const { error } = await outcome(settleAfterUnknown({ read, done: wanted, deadlineSeconds: 5 }));
        expect(error).toMatchObject({ wasRead: false, message: expect.stringContaining("did not answer in time") });
        expect(read).toHaveBeenCalledTimes(1);
    });

    test.each([400, 401, 403])("a refusal (%d) ends it at once", async (status) => {
        const read = reads(failed(status));
        expect(await outcome(settleAfterUnknown({ read, done: wanted, deadlineSeconds: 120 }))).toEqual({
            error: failed(status),
        });
        expect(read).toHaveBeenCalledTimes(1);
    });

    test("a mistake of the program ends it at once", async () => {
        const read = reads(new TypeError("oops"));
        expect(await outcome(settleAfterUnknown({ read, done: wanted, deadlineSeconds: 120 }))).toEqual({
            error: new TypeError("oops"),
        });
        expect(read).toHaveBeenCalledTimes(1);
    });

    test("tells who waits how long it has been, and why", async () => {
        const waits: [number, string | undefined][] = [];
        const onWait = (seconds: number, problem?: string) => waits.push([seconds, problem]);
        await outcome(
            settleAfterUnknown({ read: reads("old", failed(502), "wanted"), done: wanted, deadlineSeconds: 120, onWait }),
        );
        expect(waits).toEqual([
            [0, undefined],
            [0, "cannot read at aws: 502 it did not answer"],
        ]);
    });
});
