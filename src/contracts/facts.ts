import type { TunnelEnd } from "../addressing/tunnels.js";
import type { Tier } from "../naming.js";

/** Where a site's brokers run. */
export type Platform = "aws" | "gcp" | "azure" | "local" | "external";

/**
 * What a site's links speak. EMQX's links carry Erlang terms inside MQTT 5, the local stand-in its own form: the two cannot be linked.
 */
export type LinkProtocol = "emqx" | "linkspan-local";

/** Whether a site has an end for a tier; where it has, what that end stands for when it is not the real thing. */
export type TierSupport =
    | { readonly supported: true; readonly standsFor?: string }
    | { readonly supported: false; readonly reason: string };

/** What is known of a site without any cloud's answer: all that the mesh's plan reads. Plain data. */
export interface SiteFacts {
    /** Unique in the mesh: 1 to 24 lower-case letters, digits, hyphens. */
    readonly name: string;
    /** 1 to 120, unique in the mesh, never reused: the root of every number of the site. */
    readonly siteNumber: number;
    readonly platform: Platform;
    readonly linkProtocol: LinkProtocol;
    /** `cluster.name` of its EMQX cluster. */
    readonly clusterName: string;
    /** The mesh that the site belongs to: its links' client ids begin with `<meshId>-<name>-`. */
    readonly meshId?: string | undefined;
    /** EMQX's version where it is known before the cluster answers. */
    readonly version?: string | undefined;
    readonly tiers: Readonly<Record<Tier, TierSupport>>;
    /** The site's private range, such as `10.1.0.0/16`, where Linkspan knows it: no two sites of a mesh may share addresses. */
    readonly cidr?: string | undefined;
    /** The site's VPN gateway, where it can have one. */
    readonly vpn?: VpnFacts | undefined;
    /** Set where the site's link door admits only addresses that are listed for a peer. */
    readonly filtersSources?: boolean | undefined;
    /** Set where the addresses that the site's brokers come from are fixed and known before a link is made. */
    readonly fixedEgress?: boolean | undefined;
    /**
     * Public addresses of an existing cluster as far as they are written down: those that its brokers come from, and its link door as
     * `address:port`, or `0.0.0.0/0:port` where it is a name that leads anywhere.
     */
    readonly publicAddresses?: { readonly egress: readonly string[]; readonly doors: readonly string[] } | undefined;
    /** Where the site is on this machine: how real its network is. All sites of a mesh that have one have the same. */
    readonly level?: "process" | "network" | undefined;
    /** Where the site's brokers are not EMQX: what that leaves unproven, as a sentence. */
    readonly standIn?: string | undefined;
}

/** What of a site's VPN gateway is known without any cloud's answer. Plain data: the mesh's plan reads it. */
export interface VpnFacts {
    /** Autonomous system number, unique in the mesh. */
    readonly asn: number;
    /** The only ranges that are told to peers. */
    readonly ranges: readonly string[];
    /** What the site is in the plan of tunnel ranges. */
    readonly end: TunnelEnd;
    /** Base of the site's tunnel ranges, where it is not the default. */
    readonly tunnelPool?: string | undefined;
}
