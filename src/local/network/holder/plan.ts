import { namespaceOf, siteAddresses } from "./addresses.js";
import type { Desired, PathSpec, SiteSpec } from "./desired.js";
import {
    charonSettings,
    gatewayBird,
    gatewayNamespace,
    gatewaySwanctl,
    routerBird,
    type TunnelledPath,
    tunnelName,
} from "./routing.js";
import { brokerRules, gatewayRules, internetRules, routerRules } from "./rules.js";

/** All of a network as plain data: what there is to be, not how it comes about. */
export interface NetworkPlan {
    /** By name. `""` is the holder's own namespace, which is always there. */
    readonly namespaces: Readonly<Record<string, NamespacePlan>>;
    readonly cables: Readonly<Record<string, CablePlan>>;
    /** nftables rules by namespace. */
    readonly rules: Readonly<Record<string, string>>;
    /** IPsec daemons by namespace. */
    readonly charons: Readonly<Record<string, CharonPlan>>;
    /** BIRD's configuration by namespace. */
    readonly birds: Readonly<Record<string, string>>;
}

export interface NamespacePlan {
    readonly forwards: boolean;
}

/** A virtual cable between two namespaces. */
export interface CablePlan {
    readonly ends: readonly [CableEnd, CableEnd];
}

export interface CableEnd {
    readonly namespace: string;
    /** At most 15 characters. */
    readonly interface: string;
    /** With prefix length. */
    readonly address: string;
    /** `<range> via <address>` of this end. */
    readonly routes: readonly string[];
}

export interface CharonPlan {
    readonly settings: string;
    /** Secret. */
    readonly swanctl: string;
    /** Inside addresses with prefix length. */
    readonly inside: readonly string[];
    /** By the name of a tunnel: all that it is made of, to see which one has changed. Secret. */
    readonly tunnels: Readonly<Record<string, TunnelPlan>>;
}

export interface TunnelPlan {
    readonly initiates: boolean;
    readonly fingerprint: string;
}

/** What is broken on purpose: public addresses and sites' pairs whose private line is silent. */
export interface Cuts {
    readonly addresses: readonly string[];
    /** `<site>/<peer>` */
    readonly lines: readonly string[];
}

export const noCuts: Cuts = { addresses: [], lines: [] };

/** Plans a mesh's network. Pure: the same wish gives the same plan, and another site or pair changes nothing of those that are there. */
export function planNetwork({ sites, paths }: Desired, cuts: Cuts = noCuts): NetworkPlan {
    const byName = new Map(sites.map((site) => [site.name, site]));
    // A path of a site that is not there yet, or not any more, waits.
    const live = paths.filter(({ site }) => byName.has(site));
    const plan: Mutable<NetworkPlan> = { namespaces: {}, cables: {}, rules: {}, charons: {}, birds: {} };
    plan.namespaces[namespaceOf.internet] = { forwards: true };
    plan.rules[namespaceOf.internet] = internetRules(cuts.addresses);
    for (const site of sites) {
        addSite(
            plan,
            site,
            live.filter((path) => path.site === site.name),
            cuts,
        );
    }
    for (const line of live.filter(({ line }) => line !== undefined)) {
        addLine(plan, line, live, byName);
    }
    return plan;
}

type Mutable<T> = { -readonly [K in keyof T]: Record<string, T[K] extends Readonly<Record<string, infer V>> ? V : never> };

