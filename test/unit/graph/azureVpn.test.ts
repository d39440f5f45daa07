import { describe, expect, it } from "vitest";
import { presharedKeyForm } from "../../../src/ipsec/suite.js";
import { addedBetween, assertNoCycle, changedBetween, countByType, ofType, reaches } from "../../support/graph.js";
import type { Recording } from "../../support/recorder.js";
import { site } from "./azureFixture.js";
import { azureSites, once, threeClouds, withPlants } from "./azureVpnFixture.js";

const inThreeClouds = once(threeClouds);
const withOne = once(() => withPlants([7]));

const counted = [
    ":CustomerGateway",
    ":ExternalVpnGateway",
    ":HaVpnGateway",
    ":LocalNetworkGateway",
    ":RouterInterface",
    ":RouterPeer",
    ":TransitGateway",
    ":VPNTunnel",
    ":VirtualNetworkGateway",
    ":VirtualNetworkGatewayConnection",
    ":VirtualNetworkPeering",
    ":VpnConnection",
];

function counts(recording: Recording): Record<string, number> {
    return Object.fromEntries(
        Object.entries(countByType(recording))
            .filter(([type]) => counted.some((end) => type.endsWith(end)))
            .map(([type, count]) => [type.split(":").at(-1), count]),
    );
}

const gatewayOf = (recording: Recording, name = "azure") => recording.named(`${name}-vpn-gateway`);
const connections = (recording: Recording) => ofType(recording, ":VirtualNetworkGatewayConnection");

