import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { bounded, median, type Row } from "./report.mts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What `require("linkspan")` costs beyond `require("@pulumi/pulumi")`, in fresh processes, alternating. */
export function benchImport(): Row[] {
    const time = (code: string): number =>
        Number(
            execFileSync(
                process.execPath,
                [
                    "-e",
                    `const start = process.hrtime.bigint(); ${code}; console.log(Number(process.hrtime.bigint() - start) / 1e6)`,
                ],
                { cwd: root, encoding: "utf8" },
            ),
        );
    const base: number[] = [];
    const ours: number[] = [];
    for (let round = 0; round < 9; round++) {
        base.push(time('require("@pulumi/pulumi")'));
        ours.push(time('require("@pulumi/pulumi"); require("linkspan"); require("linkspan/local")'));
    }
    const extra = median(ours) - median(base);
    return [
        { what: 'require("@pulumi/pulumi")', value: `${median(base).toFixed(0)} ms` },
        bounded('require("linkspan") and "linkspan/local" beyond it', extra, "ms", 100),
    ];
}
