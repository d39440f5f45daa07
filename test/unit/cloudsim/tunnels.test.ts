import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { renderBird } from "../../../src/ipsec/bird.js";
import type { Device } from "../../../src/ipsec/device.js";
import { renderSwanctl } from "../../../src/ipsec/swanctl.js";
import { halvesOf } from "../../cloudsim/device.mts";
import { joinHalves } from "../../cloudsim/tunnels.mts";
import type { Props } from "../../cloudsim/types.mts";
import { azurePolicy, deviceLikeAws, JoinedClouds, key, suiteOfGcp } from "./joinedClouds.js";

let clouds: JoinedClouds;
beforeEach(() => {
    clouds = JoinedClouds.make();
});
afterEach(() => clouds.dispose());

/** An object, what changes of it, and how the tunnel's reasons begin: each names the thing that differs. */
type Wrong = readonly [what: string, id: string, inputs: Props, reason: RegExp];

describe("tunnels between AWS and GCP", () => {
    test("are up when both sides agree in everything, and lead both ways", () => {
        expect(clouds.world.tunnels.map(({ up, reasons }) => ({ up, reasons }))).toEqual(
            Array(4).fill({ up: true, reasons: [] }),
        );
        expect(clouds.reach("aws", "10.2.0.250")).toEqual({ machines: ["7#1"], port: 8884 });
        expect(clouds.reach("gcp", "10.1.0.250")).toEqual({ machines: ["i-1#1"], port: 8884 });
    });

    const algorithm = (phase: number, role: string, value: unknown) => ({ [`tunnel1Phase${phase}${role}`]: [value] });
    test.each<Wrong>([
        ["key", "vpn", { tunnel1PresharedKey: key("other") }, /^pre-shared key: vpn tunnel 1 and aws-0 have different ones$/],
        ["key at GCP", "aws-0", { sharedSecret: key("other") }, /^pre-shared key/],
        ["encryption of IKE", "vpn", algorithm(1, "EncryptionAlgorithms", "AES128"), /^suite of IKE: aes128-.* at vpn tunnel 1/],
        ["integrity of IKE", "vpn", algorithm(1, "IntegrityAlgorithms", "SHA2-512"), /^suite of IKE/],
        ["group of IKE", "vpn", algorithm(1, "DhGroupNumbers", 20), /^suite of IKE: .*ecp384/],
        ["encryption of ESP", "vpn", algorithm(2, "EncryptionAlgorithms", "AES256-GCM-16"), /^suite of ESP: aes256gcm16/],
        ["integrity of ESP", "vpn", algorithm(2, "IntegrityAlgorithms", "SHA1"), /^suite of ESP/],
        ["group of ESP", "vpn", algorithm(2, "DhGroupNumbers", 19), /^suite of ESP: .*ecp256/],
        ["suite, left to the cloud", "aws-0", { cipherSuite: { phase2: suiteOfGcp.phase2 } }, /^suite of IKE: .*whatever/],
        ["version of IKE", "vpn", { tunnel1IkeVersions: ["ikev1", "ikev2"] }, /^IKE version: 1 at vpn tunnel 1, 2 at aws-0/],
        ["inside range", "vpn", { tunnel1InsideCidr: "169.254.40.0/30" }, /^inside range: 169\.254\.40\.0\/30 at vpn tunnel 1/],
        ["inside range at GCP", "aws-interface-0", { ipRange: "169.254.32.54/30" }, /^inside range/],
        ["host", "aws-interface-0", { ipRange: "169.254.32.49/30" }, /^inside host: vpn tunnel 1 has 169\.254\.32\.50 for aws-0/],
        ["host of the peer", "aws-session-0", { peerIpAddress: "169.254.32.50" }, /^inside host: aws-0 has 169\.254\.32\.50/],
        ["number of the peer", "aws-session-0", { peerAsn: 64_999 }, /^ASN: aws-0 has 64999 for vpn tunnel 1, which is 64521/],
        [
            "address of AWS",
            "ext-aws",
            {
                interfaces: [
                    { id: 0, ipAddress: "198.51.100.99" },
                    { id: 1, ipAddress: "198.51.100.2" },
                ],
            },
            /^outside address: aws-0 has 198\.51\.100\.99 for vpn tunnel 1, which is 198\.51\.100\.1/,
        ],
        ["interface of GCP", "aws-0", { vpnGatewayInterface: 1 }, /^outside address: vpn tunnel 1 has 192\.0\.2\.10 for aws-0/],
    ])("a wrong %s takes its own tunnel down and no other, and is named", (_what, id, inputs, reason) => {
        clouds.change(id, inputs);
        const tunnel = clouds.tunnel("aws-0");
        expect(tunnel.up).toBe(false);
        expect(tunnel.reasons).toEqual(expect.arrayContaining([expect.stringMatching(reason)]));
        expect(new Set(tunnel.reasons.map((each) => each.split(":")[0])).size).toBe(1);
        expect(JSON.stringify(tunnel.reasons)).not.toContain("Key4");
        expect(clouds.tunnel("aws-1").up).toBe(true);
        expect(clouds.reach("aws", "10.2.0.250")).toMatchObject({ port: 8884 });
        expect(clouds.reach("gcp", "10.1.0.250")).toMatchObject({ port: 8884 });
    });

    test.each([
        ["ASN", "cgw", { bgpAsn: "64999" }, /^ASN: vpn tunnel 1 has 64999 for aws-0, which is 64522/],
        ["ASN", "router", { bgp: { asn: 64_999, advertiseMode: "CUSTOM", advertisedIpRanges: [] } }, /^ASN: .*which is 64999/],
        ["outside address", "cgw", { ipAddress: "192.0.2.77" }, /^outside address: vpn tunnel 1 has 192\.0\.2\.77 for aws-0/],
    ])("a wrong %s of the whole side takes both down, and nothing is reached", (_what, id, inputs, reason) => {
        clouds.change(id, inputs);
        expect(clouds.tunnel("aws-0").reasons).toEqual([expect.stringMatching(reason)]);
        expect(clouds.tunnel("aws-1").up).toBe(false);
        expect(clouds.reach("aws", "10.2.0.250")).toEqual({ dropped: "no tunnel of aws vpc that is up leads to 10.2.0.250" });
        expect(clouds.reach("gcp", "10.1.0.250")).toEqual({ dropped: "no tunnel of net that is up leads to 10.1.0.250" });
    });

    test("what becomes of tunnels is told once", () => {
        expect(clouds.world.news().map(({ state }) => state)).toEqual(["up", "up", "up", "up"]);
        expect(clouds.world.news()).toEqual([]);
        clouds.change("aws-0", { sharedSecret: key("other") });
        expect(clouds.world.news()).toEqual([
            { name: "vpn tunnel 1 - aws-0", state: "down: pre-shared key: vpn tunnel 1 and aws-0 have different ones" },
        ]);
        clouds.change("aws-0", { sharedSecret: key("aws1") });
        expect(clouds.world.news()).toEqual([{ name: "vpn tunnel 1 - aws-0", state: "up" }]);
        clouds.remove("vpn");
        expect(clouds.world.news().filter(({ state }) => state === "gone")).toHaveLength(2);
    });

    test("a tunnel without its interface or session is down and says so, and half a tunnel is none", () => {
        clouds.remove("aws-session-0");
        expect(clouds.tunnel("aws-0").reasons).toEqual(["aws-0: it has no BGP session"]);
        clouds.remove("aws-interface-0");
        expect(clouds.tunnel("aws-0").reasons).toEqual(["aws-0: no interface of its router leads into it"]);
        clouds.remove("aws-0");
        expect(clouds.tunnel("vpn tunnel 1").reasons).toEqual([
            "outside address: nobody at 192.0.2.10 has the other half of vpn tunnel 1",
        ]);
    });

    test.each([
        ["route", "route", "aws", /the route table of subnet has no route to the range of 10\.2\.0\.250/, /no way back/],
        ["knowledge of the peer in the network's table", "vpn known", "aws", /no route to the range/, /no way back/],
        ["knowledge of the network in the peers' table", "network known", "aws", /no way back/, /no tunnel of net that is up/],
        ["table over the connection", "vpn under", "aws", /no way back/, /no tunnel of net that is up/],
    ])("without the %s packets find no way, whatever the tunnels are", (_what, id, _side, there, back) => {
        clouds.remove(id);
        expect(clouds.tunnel("aws-0").up).toBe(true);
        expect(clouds.reach("aws", "10.2.0.250")).toEqual({ dropped: expect.stringMatching(there) });
        expect(clouds.reach("gcp", "10.1.0.250")).toEqual({ dropped: expect.stringMatching(back) });
    });

    test("a route to more than the peer's range is none", () => {
        clouds.change("route", { destinationCidrBlock: "10.0.0.0/8" });
        expect(clouds.reach("aws", "10.2.0.250")).toEqual({ dropped: expect.stringContaining("no route to the range") });
    });

    test("routes are told and taken as both sides have it", () => {
        clouds.add("gcp", "gcp:compute/routerRoutePolicy:RouterRoutePolicy", "policy", {
            name: "policy",
            router: "router",
            terms: [
                {
                    match: { expression: "destination.inAnyRange([prefix('10.9.0.0/16').orLonger()])" },
                    actions: [{ expression: "accept()" }],
                },
            ],
        });
        for (const t of [0, 1]) {
            clouds.change(`aws-session-${t}`, { importPolicies: ["policy"] });
        }
        expect(clouds.reach("gcp", "10.1.0.250")).toEqual({ dropped: "no tunnel of net that is up leads to 10.1.0.250" });
        clouds.change("policy", {
            terms: [
                {
                    match: { expression: "destination.inAnyRange([prefix('10.1.0.0/16').orLonger()])" },
                    actions: [{ expression: "accept()" }],
                },
            ],
        });
        expect(clouds.reach("gcp", "10.1.0.250")).toMatchObject({ port: 8884 });
        clouds.change("aws-session-0", { advertiseMode: "CUSTOM", advertisedIpRanges: [] });
        clouds.change("aws-session-1", { advertiseMode: "CUSTOM", advertisedIpRanges: [] });
        expect(clouds.reach("aws", "10.2.0.250")).toEqual({ dropped: "no tunnel of aws vpc that is up leads to 10.2.0.250" });
    });

    test.each([
        ["aws", "10.2.0.250", "from-aws", /no rule admits 10\.1\.0\.4 on port 8884 behind 10\.2\.0\.250/],
        ["aws", "10.2.0.250", "probes", /no healthy machine/],
        ["aws", "10.2.0.250", "front", /nothing in net has the address 10\.2\.0\.250/],
        ["gcp", "10.1.0.250", "links-in", /no rule of door-group admits 10\.2\.0\.4 on port 8884/],
        ["gcp", "10.1.0.250", "to-brokers", /no healthy target/],
        ["gcp", "10.1.0.250", "from-door", /no healthy target/],
        ["gcp", "10.1.0.250", "listener", /no listener/],
        ["gcp", "10.1.0.250", "door", /nothing in vpc has the address 10\.1\.0\.250/],
    ] as const)("from %s to %s: not without %s", (from, address, id, reason) => {
        clouds.remove(id);
        expect(JSON.stringify(clouds.reach(from, address))).toMatch(reason);
    });

    test("brokers themselves are not reached, nor the door on other ports", () => {
        expect(clouds.reach("aws", "10.2.0.4", 8883)).toEqual({ dropped: expect.stringContaining("no rule admits") });
        expect(clouds.reach("gcp", "10.1.0.4")).toEqual({ dropped: expect.stringContaining("no rule of brokers admits") });
        expect(clouds.reach("aws", "10.2.0.250", 8883)).toEqual({ dropped: expect.stringContaining("8883") });
    });

    test("two sites that are each joined with a third are not joined with each other", () => {
        expect(clouds.reach("aws", "10.3.0.250")).toEqual({ dropped: "no tunnel of aws vpc that is up leads to 10.3.0.250" });
        expect(clouds.reach("azure", "10.1.0.250")).toEqual({ dropped: "no tunnel of vnet that is up leads to 10.1.0.250" });
    });

    test("routes that stay in their region serve no other", () => {
        clouds.change("net", { routingMode: "REGIONAL" });
        expect(clouds.reach("gcp", "10.1.0.250")).toMatchObject({ port: 8884 });
        clouds.change("sub", {}, { region: "east" });
        expect(clouds.reach("gcp", "10.1.0.250")).toEqual({ dropped: "the routes of net stay in their own regions" });
    });

    test("a virtual private gateway leads where its routes are propagated", () => {
        clouds.add("aws", "aws:ec2/vpnGateway:VpnGateway", "vgw", { vpcId: "vpc", amazonSideAsn: "64521" });
        clouds.change("vpn", { transitGatewayId: undefined, vpnGatewayId: "vgw" });
        expect(clouds.reach("aws", "10.2.0.250")).toEqual({ dropped: expect.stringContaining("has no route to the range") });
        clouds.add("aws", "aws:ec2/vpnGatewayRoutePropagation:VpnGatewayRoutePropagation", "routes", {
            vpnGatewayId: "vgw",
            routeTableId: "table",
        });
        expect(clouds.reach("aws", "10.2.0.250")).toMatchObject({ port: 8884 });
        expect(clouds.reach("gcp", "10.1.0.250")).toMatchObject({ port: 8884 });
    });
});

