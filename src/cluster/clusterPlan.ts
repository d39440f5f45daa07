import { checkAllowedRange, checkDisjoint, parseCidr } from "../addressing/cidr.js";
import { brokerAddress, defaultSiteCidr, mostZones, type SiteRanges, siteRanges } from "../addressing/siteRanges.js";
import { checkRelease, defaultRelease } from "../emqx/releases.js";
import { InputError, quote } from "../errors.js";
import { checkMeshId, checkSiteName, checkSiteNumber, clusterName, linkHost } from "../naming.js";
import type { Architecture, BrokerArgs, PackageArgs } from "./args.js";

/** What a cluster's plan is made from. Plain data; what is not plain in a site's arguments stands here as what is known of it. */
export interface ClusterPlanInput {
    readonly name: string;
    readonly siteNumber: number;
    readonly meshId: string;
    readonly cidr?: string | undefined;
    /** Zones by the cloud's own names, in the order that the user gave. */
    readonly zones: readonly string[];
    /** Whether each zone has a brokers' subnet of its own (AWS) or one subnet spans them (GCP, Azure). */
    readonly subnets: "perZone" | "regional";
    /** Ranges of the user's own brokers' subnets, by zone; one for all where `subnets` is `regional`. @default the site's own plan */
    readonly brokerRanges?: readonly string[] | undefined;
    readonly license: LicenseKind;
    readonly broker?: Omit<BrokerArgs, "imageId"> | undefined;
    readonly adminCidrs: readonly string[] | undefined;
    readonly clientCidrs?: readonly string[] | "anywhere" | undefined;
    readonly users?: readonly { readonly username: string }[] | undefined;
    readonly defaults: { readonly size: Readonly<Record<Architecture, string>>; readonly architecture: Architecture };
}

/** `key`: a licence key was given, whose text is not known here. */
export type LicenseKind = "community" | "evaluation" | "key";

/** One broker machine. */
export interface NodePlan {
    /** Number of the node from 1, as text: child names carry it. It stays the node's for its life. */
    readonly key: string;
    /** The cloud's name of its zone. */
    readonly zone: string;
    /** Position of the zone in the site's list. */
    readonly zoneNumber: number;
    /** Fixed private address. */
    readonly address: string;
    /** `node.name` of EMQX: its identity on disk. */
    readonly nodeName: string;
}

/** Everything about a site's cluster that is decided before the first resource exists. */
export interface ClusterPlan {
    readonly name: string;
    readonly siteNumber: number;
    readonly meshId: string;
    readonly clusterName: string;
    /** Stable name of the site's link door. */
    readonly linkHost: string;
    readonly ranges: SiteRanges;
    /** Ranges of the brokers' subnets: by zone, or one. */
    readonly brokerRanges: readonly string[];
    readonly zones: readonly string[];
    readonly nodes: readonly NodePlan[];
    /** Node names that a booting node looks for: the first three, so that adding a node changes no other node's boot data. */
    readonly seeds: readonly string[];
    readonly license: LicenseKind;
    readonly version: string;
    readonly architecture: Architecture;
    readonly size: string;
    readonly dataDiskGb: number;
    readonly protectData: boolean;
    readonly retainData: boolean;
    readonly sessionQueueMessages: number;
    readonly package?: PackageArgs | undefined;
    readonly imageRelease: string;
    /** Ranges that may use the management door. */
    readonly adminRanges: readonly string[];
    /** Ranges that may use the client door: devices' and administrators'. */
    readonly clientRanges: readonly string[];
    /** Allowed, but worth knowing; said once at preview. */
    readonly warnings: readonly string[];
}

/** Clusters of EMQX core nodes beyond this size gain nothing: every node keeps all routes. */
const mostNodes = 7;
/**
 * Nodes that every node's boot data names. Planned nodes that do not exist are not among them, though that would spare the first node a
 * replacement when a second one comes: while a seed does not answer, EMQX counts its discovery as failed, warns, and repeats it every few
 * seconds (ekka's `ekka_autocluster`, seen in its source and in emqx/emqx issue 9662, not measured). A single node would do so for life.
 */
const seedCount = 3;
const longestClusterName = 63;
/** User names that are Linkspan's own. */
export const probeUser = "linkspan-probe";
export const apiKeyName = "linkspan";

/**
 * Decides a cloud site's cluster. Pure: peers play no part in it, so adding a site changes nothing of another's.
 *
 * @throws InputError naming the argument, its value and what to set
 */
