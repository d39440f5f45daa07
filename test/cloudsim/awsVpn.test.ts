import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { aws } from "./aws/index.mts";
import { types } from "./aws/tokens.mts";
import { AwsObjects, region } from "./awsObjects.js";
import type { Props } from "./types.mts";

let site: AwsObjects;
beforeEach(async () => {
    site = new AwsObjects();
    await site.network();
});
afterEach(() => site.cloud.dispose());

const tunnels: Props = {
    type: "ipsec.1",
    tunnel1InsideCidr: "169.254.32.48/30",
    tunnel2InsideCidr: "169.254.32.52/30",
    tunnel1PresharedKey: "firstKey1",
    tunnel2PresharedKey: "secondKey2",
};
const peer = { type: "ipsec.1", ipAddress: "198.51.100.9", bgpAsn: "64522" };

/** A transit gateway with its attachment and table, and a customer gateway. */
async function gateway(more: Props = {}): Promise<void> {
    await site.make("tgw", types.transitGateway, {
        amazonSideAsn: 64_521,
        defaultRouteTableAssociation: "disable",
        ...more,
    });
    await site.make("attached", types.transitAttachment, {
        transitGatewayId: "@tgw",
        vpcId: "@vpc",
        subnetIds: ["@private a", "@private b"],
        transitGatewayDefaultRouteTableAssociation: false,
    });
    await site.make("tgw table", types.transitTable, { transitGatewayId: "@tgw" });
    await site.make("peer", types.customerGateway, peer);
}

const connect = (more: Props = {}, name = "vpn") =>
    site.make(name, types.vpnConnection, { ...tunnels, customerGatewayId: "@peer", transitGatewayId: "@tgw", ...more });

describe("VPN connections", () => {
    test("have an address for each tunnel, which stays when keys change, and the inside addresses of their ranges", async () => {
        await gateway();
        const id = await connect();
        const before = site.object("vpn").outputs;
        expect(before).toMatchObject({
            tunnel1VgwInsideAddress: "169.254.32.49",
            tunnel2CgwInsideAddress: "169.254.32.54",
            tunnel1BgpAsn: "64521",
            transitGatewayAttachmentId: expect.stringMatching(/^tgw-attach-/),
        });
        expect(before.tunnel1Address).not.toBe(before.tunnel2Address);
        const after = await site.cloud.update(types.vpnConnection, id, {
            ...site.object("vpn").inputs,
            tunnel2PresharedKey: "thirdKey3",
        });
        expect([after.tunnel1Address, after.tunnel2Address]).toEqual([before.tunnel1Address, before.tunnel2Address]);
        expect(after.transitGatewayAttachmentId).toBe(before.transitGatewayAttachmentId);
    });

    test("with two equal keys come the wrong way round", async () => {
        await gateway();
        const last = (address: unknown) => Number(String(address).split(".")[3]);
        await connect();
        const straight = site.object("vpn").outputs;
        expect(last(straight.tunnel2Address)).toBeGreaterThan(last(straight.tunnel1Address));
        const inside = { tunnel1InsideCidr: "169.254.32.56/30", tunnel2InsideCidr: "169.254.32.60/30" };
        await connect({ ...inside, tunnel2PresharedKey: "firstKey1" }, "swapped");
        const swapped = site.object("swapped").outputs;
        expect(last(swapped.tunnel2Address)).toBeLessThan(last(swapped.tunnel1Address));
    });

    test.each<[string, Props, string]>([
        ["without a gateway", { transitGatewayId: undefined }, "MissingParameter"],
        ["with a reserved range", { tunnel1InsideCidr: "169.254.5.0/30" }, "TunnelInsideCidr is invalid"],
        ["with a range elsewhere", { tunnel1InsideCidr: "10.0.0.0/30" }, "TunnelInsideCidr is invalid"],
        ["with a larger range", { tunnel1InsideCidr: "169.254.40.0/29" }, "TunnelInsideCidr is invalid"],
        ["with one range twice", { tunnel1InsideCidr: "169.254.32.52/30" }, "in use by another tunnel"],
        ["with a key that begins with 0", { tunnel1PresharedKey: "0irstKey1" }, "Invalid preshared key"],
        ["with a key of other characters", { tunnel2PresharedKey: "first-key-1" }, "Invalid preshared key"],
        ["with another cloud's word", { tunnel1Phase1EncryptionAlgorithms: ["AES-CBC-256"] }, "AES-CBC-256 is no Encryption"],
        ["with a group that is none", { tunnel2Phase1DhGroupNumbers: [5] }, "5 is no Diffie-Hellman group"],
        ["for an unknown peer", { customerGatewayId: "cgw-0" }, "InvalidCustomerGatewayID.NotFound"],
    ])("are refused %s", async (_what, more, message) => {
        await gateway();
        await expect(connect(more)).rejects.toThrow(message);
    });

    test("are refused where both sides have one number", async () => {
        await gateway({ amazonSideAsn: 64_522 });
        await expect(connect()).rejects.toThrow("same BGP ASN");
    });

    test("are refused in the range of another connection of the gateway", async () => {
        await gateway();
        await connect();
        await expect(connect({ tunnel1InsideCidr: "169.254.32.56/30" }, "second")).rejects.toThrow("in use by another tunnel");
    });

    test("of a virtual private gateway are ten", async () => {
        await gateway();
        await site.make("vgw", types.vpnGateway, { vpcId: "@vpc", amazonSideAsn: "64521" });
        const inside = (number: number) => ({
            transitGatewayId: undefined,
            vpnGatewayId: "@vgw",
            tunnel1InsideCidr: `169.254.33.${8 * number}/30`,
            tunnel2InsideCidr: `169.254.33.${8 * number + 4}/30`,
        });
        for (let number = 0; number < 10; number += 1) {
            await connect(inside(number), `vpn ${number}`);
        }
        await expect(connect(inside(10), "eleventh")).rejects.toThrow("VpnConnectionLimitExceeded");
    });

    test("are made anew for another range, not for another key or peer", () => {
        const replaced = (news: Props) => site.cloud.replaces(types.vpnConnection, { ...tunnels, customerGatewayId: "a" }, news);
        expect(replaced({ ...tunnels, customerGatewayId: "a", tunnel1InsideCidr: "169.254.33.0/30" })).toEqual([
            "tunnel1InsideCidr",
        ]);
        expect(replaced({ ...tunnels, customerGatewayId: "b", tunnel1PresharedKey: "otherKey1" })).toEqual([]);
    });

    test("keep their peer, and are kept by tables that name them", async () => {
        await gateway();
        await connect();
        const attachment = String(site.object("vpn").outputs.transitGatewayAttachmentId);
        await site.make("under", types.transitAssociation, {
            transitGatewayAttachmentId: attachment,
            transitGatewayRouteTableId: "@tgw table",
        });
        await expect(site.remove("peer")).rejects.toThrow("is in use by a VPN connection");
        await expect(site.remove("vpn")).rejects.toThrow("is associated with a route table");
        await expect(site.remove("tgw table")).rejects.toThrow("has associated attachments");
        for (const name of ["under", "vpn", "peer", "tgw table", "attached", "tgw"]) {
            await site.remove(name);
        }
    });
});

