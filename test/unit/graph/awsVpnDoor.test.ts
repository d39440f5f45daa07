import { describe, expect, it } from "vitest";
import type { MonthlyCost } from "../../../src/cluster/monthlyCost.js";
import { exceptions } from "../../../src/policy/exceptions.js";
import { violationsOf } from "../../../src/policy/rule.js";
import { rules } from "../../../src/policy/rules.js";
import { assertNoCycle, ofType, reaches } from "../../support/graph.js";
import { policyGraph } from "../../support/policyGraph.js";
import type { Recording } from "../../support/recorder.js";
import { licensed, theirNetwork } from "./awsFixture.js";
import { azure, gcp, othersByNat, type PeerShape, vpnMesh } from "./awsVpnFixture.js";

let recorded: Promise<Recording> | undefined;
const withGcp = () => {
    recorded ??= vpnMesh({ gcp }, licensed);
    return recorded;
};

/** Rules of a group, each as `direction port whom`. */
function rulesOf(recording: Recording, group: string): readonly string[] {
    return [...ofType(recording, ":SecurityGroupIngressRule"), ...ofType(recording, ":SecurityGroupEgressRule")]
        .filter(({ inputs }) => inputs.securityGroupId === `${group}-id`)
        .map(({ type, inputs }) =>
            [
                type.endsWith("IngressRule") ? "in" : "out",
                ...new Set([inputs.fromPort, inputs.toPort]),
                inputs.cidrIpv4 ?? inputs.referencedSecurityGroupId,
            ].join(" "),
        )
        .sort();
}

describe("an AWS site's private link door", () => {
    it("is an internal load balancer at the planned addresses, with a group of its own from the start", async () => {
        const { inputs, deleteBeforeReplace } = (await withGcp()).named("aws-private-door");
        expect(inputs).toMatchObject({
            internal: true,
            loadBalancerType: "network",
            securityGroups: ["aws-private-door-firewall-id"],
            enableCrossZoneLoadBalancing: true,
            subnetMappings: ["a", "b", "c"].map((letter, index) => ({
                subnetId: `aws-brokers-eu-central-1${letter}-id`,
                privateIpv4Address: `10.1.${index}.252`,
            })),
        });
        expect(String(inputs.name)).toMatch(/^aws-private-door-[0-9a-f]{6}$/);
        expect(deleteBeforeReplace).toBe(true);
    });

    it("leads to every broker, whose place it takes neither before the machine nor after its disk", async () => {
        const recording = await withGcp();
        expect(recording.named("aws-private-door-targets").inputs).toMatchObject({
            targetType: "instance",
            protocol: "TCP",
            port: 8884,
            preserveClientIp: "true",
            healthCheck: { protocol: "HTTPS", port: "18084", path: "/api/v5/load_rebalance/availability_check" },
        });
        expect(recording.named("aws-private-door-listener").inputs).toMatchObject({ protocol: "TCP", port: 8884 });
        for (const key of [1, 2, 3]) {
            const attachment = recording.named(`aws-private-door-to-broker-${key}`);
            expect(attachment.inputs).toMatchObject({
                targetGroupArn: "arn:aws-private-door-targets",
                targetId: `aws-broker-${key}-id`,
            });
            expect(attachment.dependencies).toContain(`aws-data-of-broker-${key}`);
        }
    });

    it("is open to the peer's ranges alone, and to nobody in tier nat", async () => {
        const recording = await withGcp();
        expect(rulesOf(recording, "aws-private-door-firewall")).toEqual([
            "in 8884 10.2.0.0/16",
            "out 18084 aws-brokers-firewall-id",
            "out 8884 aws-brokers-firewall-id",
        ]);
        const brokers = rulesOf(recording, "aws-brokers-firewall");
        expect(brokers).toEqual(
            expect.arrayContaining([
                "in 18084 aws-private-door-firewall-id",
                "in 8884 aws-private-door-firewall-id",
                "out 8884 10.2.0.0/16",
            ]),
        );
        expect(brokers.filter((rule) => rule.includes("10.2."))).toEqual(["out 8884 10.2.0.0/16"]);
    });

    it("leaves the public link port shut", async () => {
        const recording = await withGcp();
        expect(rulesOf(recording, "aws-doors-firewall").filter((rule) => rule.startsWith("in 8884"))).toEqual([]);
        expect(recording.resources.filter(({ name }) => name.includes("-nat-from-") || name.includes("-nat-to-"))).toEqual([]);
    });

    it("admits each range of a peer that has several, by a rule of its own", async () => {
        const peer: PeerShape = { platform: "external", siteNumber: 7, addresses: 1, ranges: ["10.7.0.0/16", "192.168.7.0/24"] };
        const recording = await vpnMesh({ plant: peer });
        expect(rulesOf(recording, "aws-private-door-firewall").filter((rule) => rule.startsWith("in"))).toEqual([
            "in 8884 10.7.0.0/16",
            "in 8884 192.168.7.0/24",
        ]);
        expect(
            ofType(recording, "aws:ec2/route:Route").filter(({ inputs }) => inputs.transitGatewayId !== undefined),
        ).toHaveLength(6);
        // One address of the peer: one connection, two tunnels.
        expect(ofType(recording, ":VpnConnection").map(({ name }) => name)).toEqual(["aws-vpn-connection-plant-0"]);
        expect(ofType(recording, "test:index:Part").filter(({ name }) => name.startsWith("plant-tunnel"))).toHaveLength(2);
    });
});

