import { afterEach, describe, expect, it } from "vitest";
import type { LinkRow } from "../../src/link/linkPair.js";
import type { AccountChange } from "../cloudsim/account.mts";
import { aws } from "../cloudsim/aws/index.mts";
import { azure } from "../cloudsim/azure/index.mts";
import type { CloudProject } from "../cloudsim/cloudProject.js";
import { gcp } from "../cloudsim/gcp/index.mts";
import type { Cloud, CloudObject } from "../cloudsim/types.mts";
import { cloudMesh, type Step, steps } from "../support/cloudMesh.js";

/** Two sites of one cloud. */
interface Pair {
    readonly what: string;
    readonly cloud: Cloud;
    /** JavaScript that adds sites `one` and `two` to `make`. */
    readonly more: string;
    /** What joins them: how many objects of which type. */
    readonly joins: Readonly<Record<string, number>>;
}

const awsIn = (region: string) =>
    `new (require("linkspan/aws").AwsSite)(name, { siteNumber, region: ${JSON.stringify(region)}, ...common })`;
const gcpIn = (region: string) =>
    `new (require("linkspan/gcp").GcpSite)(name, { siteNumber, region: ${JSON.stringify(region)}, ...common })`;
const azureIn = (location: string) =>
    `new (require("linkspan/azure").AzureSite)(name, { siteNumber, location: ${JSON.stringify(location)}, ...common })`;
const sites = (one: string, two: string) => `
make.one = () => ((name, siteNumber) => ${one})("one", 1);
make.two = () => ((name, siteNumber) => ${two})("two", 2);
`;
const awsPeering = {
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": 1,
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": 1,
};
const gcpPeering = { "gcp:compute/networkPeering:NetworkPeering": 2 };

const pairs = {
    awsTwoRegions: {
        what: "AWS, in two regions",
        cloud: aws,
        more: sites(awsIn("eu-central-1"), awsIn("us-east-1")),
        joins: awsPeering,
    },
    awsOneRegion: {
        what: "AWS, in one region",
        cloud: aws,
        more: sites(awsIn("eu-central-1"), awsIn("eu-central-1")),
        joins: awsPeering,
    },
    gcp: {
        what: "GCP, in two regions",
        cloud: gcp,
        more: sites(gcpIn("europe-west3"), gcpIn("us-east1")),
        joins: gcpPeering,
    },
    azure: {
        what: "Azure, in two regions",
        cloud: azure,
        more: sites(azureIn("germanywestcentral"), azureIn("northeurope")),
        joins: { "azure-native:network:VirtualNetworkPeering": 2 },
    },
} satisfies Record<string, Pair>;

/** What a gateway with tunnels is made of, in any cloud. */
const gateways = /:(VpnConnection|TransitGateway|VpnGateway|HaVpnGateway|VPNTunnel|VirtualNetworkGateway)$/;

interface Outputs {
    readonly links: readonly LinkRow[];
    readonly paths: readonly { readonly pair: string; readonly what: string; readonly tunnels: readonly unknown[] }[];
}

const projects: CloudProject[] = [];
afterEach(async () => {
    for (const project of projects.splice(0)) {
        await project.dispose();
    }
});

async function projectOf({ cloud, more }: Pair, tier: string): Promise<CloudProject> {
    const project = await cloudMesh(["one", "two"], { clouds: [cloud], more });
    projects.push(project);
    // Two sites of one region want more addresses than a new account has.
    project.account.set("aws/eips", 20);
    await project.pulumi.must("config", "set", "tier", tier);
    return project;
}

async function proven(project: CloudProject): Promise<readonly string[]> {
    const { links } = await project.pulumi.outputs<Outputs>();
    return links.map(({ from, to, tier, status, lost }) => `${from}>${to} ${tier} ${status} ${lost}`).sort();
}

function joinsOf(project: CloudProject, { joins }: Pair) {
    const counts = project.counts();
    return Object.fromEntries(Object.keys(joins).map((type) => [type, counts[type] ?? 0]));
}

const named = (done: readonly Step[], op: string, pattern: RegExp) =>
    done.filter((step) => step.op === op && pattern.test(step.name)).map(({ name }) => name);

