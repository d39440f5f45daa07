import type { VpnSupport } from "../cluster/cloudSite.js";
import type { ClusterPlan } from "../cluster/clusterPlan.js";
import { type CloudVpnArgs, cloudVpnFacts } from "../cluster/vpn.js";
import type { PlannedVpnPeer } from "../contracts/vpn.js";
import { InputError, quote } from "../errors.js";

/** The site's VPN gateway. It is made only when a pair of tier `vpn` needs tunnels. */
export interface AwsVpnArgs extends CloudVpnArgs {
    /**
     * - `transit`: a transit gateway. Uses both tunnels of each connection at once, keeps peers apart, and costs 36.50 USD a month for the
     *   network and for each VPN connection (us-east-1, 2026-08-21).
     * - `virtual`: a virtual private gateway, free of charge. Uses one tunnel at a time, takes 10 VPN connections (5 peers in clouds), and tells
     *   each peer of the others' ranges: peers then reach each other's networks through this site, as far as their firewalls, which admit
     *   ranges of their own peers only, let them.
     *
     * Another choice makes all tunnels of the site anew.
     * @default "transit"
     */
    readonly gateway?: "transit" | "virtual" | undefined;
}

/** What was decided of a site's VPN gateway. */
export interface AwsVpnChoice {
    readonly gateway: "transit" | "virtual";
    readonly support: VpnSupport;
}

/** What a network of the user's says for the gateway. */
interface VpnNetwork {
    readonly zones: Readonly<Record<string, { readonly routeTableId?: unknown; readonly attachmentSubnetId?: unknown }>>;
}

/** VPN connections that AWS gives a virtual private gateway. */
const mostOfVirtual = 10;

/**
 * Checks the arguments of the VPN gateway.
 *
 * @throws InputError naming the argument
 */
export function chooseVpn(
    plan: Pick<ClusterPlan, "name" | "siteNumber">,
    args: AwsVpnArgs | undefined,
    cidr: string,
    network: VpnNetwork | undefined,
): AwsVpnChoice {
    const gateway = args?.gateway ?? "transit";
    if (gateway !== "transit" && gateway !== "virtual") {
        throw new InputError("vpn.gateway", `${quote(gateway)} is not known; set "transit" or "virtual"`);
    }
    const facts = cloudVpnFacts(plan, args ?? {}, {
        platform: "aws",
        ranges: [cidr],
        scope: `the VPN gateway of ${plan.name}`,
    });
    const lacking = network === undefined ? [] : lacks(network, gateway);
    if (lacking.length > 0) {
        const reason = `the network is yours, and tier vpn needs more of it: set ${lacking.join(", ")}`;
        return { gateway, support: { reason } };
    }
    return { gateway, support: facts };
}

/** What the arguments of a network of the user's do not say and the gateway needs. */
function lacks({ zones }: VpnNetwork, gateway: AwsVpnChoice["gateway"]): readonly string[] {
    return Object.entries(zones).flatMap(([zone, { routeTableId, attachmentSubnetId }]) => [
        ...(routeTableId === undefined ? [`network.zones[${quote(zone)}].routeTableId`] : []),
        ...(attachmentSubnetId === undefined && gateway === "transit"
            ? [`network.zones[${quote(zone)}].attachmentSubnetId`]
            : []),
    ]);
}

/** How many VPN connections the site's tunnels make. */
export function connectionCount(peers: readonly PlannedVpnPeer[]): number {
    return peers.reduce((sum, { tunnels }) => sum + new Set(tunnels.map(({ aws }) => aws?.connection)).size, 0);
}

/**
 * Checks that a gateway takes all connections of its site.
 *
 * @throws InputError naming the argument
 */
export function checkConnections({ gateway }: AwsVpnChoice, site: string, peers: readonly PlannedVpnPeer[]): void {
    const count = connectionCount(peers);
    if (gateway === "virtual" && count > mostOfVirtual) {
        throw new InputError(
            "vpn.gateway",
            `"virtual" takes ${mostOfVirtual} VPN connections, and the pairs of ${site} need ${count}; set "transit"`,
        );
    }
}
