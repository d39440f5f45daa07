import type * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../cluster/clusterPlan.js";
import { physicalName } from "./names.js";

/** What every part of a site is made with. */
export interface GcpScope {
    /** The site: parent of all that it makes. */
    readonly parent: pulumi.Resource;
    readonly plan: ClusterPlan;
    readonly region: string;
    /** Set where the user named one; else the provider's. */
    readonly project: pulumi.Input<string> | undefined;
    readonly labels: Readonly<Record<string, string>>;
    readonly kmsKey: pulumi.Input<string> | undefined;
}

/** A child's logical name, and the arguments that give it its place: project, and a physical name where Pulumi's would be too long. */
export function place(
    { plan, project }: GcpScope,
    what: string,
): { readonly name: string; readonly at: { readonly project: GcpScope["project"]; readonly name: string | undefined } } {
    const name = `${plan.name}-${what}`;
    return { name, at: { project, name: physicalName(name) } };
}

/** The provider of the site, for what the mesh makes at the site: its parent is not the site, whose provider it would not inherit. */
export function ownProvider({ parent }: Pick<GcpScope, "parent">): { readonly provider?: pulumi.ProviderResource } {
    const provider = parent.getProvider("gcp:index/provider:Provider");
    return provider === undefined ? {} : { provider };
}
