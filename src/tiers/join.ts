import type * as pulumi from "@pulumi/pulumi";
import type { Site } from "../contracts/site.js";
import type { Tier } from "../naming.js";
import { joinInterconnect } from "./interconnect.js";
import { joinNat } from "./nat.js";
import type { TierPath } from "./tierPath.js";
import { joinVpn } from "./vpn.js";

/** How each tier joins two sites. */
const joins: Readonly<Record<Tier, (pair: string, a: Site, b: Site, opts: pulumi.CustomResourceOptions) => TierPath>> = {
    nat: joinNat,
    vpn: joinVpn,
    interconnect: joinInterconnect,
};

/** Joins two sites by a tier that both support. */
export function joinSites(tier: Tier, pair: string, a: Site, b: Site, opts: pulumi.CustomResourceOptions): TierPath {
    return joins[tier](pair, a, b, opts);
}
