import type * as pulumi from "@pulumi/pulumi";
import type { VpnSupport } from "../cluster/cloudSite.js";
import type { ClusterPlan } from "../cluster/clusterPlan.js";
import { type CloudVpnArgs, cloudVpnFacts } from "../cluster/vpn.js";

/** The site's VPN gateway. It is made only when a pair of tier `vpn` needs tunnels. */
export type GcpVpnArgs = CloudVpnArgs;

/**
 * Checks the arguments of the VPN gateway. In GCP the ranges inside tunnels are unique in the whole VPC network, whoever's routers are in it.
 *
 * @param network the link of a network of the user's
 * @throws InputError naming the argument
 */
export function chooseVpn(
    plan: Pick<ClusterPlan, "name" | "siteNumber">,
    args: GcpVpnArgs | undefined,
    cidr: string,
    network: pulumi.Input<string> | undefined,
): VpnSupport {
    const scope = network === undefined ? `the VPC network of ${plan.name}` : pathOf(network);
    const facts = cloudVpnFacts(plan, args ?? {}, { platform: "gcp", ranges: [cidr], scope: scope ?? "" });
    return scope === undefined
        ? {
              reason: "the network is yours, and tier vpn must tell networks apart before anything exists: set network.network as text",
          }
        : facts;
}

/** `projects/<project>/global/networks/<name>`, however long the link is that names it. */
function pathOf(link: pulumi.Input<string>): string | undefined {
    return typeof link === "string" ? link.slice(Math.max(0, link.indexOf("projects/"))) : undefined;
}
