import type { PathSpec, SiteSpec } from "./desired.js";

/** What can be asked of a holder: one line of JSON for each question, one for each answer. */
export type Request =
    | { readonly op: "hello" }
    | { readonly op: "putSite"; readonly site: SiteSpec }
    | { readonly op: "removeSite"; readonly name: string }
    | { readonly op: "putPath"; readonly path: PathSpec }
    | { readonly op: "removePath"; readonly id: string }
    | { readonly op: "hasPath"; readonly id: string; readonly digest: string }
    | { readonly op: "startBroker"; readonly site: string; readonly command: readonly string[]; readonly folder: string }
    | { readonly op: "openDoors"; readonly site: string; readonly doors: Readonly<Record<string, Door>> }
    | { readonly op: "tunnels"; readonly site: string; readonly peer: string }
    | { readonly op: "line"; readonly site: string; readonly peer: string }
    | { readonly op: "state" }
    | { readonly op: "cut"; readonly cut: Cut }
    | { readonly op: "restore"; readonly cut: Cut }
    | { readonly op: "startCapture"; readonly file: string; readonly namespace?: string }
    | { readonly op: "stopCapture" };

/** A port on this machine's loopback that leads to one of the broker's. */
export interface Door {
    readonly listen: number;
    readonly to: number;
}

/** What can be broken silently: one gateway's public line, or the private line of a pair. */
export type Cut =
    | { readonly site: string; readonly gateway: 0 | 1 }
    | { readonly site: string; readonly wan: true }
    | { readonly site: string; readonly peer: string };

export type Answer = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: string };

/** One tunnel as one side sees it. */
export interface TunnelState {
    readonly key: string;
    readonly gateway: number;
    readonly ike: boolean;
    /** How many of its two children are installed: the one for messages, the one for routes. */
    readonly children: number;
    /** BGP's word for the session, `Established` when it is up. */
    readonly bgp: string;
    /** Whether the site's router knows the peer's ranges by it. */
    readonly routed: boolean;
    /** All of these. */
    readonly up: boolean;
    /** What is wrong, where the other side has said so or the daemons know. */
    readonly cause?: string | undefined;
}

/** A private line as one side sees it. */
export type LineState = Pick<TunnelState, "bgp" | "routed" | "up" | "cause">;

/** One process of a mesh's network. */
export interface ProcessState {
    readonly pid: number;
    readonly what: string;
    /** Resident memory, megabytes. */
    readonly mb: number;
}

export interface NetworkState {
    readonly sites: readonly {
        readonly name: string;
        /** Routes to peers that the site's router uses, such as `10.2.0.0/16 via 10.1.32.2`. */
        readonly routes: readonly string[];
        /** Packets that the router refused. */
        readonly refused: number;
        readonly tunnels: readonly (TunnelState & { readonly peer: string })[];
    }[];
    readonly processes: readonly ProcessState[];
}
