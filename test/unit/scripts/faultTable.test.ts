import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { faultCoverage, unitFiles } from "../../../scripts/faultCoverage.mts";
import { faultRow, faultTable, namedRows } from "../../../scripts/faultTable.mts";

describe("the table of faults", () => {
    it.each([
        ['FAULT {"id":"F1","name":"none","sent":10}', { id: "F1", name: "none", sent: 10 }],
        [' stdout | x  FAULT {"id":"F1","name":"none"} ', { id: "F1", name: "none" }],
        ["FAULT {broken}", undefined],
        ['FAULT {"id":1}', undefined],
        ['DEFAULT {"id":"F1","name":"none"}', undefined],
        ["nothing", undefined],
    ])("%s", (line, row) => {
        expect(faultRow(line)).toEqual(row);
    });

    it("is in the order of the faults' numbers, and leaves empty what was not counted", () => {
        const text = faultTable([
            { id: "F12", name: "node killed", sent: 5, delivered: 5, lost: 0, duplicated: 1 },
            { id: "F5", name: "link cut", note: "refused" },
        ]);
        expect(text.indexOf("F5")).toBeLessThan(text.indexOf("F12"));
        expect(text).toMatch(/F5\s+│ link cut\s+│\s+│\s+│\s+│\s+│ refused/);
        expect(text).toMatch(/F12\s+│ node killed\s+│\s+5 │\s+5 │\s+0 │\s+1 │/);
    });

    it("has a row for every test that names a fault which nobody counted, and for every one that failed", () => {
        const test = (title: string, status: string, group = "") => ({ title, fullName: `${group} ${title}`.trim(), status });
        const report = {
            testResults: [
                {
                    name: "/repository/test/x.test.ts",
                    assertionResults: [
                        test("F1: counted", "passed"),
                        test("F1: counted too", "failed"),
                        test("says no (F33, F40)", "passed"),
                        test("inside", "passed", "group (F44)"),
                        test("F20: left out", "skipped"),
                        test("names nothing", "failed"),
                    ],
                },
            ],
        };
        expect(namedRows(JSON.stringify(report), [{ id: "F1", name: "counted" }], "/repository")).toEqual([
            { id: "F1", name: "counted too", note: "failed in test/x.test.ts" },
            { id: "F33", name: "says no", note: "passed in test/x.test.ts" },
            { id: "F40", name: "says no", note: "passed in test/x.test.ts" },
            { id: "F44", name: "inside", note: "passed in test/x.test.ts" },
        ]);
        expect(namedRows("{}", [], "/repository")).toEqual([]);
    });
});

describe("the coverage of faults", () => {
    const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `F${from + index}`);

    it("holds every fault case that needs no cloud", () => {
        const needed = [...numbers(1, 9), ...numbers(12, 16), ...numbers(18, 20), ...numbers(33, 45), "F47", "F49", "F50"];
        expect(needed.filter((id) => faultCoverage[id] === undefined)).toEqual([]);
    });

    it.each(Object.entries(faultCoverage).flatMap(([id, files]) => files.map((file) => [id, file] as const)))(
        "%s is named by a test in %s",
        (id, file) => {
            const path = join(__dirname, "../../..", file);
            expect(existsSync(path)).toBe(true);
            expect(readFileSync(path, "utf8")).toMatch(new RegExp(`["\`][^"\`\\n]*\\b${id}\\b`));
        },
    );

    it("reruns what unit tests hold, and only that", () => {
        expect(unitFiles()).toContain("test/unit/broker/delivery.test.ts");
        expect(unitFiles().filter((file) => /^test\/(faults|e2e)/.test(file))).toEqual([]);
    });
});
