import * as pulumi from "@pulumi/pulumi";
import type { LinkDoor, Site } from "../contracts/site.js";

import { InputError } from "../errors.js";
import { failOn } from "../input.js";
import { clientIdPrefix, clusterName, pairKey, type Tier } from "../naming.js";
import { DeliveryProbe, type DeliveryResult, type ProbeSide, type ProofSettings } from "../probe/deliveryProbe.js";
import { ClusterLink, type ClusterLinkArgs } from "./clusterLink.js";
import { LinkAccess } from "./linkAccess.js";
import { linkCredentials, linkTls } from "./linkLogin.js";
import { PathSwitch } from "./pathSwitch.js";

/**
 * Settings of the links of a pair; all have defaults, see {@link ClusterLinkArgs}. `enable: false` on one side stops both directions:
 * nothing is proven then, and both are reported as `unproven`.
 */
export type LinkSettings = Pick<ClusterLinkArgs, "enable" | "poolSize" | "retryInterval" | "maxInflight" | "adopt" | "timeouts">;

/** One side of a {@link LinkPair}. */
export interface PairSide {
    readonly site: Site;
    /** Where this side takes the other side's links in. */
    readonly door: LinkDoor;
    /** MQTT topic filters of what this side receives from the other; `[]` for a pair that is linked one way. Plain: they shape the proof. */
    readonly topics: readonly string[];
    /** Settings of the link on this side, over those of the pair. */
    readonly link?: LinkSettings | undefined;
}

/** Arguments of {@link LinkPair}. */
export interface LinkPairArgs {
    readonly a: PairSide;
    readonly b: PairSide;
    /** How the two sites are joined; part of what the proof is for. */
    readonly tier: Tier;
    /** Longest outage in seconds that is bridged without loss, 1 to 30. @default 20 */
    readonly maxOutageSeconds?: number | undefined;
    /** Settings of both links. */
    readonly link?: LinkSettings | undefined;
    /** Settings of the proof. */
    readonly proof?: ProofSettings | undefined;
    /** What must exist before a link may use the path. @default nothing */
    readonly pathReady?: readonly pulumi.Resource[] | undefined;
    /**
     * IPv4 addresses and ranges that each side's connections come from. With them, the connections are moved when a stable name leads
     * elsewhere.
     * @default not known
     */
    readonly sources?: { readonly a: pulumi.Output<readonly string[]>; readonly b: pulumi.Output<readonly string[]> } | undefined;
}

/** One direction of a pair: what is linked, and what was measured. */
export interface LinkRow extends DeliveryResult {
    /** The pair's key, `a-b`. */
    readonly pair: string;
    readonly tier: Tier;
    /** Topic filters that the receiving side has linked. */
    readonly topics: readonly string[];
    /** What the receiving broker said of its link when that was last changed. No proof; `status` is. */
    readonly linkStatus: string;
}

/**
 * Links two sites in both directions and proves it by counted messages.
 *
 * Creates: at each site a user for the other's links (where the site manages them), at each site the link that receives from the other,
 * and one delivery proof. A broker refuses its peer's link until its own exists and tries again every 5 seconds; the proof waits for
 * that, and where a link stays refused it fails with the side and the cause.
 */
export class LinkPair extends pulumi.ComponentResource {
    /** One row per direction that has topics: link status and measured delivery. */
    readonly links: pulumi.Output<readonly LinkRow[]>;
    /** The links by the name of the site that receives. */
    readonly clusterLinks: Readonly<Record<string, ClusterLink>>;
    readonly probe: DeliveryProbe;

    constructor(name: string, args: LinkPairArgs, opts: pulumi.ComponentResourceOptions = {}) {
        super("linkspan:link:LinkPair", name, {}, opts);
        failOn(this, () => checkPair(args));
        const { a, b } = args;
        const ready = [...a.site.cluster.ready, ...b.site.cluster.ready, ...(args.pathReady ?? [])];
        const accesses = [createAccess(this, name, a, b, args), createAccess(this, name, b, a, args)].flat();
        const before = [...accesses, ...ready];
        const linkOnA = createLink(this, name, a, b, args, before);
        const linkOnB = createLink(this, name, b, a, args, before);

        const moves = createMoves(this, name, args, [...before, linkOnA, linkOnB]);
        this.probe = createProbe(this, name, args, linkOnA, linkOnB, moves);
        this.clusterLinks = { [siteName(a)]: linkOnA, [siteName(b)]: linkOnB };
        this.links = rows(args, this.probe, this.clusterLinks);
        // The proof's own state holds what was measured; a second copy in every pair would only make state larger.
        this.registerOutputs({});
    }
}

