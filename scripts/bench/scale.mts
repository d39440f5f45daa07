import { readFileSync } from "node:fs";
import { type Row, ratio } from "./report.mts";
import { BenchStack } from "./stack.mts";

/** Seconds of one whole life of a stack. */
interface Life {
    readonly up: number;
    readonly noop: number;
    readonly destroy: number;
    /** Custom resources and components in the state. */
    readonly custom: number;
    readonly components: number;
    /** Bytes of the exported state. */
    readonly state: number;
    /** Highest peak memory of a broker, MB; absent without brokers. */
    readonly brokerPeakMb?: number;
}

const mesh = `
const { Mesh } = require("linkspan");
const { LocalSite } = require("linkspan/local");
const sites = Array.from({ length: Number(process.env.BENCH_SITES) }, (_, i) => new LocalSite("s" + (i + 1), { siteNumber: i + 1 }));
new Mesh("mesh", { sites, topics: ["fleet/#"], link: { poolSize: 1 } });
`;

/** The same number of resources that do nothing: what the engine, the state file and the dynamic provider host cost by themselves. */
const nothing = `
const pulumi = require("@pulumi/pulumi");
const text = 'exports.handler=()=>({check:async(o,n)=>({inputs:n}),diff:async()=>({changes:false}),create:async(i)=>({id:"x",outs:i}),delete:async()=>{}});';
class Nothing extends pulumi.CustomResource { constructor(name, parent) { super("pulumi-nodejs:dynamic/bench:Nothing", name, { n: name, __provider: text }, { parent }); } }
class Group extends pulumi.ComponentResource { constructor(name) { super("bench:index:Group", name); this.registerOutputs({}); } }
const groups = Array.from({ length: Number(process.env.BENCH_COMPONENTS) }, (_, i) => new Group("g" + i));
for (let i = 0; i < Number(process.env.BENCH_CUSTOM); i++) new Nothing("n" + i, groups[i % groups.length]);
`;

/** Seconds that all of one size may take, ours and the base together; on a quiet machine the largest needs a fraction of it. */
const secondsPerSize = 2_400;

/**
 * Up, no-op up and destroy of meshes of growing size, beside a program with as many resources that do nothing. A size that fails or
 * takes too long is one missed row; the others keep their figures.
 *
 * @param onRows called with the rows of each size as soon as they are known
 */
export async function benchScale(
    sizes: readonly number[],
    env: NodeJS.ProcessEnv,
    onRows: (rows: readonly Row[]) => void,
): Promise<{ peakMb: number }> {
    let peakMb = 0;
    for (const size of sizes) {
        const pairs = (size * (size - 1)) / 2;
        const deadlineMs = performance.now() + secondsPerSize * 1000;
        try {
            const ours = await life(`${size} sites`, mesh, { ...env, BENCH_SITES: String(size) }, deadlineMs);
            peakMb = Math.max(peakMb, ours.brokerPeakMb ?? 0);
            const base = await life(
                `${ours.custom} resources that do nothing`,
                nothing,
                { ...env, BENCH_CUSTOM: String(ours.custom), BENCH_COMPONENTS: String(Math.max(1, ours.components)) },
                deadlineMs,
            );
            onRows(compare(`${size} sites (${pairs} pairs, ${ours.custom} resources)`, ours, base));
        } catch (error) {
            const said = error instanceof Error ? error.message : String(error);
            console.log(`  ${size} sites: ${said}`);
            const what = `${size} sites (${pairs} pairs)`;
            onRows([{ what, value: `no figures: ${said.split("\n")[0]}`, goal: "to finish", met: false }]);
        }
    }
    return { peakMb };
}

function compare(what: string, ours: Life, base: Life): Row[] {
    const plain = (part: string, value: number, against: number, unit: string, digits: number): Row => ({
        what: `${what}: ${part}`,
        value: `${value.toFixed(digits)} ${unit}`,
        against: `base ${against.toFixed(digits)} ${unit}`,
        ratio: value / against,
    });
    return [
        ratio(`${what}: up`, ours.up, base.up, 2),
        ratio(`${what}: no-op up`, ours.noop, base.noop, 1.2),
        plain("destroy", ours.destroy, base.destroy, "s", 1),
        plain("state", ours.state / 1024, base.state / 1024, "kB", 0),
    ];
}

/** One whole life of a stack, told step by step: the larger ones take minutes. */
async function life(what: string, program: string, env: NodeJS.ProcessEnv, deadlineMs: number): Promise<Life> {
    const stack = await BenchStack.create(program, env);
    const step = async (name: string, ...args: string[]) => {
        const done = await stack.pulumi(args, Math.max(1_000, deadlineMs - performance.now()));
        console.log(`  ${what}: ${name} ${done.seconds.toFixed(1)} s`);
        return done;
    };
    try {
        const up = await step("up", "up", "--yes", "--skip-preview");
        const noop = await step("no-op up", "up", "--yes", "--skip-preview", "--expect-no-changes");
        const { stdout: state } = await stack.pulumi(["stack", "export"]);
        const resources = (JSON.parse(state) as { deployment: { resources: StateResource[] } }).deployment.resources;
        const brokers = resources
            .filter((resource) => resource.type.endsWith(":LocalBroker"))
            .map((resource) => resource.outputs?.pid ?? 0);
        const peaks = brokers.map(peakMbOf);
        const destroy = await step("destroy", "destroy", "--yes", "--skip-preview");
        const custom = resources.filter((resource) => resource.type.includes("dynamic/"));
        return {
            up: up.seconds,
            noop: noop.seconds,
            destroy: destroy.seconds,
            custom: custom.length,
            components: resources.length - custom.length - 2,
            state: state.length,
            ...(peaks.length === 0 ? {} : { brokerPeakMb: Math.max(...peaks) }),
        };
    } finally {
        stack.dispose();
    }
}

interface StateResource {
    readonly type: string;
    readonly outputs?: { readonly pid?: number };
}

/** Highest resident memory that a process ever had, in MB; Linux only. */
export function peakMbOf(pid: number): number {
    try {
        const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
        return Number(line?.[1] ?? 0) / 1024;
    } catch {
        return 0;
    }
}
