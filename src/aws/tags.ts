import { createHash } from "node:crypto";
import type { AwsChoices } from "./choices.js";

/** Tags of one resource: what AWS's console shows as its name, Linkspan's own and the user's, which win. */
export function tagged({ plan, tags }: Pick<AwsChoices, "plan" | "tags">, what: string): Record<string, string> {
    return { Name: `${plan.clusterName}-${what}`, ...tags };
}

/**
 * A physical name of at most 32 characters, the most that load balancers and target groups may have: a site's name alone takes up to 24,
 * which leaves too little for Pulumi's own random ending. The hash keeps meshes apart; the same arguments give the same name.
 */
export function shortName({ plan, region }: Pick<AwsChoices, "plan" | "region">, what: string): string {
    const hash = createHash("sha256").update(`${plan.meshId}/${plan.name}/${region}/${what}`).digest("hex").slice(0, 6);
    return `${plan.name.slice(0, 32 - what.length - hash.length - 2)}-${what}-${hash}`.replace(/-{2,}/g, "-");
}
