import { checkDisjoint } from "./addressing/cidr.js";
import type { SiteFacts } from "./contracts/site.js";
import { InputError, quote } from "./errors.js";
import type { IpsecSuite } from "./ipsec/suite.js";
import { checkSiteName, checkSiteNumber, pairKey, type Tier, tiers } from "./naming.js";
import { checkNatRules } from "./tiers/natPlan.js";
import { planVpn, type VpnPlan } from "./tiers/vpnPlan.js";

/** Topic filters: the same for every receiving site, or per receiving site by its name. */
export type TopicsBySite = readonly string[] | Readonly<Record<string, readonly string[]>>;

/** How a pair's tunnels are made. */
export interface VpnPairSettings {
    /** Algorithms, the same on both sides. @default "aes-cbc" */
    readonly suite?: IpsecSuite | undefined;
    /**
     * IPsec also between two networks of one cloud, which are joined by that cloud's own peering otherwise. AWS has no such thing.
     * @default false
     */
    readonly encrypt?: boolean | undefined;
    /** By tunnel key (`0` to `3`): raise a number by 1 to renew that tunnel's key alone. @default every number 0 */
    readonly keyRotation?: Readonly<Record<string, number>> | undefined;
}

/** What a pair may set for itself. Everything else is the mesh's. */
export interface PairSettings {
    readonly tier?: Tier | undefined;
    readonly topics?: TopicsBySite | undefined;
    readonly maxOutageSeconds?: number | undefined;
    /** How the pair's tunnels are made, in tier `vpn`. */
    readonly vpn?: VpnPairSettings | undefined;
    /** `false` leaves the pair unlinked. Links do not pass messages on, so these two sites then exchange nothing. */
    readonly linked?: boolean | undefined;
}

/** What the plan of a mesh is made from. Plain data. */
export interface MeshPlanInput {
    readonly sites: readonly SiteFacts[];
    readonly tier: Tier;
    readonly topics: TopicsBySite;
    readonly maxOutageSeconds: number;
    readonly pairs?: Readonly<Record<string, PairSettings>> | undefined;
    /** MQTT quality of service of the proofs, where it is known. */
    readonly proofQos?: number | undefined;
}

/** One pair of sites as it will be built. */
export interface PairPlan {
    /** `a-b`, a < b. */
    readonly key: string;
    readonly a: string;
    readonly b: string;
    readonly tier: Tier;
    readonly maxOutageSeconds: number;
    /** What site a receives from b. */
    readonly topicsToA: readonly string[];
    /** What site b receives from a. */
    readonly topicsToB: readonly string[];
}

/** Everything that is decided before the first resource exists. */
export interface MeshPlan {
    readonly pairs: readonly PairPlan[];
    /** The VPN peers of each site by its name. */
    readonly vpnPeers: VpnPlan["peers"];
    /** Said once at preview: allowed, but worth knowing. */
    readonly warnings: readonly string[];
    /** What a run of this mesh cannot prove, because a site stands for something else. */
    readonly notProven: readonly string[];
}

/**
 * Decides which sites are linked how. Pure: the same input gives the same plan, and adding or removing a site changes no other pair.
 *
 * @throws InputError naming the argument, its value and what to set
 */
export function planMesh(input: MeshPlanInput): MeshPlan {
    checkSites(input.sites);
    checkSameLevel(input.sites);
    checkTier(input.tier, "tier");
    const names = new Set(input.sites.map((site) => site.name));
    checkTopicKeys(input.topics, names, "topics");
    const settings = checkPairKeys(input, names);

    const sorted = [...input.sites].sort((one, other) => (one.name < other.name ? -1 : 1));
    const pairs: PairPlan[] = [];
    const warnings: string[] = [];
    if (input.proofQos === 0) {
        warnings.push(
            `proof.qos is 0: messages of QoS 0 may be lost in an outage, whatever maxOutageSeconds (${input.maxOutageSeconds}) is; publish and prove with QoS 1 where none may be lost`,
        );
    }
    for (const [index, a] of sorted.entries()) {
        for (const b of sorted.slice(index + 1)) {
            const key = pairKey(a.name, b.name);
            const own = settings[key] ?? {};
            if (own.linked === false) {
                warnings.push(
                    `pair ${key} is not linked: links do not pass messages on, so ${a.name} and ${b.name} exchange nothing, whatever other pairs exist`,
                );
                continue;
            }
            pairs.push(planPair(input, key, a, b, own));
        }
    }
    if (pairs.length === 0) {
        throw new InputError("pairs", "every pair has linked: false, so nothing would be linked; leave at least one pair linked");
    }
    checkNatRules(input.sites, pairs);
    const byName = new Map(input.sites.map((site) => [site.name, site]));
    const vpn = planVpn(
        pairs.flatMap(({ key, tier, maxOutageSeconds, ...pair }) => {
            const [a, b] = [byName.get(pair.a), byName.get(pair.b)];
            return tier === "vpn" && a !== undefined && b !== undefined
                ? [{ key, a, b, maxOutageSeconds, ...settings[key]?.vpn }]
                : [];
        }),
    );
    return { pairs, vpnPeers: vpn.peers, warnings: [...warnings, ...vpn.warnings], notProven: notProven(input.sites, pairs) };
}

