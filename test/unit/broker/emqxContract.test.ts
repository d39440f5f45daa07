import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, freePorts, localBrokers, type TestSite, type TestSites } from "../../support/localBroker.js";

type Shape = string | readonly Shape[] | { readonly [key: string]: Shape };

/** A request to a real EMQX 5.10.3 and what it answered, reduced to what is compared. */
interface Case {
    readonly label: string;
    readonly method: string;
    readonly path: string;
    readonly auth: "administrator" | "viewer" | "none" | "unknown" | "wrong secret";
    readonly request?: unknown;
    readonly status: number;
    readonly shape?: Shape;
    readonly text?: string;
    readonly code?: string;
    readonly message?: string;
}

const cases = JSON.parse(readFileSync(join(__dirname, "../../fixtures/emqxContract/cases.json"), "utf8")) as Case[];

/** Where the local broker answers otherwise, and why. */
const departures: Readonly<Record<string, string>> = {
    "clients on gcp": "names of fields that do not exist are passed over instead of refused",
    "POST /api/v5/authentication": "the password authenticator is always there and cannot be added",
    "DELETE /api/v5/authentication/password_based:built_in_database": "the password authenticator cannot be removed",
    "two servers 127.0.0.1:51883,127.0.0.1:58883":
        "two servers leave the link disconnected but do not bring down all links of the node",
    "POST after crash": "the answer of a node whose links are down; they do not go down here",
};

const crashed = /expected_data_type => array/;

function shapeOf(value: unknown): Shape {
    if (value === null) {
        return "null";
    }
    if (Array.isArray(value)) {
        return value.length === 0 ? [] : [shapeOf(value[0])];
    }
    if (typeof value === "object") {
        return Object.fromEntries(
            Object.entries(value)
                .sort(([one], [other]) => (one < other ? -1 : 1))
                .map(([key, part]) => [key, shapeOf(part)]),
        );
    }
    return typeof value;
}

/** Reduces a shape to what another one tells: an empty list says nothing of its elements. */
function asFarAs(shape: Shape, known: Shape): Shape {
    if (Array.isArray(shape) && Array.isArray(known)) {
        return known.length === 0 ? [] : shape.map((part: Shape) => asFarAs(part, known[0] as Shape));
    }
    if (typeof shape === "object" && typeof known === "object" && !Array.isArray(shape) && !Array.isArray(known)) {
        const parts = known as { readonly [key: string]: Shape };
        return Object.fromEntries(
            Object.entries(shape).map(([key, part]) => [key, key in parts ? asFarAs(part, parts[key] as Shape) : part]),
        );
    }
    return shape;
}

let open: TestSites<"aws" | "gcp">;
let aws: TestSite;
let gcp: TestSite;
let closed = 0;

beforeAll(async () => {
    open = await localBrokers(["aws", "gcp"], { plain: true });
    aws = open.sites.aws;
    gcp = open.sites.gcp;
    [closed = 0] = await freePorts(1);
});

afterAll(async () => await open.close());

/** Fills in what stands for addresses, names and certificates of the recording. */
function filled<T>(value: T): T {
    const local = (port: number) => `127.0.0.1:${port}`;
    const words: Record<string, string> = {
        "{peer}": local(gcp.ports.mqtt),
        "{self}": local(aws.ports.mqtt),
        "{third}": local(gcp.ports.mqtt),
        "{peerTls}": local(gcp.ports.mqtts),
        "{peerLinks}": local(gcp.ports.links),
        "{peerLinksPort}": String(gcp.ports.links),
        "{peerHttp}": local(gcp.ports.api),
        "{closed}": local(closed),
        "{node}": aws.config.nodeName,
    };
    let text = JSON.stringify(value);
    for (const [word, filling] of Object.entries(words)) {
        text = text.replaceAll(word, filling);
    }
    const ssl = (JSON.parse(text) as { ssl?: Record<string, string> })?.ssl;
    const result = JSON.parse(text);
    if (ssl !== undefined) {
        result.ssl = {
            ...ssl,
            ...("cacertfile" in ssl ? { cacertfile: aws.authority.ca } : {}),
            ...("certfile" in ssl ? { certfile: aws.linkCertificate.cert } : {}),
            ...("keyfile" in ssl ? { keyfile: aws.linkCertificate.key } : {}),
        };
    }
    return result;
}

const links = "/api/v5/cluster/links";
const database = "/api/v5/authorization/sources/built_in_database";

