import * as network from "@pulumi/azure-native/network/index.js";
import type * as pulumi from "@pulumi/pulumi";
import type { NativeNetwork } from "../contracts/vpn.js";
import { type AzureScope, ownProvider, place } from "./scope.js";
import type { AzureNetwork } from "./virtualNetwork.js";

/** A site's virtual network, as Azure peers it with others. */
export class AzurePeerableNetwork implements NativeNetwork {
    readonly site: string;
    readonly ranges: readonly string[];
    readonly attributes: Readonly<Record<string, pulumi.Output<string>>>;
    readonly scope: AzureScope;
    readonly network: AzureNetwork;
    /** What was made last of what changes the virtual network: Azure takes one such operation at a time, so the next one waits for it. */
    latest: readonly pulumi.Resource[];

    /** @param after what of the site itself changes the virtual network */
    constructor(scope: AzureScope, network: AzureNetwork, ranges: readonly string[], after: readonly pulumi.Resource[]) {
        this.scope = scope;
        this.network = network;
        this.site = scope.plan.name;
        this.ranges = ranges;
        this.attributes = { virtualNetworkId: network.virtualNetworkId };
        this.latest = after;
    }
}

/**
 * Peers two virtual networks, in one region or two, of one subscription or two: what is made at a site is made with that site's provider.
 * Routes come with it, to the two networks alone: neither uses the other's gateways. Free of charge but for what is sent; it stays on Azure's
 * own network, and is not encrypted by itself.
 */
export function peerNetworks(
    pair: string,
    own: AzurePeerableNetwork,
    other: NativeNetwork,
    opts: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
    if (!(other instanceof AzurePeerableNetwork)) {
        throw new Error(`the network of ${other.site} (pair ${pair}) is none of Azure`);
    }
    // Pairs come in the order of their keys, so no two of these chains wait for each other.
    const there = peering(own, other, [...own.latest, ...other.latest], opts);
    const back = peering(other, own, [there], opts);
    own.latest = [back];
    other.latest = [back];
    return [there, back];
}

function peering(
    from: AzurePeerableNetwork,
    to: AzurePeerableNetwork,
    after: readonly pulumi.Resource[],
    opts: pulumi.CustomResourceOptions,
): network.VirtualNetworkPeering {
    return new network.VirtualNetworkPeering(
        place(from.scope, `peering-with-${to.site}`).name,
        {
            resourceGroupName: from.network.resourceGroupName,
            virtualNetworkName: from.network.name,
            remoteVirtualNetwork: { id: to.network.virtualNetworkId },
            allowVirtualNetworkAccess: true,
            // Packets of third networks do not come through either side.
            allowForwardedTraffic: false,
            allowGatewayTransit: false,
            useRemoteGateways: false,
        },
        {
            ...opts,
            ...ownProvider(from.scope),
            dependsOn: [...after],
            // Azure peers two networks once.
            deleteBeforeReplace: true,
            customTimeouts: { create: "20m", update: "20m", delete: "20m" },
        },
    );
}
