import { relative } from "node:path";
import Table from "cli-table3";

/** What a fault test reports by a line `FAULT {...}` on standard output. */
export interface FaultRow {
    readonly id: string;
    readonly name: string;
    readonly sent?: number;
    readonly delivered?: number;
    readonly lost?: number;
    readonly duplicated?: number;
    readonly note?: string;
}

/** The row in a line of a test's output; undefined where there is none. A line that only looks like one is no row. */
export function faultRow(line: string): FaultRow | undefined {
    const json = /(?:^|\s)FAULT (\{.*\})\s*$/.exec(line)?.[1];
    if (json === undefined) {
        return undefined;
    }
    try {
        const value = JSON.parse(json) as Partial<FaultRow>;
        return typeof value.id === "string" && typeof value.name === "string" ? (value as FaultRow) : undefined;
    } catch {
        return undefined;
    }
}

/** Rows as a table, by fault number and in the order of arrival within one. What a test did not count stays empty. */
export function faultTable(rows: readonly FaultRow[]): string {
    const head = ["fault", "what", "sent", "delivered", "lost", "duplicated", "note"];
    const table = new Table({
        head,
        colAligns: ["left", "left", "right", "right", "right", "right", "left"],
        colWidths: [null, 44, null, null, null, null, 44],
        wordWrap: true,
        style: { head: [], border: [], compact: true },
    });
    const order = (id: string) => Number(/\d+/.exec(id)?.[0] ?? Number.POSITIVE_INFINITY);
    for (const row of [...rows].sort((a, b) => order(a.id) - order(b.id))) {
        const counts = [row.sent, row.delivered, row.lost, row.duplicated].map((count) =>
            count === undefined ? "" : String(count),
        );
        table.push([row.id, row.name, ...counts, row.note ?? ""]);
    }
    return table.toString();
}

/**
 * Rows for tests that name a fault by its number: of faults that no test has counted, every test with its result; of the others only
 * tests that failed.
 *
 * @param report text of vitest's JSON report
 * @param counted rows that tests have printed themselves
 * @param root folder that the names of files are shown relative to
 */
export function namedRows(report: string, counted: readonly FaultRow[], root: string): FaultRow[] {
    const seen = new Set(counted.map(({ id }) => id));
    const { testResults = [] } = JSON.parse(report) as {
        testResults?: { name: string; assertionResults: { fullName: string; title: string; status: string }[] }[];
    };
    return testResults.flatMap(({ name, assertionResults }) =>
        assertionResults
            .filter(({ status }) => status === "passed" || status === "failed")
            .flatMap(({ fullName, title, status }) =>
                [...new Set(fullName.match(/\bF\d+\b/g) ?? [])]
                    .filter((id) => status === "failed" || !seen.has(id))
                    .map((id) => ({ id, name: withoutIds(title), note: `${status} in ${relative(root, name)}` })),
            ),
    );
}

function withoutIds(title: string): string {
    return title.replace(/^(?:F\d+(?:, )?)+: /, "").replace(/ \((?:F\d+(?:, )?)+\)/, "");
}
