import { describe, expect, it } from "vitest";
import { checkVirtualNetwork, type SeenSubnet } from "../../../src/azure/existingNetwork.js";
import { bgpAddresses, checkTunnels, chooseVpn } from "../../../src/azure/vpnArgs.js";
import type { MonthlyCost } from "../../../src/cluster/monthlyCost.js";
import type { PlannedVpnPeer } from "../../../src/contracts/vpn.js";
import { assertNoCycle, ofType } from "../../support/graph.js";
import type { Recording } from "../../support/recorder.js";
import { existingAnswer, existingNetwork, refusal } from "./azureFixture.js";
import { gatewaySubnetId, once, vpnNetwork, withPlants } from "./azureVpnFixture.js";

const licensed = { license: "evaluation", broker: { nodes: 3 } } as const;
const inTierVpn = once(() => withPlants([7], licensed));
const inTierNat = once(() => withPlants([7], licensed, { tier: "nat" }));

/** A rule as `direction priority access protocol whom port`. */
function rule(recording: Recording, name: string): string {
    const { direction, access, protocol, priority, ...inputs } = recording.named(name).inputs;
    const who = direction === "Inbound" ? inputs.sourceAddressPrefixes : inputs.destinationAddressPrefixes;
    return [direction, priority, access, protocol, who, inputs.destinationPortRanges].join(" ");
}

describe("an Azure site's private link door", () => {
    it("is an internal load balancer at the planned address, for links alone", async () => {
        const recording = await inTierVpn();
        const { inputs, deleteBeforeReplace, parent } = recording.named("azure-private-door");
        expect(inputs).toMatchObject({
            loadBalancerName: "fleet-azure-private-door",
            sku: { name: "Standard", tier: "Regional" },
            frontendIPConfigurations: [
                {
                    name: "private",
                    subnet: { id: "azure-brokers-subnet-id" },
                    privateIPAllocationMethod: "Static",
                    privateIPAddress: "10.3.0.252",
                    zones: ["1", "2", "3"],
                },
            ],
            probes: [
                {
                    protocol: "Https",
                    port: 18_084,
                    requestPath: "/api/v5/load_rebalance/availability_check",
                },
            ],
        });
        expect(inputs.loadBalancingRules).toEqual([
            expect.objectContaining({
                name: "links",
                protocol: "Tcp",
                frontendPort: 8884,
                backendPort: 8884,
                enableFloatingIP: false,
                disableOutboundSnat: true,
            }),
        ]);
        expect(deleteBeforeReplace).toBe(true);
        expect(parent).toBe("azure");
    });

    it("knows the brokers by their addresses, so that interfaces and machines stay as they are", async () => {
        const [nat, vpn] = [await inTierNat(), await inTierVpn()];
        expect(vpn.named("azure-private-door").inputs.backendAddressPools).toEqual([
            {
                name: "brokers",
                loadBalancerBackendAddresses: [4, 5, 6].map((host, index) => ({
                    name: `broker-${index + 1}`,
                    ipAddress: `10.3.0.${host}`,
                    virtualNetwork: { id: "azure-network-id" },
                })),
            },
        ]);
        for (const one of nat.resources.filter(
            ({ name, type }) => type.startsWith("azure-native:") && !/-nat-(from|to)-/.test(name),
        )) {
            const { inputs, dependencies } = vpn.named(one.name);
            expect([one.name, inputs, dependencies]).toEqual([one.name, one.inputs, one.dependencies]);
        }
    });

    it("is open to the peer's ranges alone, and lets brokers out to the peer's within these", async () => {
        const recording = await withPlants([7], {}, { vpn: { ranges: ["10.7.0.0/16", "192.168.7.0/24"] } });
        expect(rule(recording, "azure-vpn-from-plant-7")).toBe("Inbound 1207 Allow Tcp 10.7.0.0/16,192.168.7.0/24 8884");
        expect(rule(recording, "azure-vpn-to-plant-7")).toBe("Outbound 1207 Allow Tcp 10.7.0.0/16,192.168.7.0/24 9884");
        expect(recording.named("azure-vpn-from-plant-7").parent).toBe("fleet");
    });

    it("leaves the public link port shut", async () => {
        const recording = await inTierVpn();
        expect(recording.resources.filter(({ name }) => name.includes("-nat-from-") || name.includes("-nat-to-"))).toEqual([]);
        const open = ofType(recording, ":SecurityRule").filter(
            ({ inputs }) => inputs.direction === "Inbound" && JSON.stringify(inputs.destinationPortRanges ?? "").includes("8884"),
        );
        expect(open.map(({ name }) => name)).toEqual(["azure-vpn-from-plant-7"]);
    });
});

