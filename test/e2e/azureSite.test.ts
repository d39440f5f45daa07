import { afterEach, describe, expect, it } from "vitest";
import { azure } from "../cloudsim/azure/index.mts";
import { CloudProject } from "../cloudsim/cloudProject.js";

const projects: CloudProject[] = [];
afterEach(async () => {
    for (const project of projects.splice(0)) {
        await project.dispose();
    }
});

/** A project in the simulated Azure. `program` is JavaScript that has `site(name, number, args)`, the setting `wish` and the SDK's parts. */
async function projectOf(program: string): Promise<CloudProject> {
    const project = await CloudProject.create(
        {
            "Pulumi.yaml": "name: t\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: main.js\n",
            "package.json": '{"name":"t","main":"main.js"}',
            "main.js": `
const { Mesh } = require("linkspan");
const { AzureSite } = require("linkspan/azure");
const network = require("@pulumi/azure-native/network");
const resources = require("@pulumi/azure-native/resources");
const wish = new (require("@pulumi/pulumi").Config)().get("wish");
const file = { url: "https://mirror.example.com/emqx.deb", sha256: "${"a".repeat(64)}" };
const site = (name, siteNumber, { broker = {}, ...more } = {}) => new AzureSite(name, {
    siteNumber,
    location: "westeurope",
    meshId: "fleet",
    adminCidrs: ["203.0.113.7/32"],
    reach: { proxy: process.env.CLOUDSIM_PROXY },
    broker: { package: file, ...broker },
    ...more,
});
${program}
`,
        },
        { clouds: [azure] },
    );
    projects.push(project);
    return project;
}

/** What happens to objects of a type from now on: `deleted azure-broker-1`. */
function watch(project: CloudProject, type: string): readonly string[] {
    const seen: string[] = [];
    project.account.onChange(({ what, object }) => {
        if (object.type.endsWith(`:${type}`)) {
            seen.push(`${what} ${object.name}`);
        }
    });
    return seen;
}

const idsOf = (project: CloudProject, type: string) =>
    project.account
        .objects()
        .filter((object) => object.type.endsWith(`:${type}`))
        .map(({ id }) => id);

describe("Azure sites in the simulated cloud", () => {
    it("come up, stay as they are, go without a trace and come again, although the old vault keeps its name", async () => {
        const project = await projectOf(`exports.endpoint = site("azure", 3).endpoint;`);
        await project.up();
        expect(project.simulation.machines.sights()).toMatchObject([{ state: "running", node: "emqx@10.3.0.4" }]);
        const [vault] = idsOf(project, "Vault");
        await project.up("--expect-no-changes");
        await project.refresh("--expect-no-changes");
        await project.destroy();
        expect(project.counts()).toEqual({});
        await project.up();
        expect(project.simulation.machines.sights()).toMatchObject([{ state: "running" }]);
        expect(idsOf(project, "Vault")).not.toEqual([vault]);
    });

    it("go on where an up ended: at the way out, at a machine that came late, at the vault", async () => {
        const project = await projectOf(`site("azure", 3);`);
        project.fail({ operation: "create", type: "Subnet", what: "before" });
        expect((await project.tryUp()).code).not.toBe(0);
        // Nothing that needs the way out was tried without it.
        expect(idsOf(project, "NetworkInterface")).toEqual([]);
        project.fail({ operation: "create", type: "Secret", name: "azure-secret-cookie", what: "before" });
        expect((await project.tryUp()).code).not.toBe(0);
        expect(idsOf(project, "VirtualMachine")).toEqual([]);
        project.fail({ operation: "create", type: "VirtualMachine", what: "after" });
        expect((await project.tryUp()).code).not.toBe(0);
        await project.up();
        expect(project.simulation.machines.sights()).toMatchObject([{ state: "running" }]);
        await project.destroy();
        expect(project.counts()).toEqual({});
    });

    it("refuse an existing subnet that is not as it was said to be, and use it when it is", async () => {
        const project = await projectOf(`
            const group = new resources.ResourceGroup("office", { location: "westeurope" });
            const at = { resourceGroupName: group.name, location: "westeurope" };
            const address = new network.PublicIPAddress("out", { ...at, sku: { name: "Standard" }, publicIPAllocationMethod: "Static" });
            const nat = new network.NatGateway("nat", { ...at, sku: { name: "Standard" }, publicIpAddresses: [{ id: address.id }] });
            const hub = new network.VirtualNetwork("hub", { ...at, addressSpace: { addressPrefixes: ["10.77.0.0/16"] } });
            const shared = new network.Subnet("shared", {
                resourceGroupName: group.name, virtualNetworkName: hub.name, addressPrefix: "10.77.4.0/24", natGateway: { id: nat.id },
            });
            if (wish !== undefined) {
                site("azure", 3, { network: {
                    virtualNetworkId: hub.id, cidr: "10.77.0.0/16", subnetId: shared.id, subnetCidr: wish, egressAddresses: ["203.0.113.100"],
                } });
            }`);
        await project.up();
        await project.pulumi.must("config", "set", "wish", "10.77.5.0/24");
        const refused = await project.pulumi.run("preview");
        expect(refused.code).not.toBe(0);
        expect(refused.output).toContain('network.subnetCidr: "10.77.5.0/24" is not the range of the subnet; set "10.77.4.0/24"');
        await project.pulumi.must("config", "set", "wish", "10.77.4.0/24");
        await project.up();
        expect(project.simulation.machines.sights()).toMatchObject([{ state: "running", node: "emqx@10.77.4.4" }]);
        expect(idsOf(project, "VirtualNetwork")).toHaveLength(1);
        await project.destroy();
        expect(project.counts()).toEqual({});
    });

    it("are linked by each other's fixed addresses, and proven", async () => {
        const project = await projectOf(`
            const sites = [site("north", 1, { location: "northeurope" }), site("west", 2)];
            exports.links = new Mesh("fleet", { sites, topics: ["fleet/#"] }).links;`);
        await project.up();
        const { links } = await project.pulumi.outputs<{ links: { status: string; lost: number; from: string }[] }>();
        expect(links.map(({ from, status, lost }) => [from, status, lost]).sort()).toEqual([
            ["north", "proven", 0],
            ["west", "proven", 0],
        ]);
        await project.up("--expect-no-changes");
        await project.destroy();
        expect(project.counts()).toEqual({});
    });

    it("change their size one node after the other, with the data kept", async () => {
        const project = await projectOf(`site("azure", 3, { license: "evaluation", broker: { nodes: 3, size: wish } });`);
        await project.up();
        const [disks, cards, seen] = [
            idsOf(project, "Disk"),
            idsOf(project, "NetworkInterface"),
            watch(project, "VirtualMachine"),
        ];
        await project.pulumi.must("config", "set", "wish", "Standard_D4ps_v6");
        await project.up();
        expect(seen).toEqual(["1", "2", "3"].flatMap((key) => [`deleted azure-broker-${key}`, `created azure-broker-${key}`]));
        expect(idsOf(project, "Disk")).toEqual(disks);
        expect(idsOf(project, "NetworkInterface")).toEqual(cards);
        expect(project.simulation.machines.sights().map(({ state }) => state)).toEqual(["running", "running", "running"]);
    });
});
