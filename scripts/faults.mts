import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mts";
import { run } from "./child.mts";
import { type FaultRow, faultRow, faultTable } from "./faultTable.mts";
import { elapsed, paint, runMain, say } from "./output.mts";
import { root } from "./project.mts";
import { ensurePulumi } from "./pulumi.mts";
import { countVitest, exitCode, lastLine } from "./testCount.mts";

// `npm run test:faults [-- what vitest takes, e.g. a part of a file's name or -t "F5 "]`
runMain(import.meta, async (args) => {
    const startedAt = Date.now();
    const pulumi = await ensurePulumi(say);
    await build();
    say(paint("bold", "Fault cases: each breaks something under counted messages"));
    const temp = mkdtempSync(join(tmpdir(), "linkspan-faults-"));
    const rows: FaultRow[] = [];
    try {
        const report = join(temp, "faults.json");
        const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
        const options = ["--reporter=verbose", "--reporter=json", `--outputFile.json=${report}`, "--disableConsoleIntercept"];
        const { code } = await run(process.execPath, [vitest, "run", "--project", "faults", ...options, ...args], {
            cwd: root,
            env: pulumi.env,
            onLine: (line) => {
                const row = faultRow(line);
                if (row === undefined) {
                    say(line);
                } else {
                    rows.push(row);
                    say(
                        `${elapsed(startedAt)} ${row.id} ${row.name}: ${row.note ?? `${row.delivered ?? "?"} of ${row.sent ?? "?"}`}`,
                    );
                }
            },
        });
        const count = countVitest(readReport(report), code);
        if (rows.length > 0) {
            say(`\n${faultTable(rows)}`);
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
