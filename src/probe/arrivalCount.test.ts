import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Arrival, ArrivalCount } from "./arrivalCount.js";

const arrivals = (count: number) =>
    fc.array(
        fc.record({ sequence: fc.nat({ max: count - 1 }), topic: fc.constant(0), latencyMs: fc.nat(1000), qos: fc.nat(2) }),
        {
            maxLength: 200,
        },
    );

function counted(count: number, qos: number, list: readonly Arrival[]): ArrivalCount {
    const found = new ArrivalCount(count, qos);
    for (const arrival of list) {
        found.add(arrival);
    }
    return found;
}

const at = (sequence: number, topic = 0, latencyMs = 1, qos = 1): Arrival => ({ sequence, topic, latencyMs, qos });

describe("the count of arrivals", () => {
    it.each([
        ["nothing", 3, [], { delivered: 0, duplicated: 0, outOfOrder: 0, qosDowngraded: 0 }, ["0-2"]],
        ["all in order", 3, [at(0), at(1), at(2)], { delivered: 3, duplicated: 0, outOfOrder: 0 }, []],
        ["one lost", 3, [at(0), at(2)], { delivered: 2, duplicated: 0, outOfOrder: 0 }, ["1"]],
        ["the first and the last lost", 5, [at(1), at(2), at(3)], { delivered: 3 }, ["0", "4"]],
        ["a duplicate right after", 2, [at(0), at(0), at(1)], { delivered: 2, duplicated: 1, outOfOrder: 0 }, []],
        [
            "a duplicate long after is no disorder",
            3,
            [at(0), at(1), at(2), at(0)],
            { delivered: 3, duplicated: 1, outOfOrder: 0 },
            [],
        ],
        ["two swapped", 2, [at(1), at(0)], { delivered: 2, duplicated: 0, outOfOrder: 1 }, []],
        ["one far too early", 4, [at(3), at(0), at(1), at(2)], { delivered: 4, outOfOrder: 3 }, []],
        ["order is per topic", 4, [at(1, 1), at(0, 0), at(3, 1), at(2, 0)], { delivered: 4, outOfOrder: 0 }, []],
        ["numbers that were never published", 2, [at(0), at(2), at(99), at(-1)], { delivered: 1, duplicated: 0 }, ["1"]],
        ["lower quality of service", 2, [at(0, 0, 1, 0), at(1, 0, 1, 1)], { delivered: 2, qosDowngraded: 1 }, []],
    ] as const)("%s", (_name, count, list, totals, missing) => {
        const found = counted(count, 1, list);
        expect(found.totals()).toMatchObject(totals);
        expect(found.missing(count, 20)).toEqual(missing);
    });

    it("takes percentiles from what arrived, by nearest rank", () => {
        const list = Array.from({ length: 100 }, (_value, index) => at(index, 0, index + 1));
        expect(counted(200, 1, list).totals()).toMatchObject({ p50Ms: 50, p99Ms: 99, maxMs: 100 });
        expect(counted(1, 1, [at(0, 0, 7)]).totals()).toMatchObject({ p50Ms: 7, p99Ms: 7, maxMs: 7 });
        expect(counted(1, 1, []).totals()).not.toHaveProperty("p50Ms");
    });

    it("names the first ranges only where there are many", () => {
        const list = [1, 3, 5, 7].map((sequence) => at(sequence));
        expect(counted(10, 1, list).missing(10, 3)).toEqual(["0", "2", "4"]);
    });

    it("adds up whatever arrives, in whatever order", () => {
        fc.assert(
            fc.property(arrivals(50), (list) => {
                const found = counted(50, 0, list);
                const different = new Set(list.map(({ sequence }) => sequence)).size;
                const totals = found.totals();
                expect(totals.delivered).toBe(different);
                expect(totals.delivered + totals.duplicated).toBe(list.length);
                expect(totals.outOfOrder).toBeLessThanOrEqual(Math.max(0, different - 1));
                const missing = found.missing(50, 50).reduce((sum, range) => {
                    const [first = 0, last = first] = range.split("-").map(Number);
                    return sum + last - first + 1;
                }, 0);
                expect(missing).toBe(50 - different);
            }),
        );
    });

    it("finds no disorder exactly when first copies rise", () => {
        fc.assert(
            fc.property(arrivals(50), (list) => {
                const firsts = [...new Set(list.map(({ sequence }) => sequence))];
                const rising = firsts.every((sequence, index) => index === 0 || sequence > (firsts[index - 1] ?? -1));
                expect(counted(50, 0, list).totals().outOfOrder === 0).toBe(rising);
            }),
        );
    });
});