describe("an Azure site in tier vpn", () => {
    it("has no gateway, tunnel or private door with pairs of tier nat alone, nor without a mesh", async () => {
        for (const recording of [await site(), await azureSites({ a: {}, b: {} }, { tier: "nat" })]) {
            expect(counts(recording)).toEqual({});
            expect(recording.resources.filter(({ name }) => /private-door|vpn|gateway-subnet|peering/.test(name))).toEqual([]);
        }
    });

    it("is counted with one site of each cloud, as is the mesh", async () => {
        const recording = await inThreeClouds();
        expect(counts(recording)).toEqual({
            CustomerGateway: 4,
            VpnConnection: 4,
            TransitGateway: 1,
            ExternalVpnGateway: 2,
            HaVpnGateway: 1,
            VPNTunnel: 6,
            RouterInterface: 6,
            RouterPeer: 6,
            LocalNetworkGateway: 6,
            VirtualNetworkGatewayConnection: 6,
            VirtualNetworkGateway: 1,
        });
        expect(connections(recording).map(({ name }) => name)).toEqual([
            ...[0, 1, 2, 3].map((key) => `azure-vpn-connection-aws-${key}`),
            ...[0, 1].map((key) => `azure-vpn-connection-gcp-${key}`),
        ]);
        const addresses = ofType(recording, ":PublicIPAddress").filter(({ name }) => name.startsWith("azure-vpn-address-"));
        expect(addresses.map(({ inputs }) => [inputs.sku, inputs.publicIPAllocationMethod, inputs.zones])).toEqual(
            [0, 1].map(() => [{ name: "Standard", tier: "Regional" }, "Static", ["1", "2", "3"]]),
        );
    });

    it("has one gateway over all zones, with two active instances and their BGP addresses", async () => {
        const recording = await inThreeClouds();
        const { inputs, deleteBeforeReplace, customTimeouts, replaceOnChanges, parent } = gatewayOf(recording);
        const name = inputs.virtualNetworkGatewayName;
        expect(name).toBe("fleet-azure-vpn");
        expect(inputs).toMatchObject({
            gatewayType: "Vpn",
            vpnType: "RouteBased",
            sku: { name: "VpnGw1AZ", tier: "VpnGw1AZ" },
            activeActive: true,
            enableBgp: true,
            ipConfigurations: [0, 1].map((index) => ({
                name: `instance-${index}`,
                privateIPAllocationMethod: "Dynamic",
                subnet: { id: "azure-gateway-subnet-id" },
                publicIPAddress: { id: `azure-vpn-address-${index}-id` },
            })),
            bgpSettings: {
                asn: 64_523,
                bgpPeeringAddresses: [
                    { customBgpIpAddresses: ["169.254.21.2", "169.254.22.2", "169.254.21.42"] },
                    { customBgpIpAddresses: ["169.254.21.6", "169.254.22.6", "169.254.21.46"] },
                ],
            },
        });
        expect(inputs).not.toHaveProperty("vpnGatewayGeneration");
        expect(idsOfInstances(recording)).toEqual(
            [0, 1].map((index) =>
                expect.stringMatching(new RegExp(`/virtualNetworkGateways/${name}/ipConfigurations/instance-${index}$`)),
            ),
        );
        expect(deleteBeforeReplace).toBe(true);
        expect(replaceOnChanges).toEqual(["vpnGatewayGeneration"]);
        expect(customTimeouts).toEqual({ create: "90m", update: "90m", delete: "60m" });
        expect(parent).toBe("azure");
    });

    it("has the gateway's subnet by its one name, without NAT gateway and rules, after everything else that changes the network", async () => {
        const recording = await inThreeClouds();
        const { inputs } = recording.named("azure-gateway-subnet");
        expect(inputs).toMatchObject({ subnetName: "GatewaySubnet", addressPrefix: "10.3.255.224/27" });
        expect(inputs).not.toHaveProperty("natGateway");
        expect(inputs).not.toHaveProperty("networkSecurityGroup");
        for (const earlier of ["brokers-subnet", "link-zone-in-network", "flow-log"]) {
            expect([earlier, reaches(recording, "azure-gateway-subnet", `azure-${earlier}`)]).toEqual([earlier, true]);
        }
    });

    it("names both instances' addresses on every connection: Microsoft's own table for slot 0", async () => {
        const recording = await inThreeClouds();
        const table = connections(recording).map(({ name, inputs }) => {
            const entries = inputs.gatewayCustomBgpIpAddresses as readonly {
                customBgpIpAddress: string;
                ipConfigurationId: string;
            }[];
            expect(entries.map(({ ipConfigurationId }) => ipConfigurationId)).toEqual(idsOfInstances(recording));
            return [name.replace("azure-vpn-connection-", ""), ...entries.map(({ customBgpIpAddress }) => customBgpIpAddress)];
        });
        expect(table).toEqual([
            ["aws-0", "169.254.21.2", "169.254.21.6"],
            ["aws-1", "169.254.22.2", "169.254.21.6"],
            ["aws-2", "169.254.21.2", "169.254.21.6"],
            ["aws-3", "169.254.21.2", "169.254.22.6"],
            ["gcp-0", "169.254.21.42", "169.254.21.46"],
            ["gcp-1", "169.254.21.42", "169.254.21.46"],
        ]);
    });

    it("knows each peer's gateway by its address for that tunnel and its address in it, and routes to nothing by itself", async () => {
        const recording = await inThreeClouds();
        const gateways = [...ofType(recording, ":LocalNetworkGateway")].sort((one, other) => (one.name < other.name ? -1 : 1));
        expect(gateways.map(({ name, inputs }) => [name, inputs.gatewayIpAddress, inputs.bgpSettings])).toEqual([
            ...[
                ["0", "1-of-aws-vpn-connection-azure-0", "169.254.21.1"],
                ["1", "2-of-aws-vpn-connection-azure-0", "169.254.22.1"],
                ["2", "1-of-aws-vpn-connection-azure-1", "169.254.21.5"],
                ["3", "2-of-aws-vpn-connection-azure-1", "169.254.22.5"],
            ].map(([key, outside, bgpPeeringAddress]) => [
                `azure-vpn-peer-gateway-aws-${key}`,
                outside,
                { asn: 64_549, bgpPeeringAddress },
            ]),
            ...(["169.254.21.41", "169.254.21.45"] as const).map((bgpPeeringAddress, key) => [
                `azure-vpn-peer-gateway-gcp-${key}`,
                `interface-${key}-of-gcp-vpn-gateway`,
                { asn: 64_522, bgpPeeringAddress },
            ]),
        ]);
        for (const { inputs } of gateways) {
            expect(inputs.localNetworkAddressSpace).toEqual({ addressPrefixes: [] });
        }
    });

    it("pins one IKEv2 proposal in all of its eight fields on every connection", async () => {
        for (const { inputs, deleteBeforeReplace, replaceOnChanges } of connections(await inThreeClouds())) {
            expect(inputs).toMatchObject({
                connectionType: "IPsec",
                connectionProtocol: "IKEv2",
                connectionMode: "Default",
                virtualNetworkGateway1: { id: "azure-vpn-gateway-id" },
                enableBgp: true,
                usePolicyBasedTrafficSelectors: false,
                dpdTimeoutSeconds: 45,
                ipsecPolicies: [
                    {
                        ikeEncryption: "AES256",
                        ikeIntegrity: "SHA256",
                        dhGroup: "DHGroup14",
                        ipsecEncryption: "AES256",
                        ipsecIntegrity: "SHA256",
                        pfsGroup: "PFS2048",
                        saLifeTimeSeconds: 3_600,
                        saDataSizeKilobytes: 102_400_000,
                    },
                ],
            });
            expect(deleteBeforeReplace).toBe(true);
            // A new key makes the connection anew: Azure has been seen to change one without an end.
            expect(replaceOnChanges).toContain("sharedKey");
        }
    });

    it("takes the other suite where the pair asks for it", async () => {
        const recording = await withPlants([7], {}, { pairs: { "azure-plant-7": { vpn: { suite: "aes-gcm" } } } });
        expect(recording.named("azure-vpn-connection-plant-7-1").inputs.ipsecPolicies).toEqual([
            {
                ikeEncryption: "GCMAES256",
                ikeIntegrity: "SHA384",
                dhGroup: "ECP384",
                ipsecEncryption: "GCMAES256",
                ipsecIntegrity: "GCMAES256",
                pfsGroup: "ECP384",
                saLifeTimeSeconds: 3_600,
                saDataSizeKilobytes: 102_400_000,
            },
        ]);
    });

    it("has a key for each tunnel, the same as the peer's, secret everywhere", async () => {
        const recording = await inThreeClouds();
        const keys = connections(recording).map(({ inputs }) => String(inputs.sharedKey));
        expect(new Set(keys).size).toBe(6);
        for (const key of keys) {
            expect(key).toMatch(presharedKeyForm);
        }
        const ofAws = [0, 1].flatMap((number) => {
            const { inputs } = recording.named(`aws-vpn-connection-azure-${number}`);
            return [inputs.tunnel1PresharedKey, inputs.tunnel2PresharedKey];
        });
        expect(keys.slice(0, 4)).toEqual(ofAws);
        expect(keys.slice(4)).toEqual([0, 1].map((key) => recording.named(`gcp-vpn-tunnel-azure-${key}`).inputs.sharedSecret));
        for (const { secrets, secretOutputs } of connections(recording)) {
            expect(secrets).toEqual(["sharedKey"]);
            expect(secretOutputs).toContain("sharedKey");
        }
        for (const { name, inputs, secrets } of recording.resources) {
            const open = Object.entries(inputs).filter(([key]) => !secrets.includes(key));
            expect([name, keys.some((key) => JSON.stringify(open).includes(key))]).toEqual([name, false]);
        }
    });
});