describe("tunnels between GCP and Azure", () => {
    test("are one for each instance, though both instances dial", () => {
        expect(clouds.world.tunnels.filter(({ name }) => name.includes("connection")).map(({ up }) => up)).toEqual([true, true]);
        expect(clouds.reach("azure", "10.2.0.250")).toEqual({ machines: ["7#1"], port: 8884 });
        expect(clouds.reach("gcp", "10.3.0.250")).toEqual({ machines: ["9#1"], port: 8884 });
    });

    const policy = (more: Props) => ({ ipsecPolicies: [{ ...azurePolicy, ...more }] });
    test.each<Wrong>([
        ["key", "connection0", { sharedKey: key("other") }, /^pre-shared key/],
        ["encryption of IKE", "connection0", policy({ ikeEncryption: "GCMAES256" }), /^suite of IKE/],
        ["group of IKE", "connection0", policy({ dhGroup: "ECP384" }), /^suite of IKE/],
        ["encryption of ESP", "connection0", policy({ ipsecEncryption: "AES128" }), /^suite of ESP/],
        ["group of ESP", "connection0", policy({ pfsGroup: "None" }), /^suite of ESP/],
        ["version of IKE", "connection0", { connectionProtocol: "IKEv1" }, /^IKE version/],
        ["number of the peer", "lng0", { bgpSettings: { asn: 64_999, bgpPeeringAddress: "169.254.21.41" } }, /^ASN: connection0/],
        ["host of the peer", "lng0", { bgpSettings: { asn: 64_522, bgpPeeringAddress: "169.254.21.42" } }, /^inside host/],
        [
            "address of the peer",
            "lng0",
            { gatewayIpAddress: "192.0.2.99" },
            /^outside address: connection0 instance 0 has 192\.0\.2\.99/,
        ],
        [
            "own address",
            "connection0",
            {
                gatewayCustomBgpIpAddresses: [
                    { ipConfigurationId: "vng/ipConfigurations/i0", customBgpIpAddress: "169.254.22.42" },
                ],
            },
            /^connection0 instance 0: its gateway does not have the BGP address 169\.254\.22\.42 on instance 0/,
        ],
        ["session", "connection0", { enableBgp: false }, /^connection0 instance 0: it speaks no BGP/],
    ])("a wrong %s takes its own tunnel down and no other, and is named", (_what, id, inputs, reason) => {
        clouds.change(id, inputs);
        const tunnel = clouds.tunnel("azure-0");
        expect(tunnel.up).toBe(false);
        expect(tunnel.reasons).toEqual(expect.arrayContaining([expect.stringMatching(reason)]));
        expect(clouds.tunnel("azure-1").up).toBe(true);
        expect(clouds.reach("gcp", "10.3.0.250")).toMatchObject({ port: 8884 });
    });

    test.each([
        ["azure-from-gcp", /no rule admits 10\.2\.0\.4 on port 8884/],
        ["azure-probes", /^/],
        ["azure-door", /nothing in vnet takes connections/],
    ])("nothing comes in without %s", (id, reason) => {
        clouds.remove(id);
        // Azure's own rules let probes in, so that rule alone keeps nobody out.
        const reached = clouds.reach("gcp", "10.3.0.250");
        expect(JSON.stringify(reached)).toMatch(reason);
        expect("machines" in reached).toBe(id === "azure-probes");
    });
});

