import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CloudProject } from "../cloudsim/cloudProject.js";
import { nodejsProject } from "../cloudsim/program.js";
import { repository } from "../support/pulumiProject.js";

/** One site's gateway and one VPN connection to a peer whose address, number and keys are read from a file. */
const program = `
const pulumi = require("@pulumi/pulumi");
const ec2 = require("@pulumi/aws/ec2/index.js");
const { readFileSync } = require("node:fs");
const { connectTunnels } = require(${JSON.stringify(join(repository, "dist/aws/tunnels.js"))});
const { createTransitGateway } = require(${JSON.stringify(join(repository, "dist/aws/transitGateway.js"))});
const { address, asn, third, key } = JSON.parse(readFileSync(__dirname + "/peer.json", "utf8"));
const parent = new (class extends pulumi.ComponentResource { constructor() { super("test:index:Site", "aws"); } })();
const zone = "eu-central-1a";
const region = "eu-central-1";
const plan = { name: "aws", clusterName: "mesh-aws", meshId: "mesh", zones: [zone] };
const scope = { parent, plan, region, tags: {} };
const vpc = new ec2.Vpc("vpc", { region, cidrBlock: "10.1.0.0/16" }, { parent });
const table = new ec2.RouteTable("table", { region, vpcId: vpc.id }, { parent });
const network = { vpcId: vpc.id, zones: new Map([[zone, { name: pulumi.output(zone), routeTableId: table.id }]]) };
const choices = { subnets: { [zone]: { attachment: "10.1.32.0/28" } } };
const gateway = createTransitGateway(scope, choices, { asn: 64521 }, network);
const tunnel = (number) => ({
    key: String(number), inside: "169.254." + third + "." + 4 * number + "/30", ownAddress: "", peerAddress: "",
    ownInterface: number, peerInterface: 0, aws: { connection: 0, tunnel: number + 1 },
});
const peer = {
    pair: "aws-gcp", facts: { name: "gcp" }, vpn: { asn, ranges: ["10.2.0.0/16"] }, suite: "aes-cbc", tunnels: [tunnel(0), tunnel(1)],
    presharedKeys: { 0: pulumi.secret("firstKey0"), 1: pulumi.secret("secondKey" + key) },
    outsideAddresses: { 0: pulumi.output(address), 1: pulumi.output(address) },
};
exports.addresses = connectTunnels(scope, gateway, peer, {}).outsideAddresses;
`;
const peer = { address: "198.51.100.77", asn: 64_522, third: 40, key: 1 };

describe("a VPN connection of AWS, under the real engine", () => {
    let project: CloudProject;
    const set = (more: object) => writeFile(join(project.pulumi.folder, "peer.json"), JSON.stringify({ ...peer, ...more }));
    const ids = (type: string) =>
        project.account
            .objects()
            .filter((object) => object.type.endsWith(type))
            .map(({ id }) => id)
            .sort();

    beforeAll(async () => {
        project = await CloudProject.create({ ...nodejsProject(program), "peer.json": JSON.stringify(peer) }, { pace: 0 });
        await project.up();
    });
    afterAll(() => project.dispose());

    it("is made anew with what holds it where the peer has another address, then another number, then another range inside", async () => {
        let more = {};
        for (const [change, anew] of [
            [{ address: "198.51.100.78" }, ":CustomerGateway"],
            [{ asn: 64_530 }, ":CustomerGateway"],
            [{ third: 41 }, ":VpnConnection"],
        ] as const) {
            more = { ...more, ...change };
            const [counts, before, connections] = [project.counts(), ids(anew), ids(":VpnConnection")];
            await set(more);
            await project.up();
            expect(project.counts()).toEqual(counts);
            expect(ids(anew)).not.toEqual(before);
            expect(ids(":VpnConnection")).not.toEqual(connections);
        }
    });

    it("stays where it is, with its addresses, when a key is renewed", async () => {
        const before = [ids(":VpnConnection"), await project.pulumi.must("stack", "output", "--json")];
        await set({ address: "198.51.100.78", asn: 64_530, third: 41, key: 2 });
        const output = await project.up();
        expect(output).toMatch(/1 updated/);
        expect([ids(":VpnConnection"), await project.pulumi.must("stack", "output", "--json")]).toEqual(before);
    });

    it("goes with everything else, in an order that AWS takes", async () => {
        await project.destroy();
        expect(project.counts()).toEqual({});
    });
});
