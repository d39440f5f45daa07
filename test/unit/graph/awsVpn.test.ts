import { describe, expect, it } from "vitest";
import { presharedKeyForm } from "../../../src/ipsec/suite.js";
import { addedBetween, assertNoCycle, changedBetween, countByType, ofType, reaches } from "../../support/graph.js";
import type { Recording } from "../../support/recorder.js";
import { licensed, mesh, oneSite } from "./awsFixture.js";
import { azure, gcp, othersByNat, vpnMesh } from "./awsVpnFixture.js";

const recorded = new Map<string, Promise<Recording>>();
const once = (key: string, run: () => Promise<Recording>): Promise<Recording> => {
    const found = recorded.get(key) ?? run();
    recorded.set(key, found);
    return found;
};
const withGcp = () => once("gcp", () => vpnMesh({ gcp }, licensed));
const withBoth = () => once("both", () => vpnMesh({ azure, gcp }, licensed, othersByNat));
const byVirtual = () => once("virtual", () => vpnMesh({ gcp }, { vpn: { gateway: "virtual" } }));

const vpnTypes = [
    "aws:ec2/customerGateway:CustomerGateway",
    "aws:ec2/vpnConnection:VpnConnection",
    "aws:ec2/vpnGateway:VpnGateway",
    "aws:ec2/vpnGatewayRoutePropagation:VpnGatewayRoutePropagation",
    "aws:ec2transitgateway/routeTable:RouteTable",
    "aws:ec2transitgateway/routeTableAssociation:RouteTableAssociation",
    "aws:ec2transitgateway/routeTablePropagation:RouteTablePropagation",
    "aws:ec2transitgateway/transitGateway:TransitGateway",
    "aws:ec2transitgateway/vpcAttachment:VpcAttachment",
];

function counts(recording: Recording): Record<string, number> {
    return Object.fromEntries(
        Object.entries(countByType(recording))
            .filter(([type]) => vpnTypes.includes(type))
            .map(([type, count]) => [type.split(":").at(-1), count]),
    );
}