describe("a user's own device", () => {
    const halves = (device: Device) =>
        halvesOf("place plant", { "swanctl.conf": renderSwanctl(device), "bird.conf": renderBird(device) });
    const joined = (device: Device) =>
        joinHalves([
            ...halves(device),
            ...clouds.world.networks
                .filter(({ id }) => id === "net")
                .flatMap(({ halves: own }) => own.filter(({ name }) => name.startsWith("aws"))),
        ]);
    const like = (more: Partial<Device["tunnels"][number]>): Device => {
        const device = deviceLikeAws();
        return { ...device, tunnels: device.tunnels.map((tunnel, index) => (index === 0 ? { ...tunnel, ...more } : tunnel)) };
    };

    test("agrees with a cloud by what is rendered for it", () => {
        expect(joined(deviceLikeAws()).map(({ name, up, reasons }) => ({ name, up, reasons }))).toEqual([
            { name: "place plant gcp-0 - aws-0", up: true, reasons: [] },
            { name: "place plant gcp-1 - aws-1", up: true, reasons: [] },
        ]);
        expect(halves(deviceLikeAws())[0]).toMatchObject({ tells: ["10.1.0.0/16"], takes: ["10.2.0.0/16"] });
    });

    test.each<[string, Device, RegExp]>([
        ["key", like({ presharedKey: key("other") }), /^pre-shared key/],
        ["own address", like({ localAddress: "198.51.100.77" }), /^outside address/],
        ["peer's address", like({ remoteAddress: "192.0.2.77" }), /^outside address/],
        ["inside host", like({ localInside: "169.254.32.50", remoteInside: "169.254.32.49" }), /^inside host/],
        ["inside range", like({ localInside: "169.254.33.1", remoteInside: "169.254.33.2" }), /^inside range/],
        ["peer's number", like({ remoteAsn: 64_999 }), /^ASN/],
    ])("does not with a wrong %s", (_what, device, reason) => {
        const [tunnel] = joined(device).filter(({ name }) => name.includes("aws-0"));
        expect(tunnel?.up).toBe(false);
        expect(tunnel?.reasons[0]).toMatch(reason);
    });

    test.each<[string, Device, RegExp]>([
        ["number", { ...deviceLikeAws(), asn: 64_999 }, /^ASN/],
        ["suite", { ...deviceLikeAws(), suite: "aes-gcm" }, /^suite of IKE: aes256gcm16-prfsha384-ecp384 at place plant gcp-0/],
    ])("does not with another %s, which is all tunnels'", (_what, device, reason) => {
        const tunnels = joined(device);
        expect(tunnels.map(({ up }) => up)).toEqual([false, false]);
        expect(tunnels[0]?.reasons[0]).toMatch(reason);
    });

    test("and a cloud agree on the suite with combined encryption as well", () => {
        const gcm = {
            phase1: { encryptions: ["AES-GCM-16-256"], prves: ["PRF-HMAC-SHA2-384"], dhs: ["Group-20"] },
            phase2: { encryptions: ["AES-GCM-16-256"], pfs: ["Group-20"] },
        };
        clouds.change("aws-0", { cipherSuite: gcm });
        clouds.change("aws-1", { cipherSuite: gcm });
        expect(joined({ ...deviceLikeAws(), suite: "aes-gcm" }).map(({ up }) => up)).toEqual([true, true]);
    });
});

