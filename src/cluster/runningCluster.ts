import type * as pulumi from "@pulumi/pulumi";
import type { BrokerCluster } from "../contracts/site.js";
import type { ClusterIdentity } from "./clusterIdentity.js";
import { ClusterLicense } from "./clusterLicense.js";
import type { ClusterPlan } from "./clusterPlan.js";
import { DeviceLogin } from "./deviceLogin.js";

/** What later changes of a site's arguments are brought to its running brokers by. */
export interface RunningClusterParts {
    readonly plan: ClusterPlan;
    readonly identity: Pick<ClusterIdentity, "users" | "secrets">;
    readonly api: BrokerCluster["api"];
    /** The licence key, where the plan says `key`. */
    readonly license?: "community" | "evaluation" | pulumi.Output<string> | undefined;
    /** One for each node, the first node's first. */
    readonly memberships: readonly pulumi.Resource[];
    /** How the API is reached. */
    readonly reached: readonly pulumi.Resource[];
}

/**
 * Brings licence and device users to a running cluster: brokers read both by themselves only when they boot, the users at the very first
 * boot of all.
 *
 * Creates: `<site>-license` where a key is given, `<site>-user-<username>` for each device user.
 *
 * @returns what links must wait for: the licence, without which some releases enable none
 */
export function createRunningCluster(parent: pulumi.Resource, parts: RunningClusterParts): readonly pulumi.Resource[] {
    const { plan, identity, api, license, memberships, reached } = parts;
    const [first] = memberships;
    // The first node answers for all: what it takes goes to every node, also to those that join later.
    const dependsOn = [...(first === undefined ? [] : [first]), ...reached];
    for (const { username, password } of identity.users) {
        new DeviceLogin(
            `${plan.name}-user-${username}`,
            { api, clusterName: plan.clusterName, username, password },
            // With the whole site, its users go as well: nobody waits then for brokers that may be gone.
            { parent, dependsOn, deletedWith: identity.secrets },
        );
    }
    return plan.license === "key" && license !== undefined && typeof license !== "string"
        ? [
              new ClusterLicense(
                  `${plan.name}-license`,
                  { api, clusterName: plan.clusterName, key: license },
                  { parent, dependsOn },
              ),
          ]
        : [];
}
