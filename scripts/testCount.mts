/** How many checks passed, failed and were skipped. */
export interface Count {
    readonly passed: number;
    readonly failed: number;
    readonly skipped: number;
}

export const noCount: Count = { passed: 0, failed: 0, skipped: 0 };

export function add(a: Count, b: Count): Count {
    return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The last line of a test run, e.g. `412 passed, 0 failed`; skipped checks are named only where there are any. */
export function lastLine({ passed, failed, skipped }: Count): string {
    return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** 0 only where something passed and nothing failed. */
export function exitCode({ passed, failed }: Count): number {
    return failed === 0 && passed > 0 ? 0 : 1;
}

/**
 * Counts a vitest run by its JSON report and its exit code. A run never counts as better than it was: a file that could not be
 * loaded, an error outside of tests and a run without a report are a failure each.
 *
 * @param report text of vitest's JSON report; undefined where there is none
 */
export function countVitest(report: string | undefined, code: number): Count {
    let parsed: unknown;
    try {
        parsed = JSON.parse(report ?? "");
    } catch {
        return { passed: 0, failed: 1, skipped: 0 };
    }
    const files = listOf(parsed, "testResults");
    let count = noCount;
    for (const file of files) {
        const states = listOf(file, "assertionResults").map((test) => textOf(test, "status"));
        const failed = states.filter((state) => state === "failed").length;
        const passed = states.filter((state) => state === "passed").length;
        // A file that failed without a failed test did not load, or a hook of it failed.
        const broken = failed === 0 && textOf(file, "status") === "failed" ? 1 : 0;
        count = add(count, { passed, failed: failed + broken, skipped: states.length - failed - passed });
    }
    return code !== 0 && count.failed === 0 ? { ...count, failed: 1 } : count;
}

function listOf(value: unknown, key: string): unknown[] {
    const list = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
    return Array.isArray(list) ? list : [];
}

function textOf(value: unknown, key: string): unknown {
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
