import * as ec2 from "@pulumi/aws/ec2/index.js";
import * as transit from "@pulumi/aws/ec2transitgateway/index.js";
import type * as pulumi from "@pulumi/pulumi";
import type { VpnFacts } from "../contracts/facts.js";
import type { AwsSiteChoices } from "./choices.js";
import { nameOf } from "./firewall.js";
import { type AwsScope, ownProvider, place } from "./scope.js";
import type { TunnelGateway } from "./tunnelGateway.js";
import { type AwsNetwork, routeTablesOf, zoneOf } from "./zones.js";

/**
 * A transit gateway, attached to the site's network in every zone. Two route tables keep peers apart: from the network packets go to any peer,
 * from a peer into the network alone, and peers are told of nothing else.
 */
export function createTransitGateway(
    scope: AwsScope,
    choices: AwsSiteChoices,
    { asn }: VpnFacts,
    network: AwsNetwork,
): TunnelGateway {
    const { parent, region, plan } = scope;
    const at = place(scope, "vpn-gateway");
    const gateway = new transit.TransitGateway(
        at.name,
        {
            region,
            description: `VPN gateway of ${plan.clusterName}`,
            amazonSideAsn: asn,
            autoAcceptSharedAttachments: "disable",
            // Every attachment is put into a table on purpose; the default table would join them all.
            defaultRouteTableAssociation: "disable",
            defaultRouteTablePropagation: "disable",
            vpnEcmpSupport: "enable",
            tags: at.tags,
        },
        { parent },
    );
    const attachmentPlace = place(scope, "vpn-attachment");
    const attachment = new transit.VpcAttachment(
        attachmentPlace.name,
        {
            region,
            transitGatewayId: gateway.id,
            vpcId: network.vpcId,
            subnetIds: plan.zones.map((zone) => attachmentSubnet(scope, choices, network, zone)),
            transitGatewayDefaultRouteTableAssociation: false,
            transitGatewayDefaultRouteTablePropagation: false,
            tags: attachmentPlace.tags,
        },
        { parent },
    );
    const table = (what: string) => {
        const tablePlace = place(scope, what);
        return new transit.RouteTable(
            tablePlace.name,
            { region, transitGatewayId: gateway.id, tags: tablePlace.tags },
            { parent },
        );
    };
    const fromNetwork = table("vpn-routes-of-network");
    const fromPeers = table("vpn-routes-of-peers");
    const ready = joinTables(scope, "vpn-network", attachment.id, fromNetwork, fromPeers, { parent });
    return {
        target: { transitGatewayId: gateway.id },
        admitConnection: ({ what, attachmentId }, opts) => joinTables(scope, what, attachmentId, fromPeers, fromNetwork, opts),
        leadTo: ({ facts, vpn }, opts) => [
            ...ready,
            ...routeTablesOf(network).flatMap(([zone, routeTableId]) =>
                vpn.ranges.map(
                    (range) =>
                        new ec2.Route(
                            `${plan.name}-vpn-route-to-${facts.name}-${zone}-${nameOf(range)}`,
                            { region, routeTableId, destinationCidrBlock: range, transitGatewayId: gateway.id },
                            // AWS refuses the route before the gateway is attached to the network.
                            { ...opts, ...ownProvider(scope), dependsOn: [attachment] },
                        ),
                ),
            ),
        ],
    };
}

/** Puts an attachment under one table, and makes its routes known in the other. */
function joinTables(
    { plan, region }: AwsScope,
    what: string,
    transitGatewayAttachmentId: pulumi.Output<string>,
    under: transit.RouteTable,
    knownIn: transit.RouteTable,
    opts: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
    return [
        new transit.RouteTableAssociation(
            `${plan.name}-${what}-association`,
            { region, transitGatewayAttachmentId, transitGatewayRouteTableId: under.id },
            // An attachment is under one table at a time, and has its id as the resource's.
            { ...opts, deleteBeforeReplace: true },
        ),
        new transit.RouteTablePropagation(
            `${plan.name}-${what}-propagation`,
            { region, transitGatewayAttachmentId, transitGatewayRouteTableId: knownIn.id },
            { ...opts, deleteBeforeReplace: true },
        ),
    ];
}

/** A subnet of a zone with nothing but the gateway's attachment in it. Its routes are the network's main ones: to the network itself. */
function attachmentSubnet(
    scope: AwsScope,
    { subnets }: AwsSiteChoices,
    network: AwsNetwork,
    zone: string,
): pulumi.Output<string> {
    const { parent, region } = scope;
    const { attachmentSubnetId, name } = zoneOf(network, zone);
    if (attachmentSubnetId !== undefined) {
        return attachmentSubnetId;
    }
    const at = place(scope, `vpn-attachment-${zone}`);
    return new ec2.Subnet(
        at.name,
        {
            region,
            vpcId: network.vpcId,
            availabilityZone: name,
            cidrBlock: subnets[zone]?.attachment ?? "",
            mapPublicIpOnLaunch: false,
            tags: at.tags,
        },
        { parent },
    ).id;
}
