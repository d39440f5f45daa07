import { hoursPerMonth, type MonthlyCost } from "../cluster/monthlyCost.js";
import { rootDiskGb } from "./brokers.js";
import { type AwsSiteChoices, elasticIpCount } from "./choices.js";

interface Price {
    /** US dollars for one hour. */
    readonly usd: number | undefined;
    readonly source: string;
    readonly date: string;
}

const priceList = "AWS's list price for us-east-1";
/** Prices of the default machine types, for one hour. Others are not known here. */
const machinePrices: Readonly<Record<string, Price>> = {
    "m7g.large": { usd: 0.0816, source: `${priceList}, as printed by factualminds.com`, date: "2026-06-17" },
};
const prices = {
    natGateway: { usd: 0.045, source: `${priceList}, as printed by infracost's NAT gateway example`, date: "2024-09" },
    loadBalancer: { usd: 0.0225, source: `${priceList}, as printed by infracost's load balancer example`, date: "2026-08-21" },
    address: { usd: 0.005, source: "AWS's announcement, all regions", date: "2024-02-01" },
    unknown: { usd: undefined, source: "no dated price at hand", date: "" },
} as const satisfies Readonly<Record<string, Price>>;

/**
 * What a site costs in a month before anything is sent. Traffic comes on top: 0.045 USD per GB through a NAT gateway, the load balancer's
 * capacity units, data out to the internet, and what flow logs take in.
 */
export function monthlyCosts({ plan, natZones, network }: Pick<AwsSiteChoices, "plan" | "natZones" | "network">): MonthlyCost[] {
    const nodes = plan.nodes.length;
    const row = (count: number, what: string, price: Price): MonthlyCost => ({
        what: `${count} × ${what}`,
        usd: price.usd === undefined ? undefined : Math.round(count * price.usd * hoursPerMonth * 100) / 100,
        source: price.source,
        date: price.date,
    });
    return [
        row(nodes, `broker machine ${plan.size}`, machinePrices[plan.size] ?? prices.unknown),
        row(nodes, `${plan.dataDiskGb + rootDiskGb} GiB of gp3 disks`, prices.unknown),
        ...(network === undefined ? [row(natZones.length, "NAT gateway", prices.natGateway)] : []),
        row(1, "network load balancer", prices.loadBalancer),
        row(elasticIpCount({ plan, natZones }), "Elastic IP", prices.address),
        row(1, "private zone of Route 53", prices.unknown),
    ];
}
