import { InputError, quote } from "./errors.js";

/** Every way to join two sites. */
export const tiers = ["nat", "vpn", "interconnect"] as const;
/** How a pair of sites is joined: `nat` (public addresses, TLS, allow-lists), `vpn` (IPsec tunnels with BGP), `interconnect` (a private link). */
export type Tier = (typeof tiers)[number];

/** Longest site name: it goes into host names, tags and EMQX names with room to spare. */
const longestSiteName = 24;
/** Names that would shadow what a cloud itself resolves below `.internal`. */
const shadowedMeshIds = new Set(["google", "c", "ec2", "compute", "cloudapp"]);

/** Checks a site's name: lower-case letters, digits and single hyphens, at most 24 characters, so that it fits host names of every cloud. */
export function checkSiteName(name: string, argument = "name"): string {
    if (!/^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,23}$/.test(name)) {
        throw new InputError(
            argument,
            `${quote(name)} is no site name; use 1 to ${longestSiteName} lower-case letters, digits and single hyphens, beginning with a letter`,
        );
    }
    return name;
}

/** Checks a mesh id: like a site's name, at most 40 characters, and none of the words that a cloud resolves below `.internal`. */
export function checkMeshId(id: string, argument = "meshId"): string {
    if (!/^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,39}$/.test(id)) {
        throw new InputError(
            argument,
            `${quote(id)} is no mesh id; use 1 to 40 lower-case letters, digits and single hyphens, beginning with a letter`,
        );
    }
    if (shadowedMeshIds.has(id)) {
        throw new InputError(
            argument,
            `${quote(id)} is resolved by a cloud's own name server below .internal; choose another word`,
        );
    }
    return id;
}

/** The mesh id that a project and a stack give when the user sets none: `<project>-<stack>` brought into the form of {@link checkMeshId}. */
export function defaultMeshId(project: string, stack: string): string {
    const id = `${project}-${stack}`
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
        .replace(/^[^a-z]+|-+$/g, "")
        .slice(0, 40)
        .replace(/-+$/, "");
    return id === "" ? "mesh" : id;
}

/** The lowest and the highest site number: 120 numbers fit every address pool (facts: addressing rule of the mesh). */
export const siteNumberRange = { min: 1, max: 120 } as const;

/** Checks a site number, the root of every address and number of a site. */
export function checkSiteNumber(value: number, argument = "siteNumber"): number {
    if (!Number.isInteger(value) || value < siteNumberRange.min || value > siteNumberRange.max) {
        throw new InputError(
            argument,
            `${quote(value)} is no site number; set a whole number from ${siteNumberRange.min} to ${siteNumberRange.max}, unique in the mesh and never reused`,
        );
    }
    return value;
}

/** `cluster.name` of a site's EMQX cluster: `<mesh>-<site>`. */
export function clusterName(meshId: string, site: string): string {
    return `${meshId}-${site}`;
}

/** Prefix of every MQTT client id that a site's links use on its peers. It ends in a separator, so that no site's prefix begins another's. */
export function clientIdPrefix(cluster: string): string {
    return `${cluster}-`;
}

/** User name that a cluster's links present to their peers: `link-<cluster.name>`. */
export function linkUser(cluster: string): string {
    return `link-${cluster}`;
}

/** The stable host name of a site's link door, the only name that links carry: `<site>.link.<mesh>.internal`. */
export function linkHost(meshId: string, site: string): string {
    return `${site}.link.${meshId}.internal`;
}

/** Key of an unordered pair of sites: `a-b` with a < b. */
export function pairKey(one: string, other: string): string {
    return one < other ? `${one}-${other}` : `${other}-${one}`;
}
