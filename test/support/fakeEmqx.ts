import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ApiEndpoint } from "../../src/emqx/endpoint.js";

type Json = Record<string, unknown>;

/** One request as the fake received it. */
export interface SeenRequest {
    readonly method: string;
    readonly path: string;
    readonly body: Json | undefined;
}

/** What a fault does in place of the ordinary answer. */
export type Fault =
    /** Answer this, change nothing. */
    | { readonly status: number; readonly body?: unknown; readonly html?: string }
    /** Do what was asked, then cut the connection: the answer is lost. */
    | "lose-answer"
    /** Do what was asked, then never answer. */
    | "hang-after"
    /** Cut the connection, do nothing. */
    | "cut"
    /** Never answer. */
    | "hang";

const base = "/api/v5";
const notFound = { status: 404, body: { code: "NOT_FOUND", message: "Cluster link not found" } };
const userNotFound = { status: 404, body: { code: "NOT_FOUND", message: "User not found" } };

/**
 * EMQX's REST API as far as links, link users and rules go, in memory: it adds defaults to what it stores, hides passwords and keeps
 * certificates as paths, as EMQX does. Every request is recorded; faults are put in front of single ones.
 */
export class FakeEmqx {
    clusterName: string;
    version = "5.10.3";
    licenseType = "community";
    licenseExpired = false;
    readonly links = new Map<string, Json>();
    readonly users = new Map<string, Json>();
    readonly rules = new Map<string, readonly Json[]>();
    authenticators = ["password_based:built_in_database"];
    sources = ["built_in_database"];
    readonly seen: SeenRequest[] = [];
    readonly key = "fake-key";
    readonly secret = "fake-s3cret/+ä";
    readonly #faults: { matches: (request: SeenRequest) => boolean; fault: Fault; left: number }[] = [];
    readonly #server: Server;