function checkPair({ a, b }: LinkPairArgs): void {
    if (siteName(a) === siteName(b)) {
        throw new InputError("b.site", `it is ${siteName(a)}, like a.site; a pair joins two sites`);
    }
    if (a.site.facts.clusterName === b.site.facts.clusterName) {
        throw new InputError(
            "b.site",
            `its cluster.name is ${b.site.facts.clusterName}, like that of a.site; EMQX tells links apart by it, so each cluster needs its own`,
        );
    }
    if (a.site.facts.linkProtocol !== b.site.facts.linkProtocol) {
        throw new InputError(
            "b.site",
            "one of the sites is a local stand-in and the other a real EMQX cluster; their links do not understand each other",
        );
    }
    if (a.topics.length === 0 && b.topics.length === 0) {
        throw new InputError(
            "a.topics",
            "neither side would receive anything; give topic filters to at least one of a.topics and b.topics",
        );
    }
    for (const [argument, door, peer] of [
        ["a.door", a.door, b],
        ["b.door", b.door, a],
    ] as const) {
        if (door.clientCertificate === "mesh" && peer.site.cluster.linkIdentity.certificate === undefined) {
            throw new InputError(
                argument,
                `it asks for a certificate of the mesh, and ${siteName(peer)} has none; set its login or clientCertificate to what ${siteName(peer)} can present`,
            );
        }
    }
}

/** The user at `at` as which the links of `of` log in. */
function createAccess(parent: LinkPair, name: string, at: PairSide, of: PairSide, args: LinkPairArgs): LinkAccess[] {
    const { cluster } = at.site;
    if (cluster.linkLogin.kind !== "managed") {
        return [];
    }
    const access = new LinkAccess(
        `${name}-access-for-${siteName(of)}-at-${siteName(at)}`,
        {
            api: cluster.api,
            localCluster: cluster.clusterName,
            peer: of.site.cluster.clusterName,
            password: of.site.cluster.linkIdentity.passwordFor(cluster.clusterName),
            // The site has checked its own addresses.
            allowLoopback: true,
            timeouts: { ...args.link, ...at.link }.timeouts,
            storeId: cluster.storeId,
        },
        { parent, dependsOn: [...cluster.ready] },
    );
    return [access];
}

/** The link on `on` that receives the messages of `from`. */
function createLink(
    parent: LinkPair,
    name: string,
    on: PairSide,
    from: PairSide,
    args: LinkPairArgs,
    before: readonly pulumi.Resource[],
): ClusterLink {
    const own = on.site.cluster;
    const remote = from.site.cluster;
    return new ClusterLink(
        `${name}-${siteName(from)}-to-${siteName(on)}`,
        {
            ...args.link,
            ...on.link,
            ...linkCredentials(own, remote),
            api: own.api,
            localCluster: own.clusterName,
            ...ownPrefix(on),
            name: remote.clusterName,
            server: from.door.server,
            topics: on.topics,
            tls: linkTls(from.door, own),
            maxOutageSeconds: args.maxOutageSeconds,
            storeId: own.storeId,
            // The sites have checked their own addresses.
            allowLoopback: true,
        },
        { parent, dependsOn: [...before] },
    );
}

/** How the links of a site call themselves: by mesh and site, not by a cluster's name that another stack may use as well. */
function ownPrefix(side: PairSide): Pick<ClusterLinkArgs, "clientIdPrefix"> {
    return side.site.facts.meshId === undefined ? {} : { clientIdPrefix: prefixOf(side) };
}

function prefixOf({ site }: PairSide): string {
    const { meshId, name } = site.facts;
    return clientIdPrefix(meshId === undefined ? site.cluster.clusterName : clusterName(meshId, name));
}

/** The directions that have topics. */
function directionsOf({ a, b }: LinkPairArgs) {
    return [
        { from: siteName(b), to: siteName(a), topics: a.topics },
        { from: siteName(a), to: siteName(b), topics: b.topics },
    ].filter(({ topics }) => topics.length > 0);
}

