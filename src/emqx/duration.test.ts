import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { durationMs, formatDuration, sameDuration, sameSize, sizeBytes } from "./duration.js";

describe("durations", () => {
    it.each([
        ["15s", 15_000],
        ["15000ms", 15_000],
        [15_000, 15_000],
        ["15000", 15_000],
        ["1h30m", 5_400_000],
        ["1H30M", 5_400_000],
        ["1d", 86_400_000],
        ["1w", 604_800_000],
        ["0ms", 0],
        ["infinity", Number.POSITIVE_INFINITY],
    ])("reads %j", (text, expected) => {
        expect(durationMs(text)).toBe(expected);
    });

    it.each(["", "abc", "s", "-1s", "1.5s", "1 s", "1y", -1, 1.5, Number.NaN, true, undefined, null, {}])(
        "refuses %j",
        (value) => {
            expect(durationMs(value)).toBeUndefined();
        },
    );

    it("writes what it reads back", () => {
        fc.assert(fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (ms) => durationMs(formatDuration(ms)) === ms));
    });

    it("writes the shortest spelling", () => {
        expect([500, 1000, 1500, 60_000, 90_000, 3_600_000].map(formatDuration)).toEqual([
            "500ms",
            "1s",
            "1500ms",
            "1m",
            "90s",
            "1h",
        ]);
    });

    it("compares by meaning, and text that is no duration by itself", () => {
        expect(sameDuration("15s", 15_000)).toBe(true);
        expect(sameDuration("15s", "16s")).toBe(false);
        expect(sameDuration("15s", "later")).toBe(false);
        expect(sameDuration("later", "later")).toBe(true);
        expect(sameDuration("infinity", "1h")).toBe(false);
    });
});

describe("sizes", () => {
    it.each([
        ["256MB", 268_435_456],
        ["256mb", 268_435_456],
        [268_435_456, 268_435_456],
        ["64kb", 65_536],
        ["1GB", 1_073_741_824],
        ["12", 12],
        ["infinity", Number.POSITIVE_INFINITY],
    ])("reads %j", (text, expected) => {
        expect(sizeBytes(text)).toBe(expected);
    });

    it.each(["", "big", "-1kb", "1.5mb", -1, 0.5, undefined])("refuses %j", (value) => {
        expect(sizeBytes(value)).toBeUndefined();
    });

    it("compares by meaning", () => {
        expect(sameSize("256MB", "262144kb")).toBe(true);
        expect(sameSize("256MB", "255MB")).toBe(false);
        expect(sameSize("much", "much")).toBe(true);
        expect(sameSize("much", "256MB")).toBe(false);
    });
});
