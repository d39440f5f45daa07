import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Simulation } from "../../test/cloudsim/simulation.mts";
import { median, type Row, ratio } from "./report.mts";
import { BenchStack } from "./stack.mts";

/** Cloud sites in turn on AWS, GCP and Azure. The simulated internet is reached by the proxy, packages are never downloaded. */
const mesh = `
const { Mesh } = require("linkspan");
const { AwsSite } = require("linkspan/aws");
const { GcpSite } = require("linkspan/gcp");
const { AzureSite } = require("linkspan/azure");
const common = {
    adminCidrs: ["203.0.113.7/32"],
    reach: { proxy: process.env.CLOUDSIM_PROXY },
    broker: { package: { url: "https://packages.example/emqx.deb", sha256: "${"0".repeat(64)}" } },
};
const makers = [
    (name, siteNumber) => new AwsSite(name, { siteNumber, region: "eu-central-1", ...common }),
    (name, siteNumber) => new GcpSite(name, { siteNumber, region: "europe-west3", ...common }),
    (name, siteNumber) => new AzureSite(name, { siteNumber, location: "germanywestcentral", ...common }),
];
const sites = Array.from({ length: Number(process.env.BENCH_SITES) }, (_, i) => makers[i % 3]("s" + (i + 1), i + 1));
new Mesh("mesh", { sites, topics: ["fleet/#"], link: { poolSize: 1 }, proof: { count: 20 } });
`;

/**
 * The same resources, as somebody would write them by hand: literal arguments, no components, the same SDKs loaded. Dynamic resources have
 * the same properties and a lifecycle that does nothing: state keeps digests of their secrets, with which the real one could do nothing.
 */
const byHand = `
const pulumi = require("@pulumi/pulumi");
for (const module of ["aws/ec2", "aws/lb", "gcp/compute", "gcp/secretmanager", "azure-native/network", "azure-native/compute"]) {
    require("@pulumi/" + module + "/index.js");
}
const nothing = "exports.handler=()=>({check:async(o,n)=>({inputs:n}),diff:async()=>({changes:false})});";
for (const { type, name, inputs } of require("./resources.json")) {
    new pulumi.CustomResource(type, name, "__provider" in inputs ? { ...inputs, __provider: nothing } : inputs);
}
`;

interface StateResource {
    readonly urn: string;
    readonly type: string;
    readonly custom?: boolean;
    readonly inputs?: Record<string, unknown>;
}

/** Seconds that all of one size may take; on a quiet machine the largest needs a fraction of it. */
const secondsPerSize = 2_400;

/**
 * Preview of three cloud sites beside the same resources written by hand, and how time and state grow with sites, on simulated clouds
 * that take no time themselves. A size that fails or takes too long is one missed row; the others keep their figures.
 *
 * @param onRows called with the rows of each size as soon as they are known
 */
export async function benchClouds(
    sizes: readonly number[],
    env: NodeJS.ProcessEnv,
    onRows: (rows: readonly Row[]) => void,
): Promise<void> {
    for (const size of sizes) {
        try {
            onRows(await life(size, env, performance.now() + secondsPerSize * 1_000));
        } catch (error) {
            const said = error instanceof Error ? error.message : String(error);
            console.log(`  ${size} cloud sites: ${said}`);
            onRows([{ what: `${size} cloud sites`, value: `no figures: ${said.split("\n")[0]}`, goal: "to finish", met: false }]);
        }
    }
}

