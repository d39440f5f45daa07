import type { AuthzRule } from "./acl.js";
import { ShapeError } from "./call.js";

// EMQX's answers, as far as they are used. Fields that are not named here are ignored, so that other versions may add some.

/** A JSON object as it came. */
export type RawRecord = Readonly<Record<string, unknown>>;

/** What a node says of itself without credentials. */
export interface BrokerStatus {
    /** `started`. */
    readonly brokerStatus: string;
    /** `running`. */
    readonly appStatus: string;
    /** Release with the letter of the edition: `e5.10.3`. */
    readonly relVsn: string;
    /** `cluster.name`. Old versions do not say it. */
    readonly cluster?: string;
    readonly nodeName: string;
}

/** A broker node. */
export interface NodeInfo {
    readonly node: string;
    /** `running` or `stopped`. */
    readonly status: string;
    /** `5.10.3`. A stopped node does not say it. */
    readonly version: string;
    readonly edition?: string;
    /** `core` or `replicant`. */
    readonly role?: string;
    /** Sessions, connected or not. */
    readonly connections?: number;
    readonly liveConnections?: number;
    readonly uptimeMs?: number;
}

/** The cluster as its nodes know it. */
export interface ClusterInfo {
    readonly name: string;
    readonly nodes: readonly string[];
    /** The node that answered. */
    readonly self: string;
}

/** The licence that is loaded. */
export interface LicenseInfo {
    /** Such as `community`, `trial` or `official`. */
    readonly type: string;
    readonly expired: boolean;
    /** `2029-03-01`. */
    readonly expiresAt?: string;
    readonly maxSessions?: number;
}

/** An alarm, raised or past. */
export interface Alarm {
    readonly name: string;
    readonly message: string;
    readonly node?: string;
    readonly details: RawRecord;
    readonly activatedAt?: string;
    /** Absent while it is raised. */
    readonly deactivatedAt?: string;
}

/** A cluster link as EMQX shows it. */
export interface RemoteLink {
    readonly name: string;
    readonly server: string;
    readonly clientId?: string;
    readonly username?: string;
    /** Whether a password is stored. EMQX never says which. */
    readonly hasPassword: boolean;
    readonly topics: readonly string[];
    readonly enable: boolean;
    readonly poolSize?: number;
    /** A duration in any spelling; a number counts milliseconds. */
    readonly retryInterval?: string | number;
    readonly maxInflight?: number;
    readonly resourceOptions: RawRecord;
    readonly ssl: RawRecord;
    /** `connected`, `connecting`, `disconnected` or `inconsistent`. It speaks of TCP and login only, never of messages. */
    readonly status: string;
    readonly nodeStatus: readonly { readonly node: string; readonly status: string }[];
    /** The answer as it came, the password hidden by EMQX. */
    readonly raw: RawRecord;
}

/** What a cluster's link has done since it was last changed, on all nodes. */
export interface LinkMetrics {
    /** Routes that the remote has registered here: what this side would forward. Counted anew every 15 s. */
    readonly routes: number;
    readonly matched: number;
    readonly success: number;
    readonly failed: number;
    readonly dropped: number;
    readonly retried: number;
    /** Messages that wait in memory. */
    readonly queuing: number;
    readonly inflight: number;
}

/** A user of the built-in database. */
export interface UserInfo {
    readonly username: string;
    readonly superuser: boolean;
}

/** A way to check passwords. */
export interface AuthenticatorInfo {
    /** `password_based:built_in_database`. */
    readonly id: string;
    readonly enable: boolean;
}

/** A place that authorization rules come from. */
export interface AuthorizationSource {
    /** `file`, `built_in_database`, … */
    readonly type: string;
    readonly enable: boolean;
    /** Text of the rules, of the type `file`. */
    readonly rules?: string;
}

/** What holds where no rule fits. */
export interface AuthorizationSettings {
    readonly noMatch: string;
    readonly denyAction?: string;
}

/** A door for devices. */
export interface ListenerInfo {
    /** `ssl:default`. */
    readonly id: string;
    readonly type: string;
    /** `0.0.0.0:8883` or `:8883`. */
    readonly bind: string;
    readonly enable: boolean;
    readonly running?: boolean;
}

/** A connected client or one whose session is kept. */
export interface ClientInfo {
    readonly clientId: string;
    readonly username?: string;
    readonly connected: boolean;
    readonly node?: string;
    readonly address?: string;
}

/** A subscribed topic filter and the node whose clients want it. */
export interface RouteInfo {
    readonly topic: string;
    readonly node: string;
}

