import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cut, json, noContent, ScriptedApi, type Step, text } from "../../test/support/scriptedApi.js";
import { InputError, OperationError } from "../errors.js";
import { EmqxClient, UnknownOutcomeError } from "./client.js";
import type { LinkRequestBody } from "./linkSpec.js";

let api: ScriptedApi;
let client: EmqxClient;

beforeEach(async () => {
    api = await ScriptedApi.start();
    client = new EmqxClient(api.endpoint(), { name: "aws" });
});

afterEach(async () => {
    client.close();
    await api.stop();
});

const linkAnswer = {
    status: "connected",
    node_status: [{ node: "aws1@127.0.0.1", status: "connected" }],
    clientid: "lab-aws-",
    enable: true,
    max_inflight: 32,
    name: "lab-gcp",
    password: "******",
    pool_size: 8,
    resource_opts: { health_check_interval: "15s", request_ttl: "45s", worker_pool_size: 16 },
    retry_interval: "15s",
    server: "127.0.0.1:51883",
    ssl: { enable: false, verify: "verify_none" },
    topics: ["cross/#"],
    username: "link-lab-aws",
};
const linkBody: LinkRequestBody = {
    name: "lab-gcp",
    server: "gcp.link.lab.internal:8884",
    clientid: "lab-aws-",
    username: "link-lab-aws",
    password: "link-p4ssword",
    topics: ["cross/#"],
    enable: true,
    ssl: { enable: false },
    pool_size: 4,
    retry_interval: "1s",
    max_inflight: 100,
    resource_opts: { request_ttl: "45s", health_check_interval: "1s", max_buffer_bytes: "256MB" },
};
const metricsAnswer = {
    metrics: {
        router: { routes: 1 },
        forwarding: {
            matched: 97,
            success: 96,
            failed: 2,
            dropped: 3,
            retried: 4,
            queuing: 5,
            inflight: 6,
            rate: 9.6,
            rate_last5m: 9.6,
            rate_max: 9.6,
        },
    },
    node_metrics: [],
};
const meta = (hasnext: boolean) => ({ page: 1, limit: 1000, hasnext });
const missing = json(404, { code: "NOT_FOUND", message: "not found" });

interface Case {
    readonly of: string;
    readonly run: (client: EmqxClient) => Promise<unknown>;
    readonly step: Step;
    readonly asks: string;
    readonly sends?: unknown;
    readonly gives: unknown;
}

