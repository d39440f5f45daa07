import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { cut, cutBody, hang, json, ScriptedApi } from "../../test/support/scriptedApi.js";
import { type TestAuthority, type TestCertificate, testAuthority } from "../../test/support/testCertificates.js";
import { type CallOptions, EmqxClient, UnknownOutcomeError } from "./client.js";
import type { ApiEndpoint } from "./endpoint.js";

const good = json(200, { name: "aws", nodes: [], self: "n" });
const doorName = "aws.link.lab.internal";

let authority: TestAuthority;
let other: TestAuthority;
let onLocalhost: TestCertificate;
let onDoor: TestCertificate;
let expired: TestCertificate;
let notYet: TestCertificate;
let ends: (() => unknown)[] = [];

beforeAll(async () => {
    [authority, other] = await Promise.all([testAuthority(), testAuthority("Another test CA")]);
    [onLocalhost, onDoor, expired, notYet] = await Promise.all([
        authority.server(),
        authority.link(doorName),
        authority.link(doorName, 5),
        authority.link(doorName, -5),
    ]);
});

afterEach(async () => {
    for (const end of ends.reverse()) {
        await end();
    }
    ends = [];
});

afterAll(() => {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
});

async function https(certificate: TestCertificate): Promise<ScriptedApi> {
    const api = (await ScriptedApi.start(certificate)).always(good);
    ends.push(() => api.stop());
    return api;
}

