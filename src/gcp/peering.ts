import * as compute from "@pulumi/gcp/compute/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { NativeNetwork } from "../contracts/vpn.js";
import type { GcpNetwork } from "./network.js";
import { type GcpScope, ownProvider, place } from "./scope.js";

/** A site's network, as GCP peers it with others. */
export class GcpPeerableNetwork implements NativeNetwork {
    readonly site: string;
    readonly ranges: readonly string[];
    readonly attributes: Readonly<Record<string, pulumi.Output<string>>>;
    readonly scope: GcpScope;
    readonly network: GcpNetwork;
    /** The peering that was asked for last: the next one of this network waits for it. */
    latest: compute.NetworkPeering | undefined;

    constructor(scope: GcpScope, network: GcpNetwork, ranges: readonly string[]) {
        this.scope = scope;
        this.network = network;
        this.site = scope.plan.name;
        this.ranges = ranges;
        this.attributes = { selfLink: network.selfLink, region: pulumi.output(scope.region) };
    }
}

/**
 * Peers two VPC networks, in one region or two, of one project or two: what is made at a site is made with that site's provider. GCP exchanges
 * the routes to both networks' subnetworks by itself, and passes on none to third networks. Peering is free of charge but for what is sent.
 */
export function peerNetworks(
    pair: string,
    own: GcpPeerableNetwork,
    other: NativeNetwork,
    opts: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
    if (!(other instanceof GcpPeerableNetwork)) {
        throw new Error(`the network of ${other.site} (pair ${pair}) is none of GCP`);
    }
    // GCP takes one peering operation of a network at a time. Pairs come in the order of their keys, so no two chains wait for each other.
    const there = peering(own, other, [own.latest, other.latest], opts);
    const back = peering(other, own, [there], opts);
    own.latest = back;
    other.latest = back;
    return [there, back];
}

function peering(
    from: GcpPeerableNetwork,
    to: GcpPeerableNetwork,
    after: readonly (pulumi.Resource | undefined)[],
    opts: pulumi.CustomResourceOptions,
): compute.NetworkPeering {
    const { name, at } = place(from.scope, `peering-with-${to.site}`);
    return new compute.NetworkPeering(
        name,
        {
            name: at.name,
            network: from.network.selfLink,
            peerNetwork: to.network.selfLink,
            stackType: "IPV4_ONLY",
            // Routes of subnetworks alone: what either network learned from VPN peers is not for the other one.
            exportCustomRoutes: false,
            importCustomRoutes: false,
            exportSubnetRoutesWithPublicIp: false,
            importSubnetRoutesWithPublicIp: false,
        },
        {
            ...opts,
            ...ownProvider(from.scope),
            dependsOn: [
                ...from.network.ready,
                ...to.network.ready,
                ...after.filter((one): one is pulumi.Resource => one !== undefined),
            ],
            // Two networks are peered once.
            deleteBeforeReplace: true,
        },
    );
}
