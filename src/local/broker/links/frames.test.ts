import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBatch, encodeBatch, frameBytes } from "./frames.js";

const message = fc.record({
    seq: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    topic: fc.constantFrom("x", "x/1", "größe/☂", "a//b"),
    payload: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
    qos: fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>,
});

test("a batch comes back as it was, and its size is known before", () => {
    fc.assert(
        fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
            const frame = encodeBatch({ lane: "abc.1", messages });
            expect(frame.length).toBe(messages.reduce((sum, one) => sum + frameBytes(one), 7));
            expect(decodeBatch(frame)).toEqual({ lane: "abc.1", messages });
        }),
    );
});

test("a batch that is cut short is no batch", () => {
    const frame = encodeBatch({ lane: "l", messages: [{ seq: 1, topic: "x", payload: Buffer.from("abc"), qos: 1 }] });
    for (let length = 0; length < frame.length; length++) {
        // A head without messages is an empty batch, not a broken one.
        expect(decodeBatch(frame.subarray(0, length))?.messages ?? []).toEqual([]);
    }
});

test("other bytes never throw and never make a message with a forbidden topic", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
            const batch = decodeBatch(Buffer.from([1, 0, ...bytes]));
            for (const { topic, qos } of batch?.messages ?? []) {
                expect(topic).not.toMatch(/[+#]/);
                expect(topic).not.toBe("");
                expect(qos).toBeLessThan(3);
            }
        }),
        { numRuns: 2000 },
    );
    const forged = encodeBatch({ lane: "l", messages: [{ seq: 1, topic: "a/#", payload: Buffer.alloc(0), qos: 0 }] });
    expect(decodeBatch(forged)).toBeUndefined();
});
