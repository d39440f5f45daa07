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

/** Up, no-op up and destroy of meshes of growing size, beside a program with as many resources that do nothing. */
export async function benchScale(sizes: readonly number[], env: NodeJS.ProcessEnv): Promise<{ rows: Row[]; peakMb: number }> {
    const rows: Row[] = [];
    let peakMb = 0;
    for (const size of sizes) {
        console.log(`  ${size} sites: up, no-op up, destroy; then as many resources that do nothing`);
        const ours = await life(mesh, { ...env, BENCH_SITES: String(size) });
        const base = await life(nothing, {
            ...env,
            BENCH_CUSTOM: String(ours.custom),
            BENCH_COMPONENTS: String(Math.max(1, ours.components)),
        });
        const what = `${size} sites (${(size * (size - 1)) / 2} pairs, ${ours.custom} resources)`;
        rows.push(ratio(`${what}: up`, ours.up, base.up, 2));
        rows.push(ratio(`${what}: no-op up`, ours.noop, base.noop, 1.2));
        rows.push({
            what: `${what}: destroy`,
            value: `${ours.destroy.toFixed(1)} s`,
            against: `base ${base.destroy.toFixed(1)} s`,
            ratio: ours.destroy / base.destroy,
        });
        rows.push({
            what: `${what}: state`,
            value: `${(ours.state / 1024).toFixed(0)} kB`,
            against: `base ${(base.state / 1024).toFixed(0)} kB`,
            ratio: ours.state / base.state,
        });
        peakMb = Math.max(peakMb, ours.brokerPeakMb ?? 0);
    }
    return { rows, peakMb };
}

async function life(program: string, env: NodeJS.ProcessEnv): Promise<Life> {
    const stack = await BenchStack.create(program, env);
    try {
        const up = await stack.pulumi("up", "--yes", "--skip-preview");
        const noop = await stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
        const { stdout: state } = await stack.pulumi("stack", "export");
        const resources = (JSON.parse(state) as { deployment: { resources: StateResource[] } }).deployment.resources;
        const brokers = resources
            .filter((resource) => resource.type.endsWith(":LocalBroker"))
            .map((resource) => resource.outputs?.pid ?? 0);
        const peaks = brokers.map(peakMbOf);
        const destroy = await stack.pulumi("destroy", "--yes", "--skip-preview");
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
