import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DirectCloud } from "../directCloud.js";
import type { Props } from "../types.mts";
import { enter } from "./doors.mts";
import { admits } from "./firewall.mts";
import { azure } from "./index.mts";
import { types } from "./tokens.mts";

let cloud: DirectCloud;
let network: Props & { readonly id: string };
let gatewaySubnet: Props & { readonly id: string };
beforeEach(async () => {
    cloud = new DirectCloud(azure);
    await cloud.create(types.resourceGroup, { resourceGroupName: "group", location: "westeurope" });
    network = await makeNetwork("net", "10.3.0.0/16");
    gatewaySubnet = await make(types.subnet, {
        subnetName: "GatewaySubnet",
        virtualNetworkName: "net",
        addressPrefix: "10.3.255.224/27",
    });
    for (const address of ["one", "two"]) {
        await makeAddress(address);
    }
});
afterEach(() => cloud.dispose());

const at = { resourceGroupName: "group", location: "westeurope" };
const make = (type: string, inputs: Props, name?: string) => cloud.create(type, { ...at, ...inputs }, name);
const makeNetwork = (name: string, cidr: string) =>
    make(types.virtualNetwork, { virtualNetworkName: name, addressSpace: { addressPrefixes: [cidr] } });
const makeAddress = (name: string) =>
    make(types.publicAddress, { publicIpAddressName: name, sku: { name: "Standard" }, publicIPAllocationMethod: "Static" });

const group = "/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/group/providers/Microsoft.Network";
const instance = (index: number, name = "gateway") =>
    `${group}/virtualNetworkGateways/${name}/ipConfigurations/instance-${index}`;

const gatewayArgs = (more: Props = {}): Props => ({
    virtualNetworkGatewayName: "gateway",
    gatewayType: "Vpn",
    vpnType: "RouteBased",
    sku: { name: "VpnGw1AZ", tier: "VpnGw1AZ" },
    activeActive: true,
    enableBgp: true,
    ipConfigurations: ["one", "two"].map((name, index) => ({
        name: `instance-${index}`,
        subnet: { id: gatewaySubnet.id },
        publicIPAddress: { id: `${group}/publicIPAddresses/${name}` },
    })),
    bgpSettings: {
        asn: 64_523,
        bgpPeeringAddresses: [
            { ipconfigurationId: instance(0), customBgpIpAddresses: ["169.254.21.2", "169.254.22.2"] },
            { ipconfigurationId: instance(1), customBgpIpAddresses: ["169.254.21.6", "169.254.22.6"] },
        ],
    },
    ...more,
});
const makeGateway = (more: Props = {}) => make(types.virtualNetworkGateway, gatewayArgs(more));

const peerArgs = (more: Props = {}): Props => ({
    localNetworkGatewayName: "peer",
    gatewayIpAddress: "198.51.100.9",
    bgpSettings: { asn: 64_521, bgpPeeringAddress: "169.254.21.1" },
    localNetworkAddressSpace: { addressPrefixes: [] },
    ...more,
});

const policy = {
    ikeEncryption: "AES256",
    ikeIntegrity: "SHA256",
    dhGroup: "DHGroup14",
    ipsecEncryption: "AES256",
    ipsecIntegrity: "SHA256",
    pfsGroup: "PFS2048",
    saLifeTimeSeconds: 3_600,
    saDataSizeKilobytes: 102_400_000,
};
const connectionArgs = (more: Props = {}): Props => ({
    virtualNetworkGatewayConnectionName: "connection",
    connectionType: "IPsec",
    connectionProtocol: "IKEv2",
    virtualNetworkGateway1: { id: `${group}/virtualNetworkGateways/gateway` },
    localNetworkGateway2: { id: `${group}/localNetworkGateways/peer` },
    sharedKey: "firstKey1",
    enableBgp: true,
    ipsecPolicies: [policy],
    gatewayCustomBgpIpAddresses: [
        { ipConfigurationId: instance(0), customBgpIpAddress: "169.254.21.2" },
        { ipConfigurationId: instance(1), customBgpIpAddress: "169.254.21.6" },
    ],
    ...more,
});
const connect = (more: Props = {}) => make(types.gatewayConnection, connectionArgs(more));

