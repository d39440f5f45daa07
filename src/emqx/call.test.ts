import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bytes, cut, cutBody, hang, json, page, ScriptedApi, type Step, text, trickle } from "../../test/support/scriptedApi.js";
import { OperationError } from "../errors.js";
import { type CallOptions, EmqxClient, UnknownOutcomeError } from "./client.js";

let api: ScriptedApi;
let clients: EmqxClient[] = [];

beforeEach(async () => {
    api = await ScriptedApi.start();
});

afterEach(async () => {
    for (const client of clients) {
        client.close();
    }
    clients = [];
    await api.stop();
});

function clientFor(options: CallOptions = {}, url?: string): EmqxClient {
    const client = new EmqxClient(api.endpoint(url === undefined ? {} : { url }), { name: "aws", ...options });
    clients.push(client);
    return client;
}

/** What a call fails with. */
async function failure(call: Promise<unknown>): Promise<OperationError> {
    const error = await call.then(
        () => undefined,
        (thrown: unknown) => thrown,
    );
    if (!(error instanceof OperationError)) {
        throw new Error(`expected an OperationError, got ${String(error)}`);
    }
    return error;
}

const good = json(200, { name: "aws", nodes: [], self: "n" });
const user = { username: "u", password: "us3r-password" };

/** One call of each kind. */
const calls = {
    read: (client: EmqxClient) => client.cluster(),
    post: (client: EmqxClient) => client.addUser(user),
    put: (client: EmqxClient) => client.updateUser("u", user),
    delete: (client: EmqxClient) => client.deleteLink("lab-gcp"),
} as const;
type Kind = keyof typeof calls;

interface Fault {
    readonly fault: string;
    readonly step: Step;
    /** How often each kind of call is sent, of three attempts; a "?" says that the outcome is open. */
    readonly sent: Readonly<Record<Kind, `${number}` | `${number}?`>>;
    readonly says: RegExp;
    /** What is to be done, where the outcome is not open. */
    readonly todo?: RegExp;
    readonly options?: CallOptions;
}

const emqx = (status: number, code: string, message: string, headers: Record<string, string> = {}) =>
    json(status, { code, message }, headers);
const definite = { read: "1", post: "1", put: "1", delete: "1" } as const;
const openForWrites = { read: "3", post: "1?", put: "1?", delete: "1?" } as const;
const openOnce = { ...openForWrites, read: "1" } as const;