const cases: Case[] = [
    {
        of: "status",
        run: (it) => it.status(),
        step: json(200, {
            broker_status: "started",
            rel_vsn: "e5.10.3",
            cluster: "aws",
            app_status: "running",
            node_name: "aws1@127.0.0.1",
        }),
        asks: "GET /status?format=json",
        gives: { brokerStatus: "started", relVsn: "e5.10.3", cluster: "aws", appStatus: "running", nodeName: "aws1@127.0.0.1" },
    },
    {
        of: "nodes",
        run: (it) => it.nodes(),
        step: json(200, [
            {
                node: "a@127.0.0.1",
                version: "5.10.3",
                uptime: 117929,
                role: "core",
                node_status: "running",
                connections: 20,
                edition: "Enterprise",
                live_connections: 2,
                load1: 0.03,
            },
            { node: "b@127.0.0.1", node_status: "stopped" },
        ]),
        asks: "GET /api/v5/nodes",
        gives: [
            {
                node: "a@127.0.0.1",
                version: "5.10.3",
                uptimeMs: 117929,
                role: "core",
                status: "running",
                connections: 20,
                edition: "Enterprise",
                liveConnections: 2,
            },
            { node: "b@127.0.0.1", status: "stopped", version: "unknown" },
        ],
    },
    {
        of: "cluster",
        run: (it) => it.cluster(),
        step: json(200, { name: "azure", nodes: ["azure3@127.0.0.1"], self: "azure3@127.0.0.1" }),
        asks: "GET /api/v5/cluster",
        gives: { name: "azure", nodes: ["azure3@127.0.0.1"], self: "azure3@127.0.0.1" },
    },
    {
        of: "license",
        run: (it) => it.license(),
        step: json(200, {
            type: "community",
            max_sessions: 10_000_000,
            email: "contact@emqx.io",
            expiry: false,
            expiry_at: "2029-03-01",
        }),
        asks: "GET /api/v5/license",
        gives: { type: "community", expired: false, expiresAt: "2029-03-01", maxSessions: 10_000_000 },
    },
    {
        of: "alarms",
        run: (it) => it.alarms(),
        step: json(200, {
            data: [
                {
                    node: "a@127.0.0.1",
                    name: "emqx_cluster_link_mqtt:msg:gcp",
                    message: "resource down: Connection refused",
                    details: { resource_id: "x" },
                    activate_at: "2026-11-23T10:00:00+00:00",
                    deactivate_at: "infinity",
                },
            ],
            meta: meta(false),
        }),
        asks: "GET /api/v5/alarms?activated=true&page=1&limit=1000",
        gives: [
            {
                node: "a@127.0.0.1",
                name: "emqx_cluster_link_mqtt:msg:gcp",
                message: "resource down: Connection refused",
                details: { resource_id: "x" },
                activatedAt: "2026-11-23T10:00:00+00:00",
            },
        ],
    },
    {
        of: "past alarms",
        run: (it) => it.alarms(false),
        step: json(200, { data: [], meta: meta(false) }),
        asks: "GET /api/v5/alarms?activated=false&page=1&limit=1000",
        gives: [],
    },
    {
        of: "linkMetrics",
        run: (it) => it.linkMetrics("lab-gcp"),
        step: json(200, metricsAnswer),
        asks: "GET /api/v5/cluster/links/link/lab-gcp/metrics",
        gives: { routes: 1, matched: 97, success: 96, failed: 2, dropped: 3, retried: 4, queuing: 5, inflight: 6 },
    },
    {
        of: "linkMetrics of a link that is not there",
        run: (it) => it.linkMetrics("nope"),
        step: missing,
        asks: "GET /api/v5/cluster/links/link/nope/metrics",
        gives: undefined,
    },
    {
        of: "getLink of a link that is not there",
        run: (it) => it.getLink("nope"),
        step: json(404, { code: "NOT_FOUND", message: "Cluster link not found" }),
        asks: "GET /api/v5/cluster/links/link/nope",
        gives: undefined,
    },
    {
        of: "deleteLink",
        run: (it) => it.deleteLink("lab-gcp"),
        step: noContent,
        asks: "DELETE /api/v5/cluster/links/link/lab-gcp",
        gives: true,
    },
    {
        of: "deleteLink of a link that is not there",
        run: (it) => it.deleteLink("lab-gcp"),
        step: missing,
        asks: "DELETE /api/v5/cluster/links/link/lab-gcp",
        gives: false,
    },
    {
        of: "a name with every awkward character",
        run: (it) => it.deleteLink("a/b?c#d e%"),
        step: missing,
        asks: "DELETE /api/v5/cluster/links/link/a%2Fb%3Fc%23d%20e%25",
        gives: false,
    },
    {
        of: "getUser",
        run: (it) => it.getUser("link-lab-gcp"),
        step: json(200, { user_id: "link-lab-gcp", is_superuser: true }),
        asks: "GET /api/v5/authentication/password_based:built_in_database/users/link-lab-gcp",
        gives: { username: "link-lab-gcp", superuser: true },
    },
    {
        of: "getUser of a user that is not there",
        run: (it) => it.getUser("nobody"),
        step: missing,
        asks: "GET /api/v5/authentication/password_based:built_in_database/users/nobody",
        gives: undefined,
    },
    {
        of: "addUser",
        run: (it) => it.addUser({ username: "u", password: "p4ss" }),
        step: json(201, { user_id: "u", is_superuser: false }),
        asks: "POST /api/v5/authentication/password_based:built_in_database/users",
        sends: { user_id: "u", password: "p4ss", is_superuser: false },
        gives: undefined,
    },
    {
        of: "updateUser",
        run: (it) => it.updateUser("u", { password: "p4ss", superuser: true }),
        step: json(200, { user_id: "u", is_superuser: true }),
        asks: "PUT /api/v5/authentication/password_based:built_in_database/users/u",
        sends: { password: "p4ss", is_superuser: true },
        gives: undefined,
    },
    {
        of: "deleteUser",
        run: (it) => it.deleteUser("u"),
        step: noContent,
        asks: "DELETE /api/v5/authentication/password_based:built_in_database/users/u",
        gives: true,
    },
    {
        of: "listAuthenticators",
        run: (it) => it.listAuthenticators(),
        step: json(200, [{ id: "password_based:built_in_database", backend: "built_in_database", enable: true }]),
        asks: "GET /api/v5/authentication",
        gives: [{ id: "password_based:built_in_database", enable: true }],
    },
    {
        of: "createAuthenticator",
        run: (it) => it.createAuthenticator({ mechanism: "password_based" }),
        step: json(200, { id: "x" }),
        asks: "POST /api/v5/authentication",
        sends: { mechanism: "password_based" },
        gives: undefined,
    },
    {
        of: "listAuthorizationSources",
        run: (it) => it.listAuthorizationSources(),
        step: json(200, {
            sources: [
                { type: "file", enable: true, rules: "{allow, all}." },
                { type: "built_in_database", enable: false },
            ],
        }),
        asks: "GET /api/v5/authorization/sources",
        gives: [
            { type: "file", enable: true, rules: "{allow, all}." },
            { type: "built_in_database", enable: false },
        ],
    },
    {
        of: "createAuthorizationSource",
        run: (it) => it.createAuthorizationSource({ type: "built_in_database", enable: true }),
        step: noContent,
        asks: "POST /api/v5/authorization/sources",
        sends: { type: "built_in_database", enable: true },
        gives: undefined,
    },
    {
        of: "authorizationSettings",
        run: (it) => it.authorizationSettings(),
        step: json(200, { cache: { enable: true }, deny_action: "ignore", no_match: "allow" }),
        asks: "GET /api/v5/authorization/settings",
        gives: { noMatch: "allow", denyAction: "ignore" },
    },
    {
        of: "getUserRules",
        run: (it) => it.getUserRules("u"),
        step: json(200, {
            username: "u",
            rules: [{ topic: "#", permission: "deny", action: "all", qos: [0, 1, 2], retain: "all" }],
        }),
        asks: "GET /api/v5/authorization/sources/built_in_database/rules/users/u",
        gives: [{ topic: "#", permission: "deny", action: "all" }],
    },
    {
        of: "getUserRules of a user without any",
        run: (it) => it.getUserRules("u"),
        step: missing,
        asks: "GET /api/v5/authorization/sources/built_in_database/rules/users/u",
        gives: undefined,
    },
    {
        of: "putUserRules",
        run: (it) => it.putUserRules("u", [{ topic: "a", permission: "allow", action: "publish" }]),
        step: noContent,
        asks: "PUT /api/v5/authorization/sources/built_in_database/rules/users/u",
        sends: { username: "u", rules: [{ topic: "a", permission: "allow", action: "publish" }] },
        gives: undefined,
    },
    {
        of: "deleteUserRules of a user without any",
        run: (it) => it.deleteUserRules("u"),
        step: missing,
        asks: "DELETE /api/v5/authorization/sources/built_in_database/rules/users/u",
        gives: false,
    },
    {
        of: "listeners",
        run: (it) => it.listeners(),
        step: json(200, [
            { id: "ssl:default", type: "ssl", bind: "0.0.0.0:8883", enable: true, status: { running: true } },
            { id: "tcp:default", bind: 1883, enable: false },
        ]),
        asks: "GET /api/v5/listeners",
        gives: [
            { id: "ssl:default", type: "ssl", bind: "0.0.0.0:8883", enable: true, running: true },
            { id: "tcp:default", type: "tcp", bind: ":1883", enable: false },
        ],
    },
    {
        of: "clients",
        run: (it) => it.clients({ likeClientId: "lab-aws-:msg:", limit: 5 }),
        step: json(200, {
            data: [{ clientid: "lab-aws-:msg:1", username: "link", connected: true, node: "n", ip_address: "10.0.0.1" }],
            meta: meta(false),
        }),
        asks: "GET /api/v5/clients?like_clientid=lab-aws-%3Amsg%3A&page=1&limit=5",
        gives: [{ clientId: "lab-aws-:msg:1", username: "link", connected: true, node: "n", address: "10.0.0.1" }],
    },
    {
        of: "kickClient",
        run: (it) => it.kickClient("lab-aws-:msg:1/2"),
        step: noContent,
        asks: "DELETE /api/v5/clients/lab-aws-%3Amsg%3A1%2F2",
        gives: true,
    },
    {
        of: "kickClient of a client that is not there",
        run: (it) => it.kickClient("c"),
        step: json(404, { code: "CLIENTID_NOT_FOUND", message: "Client ID not found" }),
        asks: "DELETE /api/v5/clients/c",
        gives: false,
    },
    {
        of: "monitorCurrent",
        run: (it) => it.monitorCurrent(),
        step: json(200, { live_connections: 5, license_quota: 25, node: "n" }),
        asks: "GET /api/v5/monitor_current",
        gives: { live_connections: 5, license_quota: 25 },
    },
];