describe("VPN gateways of the simulated Azure", () => {
    it.each<[string, () => Props, string]>([
        ["without zones", () => ({ sku: { name: "VpnGw1" } }), "NonAzSkusNotAllowedForVPNGateway"],
        [
            "of the smallest size in the second generation",
            () => ({ vpnGatewayGeneration: "Generation2" }),
            "not supported in Gen",
        ],
        [
            "with one instance that should be two",
            () => ({ ipConfigurations: (gatewayArgs().ipConfigurations as Props[]).slice(0, 1) }),
            "ActiveActiveGatewayMustHaveExactlyTwoIpConfigurations",
        ],
        ["with a reserved number", () => ({ bgpSettings: { asn: 65_517 } }), "BgpAsnReserved"],
        [
            "with BGP addresses elsewhere",
            () => ({
                bgpSettings: {
                    bgpPeeringAddresses: [{ ipconfigurationId: instance(0), customBgpIpAddresses: ["169.254.23.2"] }],
                },
            }),
            "not within 169.254.21.0",
        ],
        [
            "with one BGP address at both instances",
            () => ({
                bgpSettings: {
                    bgpPeeringAddresses: [0, 1].map((index) => ({
                        ipconfigurationId: instance(index),
                        customBgpIpAddresses: ["169.254.21.2"],
                    })),
                },
            }),
            "CustomBgpIpAddressDuplicate",
        ],
        [
            "that speak of another's instances",
            () => ({
                bgpSettings: {
                    bgpPeeringAddresses: [{ ipconfigurationId: instance(0, "other"), customBgpIpAddresses: ["169.254.21.2"] }],
                },
            }),
            "InvalidResourceReference",
        ],
    ])("are refused %s", async (_what, more, message) => {
        await expect(makeGateway(more())).rejects.toThrow(message);
    });

    it("are in a subnet of their name without a NAT gateway, one in a network", async () => {
        const subnet = await make(types.subnet, {
            subnetName: "brokers",
            virtualNetworkName: "net",
            addressPrefix: "10.3.0.0/24",
        });
        const configurations = (gatewayArgs().ipConfigurations as Props[]).map((each) => ({
            ...each,
            subnet: { id: subnet.id },
        }));
        await expect(makeGateway({ ipConfigurations: configurations })).rejects.toThrow("must be named GatewaySubnet");
        const { id } = await makeGateway();
        await makeAddress("three");
        await makeAddress("four");
        const second = {
            virtualNetworkGatewayName: "second",
            bgpSettings: { asn: 64_524 },
            ipConfigurations: ["three", "four"].map((name, index) => ({
                name: `instance-${index}`,
                subnet: { id: gatewaySubnet.id },
                publicIPAddress: { id: `${group}/publicIPAddresses/${name}` },
            })),
        };
        await expect(makeGateway(second)).rejects.toThrow("GatewayAlreadyExists");
        await expect(makeGateway({ ...second, ipConfigurations: gatewayArgs().ipConfigurations })).rejects.toThrow(
            "PublicIPAddressInUse",
        );
        await expect(cloud.remove(types.subnet, gatewaySubnet.id)).rejects.toThrow("is in use by");
        await cloud.remove(types.virtualNetworkGateway, id);
        await expect(makeGateway(second)).resolves.toBeDefined();
    });

    it("keep BGP addresses that a connection uses, and their generation", async () => {
        const { id } = await makeGateway();
        await make(types.localNetworkGateway, peerArgs());
        await connect();
        const settings = (first: string[]) => ({
            asn: 64_523,
            bgpPeeringAddresses: [
                { ipconfigurationId: instance(0), customBgpIpAddresses: first },
                { ipconfigurationId: instance(1), customBgpIpAddresses: ["169.254.21.6"] },
            ],
        });
        const update = (more: Props) => cloud.update(types.virtualNetworkGateway, id, { ...at, ...gatewayArgs(more) });
        await expect(update({ bgpSettings: settings(["169.254.22.2"]) })).rejects.toThrow("CustomBgpIpAddressInUse");
        await expect(update({ bgpSettings: settings(["169.254.21.2", "169.254.21.10"]) })).resolves.toBeDefined();
        await expect(update({ sku: { name: "VpnGw2AZ" }, vpnGatewayGeneration: "Generation2" })).rejects.toThrow(
            "VpnGatewayGenerationCannotBeChanged",
        );
        await expect(cloud.remove(types.virtualNetworkGateway, id)).rejects.toThrow("is in use by");
    });
});

