import type * as pulumi from "@pulumi/pulumi";
import type { Site } from "../contracts/site.js";
import type { Tier } from "../naming.js";
import { joinInterconnect } from "./interconnect.js";
import { joinNat } from "./nat.js";
import type { PathDetails, TierPath } from "./tierPath.js";
import { joinVpn, type VpnJoin } from "./vpn.js";

/** What a tier needs to know of a pair beyond its two sites. */
export interface JoinDetails extends PathDetails {
    readonly vpn: VpnJoin;
}

/** How each tier joins two sites. */
const joins: Readonly<
    Record<Tier, (pair: string, a: Site, b: Site, opts: pulumi.CustomResourceOptions, details: JoinDetails) => TierPath>
> = {
    nat: joinNat,
    vpn: (pair, a, b, opts, { vpn, pathSeconds }) => joinVpn(pair, a, b, opts, { ...vpn, pathSeconds }),
    interconnect: joinInterconnect,
};

/** Joins two sites by a tier that both support. */
export function joinSites(
    tier: Tier,
    pair: string,
    a: Site,
    b: Site,
    opts: pulumi.CustomResourceOptions,
    details: JoinDetails,
): TierPath {
    return joins[tier](pair, a, b, opts, details);
}