export function planCluster(input: ClusterPlanInput): ClusterPlan {
    const { name, siteNumber, meshId, zones, license, broker = {} } = input;
    checkSiteName(name);
    checkSiteNumber(siteNumber);
    checkMeshId(meshId);
    checkClusterName(meshId, name);
    checkZones(zones);
    const cidr = input.cidr ?? defaultSiteCidr(siteNumber);
    const ranges = siteRanges(cidr);
    const brokerRanges = planBrokerRanges(input, ranges);
    const version = broker.version ?? defaultRelease;
    const count = checkNodes(license, broker.nodes);
    const warnings = checkVersion(version, license);
    const architecture = checkArchitecture(broker.architecture ?? input.defaults.architecture);
    const adminRanges = checkAdmins(input.adminCidrs);
    checkUsers(input.users);
    checkPackage(broker.package);
    const nodes = Array.from({ length: count }, (_, index) => planNode(index, zones, brokerRanges));
    if (zones.length < count && zones.length > 1) {
        const moved = count === zones.length + 1 ? `node ${count}` : `nodes ${zones.length + 1} to ${count}`;
        warnings.push(
            `${name}: ${count} nodes share ${zones.length} zones; a lost zone takes more than one node with it. Keep the list of zones: another one, also at its end, moves ${moved}, with empty disks`,
        );
    }
    return {
        name,
        siteNumber,
        meshId,
        clusterName: clusterName(meshId, name),
        linkHost: linkHost(meshId, name),
        ranges,
        brokerRanges,
        zones,
        nodes,
        seeds: nodes.slice(0, seedCount).map(({ nodeName }) => nodeName),
        license,
        version,
        architecture,
        size: broker.size ?? input.defaults.size[architecture],
        dataDiskGb: checkWhole("broker.dataDiskGb", broker.dataDiskGb ?? 20, 10, 16_384, "GiB"),
        protectData: broker.protectData ?? false,
        retainData: broker.retainData ?? false,
        sessionQueueMessages: checkWhole(
            "broker.sessionQueueMessages",
            broker.sessionQueueMessages ?? 1_000,
            1,
            1_000_000,
            "messages",
        ),
        package: broker.package,
        imageRelease: broker.imageRelease ?? "1",
        adminRanges,
        clientRanges: planClients(input.clientCidrs ?? "anywhere", adminRanges),
        warnings,
    };
}

function planBrokerRanges({ subnets, zones, brokerRanges }: ClusterPlanInput, ranges: SiteRanges): readonly string[] {
    const own = ranges.zones.map(({ brokers }) => brokers).slice(0, subnets === "perZone" ? zones.length : 1);
    if (brokerRanges === undefined) {
        return own;
    }
    if (brokerRanges.length !== own.length) {
        throw new InputError(
            "network",
            `${brokerRanges.length} brokers' subnets given; set ${subnets === "perZone" ? `one for each of the ${own.length} zones` : "one"}`,
        );
    }
    checkDisjoint(
        brokerRanges.map((range) => ({ cidr: range, what: "a brokers' subnet" })),
        "network",
    );
    return brokerRanges;
}

function planNode(index: number, zones: readonly string[], brokerRanges: readonly string[]): NodePlan {
    const zoneNumber = index % zones.length;
    const perZone = brokerRanges.length > 1 || zones.length === 1;
    const subnet = brokerRanges[perZone ? zoneNumber : 0] ?? "";
    const place = perZone ? Math.floor(index / zones.length) : index;
    const address = brokerAddress(parseCidr(subnet, "network"), place);
    return { key: String(index + 1), zone: zones[zoneNumber] ?? "", zoneNumber, address, nodeName: `emqx@${address}` };
}

/** The name is a host name in the doors' certificate, and one label of a host name has at most 63 characters. */
function checkClusterName(meshId: string, name: string): void {
    const whole = clusterName(meshId, name);
    if (whole.length > longestClusterName) {
        throw new InputError(
            "meshId",
            `${quote(meshId)} and the site's name ${quote(name)} make the cluster name ${quote(whole)} of ${whole.length} characters; at most ${longestClusterName} fit, so shorten one of the two`,
        );
    }
}

function checkZones(zones: readonly string[]): void {
    if (zones.length < 1 || zones.length > mostZones || new Set(zones).size !== zones.length) {
        throw new InputError(
            "zones",
            `${quote(zones)} is not possible; set 1 to ${mostZones} different zones, and keep them: another list moves nodes`,
        );
    }
}