describe("an AWS site in tier vpn", () => {
    it("has no gateway, tunnel or private door with pairs of tier nat alone, nor without a mesh", async () => {
        for (const recording of [await oneSite(licensed), await mesh({ north: {}, south: {} })]) {
            expect(counts(recording)).toEqual({});
            expect(recording.resources.filter(({ name }) => /private-door|vpn/.test(name))).toEqual([]);
        }
    });

    it("has a transit gateway, and two connections with four tunnels for a peer in another cloud", async () => {
        expect(counts(await withGcp())).toEqual({
            CustomerGateway: 2,
            VpnConnection: 2,
            TransitGateway: 1,
            VpcAttachment: 1,
            RouteTable: 2,
            RouteTableAssociation: 3,
            RouteTablePropagation: 3,
        });
    });

    it("shares the gateway among its pairs", async () => {
        expect(counts(await withBoth())).toEqual({
            CustomerGateway: 4,
            VpnConnection: 4,
            TransitGateway: 1,
            VpcAttachment: 1,
            RouteTable: 2,
            RouteTableAssociation: 5,
            RouteTablePropagation: 5,
        });
    });

    it("notices a second pair nowhere: it adds and changes nothing", async () => {
        const [one, two] = [await withGcp(), await withBoth()];
        // Peers' own plants and the mesh are no business of the site.
        expect(changedBetween(one, two).filter((name) => name !== "fleet")).toEqual([]);
        const added = addedBetween(one, two).filter((name) => name.startsWith("aws-") && two.named(name).type.startsWith("aws:"));
        expect(added.filter((name) => !name.includes("azure"))).toEqual([]);
        expect(added).toHaveLength(2 * 4 + 3 + 2);
    });

    it("waits for addresses of its peers alone, never for their gateways or tunnels", async () => {
        const recording = await withBoth();
        assertNoCycle(recording);
        const own = recording.resources.filter(({ type }) => type.startsWith("aws:") && !type.includes("route53/record"));
        expect(reaches(recording, "aws-customer-gateway-azure-1", "azure-address-1")).toBe(true);
        expect(reaches(recording, "aws-customer-gateway-azure-1", "azure-address-0")).toBe(false);
        for (const { name } of own) {
            for (const peer of ["azure", "gcp"]) {
                for (const part of ["gateway", "tunnel-0", "tunnel-1", "tunnel-2", "tunnel-3"]) {
                    expect([name, part, reaches(recording, name, `${peer}-${part}`)]).toEqual([name, part, false]);
                }
            }
        }
        // Of Azure there is nothing in what GCP's tunnels wait for, and the other way round.
        expect(reaches(recording, "aws-vpn-connection-gcp-0", "azure-address-0")).toBe(false);
        expect(reaches(recording, "aws-vpn-connection-azure-0", "gcp-address-0")).toBe(false);
    });

    it("gives each tunnel its range, a key of its own, one IKEv2 proposal, and starts it", async () => {
        const recording = await withGcp();
        const connections = [0, 1].map((number) => recording.named(`aws-vpn-connection-gcp-${number}`));
        expect(connections.map(({ inputs }) => [inputs.tunnel1InsideCidr, inputs.tunnel2InsideCidr])).toEqual([
            ["169.254.32.48/30", "169.254.32.52/30"],
            ["169.254.32.56/30", "169.254.32.60/30"],
        ]);
        const keys = connections.flatMap(({ inputs }) => [inputs.tunnel1PresharedKey, inputs.tunnel2PresharedKey]);
        expect(new Set(keys).size).toBe(4);
        for (const key of keys) {
            expect(key).toMatch(presharedKeyForm);
        }
        for (const { inputs, secrets, secretOutputs, deleteBeforeReplace, replaceOnChanges } of connections) {
            for (const tunnel of ["tunnel1", "tunnel2"]) {
                expect(Object.fromEntries(Object.entries(inputs).filter(([key]) => key.startsWith(tunnel)))).toEqual({
                    [`${tunnel}InsideCidr`]: expect.stringMatching(/^169\.254\./),
                    [`${tunnel}PresharedKey`]: expect.any(String),
                    [`${tunnel}IkeVersions`]: ["ikev2"],
                    [`${tunnel}Phase1EncryptionAlgorithms`]: ["AES256"],
                    [`${tunnel}Phase1IntegrityAlgorithms`]: ["SHA2-256"],
                    [`${tunnel}Phase1DhGroupNumbers`]: [14],
                    [`${tunnel}Phase2EncryptionAlgorithms`]: ["AES256"],
                    [`${tunnel}Phase2IntegrityAlgorithms`]: ["SHA2-256"],
                    [`${tunnel}Phase2DhGroupNumbers`]: [14],
                    [`${tunnel}StartupAction`]: "start",
                    [`${tunnel}DpdTimeoutAction`]: "restart",
                    [`${tunnel}DpdTimeoutSeconds`]: 30,
                });
            }
            expect(secrets).toEqual(["tunnel1PresharedKey", "tunnel2PresharedKey"]);
            expect(secretOutputs).toEqual(
                expect.arrayContaining(["customerGatewayConfiguration", "tunnel1PresharedKey", "tunnel2PresharedKey"]),
            );
            expect(deleteBeforeReplace).toBe(true);
            expect(replaceOnChanges).toEqual(["customerGatewayId"]);
        }
    });

    it("takes the other suite where the pair asks for it", async () => {
        const recording = await vpnMesh({ gcp }, {}, { pairs: { "aws-gcp": { vpn: { suite: "aes-gcm" } } } });
        expect(recording.named("aws-vpn-connection-gcp-1").inputs).toMatchObject({
            tunnel1Phase1EncryptionAlgorithms: ["AES256-GCM-16"],
            tunnel1Phase1IntegrityAlgorithms: ["SHA2-384"],
            tunnel1Phase1DhGroupNumbers: [20],
            tunnel2Phase2EncryptionAlgorithms: ["AES256-GCM-16"],
            tunnel2Phase2IntegrityAlgorithms: ["SHA2-384"],
            tunnel2Phase2DhGroupNumbers: [20],
        });
    });

    it("tells the peer the address of each of its tunnels", async () => {
        const recording = await withBoth();
        for (const peer of ["gcp", "azure"]) {
            expect([0, 1, 2, 3].map((key) => recording.named(`${peer}-tunnel-${key}`).inputs.peer)).toEqual([
                `1-of-aws-vpn-connection-${peer}-0`,
                `2-of-aws-vpn-connection-${peer}-0`,
                `1-of-aws-vpn-connection-${peer}-1`,
                `2-of-aws-vpn-connection-${peer}-1`,
            ]);
        }
        // Azure's instance b meets connection b; its two tunnels are in 169.254.21.0/24 and 169.254.22.0/24.
        expect(
            [0, 1].map((number) => {
                const { tunnel1InsideCidr, tunnel2InsideCidr } = recording.named(`aws-vpn-connection-azure-${number}`).inputs;
                return [tunnel1InsideCidr, tunnel2InsideCidr];
            }),
        ).toEqual([
            ["169.254.21.32/30", "169.254.22.32/30"],
            ["169.254.21.36/30", "169.254.22.36/30"],
        ]);
    });

    it("has customer gateways of its own, whoever else of the account has the same peer", async () => {
        const recording = await withBoth();
        for (const peer of ["azure", "gcp"]) {
            for (const number of [0, 1]) {
                const { inputs, deleteBeforeReplace } = recording.named(`aws-customer-gateway-${peer}-${number}`);
                expect(inputs).toMatchObject({
                    type: "ipsec.1",
                    ipAddress: `${peer}-address-${number}-id`,
                    bgpAsn: peer === "gcp" ? "64522" : "64523",
                    deviceName: `project-stack-aws-${peer}-${number}`,
                    region: "eu-central-1",
                });
                expect(deleteBeforeReplace).toBe(true);
            }
        }
    });

    it("writes a long number of the peer where AWS wants it", async () => {
        const recording = await vpnMesh({ gcp: { ...gcp, asn: 4_200_000_001 } });
        const { inputs } = recording.named("aws-customer-gateway-gcp-0");
        expect([inputs.bgpAsn, inputs.bgpAsnExtended]).toEqual([undefined, "4200000001"]);
    });

    it("keeps peers apart: what comes from one goes into the network alone", async () => {
        const recording = await withBoth();
        const { inputs: gateway } = recording.named("aws-vpn-gateway");
        expect(gateway).toMatchObject({
            amazonSideAsn: 64_521,
            defaultRouteTableAssociation: "disable",
            defaultRouteTablePropagation: "disable",
            autoAcceptSharedAttachments: "disable",
            vpnEcmpSupport: "enable",
        });
        expect(recording.named("aws-vpn-attachment").inputs).toMatchObject({
            transitGatewayDefaultRouteTableAssociation: false,
            transitGatewayDefaultRouteTablePropagation: false,
            subnetIds: ["a", "b", "c"].map((letter) => `aws-vpn-attachment-eu-central-1${letter}-id`),
        });
        const tables = (type: string) =>
            ofType(recording, type)
                .filter(({ inputs }) => inputs.transitGatewayAttachmentId !== undefined)
                .map(({ inputs }) => `${inputs.transitGatewayAttachmentId} ${inputs.transitGatewayRouteTableId}`)
                .sort();
        const connections = ["azure-0", "azure-1", "gcp-0", "gcp-1"].map((what) => `attachment-of-aws-vpn-connection-${what}`);
        expect(tables(":RouteTableAssociation")).toEqual([
            ...connections.map((attachment) => `${attachment} aws-vpn-routes-of-peers-id`),
            "aws-vpn-attachment-id aws-vpn-routes-of-network-id",
        ]);
        expect(tables(":RouteTablePropagation")).toEqual([
            ...connections.map((attachment) => `${attachment} aws-vpn-routes-of-network-id`),
            "aws-vpn-attachment-id aws-vpn-routes-of-peers-id",
        ]);
    });

    it("leads exactly the peer's ranges into the gateway, in every zone's table, once it is attached", async () => {
        const recording = await withBoth();
        const routes = ofType(recording, "aws:ec2/route:Route").filter(({ inputs }) => inputs.transitGatewayId !== undefined);
        expect(routes.map(({ inputs }) => `${inputs.routeTableId} ${inputs.destinationCidrBlock}`).sort()).toEqual(
            ["a", "b", "c"].flatMap((letter) =>
                ["10.2.0.0/16", "10.3.0.0/16"].map((range) => `aws-brokers-routes-eu-central-1${letter}-id ${range}`),
            ),
        );
        for (const { name } of routes) {
            expect([name, reaches(recording, name, "aws-vpn-attachment")]).toEqual([name, true]);
        }
    });

    it("lets links begin when all of its half is there, and nothing of the site before", async () => {
        const recording = await withGcp();
        for (const { name } of ofType(recording, ":ClusterLink")) {
            for (const part of [
                "vpn-connection-gcp-1",
                "vpn-gcp-0-association",
                "vpn-gcp-1-propagation",
                "vpn-network-propagation",
                "vpn-route-to-gcp-eu-central-1a-10.2.0.0-16",
                "private-door-listener",
                "private-door-to-broker-1",
                "private-door-links-from-door",
                "vpn-from-gcp-10.2.0.0-16",
                "vpn-to-gcp-10.2.0.0-16",
            ]) {
                expect([name, part, reaches(recording, name, `aws-${part}`)]).toEqual([name, part, true]);
            }
        }
        expect(reaches(recording, "aws-membership-1", "aws-vpn-gateway")).toBe(false);
        expect(reaches(recording, "aws-membership-1", "aws-private-door")).toBe(false);
    });

    it("belongs in its fixed parts to the site and in its tunnels to the mesh, with the site's tags", async () => {
        const recording = await withGcp();
        for (const { name, parent, inputs, type } of recording.resources.filter(
            ({ type, name }) => type.startsWith("aws:") && /vpn|private-door|customer-gateway/.test(name),
        )) {
            expect([name, parent]).toEqual([name, /-(to|from)?-?gcp/.test(name) ? "fleet" : "aws"]);
            if (!/oute|Propagation|Association|TargetGroupAttachment/.test(type) || type.endsWith("routeTable:RouteTable")) {
                expect([name, inputs.tags]).toEqual([name, expect.objectContaining({ "linkspan-site": "aws" })]);
            }
            expect([name, inputs.region]).toEqual([name, "eu-central-1"]);
        }
    });
});

