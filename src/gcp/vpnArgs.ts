import type { VpnSupport } from "../cluster/cloudSite.js";
import type { ClusterPlan } from "../cluster/clusterPlan.js";
import { type CloudVpnArgs, cloudVpnFacts } from "../cluster/vpn.js";
import type { GcpNetworkArgs } from "./args.js";

/** The site's VPN gateway. It is made only when a pair of tier `vpn` needs tunnels. */
export type GcpVpnArgs = CloudVpnArgs;

/**
 * Checks the arguments of the VPN gateway. In GCP the ranges inside tunnels are unique in the whole VPC network, whoever's routers are in it.
 *
 * @throws InputError naming the argument
 */
export function chooseVpn(
    plan: Pick<ClusterPlan, "name" | "siteNumber">,
    args: GcpVpnArgs | undefined,
    cidr: string,
    network: GcpNetworkArgs | undefined,
): VpnSupport {
    const scope = network === undefined ? `the VPC network of ${plan.name}` : pathOf(network.network);
    const facts = cloudVpnFacts(plan, args ?? {}, { platform: "gcp", ranges: [cidr], scope: scope ?? "" });
    return scope === undefined
        ? {
              reason: "the network is yours, and tier vpn must tell networks apart before anything exists: set network.network as text",
          }
        : facts;
}

/** `projects/<project>/global/networks/<name>`, however long the link is that names it. */
function pathOf(link: GcpNetworkArgs["network"]): string | undefined {
    return typeof link === "string" ? link.slice(Math.max(0, link.indexOf("projects/"))) : undefined;
}