describe("the security rules", () => {
    it("find nothing in an AWS site's half of tier vpn, and something where a tunnel is laid open", async () => {
        const recording = await withGcp();
        const found = (graph: Recording) =>
            violationsOf(policyGraph(graph), rules, exceptions)
                .filter(({ exception }) => exception === undefined)
                .map(({ rule, resource }) => `${rule.id} ${resource.name}`);
        expect(found(recording).filter((text) => / aws-/.test(text))).toEqual([]);
        const resources = recording.resources.map((one) =>
            one.name === "aws-vpn-connection-gcp-0"
                ? { ...one, secrets: [], inputs: { ...one.inputs, tunnel1IkeVersions: ["ikev1"] } }
                : one.name === "aws-vpn-gateway"
                  ? { ...one, inputs: { ...one.inputs, autoAcceptSharedAttachments: "enable" } }
                  : one,
        );
        expect(found({ ...recording, resources })).toEqual(expect.arrayContaining([expect.stringContaining("aws-vpn-gateway")]));
        expect(found({ ...recording, resources })).toEqual(
            expect.arrayContaining([expect.stringContaining("aws-vpn-connection-gcp-0")]),
        );
    });
});

describe("an AWS site in tier vpn in a network of the user's", () => {
    const vpnNetwork = (more: { readonly attachmentSubnetId?: (letter: string) => string } = {}) => ({
        ...theirNetwork,
        zones: Object.fromEntries(
            Object.entries(theirNetwork.zones).map(([zone, subnets]) => [
                zone,
                {
                    ...subnets,
                    routeTableId: `rtb-${zone}`,
                    ...(more.attachmentSubnetId === undefined ? {} : { attachmentSubnetId: more.attachmentSubnetId(zone) }),
                },
            ]),
        ),
    });

    it("uses the tables and subnets that it is told, and makes none", async () => {
        const recording = await vpnMesh({ gcp }, { network: vpnNetwork({ attachmentSubnetId: (zone) => `subnet-of-${zone}` }) });
        assertNoCycle(recording);
        expect(ofType(recording, "aws:ec2/subnet:Subnet")).toEqual([]);
        expect(recording.named("aws-vpn-attachment").inputs).toMatchObject({
            vpcId: "vpc-theirs",
            subnetIds: ["subnet-of-eu-central-1a", "subnet-of-eu-central-1b"],
        });
        expect(ofType(recording, "aws:ec2/route:Route").map(({ inputs }) => inputs.routeTableId)).toEqual([
            "rtb-eu-central-1a",
            "rtb-eu-central-1b",
        ]);
        expect(recording.named("aws-private-door").inputs.subnetMappings).toEqual([
            { subnetId: "subnet-brokers-a", privateIpv4Address: "10.50.0.252" },
            { subnetId: "subnet-brokers-b", privateIpv4Address: "10.50.1.252" },
        ]);
    });

    it("needs no subnet for a virtual private gateway", async () => {
        const recording = await vpnMesh({ gcp }, { network: vpnNetwork(), vpn: { gateway: "virtual" } });
        expect(ofType(recording, ":VpnGatewayRoutePropagation").map(({ inputs }) => inputs.routeTableId)).toEqual([
            "rtb-eu-central-1a",
            "rtb-eu-central-1b",
        ]);
    });

    it("says what it lacks", async () => {
        await expect(vpnMesh({ gcp }, { network: theirNetwork })).rejects.toThrow(
            /network\.zones\["eu-central-1a"\]\.routeTableId, network\.zones\["eu-central-1a"\]\.attachmentSubnetId/,
        );
        await expect(vpnMesh({ gcp }, { network: vpnNetwork() })).rejects.toThrow(
            /network\.zones\["eu-central-1b"\]\.attachmentSubnetId/,
        );
    });
});

