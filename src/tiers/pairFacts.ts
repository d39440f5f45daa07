import type { Platform } from "../contracts/site.js";

/** What differs from one pair of platforms to another. Data only: code never branches on it. */
export interface PairFact {
    /**
     * Seconds until traffic leaves a tunnel that has fallen silent without a word. Longer than what a link bridges, messages are lost.
     */
    readonly silentTunnelFailureSeconds: number;
    /** Fixed cost of the pair itself in USD a month of 730 hours, without the two gateways; absent where it is not known. */
    readonly monthlyUsd?: number | undefined;
    readonly source: string;
    /** When it was looked up, ISO 8601 date. */
    readonly date: string;
}

const listed = "list prices of US-East-like regions, infracost golden files of 2026-08-21";
const date = "2026-11-23";

/** By the two platforms in alphabetical order, for tier `vpn`. */
const vpnFacts: Readonly<Record<string, PairFact>> = {
    "aws-gcp": {
        silentTunnelFailureSeconds: 30,
        // Two VPN connections of AWS, four tunnels of GCP.
        monthlyUsd: 2 * 36.5 + 4 * 36.5,
        source: `BGP hold time 30 s of AWS, recalled; ${listed}`,
        date,
    },
    "aws-azure": {
        silentTunnelFailureSeconds: 30,
        // Two VPN connections of AWS, four connections of Azure.
        monthlyUsd: 2 * 36.5 + 4 * 10.95,
        source: `BGP hold time 30 s of AWS, recalled; ${listed}`,
        date,
    },
    "azure-gcp": {
        silentTunnelFailureSeconds: 60,
        // Two tunnels of GCP, two connections of Azure.
        monthlyUsd: 2 * 36.5 + 2 * 10.95,
        source: `Google, HA VPN topologies: 40 to 60 s by BGP; ${listed}`,
        date,
    },
    "aws-external": {
        silentTunnelFailureSeconds: 30,
        monthlyUsd: 36.5,
        source: `BGP hold time 30 s of AWS, recalled; one VPN connection for each address of the device, ${listed}`,
        date,
    },
    "external-gcp": {
        silentTunnelFailureSeconds: 60,
        monthlyUsd: 2 * 36.5,
        source: `Google, HA VPN topologies: 40 to 60 s by BGP; two tunnels, ${listed}`,
        date,
    },
    "azure-external": {
        silentTunnelFailureSeconds: 180,
        monthlyUsd: 10.95,
        source: `BGP hold time 180 s of Azure, VPN Gateway FAQ; one connection for each address of the device, ${listed}`,
        date,
    },
};

/** What is known of a pair in tier `vpn`; undefined for two networks of one cloud, which that cloud peers, and for processes of one machine. */
export function vpnPairFact(one: Platform, other: Platform): PairFact | undefined {
    return vpnFacts[[one, other].sort().join("-")];
}
