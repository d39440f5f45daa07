import * as resources from "@pulumi/azure-native/resources/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../cluster/clusterPlan.js";

/** What every part of a site is made with. */
export interface AzureScope {
    /** The site: parent of all that it makes. */
    readonly parent: pulumi.Resource;
    readonly plan: ClusterPlan;
    readonly location: string;
    /** Name of the resource group. */
    readonly resourceGroupName: pulumi.Output<string>;
    /** Linkspan's own tags and the user's. */
    readonly tags: Readonly<Record<string, string>>;
}

/** What a site's parts are made with, and its resource group unless the user has one. */
export function createScope(
    parent: pulumi.Resource,
    { plan, location, tags }: Pick<AzureScope, "plan" | "location" | "tags">,
    given: pulumi.Input<string> | undefined,
): AzureScope {
    const resourceGroupName =
        given === undefined
            ? new resources.ResourceGroup(`${plan.name}-group`, { location, tags: { ...tags } }, { parent }).name
            : pulumi.output(given);
    return { parent, plan, location, resourceGroupName, tags };
}

/**
 * A child's logical name, and the arguments that give it its place. Pulumi makes the physical names of it, 8 characters longer: at most 66,
 * where Azure takes 80 (virtual machines and networks 64, whose own part is short).
 */
export function place({ plan, location, resourceGroupName, tags }: AzureScope, what: string) {
    return { name: `${plan.name}-${what}`, at: { resourceGroupName, location, tags: { ...tags } } } as const;
}

/** The provider of the site, for what the mesh makes at the site: its parent is not the site, whose provider it would not inherit. */
export function ownProvider({ parent }: Pick<AzureScope, "parent">): { readonly provider?: pulumi.ProviderResource } {
    const provider = parent.getProvider("azure-native:network:SecurityRule");
    return provider === undefined ? {} : { provider };
}

/** What a resource waits for, and one more. */
export function dependingOn(
    given: pulumi.CustomResourceOptions["dependsOn"],
    more: pulumi.Resource,
): pulumi.Output<pulumi.Resource[]> {
    return pulumi.output(given ?? []).apply((known) => [known, more].flat());
}