describe("connections of the simulated Azure", () => {
    it.each<[string, Props, string]>([
        ["to nobody", { localNetworkGateway2: undefined }, "ConnectionTypeInvalid"],
        ["to an unknown peer", { localNetworkGateway2: { id: `${group}/localNetworkGateways/x` } }, "InvalidResourceReference"],
        ["with a key of other characters", { sharedKey: "first-key" }, "InvalidSharedKey"],
        ["with another cloud's word", { ipsecPolicies: [{ ...policy, ikeEncryption: "AES-CBC-256" }] }, "is no ikeEncryption"],
        ["without a field", { ipsecPolicies: [{ ...policy, pfsGroup: undefined }] }, "is no pfsGroup"],
        ["with half of GCM", { ipsecPolicies: [{ ...policy, ipsecEncryption: "GCMAES256" }] }, "must be the same"],
        ["with two policies", { ipsecPolicies: [policy, policy] }, "TooManyIpsecPolicies"],
        [
            "with an address for one instance",
            { gatewayCustomBgpIpAddresses: [{ ipConfigurationId: instance(0), customBgpIpAddress: "169.254.21.2" }] },
            "names an address for each of its instances",
        ],
        [
            "with the addresses of the instances exchanged",
            {
                gatewayCustomBgpIpAddresses: [
                    { ipConfigurationId: instance(0), customBgpIpAddress: "169.254.21.6" },
                    { ipConfigurationId: instance(1), customBgpIpAddress: "169.254.21.2" },
                ],
            },
            "169.254.21.6 is no BGP address of",
        ],
    ])("are refused %s", async (_what, more, message) => {
        await makeGateway();
        await make(types.localNetworkGateway, peerArgs());
        await expect(connect(more)).rejects.toThrow(message);
    });

    it("are refused twice between the same ends, and where both ends have one number", async () => {
        await makeGateway();
        await make(types.localNetworkGateway, peerArgs());
        await make(types.localNetworkGateway, {
            ...peerArgs({ localNetworkGatewayName: "same", bgpSettings: { asn: 64_523, bgpPeeringAddress: "169.254.21.1" } }),
        });
        await expect(connect({ localNetworkGateway2: { id: `${group}/localNetworkGateways/same` } })).rejects.toThrow(
            "BgpAsnConflict",
        );
        const { id } = await connect();
        await expect(connect({ virtualNetworkGatewayConnectionName: "twin" })).rejects.toThrow("ConnectionAlreadyExists");
        await expect(cloud.remove(types.localNetworkGateway, `${group}/localNetworkGateways/peer`)).rejects.toThrow("in use by");
        const renewed = await cloud.update(types.gatewayConnection, id, {
            ...at,
            ...connectionArgs({ sharedKey: "secondKey2" }),
        });
        expect(renewed.sharedKey).toBe("secondKey2");
    });

    it("are made one at a time on one gateway", async () => {
        const slow = new DirectCloud(azure, {}, 0.05);
        try {
            const there = (type: string, inputs: Props) => slow.create(type, { ...at, ...inputs });
            await slow.create(types.resourceGroup, { resourceGroupName: "group", location: "westeurope" });
            await there(types.virtualNetwork, { virtualNetworkName: "net", addressSpace: { addressPrefixes: ["10.3.0.0/16"] } });
            await there(types.subnet, {
                subnetName: "GatewaySubnet",
                virtualNetworkName: "net",
                addressPrefix: "10.3.255.224/27",
            });
            for (const name of ["one", "two"]) {
                await there(types.publicAddress, {
                    publicIpAddressName: name,
                    sku: { name: "Standard" },
                    publicIPAllocationMethod: "Static",
                });
            }
            await there(types.virtualNetworkGateway, gatewayArgs());
            await there(types.localNetworkGateway, peerArgs());
            await there(types.localNetworkGateway, peerArgs({ localNetworkGatewayName: "other" }));
            const first = there(types.gatewayConnection, connectionArgs());
            const second = there(
                types.gatewayConnection,
                connectionArgs({
                    virtualNetworkGatewayConnectionName: "second",
                    localNetworkGateway2: { id: `${group}/localNetworkGateways/other` },
                }),
            );
            await expect(second).rejects.toThrow("AnotherOperationInProgress");
            await expect(first).resolves.toBeDefined();
        } finally {
            slow.dispose();
        }
    });

    it.each<[string, Props, string]>([
        ["a private address", { gatewayIpAddress: "10.2.0.4" }, "InvalidGatewayIpAddress"],
        ["a number of Azure's own", { bgpSettings: { asn: 65_515, bgpPeeringAddress: "169.254.21.1" } }, "BgpAsnReserved"],
        ["no address in the tunnel", { bgpSettings: { asn: 64_521 } }, "BgpPeeringAddressInvalid"],
        ["the tunnel's range as a route", { localNetworkAddressSpace: { addressPrefixes: ["169.254.21.1/32"] } }, "not allowed"],
    ])("know no peer with %s", async (_what, more, message) => {
        await expect(make(types.localNetworkGateway, peerArgs(more))).rejects.toThrow(message);
    });
});