/** A TCP server that is no HTTP server. */
async function tcp(handle: (socket: Socket) => void): Promise<number> {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
        sockets.add(socket);
        socket.on("error", () => {});
        handle(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ends.push(() => {
        for (const socket of sockets) {
            socket.destroy();
        }
        return new Promise((resolve) => server.close(resolve));
    });
    return (server.address() as AddressInfo).port;
}

function client(endpoint: ApiEndpoint, options: CallOptions = {}): EmqxClient {
    const made = new EmqxClient(endpoint, options);
    ends.push(() => made.close());
    return made;
}

const login = { key: "k", secret: "s3cret-value" };

describe("TLS is verified", () => {
    test("an address in the certificate, the authority given", async () => {
        const api = await https(onLocalhost);
        expect(await client(api.endpoint({ ca: authority.ca })).cluster()).toMatchObject({ name: "aws" });
        expect(api.requests[0]?.host).toBe(`127.0.0.1:${api.port}`);
    });

    test("a host name in the certificate", async () => {
        const api = await https(onLocalhost);
        const url = `https://localhost:${api.port}`;
        expect(await client({ ...login, url, ca: authority.ca }).cluster()).toMatchObject({ name: "aws" });
    });

    test("the name that was given, where the address is not in the certificate", async () => {
        const api = await https(onDoor);
        expect(await client(api.endpoint({ ca: authority.ca, serverName: doorName.toUpperCase() })).cluster()).toMatchObject({
            name: "aws",
        });
    });

    test("dialling elsewhere keeps name and host of the url", async () => {
        const api = await https(onDoor);
        const url = `https://${doorName}:18084`;
        const connect = { host: "127.0.0.1", port: api.port };
        const dialled = client({ ...login, url, ca: authority.ca, connect }, { name: "aws" });
        expect(await dialled.cluster()).toMatchObject({ name: "aws" });
        expect(api.requests[0]?.host).toBe(`${doorName}:18084`);
        api.always(json(401, { code: "BAD_API_KEY_OR_SECRET", message: "no" }));
        await expect(dialled.cluster()).rejects.toThrow(`at aws (${url} by way of 127.0.0.1:${api.port}): 401`);
    });

    test("dialling elsewhere does not put that host into the check of the name", async () => {
        const api = await https(onLocalhost);
        const url = `https://${doorName}:18084`;
        const connect = { host: "127.0.0.1", port: api.port };
        await expect(client({ ...login, url, ca: authority.ca, connect }).cluster()).rejects.toThrow(
            /ERR_TLS_CERT_ALTNAME_INVALID its certificate is not for aws\.link\.lab\.internal \(.*DNS:localhost.*\)\. Set api\.serverName/,
        );
        expect(api.requests).toHaveLength(0);
    });

    interface Refusal {
        readonly of: string;
        readonly certificate: () => TestCertificate;
        readonly part: () => Partial<ApiEndpoint>;
        readonly says: RegExp;
    }
    const refusals: Refusal[] = [
        {
            of: "an authority that nobody named",
            certificate: () => onLocalhost,
            part: () => ({}),
            says: /: \w+ its certificate is not from an authority that is trusted here .*\. Set api\.ca/,
        },
        {
            of: "another authority",
            certificate: () => onLocalhost,
            part: () => ({ ca: other.ca }),
            says: /not from an authority that is trusted here .*\. Set api\.ca/,
        },
        {
            of: "another name",
            certificate: () => onLocalhost,
            part: () => ({ ca: authority.ca, serverName: doorName }),
            says: /its certificate is not for aws\.link\.lab\.internal .*Set api\.serverName/,
        },
        {
            of: "an address that is not in the certificate",
            certificate: () => onDoor,
            part: () => ({ ca: authority.ca }),
            says: /its certificate is not for 127\.0\.0\.1 .*Set api\.serverName/,
        },
        {
            of: "an expired certificate",
            certificate: () => expired,
            part: () => ({ ca: authority.ca, serverName: doorName }),
            says: /CERT_HAS_EXPIRED its certificate has expired\. Renew/,
        },
        {
            of: "a certificate of the future",
            certificate: () => notYet,
            part: () => ({ ca: authority.ca, serverName: doorName }),
            says: /CERT_NOT_YET_VALID its certificate is not valid yet\. Set the clocks/,
        },
    ];

    test.each(refusals)(
        "$of is refused before any credentials go out, and not tried again",
        async ({ certificate, part, says }) => {
            const api = await https(certificate());
            for (const call of [
                (it: EmqxClient) => it.cluster(),
                (it: EmqxClient) => it.addUser({ username: "u", password: "p" }),
                (it: EmqxClient) => it.deleteLink("x"),
            ]) {
                api.connections = 0;
                const error: unknown = await call(client(api.endpoint(part()))).catch((thrown: unknown) => thrown);
                expect(String(error)).toMatch(says);
                expect(error).not.toBeInstanceOf(UnknownOutcomeError);
                expect(api.requests).toHaveLength(0);
                expect(api.connections).toBe(1);
            }
        },
    );

    test("no environment variable switches it off", async () => {
        const api = await https(onLocalhost);
        process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
        try {
            await expect(client(api.endpoint()).cluster()).rejects.toThrow("not from an authority that is trusted here");
        } finally {
            delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
        }
        expect(api.requests).toHaveLength(0);
    });
});

describe("what answers is no API (F33)", () => {
    test("a plain port asked in TLS", async () => {
        const api = await ScriptedApi.start();
        ends.push(() => api.stop());
        const error: unknown = await client({ ...login, url: `https://127.0.0.1:${api.port}` })
            .addUser({ username: "u", password: "p" })
            .catch((thrown: unknown) => thrown);
        expect(String(error)).toMatch(/what answers speaks no TLS\. Set api\.url to a port that does: .*18084$/);
        expect(error).not.toBeInstanceOf(UnknownOutcomeError);
        expect(api.connections).toBe(1);
    });

    test("a TLS port asked in plain", async () => {
        const api = await https(onLocalhost);
        await expect(client({ ...login, url: `http://127.0.0.1:${api.port}` }).cluster()).rejects.toThrow(
            /closed the connection|speaks no plain HTTP/,
        );
        expect(api.requests).toHaveLength(0);
    });

    test("a port that closes at once is tried again, and nothing was sent", async () => {
        let connections = 0;
        const port = await tcp((socket) => {
            connections++;
            socket.destroy();
        });
        const error: unknown = await client({ ...login, url: `https://127.0.0.1:${port}` })
            .deleteLink("x")
            .catch((thrown: unknown) => thrown);
        expect(String(error)).toMatch(/ECONNRESET it closed the connection during the TLS handshake\. Look whether/);
        expect(error).not.toBeInstanceOf(UnknownOutcomeError);
        expect(connections).toBe(3);
    });

    test("a port that accepts and keeps silent ends at the deadline for the connection", async () => {
        let connections = 0;
        const port = await tcp(() => {
            connections++;
        });
        const silent = client({ ...login, url: `https://127.0.0.1:${port}` }, { connectSeconds: 0.2, attempts: 2 });
        const error: unknown = await silent.deleteLink("x").catch((thrown: unknown) => thrown);
        expect(String(error)).toMatch(/CONNECT_TIMEOUT no connection within 0\.2 s\. Look whether a firewall/);
        expect(error).not.toBeInstanceOf(UnknownOutcomeError);
        expect(connections).toBe(2);
    });
});

describe("over TLS an answer that breaks off (F33)", () => {
    test.each([
        ["before it began", cut, {}],
        ["within", cutBody("{"), {}],
        ["never comes", hang, { requestSeconds: 0.5 }],
    ])("%s leaves a change open and a read failed", async (_, step, options) => {
        const api = await https(onLocalhost);
        api.always(step);
        const asked = client(api.endpoint({ ca: authority.ca }), { attempts: 1, ...options });
        await expect(asked.cluster()).rejects.not.toThrow(UnknownOutcomeError);
        await expect(asked.deleteLink("x")).rejects.toThrow(UnknownOutcomeError);
        expect(api.asked).toEqual(["GET /api/v5/cluster", "DELETE /api/v5/cluster/links/link/x"]);
    });
});