    private constructor(clusterName: string) {
        this.clusterName = clusterName;
        this.#server = createServer((request, response) => {
            void this.#handle(request, response).catch(() => response.destroy());
        });
    }

    static async start(clusterName: string): Promise<FakeEmqx> {
        const fake = new FakeEmqx(clusterName);
        await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
        return fake;
    }

    get api(): ApiEndpoint {
        const { port } = this.#server.address() as AddressInfo;
        return { url: `http://127.0.0.1:${port}`, key: this.key, secret: this.secret };
    }

    /** Puts a fault in front of the next `times` requests whose "METHOD /path" matches. */
    fail(request: RegExp, fault: Fault, times = 1): void {
        this.#faults.push({ matches: ({ method, path }) => request.test(`${method} ${path}`), fault, left: times });
    }

    /** How many requests matched, as "METHOD /path". */
    count(request: RegExp): number {
        return this.seen.filter(({ method, path }) => request.test(`${method} ${path}`)).length;
    }

    /** Requests that change something. */
    get writes(): string[] {
        return this.seen.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);
    }

    async stop(): Promise<void> {
        const closed = new Promise((resolve) => this.#server.close(resolve));
        this.#server.closeAllConnections();
        await closed;
    }

    async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const chunks: Buffer[] = [];
        for await (const chunk of request) {
            chunks.push(chunk as Buffer);
        }
        const text = Buffer.concat(chunks).toString();
        const seen: SeenRequest = {
            method: request.method ?? "",
            path: decodeURIComponent((request.url ?? "").split("?")[0] ?? ""),
            body: text === "" ? undefined : (JSON.parse(text) as Json),
        };
        this.seen.push(seen);
        const fault = this.#faultFor(seen);
        if (fault === "hang") {
            return;
        }
        if (fault === "cut") {
            response.destroy();
            return;
        }
        const answer = typeof fault === "object" ? fault : this.#answer(seen, request.headers.authorization);
        if (fault === "lose-answer") {
            response.destroy();
        }
        if (fault === "lose-answer" || fault === "hang-after") {
            return;
        }
        if ("html" in answer && answer.html !== undefined) {
            response.writeHead(answer.status, { "content-type": "text/html" }).end(answer.html);
            return;
        }
        response.writeHead(answer.status, answer.body === undefined ? {} : { "content-type": "application/json" });
        response.end(answer.body === undefined ? "" : JSON.stringify(answer.body));
    }

    #faultFor(seen: SeenRequest): Fault | undefined {
        const found = this.#faults.find((one) => one.left > 0 && one.matches(seen));
        if (found !== undefined) {
            found.left--;
        }
        return found?.fault;
    }

    #answer(
        { method, path, body }: SeenRequest,
        authorization: string | undefined,
    ): { status: number; body?: unknown; html?: string } {
        const node = `${this.clusterName}@127.0.0.1`;
        if (path === "/status" || path === `${base}/status`) {
            return {
                status: 200,
                body: {
                    broker_status: "started",
                    rel_vsn: `e${this.version}`,
                    cluster: this.clusterName,
                    app_status: "running",
                    node_name: node,
                },
            };
        }
        if (authorization !== `Basic ${Buffer.from(`${this.key}:${this.secret}`).toString("base64")}`) {
            return { status: 401, body: { code: "BAD_API_KEY_OR_SECRET", message: "Check api_key/api_secret" } };
        }
        const ask = `${method} ${path.slice(base.length)}`;
        switch (ask) {
            case "GET /cluster":
                return { status: 200, body: { name: this.clusterName, nodes: [node], self: node } };
            case "GET /nodes":
                return {
                    status: 200,
                    body: [
                        {
                            node,
                            node_status: "running",
                            role: "core",
                            version: this.version,
                            edition: "Enterprise",
                            connections: 0,
                            live_connections: 0,
                        },
                    ],
                };
            case "POST /license":
                if (!/^[\w+/=]+\.[\w+/=]+$/.test(String(body?.key))) {
                    return { status: 400, body: { code: "BAD_REQUEST", message: "Bad license key" } };
                }
                this.licenseType = "official";
                return { status: 200, body: this.#license };
            case "GET /license":
                return { status: 200, body: this.#license };
            case "GET /cluster/links":
                return { status: 200, body: [...this.links.values()].map(shown) };
            case "POST /cluster/links": {
                const name = String(body?.name);
                if (this.links.has(name)) {
                    return { status: 400, body: { code: "ALREADY_EXISTS", message: "Cluster link already exists" } };
                }
                this.links.set(name, body ?? {});
                return { status: 201, body: shown(body ?? {}) };
            }
            case "GET /authentication":
                return {
                    status: 200,
                    body: this.authenticators.map((id) => ({
                        id,
                        mechanism: "password_based",
                        backend: id.split(":")[1],
                        enable: true,
                    })),
                };
            case "POST /authentication":
                this.authenticators.push(`${String(body?.mechanism)}:${String(body?.backend)}`);
                return { status: 200, body: { ...body, id: this.authenticators.at(-1) } };
            case "GET /authorization/sources":
                return { status: 200, body: { sources: this.sources.map((type) => ({ type, enable: true })) } };
            case "POST /authorization/sources":
                this.sources.push(String(body?.type));
                return { status: 204 };
            case "GET /authorization/settings":
                return { status: 200, body: { cache: { enable: true }, deny_action: "ignore", no_match: "deny" } };
        }
        return this.#answerByName(ask, body);
    }

    get #license(): Json {
        return { type: this.licenseType, expiry: this.licenseExpired, expiry_at: "2029-03-01", max_sessions: 10_000_000 };
    }

    #answerByName(ask: string, body: Json | undefined): { status: number; body?: unknown } {
        const link = /^(GET|PUT|DELETE) \/cluster\/links\/link\/([^/]+)$/.exec(ask);
        if (link !== null) {
            const [, method, name = ""] = link;
            const stored = this.links.get(name);
            if (stored === undefined) {
                return notFound;
            }
            if (method === "DELETE") {
                this.links.delete(name);
                return { status: 204 };
            }
            if (method === "PUT") {
                const password = body?.password === "******" ? { password: stored.password } : {};
                this.links.set(name, { ...body, name, ...password });
            }
            return { status: 200, body: shown(this.links.get(name) ?? {}) };
        }
        const users = /^(GET|POST|PUT|DELETE) \/authentication\/password_based:built_in_database\/users(?:\/([^/]+))?$/.exec(ask);
        if (users !== null && this.authenticators.includes("password_based:built_in_database")) {
            return this.#answerUser(users[1] ?? "", users[2], body);
        }
        const rules = /^(GET|POST|PUT|DELETE) \/authorization\/sources\/built_in_database\/rules\/users(?:\/([^/]+))?$/.exec(ask);
        if (rules !== null && this.sources.includes("built_in_database")) {
            return this.#answerRules(rules[1] ?? "", rules[2], body);
        }
        return { status: 404, body: { code: "NOT_FOUND", message: `no such path: ${ask}` } };
    }

    #answerUser(method: string, id: string | undefined, body: Json | undefined): { status: number; body?: unknown } {
        const name = id ?? String(body?.user_id);
        if (method === "POST") {
            if (this.users.has(name)) {
                return { status: 409, body: { code: "ALREADY_EXISTS", message: "User already exists" } };
            }
            this.users.set(name, { is_superuser: false, ...body });
            return { status: 201, body: { user_id: name, is_superuser: false } };
        }
        const user = this.users.get(name);
        if (user === undefined) {
            return userNotFound;
        }
        if (method === "DELETE") {
            this.users.delete(name);
            return { status: 204 };
        }
        if (method === "PUT") {
            this.users.set(name, { ...user, ...body });
        }
        return { status: 200, body: { user_id: name, is_superuser: this.users.get(name)?.is_superuser ?? false } };
    }

    #answerRules(method: string, id: string | undefined, body: Json | Json[] | undefined): { status: number; body?: unknown } {
        if (method === "POST") {
            for (const entry of Array.isArray(body) ? body : []) {
                if (this.rules.has(String(entry.username))) {
                    return {
                        status: 409,
                        body: { code: "ALREADY_EXISTS", message: `User '${String(entry.username)}' already exist` },
                    };
                }
                this.rules.set(String(entry.username), entry.rules as Json[]);
            }
            return { status: 204 };
        }
        const name = id ?? "";
        if (method === "PUT") {
            this.rules.set(name, ((body as Json | undefined)?.rules ?? []) as Json[]);
            return { status: 204 };
        }
        const rules = this.rules.get(name);
        if (rules === undefined) {
            return userNotFound;
        }
        if (method === "DELETE") {
            this.rules.delete(name);
            return { status: 204 };
        }
        return {
            status: 200,
            body: { username: name, rules: rules.map((rule) => ({ qos: [0, 1, 2], retain: "all", ...rule })) },
        };
    }
}

