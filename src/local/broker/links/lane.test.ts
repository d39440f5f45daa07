import { beforeEach, describe, expect, test, vi } from "vitest";
import { decodeBatch } from "./frames.js";
import { Lane, type LaneBudget } from "./lane.js";

let budget: LaneBudget;
let sent: { messageId: number; payloads: string[]; again: boolean }[];
let lane: Lane;
const writer = {
    up: true,
    publish: (frame: Buffer, messageId: number, again: boolean) => {
        sent.push({ messageId, payloads: (decodeBatch(frame)?.messages ?? []).map(({ payload }) => payload.toString()), again });
    },
};

const offer = (...payloads: string[]) => {
    for (const payload of payloads) {
        lane.offer("t", Buffer.from(payload), 1);
    }
};

beforeEach(() => {
    sent = [];
    budget = {
        bytes: 0,
        maxBytes: 10_000,
        ttlMs: 1000,
        maxInflight: 2,
        counters: { matched: 0, success: 0, failed: 0, dropped: 0, retried: 0 },
    };
    lane = new Lane("l", budget);
});

describe("a lane", () => {
    test("sends at once while its window has room, then gathers what waits into one batch", () => {
        lane.use(writer);
        offer("1", "2", "3", "4", "5");
        expect(sent.map(({ payloads }) => payloads)).toEqual([["1"], ["2"]]);
        expect([lane.queued, lane.inflight]).toEqual([3, 2]);
        lane.acknowledged(sent[0]?.messageId ?? 0);
        expect(sent.at(-1)?.payloads).toEqual(["3", "4", "5"]);
        expect([lane.queued, lane.inflight]).toEqual([0, 4]);
        for (const { messageId } of sent) {
            lane.acknowledged(messageId);
        }
        expect(lane.empty).toBe(true);
        expect(budget).toMatchObject({ bytes: 0, counters: { success: 5, retried: 0 } });
    });

    test("sends what was not acknowledged again, in order and marked, before anything new", () => {
        lane.use(writer);
        offer("1", "2", "3");
        lane.use(undefined);
        offer("4");
        sent = [];
        lane.use(writer);
        expect(sent.map(({ payloads, again }) => [payloads, again])).toEqual([
            [["1"], true],
            [["2"], true],
        ]);
        lane.acknowledged(sent[0]?.messageId ?? 0);
        expect(sent.at(-1)).toMatchObject({ payloads: ["3", "4"], again: false });
        expect(budget.counters.retried).toBe(2);
    });

    test("counts what the receiver refuses as failed and goes on", () => {
        lane.use(writer);
        offer("1", "2", "3");
        lane.refused(sent[0]?.messageId ?? 0);
        expect(budget.counters).toMatchObject({ failed: 1, success: 0 });
        expect(sent.at(-1)?.payloads).toEqual(["3"]);
        lane.refused(99);
        expect(budget.counters.failed).toBe(1);
    });

    test("drops what is too old, also what was sent and never acknowledged", () => {
        vi.useFakeTimers();
        try {
            lane.use(writer);
            offer("1", "2", "3");
            lane.use(undefined);
            vi.advanceTimersByTime(1001);
            offer("4");
            lane.expire(Date.now());
            expect(budget.counters.dropped).toBe(3);
            sent = [];
            lane.use(writer);
            expect(sent.map(({ payloads }) => payloads)).toEqual([["4"]]);
        } finally {
            vi.useRealTimers();
        }
    });

    test("drops the oldest on demand and refuses a message that never fits", () => {
        offer("1", "2");
        expect(lane.dropOldest()).toBe(true);
        offer("x".repeat(20_000));
        expect(budget.counters.dropped).toBe(2);
        lane.use(writer);
        expect(sent.map(({ payloads }) => payloads)).toEqual([["2"]]);
        expect(lane.dropOldest()).toBe(false);
    });

    test("holds new messages while an older lane empties", () => {
        lane.held = true;
        lane.use(writer);
        offer("1");
        expect(sent).toEqual([]);
        lane.release();
        expect(sent.map(({ payloads }) => payloads)).toEqual([["1"]]);
    });

    test("keeps its order through thousands of messages and acknowledgements", () => {
        lane.use(writer);
        for (let index = 0; index < 5000; index++) {
            offer(String(index));
            if (index % 7 === 0) {
                lane.acknowledged(sent.at(-1)?.messageId ?? 0);
                lane.acknowledged(sent.at(-2)?.messageId ?? 0);
            }
        }
        while (!lane.empty) {
            for (const { messageId } of sent) {
                lane.acknowledged(messageId);
            }
        }
        expect(sent.flatMap(({ payloads }) => payloads)).toEqual(Array.from({ length: 5000 }, (_, index) => String(index)));
        expect(budget.bytes).toBe(0);
    });

    test("clear gives back its bytes", () => {
        lane.use(writer);
        offer("1", "2", "3");
        lane.clear();
        expect([lane.empty, budget.bytes]).toEqual([true, 0]);
    });
});
