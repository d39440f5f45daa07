import * as pulumi from "@pulumi/pulumi";
import type { InterconnectEnd, LinkDoor, PublicEnd, Site, TierPeer, VpnEnd } from "../contracts/site.js";
import type { TunnelRow } from "../contracts/vpn.js";
import { linkCredentials, linkTls } from "../link/linkLogin.js";
import { LinkPath, type LinkPathArgs } from "../link/linkPath.js";
import type { Tier } from "../naming.js";

/** The network path of a pair: where each side's door is, and what must exist before a link may use it. */
export interface TierPath {
    readonly tier: Tier;
    /** The door of the first site as the second site's links are told. */
    readonly doorOfA: LinkDoor;
    readonly doorOfB: LinkDoor;
    /** IPv4 addresses and ranges that each side's connections come from. Empty: not known. */
    readonly sourcesOfA: pulumi.Output<readonly string[]>;
    readonly sourcesOfB: pulumi.Output<readonly string[]>;
    /** Resources of the path: links depend on them. */
    readonly ready: readonly pulumi.Resource[];
    /** What the path consists of and costs. */
    readonly report: pulumi.Output<PathReport>;
}

/** A pair's path, as an output. */
export interface PathReport {
    /** In a sentence: how the two sites are joined. */
    readonly what: string;
    readonly tunnels: readonly TunnelRow[];
    /** Seconds until traffic leaves a tunnel that has fallen silent; absent where that is not known or there is none. */
    readonly silentTunnelFailureSeconds?: number;
    /** Fixed cost of the pair itself in USD a month, without the sites' gateways; absent where it is not known. */
    readonly monthlyUsd?: number;
    /** Where the figures are from, and when they were looked up. */
    readonly source?: string;
}

const whatJoins: Readonly<Record<Tier, string>> = {
    nat: "public addresses, TLS and allow-lists on both sides",
    vpn: "directly",
    interconnect: "a private link",
};

/** What every tier needs to know of a pair beyond its two sites. */
export interface PathDetails {
    /** How long either side tries the other's door before the path counts as not working. @default 300 in tier `nat`, else 900 */
    readonly pathSeconds?: number | undefined;
}

/** The two ends of a pair in one tier. */
export interface PairEnds<E extends PublicEnd | VpnEnd | InterconnectEnd> extends PathDetails {
    /** The pair's key, `a-b`. */
    readonly pair: string;
    readonly a: Site;
    readonly endOfA: E;
    readonly b: Site;
    readonly endOfB: E;
}

/** Opens both ends for each other and makes each side find the other's door. */
export function joinEnds<E extends PublicEnd | VpnEnd | InterconnectEnd>(
    ends: PairEnds<E>,
    opts: pulumi.CustomResourceOptions,
): TierPath {
    return leadEnds(ends, openEnds(ends, opts), opts, pulumi.output({ what: whatJoins[ends.endOfA.tier], tunnels: [] }));
}

/** Lets each end admit the other. */
export function openEnds<E extends PublicEnd | VpnEnd | InterconnectEnd>(
    { pair, a, endOfA, b, endOfB }: PairEnds<E>,
    opts: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
    const peerOfA: TierPeer = { pair, facts: b.facts, egress: endOfB.egress, door: endOfB.door };
    const peerOfB: TierPeer = { pair, facts: a.facts, egress: endOfA.egress, door: endOfA.door };
    return [...endOfA.admit(peerOfA, opts), ...endOfB.admit(peerOfB, opts)];
}

/**
 * Makes each side find the other's door, once the path is there.
 *
 * @param built what the path consists of: it is tried only when all of it exists
 */
