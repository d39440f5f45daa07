import { hoursPerMonth, type MonthlyCost } from "../cluster/monthlyCost.js";
import type { PlannedVpnPeer } from "../contracts/vpn.js";
import type { GcpSiteChoices } from "./choices.js";

/** Prices by machine type, US dollars a month in us-central1. */
const machinePrices: Readonly<Record<string, number>> = { "c4a-standard-2": 65.55, "n2-standard-2": 70.9 };
/** US dollars an hour. */
const natPerMachine = 0.0014;
const natPerAddress = 0.005;
const forwardingRule = 0.025;

const natSource = {
    source: "Cloud NAT pricing, cloud.google.com/nat/pricing, the same in all regions",
    date: "2026-11-23",
} as const;
const notLookedUp = { usd: undefined, source: "not looked up", date: "2026-11-23" } as const;

const ruleSource = {
    source: "infracost's golden files: 0.01 to 0.025 USD an hour by region, the highest taken",
    date: "2026-08-21",
} as const;

/**
 * What a site costs in a month before anything is sent. Logs and the reading of secrets come on top, and data through the NAT: 0.045 USD per GiB.
 *
 * @param vpnPeers the site's pairs of tier `vpn`; undefined where it has none. Their tunnels are no cost of the site: pairs list them. The
 * gateway, its router and peerings are free
 */
export function monthlyCosts(
    { plan, egressKeys }: Pick<GcpSiteChoices, "plan" | "egressKeys">,
    vpnPeers?: readonly PlannedVpnPeer[] | undefined,
): readonly MonthlyCost[] {
    const nodes = plan.nodes.length;
    const machine = machinePrices[plan.size];
    return [
        {
            what: `${nodes} ${plan.size}`,
            usd: machine === undefined ? undefined : cents(machine * nodes),
            source: "a published comparison of list prices in us-central1",
            date: "2026-03-15",
        },
        { what: `${2 * nodes} disks`, ...notLookedUp },
        { what: `Cloud NAT for ${nodes} machines`, usd: cents(natPerMachine * hoursPerMonth * nodes), ...natSource },
        {
            what: `${egressKeys.length} NAT addresses`,
            usd: cents(natPerAddress * hoursPerMonth * egressKeys.length),
            ...natSource,
        },
        { what: "1 forwarding rule", usd: cents(forwardingRule * hoursPerMonth), ...ruleSource },
        { what: "1 private DNS zone", ...notLookedUp },
        { what: "10 secrets", ...notLookedUp },
        ...(vpnPeers === undefined
            ? []
            : [
                  {
                      what: "1 forwarding rule of the private link door",
                      usd: cents(forwardingRule * hoursPerMonth),
                      ...ruleSource,
                  },
              ]),
    ];
}

function cents(usd: number): number {
    return Math.round(usd * 100) / 100;
}
