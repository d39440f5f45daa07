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

/** The same resources, as somebody would write them by hand: literal arguments, no components, the same SDKs loaded. */
const byHand = `
const pulumi = require("@pulumi/pulumi");
for (const module of ["aws/ec2", "aws/lb", "gcp/compute", "gcp/secretmanager", "azure-native/network", "azure-native/compute"]) {
    require("@pulumi/" + module + "/index.js");
}
for (const { type, name, inputs } of require("./resources.json")) {
    new pulumi.CustomResource(type, name, inputs);
}
`;

interface StateResource {
    readonly urn: string;
    readonly type: string;
    readonly custom?: boolean;
    readonly inputs?: Record<string, unknown>;
}

/** How long a size may take before the next ones are left out, seconds. */
const mostSeconds = 900;

/**
 * Preview of three cloud sites beside the same resources written by hand, and how time and state grow with sites, on simulated clouds
 * that take no time themselves.
 */
export async function benchClouds(sizes: readonly number[], env: NodeJS.ProcessEnv): Promise<Row[]> {
    const { Simulation } = await import("../../test/cloudsim/simulation.mts");
    const rows: Row[] = [];
    for (const size of sizes) {
        console.log(
            `  ${size} cloud sites: preview, up, no-op up, destroy${size === 3 ? "; then preview of the same by hand" : ""}`,
        );
        const folder = mkdtempSync(join(tmpdir(), "linkspan-bench-clouds-"));
        const simulation: Simulation = await Simulation.open({ folder, pace: 0, boot: "quick" });
        simulation.account.set("aws/eips", 1_000);
        const stack = await BenchStack.create(mesh, { ...simulation.env(env), BENCH_SITES: String(size), ...providerSettings });
        const began = Date.now();
        try {
            const previews = [await preview(stack), ...(size === 3 ? [await preview(stack), await preview(stack)] : [])];
            const up = await stack.pulumi(["up", "--yes", "--skip-preview"]);
            const noop = await stack.pulumi(["up", "--yes", "--skip-preview", "--expect-no-changes"]);
            const { stdout } = await stack.pulumi(["stack", "export", "--show-secrets"]);
            const resources = (JSON.parse(stdout) as { deployment: { resources: StateResource[] } }).deployment.resources;
            const encrypted = (await stack.pulumi(["stack", "export"])).stdout.length;
            const what = `${size} cloud sites (${(size * (size - 1)) / 2} pairs, ${resources.length} resources)`;
            if (size === 3) {
                rows.push(ratio(`${what}: preview`, median(previews), await previewByHand(resources, simulation, env), 1.5));
            } else {
                rows.push({ what: `${what}: preview`, value: `${median(previews).toFixed(1)} s` });
            }
            rows.push({ what: `${what}: up`, value: `${up.seconds.toFixed(1)} s` });
            rows.push({ what: `${what}: no-op up`, value: `${noop.seconds.toFixed(1)} s` });
            rows.push({ what: `${what}: state`, value: `${(encrypted / 1024).toFixed(0)} kB` });
            const destroy = await stack.pulumi(["destroy", "--yes", "--skip-preview"]);
            const left = simulation.account.objects().length;
            rows.push({ what: `${what}: destroy`, value: `${destroy.seconds.toFixed(1)} s`, against: `${left} objects left` });
        } catch (error) {
            rows.push({ what: `${size} cloud sites`, value: `failed: ${String(error).split("\n", 1)[0]}`, met: false });
        } finally {
            stack.dispose();
            await simulation.close();
            rmSync(folder, { recursive: true, force: true });
        }
        if (Date.now() - began > mostSeconds * 1_000) {
            rows.push({ what: "larger sizes", value: "left out", against: `${size} sites took longer than ${mostSeconds} s` });
            break;
        }
    }
    return rows;
}

/** What the providers of real clouds are told by their own settings. */
const providerSettings = { AWS_REGION: "eu-central-1", GOOGLE_PROJECT: "bench", ARM_LOCATION: "germanywestcentral" };

async function preview(stack: BenchStack): Promise<number> {
    return (await stack.pulumi(["preview"])).seconds;
}

async function previewByHand(
    resources: readonly StateResource[],
    simulation: Simulation,
    env: NodeJS.ProcessEnv,
): Promise<number> {
    const written = resources
        .filter(({ type, custom }) => custom === true && !type.startsWith("pulumi:"))
        .map(({ urn, type, inputs = {} }, index) => ({
            type,
            name: `${urn.split("::").at(-1)}-${index}`,
            inputs: plain(inputs),
        }));
    const stack = await BenchStack.create(
        byHand,
        { ...simulation.env(env), ...providerSettings },
        {
            "resources.json": JSON.stringify(written),
        },
    );
    try {
        return median([await preview(stack), await preview(stack), await preview(stack)]);
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