const faults: Fault[] = [
    {
        fault: "401 for a wrong key",
        step: emqx(401, "BAD_API_KEY_OR_SECRET", "Check api_key/api_secret"),
        sent: definite,
        says: /401 BAD_API_KEY_OR_SECRET Check api_key\/api_secret/,
        todo: /Set api\.key and api\.secret/,
    },
    {
        fault: "401 without a body",
        step: text(401, ""),
        sent: definite,
        says: /401 the API key was not accepted/,
        todo: /Set api\.key/,
    },
    {
        fault: "403 for a role that may only read",
        step: emqx(403, "UNAUTHORIZED_ROLE", "This API Key don't have permission to access this resource"),
        sent: definite,
        says: /403 UNAUTHORIZED_ROLE This API Key .* Use an API key with the role "administrator"/,
    },
    {
        fault: "400 with a JSON document as its message",
        step: emqx(400, "BAD_REQUEST", '{"reason":"required_field","path":"root.server","kind":"validation_error"}'),
        sent: definite,
        says: /400 BAD_REQUEST required_field at root\.server$/,
    },
    {
        fault: "400 because the licence allows no links",
        step: emqx(
            400,
            "BAD_REQUEST",
            "Cluster linking is not available under the community (single-node) license. Load a non-community license and retry.",
        ),
        sent: definite,
        says: /400 BAD_REQUEST Cluster linking is not available .* retry/,
        todo: /Load a licence with which/,
    },
    {
        fault: "400 because cluster linking is down",
        step: emqx(
            400,
            "BAD_REQUEST",
            'Create link failed #{path => "cluster.links",kind => validation_error,expected_data_type => array,got => []}',
        ),
        sent: definite,
        says: /cluster linking is down on this node/,
        todo: /.*mode=merge.*restart the node/,
    },
    { fault: "405", step: text(405, ""), sent: definite, says: /405 the API does not know this method here/, todo: /Look/ },
    {
        fault: "409",
        step: emqx(409, "ALREADY_EXISTS", "User already exists"),
        sent: definite,
        says: /409 ALREADY_EXISTS User already exists$/,
    },
    {
        fault: "a 404 of another kind",
        step: emqx(404, "API_NOT_EXIST", "Request Path Not Found"),
        sent: definite,
        says: /404 API_NOT_EXIST Request Path Not Found$/,
    },
    {
        fault: "a 404 page, as while EMQX starts",
        step: page(404, "Not Found"),
        sent: { read: "3", post: "1", put: "3", delete: "3" },
        says: /404 it answers with a web page/,
        todo: /Wait until EMQX has started/,
    },
    {
        fault: "a redirect",
        step: text(302, "", { location: "https://user:t0ken@login.example:8443/path?token=t0ken" }),
        sent: definite,
        says: /302 it redirects to https:\/\/login\.example:8443, which is not followed/,
        todo: /Set api\.url/,
    },
    {
        fault: "a redirect to nowhere",
        step: text(301, ""),
        sent: definite,
        says: /301 it redirects, which is not followed/,
    },
    {
        fault: "429",
        step: emqx(429, "TOO_MANY", "Slow down"),
        sent: { read: "3", post: "1", put: "3", delete: "3" },
        says: /429 TOO_MANY Slow down/,
        todo: /Wait/,
    },
    {
        fault: "500",
        step: emqx(500, "INTERNAL_ERROR", '{error,{"oops"}}'),
        sent: openForWrites,
        says: /500 INTERNAL_ERROR \{error,\{"oops"\}\}/,
    },
    { fault: "a 502 page of a proxy", step: page(502, "502 Bad Gateway"), sent: openForWrites, says: /502 502 Bad Gateway/ },
    { fault: "a 503 without a body", step: text(503, ""), sent: openForWrites, says: /503 it is not ready/ },
    {
        fault: "503 while the node is drained",
        step: emqx(503, "NODE_EVACUATING", "Node Evacuating"),
        sent: openForWrites,
        says: /503 NODE_EVACUATING Node Evacuating/,
    },
    { fault: "a 504 without a body", step: text(504, ""), sent: openForWrites, says: /504 a proxy gave up waiting/ },
    {
        fault: "a web page with status 200",
        step: page(200, "Sign in"),
        sent: openOnce,
        says: /200 it answers with a web page \(Sign in\)/,
    },
    {
        fault: "half a JSON document",
        step: text(200, '{"name":"aws","no'),
        sent: openForWrites,
        says: /200 the answer is no JSON/,
    },
    {
        fault: "a connection that closes before the answer",
        step: cut,
        sent: openForWrites,
        says: /ECONNRESET it closed the connection without a whole answer/,
    },
    {
        fault: "a connection that closes within the answer",
        step: cutBody('{"name":"aws"'),
        sent: openForWrites,
        says: /ECONNRESET it closed the connection without a whole answer/,
    },
    {
        fault: "no answer",
        step: hang,
        sent: openOnce,
        says: /TIMEOUT no answer within 0\.\d+ s/,
        options: { requestSeconds: 0.3 },
    },
    {
        fault: "an answer that never ends",
        step: trickle,
        sent: openOnce,
        says: /TIMEOUT no whole answer within 0\.\d+ s/,
        options: { requestSeconds: 0.3 },
    },
    {
        fault: "an answer that is too long",
        step: text(200, " ".repeat(9 * 1024 * 1024)),
        sent: openOnce,
        says: /ANSWER_TOO_LARGE the answer is longer than 8 MB/,
    },
    {
        fault: "bytes that are no HTTP",
        step: bytes("220 mail ESMTP\r\n"),
        sent: openOnce,
        says: /HPE_\w+ what answers speaks no plain HTTP/,
    },
];

const table = faults.flatMap((fault) => (Object.keys(calls) as Kind[]).map((kind) => ({ ...fault, kind })));

test.concurrent.each(table)("$fault: $kind", async ({ kind, step, sent, says, todo, options }) => {
    const own = (await ScriptedApi.start()).always(step);
    const client = new EmqxClient(own.endpoint(), { name: "aws", ...options });
    try {
        const error = await failure(calls[kind](client));
        const isOpen = error instanceof UnknownOutcomeError;
        expect(`${own.requests.length}${isOpen ? "?" : ""}`).toBe(sent[kind]);
        expect(error.message).toContain(`at aws (${own.url}): `);
        expect(error.message).toMatch(says);
        expect(error.detail.todo ?? "").toMatch(
            isOpen ? /^It may have had effect all the same: look at the cluster/ : (todo ?? /^/),
        );
    } finally {
        client.close();
        await own.stop();
    }
});

