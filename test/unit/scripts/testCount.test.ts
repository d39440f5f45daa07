import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countVitest, exitCode, lastLine } from "../../../scripts/testCount.mts";

function report(...files: { status: string; tests: string[] }[]): string {
    return JSON.stringify({
        testResults: files.map(({ status, tests }) => ({ status, assertionResults: tests.map((each) => ({ status: each })) })),
    });
}

describe("counting a vitest run", () => {
    it.each([
        ["passed tests", report({ status: "passed", tests: ["passed", "passed"] }), 0, [2, 0, 0]],
        [
            "failed and skipped tests",
            report({ status: "failed", tests: ["passed", "failed", "pending", "todo", "skipped"] }),
            1,
            [1, 1, 3],
        ],
        [
            "a file that did not load",
            report({ status: "failed", tests: [] }, { status: "passed", tests: ["passed"] }),
            1,
            [1, 1, 0],
        ],
        ["a failed hook after tests that passed", report({ status: "failed", tests: ["passed"] }), 1, [1, 1, 0]],
        ["an error outside of tests", report({ status: "passed", tests: ["passed"] }), 1, [1, 1, 0]],
        ["no test at all", report(), 1, [0, 1, 0]],
        ["no report", undefined, 0, [0, 1, 0]],
        ["a report cut short", '{"testResults":[', 1, [0, 1, 0]],
        ["a report of another shape", '{"testResults":"none"}', 1, [0, 1, 0]],
    ] as const)("%s", (_what, text, code, [passed, failed, skipped]) => {
        expect(countVitest(text, code)).toEqual({ passed, failed, skipped });
    });

    it("never calls a run good that vitest called bad", () => {
        fc.assert(
            fc.property(
                fc.array(fc.constantFrom("passed", "failed", "pending")),
                fc.integer({ min: 1, max: 255 }),
                (tests, code) => {
                    expect(exitCode(countVitest(report({ status: "passed", tests }), code))).toBe(1);
                },
            ),
        );
    });
});

describe("the last line", () => {
    it.each([
        [{ passed: 3, failed: 0, skipped: 0 }, "3 passed, 0 failed", 0],
        [{ passed: 3, failed: 1, skipped: 2 }, "3 passed, 1 failed, 2 skipped", 1],
        [{ passed: 0, failed: 0, skipped: 0 }, "0 passed, 0 failed", 1],
        [{ passed: 0, failed: 0, skipped: 4 }, "0 passed, 0 failed, 4 skipped", 1],
    ])("of %j is %s", (count, line, code) => {
        expect(lastLine(count)).toBe(line);
        expect(exitCode(count)).toBe(code);
    });
});
