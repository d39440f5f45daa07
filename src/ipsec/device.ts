import type { IpsecSuite } from "./suite.js";

/** One tunnel as a device of the user's own sees it. Plain data; `presharedKey` must never be shown. */
export interface DeviceTunnel {
    /** Name of the tunnel in configuration and interfaces: letters, digits and hyphens, unique on the device. */
    readonly name: string;
    /** The device's own public address. */
    readonly localAddress: string;
    /** The peer gateway's public address for this tunnel. */
    readonly remoteAddress: string;
    /** Addresses inside the tunnel, both of one /30. */
    readonly localInside: string;
    readonly remoteInside: string;
    readonly presharedKey: string;
    /** Algorithms of this tunnel, where they are not the device's. */
    readonly suite?: IpsecSuite | undefined;
    /** The peer's autonomous system number. */
    readonly remoteAsn: number;
    /** The only ranges that are taken from this peer. */
    readonly remoteRanges: readonly string[];
    /**
     * Whether the device begins the tunnel; `false`: it answers only. With `userspace` exactly one end must begin: two tunnels with the
     * same selectors, made by both at once, would take each other's packets.
     * @default true
     */
    readonly initiates?: boolean | undefined;
}

/** A VPN device of the user's own with all its tunnels. */
export interface Device {
    /** Name of its site. */
    readonly site: string;
    readonly asn: number;
    /** The only ranges that are told to peers. */
    readonly ranges: readonly string[];
    /** BGP router id, an IPv4 address of the device. */
    readonly routerId: string;
    /** Algorithms of all tunnels that name none. */
    readonly suite: IpsecSuite;
    readonly tunnels: readonly DeviceTunnel[];
    readonly timers: BgpTimers;
    /**
     * How packets get into a tunnel: `xfrm` through an interface for each tunnel (a kernel with IPsec), `userspace` by strongSwan's
     * kernel-libipsec, which has one TUN device for each charon and takes selectors instead.
     */
    readonly dataPath: "xfrm" | "userspace";
}

/** How soon a silent peer is noticed. */
export interface BgpTimers {
    /** Seconds between signs of life. */
    readonly keepalive: number;
    /** Seconds of silence after which the peer's routes go. Three times `keepalive` is usual. */
    readonly hold: number;
    /** Where both sides speak it: detects silence within `interval` x `multiplier`. Clouds' managed VPNs do not speak it. */
    readonly bfd?: { readonly intervalMs: number; readonly multiplier: number } | undefined;
    /**
     * Seconds before a session that has failed is tried again, the first time and at most. BIRD only.
     * @default BIRD's own, 60 and 300
     */
    readonly errorWait?: readonly [number, number] | undefined;
}

/** What clouds use or negotiate down to. */
export const cloudTimers: BgpTimers = { keepalive: 10, hold: 30 };

/** Interface of a tunnel: Linux takes 15 characters. */
export function tunnelInterface(index: number): string {
    return `lsvpn${index}`;
}

/** The one TUN device of strongSwan's kernel-libipsec. */
export const userspaceInterface = "ipsec0";

/** XFRM interface id of a tunnel. */
export function interfaceId(index: number): number {
    return 4_200 + index;
}
