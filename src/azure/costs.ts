import { hoursPerMonth, type MonthlyCost } from "../cluster/monthlyCost.js";
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

/** What a site costs in a month before anything is sent. Data through the NAT gateway comes on top, 0.045 USD per GB, and flow logs by volume. */
export function monthlyCosts({
    plan,
    network,
    flowLogs,
}: Pick<AzureSiteChoices, "plan" | "network" | "flowLogs">): readonly MonthlyCost[] {
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
    ];
}

function cents(usd: number): number {
    return Math.round(usd * 100) / 100;
}