/** Ids by which the gateway speaks of its two instances. */
function idsOfInstances(recording: Recording): readonly string[] {
    const { bgpPeeringAddresses } = gatewayOf(recording).inputs.bgpSettings as {
        readonly bgpPeeringAddresses: readonly { readonly ipconfigurationId: string }[];
    };
    return bgpPeeringAddresses.map(({ ipconfigurationId }) => ipconfigurationId);
}

describe("what waits for an Azure site's VPN gateway", () => {
    it("is connections, and what waits for these: neither peers' tunnels nor what is known of peers", async () => {
        const recording = await inThreeClouds();
        assertNoCycle(recording);
        const waiting = recording.resources.filter(
            ({ name }) => name !== "azure-vpn-gateway" && reaches(recording, name, "azure-vpn-gateway"),
        );
        const kinds = new Set(waiting.map(({ type }) => type.split(":").at(-1)));
        for (const kind of [
            "CustomerGateway",
            "VpnConnection",
            "LocalNetworkGateway",
            "ExternalVpnGateway",
            "VPNTunnel",
            "RouterPeer",
            "SecurityRule",
            "LoadBalancer",
            "NodeMembership",
            "VirtualMachine",
        ]) {
            expect([kind, kinds.has(kind)]).toEqual([kind, false]);
        }
        expect(kinds).toContain("VirtualNetworkGatewayConnection");
    });

    it("needs its addresses and its subnet alone", async () => {
        const recording = await inThreeClouds();
        expect([...gatewayOf(recording).dependencies].sort()).toEqual(
            expect.arrayContaining(["azure-gateway-subnet", "azure-vpn-address-0", "azure-vpn-address-1"]),
        );
        for (const { name } of recording.resources.filter(({ name }) => /^(aws|gcp)-/.test(name))) {
            expect([name, reaches(recording, "azure-vpn-gateway", name)]).toEqual([name, false]);
        }
    });

    it("tells peers its addresses at once", async () => {
        const recording = await inThreeClouds();
        expect([0, 1].map((index) => recording.named(`aws-customer-gateway-azure-${index}`).inputs.ipAddress)).toEqual([
            "20.0.1.3",
            "20.0.1.4",
        ]);
        for (const index of [0, 1]) {
            expect(reaches(recording, `aws-customer-gateway-azure-${index}`, `azure-vpn-address-${index}`)).toBe(true);
        }
    });

    it("makes connections one after the other, whatever pair they belong to", async () => {
        const recording = await inThreeClouds();
        const names = connections(recording).map(({ name }) => name);
        for (const [index, name] of names.entries()) {
            for (const [other, earlier] of names.entries()) {
                expect([name, earlier, other < index]).toEqual([
                    name,
                    earlier,
                    other !== index && reaches(recording, name, earlier),
                ]);
            }
        }
    });

    it("lets links wait for all of the pair's half", async () => {
        const recording = await withOne();
        for (const { name } of ofType(recording, ":ClusterLink")) {
            for (const part of [
                "vpn-connection-plant-7-0",
                "vpn-connection-plant-7-1",
                "vpn-from-plant-7",
                "vpn-to-plant-7",
                "private-door",
            ]) {
                expect([name, part, reaches(recording, name, `azure-${part}`)]).toEqual([name, part, true]);
            }
        }
    });

    it("makes connections anew with the gateway or the peer's", async () => {
        const { replaceWith } = (await withOne()).named("azure-vpn-connection-plant-7-1");
        expect(replaceWith).toEqual(["azure-vpn-gateway", "azure-vpn-peer-gateway-plant-7-1"]);
    });
});

describe("another peer of an Azure site", () => {
    it("does not touch the gateway where it was planned, whatever comes of it", async () => {
        const planned = { vpn: { plannedPeers: [8] } };
        const [one, two] = [await withPlants([7], planned), await withPlants([7, 8], planned)];
        expect(changedBetween(one, two).filter((name) => name !== "fleet")).toEqual([]);
        expect(addedBetween(one, two)).toEqual(
            expect.arrayContaining(["azure-vpn-connection-plant-8-1", "azure-vpn-from-plant-8"]),
        );
        expect(gatewayOf(one).inputs.bgpSettings).toMatchObject({
            bgpPeeringAddresses: [
                { customBgpIpAddresses: ["169.254.21.82", "169.254.21.90", "169.254.22.90"] },
                { customBgpIpAddresses: ["169.254.21.86", "169.254.21.94", "169.254.22.94"] },
            ],
        });
    });

    it("updates the gateway and nothing else where it was not", async () => {
        const [one, two] = [await withOne(), await withPlants([7, 8])];
        expect(changedBetween(one, two).filter((name) => name !== "fleet")).toEqual(["azure-vpn-gateway"]);
    });
});
