import type { AuthzRule } from "./acl.js";
import type { AuthorizationSource, LinkMetrics, RemoteLink } from "./answers.js";
import type { EmqxClient } from "./client.js";

/** The calls of EMQX's REST API that a diagnosis makes. */
export type EmqxClientLike = Pick<
    EmqxClient,
    | "status"
    | "nodes"
    | "cluster"
    | "license"
    | "alarms"
    | "listLinks"
    | "linkMetrics"
    | "getUser"
    | "listAuthenticators"
    | "authorizationSettings"
    | "listAuthorizationSources"
    | "getUserRules"
    | "clients"
>;

/** What was read, or why it could not be. */
export type Reading<T> =
    | { readonly read: true; readonly value: T }
    | { readonly read: false; readonly reason: string; readonly todo?: string | undefined };

/** One activated or past alarm of a link. */
export interface AlarmFact {
    readonly name: string;
    readonly message: string;
    readonly active: boolean;
}

/** A connection that some cluster's link has opened to this one. */
export interface LinkConnection {
    readonly clientId: string;
    readonly username?: string | undefined;
    readonly connected: boolean;
}

/** Everything that one end of a pair says about itself and its link. */
export interface EndFacts {
    readonly site: string;
    /** What `cluster.name` is expected to be. */
    readonly clusterName: string;
    /** Name of the link to the peer: the peer's expected `cluster.name`. */
    readonly linkName: string;
    /** User as which the peer's links log in here. */
    readonly linkUserOfPeer?: string | undefined;
    /** Client-id prefix of this end's links. */
    readonly clientIdPrefix?: string | undefined;
    /** Release and real `cluster.name`. */
    readonly identity: Reading<{ readonly version: string; readonly clusterName: string }>;
    readonly nodes: Reading<readonly { readonly node: string; readonly running: boolean }[]>;
    readonly license: Reading<{
        readonly type: string;
        readonly expired: boolean;
        readonly maxSessions?: number | undefined;
    }>;
    /** All links of the cluster. */
    readonly links: Reading<readonly RemoteLink[]>;
    /** Undefined where there is no such link. */
    readonly counters: Reading<LinkMetrics | undefined>;
    /** Alarms of the link to the peer, the active ones first. */
    readonly alarms: Reading<readonly AlarmFact[]>;
    /** Whether the peer's user exists, and whether it may do everything. Undefined: no built-in user database is in use. */
    readonly peerUser: Reading<{ readonly exists: boolean; readonly superuser: boolean } | undefined>;
    readonly authenticators: Reading<readonly string[]>;
    readonly sources: Reading<readonly AuthorizationSource[]>;
    /** What happens where no rule fits. */
    readonly noMatch: Reading<"allow" | "deny">;
    /** Rules of the peer's user in the built-in database. Undefined where it has none. */
    readonly peerRules: Reading<readonly AuthzRule[] | undefined>;
    /** One connection per node of each cluster that has a link to here: those that carry routes. */
    readonly connections: Reading<readonly LinkConnection[]>;
}

/** The link to the peer: undefined where the list was read and has none. */
export function linkOf(facts: EndFacts): RemoteLink | undefined {
    return facts.links.read ? facts.links.value.find(({ name }) => name === facts.linkName) : undefined;
}
