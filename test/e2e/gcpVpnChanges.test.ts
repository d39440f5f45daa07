import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CloudProject } from "../cloudsim/cloudProject.js";
import { gcp } from "../cloudsim/gcp/index.mts";
import { repository } from "../support/pulumiProject.js";

/** Gateways of three networks: one with tunnels to a peer elsewhere that is read from a file, and peerings of all. */
const program = `
const pulumi = require("@pulumi/pulumi");
const compute = require("@pulumi/gcp/compute/index.js");
const { readFileSync } = require("node:fs");
const { GcpVpnGateway } = require(${JSON.stringify(join(repository, "dist/gcp/vpnGateway.js"))});
const { address, asn, third, key, range, peered } = JSON.parse(readFileSync(__dirname + "/peer.json", "utf8"));
const parent = new (class extends pulumi.ComponentResource { constructor() { super("test:index:Site", "gcp"); } })();
const region = "europe-west4";
const gatewayOf = (name, number) => {
    const scope = { parent, plan: { name, clusterName: "mesh-" + name, meshId: "mesh" }, region, labels: {} };
    const network = new compute.Network(name, { autoCreateSubnetworks: false, routingMode: "GLOBAL" }, { parent });
    const ipCidrRange = "10." + number + ".0.0/24";
    const brokers = new compute.Subnetwork(name + "-brokers", { network: network.selfLink, region, ipCidrRange }, { parent });
    const facts = { asn: 64520 + number, ranges: ["10." + number + ".0.0/16"] };
    return new GcpVpnGateway(scope, facts, {
        selfLink: network.selfLink, subnetwork: brokers.selfLink, brokerRange: ipCidrRange, ready: [brokers],
    });
};
const [a, b, c] = [gatewayOf("a", 2), gatewayOf("b", 3), gatewayOf("c", 4)];
const tunnel = (number) => ({
    key: String(number), inside: "169.254." + third + "." + 4 * number + "/30",
    ownAddress: "169.254." + third + "." + (4 * number + 2), peerAddress: "169.254." + third + "." + (4 * number + 1),
    ownInterface: number, peerInterface: number,
});
a.connect({
    pair: "a-plant", facts: { name: "plant", platform: "external" }, vpn: { asn, ranges: [range] }, suite: "aes-cbc",
    tunnels: [tunnel(0), tunnel(1)], presharedKeys: { 0: pulumi.secret("firstKey0"), 1: pulumi.secret("secondKey" + key) },
    outsideAddresses: { 0: pulumi.output("203.0.113.10"), 1: pulumi.output(address) }, gateway: {},
}, { parent });
for (const [one, other] of peered ? [[a, b], [a, c], [b, c]] : []) {
    one.peer("pair", other.network, { parent });
}
`;
const peer = { address: "203.0.113.11", asn: 64_527, third: 40, key: 1, range: "10.7.0.0/16", peered: false };

describe("tunnels of GCP, under the real engine", () => {
    let project: CloudProject;
    const set = (more: object) => writeFile(join(project.pulumi.folder, "peer.json"), JSON.stringify({ ...peer, ...more }));
    const kinds = ["ExternalVpnGateway", "VPNTunnel", "RouterInterface", "RouterPeer", "RouterRoutePolicy"] as const;
    /** The logical names of what was made anew since `before`, by type. */
    const serials = () =>
        new Map(
            project.account
                .objects()
                .filter(({ type }) => kinds.some((kind) => type.endsWith(`:${kind}`)))
                .map(({ name, serial }) => [name, serial]),
        );
    const anew = (before: ReadonlyMap<string, number>) =>
        [...serials()].filter(([name, serial]) => before.get(name) !== serial).map(([name]) => name.replace("a-vpn-", ""));

    beforeAll(async () => {
        project = await CloudProject.create(
            {
                "Pulumi.yaml": "name: t\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: main.js\n",
                "package.json": '{"name":"t","main":"main.js"}',
                "main.js": program,
                "peer.json": JSON.stringify(peer),
            },
            { clouds: [gcp], pace: 0 },
        );
        await project.pulumi.must("config", "set", "gcp:project", "acme");
        await project.up();
    });
    afterAll(() => project.dispose());

    it("are renewed one at a time with their key, range and session, and all of them with the peer's address", async () => {
        const second = ["interface-plant-1", "session-plant-1", "tunnel-plant-1"];
        const sessions = ["interface-plant-0", "interface-plant-1", "session-plant-0", "session-plant-1"];
        let more = {};
        for (const [change, expected] of [
            [{ key: 2 }, second],
            [{ third: 41 }, sessions],
            [{ address: "203.0.113.12" }, [...sessions, "peer-gateway-plant", "tunnel-plant-0", "tunnel-plant-1"]],
            [{ asn: 64_528 }, []],
            [{ range: "10.8.0.0/16" }, []],
        ] as const) {
            more = { ...more, ...change };
            await set(more);
            const before = serials();
            await project.up();
            expect([change, anew(before).sort()]).toEqual([change, [...expected].sort()]);
            await project.up("--expect-no-changes");
        }
        const session = project.account.objects().find(({ name }) => name === "a-vpn-session-plant-0");
        expect(session?.inputs).toMatchObject({ peerAsn: 64_528, peerIpAddress: "169.254.41.1" });
    });

    it("stand beside peerings, which Google makes one at a time, and go with them without a trace", async () => {
        await set({ peered: true });
        await project.up();
        expect(project.counts()["gcp:compute/networkPeering:NetworkPeering"]).toBe(6);
        await project.destroy();
        expect(project.counts()).toEqual({});
    });
});