/** A link as EMQX shows it: with defaults, without secrets, certificates as paths. */
function shown(link: Json): Json {
    const ssl = (link.ssl ?? { enable: false }) as Json;
    const paths = Object.fromEntries(
        ["cacertfile", "certfile", "keyfile"]
            .filter((key) => ssl[key] !== undefined)
            .map((key) => [key, `data/certs/cluster/links/${String(link.name)}/${key}-96F3`]),
    );
    const { password, ...rest } = link;
    return {
        status: link.enable === false ? "disconnected" : "connected",
        node_status: [{ node: "fake@127.0.0.1", status: link.enable === false ? "disconnected" : "connected" }],
        enable: true,
        max_inflight: 32,
        pool_size: 8,
        retry_interval: "15s",
        ...rest,
        ...(password === undefined ? {} : { password: "******" }),
        resource_opts: {
            health_check_interval: "15s",
            health_check_interval_jitter: "0ms",
            health_check_timeout: "60s",
            inflight_window: 100,
            max_buffer_bytes: "256MB",
            request_ttl: "45s",
            start_timeout: "5s",
            worker_pool_size: 16,
            ...((link.resource_opts as Json | undefined) ?? {}),
        },
        ssl: {
            ciphers: [],
            depth: 10,
            log_level: "notice",
            reuse_sessions: true,
            verify: "verify_none",
            versions: ["tlsv1.3", "tlsv1.2"],
            ...ssl,
            ...paths,
        },
    };
}