describe("an Azure site in tier vpn in a network of the user's", () => {
    it("uses the subnet that it is told, and makes none", async () => {
        const recording = await withPlants([7], { network: vpnNetwork });
        assertNoCycle(recording);
        expect(ofType(recording, ":Subnet")).toEqual([]);
        expect(recording.named("azure-vpn-gateway").inputs.ipConfigurations).toMatchObject([
            { subnet: { id: gatewaySubnetId } },
            { subnet: { id: gatewaySubnetId } },
        ]);
        expect(recording.named("azure-private-door").inputs).toMatchObject({
            frontendIPConfigurations: [{ subnet: { id: existingNetwork.subnetId }, privateIPAddress: "10.200.3.252" }],
            backendAddressPools: [
                { loadBalancerBackendAddresses: [{ virtualNetwork: { id: existingNetwork.virtualNetworkId } }] },
            ],
        });
    });

    it("says what it lacks", async () => {
        await expect(withPlants([7], { network: existingNetwork })).rejects.toThrow(
            /"vpn" is not possible for azure .*set network\.gatewaySubnetId/,
        );
    });

    it.each<[string, string, string]>([
        [
            "no id",
            "GatewaySubnet",
            'network.gatewaySubnetId: "GatewaySubnet" is no id of Microsoft.Network/virtualNetworks/subnets',
        ],
        ["another subnet", existingNetwork.subnetId, "is not named GatewaySubnet, and Azure takes no other subnet for gateways"],
    ])("refuses %s", async (_what, id, message) => {
        expect(await refusal({ network: { ...existingNetwork, gatewaySubnetId: id } })).toContain(message);
    });

    it("refuses a subnet that the network does not have, or in which Azure makes no gateway", () => {
        const ids = {
            virtualNetwork: existingNetwork.virtualNetworkId,
            subnet: existingNetwork.subnetId,
            gatewaySubnet: gatewaySubnetId,
        };
        const check = (...subnets: readonly SeenSubnet[]) =>
            checkVirtualNetwork(ids, existingNetwork, { ...existingAnswer, subnets: [...existingAnswer.subnets, ...subnets] });
        expect(() => check({ id: gatewaySubnetId.toUpperCase() })).not.toThrow();
        expect(() => check()).toThrow(/^network\.gatewaySubnetId: ".* is no subnet of /);
        expect(() => check({ id: gatewaySubnetId, natGateway: { id: "way-out" } })).toThrow(
            /^network\.gatewaySubnetId: ".* has a NAT gateway, and Azure makes no gateway there; detach it/,
        );
    });
});

describe("bad input to an Azure site's VPN gateway", () => {
    it.each<[string, object, string]>([
        ["the size without BGP", { sku: "Basic" }, 'vpn.sku: "Basic" has neither BGP nor two active instances'],
        ["a size of the old line", { sku: "HighPerformance" }, 'vpn.sku: "HighPerformance" is of Azure\'s old line'],
        ["a size without zones", { sku: "VpnGw2" }, 'vpn.sku: "VpnGw2" has no zones, and Azure makes no new gateway of its kind'],
        ["an unknown size", { sku: "constructor" }, 'vpn.sku: "constructor" is not known; set one of VpnGw1AZ, VpnGw2AZ'],
        ["a reserved number", { asn: 65_515 }, "vpn.asn: 65515 is reserved"],
        ["no list of planned peers", { plannedPeers: 4 }, "vpn.plannedPeers: 4 is no list"],
        ["a planned peer beyond Azure's range", { plannedPeers: [4, 33] }, "vpn.plannedPeers[1]: 33 is not possible"],
        ["itself as a planned peer", { plannedPeers: [1] }, "vpn.plannedPeers[0]: 1 is not possible"],
    ])("%s", async (_what, vpn, message) => {
        expect(await refusal({ vpn })).toContain(message);
    });

    it("numbers beyond Azure's range, at either end", async () => {
        await expect(withPlants([33])).rejects.toThrow(/^siteNumber: 33 of plant-33 is beyond 32/);
        await expect(withPlants([7], { siteNumber: 33 })).rejects.toThrow(/^siteNumber: 33 of azure is beyond 32/);
        expect(await refusal({ siteNumber: 33, vpn: { plannedPeers: [4] } })).toContain("siteNumber: 33 is beyond 32");
        // Without tunnels the number does not matter.
        await expect(withPlants([33], {}, { tier: "nat" })).resolves.toBeDefined();
    });

    it("more tunnels than the size takes, naming the pairs", async () => {
        const numbers = Array.from({ length: 16 }, (_, index) => index + 4);
        await expect(withPlants(numbers)).rejects.toThrow(
            /^vpn\.sku: "VpnGw1AZ" takes 30 tunnels, and the pairs of azure need 32 \(.*azure-plant-10 2.*\); set "VpnGw4AZ", which takes 100/,
        );
    });

    it("sizes but the smallest are of the second generation", async () => {
        const recording = await withPlants([7], { vpn: { sku: "VpnGw4AZ" } });
        expect(recording.named("azure-vpn-gateway").inputs).toMatchObject({
            sku: { name: "VpnGw4AZ", tier: "VpnGw4AZ" },
            vpnGatewayGeneration: "Generation2",
        });
        expect((await inTierVpn()).named("azure-vpn-gateway").inputs).not.toHaveProperty("vpnGatewayGeneration");
    });

    it("more tunnels than any size takes", () => {
        const choice = chooseVpn({ name: "azure", siteNumber: 3 }, { sku: "VpnGw5AZ" }, "10.3.0.0/16", undefined);
        const peer = (pair: string, count: number): PlannedVpnPeer => ({
            pair,
            facts: {
                name: pair,
                siteNumber: 1,
                platform: "aws",
                linkProtocol: "emqx",
                clusterName: pair,
                tiers: { nat: { supported: true }, vpn: { supported: true }, interconnect: { supported: true } },
            },
            vpn: {
                asn: 64_521,
                ranges: [],
                end: { name: pair, siteNumber: 1, platform: "aws", scope: pair, addresses: 2 },
            },
            suite: "aes-cbc",
            tunnels: Array.from({ length: count }, (_, key) => ({
                key: String(key),
                inside: "",
                ownAddress: "",
                peerAddress: "",
                ownInterface: 0,
                peerInterface: 0,
            })),
        });
        expect(() => checkTunnels(choice, "azure", [peer("a", 60), peer("b", 40), peer("peered", 0)])).not.toThrow();
        expect(() => checkTunnels(choice, "azure", [peer("a", 60), peer("b", 41)])).toThrow(
            'vpn.sku: "VpnGw5AZ" takes 100 tunnels, and the pairs of azure need 101 (a 60, b 41); give some of these pairs another tier',
        );
    });
});

describe("an Azure gateway's BGP addresses", () => {
    it("are in one order whatever the order of planned peers, each once", () => {
        expect(bgpAddresses(3, { plannedPeers: [8, 7] }, [])).toEqual(bgpAddresses(3, { plannedPeers: [7, 8, 7] }, []));
        expect(bgpAddresses(3, { plannedPeers: [8, 7] }, [])[0]).toEqual([
            "169.254.21.82",
            "169.254.22.82",
            "169.254.21.90",
            "169.254.22.90",
        ]);
        expect(bgpAddresses(3, { plannedPeers: [] }, [])).toEqual([[], []]);
    });

    it("have an entry for the second instance also where the peer has one address", async () => {
        const recording = await withPlants([7], {}, { vpn: { addresses: ["203.0.114.7"] } });
        expect(recording.named("azure-vpn-gateway").inputs.bgpSettings).toMatchObject({
            bgpPeeringAddresses: [{ customBgpIpAddresses: ["169.254.21.82"] }, { customBgpIpAddresses: ["169.254.21.86"] }],
        });
        expect(ofType(recording, ":VirtualNetworkGatewayConnection")).toHaveLength(1);
    });
});

describe("an Azure site's costs in tier vpn", () => {
    const rowsOf = ({ outputs }: Recording) =>
        Object.fromEntries((outputs as { costs: readonly MonthlyCost[] }).costs.map(({ what, usd }) => [what, usd]));

    it("have the door, the gateway and its addresses", async () => {
        const rows = rowsOf(await inTierVpn());
        expect(rows["1 VPN gateway VpnGw1AZ"]).toBe(153.3);
        expect(rows["2 public addresses of the VPN gateway"]).toBe(7.3);
        expect(rows).toHaveProperty(["1 load balancer with 1 rule, the private link door"]);
    });

    it("have none of it in tier nat", async () => {
        const rows = rowsOf(await inTierNat());
        expect(Object.keys(rows).filter((what) => /VPN|private link door/.test(what))).toEqual([]);
    });
});
