import { namespaceOf } from "./addresses.js";
import type { PathSpec, TunnelSpec } from "./desired.js";
import type { LineState, TunnelState } from "./protocol.js";
import type { Reconciler } from "./reconciler.js";
import { tunnelName } from "./routing.js";
import { readSas } from "./sas.js";

/** What peers and daemons say when two halves of a tunnel do not fit, and what it means. The first that is found counts. */
const causes: readonly (readonly [RegExp, string])[] = [
    [
        /received AUTHENTICATION_FAILED/,
        "the pre-shared keys of the two sides differ, or one side does not know the other's address (the peer answered AUTHENTICATION_FAILED)",
    ],
    [/MAC mismatched/, "the pre-shared keys of the two sides differ (the peer's proof does not fit this side's key)"],
    [
        /received TS_UNACCEPTABLE/,
        "the ranges of the two sides do not match: what one side sends to is not what the other one has (the peer answered TS_UNACCEPTABLE)",
    ],
    [
        /received NO_PROPOSAL_CHOSEN/,
        "the suites of the two sides differ, or the peer expects another address (the peer answered NO_PROPOSAL_CHOSEN)",
    ],
    [/received INVALID_KE_PAYLOAD/, "the suites of the two sides differ (the peer wants another key exchange)"],
    [/giving up after|peer not responding/, "the peer does not answer IKE: its address or its rules"],
];

/** What is wrong, by the newest words that name this connection. */
export function causeIn(log: string, connection: string): string | undefined {
    // Behind it may come an attempt that goes well; what was said before that is over.
    const own = log.split("\n").filter((line) => line.includes(`<${connection}|`));
    const success = own.findLastIndex((line) => line.includes(`CHILD_SA ${connection}{`) && line.includes("established"));
    const failures = own.slice(success + 1).join("\n");
    return causes.find(([pattern]) => pattern.test(failures))?.[1];
}

/** State of a BGP session and its last error, by `birdc show protocols all`. */
export function readSession(text: string, name: string): { readonly state: string; readonly error?: string | undefined } {
    const start = text.split("\n").findIndex((line) => line.startsWith(`${name} `));
    if (start < 0) {
        return { state: "unknown" };
    }
    const [head = "", ...rest] = text.split("\n").slice(start);
    const end = rest.findIndex((line) => line !== "" && !line.startsWith(" "));
    const block = rest.slice(0, end < 0 ? undefined : end).join("\n");
    const state = /BGP state:\s+(\w+)/.exec(block)?.[1] ?? head.trim().split(/\s+/).at(-1) ?? "unknown";
    const error = /Last error:\s+(.+)/.exec(block)?.[1]?.trim();
    return { state, ...(error === undefined ? {} : { error }) };
}

/** All tunnels of one side to one peer. */
export async function tunnelsOf(reconciler: Reconciler, siteNumber: number, path: PathSpec): Promise<TunnelState[]> {
    return Promise.all((path.tunnels?.tunnels ?? []).map((tunnel) => tunnelState(reconciler, siteNumber, path, tunnel)));
}

async function tunnelState(reconciler: Reconciler, siteNumber: number, path: PathSpec, tunnel: TunnelSpec): Promise<TunnelState> {
    const namespace = namespaceOf.gateway(siteNumber, tunnel.gateway);
    const connection = tunnelName(path.peer, tunnel);
    const [charon, bird] = [reconciler.charon(namespace), reconciler.bird(namespace)];
    const protocol = `tunnel_${connection.replaceAll("-", "_")}`;
    const [sas, sessions, routed] = await Promise.all([
        charon?.swanctl("--list-sas"),
        bird?.birdc("show", "protocols", "all"),
        isRouted(reconciler, siteNumber, path.tunnels?.remoteRanges ?? [], `gateway_${tunnel.gateway}`),
    ]);
    const { ike, installed: children } = readSas(sas?.stdout ?? "", connection);
    const session = readSession(sessions?.stdout ?? "", protocol);
    const up = ike && children === 2 && session.state === "Established" && routed;
    const said = up ? undefined : (causeIn(charon?.log() ?? "", connection) ?? bgpCause(session.error));
    const { key, gateway } = tunnel;
    return { key, gateway, ike, children, bgp: session.state, routed, up, ...(said === undefined ? {} : { cause: said }) };
}

/** State of a site's private line to a peer. */
export async function lineState(reconciler: Reconciler, siteNumber: number, { peerNumber, line }: PathSpec): Promise<LineState> {
    const name = `line_${peerNumber}`;
    const [sessions, routed] = await Promise.all([
        reconciler.bird(namespaceOf.router(siteNumber))?.birdc("show", "protocols", "all"),
        isRouted(reconciler, siteNumber, line?.remoteRanges ?? [], name),
    ]);
    const { state, error } = readSession(sessions?.stdout ?? "", name);
    const up = state === "Established" && routed;
    const cause = up ? undefined : bgpCause(error);
    return { bgp: state, routed, up, ...(cause === undefined ? {} : { cause }) };
}

/** Whether a site's router has learnt ranges by a session. Another session's routes may be preferred to them. */
async function isRouted(
    reconciler: Reconciler,
    siteNumber: number,
    ranges: readonly string[],
    session: string,
): Promise<boolean> {
    const bird = reconciler.bird(namespaceOf.router(siteNumber));
    const tables = await Promise.all(ranges.map((range) => bird?.birdc("show", "route", range)));
    return tables.every((table) => table?.stdout.includes(`[${session} `) === true);
}

function bgpCause(error: string | undefined): string | undefined {
    return error !== undefined && /AS|Authentication|Unacceptable/i.test(error)
        ? `the BGP session is refused (${error}): the autonomous system numbers of the two sides`
        : undefined;
}
