import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mts";
import { run } from "./child.mts";
import { faultCoverage, unitFiles } from "./faultCoverage.mts";
import { type FaultRow, faultRow, faultTable, namedRows } from "./faultTable.mts";
import { elapsed, paint, runMain, say } from "./output.mts";
import { root } from "./project.mts";
import { ensurePulumi } from "./pulumi.mts";
import { add, type Count, countVitest, exitCode, lastLine, noCount } from "./testCount.mts";

// `npm run test:faults [-- what vitest takes, e.g. a part of a file's name or -t "F5 "]`
runMain(import.meta, async (args) => {
    const startedAt = Date.now();
    const pulumi = await ensurePulumi(say);
    await build();
    say(paint("bold", "Fault cases: each breaks something under counted messages"));
    const temp = mkdtempSync(join(tmpdir(), "linkspan-faults-"));
    const rows: FaultRow[] = [];
    const reports: string[] = [];
    const vitest = async (...given: string[]): Promise<Count> => {
        const report = join(temp, `faults-${reports.length}.json`);
        const program = join(root, "node_modules", "vitest", "vitest.mjs");
        const options = ["--reporter=verbose", "--reporter=json", `--outputFile.json=${report}`, "--disableConsoleIntercept"];
        const { code } = await run(process.execPath, [program, "run", ...options, ...given], {
            cwd: root,
            env: pulumi.env,
            onLine: (line) => {
                const row = faultRow(line);
                if (row === undefined) {
                    say(line);
                } else {
                    rows.push(row);
                    const counts = row.sent === undefined ? [] : [`${row.delivered ?? "?"} of ${row.sent}`];
                    const said = [...counts, ...(row.note === undefined ? [] : [row.note])].join(", ");
                    say(`${elapsed(startedAt)} ${row.id} ${row.name}: ${said}`);
                }
            },
        });
        const text = readReport(report);
        reports.push(text ?? "{}");
        return countVitest(text, code);
    };
    try {
        let count = await vitest("--project", "faults", ...args);
        if (args.length === 0) {
            count = add(count, await vitest("--project", "unit", "-t", "\\bF\\d", ...unitFiles()));
            // Tests of the same files that name no fault were left out on purpose.
            count = { ...count, skipped: 0 };
        }
        rows.push(...reports.flatMap((report) => namedRows(report, rows, root)));
        if (rows.length > 0) {
            say(`\n${faultTable(rows)}`);
        }
        const missing = Object.keys(faultCoverage).filter((id) => rows.every((row) => row.id !== id));
        if (args.length === 0 && missing.length > 0) {
            say(paint("red", `No test has shown ${missing.join(", ")}.`));
            count = add(count, { ...noCount, failed: missing.length });
        }
        say(lastLine(count));
        return exitCode(count);
    } finally {
        rmSync(temp, { recursive: true, force: true });
    }
});

function readReport(file: string): string | undefined {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return undefined;
    }
}