function planPair(input: MeshPlanInput, key: string, a: SiteFacts, b: SiteFacts, own: PairSettings): PairPlan {
    const argument = own.tier === undefined ? "tier" : `pairs["${key}"].tier`;
    const tier = own.tier ?? input.tier;
    checkSameProtocol(key, a, b);
    checkSupport(argument, tier, key, a);
    checkSupport(argument, tier, key, b);
    checkAdmission(tier, key, a, b);
    checkAdmission(tier, key, b, a);
    const topics = own.topics ?? input.topics;
    const topicsToA = topicsFor(topics, a.name);
    const topicsToB = topicsFor(topics, b.name);
    if (topicsToA.length === 0 && topicsToB.length === 0) {
        const where = own.topics === undefined ? "topics" : `pairs["${key}"].topics`;
        throw new InputError(
            where,
            `neither ${a.name} nor ${b.name} would receive anything; give topic filters to at least one side, or set pairs["${key}"].linked to false`,
        );
    }
    return {
        key,
        a: a.name,
        b: b.name,
        tier,
        maxOutageSeconds: own.maxOutageSeconds ?? input.maxOutageSeconds,
        topicsToA,
        topicsToB,
    };
}

function checkSites(sites: readonly SiteFacts[]): void {
    if (sites.length < 2) {
        throw new InputError("sites", `${sites.length} given; a mesh joins at least two sites`);
    }
    const byName = new Map<string, number>();
    const byNumber = new Map<number, string>();
    const byCluster = new Map<string, string>();
    const meshes = new Map<string, string>();
    for (const [index, site] of sites.entries()) {
        checkSiteName(site.name, `sites[${index}].name`);
        checkSiteNumber(site.siteNumber, `sites[${index}].siteNumber`);
        const twin = byName.get(site.name);
        if (twin !== undefined) {
            throw new InputError(
                `sites[${index}].name`,
                `${quote(site.name)} is the name of sites[${twin}] too; names are unique in a mesh`,
            );
        }
        byName.set(site.name, index);
        const sameNumber = byNumber.get(site.siteNumber);
        if (sameNumber !== undefined) {
            throw new InputError(
                `sites[${index}].siteNumber`,
                `${site.siteNumber} is taken by ${sameNumber}; give ${site.name} a number of its own that no site ever had`,
            );
        }
        byNumber.set(site.siteNumber, site.name);
        const sameCluster = byCluster.get(site.clusterName);
        if (sameCluster !== undefined) {
            throw new InputError(
                `sites[${index}].clusterName`,
                `${quote(site.clusterName)} is the cluster.name of ${sameCluster} too; EMQX tells links apart by it, so each cluster needs its own`,
            );
        }
        byCluster.set(site.clusterName, site.name);
        if (site.meshId !== undefined) {
            meshes.set(site.meshId, site.name);
        }
    }
    checkDisjoint(
        sites.flatMap(({ name, cidr }) => (cidr === undefined ? [] : [{ cidr, what: name }])),
        "sites",
    );
    if (meshes.size > 1) {
        const list = [...meshes].map(([mesh, site]) => `${site} has ${quote(mesh)}`).join(", ");
        throw new InputError(
            "sites",
            `the sites belong to different meshes (${list}); set the same meshId on all of them, or on none`,
        );
    }
}

/** Brokers on loopback and brokers in networks of their own do not reach each other. */
function checkSameLevel(sites: readonly SiteFacts[]): void {
    const [first, ...others] = sites.filter(({ level }) => level !== undefined);
    const other = others.find(({ level }) => level !== first?.level);
    if (first !== undefined && other !== undefined) {
        throw new InputError(
            "sites",
            `${first.name} has level ${quote(first.level)} and ${other.name} ${quote(other.level)}; local sites of a mesh share one network, so set the same level on all of them`,
        );
    }
}

function checkTier(tier: string, argument: string): void {
    if (!(tiers as readonly string[]).includes(tier)) {
        throw new InputError(argument, `${quote(tier)} is no tier; set one of ${tiers.join(", ")}`);
    }
}