/** The recording is a sample: what was done between two of its cases is done here. */
async function prepare({ label, method, path, request, status, code }: Case): Promise<void> {
    const plain = (name: string, topics = ["cross/#"]) => ({ name, server: `127.0.0.1:${closed}`, topics });
    const named = /\/links\/link\/([^/]+)/.exec(path)?.[1];
    const body = request as { name?: string; ssl?: object } | undefined;
    if (method === "POST" && path === links) {
        await aws.api("DELETE", `${links}/link/${encodeURIComponent(body?.name ?? "")}`);
        if (code === "ALREADY_EXISTS") {
            await aws.api("POST", links, plain(body?.name ?? ""));
        }
    } else if (named !== undefined && status !== 404) {
        await aws.api("POST", links, plain(named));
    } else if (path === links) {
        const all = (await aws.api("GET", links)).body as { name: string }[];
        for (const { name } of all) {
            await aws.api("DELETE", `${links}/link/${name}`);
        }
        const user = label === "list A" ? { username: "link", password: "s" } : {};
        await aws.api("POST", links, {
            ...plain("second"),
            ...(label.startsWith("cfg") ? { enable: false } : { clientid: "from-aws", ...user }),
        });
    }
    if (label === "get") {
        await aws.api("PUT", `${links}/link/gcp`, {
            ...plain("gcp"),
            name: undefined,
            clientid: "x",
            username: "link",
            password: "s",
        });
    } else if (label === "get after TLS") {
        const ssl = { enable: true, verify: "verify_peer", cacertfile: aws.authority.ca };
        await aws.api("PUT", `${links}/link/gcp`, { ...plain("gcp"), name: undefined, clientid: "x", ssl });
    } else if (label === "PUT masked") {
        await aws.api("PUT", `${links}/link/gcp`, { ...plain("gcp"), name: undefined, password: "s" });
    } else if (label.startsWith("topics routes") || label.startsWith("topics aws")) {
        const device = await aws.connect();
        await device.subscribeAsync("cross/t");
    } else if (label === "add user") {
        await aws.api("DELETE", "/api/v5/authentication/password_based:built_in_database/users/link");
    } else if (path === "/api/v5/authorization/sources" && method === "POST") {
        await aws.api("DELETE", database);
    } else if (path === database) {
        await aws.api("POST", "/api/v5/authorization/sources", { type: "built_in_database", enable: true });
    }
}

describe("the REST routes answer as a recorded EMQX 5.10.3 did", () => {
    test.each(cases.filter(({ label }) => departures[label] === undefined))("$label: $method $path", async (one) => {
        await prepare(one);
        const auth = {
            administrator: undefined,
            viewer: `${api.viewer}:${api.secret}`,
            none: "",
            unknown: "xx:yy",
            "wrong secret": `${api.key}:wrong`,
        }[one.auth];
        const path = filled(one.path);
        const request =
            typeof one.request === "string" ? one.request : one.request === undefined ? undefined : filled(one.request);
        const answer = await aws.api(one.method, path, request, auth);
        expect({ status: answer.status, text: answer.text.slice(0, 500) }).toMatchObject({ status: one.status });
        if (one.shape !== undefined) {
            expect(asFarAs(shapeOf(answer.body), one.shape)).toEqual(one.shape);
        }
        if (one.code !== undefined) {
            expect(answer.body).toEqual({ code: one.code, message: filled(one.message) });
        }
        if (one.text === undefined && one.shape === undefined) {
            expect(answer.text).toBe("");
        } else if (one.text !== undefined && one.text !== "any") {
            expect(answer.text).toBe(filled(one.text));
        }
    });

    test("every departure is a recorded case that really answers otherwise", async () => {
        for (const [label, reason] of Object.entries(departures)) {
            const one = cases.find((entry) => entry.label === label);
            expect(one, label).toBeDefined();
            expect(reason).not.toBe("");
            if (one !== undefined) {
                await prepare(one);
                const answer = await aws.api(
                    one.method,
                    filled(one.path),
                    one.request === undefined ? undefined : filled(one.request),
                );
                const differs = answer.status !== one.status || crashed.test(one.message ?? "") !== crashed.test(answer.text);
                expect(differs, label).toBe(true);
            }
        }
    });
});

test("what the recording does not show: alarms, retained messages, listeners, clients and publish have EMQX's fields", async () => {
    await aws.api("PUT", "/api/v5/authorization/settings", { no_match: "allow" });
    await aws.api("POST", links, { name: "nowhere", server: `127.0.0.1:${closed}`, topics: [] });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const alarms = (await aws.api("GET", "/api/v5/alarms")).body.data as { name: string }[];
    expect(alarms.find(({ name }) => name === "emqx_cluster_link_mqtt:msg:nowhere")).toMatchObject({
        node: aws.config.nodeName,
        message: "resource down: Connection refused",
        details: { resource_id: "emqx_cluster_link_mqtt:msg:nowhere" },
        deactivate_at: "infinity",
    });
    expect((await aws.api("POST", "/api/v5/publish", { topic: "r/1", payload: "x", qos: 1, retain: true })).status).toBe(202);
    const device = await aws.connect({ clientId: "seen" });
    await device.subscribeAsync("r/#");
    expect((await aws.api("POST", "/api/v5/publish", { topic: "r/1", payload: "eA==", payload_encoding: "base64" })).status).toBe(
        200,
    );
    const [kept] = (await aws.api("GET", "/api/v5/mqtt/retainer/messages")).body.data;
    expect(Object.keys(kept).sort()).toEqual(["from_clientid", "from_username", "msgid", "publish_at", "qos", "topic"]);
    expect((await aws.api("GET", "/api/v5/mqtt/retainer/message/r%2F1")).body.payload).toBe("eA==");
    expect((await aws.api("GET", "/api/v5/listeners")).body.map(({ id }: { id: string }) => id)).toEqual([
        "tcp:default",
        "ssl:default",
        "ssl:links",
    ]);
    const found = (await aws.api("GET", "/api/v5/clients?username=device&clientid=seen&fields=clientid,username")).body;
    expect(found).toEqual({
        data: [{ clientid: "seen", username: "device" }],
        meta: { count: 1, limit: 100, page: 1, hasnext: false },
    });
    expect((await aws.api("DELETE", "/api/v5/clients/nobody")).body).toEqual({
        code: "CLIENTID_NOT_FOUND",
        message: "Client ID not found",
    });
    expect((await aws.api("GET", "/api/v5/clients?limit=0")).status).toBe(400);
    expect((await aws.api("GET", "/api/v5/%zz")).status).toBe(400);
    expect((await aws.api("GET", "/api/v5/nothing")).status).toBe(404);
    expect((await aws.api("POST", links, "x".repeat(5_000_000))).status).toBe(413);
});
