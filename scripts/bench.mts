import { parseArgs } from "node:util";
import { benchClouds } from "./bench/clouds.mts";
import { benchDelivery } from "./bench/delivery.mts";
import { benchImport } from "./bench/importCost.mts";
import { benchPlan } from "./bench/plan.mts";
import { bounded, printRows, type Row } from "./bench/report.mts";
import { benchScale } from "./bench/scale.mts";
import { build } from "./build.mts";
import { runMain, ScriptError, say } from "./output.mts";
import { ensurePulumi } from "./pulumi.mts";

const parts = ["plan", "import", "delivery", "scale", "clouds"] as const;
const usage = `npm run bench [-- [PART...] [--sites N,N,...]]

Prints figures of this machine, as ratios where they depend on it. Parts: ${parts.join(", ")} (default: all).

  --sites N,N,...  sizes of the meshes of the parts scale (default 3,10,20) and clouds (default 3,6,12; simulated clouds)
  --help           this text

Exit codes: 0 every goal met, 1 a goal missed, 2 wrong usage.`;

async function main(args: string[]): Promise<number> {
    const { values, positionals } = readArgs(args);
    if (values.help) {
        say(usage);
        return 0;
    }
    const wanted = positionals.length === 0 ? parts : positionals;
    const unknown = wanted.find((part) => !(parts as readonly string[]).includes(part));
    if (unknown !== undefined) {
        throw new ScriptError(`there is no part ${unknown}\n\n${usage}`, 2);
    }
    const sizes = sizesOf(values.sites, "3,10,20");
    const { env } = await ensurePulumi(say);
    await build();
    const all: Row[] = [];
    const show = (title: string, rows: readonly Row[]) => {
        printRows(title, rows);
        all.push(...rows);
    };
    let peakMb = 0;
    if (wanted.includes("plan")) {
        show("Plan", benchPlan());
    }
    if (wanted.includes("import")) {
        show("Import", benchImport());
    }
    if (wanted.includes("delivery")) {
        const delivery = await benchDelivery(env);
        peakMb = Math.max(peakMb, delivery.peakMb);
        show("Delivery over a link", delivery.rows);
    }
    if (wanted.includes("scale")) {
        const scale = await benchScale(sizes, env, (rows) => show("Meshes, beside as many resources that do nothing", rows));
        say(`  highest peak memory of a broker in these meshes: ${scale.peakMb.toFixed(0)} MB`);
    }
    if (wanted.includes("clouds")) {
        await benchClouds(sizesOf(values.sites, "3,6,12"), env, (rows) => show("Cloud sites, on simulated clouds", rows));
    }
    if (peakMb > 0) {
        show("Memory", [bounded("peak memory of a local site under the delivery load", peakMb, "MB", 120)]);
    }
    const missed = all.filter((row) => row.met === false);
    say(missed.length === 0 ? "\nEvery goal was met." : `\nMissed: ${missed.map((row) => row.what).join("; ")}`);
    return missed.length === 0 ? 0 : 1;
}

function sizesOf(given: string | undefined, otherwise: string): number[] {
    const sizes = (given ?? otherwise).split(",").map(Number);
    if (sizes.some((size) => !Number.isInteger(size) || size < 2 || size > 120)) {
        throw new ScriptError(`--sites ${given} is not possible\n\n${usage}`, 2);
    }
    return sizes;
}

function readArgs(args: string[]) {
    try {
        return parseArgs({
            args,
            allowPositionals: true,
            options: { sites: { type: "string" }, help: { type: "boolean", short: "h" } },
        });
    } catch (error) {
        throw new ScriptError(`${error instanceof Error ? error.message : error}\n\n${usage}`, 2);
    }
}

runMain(import.meta, main);
