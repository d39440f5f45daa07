import type * as pulumi from "@pulumi/pulumi";
import type { Site } from "../contracts/site.js";
import { joinEnds, type PathDetails, type TierPath } from "./tierPath.js";

/** Joins two sites by tier `interconnect`: a private link between the two sites' networks. */
export function joinInterconnect(
    pair: string,
    a: Site,
    b: Site,
    opts: pulumi.CustomResourceOptions,
    { pathSeconds }: PathDetails,
): TierPath {
    return joinEnds({ pair, a, endOfA: a.interconnectEnd(), b, endOfB: b.interconnectEnd(), pathSeconds }, opts);
}