describe("bad input to an AWS site's VPN gateway", () => {
    it.each<[string, object, RegExp]>([
        [
            "another kind of gateway",
            { gateway: "cloudwan" },
            /^vpn\.gateway: "cloudwan" is not known; set "transit" or "virtual"/,
        ],
        ["a reserved number", { asn: 65_515 }, /^vpn\.asn: 65515 is reserved/],
        ["a public number", { asn: 3_320 }, /^vpn\.asn: 3320 is no private autonomous system number/],
        ["a pool elsewhere", { tunnelPool: "10.9.0.0/21" }, /^vpn\.tunnelPool: "10.9.0.0\/21" does not fit/],
    ])("%s", async (_what, vpn, message) => {
        await expect(vpnMesh({ gcp }, { vpn })).rejects.toThrow(message);
    });

    it("more connections than a virtual private gateway takes, where a transit gateway takes them", async () => {
        const peers = (count: number) =>
            Object.fromEntries(
                Array.from({ length: count }, (_, index) => [
                    `peer${index + 2}`,
                    { platform: "external", siteNumber: index + 2 } as const satisfies PeerShape,
                ]),
            );
        const pairs = Object.fromEntries(
            Object.keys(peers(6)).flatMap((one, index, all) =>
                all.slice(index + 1).map((other) => [`${one}-${other}`, { tier: "nat" } as const]),
            ),
        );
        await expect(vpnMesh(peers(6), { vpn: { gateway: "virtual" } }, { pairs })).rejects.toThrow(
            /^vpn\.gateway: "virtual" takes 10 VPN connections, and the pairs of aws need 12; set "transit"/,
        );
        const recording = await vpnMesh(peers(6), {}, { pairs });
        expect(ofType(recording, ":VpnConnection")).toHaveLength(12);
    });

    it("a number that a peer has", async () => {
        await expect(vpnMesh({ gcp }, { vpn: { asn: 64_522 } })).rejects.toThrow(/^asn: 64522 is the number of/);
    });
});

describe("an AWS site's costs in tier vpn", () => {
    const costs = async (run: Promise<Recording>) => {
        const rows = ((await run).outputs as { costs: readonly MonthlyCost[] }).costs;
        return Object.fromEntries(rows.map(({ what, usd }) => [what, usd]));
    };

    it("have the door, and attachments of the network and of each connection", async () => {
        const rows = await costs(vpnMesh({ azure, gcp }, {}, othersByNat));
        expect(rows["1 × network load balancer of the private link door"]).toBe(16.43);
        expect(rows["5 × attachment of the transit gateway"]).toBe(182.5);
    });

    it("have no attachments with a virtual private gateway, and neither with tier nat", async () => {
        const virtual = await costs(vpnMesh({ gcp }, { vpn: { gateway: "virtual" } }));
        expect(Object.keys(virtual).filter((what) => what.includes("attachment"))).toEqual([]);
        expect(virtual).toHaveProperty(["1 × network load balancer of the private link door"]);
        const nat = await costs(vpnMesh({ gcp }, {}, { tier: "nat" }));
        expect(Object.keys(nat).filter((what) => /attachment|private link door/.test(what))).toEqual([]);
    });
});

describe("a switch of an AWS site's pair from tier nat to vpn", () => {
    it("keeps every resource but the pair's own of the old tier as it is", async () => {
        const [nat, vpn] = [await vpnMesh({ gcp }, licensed, { tier: "nat" }), await withGcp()];
        const gone = nat.resources.filter(
            ({ name, type }) => type.startsWith("aws:") && vpn.resources.every((one) => one.name !== name),
        );
        expect(gone.map(({ name }) => name).sort()).toEqual(["aws-nat-from-gcp-198.51.99.7", "aws-nat-to-gcp"]);
        for (const one of nat.resources.filter(
            ({ name, type }) => type.startsWith("aws:") && !gone.some((old) => old.name === name),
        )) {
            const { inputs, dependencies } = vpn.named(one.name);
            expect([one.name, inputs, dependencies]).toEqual([one.name, one.inputs, one.dependencies]);
        }
        expect(reaches(vpn, "aws-broker-3", "aws-private-door")).toBe(false);
    });
});
