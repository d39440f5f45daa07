import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { CloudProject } from "../cloudsim/cloudProject.js";
import type { SimulationOptions } from "../cloudsim/simulation.mts";
import type { Run } from "./pulumiProject.js";

/**
 * A program with cloud sites of one broker each. Its configuration says which (`sites`) and by which tier pairs are joined (`tier`,
 * `pairs`), so that a test changes the mesh without changing the program. `more` is JavaScript that adds to `make`, by site name.
 */
const program = (more: string) => `
const pulumi = require("@pulumi/pulumi");
const { Mesh } = require("linkspan");
const config = new pulumi.Config();
const common = {
    meshId: "fleet",
    adminCidrs: ["203.0.113.7/32"],
    reach: { proxy: process.env.CLOUDSIM_PROXY },
    broker: { package: { url: "https://mirror.example.com/emqx.deb", sha256: "a".repeat(64) } },
};
const make = {
    aws: () => new (require("linkspan/aws").AwsSite)("aws", { siteNumber: 1, region: "eu-central-1", ...common }),
    gcp: () => new (require("linkspan/gcp").GcpSite)("gcp", { siteNumber: 2, region: "europe-west3", ...common }),
    azure: () => new (require("linkspan/azure").AzureSite)("azure", { siteNumber: 3, location: "germanywestcentral", ...common }),
};
${more}
const sites = config.require("sites").split(",").map((name) => make[name]());
const mesh = new Mesh("fleet", {
    sites,
    tier: config.get("tier") ?? "vpn",
    pairs: config.getObject("pairs") ?? {},
    topics: ["fleet/#"],
    // A path that does not work is tried for minutes; here for seconds.
    link: { poolSize: 2, pathSeconds: config.getNumber("pathSeconds") ?? 60 },
    proof: { prove: config.get("prove") ?? "change", messages: 20, timeoutSeconds: 10 },
});
exports.links = mesh.links;
exports.paths = mesh.paths;
`;

/** A project of {@link program} in simulated clouds in which nothing takes time. */
export async function cloudMesh(
    sites: readonly string[],
    { more = "", ...options }: Omit<SimulationOptions, "folder"> & { readonly more?: string } = {},
): Promise<CloudProject> {
    const project = await CloudProject.create(
        {
            "Pulumi.yaml": "name: fleet\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: main.js\n",
            "package.json": JSON.stringify({ name: "fleet", private: true, main: "main.js" }),
            "main.js": program(more),
        },
        { boot: "quick", pace: 0, ...options },
    );
    for (const [key, value] of [
        ["gcp:project", "acme"],
        ["sites", sites.join(",")],
    ] as const) {
        await project.pulumi.must("config", "set", key, value);
    }
    return project;
}

/** What the engine did with one resource, in the order in which it was done. */
export interface Step {
    readonly op: string;
    readonly type: string;
    readonly name: string;
}

/** Runs `pulumi up` and returns what the engine finished, in order; what stayed as it was is left out. */
export async function steps(project: CloudProject, ...args: string[]): Promise<Run & { readonly steps: readonly Step[] }> {
    const log = join(project.simulation.folder, "events.json");
    await rm(log, { force: true });
    // The flag that writes events to a file is one of those that Pulumi hides.
    const flags = ["--yes", "--skip-preview", "--event-log", log];
    const run = await project.pulumi.runWith({ PULUMI_DEBUG_COMMANDS: "true" }, "up", ...flags, ...args);
    const events = (await readFile(log, "utf8"))
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as { resOutputsEvent?: { metadata: { op: string; urn: string; type: string } } });
    return {
        ...run,
        steps: events.flatMap(({ resOutputsEvent }) => {
            const { op, urn, type } = resOutputsEvent?.metadata ?? { op: "same", urn: "", type: "" };
            return op === "same" || op === "read"
                ? []
                : [{ op, type: type.split(":").at(-1) ?? "", name: urn.split("::").at(-1) ?? "" }];
        }),
    };
}
