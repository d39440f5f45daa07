import * as pulumi from "@pulumi/pulumi";
import { doorPorts } from "../cluster/ports.js";
import type { LinkDoor, TierPeer, VpnEnd } from "../contracts/site.js";
import type { PlannedVpnPeer } from "../contracts/vpn.js";
import { failOn } from "../input.js";
import type { AzureSiteChoices } from "./choices.js";
import { priorities, withoutContained } from "./firewall.js";
import { AzurePeerableNetwork } from "./peering.js";
import { createPrivateDoor, type PrivateDoorParts } from "./privateDoor.js";
import { portOf } from "./publicEnd.js";
import { type AzureScope, ownProvider } from "./scope.js";
import { checkTunnels } from "./vpnArgs.js";
import { AzureVpnGateway } from "./vpnGateway.js";

/** What a site's half of tier `vpn` is made from. */
export interface VpnEndParts extends PrivateDoorParts {
    readonly caPem: pulumi.Output<string>;
    /** What of the site itself changes the virtual network: Azure takes one such operation at a time. */
    readonly changes: readonly pulumi.Resource[];
}

/**
 * A site's half of tier `vpn`: the private link door, and the gateway, which is made with the first tunnels. Called once, for the first pair of
 * the tier.
 *
 * @throws InputError where the gateway cannot take all pairs
 */
export function azureVpnEnd(
    scope: AzureScope,
    choices: AzureSiteChoices,
    parts: VpnEndParts,
    peers: readonly PlannedVpnPeer[],
): VpnEnd {
    const { linkHost } = scope.plan;
    const { support } = choices.vpn;
    if ("reason" in support) {
        throw new Error(`${scope.plan.name} has no VPN end`);
    }
    failOn(scope.parent, () => checkTunnels(choices.vpn, scope.plan.name, peers));
    sayTransit(scope, peers);
    const privateDoor = createPrivateDoor(scope, choices, parts);
    const door: LinkDoor = {
        server: pulumi.output(`${linkHost}:${doorPorts.links}`),
        address: { host: linkHost, recordType: "A", value: pulumi.output(privateDoor.address), port: doorPorts.links },
        tls: parts.caPem.apply((ca) => ({ enable: true, ca, serverName: linkHost })),
        clientCertificate: "mesh",
    };
    const network = new AzurePeerableNetwork(scope, parts.network, support.ranges, parts.changes);
    return {
        tier: "vpn",
        door,
        // Peers see the brokers by their private addresses: the ranges are what their rules name.
        egress: [],
        admit: (peer, opts) => [...privateDoor.ready, ...admit(scope, parts, peer, opts)],
        gateway: new AzureVpnGateway(scope, { choices, facts: support, network, peers }),
    };
}

/** Lets a peer's ranges in to the links' port, and brokers out to the peer's link door within these. */
function admit(
    scope: AzureScope,
    { firewall }: VpnEndParts,
    { facts, door }: TierPeer,
    opts: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
    const { name: site } = scope.plan;
    const ranges = withoutContained(facts.vpn?.ranges ?? []);
    if (ranges.length === 0) {
        // A rule without sources would not be "nobody" to Azure.
        throw new RangeError(`${facts.name} has no known ranges, which ${site} could admit`);
    }
    const priority = priorities.vpnPeers + facts.siteNumber;
    const own = { ...opts, ...ownProvider(scope) };
    const fixed = door.address?.recordType === "A" ? door.address : undefined;
    return [
        firewall.rule(
            `${site}-vpn-from-${facts.name}`,
            {
                description: `Links of ${facts.name}, tier vpn`,
                direction: "Inbound",
                priority,
                who: ranges,
                ports: [String(doorPorts.links)],
            },
            own,
        ),
        firewall.rule(
            `${site}-vpn-to-${facts.name}`,
            {
                description: `Link door of ${facts.name}, tier vpn`,
                direction: "Outbound",
                priority,
                who: fixed === undefined ? ranges : [pulumi.interpolate`${fixed.value}/32`],
                ports: [fixed === undefined ? door.server.apply(portOf) : String(fixed.port)],
            },
            own,
        ),
    ];
}

/** A gateway of Azure tells its peers of each other: worth knowing where there are several. */
function sayTransit({ parent, plan }: AzureScope, peers: readonly PlannedVpnPeer[]): void {
    const tunnelled = peers.filter(({ tunnels }) => tunnels.length > 0).map(({ facts }) => facts.name);
    if (tunnelled.length > 1) {
        void pulumi.log.info(
            `${plan.name}: its VPN gateway tells ${tunnelled.join(" and ")} of each other's ranges, as every gateway of Azure does; what they could then send each other through it is stopped by their firewalls alone`,
            parent,
        );
    }
}
