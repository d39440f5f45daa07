import { createServer } from "node:net";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { listen } from "../../test/support/probeBrokers.js";
import { startProxy, type TestProxy, type TestProxyOptions } from "../../test/support/proxies.js";
import { hang, json, ScriptedApi } from "../../test/support/scriptedApi.js";
import { type TestAuthority, testAuthority } from "../../test/support/testCertificates.js";
import { type CallOptions, EmqxClient, UnknownOutcomeError } from "./client.js";
import type { ApiEndpoint } from "./endpoint.js";

/** No name server knows it: only the proxy can lead there. */
const host = "emqx.private.lab.internal";
const good = json(200, { name: "aws", nodes: [], self: "n" });
const kinds = ["socks5", "http"] as const;

let authority: TestAuthority;
let other: TestAuthority;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
    [authority, other] = await Promise.all([testAuthority(), testAuthority("Another test CA")]);
});
afterEach(async () => {
    for (const end of ends.splice(0).reverse()) {
        await end();
    }
});

async function api(name = host): Promise<ScriptedApi> {
    const made = (await ScriptedApi.start(await authority.link(name))).always(good);
    ends.push(() => made.stop());
    return made;
}

async function proxied(kind: "socks5" | "http", options: TestProxyOptions = {}): Promise<TestProxy> {
    const made = await startProxy(kind, options);
    ends.push(() => made.stop());
    return made;
}

async function ask<T>(
    more: Partial<ApiEndpoint>,
    call: (client: EmqxClient) => Promise<T>,
    options: CallOptions = { attempts: 1 },
): Promise<T> {
    const client = new EmqxClient(
        { url: `https://${host}:18084`, key: "k", secret: "s3cret-value", ca: authority.ca, ...more },
        options,
    );
    try {
        return await call(client);
    } finally {
        client.close();
    }
}

const failureOf = (work: Promise<unknown>) =>
    work.then(
        () => new Error("it did not fail"),
        (error: Error) => error,
    );