describe("an AWS site in tier vpn with a virtual private gateway", () => {
    it("has that one alone, with routes by propagation", async () => {
        const recording = await byVirtual();
        expect(counts(recording)).toEqual({
            CustomerGateway: 2,
            VpnConnection: 2,
            VpnGateway: 1,
            VpnGatewayRoutePropagation: 3,
        });
        expect(ofType(recording, "aws:ec2/route:Route").map(({ inputs }) => inputs.destinationCidrBlock)).toEqual([
            "0.0.0.0/0",
            "0.0.0.0/0",
            "0.0.0.0/0",
            "0.0.0.0/0",
        ]);
        expect(recording.named("aws-vpn-gateway").inputs).toMatchObject({ vpcId: "aws-vpc-id", amazonSideAsn: "64521" });
        expect(recording.named("aws-vpn-gateway").deleteBeforeReplace).toBe(true);
        expect(recording.named("aws-vpn-connection-gcp-0").inputs).toMatchObject({ vpnGatewayId: "aws-vpn-gateway-id" });
        expect(recording.named("aws-vpn-connection-gcp-0").inputs).not.toHaveProperty("transitGatewayId");
    });

    it("lets links wait for the propagation", async () => {
        const recording = await byVirtual();
        for (const { name } of ofType(recording, ":ClusterLink")) {
            expect(reaches(recording, name, "aws-vpn-routes-eu-central-1c")).toBe(true);
        }
    });
});
