import * as pulumi from "@pulumi/pulumi";
import type { Site } from "./contracts/site.js";
import { failOn } from "./input.js";
import { LinkPair, type LinkRow, type LinkSettings } from "./link/linkPair.js";
import { checkPathDeadline } from "./link/linkPathRules.js";
import { type MeshPlan, type PairPlan, type PairSettings, planMesh, type TopicsBySite } from "./meshPlan.js";
import type { Tier } from "./naming.js";
import type { ProofSettings } from "./probe/deliveryProbe.js";
import { joinSites } from "./tiers/join.js";
import type { PathReport } from "./tiers/tierPath.js";

/** Settings of a pair's two links and of the path that they take. */
export interface MeshLinkSettings extends LinkSettings {
    /**
     * How long, in seconds, the brokers of either side try the other's link door before the path counts as not working: more than 0, at
     * most 3600. Until then nothing is led over the path. A new address translation is used within 5 minutes, a new tunnel within 15.
     * Local sites with `level` `process` have no path that could be tried.
     * @default 300 in tier `nat`, else 900
     */
    readonly pathSeconds?: number | undefined;
}

/** What a pair may set for itself; what it leaves out is the mesh's. */
export interface PairArgs extends PairSettings {
    /** Settings of the pair's two links and their path. */
    readonly link?: MeshLinkSettings | undefined;
    /** Settings of the pair's proof. */
    readonly proof?: ProofSettings | undefined;
}

/** Arguments of {@link Mesh}. Those that shape the graph (sites, tiers, topics, pairs) are plain values, so that preview sees it all. */
export interface MeshArgs {
    /** The sites to join, every one with every other. At least two, in any order. */
    readonly sites: readonly Site[];
    /**
     * How two sites are joined.
     * @default "nat"
     */
    readonly tier?: Tier | undefined;
    /**
     * MQTT topic filters that cross between sites: one list for all, or per receiving site by its name. Only what somebody at the
     * receiving site subscribes to is really sent.
     */
    readonly topics: TopicsBySite;
    /**
     * Longest outage in seconds that a link bridges from memory without loss, 1 to 30. EMQX keeps a silent peer's routes 30 s; a
     * longer outage loses messages whatever is set.
     * @default 20
     */
    readonly maxOutageSeconds?: number | undefined;
    /** What single pairs do differently, by pair key (`a-b`, names in alphabetical order). */
    readonly pairs?: Readonly<Record<string, PairArgs>> | undefined;
    /** Settings of every link and path. */
    readonly link?: MeshLinkSettings | undefined;
    /** Settings of every proof. */
    readonly proof?: ProofSettings | undefined;
}

/** One site of a mesh, as an output. */
export interface SiteRow {
    readonly name: string;
    readonly platform: string;
    readonly clusterName: string;
    /** Where devices connect: `mqtts://host:port`. */
    readonly endpoint: string;
    /** EMQX's version; of a local site the version whose contract it follows. */
    readonly version: string;
    /** Of a local site: how real its network was, `process` or `network`. */
    readonly level?: string;
}

/** How a pair's two sites are joined, as an output. */
export interface PathRow extends PathReport {
    /** The pair's key, `a-b`. */
    readonly pair: string;
    readonly tier: Tier;
}

/** A pair that has been joined and linked. */
interface JoinedPair {
    readonly pair: PairPlan;
    readonly link: LinkPair;
    readonly report: pulumi.Output<PathReport>;
}

const defaults = { tier: "nat", maxOutageSeconds: 20 } as const;

/**
 * Joins every two sites by a tier, links their clusters in both directions and proves each direction by counted messages.
 *
 * Creates for every pair: what the tier needs at both ends, a link user at each cluster, two cluster links and one delivery proof
 * ({@link LinkPair}). N sites make N(N-1)/2 pairs: links do not pass messages on, so every pair is linked. A change of one pair
 * touches no other.
 *
 * @example
 * const mesh = new Mesh("fleet", { sites: [north, south], topics: ["fleet/#"] });
 * export const endpoints = mesh.endpoints;
 */
export class Mesh extends pulumi.ComponentResource {
    /** Where devices connect, by site name: `mqtts://host:port`. */
    readonly endpoints: pulumi.Output<Readonly<Record<string, string>>>;
    /** Every direction of every pair: status and measured delivery. */
    readonly links: pulumi.Output<readonly LinkRow[]>;
    /** How every pair's two sites are joined: tunnels with their addresses, where to look when one is down, fixed cost. */
    readonly paths: pulumi.Output<readonly PathRow[]>;
    readonly sites: pulumi.Output<readonly SiteRow[]>;
    /** What this deployment does not prove, in sentences; empty where nothing stands for something else. */
    readonly notProven: readonly string[];
    /** The pairs by key, for programs that depend on single ones. */
    readonly pairs: Readonly<Record<string, LinkPair>>;

