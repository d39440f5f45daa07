import type { AuthzRule } from "./acl.js";
import type { RemoteLinkLike } from "./linkDiff.js";

/** A link as EMQX reports it, with its state. */
export interface LinkState extends RemoteLinkLike {
    /** `connected`, `connecting`, `disconnected` or `inconsistent`: the state of the connections, no proof of delivery. */
    readonly status: string;
    readonly nodeStatus: readonly { readonly node: string; readonly status: string }[];
}

/** Counters of a link since it was last changed, summed over the cluster's nodes. */
export interface LinkCounters {
    /** Routes that the remote has announced: what it wants to be sent. */
    readonly routes: number;
    readonly matched: number;
    readonly success: number;
    readonly failed: number;
    readonly dropped: number;
    readonly retried: number;
    readonly queuing: number;
    readonly inflight: number;
}

/** The calls of EMQX's REST API that a diagnosis makes. Answers whose fields differ between releases are read with care later. */
export interface EmqxClientLike {
    status(): Promise<{ readonly relVsn: string; readonly cluster?: string | undefined }>;
    nodes(): Promise<unknown>;
    cluster(): Promise<{ readonly name: string; readonly nodes: readonly string[] }>;
    license(): Promise<unknown>;
    alarms(activated?: boolean): Promise<unknown>;
    listLinks(): Promise<readonly LinkState[]>;
    linkMetrics(name: string): Promise<LinkCounters | undefined>;
    getUser(username: string): Promise<unknown>;
    listAuthenticators(): Promise<unknown>;
    authorizationSettings(): Promise<unknown>;
    listAuthorizationSources(): Promise<unknown>;
    getUserRules(username: string): Promise<readonly AuthzRule[] | undefined>;
    clients(query: { readonly likeClientId?: string; readonly limit?: number }): Promise<unknown>;
}

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

/** A source of authorization rules, in the order in which EMQX asks them. */
export interface AuthorizationSource {
    readonly type: string;
    readonly enable: boolean;
    /** Text of the rules, for the source `file`. */
    readonly rules?: string | undefined;
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
    readonly links: Reading<readonly LinkState[]>;
    /** Undefined where there is no such link. */
    readonly counters: Reading<LinkCounters | undefined>;
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
export function linkOf(facts: EndFacts): LinkState | undefined {
    return facts.links.read ? facts.links.value.find(({ name }) => name === facts.linkName) : undefined;
}
