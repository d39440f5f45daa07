import { checkAsn, defaultAsn } from "../addressing/asn.js";
import { checkTunnelPool } from "../addressing/tunnels.js";
import type { VpnFacts } from "../contracts/facts.js";
import type { ClusterPlan } from "./clusterPlan.js";

/** A cloud site's VPN gateway, as every cloud takes it. Made only when a pair of tier `vpn` needs it. Plain values: they shape the graph. */
export interface CloudVpnArgs {
    /**
     * Autonomous system number of the site's gateway, unique in the mesh, kept for the gateway's life.
     * @default 64520 + siteNumber
     */
    readonly asn?: number | undefined;
    /**
     * Base of the ranges inside the tunnels, where others are in use already in the network: a /21. Both sites of a pair set the same. Pairs with
     * Azure take theirs from 169.254.21.0/24 and 169.254.22.0/24 whatever is set here.
     * @default "169.254.32.0/21"
     */
    readonly tunnelPool?: string | undefined;
}

/** What of a cloud's VPN gateway its arguments do not say. */
export interface CloudVpnPlace {
    readonly platform: "aws" | "gcp" | "azure";
    /** The ranges that are told to peers. */
    readonly ranges: readonly string[];
    /** Within what no two tunnels may have the same inside range: the site's gateway (AWS, Azure), or the VPC network (GCP). */
    readonly scope: string;
}

/**
 * What the mesh's plan reads of a cloud site's VPN gateway.
 *
 * @throws InputError naming the argument
 */
export function cloudVpnFacts(
    { name, siteNumber }: Pick<ClusterPlan, "name" | "siteNumber">,
    { asn, tunnelPool }: CloudVpnArgs,
    { platform, ranges, scope }: CloudVpnPlace,
): VpnFacts {
    if (tunnelPool !== undefined) {
        checkTunnelPool(tunnelPool, "vpn.tunnelPool");
    }
    return {
        asn: asn === undefined ? defaultAsn(siteNumber) : checkAsn(asn, "vpn.asn"),
        ranges,
        end: { name, siteNumber, platform, scope, addresses: 2 },
        tunnelPool,
    };
}
