import { createHash } from "node:crypto";
import type { AwsScope } from "./scope.js";

/** The most that load balancers and target groups may have. */
const longest = 32;
const hashLength = 6;

/**
 * A physical name for what AWS allows 32 characters only: a site's name alone takes up to 24, which leaves too little for Pulumi's own
 * random ending. The hash keeps meshes and regions apart; the same site has the same name at every run.
 */
export function physicalName({ plan, region }: Pick<AwsScope, "plan" | "region">, what: string): string {
    const hash = createHash("sha256").update([plan.meshId, plan.name, region, what].join("/")).digest("hex").slice(0, hashLength);
    const site = plan.name.slice(0, longest - what.length - hashLength - 2).replace(/-+$/, "");
    return `${site}-${what}-${hash}`;
}