function addSite(plan: Mutable<NetworkPlan>, site: SiteSpec, paths: readonly PathSpec[], cuts: Cuts): void {
    const n = site.siteNumber;
    const at = siteAddresses(n);
    const [router, broker] = [namespaceOf.router(n), namespaceOf.broker(n)];
    plan.namespaces[router] = { forwards: true };
    plan.namespaces[broker] = { forwards: false };
    plan.cables[`wan-${n}`] = cable(
        end(router, "wan", `${at.public}/30`, `default via ${at.publicNextHop}`, "unreachable 10.0.0.0/8"),
        end(namespaceOf.internet, `site${n}`, `${at.publicNextHop}/30`),
    );
    plan.cables[`lan-${n}`] = cable(
        end(broker, "lan", `${at.broker}/24`, `default via ${at.router}`),
        end(router, "lan", `${at.router}/24`),
    );
    plan.cables[`management-${n}`] = cable(
        end(broker, "mgmt", `${at.management.broker}/30`),
        end("", `mgmt${n}`, `${at.management.holder}/30`, `${at.broker}/32 via ${at.management.broker}`),
    );
    const admitted = (tiers: readonly string[]) =>
        paths.filter(({ tier }) => tiers.includes(tier)).flatMap(({ admits }) => admits);
    plan.rules[router] = routerRules(at, {
        publicPeers: admitted(["nat"]),
        privatePeers: admitted(["vpn", "interconnect"]),
        cutLines: paths
            .filter(({ peer, line }) => line !== undefined && cuts.lines.includes(`${site.name}/${peer}`))
            .map(({ peerNumber }) => lineInterface(peerNumber)),
    });
    plan.rules[broker] = brokerRules();
    const tunnelled = paths.filter(hasTunnels);
    if (tunnelled.length > 0) {
        addGateways(plan, site, tunnelled);
    }
    const lines = paths.filter(({ line }) => line !== undefined);
    if (tunnelled.length > 0 || lines.length > 0) {
        const byGateways = [...new Set(tunnelled.flatMap(({ tunnels }) => tunnels.remoteRanges))].sort();
        plan.birds[router] = routerBird(site, { byGateways, lines });
    }
}

function hasTunnels(path: PathSpec): path is TunnelledPath {
    return path.tunnels !== undefined;
}

function addGateways(plan: Mutable<NetworkPlan>, site: SiteSpec, paths: readonly TunnelledPath[]): void {
    const n = site.siteNumber;
    const at = siteAddresses(n);
    for (const index of [0, 1] as const) {
        const name = gatewayNamespace(site, index);
        const gateway = at.gateways[index];
        plan.namespaces[name] = { forwards: true };
        plan.cables[`vpn-wan-${n}-${index}`] = cable(
            end(name, "wan", `${gateway.public}/30`, `default via ${gateway.publicNextHop}`, "unreachable 10.0.0.0/8"),
            end(namespaceOf.internet, `vpn${n}-${index}`, `${gateway.publicNextHop}/30`),
        );
        plan.cables[`vpn-lan-${n}-${index}`] = cable(
            end(name, "lan", `${gateway.gateway}/28`, `${at.cidr} via ${gateway.router}`),
            end(namespaceOf.router(n), `vpn${index}`, `${gateway.router}/28`),
        );
        const own = paths.flatMap(({ peer, tunnels }) =>
            tunnels.tunnels.filter((tunnel) => tunnel.gateway === index).map((tunnel) => ({ peer, tunnels, tunnel })),
        );
        plan.rules[name] = gatewayRules(own.map(({ tunnel }) => tunnel.remoteAddress));
        plan.charons[name] = {
            settings: charonSettings(),
            swanctl: gatewaySwanctl(site, index, paths),
            inside: own.map(({ tunnel }) => `${tunnel.localInside}/30`),
            tunnels: Object.fromEntries(
                own.map(({ peer, tunnels, tunnel }) => [
                    tunnelName(peer, tunnel),
                    { initiates: tunnels.initiates, fingerprint: JSON.stringify({ ...tunnels, tunnels: [], tunnel }) },
                ]),
            ),
        };
        plan.birds[name] = gatewayBird(site, index, paths);
    }
}

/** Interface of a site's router towards a peer's. */
export function lineInterface(peerNumber: number): string {
    return `line${peerNumber}`;
}

/** The cable of a private line lies once both sites have ordered it. */
function addLine(
    plan: Mutable<NetworkPlan>,
    { site, peer, line }: PathSpec,
    paths: readonly PathSpec[],
    sites: ReadonlyMap<string, SiteSpec>,
): void {
    const other = paths.find((path) => path.site === peer && path.peer === site && path.line !== undefined);
    const [own, far] = [sites.get(site), sites.get(peer)];
    if (other?.line === undefined || line === undefined || own === undefined || far === undefined || site > peer) {
        return;
    }
    plan.cables[`line-${own.siteNumber}-${far.siteNumber}`] = cable(
        end(namespaceOf.router(own.siteNumber), lineInterface(far.siteNumber), `${line.localInside}/30`),
        end(namespaceOf.router(far.siteNumber), lineInterface(own.siteNumber), `${other.line.localInside}/30`),
    );
}

function cable(one: CableEnd, other: CableEnd): CablePlan {
    return { ends: [one, other] };
}

function end(namespace: string, name: string, address: string, ...routes: string[]): CableEnd {
    return { namespace, interface: name, address, routes };
}