function checkTopicKeys(topics: TopicsBySite, names: ReadonlySet<string>, argument: string): void {
    // Plain JavaScript is held to the types by nothing else.
    if (typeof topics !== "object" || topics === null) {
        throw new InputError(
            argument,
            `${topics === undefined ? "it is missing" : `${quote(topics)} is no list`}; set a list of topic filters such as ["fleet/#"], or one for each receiving site by its name`,
        );
    }
    if (isList(topics)) {
        return;
    }
    for (const [site, list] of Object.entries(topics)) {
        if (!isList(list)) {
            throw new InputError(
                `${argument}[${quote(site)}]`,
                `${quote(list)} is no list; set a list of topic filters such as ["fleet/#"]`,
            );
        }
        if (!names.has(site)) {
            throw new InputError(
                `${argument}[${quote(site)}]`,
                `there is no such site; the receiving sites are ${[...names].join(", ")}`,
            );
        }
    }
}

/** Checks the keys of `pairs`, and that no two pairs of sites share one (`a-b` with `c`, and `a` with `b-c`). */
function checkPairKeys(input: MeshPlanInput, names: ReadonlySet<string>): Readonly<Record<string, PairSettings>> {
    const owners = new Map<string, string>();
    const list = [...names].sort();
    for (const [index, a] of list.entries()) {
        for (const b of list.slice(index + 1)) {
            const key = pairKey(a, b);
            const owner = owners.get(key);
            if (owner !== undefined) {
                throw new InputError(
                    "sites",
                    `the pairs (${owner}) and (${a}, ${b}) would share the key ${quote(key)}; rename one of the sites`,
                );
            }
            owners.set(key, `${a}, ${b}`);
        }
    }
    const settings = input.pairs ?? {};
    for (const [key, own] of Object.entries(settings)) {
        if (!owners.has(key)) {
            throw new InputError(
                `pairs[${quote(key)}]`,
                `there is no such pair; a key is two site names in alphabetical order, as in ${quote([...owners.keys()][0])}`,
            );
        }
        if (own.tier !== undefined) {
            checkTier(own.tier, `pairs["${key}"].tier`);
        }
        if (own.topics !== undefined) {
            const two = new Set((owners.get(key) ?? "").split(", "));
            checkTopicKeys(own.topics, two, `pairs["${key}"].topics`);
        }
    }
    return settings;
}

function checkSameProtocol(key: string, a: SiteFacts, b: SiteFacts): void {
    if (a.linkProtocol !== b.linkProtocol) {
        const local = a.linkProtocol === "linkspan-local" ? a : b;
        const other = local === a ? b : a;
        throw new InputError(
            "sites",
            `${local.name} is a local stand-in and ${other.name} a real EMQX cluster (pair ${key}): EMQX's links carry Erlang terms over MQTT 5, which the stand-in does not speak; ` +
                "put them into different meshes",
        );
    }
}

function checkSupport(argument: string, tier: Tier, key: string, site: SiteFacts): void {
    const support = site.tiers[tier];
    if (!support.supported) {
        const possible = tiers.filter((other) => site.tiers[other].supported);
        throw new InputError(
            argument,
            `${quote(tier)} is not possible for ${site.name} (pair ${key}): ${support.reason}; ${site.name} can do ${possible.join(", ")}`,
        );
    }
}

/** A door that admits listed addresses only would keep out a peer whose addresses nobody knows: the link would wait for ever. */
function checkAdmission(tier: Tier, key: string, at: SiteFacts, from: SiteFacts): void {
    if (tier === "nat" && at.filtersSources === true && from.fixedEgress !== true) {
        throw new InputError(
            "sites",
            `the link door of ${at.name} admits listed addresses only, and those that ${from.name} comes from are not known (pair ${key}); set link.egressAddresses of ${from.name}`,
        );
    }
}

function isList(topics: TopicsBySite): topics is readonly string[] {
    return Array.isArray(topics);
}

function topicsFor(topics: TopicsBySite, receiver: string): readonly string[] {
    return isList(topics) ? topics : (topics[receiver] ?? []);
}

function notProven(sites: readonly SiteFacts[], pairs: readonly PairPlan[]): string[] {
    const used = new Set(pairs.map((pair) => pair.tier));
    const lines = new Set<string>();
    for (const site of sites) {
        if (site.standIn !== undefined) {
            lines.add(site.standIn);
        }
        for (const tier of used) {
            const support = site.tiers[tier];
            if (support.supported && support.standsFor !== undefined) {
                lines.add(support.standsFor);
            }
        }
    }
    return [...lines];
}
