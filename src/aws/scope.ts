import type * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../cluster/clusterPlan.js";

/** What every part of a site is made with. */
export interface AwsScope {
    /** The site: parent of all that it makes. */
    readonly parent: pulumi.Resource;
    readonly plan: ClusterPlan;
    /** Region of every resource that has one, whatever region the provider has. */
    readonly region: string;
    /** Linkspan's own tags and the user's. */
    readonly tags: Readonly<Record<string, string>>;
    readonly kmsKeyId: pulumi.Input<string> | undefined;
    readonly permissionsBoundary: pulumi.Input<string> | undefined;
}

/** A child's logical name, and its tags: what AWS's console shows as its name, Linkspan's own and the user's, which win. */
export function place(
    { plan, tags }: Pick<AwsScope, "plan" | "tags">,
    what: string,
): { readonly name: string; readonly tags: Record<string, string> } {
    return { name: `${plan.name}-${what}`, tags: { Name: `${plan.clusterName}-${what}`, ...tags } };
}

/** The permissions boundary of the site's roles, where the account asks for one. */
export function boundary({ permissionsBoundary }: Pick<AwsScope, "permissionsBoundary">): {
    readonly permissionsBoundary?: pulumi.Input<string>;
} {
    return permissionsBoundary === undefined ? {} : { permissionsBoundary };
}

/** The provider of the site, for what the mesh makes at the site: its parent is not the site, whose provider it would not inherit. */
export function ownProvider({ parent }: Pick<AwsScope, "parent">): { readonly provider?: pulumi.ProviderResource } {
    const provider = parent.getProvider("aws:index/provider:Provider");
    return provider === undefined ? {} : { provider };
}