describe("an empty answer (F33)", () => {
    test("to a read is tried again", async () => {
        api.always(text(200, ""));
        expect((await failure(clientFor().cluster())).message).toMatch(/200 the answer is empty\./);
        expect(api.requests).toHaveLength(3);
    });

    test("to a change whose result is needed leaves the outcome open", async () => {
        api.always(text(200, ""));
        await expect(clientFor().updateLink("x", linkBody)).rejects.toThrow(UnknownOutcomeError);
        expect(api.requests).toHaveLength(1);
    });
});

const linkBody = {
    name: "x",
    server: "h:1",
    clientid: "c-",
    topics: [],
    enable: true,
    ssl: { enable: false },
    pool_size: 1,
    retry_interval: "1s",
    max_inflight: 1,
    resource_opts: { request_ttl: "45s", health_check_interval: "1s", max_buffer_bytes: "256MB" },
} as const;

test("a change that succeeded with an unexpected answer leaves the outcome open", async () => {
    api.always(json(201, { ok: true }));
    const error = await failure(clientFor().createLink(linkBody));
    expect(error).toBeInstanceOf(UnknownOutcomeError);
    expect(error.message).toContain("201 the answer is not as EMQX gives it: link.name is no text");
    expect(api.requests).toHaveLength(1);
});

describe("failures that pass (F33)", () => {
    test.each([
        ["a cut connection", cut],
        ["a page while EMQX starts", page(404, "404")],
        ["a proxy's 502", page(502, "502")],
        ["half an answer", text(200, '{"na')],
        ["429", emqx(429, "TOO_MANY", "Slow down", { "retry-after": "0" })],
    ])("%s: the read is tried again and succeeds", async (_, step) => {
        api.script(step, good);
        expect((await clientFor().cluster()).name).toBe("aws");
        expect(api.requests).toHaveLength(2);
    });

    test("attempts: 1 tries once", async () => {
        api.script(page(502, "502"), good);
        await failure(clientFor({ attempts: 1 }).cluster());
        expect(api.requests).toHaveLength(1);
    });

    test.each(["3600", new Date(Date.now() + 3_600_000).toUTCString()])("no Retry-After outlasts the call: %s", async (after) => {
        api.always(emqx(429, "TOO_MANY", "Slow down", { "retry-after": after }));
        await failure(clientFor({ requestSeconds: 2 }).cluster());
        expect(api.requests).toHaveLength(1);
    });

    test.each(["0", "-5", "soon", "", "Thu, 01 Jan 1970 00:00:00 GMT"])(
        "a Retry-After of %j is no reason to wait long",
        async (after) => {
            api.always(emqx(429, "TOO_MANY", "Slow down", { "retry-after": after }));
            await failure(clientFor({ requestSeconds: 5 }).cluster());
            expect(api.requests).toHaveLength(3);
        },
    );
});

describe("no connection", () => {
    test.each(Object.keys(calls) as Kind[])("a closed port is no open outcome: %s", async (kind) => {
        const url = api.url;
        await api.stop();
        const error = await failure(calls[kind](clientFor({}, url)));
        expect(error).not.toBeInstanceOf(UnknownOutcomeError);
        expect(error.message).toMatch(/: ECONNREFUSED nothing listens there\. Look whether EMQX runs .* port 18084$/);
    });

    test("a name that does not exist", async () => {
        const error = await failure(clientFor({ attempts: 1 }, "https://no-such-host.invalid:18084").addUser(user));
        expect(error).not.toBeInstanceOf(UnknownOutcomeError);
        expect(error.message).toMatch(/(?:ENOTFOUND|EAI_AGAIN) the host name cannot be resolved\. Look at the host in api\.url/);
    });

    test("a change is sent once the port opens again", async () => {
        const { port } = api;
        const client = clientFor();
        await api.stop();
        const deleting = client.deleteLink("x");
        const { createServer } = await import("node:http");
        const late = createServer((_, response) => response.writeHead(204).end());
        await new Promise<void>((resolve) => late.listen(port, "127.0.0.1", resolve));
        try {
            expect(await deleting).toBe(true);
        } finally {
            client.close();
            await new Promise((resolve) => late.close(resolve));
        }
    });
});