describe("customer gateways", () => {
    test("are one for one device, unless they are named apart", async () => {
        const first = await site.make("first", types.customerGateway, peer);
        expect(await site.make("again", types.customerGateway, peer)).toBe(first);
        expect(await site.make("named", types.customerGateway, { ...peer, deviceName: "mesh-a-b-0" })).not.toBe(first);
        expect(await site.make("other", types.customerGateway, { ...peer, bgpAsn: "64523" })).not.toBe(first);
    });

    test.each<[string, Props, string]>([
        ["a private address", { ipAddress: "10.2.0.4" }, "Invalid IP address"],
        ["a reserved number", { bgpAsn: "7224" }, "ASN 7224 is reserved"],
        ["a long number in the short field", { bgpAsn: "4200000001" }, "for parameter BgpAsn is invalid"],
    ])("are refused with %s", async (_what, more, message) => {
        await expect(site.make("peer", types.customerGateway, { ...peer, ...more })).rejects.toThrow(message);
    });
});

describe("transit gateways", () => {
    test("put a VPN connection into their default table, where they have one", async () => {
        await gateway({ defaultRouteTableAssociation: "enable" });
        await connect();
        const join = (more: Props = {}) =>
            site.make("under", types.transitAssociation, {
                transitGatewayAttachmentId: String(site.object("vpn").outputs.transitGatewayAttachmentId),
                transitGatewayRouteTableId: "@tgw table",
                ...more,
            });
        await expect(join()).rejects.toThrow("Resource.AlreadyAssociated");
        await join({ replaceExistingAssociation: true });
    });

    test("have an attachment under one table at a time, of their own", async () => {
        await gateway();
        const under = { transitGatewayAttachmentId: "@attached", transitGatewayRouteTableId: "@tgw table" };
        await site.make("under", types.transitAssociation, under);
        await site.make("second table", types.transitTable, { transitGatewayId: "@tgw" });
        await expect(
            site.make("twice", types.transitAssociation, { ...under, transitGatewayRouteTableId: "@second table" }),
        ).rejects.toThrow("Resource.AlreadyAssociated");
        await site.make("tgw 2", types.transitGateway, {});
        await site.make("strange table", types.transitTable, { transitGatewayId: "@tgw 2" });
        await expect(
            site.make("strange", types.transitPropagation, { ...under, transitGatewayRouteTableId: "@strange table" }),
        ).rejects.toThrow("no table of the attachment's gateway");
    });

    test.each<[string, Props, string]>([
        ["twice", {}, "DuplicateTransitGatewayAttachment"],
        ["in two subnets of a zone", { transitGatewayId: "@tgw 2", subnetIds: ["@private a", "@public a"] }, "DuplicateSubnets"],
    ])("are refused to be attached %s", async (_what, more, message) => {
        await gateway();
        await site.make("tgw 2", types.transitGateway, {});
        const inputs = { transitGatewayId: "@tgw", vpcId: "@vpc", subnetIds: ["@private a"], ...more };
        await expect(site.make("second", types.transitAttachment, inputs)).rejects.toThrow(message);
    });

    test("take routes once they are attached", async () => {
        await site.make("tgw", types.transitGateway, {});
        const route = { routeTableId: "@public table", destinationCidrBlock: "10.2.0.0/16", transitGatewayId: "@tgw" };
        await expect(site.make("route", types.route, route)).rejects.toThrow("InvalidTransitGatewayID.NotFound");
        await site.make("attached", types.transitAttachment, {
            transitGatewayId: "@tgw",
            vpcId: "@vpc",
            subnetIds: ["@private a"],
        });
        await site.make("route", types.route, route);
    });

    test("have numbers that AWS takes", async () => {
        await expect(site.make("tgw", types.transitGateway, { amazonSideAsn: 65_535 })).rejects.toThrow(
            "Invalid Amazon side ASN",
        );
    });
});