describe.each(kinds)("an API behind a %s proxy", (kind) => {
    test("is reached by its name, which the proxy resolves, over TLS that the proxy does not open", async () => {
        const server = await api();
        const proxy = await proxied(kind, { leads: { [`${host}:18084`]: server.port } });
        expect((await ask({ proxy: proxy.url }, (client) => client.cluster())).name).toBe("aws");
        expect(proxy.asked).toEqual([`name ${host}:18084`]);
        expect(proxy.firstBytes).toEqual([22]);
        expect(server.requests[0]).toMatchObject({ host: `${host}:18084`, authorization: expect.stringMatching(/^Basic /) });
    });

    test("is reached by an address with a TLS name of its own, and the connection is used again", async () => {
        const server = await api();
        const proxy = await proxied(kind);
        await ask({ url: `https://127.0.0.1:${server.port}`, serverName: host, proxy: proxy.url }, async (client) => {
            await client.cluster();
            await client.cluster();
        });
        expect(proxy.asked).toEqual([`${kind === "socks5" ? "address" : "name"} 127.0.0.1:${server.port}`]);
        expect(server.requests).toHaveLength(2);
        expect(server.connections).toBe(1);
    });

    test("is trusted only with its own certificate (name and authority)", async () => {
        const server = await api("somebody.else.internal");
        const proxy = await proxied(kind, { leads: { [`${host}:18084`]: server.port } });
        const wrongName = await failureOf(ask({ proxy: proxy.url }, (client) => client.cluster()));
        expect(wrongName.message).toMatch(
            /by way of the proxy .*: ERR_TLS_CERT_ALTNAME_INVALID its certificate is not for emqx\.private/,
        );
        const wrongAuthority = await failureOf(
            ask({ proxy: proxy.url, serverName: "somebody.else.internal", ca: other.ca }, (client) => client.cluster()),
        );
        expect(wrongAuthority.message).toMatch(/not from an authority that is trusted here/);
        expect(server.requests).toEqual([]);
        expect((await ask({ proxy: proxy.url, serverName: "somebody.else.internal" }, (client) => client.cluster())).name).toBe(
            "aws",
        );
    });

    test("is reached with the proxy's login, which no message shows", async () => {
        const server = await api();
        const login = { username: "us@er", password: "pr0xy-s3cret/%" };
        const proxy = await proxied(kind, { login, leads: { [`${host}:18084`]: server.port } });
        const at = (user: string) => proxy.url.replace("://", `://${user}@`);
        const right = at(`${encodeURIComponent(login.username)}:${encodeURIComponent(login.password)}`);
        expect((await ask({ proxy: right }, (client) => client.cluster())).name).toBe("aws");
        const none = await failureOf(ask({ proxy: proxy.url }, (client) => client.cluster()));
        expect(none.message).toMatch(/PROXY_AUTH .*asks for a login\. Set api\.proxy with user:password@/);
        const wrong = await failureOf(ask({ proxy: at("us%40er:wr0ng-s3cret") }, (client) => client.cluster()));
        expect(wrong.message).toMatch(/PROXY_AUTH .*refuses the login/);
        expect(wrong.message).toContain(`by way of the proxy ${proxy.url}:`);
        expect(`${none.message}${wrong.message}`).not.toMatch(/s3cret|us@er|us%40er/);
        expect(server.connections).toBe(1);
    });

    test.each([
        [
            "refuse",
            kind === "socks5"
                ? /PROXY_REFUSED the proxy answered: connection refused/
                : /PROXY_REFUSED the proxy answered 502 Bad Gateway/,
        ],
        [
            "forbid",
            kind === "socks5"
                ? /the proxy answered: not allowed by its rules/
                : /the proxy answered 403 Not \[31m here very very [a-z ]{20,80}…\./,
        ],
        ["close", /PROXY_REFUSED the proxy closed the connection without an answer/],
        [
            "garbage",
            kind === "socks5"
                ? /PROXY_PROTOCOL what answers there is no SOCKS5 proxy/
                : /PROXY_PROTOCOL what answers there is no HTTP proxy/,
        ],
    ] as const)("says what the proxy answered: %s", async (fault, message) => {
        const proxy = await proxied(kind, { fault });
        for (const call of [(client: EmqxClient) => client.cluster(), (client: EmqxClient) => client.deleteLink("x")]) {
            const error = await failureOf(ask<unknown>({ proxy: proxy.url }, call));
            expect(error.message).toMatch(message);
            expect(error.message).toContain(`at https://${host}:18084 by way of the proxy ${proxy.url}:`);
            // Nothing was sent, so that a change is not in doubt.
            expect(error).not.toBeInstanceOf(UnknownOutcomeError);
        }
    });

    test("is given up at the deadline when the proxy keeps silent, and nothing stays open", async () => {
        const proxy = await proxied(kind, { fault: "silent" });
        const error = await failureOf(
            ask({ proxy: proxy.url }, (client) => client.cluster(), { attempts: 1, connectSeconds: 0.3 }),
        );
        expect(error.message).toMatch(
            /CONNECT_TIMEOUT no connection within 0\.3 s: the proxy has taken the connection and does not answer\. Look whether the proxy may connect there/,
        );
        await expect.poll(() => proxy.open()).toBe(0);
    });

    test("that hangs after the handshake ends at the deadline of the call", async () => {
        const server = (await api()).always(hang);
        const proxy = await proxied(kind, { leads: { [`${host}:18084`]: server.port } });
        const error = await failureOf(
            ask({ proxy: proxy.url }, (client) => client.deleteLink("x"), { attempts: 1, requestSeconds: 0.5 }),
        );
        expect(error).toBeInstanceOf(UnknownOutcomeError);
    });

    test("is not reached when nothing listens where the proxy should be", async () => {
        const server = createServer();
        const port = await listen(server);
        await new Promise((resolve) => server.close(resolve));
        const error = await failureOf(ask({ proxy: `${kind}://127.0.0.1:${port}` }, (client) => client.cluster()));
        expect(error.message).toMatch(
            /PROXY_UNREACHABLE the proxy cannot be reached \(ECONNREFUSED\)\. Start the proxy, or set api\.proxy/,
        );
    });

    test("ends its connections with the client", async () => {
        const proxy = await proxied(kind, { fault: "silent" });
        const client = new EmqxClient({ url: `https://${host}:1`, key: "k", secret: "s3cret-value", proxy: proxy.url });
        const asked = failureOf(client.cluster());
        await expect.poll(() => proxy.open()).toBe(1);
        client.close();
        expect((await asked).message).toMatch(/the client was closed/);
        await expect.poll(() => proxy.open()).toBe(0);
    });
});

describe("a proxy that may not be", () => {
    test.each([
        [
            { proxy: "socks5://127.0.0.1:1", connect: { host: "127.0.0.1", port: 2 } },
            /^api\.proxy: it stands next to api\.connect/,
        ],
        [{ proxy: "https://127.0.0.1:1" }, /^api\.proxy: .*scheme "https"/],
        [{ proxy: "socks5://169.254.169.254:80" }, /^api\.proxy: .*link-local/],
        [{ url: "http://127.0.0.1:1", proxy: "socks5://127.0.0.1:1" }, /^api\.proxy: the API's url is not encrypted/],
    ])("%j is refused before anything is sent", (more, message) => {
        expect(() => new EmqxClient({ url: "https://h.example:1", key: "k", secret: "s", ...more })).toThrow(message);
    });
});
