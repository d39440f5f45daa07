import type { IpsecSuite } from "../../../ipsec/suite.js";

/** A site of a mesh as its network sees it. Plain data. */
export interface SiteSpec {
    readonly name: string;
    readonly siteNumber: number;
    readonly asn: number;
    /** Seconds of silence after which BGP gives a neighbour up. */
    readonly holdSeconds: number;
    /** Milliseconds between signs of life of BFD, three of which may be missing; 0: no BFD. */
    readonly bfdIntervalMs: number;
}

/** How a site's BGP notices silence unless its user says otherwise. */
export const defaultBgp = { holdSeconds: 9, bfdIntervalMs: 60 } as const;

/** What one site does for one peer in one tier: half of a pair. Both halves make the path. */
export interface PathSpec {
    readonly site: string;
    readonly peer: string;
    readonly peerNumber: number;
    readonly tier: "nat" | "vpn" | "interconnect";
    /** Which part of the tier it is: a site has one of each for a peer. `check` changes nothing. */
    readonly part: "door" | "tunnels" | "check";
    /** Addresses and ranges whose connections the link door takes. */
    readonly admits: readonly string[];
    readonly tunnels?: TunnelsSpec | undefined;
    readonly line?: LineSpec | undefined;
}

/** A site's half of a pair's tunnels. */
export interface TunnelsSpec {
    readonly suite: IpsecSuite;
    readonly remoteAsn: number;
    readonly remoteRanges: readonly string[];
    /** The only ranges that are told to the peer and let into its tunnels. */
    readonly localRanges: readonly string[];
    /** Whether this side begins; the other one answers. */
    readonly initiates: boolean;
    readonly tunnels: readonly TunnelSpec[];
}

export interface TunnelSpec {
    readonly key: string;
    /** Which of the site's gateways it ends at. */
    readonly gateway: 0 | 1;
    readonly localInside: string;
    readonly remoteInside: string;
    readonly remoteAddress: string;
    /** Never shown, never on a command line. */
    readonly presharedKey: string;
}

/** A site's half of a private line. */
export interface LineSpec {
    readonly localInside: string;
    readonly remoteInside: string;
    readonly remoteAsn: number;
    readonly remoteRanges: readonly string[];
}

/** All that is wanted of a mesh's network. */
export interface Desired {
    readonly sites: readonly SiteSpec[];
    readonly paths: readonly PathSpec[];
}

/** What tells a path from all others. */
export function pathId({ site, tier, peer, part }: Pick<PathSpec, "site" | "tier" | "peer" | "part">): string {
    return `${site}/${tier}/${peer}/${part}`;
}
