import { describe, expect, it } from "vitest";
import { faultRow, faultTable } from "../../../scripts/faultTable.mts";

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
});