/** The site whose link is known to be disabled, if there is one. */
function disabledAt(args: LinkPairArgs): string | undefined {
    const side = [args.a, args.b].find(({ link }) => ({ ...args.link, ...link }).enable === false);
    return side === undefined ? undefined : siteName(side);
}

/** What moves each side's connections when the other side's stable name leads elsewhere. */
function createMoves(
    parent: LinkPair,
    name: string,
    args: LinkPairArgs,
    before: readonly pulumi.Resource[],
): readonly PathSwitch[] {
    const { a, b, sources } = args;
    if (sources === undefined) {
        return [];
    }
    return [
        { on: a, at: b, from: sources.a },
        { on: b, at: a, from: sources.b },
    ].flatMap(({ on, at, from }) => {
        const { address } = at.door;
        if (address === undefined || on.site.nameService === undefined) {
            return [];
        }
        const move = new PathSwitch(
            `${name}-move-${siteName(on)}-at-${siteName(at)}`,
            {
                api: at.site.cluster.api,
                remoteCluster: at.site.cluster.clusterName,
                clientIdPrefix: prefixOf(on),
                path: address.value,
                sources: from,
                timeouts: { ...args.link, ...at.link }.timeouts,
            },
            { parent, dependsOn: [...before] },
        );
        return [move];
    });
}

function createProbe(
    parent: LinkPair,
    name: string,
    args: LinkPairArgs,
    linkOnA: ClusterLink,
    linkOnB: ClusterLink,
    moves: readonly PathSwitch[],
): DeliveryProbe {
    const { a, b, tier } = args;
    // A disabled link stops both directions, so there is nothing to prove.
    const directions = disabledAt(args) === undefined ? directionsOf(args) : [];
    return new DeliveryProbe(
        `${name}-delivery`,
        {
            ...args.proof,
            pair: keyOf(args),
            a: probeSide(a),
            b: probeSide(b),
            directions,
            proves: {
                tier,
                [siteName(a)]: provenOf(a, linkOnA),
                [siteName(b)]: provenOf(b, linkOnB),
                ...(moves.length === 0 ? {} : { moved: pulumi.all(moves.map(({ movedAt }) => movedAt)) }),
            },
        },
        { parent, dependsOn: [linkOnA, linkOnB, ...moves] },
    );
}

/** Sides of probes by site: the same for every pair of a site, so each is resolved once. */
const probeSides = new WeakMap<Site, pulumi.Output<ProbeSide>>();

function probeSide({ site }: PairSide): pulumi.Output<ProbeSide> {
    const { facts, cluster } = site;
    const known = probeSides.get(site);
    if (known !== undefined) {
        return known;
    }
    const made = pulumi.secret(
        pulumi
            .all([cluster.probe, cluster.api])
            .apply(([mqtt, api]) => ({ site: facts.name, clusterName: cluster.clusterName, mqtt, api })),
    );
    probeSides.set(site, made);
    return made;
}

/** What of a side asks for a new proof when it changes: the link's settings and the brokers themselves. */
function provenOf({ site }: PairSide, link: ClusterLink): pulumi.Output<string> {
    return pulumi.interpolate`${link.changedAt} ${site.cluster.incarnation}`;
}

function rows(args: LinkPairArgs, probe: DeliveryProbe, links: Readonly<Record<string, ClusterLink>>): pulumi.Output<LinkRow[]> {
    const statuses = pulumi.all(Object.fromEntries(Object.entries(links).map(([site, link]) => [site, link.status])));
    const topics: Readonly<Record<string, readonly string[]>> = {
        [siteName(args.a)]: args.a.topics,
        [siteName(args.b)]: args.b.topics,
    };
    const disabled = disabledAt(args);
    const stopped: DeliveryResult[] =
        disabled === undefined
            ? []
            : directionsOf(args).map(({ from, to }) => ({
                  from,
                  to,
                  status: "unproven",
                  reason: `the link at ${disabled} is disabled, which stops both directions`,
                  runId: "none",
              }));
    return pulumi.all([probe.results, statuses]).apply(([results, status]) =>
        [...results, ...stopped].map((result) => ({
            pair: keyOf(args),
            tier: args.tier,
            topics: topics[result.to] ?? [],
            linkStatus: status[result.to] ?? "unknown",
            ...result,
        })),
    );
}

function keyOf({ a, b }: LinkPairArgs): string {
    return pairKey(siteName(a), siteName(b));
}

function siteName({ site }: PairSide): string {
    return site.facts.name;
}