describe("peerings of the simulated Azure", () => {
    const peering = (own: string, remote: string, name = "peering") => ({
        virtualNetworkPeeringName: name,
        virtualNetworkName: own,
        remoteVirtualNetwork: { id: remote },
    });

    it("are made once each way, between ranges that do not overlap", async () => {
        const other = await makeNetwork("other", "10.4.0.0/16");
        const clash = await makeNetwork("clash", "10.3.128.0/17");
        await expect(make(types.networkPeering, peering("net", clash.id))).rejects.toThrow("VnetAddressSpacesOverlap");
        await expect(make(types.networkPeering, peering("net", network.id))).rejects.toThrow("InvalidRemoteVirtualNetwork");
        await make(types.networkPeering, peering("net", other.id));
        await make(types.networkPeering, peering("other", network.id));
        await expect(make(types.networkPeering, peering("net", other.id, "again"))).rejects.toThrow(
            "AnotherPeeringAlreadyReferencesRemoteVnet",
        );
        await expect(cloud.remove(types.virtualNetwork, other.id)).rejects.toThrow("in use by");
    });

    it("open a network to the other's by Azure's own rules, unless one denies it", async () => {
        const rules = await make(types.securityGroup, { networkSecurityGroupName: "rules" });
        const subnet = await make(types.subnet, {
            subnetName: "brokers",
            virtualNetworkName: "net",
            addressPrefix: "10.3.0.0/24",
            networkSecurityGroup: { id: rules.id },
        });
        const configuration = { name: "broker", subnet: { id: subnet.id }, privateIPAddress: "10.3.0.4" };
        await make(types.networkInterface, {
            networkInterfaceName: "card",
            ipConfigurations: [{ ...configuration, privateIPAllocationMethod: "Static" }],
        });
        const card = cloud.view.find(types.networkInterface, "card");
        const attempt = { direction: "Inbound", from: "10.4.0.4", to: "10.3.0.4", port: 4370 } as const;
        const open = () => card !== undefined && admits(cloud.view, card, attempt);
        expect(open()).toBe(false);
        const other = await makeNetwork("other", "10.4.0.0/16");
        await make(types.networkPeering, peering("net", other.id));
        expect(open()).toBe(true);
        await make(types.securityRule, {
            securityRuleName: "deny",
            networkSecurityGroupName: "rules",
            direction: "Inbound",
            access: "Deny",
            priority: 4_096,
            protocol: "*",
            sourceAddressPrefix: "*",
            sourcePortRange: "*",
            destinationAddressPrefix: "*",
            destinationPortRange: "*",
        });
        expect(open()).toBe(false);
    });
});

describe("internal load balancers of the simulated Azure", () => {
    it("have an address of their subnet that nobody else has, and drop what no machine stands behind", async () => {
        const subnet = await make(types.subnet, {
            subnetName: "brokers",
            virtualNetworkName: "net",
            addressPrefix: "10.3.0.0/24",
        });
        const self = `${group}/loadBalancers/door`;
        const door = (privateIPAddress: string, name = "door"): Props => ({
            loadBalancerName: name,
            sku: { name: "Standard" },
            frontendIPConfigurations: [
                { name: "private", subnet: { id: subnet.id }, privateIPAllocationMethod: "Static", privateIPAddress },
            ],
            backendAddressPools: [
                {
                    name: "brokers",
                    loadBalancerBackendAddresses: [{ name: "b", ipAddress: "10.3.0.4", virtualNetwork: { id: network.id } }],
                },
            ],
            probes: [{ name: "well", protocol: "Https", port: 18_084, requestPath: "/", intervalInSeconds: 5 }],
            loadBalancingRules: [
                {
                    name: "links",
                    protocol: "Tcp",
                    frontendPort: 8884,
                    backendPort: 8884,
                    frontendIPConfiguration: { id: `${self}/frontendIPConfigurations/private` },
                    backendAddressPool: { id: `${self}/backendAddressPools/brokers` },
                    probe: { id: `${self}/probes/well` },
                },
            ],
        });
        await expect(make(types.loadBalancer, door("10.3.1.252"))).rejects.toThrow("PrivateIPAddressInReservedRange");
        await make(types.loadBalancer, door("10.3.0.252"));
        const rest = { ...door("10.3.0.252", "second"), loadBalancingRules: [] };
        await expect(make(types.loadBalancer, rest)).rejects.toThrow("PrivateIPAddressIsAllocated");
        const whole = cloud.view.find(types.virtualNetwork, "net");
        const arrive = (address: string) =>
            whole === undefined ? undefined : enter(cloud.view, whole, { source: "10.4.0.4", address, port: 8884 }, () => true);
        expect(arrive("10.3.0.252")).toEqual({ dropped: "no machine stands behind 10.3.0.252" });
        expect(arrive("10.3.0.9")).toEqual({ dropped: expect.stringContaining("takes connections to port 8884 of 10.3.0.9") });
    });
});