/** One whole life of a stack, told step by step: the larger ones take minutes. */
async function life(size: number, env: NodeJS.ProcessEnv, deadlineMs: number): Promise<Row[]> {
    const { Simulation } = await import("../../test/cloudsim/simulation.mts");
    const folder = mkdtempSync(join(tmpdir(), "linkspan-bench-clouds-"));
    const simulation: Simulation = await Simulation.open({ folder, pace: 0, boot: "quick" });
    simulation.account.set("aws/eips", 1_000);
    const stack = await cloudStack(mesh, { ...simulation.env(env), BENCH_SITES: String(size) });
    const step = stepsOf(stack, `${size} cloud sites`, deadlineMs);
    try {
        const previews = await step.times("preview", size === 3 ? 3 : 1, "preview");
        const up = await step.once("up", "up", "--yes", "--skip-preview");
        const noop = await step.once("no-op up", "up", "--yes", "--skip-preview", "--expect-no-changes");
        const { stdout: plainState } = await stack.pulumi(["stack", "export", "--show-secrets"]);
        const { stdout: state } = await stack.pulumi(["stack", "export"]);
        const resources = (JSON.parse(plainState) as { deployment: { resources: StateResource[] } }).deployment.resources;
        const destroy = await step.once("destroy", "destroy", "--yes", "--skip-preview");
        const left = simulation.account.objects().length;
        const what = `${size} cloud sites (${(size * (size - 1)) / 2} pairs, ${resources.length} resources)`;
        return [
            size === 3
                ? ratio(`${what}: preview`, previews, await previewByHand(resources, simulation, env, deadlineMs), 1.5)
                : { what: `${what}: preview`, value: `${previews.toFixed(1)} s` },
            { what: `${what}: up`, value: `${up.toFixed(1)} s` },
            { what: `${what}: no-op up`, value: `${noop.toFixed(1)} s` },
            { what: `${what}: destroy`, value: `${destroy.toFixed(1)} s` },
            { what: `${what}: objects left`, value: String(left), goal: "0", met: left === 0 },
            { what: `${what}: state`, value: `${(state.length / 1024).toFixed(0)} kB` },
        ];
    } finally {
        stack.dispose();
        await simulation.close();
        rmSync(folder, { recursive: true, force: true });
    }
}

/** Runs of the CLI on one stack that say how long they took, in seconds. */
function stepsOf(stack: BenchStack, what: string, deadlineMs: number) {
    const once = async (name: string, ...args: string[]): Promise<number> => {
        const { seconds } = await stack.pulumi(args, Math.max(1_000, deadlineMs - performance.now()));
        console.log(`  ${what}: ${name} ${seconds.toFixed(1)} s`);
        return seconds;
    };
    /** The middle of several runs. */
    const times = async (name: string, count: number, ...args: string[]): Promise<number> => {
        const seconds: number[] = [];
        while (seconds.length < count) {
            seconds.push(await once(name, ...args));
        }
        return median(seconds);
    };
    return { once, times };
}

/** Where the providers are told to make what names no place of its own. */
const providerSettings = `config:
  aws:region: eu-central-1
  gcp:project: bench
  gcp:region: europe-west3
  azure-native:location: germanywestcentral
`;

/** A stack of the bench whose clouds are simulated. */
function cloudStack(program: string, env: NodeJS.ProcessEnv, files: Readonly<Record<string, string>> = {}): Promise<BenchStack> {
    return BenchStack.create(program, env, { ...files, "Pulumi.bench.yaml": providerSettings });
}

async function previewByHand(
    resources: readonly StateResource[],
    simulation: Simulation,
    env: NodeJS.ProcessEnv,
    deadlineMs: number,
): Promise<number> {
    const written = resources
        .filter(({ type, custom }) => custom === true && !type.startsWith("pulumi:"))
        .map(({ urn, type, inputs = {} }, index) => ({
            type,
            name: `${urn.split("::").at(-1)}-${index}`,
            inputs: plain(inputs),
        }));
    const stack = await cloudStack(byHand, simulation.env(env), { "resources.json": JSON.stringify(written) });
    try {
        return await stepsOf(stack, `${written.length} resources by hand`, deadlineMs).times("preview", 3, "preview");
    } finally {
        stack.dispose();
    }
}

/** Inputs as a program would give them: secrets as their values, nothing that the engine or a provider's bridge added. */
function plain(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(plain);
    }
    if (typeof value !== "object" || value === null) {
        return value;
    }
    const entries = value as Record<string, unknown>;
    if ("plaintext" in entries) {
        return JSON.parse(String(entries.plaintext));
    }
    return Object.fromEntries(
        Object.entries(entries)
            .filter(([key]) => key !== "__defaults")
            .map(([key, inner]) => [key, plain(inner)]),
    );
}
