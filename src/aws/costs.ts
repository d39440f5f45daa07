import { hoursPerMonth, type MonthlyCost } from "../cluster/monthlyCost.js";
import type { PlannedVpnPeer } from "../contracts/vpn.js";
import { rootDiskGb } from "./brokers.js";
import { type AwsSiteChoices, elasticIpCount } from "./choices.js";
import { connectionCount } from "./vpnArgs.js";

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
    attachment: { usd: 0.05, source: `${priceList}, as printed by infracost's transit gateway examples`, date: "2026-08-21" },
    address: { usd: 0.005, source: "AWS's announcement, all regions", date: "2024-02-01" },
    unknown: { usd: undefined, source: "no dated price at hand", date: "" },
} as const satisfies Readonly<Record<string, Price>>;

/** What of a site's choices its costs follow from. */
type Costly = Pick<AwsSiteChoices, "plan" | "natZones" | "network" | "vpn">;

/**
 * What a site costs in a month before anything is sent. Traffic comes on top: 0.045 USD per GB through a NAT gateway, 0.02 USD through a
 * transit gateway, the load balancers' capacity units, data out to the internet, and what flow logs take in.
 *
 * @param vpnPeers the site's pairs of tier `vpn`; undefined where it has none. Their VPN connections are no cost of the site: pairs list them
 */
export function monthlyCosts(
    { plan, natZones, network, vpn }: Costly,
    vpnPeers?: readonly PlannedVpnPeer[] | undefined,
): MonthlyCost[] {
    const nodes = plan.nodes.length;
    return [
        row(nodes, `broker machine ${plan.size}`, machinePrices[plan.size] ?? prices.unknown),
        row(nodes, `${plan.dataDiskGb + rootDiskGb} GiB of gp3 disks`, prices.unknown),
        ...(network === undefined ? [row(natZones.length, "NAT gateway", prices.natGateway)] : []),
        row(1, "network load balancer", prices.loadBalancer),
        row(elasticIpCount({ plan, natZones }), "Elastic IP", prices.address),
        row(1, "private zone of Route 53", prices.unknown),
        ...(vpnPeers === undefined ? [] : vpnCosts(vpn, vpnPeers)),
    ];
}

/** The private link door, and the gateway's attachments: one of the network, and one of each VPN connection. A virtual gateway has none. */
function vpnCosts({ gateway }: AwsSiteChoices["vpn"], peers: readonly PlannedVpnPeer[]): readonly MonthlyCost[] {
    const connections = connectionCount(peers);
    return [
        row(1, "network load balancer of the private link door", prices.loadBalancer),
        ...(gateway === "transit" && connections > 0
            ? [row(1 + connections, "attachment of the transit gateway", prices.attachment)]
            : []),
    ];
}

function row(count: number, what: string, price: Price): MonthlyCost {
    return {
        what: `${count} × ${what}`,
        usd: price.usd === undefined ? undefined : Math.round(count * price.usd * hoursPerMonth * 100) / 100,
        source: price.source,
        date: price.date,
    };
}
