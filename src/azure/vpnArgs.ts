import { azureBgpAddresses, mostAzureSiteNumber } from "../addressing/tunnels.js";
import type { VpnSupport } from "../cluster/cloudSite.js";
import type { ClusterPlan } from "../cluster/clusterPlan.js";
import { type CloudVpnArgs, cloudVpnFacts } from "../cluster/vpn.js";
import type { PlannedVpnPeer } from "../contracts/vpn.js";
import { InputError, quote } from "../errors.js";

/** Sizes of a zone-redundant VPN gateway. */
export type AzureVpnSku = "VpnGw1AZ" | "VpnGw2AZ" | "VpnGw3AZ" | "VpnGw4AZ" | "VpnGw5AZ";

/**
 * The site's VPN gateway: two instances, both in use, over all zones. It is made only when a pair of tier `vpn` needs tunnels, and takes
 * 45 minutes or more.
 */
export interface AzureVpnArgs extends Pick<CloudVpnArgs, "asn"> {
    /**
     * Size, by what all of its tunnels carry together: `VpnGw1AZ` 650 Mbit/s, `VpnGw2AZ` 1.25 Gbit/s, `VpnGw3AZ` 2.5 Gbit/s with 30 tunnels each;
     * `VpnGw4AZ` 5 Gbit/s and `VpnGw5AZ` 10 Gbit/s with 100 tunnels (Azure's table of gateway SKUs, read 2026-11-23). A peer on AWS takes 4
     * tunnels, any other cloud 2. Another size is a change in place of some minutes, but from or to `VpnGw1AZ`, which is of another generation,
     * the gateway is made anew, and the pairs have no tunnels for more than an hour.
     * @default "VpnGw1AZ"
     */
    readonly sku?: AzureVpnSku | undefined;
    /**
     * Site numbers of peers that are to come, up to 32. The gateway gets their BGP addresses, four for each, whatever cloud they turn out to
     * be in; when such a pair is made, the gateway is not touched. Leave them here when the peers are there. Without it, a new pair updates the
     * gateway, which takes minutes, while the tunnels of all pairs hang on it.
     * @default none
     */
    readonly plannedPeers?: readonly number[] | undefined;
}

/** What was decided of a site's VPN gateway. */
export interface AzureVpnChoice {
    readonly sku: AzureVpnSku;
    readonly plannedPeers: readonly number[];
    readonly support: VpnSupport;
}

/** Tunnels that a gateway takes. Azure's table of gateway SKUs, read 2026-11-23. */
const mostTunnels: Readonly<Record<AzureVpnSku, number>> = {
    VpnGw1AZ: 30,
    VpnGw2AZ: 30,
    VpnGw3AZ: 30,
    VpnGw4AZ: 100,
    VpnGw5AZ: 100,
};
/** What the SDK lists too and does not fit, with the reason. */
const refusedSkus: Readonly<Record<string, string>> = {
    Basic: "has neither BGP nor two active instances nor algorithms of one's choice",
    Standard: "is of Azure's old line, which lacks what the tunnels need",
    HighPerformance: "is of Azure's old line, which lacks what the tunnels need",
    ...Object.fromEntries(
        [1, 2, 3, 4, 5].map((number) => [
            `VpnGw${number}`,
            "has no zones, and Azure makes no new gateway of its kind since 2025-01-01",
        ]),
    ),
};

/**
 * Checks the arguments of the VPN gateway.
 *
 * @throws InputError naming the argument
 */
export function chooseVpn(
    plan: Pick<ClusterPlan, "name" | "siteNumber">,
    args: AzureVpnArgs | undefined,
    cidr: string,
    network: { readonly gatewaySubnetId?: unknown } | undefined,
): AzureVpnChoice {
    const sku = checkSku(args?.sku ?? "VpnGw1AZ");
    const plannedPeers = checkPlannedPeers(plan.siteNumber, args?.plannedPeers ?? []);
    const facts = cloudVpnFacts(plan, args ?? {}, {
        platform: "azure",
        ranges: [cidr],
        scope: `the VPN gateway of ${plan.name}`,
    });
    const support: VpnSupport =
        network !== undefined && network.gatewaySubnetId === undefined
            ? { reason: "the network is yours, and tier vpn needs more of it: set network.gatewaySubnetId" }
            : facts;
    return { sku, plannedPeers, support };
}

