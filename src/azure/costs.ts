import { hoursPerMonth, type MonthlyCost } from "../cluster/monthlyCost.js";
import type { PlannedVpnPeer } from "../contracts/vpn.js";
import type { AzureSiteChoices } from "./choices.js";

/** Prices of machines, US dollars an hour. Azure charges a size by its processors: the half of the next larger one. */
const machines: Readonly<Record<string, Omit<MonthlyCost, "what" | "usd"> & { readonly hour: number }>> = {
    Standard_D2ps_v6: {
        hour: 0.07,
        source: "half of Standard_D4ps_v6, 0.14 USD an hour in westus3, by Azure's retail prices",
        date: "2026-09",
    },
    Standard_D2s_v5: { hour: 0.096, source: "published list prices in eastus", date: "2026-08-21" },
};
/** US dollars an hour. */
const natGateway = 0.045;
const publicAddress = 0.005;
/** US dollars a month of a standard SSD of 32 GiB, the step that 30 GiB are charged as. */
const systemDisk = 2.4;
const retail = { source: "Azure's retail prices in eastus", date: "2026-10-16" } as const;
const notLookedUp = { usd: undefined, source: "not looked up", date: "2026-11-23" } as const;

/** US dollars an hour of VPN gateways, both instances together. Others are not known here. */
const vpnGateways: Readonly<Record<string, number>> = { VpnGw1AZ: 0.21 };

/**
 * What a site costs in a month before anything is sent. Data through the NAT gateway comes on top, 0.045 USD per GB, through the VPN gateway
 * 0.035 USD, and flow logs by volume.
 *
 * @param vpnPeers the site's pairs of tier `vpn`; undefined where it has none. Their connections are no cost of the site: pairs list them
 */
export function monthlyCosts(
    { plan, network, flowLogs, vpn }: Pick<AzureSiteChoices, "plan" | "network" | "flowLogs" | "vpn">,
    vpnPeers?: readonly PlannedVpnPeer[] | undefined,
): readonly MonthlyCost[] {
    const nodes = plan.nodes.length;
    const machine = machines[plan.size];
    return [
        machine === undefined
            ? { what: `${nodes} ${plan.size}`, ...notLookedUp }
            : {
                  what: `${nodes} ${plan.size}`,
                  usd: cents(machine.hour * hoursPerMonth * nodes),
                  source: machine.source,
                  date: machine.date,
              },
        { what: `${nodes} system disks`, usd: cents(systemDisk * nodes), ...retail },
        { what: `${nodes} data disks of ${plan.dataDiskGb} GiB`, ...notLookedUp },
        ...(network === undefined
            ? [
                  {
                      what: "1 NAT gateway",
                      usd: cents(natGateway * hoursPerMonth),
                      source: "infracost's golden files",
                      date: "2026-08-21",
                  },
              ]
            : []),
        {
            what: `${network === undefined ? 2 : 1} public addresses`,
            usd: cents(publicAddress * hoursPerMonth * (network === undefined ? 2 : 1)),
            ...retail,
        },
        { what: "1 load balancer with 3 rules", ...notLookedUp },
        { what: "1 private DNS zone", ...notLookedUp },
        { what: "1 key vault", ...notLookedUp },
        ...(flowLogs === undefined ? [] : [{ what: "flow logs, by volume", ...notLookedUp }]),
        ...(vpnPeers === undefined ? [] : vpnCosts(vpn.sku, vpnPeers)),
    ];
}

/** The private link door, and the gateway with its two addresses where a pair has tunnels. */
function vpnCosts(sku: string, peers: readonly PlannedVpnPeer[]): readonly MonthlyCost[] {
    const gateway = vpnGateways[sku];
    return [
        { what: "1 load balancer with 1 rule, the private link door", ...notLookedUp },
        ...(peers.every(({ tunnels }) => tunnels.length === 0)
            ? []
            : [
                  gateway === undefined
                      ? { what: `1 VPN gateway ${sku}`, ...notLookedUp }
                      : {
                            what: `1 VPN gateway ${sku}`,
                            usd: cents(gateway * hoursPerMonth),
                            source: "infracost's golden files",
                            date: "2026-08-21",
                        },
                  { what: "2 public addresses of the VPN gateway", usd: cents(2 * publicAddress * hoursPerMonth), ...retail },
              ]),
    ];
}

function cents(usd: number): number {
    return Math.round(usd * 100) / 100;
}
