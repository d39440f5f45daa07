import { OperationError, quote } from "../errors.js";
import type { AuthzRule } from "./acl.js";
import * as answers from "./answers.js";
import { ApiCaller, type Call, type CallOptions } from "./call.js";
import type { ApiEndpoint } from "./endpoint.js";
import { type LinkRequestBody, linkSsl } from "./linkSpec.js";
import type { LinkTls } from "./linkTls.js";

export type * from "./answers.js";
export { type CallOptions, UnknownOutcomeError } from "./call.js";

/** The authenticator whose users this client manages. */
export const builtInUsers = "password_based:built_in_database";

/** A user and its password. */
export interface UserLogin {
    readonly username: string;
    readonly password: string;
    /** @default false */
    readonly superuser?: boolean;
}

/** A broker that another one is to connect to. */
export interface BrokerTarget {
    /** `cluster.name` of the one that connects: the client id that the target sees carries it. */
    readonly from: string;
    /** `host:port` */
    readonly server: string;
    readonly tls: LinkTls;
    readonly username?: string | undefined;
    readonly password?: string | undefined;
}

/** Which clients to list. */
export interface ClientQuery {
    /** Part of the client id. */
    readonly likeClientId?: string;
    /** How many at most. @default 1000 */
    readonly limit?: number;
}

/** How a node is drained. */
export interface EvacuationSettings {
    /** Seconds for load balancers to notice that the node takes no more clients, before the first one is sent away. */
    readonly healthCheckSeconds: number;
    /** Seconds that sessions are left to be taken over by clients that come back, before they are moved. */
    readonly takeoverSeconds: number;
    readonly connectionsPerSecond: number;
    readonly sessionsPerSecond: number;
}

const base = "/api/v5";
const ruleRoot = `${base}/authorization/sources/built_in_database/rules/users`;
const userRoot = `${base}/authentication/${builtInUsers}/users`;
const pageSize = 1_000;
/** A bound for lists: more is not read. */
const mostPages = 20;
const nothing = (): void => {};

/**
 * EMQX's REST API, as far as links, their users and the health of a cluster go.
 *
 * Every method fails with an OperationError that says what failed, where and what to do, and with {@link UnknownOutcomeError} when a
 * change had no usable answer and may have had effect. No message holds a secret. Call `close` in the end.
 */
export class EmqxClient {
    readonly #api: ApiCaller;

    /** @throws InputError naming the argument of the endpoint or of the options */
    constructor(endpoint: ApiEndpoint, options: CallOptions = {}) {
        this.#api = new ApiCaller(endpoint, options);
    }

    /** Ends all connections; calls under way fail. */
    close(): void {
        this.#api.close();
    }