describe("each method asks what EMQX expects and reads what it answers", () => {
    test.each(cases)("$of", async ({ run, step, asks, sends, gives }) => {
        api.script(step);
        expect(await run(client)).toEqual(gives);
        expect(api.asked).toEqual([asks]);
        expect(api.requests[0]?.body).toBe(sends === undefined ? "" : JSON.stringify(sends));
    });

    test("credentials go with every call, only not with the status", async () => {
        api.always(json(200, []));
        await client.nodes();
        expect(api.requests[0]?.authorization).toBe(`Basic ${Buffer.from("test-key:test-s3cret/+ä").toString("base64")}`);
        await expect(client.status()).rejects.toThrow(OperationError);
        expect(api.requests.at(-1)?.authorization).toBeUndefined();
    });
});

describe("links", () => {
    const parsed = {
        name: "lab-gcp",
        server: "127.0.0.1:51883",
        clientId: "lab-aws-",
        username: "link-lab-aws",
        hasPassword: true,
        topics: ["cross/#"],
        enable: true,
        poolSize: 8,
        retryInterval: "15s",
        maxInflight: 32,
        status: "connected",
        nodeStatus: [{ node: "aws1@127.0.0.1", status: "connected" }],
    };

    test("get, list, create and update give the same link", async () => {
        api.script(json(200, linkAnswer), json(200, [linkAnswer]), json(201, linkAnswer), json(200, linkAnswer));
        expect(await client.getLink("lab-gcp")).toMatchObject(parsed);
        const [listed] = await client.listLinks();
        expect(listed).toMatchObject({
            ...parsed,
            raw: linkAnswer,
            ssl: linkAnswer.ssl,
            resourceOptions: linkAnswer.resource_opts,
        });
        expect(await client.createLink(linkBody)).toMatchObject(parsed);
        expect(await client.updateLink("lab-gcp", linkBody)).toMatchObject(parsed);
        expect(api.asked).toEqual([
            "GET /api/v5/cluster/links/link/lab-gcp",
            "GET /api/v5/cluster/links",
            "POST /api/v5/cluster/links",
            "PUT /api/v5/cluster/links/link/lab-gcp",
        ]);
        expect(api.requests.slice(2).map(({ body }) => JSON.parse(body))).toEqual([linkBody, linkBody]);
    });

    test("a link without client id, user, password and nodes", async () => {
        const { clientid: _clientid, username: _username, password: _password, ...bare } = linkAnswer;
        api.script(json(200, { ...bare, node_status: [], status: "inconsistent", enable: false, retry_interval: 15_000 }));
        const link = await client.getLink("lab-gcp");
        expect(link).toMatchObject({ hasPassword: false, enable: false, nodeStatus: [], retryInterval: 15_000 });
        expect(link).not.toHaveProperty("clientId");
        expect(link).not.toHaveProperty("username");
    });

    test("a name that is taken fails with EMQX's code, once", async () => {
        api.always(json(400, { code: "ALREADY_EXISTS", message: "Cluster link already exists" }));
        await expect(client.createLink(linkBody)).rejects.toMatchObject({
            message: `cannot create the cluster link "lab-gcp" at aws (${api.url}): 400 ALREADY_EXISTS Cluster link already exists`,
            detail: { status: 400, code: "ALREADY_EXISTS" },
        });
        expect(api.asked).toHaveLength(1);
    });

    test.each([
        ["no name", { ...linkAnswer, name: undefined }, "link.name is no text"],
        ["topics of another kind", { ...linkAnswer, topics: "a/#" }, "link.topics is no list"],
        ["a topic of another kind", { ...linkAnswer, topics: [7] }, "link.topics[0] is no text"],
        ["a list", [linkAnswer], "link is no object"],
        ["nothing", null, "link is no object"],
    ])("an answer with %s is refused by name", async (_, answer, problem) => {
        api.always(json(200, answer));
        await expect(client.getLink("lab-gcp")).rejects.toThrow(`the answer is not as EMQX gives it: ${problem}`);
    });
});