describe("peerings within a cloud", () => {
    test("of AWS lead where they were accepted and both sides have a route", () => {
        clouds.add("aws", "aws:ec2/vpc:Vpc", "vpc2", { cidrBlock: "10.4.0.0/16" });
        clouds.add("aws", "aws:ec2/subnet:Subnet", "subnet2", { vpcId: "vpc2", cidrBlock: "10.4.0.0/24" });
        clouds.add("aws", "aws:ec2/routeTableAssociation:RouteTableAssociation", "a2", {
            subnetId: "subnet2",
            routeTableId: "t2",
        });
        clouds.add("aws", "aws:ec2/vpcPeeringConnection:VpcPeeringConnection", "pcx", { vpcId: "vpc", peerVpcId: "vpc2" });
        const route = (id: string, routeTableId: string, destinationCidrBlock: string) =>
            clouds.add("aws", "aws:ec2/route:Route", id, { routeTableId, destinationCidrBlock, vpcPeeringConnectionId: "pcx" });
        route("there", "table", "10.4.0.0/16");
        expect(clouds.reach("aws", "10.4.0.9")).toEqual({ dropped: "pcx was not accepted" });
        clouds.add("aws", "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter", "pcx", {
            vpcPeeringConnectionId: "pcx",
            autoAccept: true,
        });
        expect(clouds.reach("aws", "10.4.0.9")).toEqual({ dropped: expect.stringContaining("no way back") });
        route("back", "t2", "10.1.0.0/16");
        expect(clouds.reach("aws", "10.4.0.9")).toEqual({ dropped: "nothing in vpc2 has the address 10.4.0.9" });
    });

    test("of GCP are two, one from each side", () => {
        const type = "gcp:compute/networkPeering:NetworkPeering";
        clouds.add("gcp", "gcp:compute/network:Network", "net2", { name: "net2" });
        clouds.add("gcp", "gcp:compute/subnetwork:Subnetwork", "sub2", {
            name: "sub2",
            network: "net2",
            ipCidrRange: "10.4.0.0/16",
        });
        clouds.add("gcp", type, "there", { name: "there", network: "net", peerNetwork: "net2" });
        expect(clouds.reach("gcp", "10.4.0.9")).toEqual({ dropped: expect.stringContaining("there waits for its other side") });
        clouds.add("gcp", type, "back", { name: "back", network: "net2", peerNetwork: "net" });
        expect(clouds.reach("gcp", "10.4.0.9")).toEqual({ dropped: "nothing in net2 has the address 10.4.0.9" });
    });

    test("of Azure are two, and let somebody through", () => {
        const type = "azure-native:network:VirtualNetworkPeering";
        const own = { resourceGroupName: "rg" };
        clouds.add("azure-native", "azure-native:network:VirtualNetwork", "vnet2", {
            ...own,
            virtualNetworkName: "vnet2",
            addressSpace: { addressPrefixes: ["10.4.0.0/16"] },
        });
        const peer = (id: string, virtualNetworkName: string, remote: string) =>
            clouds.add("azure-native", type, id, { ...own, virtualNetworkName, remoteVirtualNetwork: { id: remote } });
        peer("there", "vnet", "vnet2");
        expect(clouds.reach("azure", "10.4.0.9")).toEqual({ dropped: expect.stringContaining("there waits for its other side") });
        peer("back", "vnet2", "vnet");
        expect(clouds.reach("azure", "10.4.0.9")).toEqual({ dropped: expect.stringContaining("nothing in vnet2") });
        clouds.change("there", { allowVirtualNetworkAccess: false });
        expect(clouds.reach("azure", "10.4.0.9")).toEqual({ dropped: "there lets nobody through" });
    });
});
