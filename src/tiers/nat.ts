import type * as pulumi from "@pulumi/pulumi";
import type { Site } from "../contracts/site.js";
import { joinEnds, type PathDetails, type TierPath } from "./tierPath.js";

/** Joins two sites by tier `nat`: public addresses: each side's link door admits the other's egress addresses. */
export function joinNat(
    pair: string,
    a: Site,
    b: Site,
    opts: pulumi.CustomResourceOptions,
    { pathSeconds }: PathDetails,
): TierPath {
    return joinEnds({ pair, a, endOfA: a.publicEnd(), b, endOfB: b.publicEnd(), pathSeconds }, opts);
}