/** Joining a second node is what EMQX itself refuses with the community licence: after minutes of boot, in a log. */
function checkNodes(license: LicenseKind, nodes: number | undefined): number {
    const count = checkWhole("broker.nodes", nodes ?? (license === "community" ? 1 : 3), 1, mostNodes, "nodes");
    if (license === "community" && count > 1) {
        throw new InputError(
            "broker.nodes",
            `${count} nodes need a licence: set license to a key (config.requireSecret("emqxLicense")), to "evaluation" for a try-out with at most 25 sessions, or broker.nodes to 1`,
        );
    }
    return count;
}

function checkVersion(version: string, license: LicenseKind): string[] {
    if (!/^\d{1,2}\.\d{1,3}\.\d{1,3}$/.test(version)) {
        throw new InputError("broker.version", `${quote(version)} is no release; write it as in ${quote(defaultRelease)}`);
    }
    const verdict = checkRelease(version, { tls: true, licensed: license !== "community" });
    if (verdict.level === "refuse") {
        throw new InputError("broker.version", `${verdict.reason}`);
    }
    return verdict.reason === undefined ? [] : [verdict.reason];
}

function checkArchitecture(architecture: string): Architecture {
    if (architecture !== "arm64" && architecture !== "x86_64") {
        throw new InputError("broker.architecture", `${quote(architecture)} is not known; set arm64 or x86_64`);
    }
    return architecture;
}

function checkAdmins(cidrs: readonly string[] | undefined): readonly string[] {
    if (!Array.isArray(cidrs) || cidrs.length === 0) {
        throw new InputError(
            "adminCidrs",
            `${cidrs === undefined ? "it is missing" : "it is empty"}; list the IPv4 ranges that may use the REST API on port 18084, at least the address that Pulumi comes from, such as ["203.0.113.7/32"]: links, users and the delivery proof are made from there`,
        );
    }
    return unique(cidrs.map((range, index) => checkAllowedRange(range, `adminCidrs[${index}]`)));
}

function planClients(cidrs: readonly string[] | "anywhere", admins: readonly string[]): readonly string[] {
    if (cidrs === "anywhere") {
        return ["0.0.0.0/0"];
    }
    if (!Array.isArray(cidrs)) {
        throw new InputError("clientCidrs", `${quote(cidrs)} is not possible; set a list of IPv4 ranges, or "anywhere"`);
    }
    const own = cidrs.map((range, index) => {
        if (range === "0.0.0.0/0") {
            throw new InputError(
                `clientCidrs[${index}]`,
                '"0.0.0.0/0" admits everybody; set clientCidrs to "anywhere" if that is meant',
            );
        }
        return checkAllowedRange(range, `clientCidrs[${index}]`);
    });
    return unique([...own, ...admins]);
}

function checkUsers(users: readonly { readonly username: string }[] | undefined): void {
    const seen = new Set<string>();
    for (const [index, { username }] of (users ?? []).entries()) {
        const argument = `users[${index}].username`;
        if (typeof username !== "string" || !/^[\w.@+-]{1,128}$/.test(username)) {
            throw new InputError(argument, `${quote(username)} is not possible; use 1 to 128 letters, digits and . _ - + @`);
        }
        if (username === probeUser || username.startsWith("link-")) {
            throw new InputError(
                argument,
                `${quote(username)} is Linkspan's own; set a name other than ${probeUser} that does not begin with "link-"`,
            );
        }
        if (seen.has(username)) {
            throw new InputError(argument, `${quote(username)} stands twice; leave one out`);
        }
        seen.add(username);
    }
}

function checkPackage(given: PackageArgs | undefined): void {
    if (given === undefined) {
        return;
    }
    if (!/^https:\/\/[^\s"'`$\\]+\.deb$/.test(given.url)) {
        throw new InputError(
            "broker.package.url",
            `${quote(given.url)} is not possible; set the https:// address of a .deb file`,
        );
    }
    if (!/^[0-9a-f]{64}$/.test(given.sha256)) {
        throw new InputError(
            "broker.package.sha256",
            `${quote(given.sha256)} is no SHA-256; set 64 hexadecimal digits in lower case`,
        );
    }
}

function checkWhole(argument: string, value: number, min: number, max: number, unit: string): number {
    if (!Number.isInteger(value) || value < min || value > max) {
        throw new InputError(argument, `${quote(value)} is out of range; set a whole number of ${min} to ${max} ${unit}`);
    }
    return value;
}

function unique(values: readonly string[]): readonly string[] {
    return [...new Set(values)];
}
