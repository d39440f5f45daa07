import type * as pulumi from "@pulumi/pulumi";
import type { Site } from "../contracts/site.js";
import { joinEnds, type TierPath } from "./tierPath.js";

/** Joins two sites by tier `vpn`: IPsec tunnels between the two sites' gateways. */
export function joinVpn(pair: string, a: Site, b: Site, opts: pulumi.CustomResourceOptions): TierPath {
    return joinEnds(pair, a, a.vpnEnd(), b, b.vpnEnd(), opts);
}
