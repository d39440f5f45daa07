/** What a check is about. Stable: scripts read them from `linkspan doctor --json`. */
export type FindingId =
    | "api"
    | "version"
    | "license"
    | "nodes"
    | "cluster-name"
    | "equal-names"
    | "link-app-down"
    | "link-missing"
    | "link-disabled"
    | "link-status"
    | "topics"
    | "authentication"
    | "tls"
    | "acl"
    | "stranger-acl"
    | "client-id-clash"
    | "routes"
    | "buffers";

/** What one check found on one side. */
export interface Finding {
    /** See {@link FindingId}. */
    readonly id: string;
    /** `unknown`: it could not be looked at. */
    readonly level: "ok" | "warn" | "fail" | "unknown";
    /** Site that it was found on. */
    readonly site: string;
    /** What was found, in a few words. */
    readonly title: string;
    /** Why it is so, or what follows from it. */
    readonly cause?: string;
    /** What to do. */
    readonly fix?: string;
}

/** A finding of a known kind. */
export function finding(
    id: FindingId,
    level: Finding["level"],
    site: string,
    title: string,
    more: { readonly cause?: string | undefined; readonly fix?: string | undefined } = {},
): Finding {
    const { cause, fix } = more;
    return { id, level, site, title, ...(cause === undefined ? {} : { cause }), ...(fix === undefined ? {} : { fix }) };
}
