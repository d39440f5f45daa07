import type * as pulumi from "@pulumi/pulumi";
import type { TunnelRange } from "../addressing/tunnels.js";
import type { IpsecSuite } from "../ipsec/suite.js";
import type { SiteFacts, VpnFacts } from "./facts.js";

/** One VPN pair as one of its two sites must know it before its gateway is made. Plain data. */
export interface PlannedVpnPeer {
    /** The pair's key, `a-b`. */
    readonly pair: string;
    readonly facts: SiteFacts;
    readonly vpn: VpnFacts;
    readonly suite: IpsecSuite;
    /** Empty where the two networks are peered by their cloud and need no tunnel. */
    readonly tunnels: readonly SideTunnel[];
}

/** A tunnel as one side sees it. Range and addresses are empty where the two gateways' own cloud chooses them (two gateways of Azure). */
export interface SideTunnel extends Pick<TunnelRange, "key" | "inside" | "aws" | "azure"> {
    readonly ownAddress: string;
    readonly peerAddress: string;
    /** Which of the own gateway's public addresses it uses, from 0. */
    readonly ownInterface: number;
    readonly peerInterface: number;
}

/** A peer whose tunnels are being made. */
export interface VpnPeer extends PlannedVpnPeer {
    /** The pre-shared keys by tunnel key. Secret. */
    readonly presharedKeys: Readonly<Record<string, pulumi.Output<string>>>;
    /** The peer gateway's public address for each tunnel, by tunnel key. */
    readonly outsideAddresses: Readonly<Record<string, pulumi.Output<string>>>;
    /** The peer's gateway itself: a cloud that joins two gateways of its own names the other one instead of its addresses. */
    readonly gateway: VpnGateway;
}

/** What a side has made of a pair's tunnels. */
export interface VpnSide {
    /** The own gateway's public address for each tunnel, by tunnel key. */
    readonly outsideAddresses: Readonly<Record<string, pulumi.Output<string>>>;
    /** Where this side shows each tunnel's state, by tunnel key, such as `VPN connection vpn-0abc, tunnel 1`. */
    readonly lookAt: Readonly<Record<string, pulumi.Output<string>>>;
    /** Links depend on these. */
    readonly ready: readonly pulumi.Resource[];
}

/** A network that its own cloud can peer with another of its networks. Which attributes there are is the cloud's business. */
export interface NativeNetwork {
    readonly site: string;
    readonly ranges: readonly string[];
    /** Such as the ids of the network and of its route tables. */
    readonly attributes: Readonly<Record<string, pulumi.Output<string>>>;
}

/** A site's VPN gateway. */
export interface VpnGateway {
    readonly facts: VpnFacts;
    /** Public addresses that exist before any tunnel; absent where each tunnel gets one of its own when it is made (AWS). */
    readonly addresses?: readonly pulumi.Output<string>[] | undefined;
    /** Makes this side of a pair's tunnels, with the routes to the peer's ranges. */
    connect(peer: VpnPeer, opts: pulumi.CustomResourceOptions): VpnSide;
    /** The site's network, where its cloud can peer it with others of the same cloud. */
    readonly network?: NativeNetwork | undefined;
    /** Peers the site's network with another one of the same cloud: both directions, with routes on both sides. */
    peer?(pair: string, other: NativeNetwork, opts: pulumi.CustomResourceOptions): readonly pulumi.Resource[];
}

/** One tunnel of a pair, as an output. */
export interface TunnelRow {
    /** `0` to `3` */
    readonly tunnel: string;
    /** The /30 inside it; empty where the cloud of both gateways chooses it. */
    readonly inside: string;
    /** Public address and inside address at each side, by site name. */
    readonly outsideAddresses: Readonly<Record<string, string>>;
    readonly insideAddresses: Readonly<Record<string, string>>;
    /** Where each side shows the tunnel's state, by site name. */
    readonly lookAt: Readonly<Record<string, string>>;
}