function checkSku(sku: string): AzureVpnSku {
    if (isSku(sku)) {
        return sku;
    }
    const reason = Object.hasOwn(refusedSkus, sku) ? refusedSkus[sku] : "is not known";
    throw new InputError("vpn.sku", `${quote(sku)} ${reason}; set one of ${Object.keys(mostTunnels).join(", ")}`);
}

function isSku(sku: string): sku is AzureVpnSku {
    return Object.hasOwn(mostTunnels, sku);
}

function checkPlannedPeers(siteNumber: number, numbers: readonly number[]): readonly number[] {
    if (!Array.isArray(numbers)) {
        throw new InputError("vpn.plannedPeers", `${quote(numbers)} is no list; set the peers' site numbers, as in [4, 5]`);
    }
    if (numbers.length > 0 && siteNumber > mostAzureSiteNumber) {
        throw new InputError(
            "siteNumber",
            `${siteNumber} is beyond ${mostAzureSiteNumber}, which is as far as Azure's range for BGP addresses reaches, and vpn.plannedPeers says that there will be tunnels; give the site a number up to ${mostAzureSiteNumber}`,
        );
    }
    for (const [index, number] of numbers.entries()) {
        if (!Number.isInteger(number) || number < 1 || number > mostAzureSiteNumber || number === siteNumber) {
            throw new InputError(
                `vpn.plannedPeers[${index}]`,
                `${quote(number)} is not possible; set the site number of a peer, 1 to ${mostAzureSiteNumber} and not the site's own (${siteNumber})`,
            );
        }
    }
    return [...new Set(numbers)];
}

/**
 * The BGP addresses of both instances: those that the tunnels of all pairs use, and those of planned peers. In one order whatever the order of
 * the pairs, so that a planned peer that comes changes nothing.
 */
export function bgpAddresses(
    siteNumber: number,
    { plannedPeers }: Pick<AzureVpnChoice, "plannedPeers">,
    peers: readonly PlannedVpnPeer[],
): readonly [readonly string[], readonly string[]] {
    const planned = plannedPeers.map((number) => azureBgpAddresses(siteNumber, number));
    const used = peers.flatMap(({ tunnels }) =>
        tunnels.flatMap(({ azure }) => (azure === undefined ? [] : [azure.bgpAddresses])),
    );
    const of = (instance: 0 | 1) =>
        sorted([...used.map((addresses) => addresses[instance]), ...planned.flatMap((addresses) => addresses[instance])]);
    return [of(0), of(1)];
}

/** Each once, by the pair they belong to: its addresses differ in the third number alone. */
function sorted(addresses: readonly string[]): readonly string[] {
    const rank = (address: string) => {
        const [, , third = 0, fourth = 0] = address.split(".").map(Number);
        return fourth * 256 + third;
    };
    return [...new Set(addresses)].sort((one, other) => rank(one) - rank(other));
}

/**
 * Checks that the gateway takes all tunnels of its site.
 *
 * @throws InputError naming the argument and the pairs
 */
export function checkTunnels({ sku }: AzureVpnChoice, site: string, peers: readonly PlannedVpnPeer[]): void {
    const counts = peers.flatMap(({ pair, tunnels }) => (tunnels.length === 0 ? [] : [[pair, tunnels.length] as const]));
    const count = counts.reduce((sum, [, tunnels]) => sum + tunnels, 0);
    const most = mostTunnels[sku];
    if (count > most) {
        const pairs = counts.map(([pair, tunnels]) => `${pair} ${tunnels}`).join(", ");
        throw new InputError(
            "vpn.sku",
            `${quote(sku)} takes ${most} tunnels, and the pairs of ${site} need ${count} (${pairs}); ${
                count > mostTunnels.VpnGw4AZ ? "give some of these pairs another tier" : 'set "VpnGw4AZ", which takes 100'
            }`,
        );
    }
}
