import * as ec2 from "@pulumi/aws/ec2/index.js";
import type { VpnFacts } from "../contracts/facts.js";
import type { AwsSiteChoices } from "./choices.js";
import { type AwsScope, place } from "./scope.js";
import type { TunnelGateway } from "./tunnelGateway.js";
import { type AwsNetwork, routeTablesOf } from "./zones.js";

/**
 * A virtual private gateway: what peers announce comes into the brokers' route tables by itself. It tells each peer of the others; that peers
 * do not reach brokers of other pairs through it is left to firewalls, all of which admit ranges of their own pairs only.
 */
export function createVirtualGateway(
    scope: AwsScope,
    _choices: AwsSiteChoices,
    { asn }: VpnFacts,
    network: AwsNetwork,
): TunnelGateway {
    const { parent, region, plan } = scope;
    const at = place(scope, "vpn-gateway");
    const gateway = new ec2.VpnGateway(
        at.name,
        { region, vpcId: network.vpcId, amazonSideAsn: String(asn), tags: at.tags },
        // A network has one.
        { parent, deleteBeforeReplace: true },
    );
    const propagations = routeTablesOf(network).map(
        ([zone, routeTableId]) =>
            new ec2.VpnGatewayRoutePropagation(
                `${plan.name}-vpn-routes-${zone}`,
                { region, vpnGatewayId: gateway.id, routeTableId },
                { parent },
            ),
    );
    return {
        target: { vpnGatewayId: gateway.id },
        admitConnection: () => [],
        leadTo: () => propagations,
    };
}