    constructor(name: string, args: MeshArgs, opts: pulumi.ComponentResourceOptions = {}) {
        super("linkspan:index:Mesh", name, {}, opts);
        const plan = failOn(this, () => planFor(args));
        for (const warning of plan.warnings) {
            void pulumi.log.warn(warning, this);
        }
        const sites = new Map(args.sites.map((site) => [site.facts.name, site]));
        const joined = plan.pairs.map((pair) => createPair(this, name, pair, args, sites, plan));
        const pairs = joined.map(({ pair, link }) => [pair.key, link] as const);

        this.pairs = Object.fromEntries(pairs);
        this.paths = pulumi.all(
            joined.map(({ pair, report }) => report.apply((path): PathRow => ({ pair: pair.key, tier: pair.tier, ...path }))),
        );
        this.endpoints = pulumi
            .all(
                args.sites.map((site) =>
                    site.cluster.clientDoor.apply(
                        (door) => [site.facts.name, `${door.scheme}://${door.host}:${door.port}`] as const,
                    ),
                ),
            )
            .apply((entries) => Object.fromEntries(entries));
        this.sites = pulumi.all(args.sites.map(siteRow));
        this.links = pulumi.all(pairs.map(([, pair]) => pair.links)).apply((rows) => rows.flat());
        this.notProven = plan.notProven;
        this.registerOutputs({
            endpoints: this.endpoints,
            links: this.links,
            paths: this.paths,
            sites: this.sites,
            notProven: this.notProven,
        });
    }
}

function planFor(args: MeshArgs): MeshPlan {
    checkPathDeadline(args.link?.pathSeconds, "link.pathSeconds");
    for (const [key, { link }] of Object.entries(args.pairs ?? {})) {
        checkPathDeadline(link?.pathSeconds, `pairs["${key}"].link.pathSeconds`);
    }
    return planMesh({
        sites: args.sites.map((site) => site.facts),
        tier: args.tier ?? defaults.tier,
        topics: args.topics,
        maxOutageSeconds: args.maxOutageSeconds ?? defaults.maxOutageSeconds,
        pairs: args.pairs,
        proofQos: typeof args.proof?.qos === "number" ? args.proof.qos : undefined,
    });
}

function createPair(
    parent: Mesh,
    name: string,
    pair: PairPlan,
    args: MeshArgs,
    sites: ReadonlyMap<string, Site>,
    { vpnPeers }: MeshPlan,
): JoinedPair {
    const a = sites.get(pair.a);
    const b = sites.get(pair.b);
    if (a === undefined || b === undefined) {
        throw new Error(`the plan names sites that are not in the mesh: ${pair.key}`);
    }
    const own = args.pairs?.[pair.key];
    const { pathSeconds, ...link } = { ...args.link, ...own?.link };
    const path = joinSites(
        pair.tier,
        pair.key,
        a,
        b,
        { parent },
        {
            pathSeconds,
            vpn: {
                peersOfA: vpnPeers[pair.a] ?? [],
                peersOfB: vpnPeers[pair.b] ?? [],
                keyRotation: own?.vpn?.keyRotation,
            },
        },
    );
    const links = new LinkPair(
        `${name}-${pair.key}`,
        {
            a: { site: a, door: path.doorOfA, topics: pair.topicsToA },
            b: { site: b, door: path.doorOfB, topics: pair.topicsToB },
            tier: pair.tier,
            maxOutageSeconds: pair.maxOutageSeconds,
            link,
            proof: { ...args.proof, ...own?.proof },
            pathReady: path.ready,
            sources: { a: path.sourcesOfA, b: path.sourcesOfB },
        },
        { parent },
    );
    return { pair, link: links, report: path.report };
}

function siteRow(site: Site): pulumi.Output<SiteRow> {
    const { name, platform, clusterName, level } = site.facts;
    return pulumi.all([site.cluster.clientDoor, site.cluster.version]).apply(([door, version]) => ({
        name,
        platform,
        clusterName,
        endpoint: `${door.scheme}://${door.host}:${door.port}`,
        version,
        ...(level === undefined ? {} : { level }),
    }));
}