    /** What the node says of itself. No credentials are sent. */
    status(): Promise<answers.BrokerStatus> {
        return this.#api.call({
            method: "GET",
            path: "/status?format=json",
            what: "read the broker's status",
            credentials: false,
            parse: answers.brokerStatus,
        });
    }

    nodes(): Promise<answers.NodeInfo[]> {
        return this.#get("/nodes", "read the broker nodes", answers.nodes);
    }

    cluster(): Promise<answers.ClusterInfo> {
        return this.#get("/cluster", "read the cluster's name", answers.cluster);
    }

    license(): Promise<answers.LicenseInfo> {
        return this.#get("/license", "read the licence", answers.license);
    }

    /** Loads another licence on all nodes, and returns it. One that EMQX does not take: OperationError with status 400. */
    setLicense(key: string): Promise<answers.LicenseInfo> {
        return this.#api.call({
            method: "POST",
            path: `${base}/license`,
            what: "load the licence",
            body: { key },
            parse: answers.license,
        });
    }

    /** @param activated true: alarms that stand; false: past ones. @default true */
    alarms(activated = true): Promise<answers.Alarm[]> {
        return this.#pages("/alarms", { activated: String(activated) }, "read the alarms", answers.alarm);
    }

    listLinks(): Promise<answers.RemoteLink[]> {
        return this.#get("/cluster/links", "list the cluster links", (json) => answers.list(json, "links", answers.link));
    }

    /** `undefined`: there is no such link. */
    getLink(name: string): Promise<answers.RemoteLink | undefined> {
        return this.#api.call<answers.RemoteLink | undefined>({
            method: "GET",
            path: linkPath(name),
            what: `read the cluster link ${quote(name)}`,
            absentCodes: ["NOT_FOUND"],
            parse: (json) => answers.link(json),
        });
    }

    /** A link of this name that exists: OperationError with the code ALREADY_EXISTS. */
    createLink(body: LinkRequestBody): Promise<answers.RemoteLink> {
        return this.#api.call({
            method: "POST",
            path: `${base}/cluster/links`,
            what: `create the cluster link ${quote(body.name)}`,
            body,
            parse: (json) => answers.link(json),
        });
    }

    /** Replaces the whole link. Messages in flight at this moment may be lost. None of this name: OperationError with status 404. */
    updateLink(name: string, body: LinkRequestBody): Promise<answers.RemoteLink> {
        return this.#api.call({
            method: "PUT",
            path: linkPath(name),
            what: `change the cluster link ${quote(name)}`,
            body,
            parse: (json) => answers.link(json),
        });
    }

    /** `false`: it was not there. */
    deleteLink(name: string): Promise<boolean> {
        return this.#delete(linkPath(name), `delete the cluster link ${quote(name)}`);
    }

    /** Counters of the link on all nodes. `undefined`: there is no such link. */
    linkMetrics(name: string): Promise<answers.LinkMetrics | undefined> {
        return this.#api.call<answers.LinkMetrics | undefined>({
            method: "GET",
            path: `${linkPath(name)}/metrics`,
            what: `read the counters of the cluster link ${quote(name)}`,
            absentCodes: ["NOT_FOUND"],
            parse: answers.linkMetrics,
        });
    }

    /** `undefined`: there is no such user, or no built-in database. */
    getUser(username: string): Promise<answers.UserInfo | undefined> {
        return this.#api.call<answers.UserInfo | undefined>({
            method: "GET",
            path: `${userRoot}/${encodeURIComponent(username)}`,
            what: `read the user ${quote(username)}`,
            absentCodes: ["NOT_FOUND"],
            parse: answers.user,
        });
    }

    /** A user of this name that exists: OperationError with the code ALREADY_EXISTS. */
    addUser({ username, password, superuser = false }: UserLogin): Promise<void> {
        const body = { user_id: username, password, is_superuser: superuser };
        return this.#write("POST", userRoot, `add the user ${quote(username)}`, body);
    }

    /** None of this name: OperationError with status 404. */
    updateUser(username: string, { password, superuser = false }: Omit<UserLogin, "username">): Promise<void> {
        const body = { password, is_superuser: superuser };
        return this.#write("PUT", `${userRoot}/${encodeURIComponent(username)}`, `change the user ${quote(username)}`, body);
    }

    /** `false`: it was not there. */
    deleteUser(username: string): Promise<boolean> {
        return this.#delete(`${userRoot}/${encodeURIComponent(username)}`, `delete the user ${quote(username)}`);
    }

    /** In the order in which they are asked. */
    listAuthenticators(): Promise<answers.AuthenticatorInfo[]> {
        return this.#get("/authentication", "list the authenticators", answers.authenticators);
    }

    createAuthenticator(body: answers.RawRecord): Promise<void> {
        return this.#write("POST", `${base}/authentication`, "add an authenticator", body);
    }

    /** In the order in which they are asked. */
    listAuthorizationSources(): Promise<answers.AuthorizationSource[]> {
        return this.#get("/authorization/sources", "list the authorization sources", answers.authorizationSources);
    }

    createAuthorizationSource(body: answers.RawRecord): Promise<void> {
        return this.#write("POST", `${base}/authorization/sources`, "add an authorization source", body);
    }

    authorizationSettings(): Promise<answers.AuthorizationSettings> {
        return this.#get("/authorization/settings", "read the authorization settings", answers.authorizationSettings);
    }

    /** Rules of one user in the built-in database. `undefined`: it has none. */
    getUserRules(username: string): Promise<AuthzRule[] | undefined> {
        return this.#api.call<AuthzRule[] | undefined>({
            method: "GET",
            path: `${ruleRoot}/${encodeURIComponent(username)}`,
            what: `read the rules of the user ${quote(username)}`,
            absentCodes: ["NOT_FOUND"],
            parse: answers.rules,
        });
    }

    /** Sets the rules of one user, whether it has some or none. */
    async putUserRules(username: string, rules: readonly AuthzRule[]): Promise<void> {
        await this.#write("PUT", `${ruleRoot}/${encodeURIComponent(username)}`, `set the rules of the user ${quote(username)}`, {
            username,
            rules,
        });
    }

    /** `false`: it had none. */
    deleteUserRules(username: string): Promise<boolean> {
        return this.#delete(`${ruleRoot}/${encodeURIComponent(username)}`, `delete the rules of the user ${quote(username)}`);
    }

    listeners(): Promise<answers.ListenerInfo[]> {
        return this.#get("/listeners", "list the listeners", answers.listeners);
    }

    clients({ likeClientId, limit = pageSize }: ClientQuery = {}): Promise<answers.ClientInfo[]> {
        const query: Record<string, string> = likeClientId === undefined ? {} : { like_clientid: likeClientId };
        return this.#pages("/clients", query, "list the clients", answers.client, limit);
    }

    /** Disconnects a client. `false`: it was not there. */
    kickClient(clientId: string): Promise<boolean> {
        return this.#delete(`${base}/clients/${encodeURIComponent(clientId)}`, `disconnect the client ${quote(clientId)}`);
    }

    /**
     * Tries whether the broker node that answers can connect to another broker. Nothing is left behind.
     *
     * @returns `reached`; a reason in EMQX's words; `unsupported` where the release does not offer this; or, where it may not be tried
     * because the rules for connectors deny the address, which links need not keep to, what EMQX says of that
     */
    async probeBroker(
        target: BrokerTarget,
    ): Promise<"reached" | "unsupported" | { readonly reason: string } | { readonly denied: string }> {
        try {
            await this.#api.call<void>({
                method: "POST",
                path: `${base}/connectors_probe`,
                what: `try the connection to ${target.server}`,
                body: probeBody(target),
                parse: nothing,
            });
            return "reached";
        } catch (error) {
            if (error instanceof OperationError && error.detail.status === 404) {
                return "unsupported";
            }
            if (error instanceof OperationError && isDeniedAddress(error.detail)) {
                return { denied: error.detail.message };
            }
            if (error instanceof OperationError && error.detail.code === "TEST_FAILED") {
                return { reason: error.detail.message };
            }
            throw error;
        }
    }

    /** Every subscribed filter, once per node. At most 20,000. */
    topics(): Promise<answers.RouteInfo[]> {
        return this.#pages("/topics", {}, "list the subscribed topics", answers.route);
    }

    /** EMQX's current numbers: `live_connections`, `subscriptions`, `received_msg_rate`, … */
    monitorCurrent(): Promise<Readonly<Record<string, number>>> {
        return this.#get("/monitor_current", "read the broker's counters", answers.numbers);
    }

    /**
     * Whether the node that answers takes clients: `false` while it is drained. What load balancers ask; no credentials are sent.
     */
    async isAvailable(): Promise<boolean> {
        try {
            await this.#api.call<void>({
                method: "GET",
                path: `${base}/load_rebalance/availability_check`,
                what: "ask whether the node takes clients",
                credentials: false,
                parse: nothing,
            });
            return true;
        } catch (error) {
            if (error instanceof OperationError && error.detail.code === "NODE_EVACUATING") {
                return false;
            }
            throw error;
        }
    }

    /** Nodes of the cluster that are being drained. */
    evacuations(): Promise<answers.NodeEvacuation[]> {
        return this.#get("/load_rebalance/global_status", "read which nodes are drained", answers.evacuations);
    }

    /**
     * Drains a node: it refuses new clients and sends its own away, then moves their sessions. `false`: it is being drained already. None
     * of this name: OperationError with status 404.
     */
    startEvacuation(node: string, settings: EvacuationSettings): Promise<boolean> {
        return unless(
            /already_started/,
            this.#write("POST", evacuationPath(node, "start"), `drain the node ${quote(node)}`, {
                wait_health_check: `${settings.healthCheckSeconds}s`,
                wait_takeover: `${settings.takeoverSeconds}s`,
                conn_evict_rate: settings.connectionsPerSecond,
                sess_evict_rate: settings.sessionsPerSecond,
            }),
        );
    }

    /** Lets a node take clients again. `false`: it was not being drained. */
    stopEvacuation(node: string): Promise<boolean> {
        const what = `let the node ${quote(node)} take clients again`;
        return unless(/not_started/, this.#write("POST", evacuationPath(node, "stop"), what, {}));
    }

    /** Takes a node that has stopped out of the cluster. One that still runs finds its seeds and joins again. `false`: it was not in it. */
    forceLeave(node: string): Promise<boolean> {
        return unless(
            /not_in_cluster/,
            this.#delete(
                `${base}/cluster/${encodeURIComponent(node)}/force_leave`,
                `take the node ${quote(node)} out of its cluster`,
            ),
        );
    }

    #get<T>(path: string, what: string, parse: Call<T>["parse"]): Promise<T> {
        return this.#api.call({ method: "GET", path: base + path, what, parse });
    }

    async #pages<T>(
        path: string,
        query: Readonly<Record<string, string>>,
        what: string,
        parse: (item: unknown, path: string) => T,
        most = pageSize * mostPages,
    ): Promise<T[]> {
        const items: T[] = [];
        // Pages are counted in one size, so the size stays the same on the last one.
        const limit = Math.max(1, Math.min(most, pageSize));
        for (let page = 1; page <= mostPages && items.length < most; page++) {
            const ask = new URLSearchParams({ ...query, page: String(page), limit: String(limit) });
            const found = await this.#get(`${path}?${ask}`, what, (json) => answers.page(json, parse));
            items.push(...found.items);
            if (!found.hasNext || found.items.length === 0) {
                break;
            }
        }
        return items.slice(0, most);
    }

    /** A change whose answer says nothing that is needed. */
    #write(method: "POST" | "PUT", path: string, what: string, body: unknown): Promise<void> {
        return this.#api.call<void>({ method, path, what, body, parse: nothing });
    }

    #delete(path: string, what: string): Promise<boolean> {
        return this.#api.call<boolean>({
            method: "DELETE",
            path,
            what,
            absentCodes: ["NOT_FOUND", "CLIENTID_NOT_FOUND"],
            absent: false,
            parse: () => true,
        });
    }
}

