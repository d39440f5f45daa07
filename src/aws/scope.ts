import type * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../cluster/clusterPlan.js";

/** What every part of a site is made with. */
export interface AwsScope {
    /** The site: parent of all that it makes. */
    readonly parent: pulumi.Resource;
    readonly plan: ClusterPlan;
    readonly region: string;
    /** Linkspan's own tags and the user's. */
    readonly tags: Readonly<Record<string, string>>;
    readonly kmsKeyId: pulumi.Input<string> | undefined;
}

/** A child's logical name, and its tags: what AWS's console shows as its name, Linkspan's own and the user's, which win. */
export function place(
    { plan, tags }: Pick<AwsScope, "plan" | "tags">,
    what: string,
): { readonly name: string; readonly tags: Record<string, string> } {
    return { name: `${plan.name}-${what}`, tags: { Name: `${plan.clusterName}-${what}`, ...tags } };
}
