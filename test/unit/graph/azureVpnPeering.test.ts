import * as azure from "@pulumi/azure-native/provider.js";
import { describe, expect, it } from "vitest";
import type { MonthlyCost } from "../../../src/cluster/monthlyCost.js";
import { assertNoCycle, ofType, reaches } from "../../support/graph.js";
import { existingNetwork } from "./azureFixture.js";
import { azureSites, once, vpnNetwork } from "./azureVpnFixture.js";

const three = once(() => azureSites({ a: {}, b: {}, c: { location: "northeurope" } }));
const encrypted = once(() => azureSites({ a: {}, b: {} }, { pairs: { "a-b": { vpn: { encrypt: true } } } }));

describe("Azure sites in tier vpn", () => {
    it("are peered, both ways, with no gateway, tunnel or key", async () => {
        const recording = await three();
        assertNoCycle(recording);
        expect(
            recording.resources.filter(({ type }) => /Gateway(Connection)?$/.test(type) && !type.endsWith("NatGateway")),
        ).toEqual([]);
        expect(recording.resources.filter(({ name }) => /tunnel-keys|gateway-subnet/.test(name))).toEqual([]);
        const peerings = ofType(recording, ":VirtualNetworkPeering");
        expect(peerings.map(({ name }) => name)).toHaveLength(6);
        for (const [one, other] of ["ab", "ba", "ac", "ca", "bc", "cb"]) {
            expect(recording.named(`${one}-peering-with-${other}`).inputs).toMatchObject({
                resourceGroupName: `${one}-group-12345678`,
                virtualNetworkName: `${one}-network-made`,
                remoteVirtualNetwork: { id: `${other}-network-id` },
                allowVirtualNetworkAccess: true,
                allowForwardedTraffic: false,
                allowGatewayTransit: false,
                useRemoteGateways: false,
            });
        }
    });

    it("are peered one after the other, in the order of the pairs, after what else changes the networks", async () => {
        const recording = await three();
        const chain = ["a-peering-with-b", "b-peering-with-a", "a-peering-with-c", "c-peering-with-a", "b-peering-with-c"];
        for (const [index, name] of chain.entries()) {
            for (const earlier of chain.slice(0, index)) {
                expect([name, earlier, reaches(recording, name, earlier)]).toEqual([name, earlier, true]);
            }
        }
        for (const changed of ["a-link-zone-in-network", "b-link-zone-in-network", "a-flow-log", "b-flow-log"]) {
            expect(reaches(recording, "a-peering-with-b", changed)).toBe(true);
        }
        const links = ofType(recording, ":ClusterLink").filter(({ inputs }) =>
            [inputs.localCluster, inputs.name].every((cluster) => ["fleet-a", "fleet-b"].includes(String(cluster))),
        );
        expect(links).toHaveLength(2);
        for (const { name } of links) {
            expect([name, reaches(recording, name, "b-peering-with-a")]).toEqual([name, true]);
        }
    });

    it("admit each other's range, and find each other's private door by its planned address", async () => {
        const recording = await three();
        expect(recording.named("a-vpn-from-b").inputs).toMatchObject({
            priority: 1202,
            sourceAddressPrefixes: ["10.2.0.0/16"],
            destinationPortRanges: ["8884"],
        });
        expect(recording.named("a-vpn-to-b").inputs).toMatchObject({
            priority: 1202,
            destinationAddressPrefixes: ["10.2.0.252/32"],
            destinationPortRanges: ["8884"],
        });
        expect(recording.named("a-name-of-b").inputs).toMatchObject({
            recordType: "A",
            aRecords: [{ ipv4Address: "10.2.0.252" }],
        });
    });

    it("pay for no gateway", async () => {
        const { costs } = (await three()).outputs as { readonly costs: readonly MonthlyCost[] };
        expect(costs.filter(({ what }) => what.includes("VPN gateway"))).toEqual([]);
        expect(costs.filter(({ what }) => what.includes("private link door"))).toHaveLength(1);
    });

    it("may have different providers: what is at a site is made with its own", async () => {
        const recording = await azureSites({ a: {}, b: {} }, {}, { b: () => ({ provider: new azure.Provider("theirs") }) });
        for (const { name, type, provider } of recording.resources.filter(({ name }) => /^[ab]-/.test(name))) {
            if (type.startsWith("azure-native:")) {
                expect([name, provider.includes("::theirs::")]).toEqual([name, name.startsWith("b-")]);
            }
        }
    });

    it("may be in a network of the user's, which has a resource group of its own", async () => {
        const recording = await azureSites({ a: { network: vpnNetwork }, b: {} });
        expect(recording.named("a-peering-with-b").inputs).toMatchObject({
            resourceGroupName: "edge",
            virtualNetworkName: "hub",
        });
        expect(recording.named("b-peering-with-a").inputs.remoteVirtualNetwork).toEqual({ id: existingNetwork.virtualNetworkId });
    });
});

describe("Azure sites whose pair is to be encrypted", () => {
    it("have gateways joined by two connections with one key and no range of their own", async () => {
        const recording = await encrypted();
        assertNoCycle(recording);
        expect(ofType(recording, ":VirtualNetworkPeering")).toEqual([]);
        expect(ofType(recording, ":LocalNetworkGateway")).toEqual([]);
        expect(ofType(recording, ":VirtualNetworkGateway").map(({ name }) => name)).toEqual(
            expect.arrayContaining(["a-vpn-gateway", "b-vpn-gateway"]),
        );
        const [there, back] = [recording.named("a-vpn-connection-b-0"), recording.named("b-vpn-connection-a-0")];
        expect(ofType(recording, ":VirtualNetworkGatewayConnection")).toHaveLength(2);
        for (const [{ inputs, secrets }, own, other] of [
            [there, "a", "b"],
            [back, "b", "a"],
        ] as const) {
            expect(inputs).toMatchObject({
                connectionType: "Vnet2Vnet",
                connectionProtocol: "IKEv2",
                virtualNetworkGateway1: { id: `${own}-vpn-gateway-id` },
                virtualNetworkGateway2: { id: `${other}-vpn-gateway-id` },
                enableBgp: true,
            });
            expect(inputs).not.toHaveProperty("gatewayCustomBgpIpAddresses");
            expect(inputs).not.toHaveProperty("localNetworkGateway2");
            expect(secrets).toEqual(["sharedKey"]);
        }
        expect(there.inputs.sharedKey).toBe(back.inputs.sharedKey);
        expect(there.inputs.ipsecPolicies).toEqual(back.inputs.ipsecPolicies);
        expect(recording.named("a-vpn-gateway").inputs.bgpSettings).toEqual({ asn: 64_521 });
    });

    it("report the tunnel with both gateways' addresses, and where to look", async () => {
        const { outputs } = await encrypted();
        expect((outputs as { paths: unknown }).paths).toEqual([
            expect.objectContaining({
                pair: "a-b",
                tunnels: [
                    {
                        tunnel: "0",
                        inside: "",
                        outsideAddresses: { a: "20.0.1.3, 20.0.1.4", b: "20.0.2.3, 20.0.2.4" },
                        insideAddresses: { a: "", b: "" },
                        lookAt: {
                            a: "connection a-vpn-connection-b-0-id of VPN gateway a-vpn-gateway-id",
                            b: "connection b-vpn-connection-a-0-id of VPN gateway b-vpn-gateway-id",
                        },
                    },
                ],
            }),
        ]);
    });
});