/** A node that is being drained. */
export interface NodeEvacuation {
    readonly node: string;
    /** `waiting_health_check`, `evicting_conns`, `waiting_takeover`, `evicting_sessions` or `prohibiting` (done). */
    readonly state: string;
}

/** One page of a list. */
export interface Page<T> {
    readonly items: readonly T[];
    readonly hasNext: boolean;
}

export function record(value: unknown, path: string): RawRecord {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new ShapeError(`${path} is no object`);
    }
    return value as RawRecord;
}

export function list<T>(value: unknown, path: string, parse: (item: unknown, path: string) => T): T[] {
    if (!Array.isArray(value)) {
        throw new ShapeError(`${path} is no list`);
    }
    return value.map((item: unknown, index) => parse(item, `${path}[${index}]`));
}

function text(from: RawRecord, key: string, path: string): string {
    const value = from[key];
    if (typeof value !== "string") {
        throw new ShapeError(`${path}.${key} is no text`);
    }
    return value;
}

function textOr(from: RawRecord, key: string, otherwise: string): string {
    const value = from[key];
    return typeof value === "string" ? value : otherwise;
}

/** `{ [name]: value }` where the value is there. */
function optional<N extends string, T>(name: N, value: T | undefined): { [K in N]?: T } {
    return value === undefined ? {} : ({ [name]: value } as { [K in N]?: T });
}

function textIf(from: RawRecord, key: string): string | undefined {
    const value = from[key];
    return typeof value === "string" && value !== "" ? value : undefined;
}

function numberIf(from: RawRecord, key: string): number | undefined {
    const value = from[key];
    return typeof value === "number" ? value : undefined;
}

function item(value: unknown, path: string): string {
    if (typeof value !== "string") {
        throw new ShapeError(`${path} is no text`);
    }
    return value;
}

export function brokerStatus(json: unknown): BrokerStatus {
    const from = record(json, "status");
    return {
        brokerStatus: text(from, "broker_status", "status"),
        appStatus: text(from, "app_status", "status"),
        relVsn: text(from, "rel_vsn", "status"),
        ...optional("cluster", textIf(from, "cluster")),
        nodeName: text(from, "node_name", "status"),
    };
}

export function nodes(json: unknown): NodeInfo[] {
    return list(json, "nodes", (value, path) => {
        const from = record(value, path);
        return {
            node: text(from, "node", path),
            status: textOr(from, "node_status", "unknown"),
            version: textOr(from, "version", "unknown"),
            ...optional("edition", textIf(from, "edition")),
            ...optional("role", textIf(from, "role")),
            ...optional("connections", numberIf(from, "connections")),
            ...optional("liveConnections", numberIf(from, "live_connections")),
            ...optional("uptimeMs", numberIf(from, "uptime")),
        };
    });
}

export function cluster(json: unknown): ClusterInfo {
    const from = record(json, "cluster");
    return {
        name: text(from, "name", "cluster"),
        nodes: list(from.nodes, "cluster.nodes", item),
        self: text(from, "self", "cluster"),
    };
}

export function license(json: unknown): LicenseInfo {
    const from = record(json, "license");
    return {
        type: text(from, "type", "license"),
        expired: from.expiry === true,
        ...optional("expiresAt", textIf(from, "expiry_at")),
        ...optional("maxSessions", numberIf(from, "max_sessions")),
    };
}

export function link(json: unknown, path = "link"): RemoteLink {
    const raw = record(json, path);
    const retry = raw.retry_interval;
    return {
        name: text(raw, "name", path),
        server: text(raw, "server", path),
        ...optional("clientId", textIf(raw, "clientid")),
        ...optional("username", textIf(raw, "username")),
        hasPassword: textIf(raw, "password") !== undefined,
        topics: list(raw.topics, `${path}.topics`, item),
        enable: raw.enable !== false,
        ...optional("poolSize", numberIf(raw, "pool_size")),
        ...optional("retryInterval", typeof retry === "string" || typeof retry === "number" ? retry : undefined),
        ...optional("maxInflight", numberIf(raw, "max_inflight")),
        resourceOptions: raw.resource_opts === undefined ? {} : record(raw.resource_opts, `${path}.resource_opts`),
        ssl: raw.ssl === undefined ? {} : record(raw.ssl, `${path}.ssl`),
        status: textOr(raw, "status", "unknown"),
        nodeStatus: list(raw.node_status ?? [], `${path}.node_status`, (value, at) => {
            const from = record(value, at);
            return { node: text(from, "node", at), status: textOr(from, "status", "unknown") };
        }),
        raw,
    };
}

