import * as pulumi from "@pulumi/pulumi";
import type { VpnSupport } from "../cluster/cloudSite.js";
import { doorPorts } from "../cluster/ports.js";
import type { TierPeer, VpnEnd } from "../contracts/site.js";
import type { GcpFirewall } from "./firewall.js";
import { createPrivateDoor, type GcpPrivateDoor, type PrivateDoorParts } from "./privateDoor.js";
import type { GcpScope } from "./scope.js";
import { GcpVpnGateway } from "./vpnGateway.js";

/** What a site's half of tier `vpn` is made from. */
export interface VpnEndParts extends PrivateDoorParts {
    readonly firewall: GcpFirewall;
    readonly caPem: pulumi.Output<string>;
}

/**
 * A site's half of tier `vpn`: the private link door, and the gateway, which is made with the first tunnels. Called once, for the first pair of
 * the tier.
 */
export function gcpVpnEnd(scope: GcpScope, support: VpnSupport, parts: VpnEndParts): VpnEnd {
    const { linkHost, name } = scope.plan;
    if ("reason" in support) {
        throw new Error(`${name} has no VPN end`);
    }
    const door = createPrivateDoor(scope, parts);
    return {
        tier: "vpn",
        door: {
            server: pulumi.output(`${linkHost}:${doorPorts.links}`),
            address: { recordType: "A", value: pulumi.output(door.address), port: doorPorts.links, host: linkHost },
            tls: parts.caPem.apply((ca) => ({ enable: true, ca, serverName: linkHost })),
            clientCertificate: "mesh",
        },
        // Peers see the brokers by their private addresses: the ranges are what their rules name.
        egress: [],
        admit: (peer, opts) => admit(name, parts.firewall, door, peer, opts),
        gateway: new GcpVpnGateway(scope, support, parts.network),
    };
}

/**
 * Lets a peer's ranges in to the link port, and lets brokers out to the peer's link door within these. ICMP comes in with them: a tunnel says by
 * it that a packet is too large.
 */
function admit(
    site: string,
    firewall: GcpFirewall,
    door: GcpPrivateDoor,
    { facts, door: theirs }: TierPeer,
    opts: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
    const ranges = [...(facts.vpn?.ranges ?? [])];
    if (ranges.length === 0) {
        // A rule without ranges would not be "nobody" to GCP.
        throw new RangeError(`${facts.name} has no ranges, which ${site} could admit`);
    }
    const port = theirs.server.apply((server) => server.slice(server.lastIndexOf(":") + 1));
    return [
        ...door.ready,
        firewall.allow(
            `${site}-vpn-from-${facts.name}`,
            {
                description: `Links of ${facts.name}, tier vpn`,
                sourceRanges: ranges,
                ports: [String(doorPorts.links)],
                icmp: true,
                logged: true,
            },
            opts,
        ),
        firewall.allow(
            `${site}-vpn-to-${facts.name}`,
            {
                description: `Links to ${facts.name}, tier vpn`,
                destinationRanges: ranges,
                ports: [port],
                logged: true,
            },
            opts,
        ),
    ];
}