export function leadEnds<E extends PublicEnd | VpnEnd | InterconnectEnd>(
    { a, endOfA, b, endOfB, pathSeconds }: PairEnds<E>,
    built: readonly pulumi.Resource[],
    opts: pulumi.CustomResourceOptions,
    report: TierPath["report"],
): TierPath {
    const timeouts = pathSeconds === undefined ? {} : { timeouts: { pathSeconds } };
    const tryable = { ...opts, dependsOn: [...built, ...a.cluster.ready, ...b.cluster.ready] };
    const pathToA = pathTo(a, endOfA, b, timeouts, tryable);
    const pathToB = pathTo(b, endOfB, a, timeouts, tryable);
    // A pair moves as a whole: while one direction of the new path does not work, neither is led over it.
    const tried = [pathToA, pathToB].filter((path): path is LinkPath => path !== undefined);
    const wayToA = wayTo(a, endOfA, b, pathToA, { ...opts, dependsOn: tried });
    const wayToB = wayTo(b, endOfB, a, pathToB, { ...opts, dependsOn: tried });
    return {
        tier: endOfA.tier,
        doorOfA: wayToA.door,
        doorOfB: wayToB.door,
        sourcesOfA: sourcesOf(a, endOfA),
        sourcesOfB: sourcesOf(b, endOfB),
        ready: [...built, ...wayToA.records, ...wayToB.records],
        report,
    };
}

/** What a site's connections come from in a tier: fixed addresses, or its private range. */
function sourcesOf({ facts }: Site, end: PublicEnd | VpnEnd | InterconnectEnd): pulumi.Output<readonly string[]> {
    const ranges = facts.vpn?.ranges ?? (facts.cidr === undefined ? [] : [facts.cidr]);
    return end.tier === "nat"
        ? pulumi.all(end.egress.map(({ address }) => address)).apply((addresses): readonly string[] => addresses)
        : pulumi.output(ranges);
}

/** Where a site is reached in a tier. */
function wayOf({ door }: PublicEnd | VpnEnd | InterconnectEnd): Way {
    const { address } = door;
    return address === undefined ? dialled(door) : { host: address.value, port: address.port };
}

/** The way from one site to the other's door, which EMQX's brokers try before anything is led over it. */
function pathTo(
    site: Site,
    end: PublicEnd | VpnEnd | InterconnectEnd,
    from: Site,
    timeouts: Pick<LinkPathArgs, "timeouts">,
    opts: pulumi.CustomResourceOptions,
): LinkPath | undefined {
    const { tier, door } = end;
    // Processes of one machine: nothing lies between them that could be tried.
    if ((door.address === undefined || from.nameService === undefined) && from.facts.linkProtocol !== "emqx") {
        return undefined;
    }
    return new LinkPath(
        `${from.facts.name}-path-to-${site.facts.name}`,
        {
            api: from.cluster.api,
            localCluster: from.cluster.clusterName,
            remoteCluster: site.cluster.clusterName,
            ...wayOf(end),
            tier,
            tls: linkTls(door, from.cluster),
            ...linkCredentials(from.cluster, site.cluster),
            ...timeouts,
        },
        opts,
    );
}

/**
 * How one site's links find the other's door: by its stable name where they can resolve it, else by its address, else by the name that the
 * door has of its own. What links or their name are led to is what was reached: a path that does not work is never used.
 */
function wayTo(
    site: Site,
    end: PublicEnd | VpnEnd | InterconnectEnd,
    from: Site,
    path: LinkPath | undefined,
    opts: pulumi.CustomResourceOptions,
): { readonly door: LinkDoor; readonly records: readonly pulumi.Resource[] } {
    const { door } = end;
    const { address } = door;
    const way = wayOf(end);
    if (path === undefined) {
        return { door: address === undefined ? door : { ...door, server: serverOf(way) }, records: [] };
    }
    if (address === undefined || from.nameService === undefined) {
        return { door: { ...door, server: serverOf({ ...way, host: path.reached }) }, records: [path] };
    }
    const named = { facts: site.facts, host: address.host, address: { ...address, value: path.reached } };
    return { door, records: [path, ...from.nameService.point(named, opts)] };
}

/** Where a door is reached. */
interface Way {
    readonly host: pulumi.Output<string>;
    readonly port: pulumi.Input<number>;
}

/** Host and port of a door's `server`, which is `host:port` with a host that is no IPv6 address. */
function dialled({ server }: LinkDoor): Way {
    return {
        host: server.apply((text) => text.slice(0, text.lastIndexOf(":"))),
        port: server.apply((text) => Number(text.slice(text.lastIndexOf(":") + 1))),
    };
}

function serverOf({ host, port }: Way): pulumi.Output<string> {
    return pulumi.interpolate`${host}:${port}`;
}