export function linkMetrics(json: unknown): LinkMetrics {
    const metrics = record(record(json, "answer").metrics, "metrics");
    const router = record(metrics.router, "metrics.router");
    const forwarding = record(metrics.forwarding, "metrics.forwarding");
    const count = (from: RawRecord, key: string) => {
        const value = numberIf(from, key);
        if (value === undefined) {
            throw new ShapeError(`metrics: ${key} is no number`);
        }
        return value;
    };
    return {
        routes: count(router, "routes"),
        matched: count(forwarding, "matched"),
        success: count(forwarding, "success"),
        failed: count(forwarding, "failed"),
        dropped: count(forwarding, "dropped"),
        retried: count(forwarding, "retried"),
        queuing: count(forwarding, "queuing"),
        inflight: count(forwarding, "inflight"),
    };
}

/** A page `{data, meta: {hasnext}}`. */
export function page<T>(json: unknown, parse: (item: unknown, path: string) => T): Page<T> {
    const from = record(json, "answer");
    const meta = record(from.meta ?? {}, "meta");
    return { items: list(from.data, "data", parse), hasNext: meta.hasnext === true };
}

export function alarm(value: unknown, path: string): Alarm {
    const from = record(value, path);
    const { details } = from;
    return {
        name: text(from, "name", path),
        message: textOr(from, "message", ""),
        ...optional("node", textIf(from, "node")),
        details: typeof details === "object" && details !== null && !Array.isArray(details) ? (details as RawRecord) : {},
        ...optional("activatedAt", textIf(from, "activate_at")),
        // EMQX writes "infinity" while the alarm stands.
        ...optional("deactivatedAt", from.deactivate_at === "infinity" ? undefined : textIf(from, "deactivate_at")),
    };
}

export function user(json: unknown): UserInfo {
    const from = record(json, "user");
    return { username: text(from, "user_id", "user"), superuser: from.is_superuser === true };
}

export function authenticators(json: unknown): AuthenticatorInfo[] {
    return list(json, "authenticators", (value, path) => {
        const from = record(value, path);
        return { id: text(from, "id", path), enable: from.enable !== false };
    });
}

export function authorizationSources(json: unknown): AuthorizationSource[] {
    return list(record(json, "answer").sources, "sources", (value, path) => {
        const from = record(value, path);
        return { type: text(from, "type", path), enable: from.enable !== false, ...optional("rules", textIf(from, "rules")) };
    });
}

export function authorizationSettings(json: unknown): AuthorizationSettings {
    const from = record(json, "settings");
    return { noMatch: text(from, "no_match", "settings"), ...optional("denyAction", textIf(from, "deny_action")) };
}

export function rules(json: unknown): AuthzRule[] {
    return list(record(json, "answer").rules, "rules", (value, path) => {
        const from = record(value, path);
        const { permission, action } = from;
        if (permission !== "allow" && permission !== "deny") {
            throw new ShapeError(`${path}.permission is neither allow nor deny`);
        }
        if (action !== "publish" && action !== "subscribe" && action !== "all") {
            throw new ShapeError(`${path}.action is none of publish, subscribe and all`);
        }
        return { topic: text(from, "topic", path), permission, action };
    });
}

export function listeners(json: unknown): ListenerInfo[] {
    return list(json, "listeners", (value, path) => {
        const from = record(value, path);
        const id = text(from, "id", path);
        const { status } = from;
        const running = typeof status === "object" && status !== null ? (status as RawRecord).running : undefined;
        return {
            id,
            type: textOr(from, "type", id.split(":")[0] ?? ""),
            bind: typeof from.bind === "number" ? `:${from.bind}` : textOr(from, "bind", ""),
            enable: from.enable !== false,
            ...optional("running", typeof running === "boolean" ? running : undefined),
        };
    });
}

export function client(value: unknown, path: string): ClientInfo {
    const from = record(value, path);
    return {
        clientId: text(from, "clientid", path),
        ...optional("username", textIf(from, "username")),
        connected: from.connected !== false,
        ...optional("node", textIf(from, "node")),
        ...optional("address", textIf(from, "ip_address")),
    };
}

export function route(value: unknown, path: string): RouteInfo {
    const from = record(value, path);
    return { topic: text(from, "topic", path), node: textOr(from, "node", "") };
}

/** The nodes that are being drained, anywhere in the cluster. */
export function evacuations(json: unknown): NodeEvacuation[] {
    return list(record(json, "answer").evacuations, "evacuations", (value, path) => {
        const from = record(value, path);
        return { node: text(from, "node", path), state: textOr(from, "state", "unknown") };
    });
}

/** The numbers of a flat object. */
export function numbers(json: unknown): Readonly<Record<string, number>> {
    return Object.fromEntries(
        Object.entries(record(json, "answer")).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
    );
}