describe("connections", () => {
    test("reads share one, changes have their own", async () => {
        api.always(good);
        const client = clientFor();
        await client.cluster();
        await client.cluster();
        expect(api.connections).toBe(1);
        await client.deleteLink("x");
        expect(api.connections).toBe(2);
    });

    test("one that the broker has closed meanwhile costs a read no attempt", async () => {
        const client = clientFor({ attempts: 1 });
        api.script(good, cut, good);
        await client.cluster();
        expect((await client.cluster()).name).toBe("aws");
        expect(api.connections).toBe(2);
    });

    test("a closed client sends nothing", async () => {
        const client = clientFor();
        client.close();
        expect((await failure(client.cluster())).message).toMatch(/CLOSED the client was closed/);
        expect(api.requests).toHaveLength(0);
    });

    test("close ends a call under way", async () => {
        api.always(hang);
        const client = clientFor();
        const reading = failure(client.cluster());
        await expect.poll(() => api.requests.length).toBe(1);
        client.close();
        expect((await reading).message).toMatch(/CLOSED the client was closed/);
        expect(api.requests).toHaveLength(1);
    });
});

describe("secrets stay out of messages", () => {
    const secret = "test-s3cret/+ä";
    const forms = (value: string) => [
        value,
        encodeURIComponent(value),
        new URLSearchParams({ v: value }).toString().slice(2),
        Buffer.from(value).toString("base64"),
        Buffer.from(value).toString("base64url"),
        Buffer.from(value).toString("hex"),
        Buffer.from(value).toString("hex").toUpperCase(),
        Buffer.from(`test-key:${value}`).toString("base64"),
        JSON.stringify({ v: JSON.stringify(value) }),
    ];
    const leaks = [...forms(secret), ...forms(user.password)];
    const answers: [string, (leak: string) => Step][] = [
        ["EMQX's message", (leak) => emqx(400, "BAD_REQUEST", `wrong value ${leak} given`)],
        [
            "a document in EMQX's message",
            (leak) => emqx(400, "BAD_REQUEST", JSON.stringify({ reason: "bad", value: leak, path: leak })),
        ],
        ["EMQX's code", (leak) => emqx(400, leak, "no")],
        ["a page", (leak) => page(502, leak)],
        ["plain text", (leak) => text(500, `crash: ${leak}`)],
        ["half an answer", (leak) => text(200, `{"${leak}`)],
        [
            "a redirect",
            (leak) =>
                text(302, "", { location: `https://${Buffer.from(leak).toString("hex")}.example/?${encodeURIComponent(leak)}` }),
        ],
    ];
    test("when a long message is cut short within one", async () => {
        for (let before = 270; before <= 310; before++) {
            api.always(emqx(400, "BAD_REQUEST", `${"x".repeat(before)}${user.password} and more`));
            const { message } = await failure(calls.put(clientFor()));
            expect(message).not.toMatch(/xus/);
            expect(message.length).toBeLessThan(450);
        }
    });

    test("when EMQX repeats a whole link with its key, however long, and the cause is still recognized", async () => {
        const key = `-----BEGIN PRIVATE KEY-----\n${"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0w\n".repeat(20)}-----END PRIVATE KEY-----\n`;
        const echoed = `#{<<"keyfile">> => <<"${key.replaceAll("\n", "\\n")}">>,<<"password">> => <<"${user.password}">>}`;
        const said = `Create link failed #{path => "cluster.links",got => {create,${echoed}},kind => validation_error,expected_data_type => array}`;
        const body = { ...linkBody, password: user.password, ssl: { enable: true, keyfile: key } };
        api.always(emqx(400, "BAD_REQUEST", said));
        expect((await failure(clientFor().createLink(body))).message).toContain("cluster linking is down on this node");
        api.always(emqx(400, "BAD_REQUEST", `Create link failed ${echoed}`));
        const { message } = await failure(clientFor().createLink(body));
        expect(message).toContain('Create link failed #{<<"keyfile">> => <<"***">>,<<"password">> => <<"***">>}');
    });

    test.each(answers)("when they come back in %s", async (_, answer) => {
        for (const leak of leaks) {
            api.always(answer(leak));
            for (const call of [calls.put, calls.read]) {
                const error = await failure(call(clientFor({ attempts: 1 })));
                const shown = `${error.message} ${JSON.stringify(error.detail)} ${error.stack}`.toLowerCase();
                const hidden = call === calls.put ? leaks : forms(secret);
                expect(hidden.filter((form) => shown.includes(form.toLowerCase()))).toEqual([]);
            }
        }
    });
});