describe("draining and leaving", () => {
    const settings = { healthCheckSeconds: 30, takeoverSeconds: 10, connectionsPerSecond: 100, sessionsPerSecond: 200 };
    const refused = (message: string) => json(400, { code: "BAD_REQUEST", message });

    test("a drain is started and ended, and it is no failure when it was already", async () => {
        api.script(json(200, {}), refused("error on node 'emqx@10.1.0.4': already_started"));
        api.script(json(200, {}), refused("error on node 'emqx@10.1.0.4': not_started"));
        expect(await client.startEvacuation("emqx@10.1.0.4", settings)).toBe(true);
        expect(await client.startEvacuation("emqx@10.1.0.4", settings)).toBe(false);
        expect(await client.stopEvacuation("emqx@10.1.0.4")).toBe(true);
        expect(await client.stopEvacuation("emqx@10.1.0.4")).toBe(false);
        const path = "POST /api/v5/load_rebalance/emqx%4010.1.0.4/evacuation";
        expect(api.asked).toEqual([`${path}/start`, `${path}/start`, `${path}/stop`, `${path}/stop`]);
        expect(JSON.parse(api.requests[0]?.body ?? "")).toEqual({
            wait_health_check: "30s",
            wait_takeover: "10s",
            conn_evict_rate: 100,
            sess_evict_rate: 200,
        });
    });

    test("a drain of an unknown node and one that is refused fail with what EMQX says", async () => {
        api.script(json(404, { code: "NOT_FOUND", message: "Node not found: x@1.2.3.4" }), refused("unknown_fields"));
        await expect(client.startEvacuation("x@1.2.3.4", settings)).rejects.toThrow('drain the node "x@1.2.3.4"');
        await expect(client.startEvacuation("x@1.2.3.4", settings)).rejects.toThrow("400 BAD_REQUEST unknown_fields");
        api.script(cut);
        await expect(client.stopEvacuation("x@1.2.3.4")).rejects.toBeInstanceOf(UnknownOutcomeError);
    });

    test("the drained nodes are listed, none included", async () => {
        api.script(json(200, { rebalances: [], purges: [], evacuations: [] }));
        api.script(json(200, { evacuations: [{ node: "a@b", state: "evicting_conns", stats: {} }, { node: "c@d" }] }));
        expect(await client.evacuations()).toEqual([]);
        expect(await client.evacuations()).toEqual([
            { node: "a@b", state: "evicting_conns" },
            { node: "c@d", state: "unknown" },
        ]);
        api.script(json(200, { evacuations: {} }));
        await expect(client.evacuations()).rejects.toThrow("evacuations is no list");
    });

    test("a node takes clients or is drained; nobody's key is sent; anything else is a failure", async () => {
        api.script(json(200, {}));
        expect(await client.isAvailable()).toBe(true);
        api.always(json(503, { code: "NODE_EVACUATING", message: "Node Evacuating" }, { "retry-after": "0" }));
        expect(await client.isAvailable()).toBe(false);
        expect(api.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
        api.always(json(503, { code: "SERVICE_UNAVAILABLE", message: "starting" }, { "retry-after": "0" }));
        await expect(client.isAvailable()).rejects.toThrow("503");
    });

    test("a node leaves, and it is no failure when it has left", async () => {
        api.script(
            noContent,
            refused("{node_not_in_cluster,'a@b'}"),
            json(404, { code: "NOT_FOUND", message: "x" }),
            refused("Can't leave self"),
        );
        expect(await client.forceLeave("a@b")).toBe(true);
        expect(await client.forceLeave("a@b")).toBe(false);
        expect(await client.forceLeave("a@b")).toBe(false);
        await expect(client.forceLeave("a@b")).rejects.toThrow("Can't leave self");
        expect(api.asked[0]).toBe("DELETE /api/v5/cluster/a%40b/force_leave");
    });
});

describe("lists of several pages", () => {
    const route = (topic: string) => ({ topic, node: "n" });

    test("are read to the end", async () => {
        api.script(
            json(200, { data: [route("a"), route("b")], meta: meta(true) }),
            json(200, { data: [route("c")], meta: meta(false) }),
        );
        expect((await client.topics()).map(({ topic }) => topic)).toEqual(["a", "b", "c"]);
        expect(api.asked).toEqual(["GET /api/v5/topics?page=1&limit=1000", "GET /api/v5/topics?page=2&limit=1000"]);
    });

    test("end where a page is empty, whatever it announces", async () => {
        api.always(json(200, { data: [], meta: meta(true) }));
        expect(await client.topics()).toEqual([]);
        expect(api.asked).toHaveLength(1);
    });

    test("end after twenty pages", async () => {
        api.always(json(200, { data: [route("a")], meta: meta(true) }));
        expect(await client.topics()).toHaveLength(20);
        expect(api.asked).toHaveLength(20);
    });

    test("give no more than was asked for", async () => {
        api.always(json(200, { data: [{ clientid: "1" }, { clientid: "2" }, { clientid: "3" }], meta: meta(true) }));
        expect(await client.clients({ limit: 2 })).toHaveLength(2);
        expect(api.asked).toHaveLength(1);
    });
});

test("answers with fields of other kinds are refused, in words", async () => {
    api.script(
        json(200, { type: 7 }),
        json(200, { metrics: { router: {}, forwarding: {} } }),
        text(200, "Node a is started\nemqx is running"),
    );
    await expect(client.license()).rejects.toThrow("license.type is no text");
    await expect(client.linkMetrics("x")).rejects.toThrow("metrics: routes is no number");
    api.always(text(200, "Node a is started\nemqx is running"));
    await expect(client.status()).rejects.toThrow("the answer is no JSON");
});

test.each([
    ["api.url", { url: "http://emqx.example:18083" }],
    ["api.url", { url: "https://k:v@emqx.example" }],
    ["api.url", { url: "https://169.254.169.254" }],
    ["api.key", { key: "" }],
    ["api.key", { key: "a:b" }],
    ["api.secret", { secret: "" }],
    ["api.secret", { secret: "sup3r\nsecret" }],
    ["api.ca", { ca: "/etc/ssl/ca.pem" }],
    ["api.serverName", { serverName: "a b" }],
    ["api.connect.host", { connect: { host: "169.254.169.254", port: 1 } }],
    ["api.connect.port", { connect: { host: "127.0.0.1", port: 0 } }],
    ["api.connect.host", { connect: { host: "10.0.0.5", port: 18083 } }],
    ["api.proxy", { proxy: "socks4://127.0.0.1:1080" }],
    ["api.proxy", { proxy: "socks5://127.0.0.1:1080" }],
])("the constructor refuses a wrong %s: %o", (argument, part) => {
    const refused = (() => {
        try {
            new EmqxClient(api.endpoint(part));
        } catch (error) {
            return error;
        }
        return undefined;
    })();
    expect(refused).toBeInstanceOf(InputError);
    expect(refused).toMatchObject({ argument });
    expect(String(refused)).not.toMatch(/sup3r|s3cret/);
});

test.each([
    ["requestSeconds", 0],
    ["requestSeconds", Number.NaN],
    ["connectSeconds", -1],
    ["attempts", 0],
])("the constructor refuses %s %d", (option, value) => {
    expect(() => new EmqxClient(api.endpoint(), { [option]: value })).toThrow(`${option}: ${value} is out of range`);
});
