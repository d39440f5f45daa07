import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LinkRow } from "../../src/link/linkPair.js";
import { CloudProject } from "../cloudsim/cloudProject.js";
import { nodejsProject } from "../cloudsim/program.js";

interface Outputs {
    readonly links: readonly LinkRow[];
    readonly egress: Readonly<Record<string, readonly string[]>>;
}

const program = `
const pulumi = require("@pulumi/pulumi");
const { Mesh } = require("linkspan");
const { AwsSite } = require("linkspan/aws");
const config = new pulumi.Config();
const common = {
    adminCidrs: ["203.0.113.7/32"],
    reach: { proxy: process.env.CLOUDSIM_PROXY },
    broker: { package: { url: "https://mirror.example.com/emqx.deb", sha256: "a".repeat(64) } },
};
const sites = [["north", 1, "eu-central-1"], ["south", 2, "eu-west-1"], ["east", 3, "us-east-1"]]
    .slice(0, config.getNumber("sites") ?? 2)
    .map(([name, siteNumber, region]) => new AwsSite(name, { siteNumber, region, ...common }));
const mesh = new Mesh("fleet", { sites, topics: ["fleet/#"], proof: { prove: config.get("prove") ?? "change", timeoutSeconds: 5 } });
exports.links = mesh.links;
exports.egress = Object.fromEntries(sites.map((site) => [site.facts.name, site.egressAddresses]));
`;

describe("two sites on AWS, then three, then two", () => {
    let project: CloudProject;
    let before: Readonly<Record<string, number>>;

    beforeAll(async () => {
        project = await CloudProject.create(nodejsProject(program));
    });
    afterAll(async () => await project?.dispose());

    const proven = async () =>
        (await project.pulumi.outputs<Outputs>()).links
            .map(({ from, to, status, lost }) => `${from}>${to} ${status} ${lost}`)
            .sort();
    const instances = () =>
        Object.fromEntries(
            project.account
                .objects()
                .filter(({ type }) => type === "aws:ec2/instance:Instance")
                .map(({ name, id }) => [name, id]),
        );

    it("a preview shows everything and makes nothing", async () => {
        const said = await project.preview();
        expect(said).toMatch(/aws:ec2:Instance +north-broker-1 create/);
        expect(said).toMatch(/aws:ec2:Instance +south-broker-1 create/);
        expect(project.counts()).toEqual({});
        expect(project.simulation.faults.happened).toEqual([]);
    });

    it("an up that fails is gone on with: something refused, something not ready", async () => {
        project.fail({ operation: "create", type: "Subnet", name: "north-brokers-eu-central-1b", what: "before" });
        const refused = await project.tryUp();
        expect(refused.code).not.toBe(0);
        expect(refused.output).toContain("InternalError: An internal error has occurred");

        project.fail({
            operation: "create",
            type: "NatGateway",
            name: /^south/,
            what: "after",
            message: "nat is not available yet",
        });
        const notReady = await project.tryUp();
        expect(notReady.code).not.toBe(0);
        expect(notReady.output).toContain("nat is not available yet");

        expect(project.simulation.faults.happened.map(({ what }) => what)).toEqual(["before", "after"]);
    });

    it("the next up links both and proves both directions through the simulated internet", async () => {
        await project.up();
        expect(await proven()).toEqual(["north>south proven 0", "south>north proven 0"]);
        expect([...project.simulation.machines.processes().keys()].sort()).toEqual(["aws-test-north", "aws-test-south"]);
        before = project.counts();
        expect(before).toMatchObject({
            "aws:ec2/vpc:Vpc": 2,
            "aws:ec2/natGateway:NatGateway": 2,
            "aws:ec2/eip:Eip": 8,
            "aws:lb/loadBalancer:LoadBalancer": 2,
            "aws:ec2/instance:Instance": 2,
            "aws:ssm/parameter:Parameter": 20,
            "aws:route53/record:Record": 2,
        });
    });

    it("a second up changes nothing, and so does a refresh", async () => {
        await project.up("--expect-no-changes");
        await project.refresh("--expect-no-changes");
        await project.up("--expect-no-changes");
    });

    it("a rule that somebody took away: the proof fails and says why; a refresh finds it, an up brings it back", async () => {
        const [egress] = (await project.pulumi.outputs<Outputs>()).egress.north ?? [];
        const rule = project.account
            .objects()
            .find(({ inputs }) => inputs.cidrIpv4 === `${egress}/32` && inputs.fromPort === 8884);
        if (rule === undefined) {
            throw new Error("no rule for north");
        }
        project.account.remove(rule);
        await project.simulation.machines.cutLinks();
        await project.pulumi.must("config", "set", "prove", "always");
        const failed = await project.tryUp();
        expect(failed.code).not.toBe(0);
        expect(failed.output).toMatch(/south.*north|north.*south/);
        expect(project.simulation.log.lines.join("\n")).toContain(`admits ${egress} on port 8884`);

        expect(await project.refresh()).toContain(rule.name);
        await project.up();
        expect(await proven()).toEqual(["north>south proven 0", "south>north proven 0"]);
        await project.pulumi.must("config", "set", "prove", "change");
        await project.up();
        expect(project.counts()).toEqual(before);
    });

    it("the doors are open to whom the rules name, and to nobody else", async () => {
        const { egress } = await project.pulumi.outputs<Outputs>();
        const [peer = ""] = egress.south ?? [];
        const balancer = project.account.objects().find(({ name }) => name === "north-doors");
        const reach = (source: string, port: number) =>
            Object.keys(project.simulation.machines.internet.reach(source, String(balancer?.outputs.dnsName), port))[0];
        const stranger = "192.0.2.77";
        expect([8883, 8884, 18084, 18083].map((port) => reach("203.0.113.7", port))).toEqual([
            "port",
            "dropped",
            "port",
            "dropped",
        ]);
        expect([8883, 8884, 18084].map((port) => reach(peer, port))).toEqual(["port", "port", "dropped"]);
        expect([8883, 8884, 18084].map((port) => reach(stranger, port))).toEqual(["port", "dropped", "dropped"]);
    });

    it("a third site comes and goes, and no machine of the others is touched", async () => {
        const machines = instances();
        await project.pulumi.must("config", "set", "sites", "3");
        await project.up();
        expect(await proven()).toEqual(
            ["east>north", "east>south", "north>east", "north>south", "south>east", "south>north"].map(
                (pair) => `${pair} proven 0`,
            ),
        );
        expect(instances()).toMatchObject(machines);
        await project.pulumi.must("config", "set", "sites", "2");
        await project.up();
        expect(await proven()).toEqual(["north>south proven 0", "south>north proven 0"]);
        expect(instances()).toEqual(machines);
        expect(project.counts()).toEqual(before);
        expect(project.simulation.machines.processes().size).toBe(2);
    });

    it("a destroy that is interrupted is gone on with, and leaves neither an object nor a process", async () => {
        project.fail({ operation: "delete", type: "Listener", name: "north-links-listener", what: "before" });
        expect((await project.pulumi.run("destroy", "--yes", "--skip-preview")).code).not.toBe(0);
        // What else is under way when a plugin ends is done, and Pulumi does not know: deleting it again must do no harm.
        project.fail({ operation: "delete", type: "LoadBalancer", name: "north-doors", what: "kill-after" });
        expect((await project.pulumi.run("destroy", "--yes", "--skip-preview")).code).not.toBe(0);
        await project.pulumi.mend();
        await project.destroy();
        expect(project.account.objects(true)).toEqual([]);
        expect(project.simulation.machines.processes().size).toBe(0);
        expect(await project.pulumi.resources()).toEqual([]);
    });
});