describe("two sites of one cloud in tier vpn", () => {
    it.each(Object.values(pairs))("are peered and proven, stay so, and go without a trace: $what", async (pair: Pair) => {
        const project = await projectOf(pair, "vpn");
        await project.up();
        expect(await proven(project)).toEqual(["one>two vpn proven 0", "two>one vpn proven 0"]);
        expect(joinsOf(project, pair)).toEqual(pair.joins);
        expect(Object.keys(project.counts()).filter((type) => gateways.test(type))).toEqual([]);
        const { paths } = await project.pulumi.outputs<Outputs>();
        expect(paths).toMatchObject([{ pair: "one-two", tunnels: [] }]);
        expect(paths[0]?.what).toContain(`both networks are on ${pair.cloud.name.replace("-native", "")}, which peers them`);
        await project.up("--expect-no-changes");
        await project.refresh("--expect-no-changes");
        await project.destroy();
        expect(project.account.objects(true)).toEqual([]);
        expect(project.simulation.machines.processes().size).toBe(0);
    });

    it.each([pairs.awsTwoRegions, pairs.gcp, pairs.azure])(
        "are switched from nat and back, the new path always before the old one goes: $what",
        async (pair: Pair) => {
            const project = await projectOf(pair, "nat");
            await project.up();
            expect(await proven(project)).toEqual(["one>two nat proven 0", "two>one nat proven 0"]);
            const before = project.counts();
            await project.pulumi.must("config", "set", "tier", "vpn");
            const there = await steps(project);
            expect([there.code, there.code === 0 ? "" : there.output]).toEqual([0, ""]);
            expect(await proven(project)).toEqual(["one>two vpn proven 0", "two>one vpn proven 0"]);
            expect(joinsOf(project, pair)).toEqual(pair.joins);
            const order = there.steps.map(({ op, name }) => `${op} ${name}`);
            const first = order.findIndex((step) => step.startsWith("delete "));
            expect(order.lastIndexOf("update fleet-one-two-delivery")).toBeGreaterThan(0);
            expect(first).toBeGreaterThan(order.lastIndexOf("update fleet-one-two-delivery"));
            expect(named(there.steps, "delete", /-nat-(from|to)-/).length).toBeGreaterThan(1);
            await project.up("--expect-no-changes");

            await project.pulumi.must("config", "set", "tier", "nat");
            const back = await steps(project);
            expect([back.code, back.code === 0 ? "" : back.output]).toEqual([0, ""]);
            expect(await proven(project)).toEqual(["one>two nat proven 0", "two>one nat proven 0"]);
            expect(named(back.steps, "delete", /-peering-with-/).length).toBeGreaterThan(1);
            expect(project.counts()).toEqual(before);
            await project.destroy();
            expect(project.account.objects(true)).toEqual([]);
        },
    );

    it.each<[Pair, (object: CloudObject) => boolean, RegExp]>([
        [
            pairs.awsOneRegion,
            ({ type, name }) => type.endsWith(":Route") && /^two-peering-route-to-one/.test(name),
            /the route table of subnet-\S+ has no route to the range of 10\.1\./,
        ],
        [pairs.gcp, ({ name }) => name === "two-peering-with-one", /waits for its other side, which \S+ does not have/],
        [pairs.azure, ({ name }) => name === "two-peering-with-one", /waits for its other side, which \S+ does not have/],
    ])("that lack one half stay on their old path, and it is said which one ($what)", async (pair, half, reason) => {
        const project = await projectOf(pair, "nat");
        await project.up();
        project.account.onChange(({ what, object }: AccountChange) => {
            if (what === "created" && half(object)) {
                project.account.remove(object);
            }
        });
        await project.pulumi.must("config", "set", "tier", "vpn");
        await project.pulumi.must("config", "set", "pathSeconds", "5");
        const failed = await steps(project);
        expect(failed.code).not.toBe(0);
        expect(failed.output).toMatch(/cannot use the path from "fleet-(one|two)" to "fleet-(one|two)" \(tier vpn\)/);
        expect(failed.output).toContain("What was in use before is still in use");
        expect(project.simulation.log.lines.join("\n")).toMatch(reason);
        expect(named(failed.steps, "delete", /./)).toEqual([]);
        expect(named(failed.steps, "update", /-name-of-/)).toEqual([]);
    });
});
