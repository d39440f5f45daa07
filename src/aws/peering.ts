import * as ec2 from "@pulumi/aws/ec2/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { NativeNetwork } from "../contracts/vpn.js";
import { nameOf } from "./firewall.js";
import { type AwsScope, ownProvider, place } from "./scope.js";
import { type AwsNetwork, routeTablesOf } from "./zones.js";

/** A site's network, as AWS peers it with others. */
export class AwsPeerableNetwork implements NativeNetwork {
    readonly site: string;
    readonly ranges: readonly string[];
    readonly attributes: Readonly<Record<string, pulumi.Output<string>>>;
    readonly scope: AwsScope;
    readonly network: AwsNetwork;

    constructor(scope: AwsScope, network: AwsNetwork, ranges: readonly string[]) {
        this.scope = scope;
        this.network = network;
        this.site = scope.plan.name;
        this.ranges = ranges;
        this.attributes = { vpcId: network.vpcId, ownerId: network.ownerId, region: pulumi.output(scope.region) };
    }
}

/**
 * Peers two VPCs, in one region or two, of one account or two: what is made at a site is made with that site's provider. Free of charge but
 * for what is sent; AWS encrypts it between regions.
 */
export function peerNetworks(
    pair: string,
    own: AwsPeerableNetwork,
    other: NativeNetwork,
    opts: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
    if (!(other instanceof AwsPeerableNetwork)) {
        throw new Error(`the network of ${other.site} (pair ${pair}) is none of AWS`);
    }
    const at = place(own.scope, `peering-with-${other.site}`);
    const connection = new ec2.VpcPeeringConnection(
        at.name,
        {
            region: own.scope.region,
            vpcId: own.network.vpcId,
            peerVpcId: other.network.vpcId,
            peerOwnerId: other.network.ownerId,
            ...(own.scope.region === other.scope.region ? {} : { peerRegion: other.scope.region }),
            tags: at.tags,
        },
        // AWS keeps no two peerings of the same two networks.
        { ...opts, ...ownProvider(own.scope), deleteBeforeReplace: true },
    );
    const theirs = place(other.scope, `peering-with-${own.site}`);
    const accepted = new ec2.VpcPeeringConnectionAccepter(
        theirs.name,
        { region: other.scope.region, vpcPeeringConnectionId: connection.id, autoAccept: true, tags: theirs.tags },
        { ...opts, ...ownProvider(other.scope), deleteBeforeReplace: true },
    );
    // A route to a peering that nobody has accepted leads nowhere.
    const peeringId = accepted.vpcPeeringConnectionId;
    return [connection, accepted, ...routes(own, other, peeringId, opts), ...routes(other, own, peeringId, opts)];
}

function routes(
    from: AwsPeerableNetwork,
    to: AwsPeerableNetwork,
    vpcPeeringConnectionId: pulumi.Output<string>,
    opts: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
    return routeTablesOf(from.network).flatMap(([zone, routeTableId]) =>
        to.ranges.map(
            (range) =>
                new ec2.Route(
                    `${from.site}-peering-route-to-${to.site}-${zone}-${nameOf(range)}`,
                    { region: from.scope.region, routeTableId, destinationCidrBlock: range, vpcPeeringConnectionId },
                    { ...opts, ...ownProvider(from.scope) },
                ),
        ),
    );
}
