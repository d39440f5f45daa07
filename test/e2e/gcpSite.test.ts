import { afterEach, describe, expect, it } from "vitest";
import { CloudProject } from "../cloudsim/cloudProject.js";
import { gcp } from "../cloudsim/gcp/index.mts";

const projects: CloudProject[] = [];
afterEach(async () => {
    for (const project of projects.splice(0)) {
        await project.dispose();
    }
});

/** A project in the simulated Google Cloud. `program` is JavaScript that has `site(name, number, args)` and the SDK's `compute`. */
async function projectOf(program: string): Promise<CloudProject> {
    const project = await CloudProject.create(
        {
            "Pulumi.yaml": "name: t\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: main.js\n",
            "package.json": '{"name":"t","main":"main.js"}',
            "main.js": `
const { Mesh } = require("linkspan");
const { GcpSite } = require("linkspan/gcp");
const compute = require("@pulumi/gcp/compute");
const size = new (require("@pulumi/pulumi").Config)().get("size");
const file = { url: "https://mirror.example.com/emqx.deb", sha256: "${"a".repeat(64)}" };
const site = (name, siteNumber, { broker = {}, ...more } = {}) => new GcpSite(name, {
    siteNumber,
    region: "europe-west4",
    meshId: "fleet",
    adminCidrs: ["203.0.113.7/32"],
    reach: { proxy: process.env.CLOUDSIM_PROXY },
    broker: { package: file, ...broker },
    ...more,
});
${program}
`,
        },
        { clouds: [gcp] },
    );
    projects.push(project);
    await project.pulumi.must("config", "set", "gcp:project", "acme");
    return project;
}

/** What happens to objects of a type from now on: `deleted gcp-broker-1`. */
function watch(project: CloudProject, ...types: readonly string[]): readonly string[] {
    const seen: string[] = [];
    project.account.onChange(({ what, object }) => {
        if (types.some((type) => object.type.endsWith(`:${type}`))) {
            seen.push(`${what} ${object.name}`);
        }
    });
    return seen;
}

describe("GCP sites in the simulated cloud", () => {
    it("come up, stay as they are, and go without a trace, also when the NAT fails at first", async () => {
        const project = await projectOf(`exports.endpoint = site("gcp", 2).endpoint;`);
        project.fail({ operation: "create", type: "RouterNat", what: "before" });
        expect((await project.tryUp()).code).not.toBe(0);
        // Nothing that needs the way out was tried without it.
        expect(project.counts()["gcp:compute/instance:Instance"]).toBeUndefined();
        await project.up();
        expect(project.simulation.machines.sights()).toMatchObject([{ state: "running", node: "emqx@10.2.0.4" }]);
        await project.up("--expect-no-changes");
        await project.refresh("--expect-no-changes");
        await project.destroy();
        expect(project.counts()).toEqual({});
    });

    it("refuse at preview what the zone does not offer, before anything is made", async () => {
        const project = await projectOf(`site("gcp", 2);`);
        project.account.set("gcp/machineType/europe-west4-a/c4a-standard-2", 0);
        const { code, output } = await project.pulumi.run("preview");
        expect(code).not.toBe(0);
        expect(output).toContain("broker.size: europe-west4-a has no c4a-standard-2");
    });

    it("refuse an existing subnetwork that is not as it was said to be, and use it when it is", async () => {
        const project = await projectOf(`
            const own = new compute.Network("office", { autoCreateSubnetworks: false });
            const brokers = new compute.Subnetwork("shared", {
                network: own.selfLink, region: "europe-west4", ipCidrRange: "10.77.4.0/24", privateIpGoogleAccess: true,
            });
            if (size !== undefined) {
                site("gcp", 2, { network: { network: own.selfLink, subnetwork: brokers.selfLink, cidr: size } });
            }`);
        await project.up();
        await project.pulumi.must("config", "set", "size", "10.77.0.0/20");
        const refused = await project.pulumi.run("preview");
        expect(refused.code).not.toBe(0);
        expect(refused.output).toContain('network.cidr: "10.77.0.0/20" is not the range of the subnetwork; set "10.77.4.0/24"');
        await project.pulumi.must("config", "set", "size", "10.77.4.0/24");
        await project.up();
        expect(project.simulation.machines.sights()).toMatchObject([{ state: "running", node: "emqx@10.77.4.4" }]);
        expect(project.counts()["gcp:compute/network:Network"]).toBe(1);
        await project.destroy();
        expect(project.counts()).toEqual({});
    });

    it("are linked by each other's fixed addresses, and proven", async () => {
        const project = await projectOf(`
            const sites = [site("north", 1), site("south", 2, { region: "us-central1" })];
            const mesh = new Mesh("fleet", { sites, topics: ["fleet/#"] });
            exports.links = mesh.links;`);
        await project.up();
        const { links } = await project.pulumi.outputs<{ links: unknown }>();
        expect(JSON.stringify(links)).toMatch(/"delivered":[1-9]/);
        await project.up("--expect-no-changes");
        await project.destroy();
        expect(project.counts()).toEqual({});
    });

    it("change their machine type one node after the other, each out of the load balancer first, with the data kept", async () => {
        const project = await projectOf(`site("gcp", 2, { license: "evaluation", broker: { nodes: 3, size } });`);
        await project.up();
        const disks = () =>
            project.account
                .objects()
                .filter(({ type }) => type.endsWith(":Disk"))
                .map(({ id }) => id);
        const [before, seen] = [disks(), watch(project, "Instance", "InstanceGroupMembership")];
        await project.pulumi.must("config", "set", "size", "c4a-standard-4");
        await project.up();
        expect(seen).toEqual(
            ["1", "2", "3"].flatMap((key) => [
                `deleted gcp-group-of-broker-${key}`,
                `deleted gcp-broker-${key}`,
                `created gcp-broker-${key}`,
                `created gcp-group-of-broker-${key}`,
            ]),
        );
        expect(disks()).toEqual(before);
        expect(project.simulation.machines.sights().map(({ state }) => state)).toEqual(["running", "running", "running"]);
    });
});
