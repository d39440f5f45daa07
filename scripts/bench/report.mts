/** What a benchmark found, line by line: a figure, what it is compared with, and the goal where there is one. */
export interface Row {
    readonly what: string;
    readonly value: string;
    readonly against?: string;
    readonly ratio?: number;
    readonly goal?: string;
    readonly met?: boolean;
}

/** The middle of several measurements. */
export function median(values: readonly number[]): number {
    const sorted = [...values].sort((one, other) => one - other);
    const middle = sorted.length >> 1;
    const upper = sorted[middle] ?? Number.NaN;
    return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Prints rows as a table that stays readable in a log. */
export function printRows(title: string, rows: readonly Row[]): void {
    console.log(`\n${title}`);
    const cells = rows.map((row) => [
        row.what,
        row.value,
        row.against ?? "",
        row.ratio === undefined ? "" : `${row.ratio.toFixed(2)}×`,
        row.goal === undefined ? "" : `goal ${row.goal}${row.met === undefined ? "" : row.met ? ", met" : ", MISSED"}`,
    ]);
    const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((cell) => (cell[column] ?? "").length)));
    for (const cell of cells) {
        console.log(`  ${cell.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
    }
}

/** A row that compares a figure with a bound. */
export function bounded(
    what: string,
    value: number,
    unit: string,
    bound: number,
    sense: "at most" | "at least" = "at most",
): Row {
    const met = sense === "at most" ? value <= bound : value >= bound;
    return { what, value: `${round(value)} ${unit}`, goal: `${sense === "at most" ? "≤" : "≥"} ${bound} ${unit}`, met };
}

/** A row that compares two times. */
export function ratio(what: string, ours: number, base: number, bound: number): Row {
    const quotient = ours / base;
    return {
        what,
        value: `${ours.toFixed(1)} s`,
        against: `base ${base.toFixed(1)} s`,
        ratio: quotient,
        goal: `≤ ${bound}×`,
        met: quotient <= bound,
    };
}

function round(value: number): string {
    return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}