describe("virtual private gateways", () => {
    test("are one for a network, and tell its own tables alone", async () => {
        await site.make("vgw", types.vpnGateway, { vpcId: "@vpc" });
        await expect(site.make("second", types.vpnGateway, { vpcId: "@vpc" })).rejects.toThrow("VpnGatewayLimitExceeded");
        await site.make("routes", types.vpnPropagation, { vpnGatewayId: "@vgw", routeTableId: "@public table" });
        await site.make("vpc 2", types.vpc, { cidrBlock: "10.2.0.0/16" });
        await site.make("table 2", types.routeTable, { vpcId: "@vpc 2" });
        await expect(
            site.make("strange", types.vpnPropagation, { vpnGatewayId: "@vgw", routeTableId: "@table 2" }),
        ).rejects.toThrow("Gateway.NotAttached");
    });
});

describe("peerings", () => {
    beforeEach(async () => {
        await site.make("vpc 2", types.vpc, { cidrBlock: "10.2.0.0/16", region: "us-east-1" });
    });
    const ask = (more: Props = {}) =>
        site.make("peering", types.peering, { vpcId: "@vpc", peerVpcId: "@vpc 2", peerRegion: "us-east-1", ...more });

    test("lead somewhere once the other side accepted them in its region", async () => {
        await ask();
        const route = { routeTableId: "@public table", destinationCidrBlock: "10.2.0.0/16", vpcPeeringConnectionId: "@peering" };
        await expect(site.make("route", types.route, route)).rejects.toThrow("is not active");
        const accept = { vpcPeeringConnectionId: "@peering", autoAccept: true };
        await expect(site.make("accepted", types.accepter, { ...accept, region })).rejects.toThrow("Incorrect region");
        await site.make("accepted", types.accepter, { ...accept, region: "us-east-1" });
        await site.make("route", types.route, route);
    });

    test("are one for two networks, whoever asks", async () => {
        await ask();
        await expect(
            site.make("back", types.peering, { vpcId: "@vpc 2", peerVpcId: "@vpc", region: "us-east-1", peerRegion: region }),
        ).rejects.toThrow("AlreadyExists");
    });

    test("are refused in a wrong region, and between networks that share addresses", async () => {
        await expect(ask({ peerRegion: undefined })).rejects.toThrow("does not exist in the region");
        await site.make("same", types.vpc, { cidrBlock: "10.1.0.0/16" });
        await expect(ask({ peerVpcId: "@same", peerRegion: undefined })).rejects.toThrow("overlap");
    });
});

describe("internal load balancers", () => {
    const balancer = (more: Props) =>
        site.make("private", types.loadBalancer, {
            name: "private",
            loadBalancerType: "network",
            internal: true,
            subnetMappings: [{ subnetId: "@private a", privateIpv4Address: "10.1.0.252" }],
            ...more,
        });

    test("have the addresses that they are given, which their name leads to", async () => {
        await balancer({});
        expect(aws.lookup(site.cloud.view, String(site.object("private").outputs.dnsName))).toEqual(["10.1.0.252"]);
    });

    test("are refused an address of another subnet, and one that something has", async () => {
        await expect(
            balancer({ subnetMappings: [{ subnetId: "@private a", privateIpv4Address: "10.1.1.252" }] }),
        ).rejects.toThrow("is not in the subnet");
        await site.make("card", types.networkInterface, { subnetId: "@private a", privateIps: ["10.1.0.252"] });
        await expect(balancer({})).rejects.toThrow("is in use");
    });
});