/**
 * EMQX 6.3 refuses connectors to private addresses by default (`rule_engine.ssrf`), before it tries them: "Address resolves to a denied
 * range", "Host is on the SSRF denylist". Cluster links do not ask these rules (6.3.0-beta.2). A key without rights is refused otherwise.
 */
function isDeniedAddress({ status, code, message }: OperationError["detail"]): boolean {
    const ofRights = status === 401 || code === "UNAUTHORIZED_ROLE";
    return (
        status !== undefined &&
        status >= 400 &&
        status < 500 &&
        !ofRights &&
        /\brule_engine\.ssrf|\bssrf\b|denied range|(denied|forbidden) (address|host)|(address|host) is (denied|forbidden)/i.test(
            message,
        )
    );
}

function probeBody({ from, server, tls, username, password }: BrokerTarget) {
    return {
        type: "mqtt",
        name: "linkspan_path",
        server,
        proto_ver: "v5",
        // Two clusters may try the same door at once, and equal client ids throw each other out.
        clientid_prefix: `linkspan_path_${from}`,
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ssl: linkSsl(tls),
    };
}

function linkPath(name: string): string {
    return `${base}/cluster/links/link/${encodeURIComponent(name)}`;
}

function evacuationPath(node: string, action: "start" | "stop"): string {
    return `${base}/load_rebalance/${encodeURIComponent(node)}/evacuation/${action}`;
}

/** `false` when the cluster refuses a change with words that say that there is nothing to do. */
async function unless(nothingToDo: RegExp, change: Promise<void> | Promise<boolean>): Promise<boolean> {
    try {
        return (await change) !== false;
    } catch (error) {
        if (error instanceof OperationError && error.detail.status === 400 && nothingToDo.test(error.detail.message)) {
            return false;
        }
        throw error;
    }
}
