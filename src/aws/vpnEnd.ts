import * as vpc from "@pulumi/aws/vpc/index.js";
import * as pulumi from "@pulumi/pulumi";
import { doorPorts } from "../cluster/ports.js";
import type { LinkDoor, TierPeer, VpnEnd } from "../contracts/site.js";
import type { PlannedVpnPeer } from "../contracts/vpn.js";
import { failOn } from "../input.js";
import type { AwsSiteChoices } from "./choices.js";
import { createRule, nameOf } from "./firewall.js";
import { type AwsPrivateDoor, createPrivateDoor, type PrivateDoorParts } from "./privateDoor.js";
import { type AwsScope, ownProvider } from "./scope.js";
import { checkConnections } from "./vpnArgs.js";
import { AwsVpnGateway } from "./vpnGateway.js";

/** What a site's half of tier `vpn` is made from. */
export interface VpnEndParts extends PrivateDoorParts {
    readonly caPem: pulumi.Output<string>;
}

/**
 * A site's half of tier `vpn`: the private link door, and the gateway, which is made with the first tunnels. Called once, for the first pair of
 * the tier.
 *
 * @throws InputError where the gateway cannot take all pairs
 */
export function awsVpnEnd(
    scope: AwsScope,
    choices: AwsSiteChoices,
    parts: VpnEndParts,
    peers: readonly PlannedVpnPeer[],
): VpnEnd {
    const { linkHost } = scope.plan;
    const { support } = choices.vpn;
    if ("reason" in support) {
        throw new Error(`${scope.plan.name} has no VPN end`);
    }
    failOn(scope.parent, () => checkConnections(choices.vpn, scope.plan.name, peers));
    sayTransit(scope, choices, peers);
    const privateDoor = createPrivateDoor(scope, choices, parts);
    const door: LinkDoor = {
        server: pulumi.output(`${linkHost}:${doorPorts.links}`),
        // As in tier nat the load balancer's own name: a record never changes its type.
        address: { host: linkHost, recordType: "CNAME", value: privateDoor.host, port: doorPorts.links },
        tls: parts.caPem.apply((ca) => ({ enable: true, ca, serverName: linkHost })),
        clientCertificate: "mesh",
    };
    return {
        tier: "vpn",
        door,
        // Peers see the brokers by their private addresses: the ranges are what their rules name.
        egress: [],
        admit: (peer, opts) => admit(scope, parts, privateDoor, peer, opts),
        gateway: new AwsVpnGateway(scope, choices, support, parts.network),
    };
}

/** Opens the private door to a peer's ranges, and lets brokers out to the peer's link door within these. */
function admit(
    scope: AwsScope,
    { firewall }: VpnEndParts,
    door: AwsPrivateDoor,
    { facts, door: theirs }: TierPeer,
    opts: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
    const here = { ...opts, ...ownProvider(scope) };
    const port = theirs.server.apply((server) => Number(server.slice(server.lastIndexOf(":") + 1)));
    const rules = (facts.vpn?.ranges ?? []).flatMap((range) => {
        const description = `Links of ${facts.name}, tier vpn`;
        const peer = { cidrIpv4: range };
        const of = (securityGroup: AwsPrivateDoor["firewall"], at: pulumi.Input<number>) => ({
            securityGroup,
            port: at,
            peer,
            description,
        });
        const [inward, outward] = (["from", "to"] as const).map((way) => `vpn-${way}-${facts.name}-${nameOf(range)}`);
        return [
            createRule(scope, vpc.SecurityGroupIngressRule, `${inward}`, of(door.firewall, doorPorts.links), here),
            createRule(scope, vpc.SecurityGroupEgressRule, `${outward}`, of(firewall.brokers, port), here),
        ];
    });
    return [...door.ready, ...rules];
}

/** A virtual private gateway tells its peers of each other: worth knowing where there are several. */
function sayTransit({ parent, plan }: AwsScope, { vpn }: AwsSiteChoices, peers: readonly PlannedVpnPeer[]): void {
    const tunnelled = peers.filter(({ tunnels }) => tunnels.length > 0).map(({ facts }) => facts.name);
    if (vpn.gateway === "virtual" && tunnelled.length > 1) {
        void pulumi.log.warn(
            `${plan.name}: its virtual private gateway tells ${tunnelled.join(" and ")} of each other's ranges; what they could then send each other through it is stopped by their firewalls alone. A transit gateway keeps them apart: vpn.gateway "transit"`,
            parent,
        );
    }
}
