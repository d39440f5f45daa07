import * as net from "node:net";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { listen, type ProbeBroker, type ProbeBrokerOptions, startProbeBroker } from "../../test/support/probeBrokers.js";
import { type TestAuthority, testAuthority } from "../../test/support/testCertificates.js";
import type { MqttEndpoint } from "../emqx/endpoint.js";
import { ProbeConnectError } from "./connectError.js";
import { ProbeClient } from "./probeClient.js";

const password = "Pr0be-passw0rd";
let authority: TestAuthority;
let stranger: TestAuthority;
const open: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
    [authority, stranger] = await Promise.all([testAuthority(), testAuthority("Another authority")]);
});
afterEach(async () => {
    await Promise.all(open.splice(0).map((end) => end()));
});

async function broker(options: ProbeBrokerOptions = {}): Promise<ProbeBroker> {
    const made = await startProbeBroker(options);
    open.push(() => made.stop());
    return made;
}

/** A server that is not an MQTT broker. */
async function server(take: (socket: net.Socket) => void): Promise<number> {
    const sockets = new Set<net.Socket>();
    const made = net.createServer((socket) => {
        sockets.add(socket);
        socket.on("error", () => {});
        take(socket);
    });
    open.push(async () => {
        for (const socket of sockets) {
            socket.destroy();
        }
        await new Promise((resolve) => made.close(resolve));
    });
    return await listen(made);
}

async function connect(endpoint: MqttEndpoint, timeoutSeconds = 5): Promise<ProbeClient> {
    const client = await ProbeClient.connect({ site: "gcp", endpoint, clientId: "linkspan_probe_test", timeoutSeconds });
    open.push(() => client.close());
    return client;
}

async function failure(endpoint: MqttEndpoint, timeoutSeconds?: number): Promise<ProbeConnectError> {
    const error = await connect(endpoint, timeoutSeconds).then(
        () => undefined,
        (thrown: unknown) => thrown,
    );
    if (!(error instanceof ProbeConnectError)) {
        throw new Error(`expected a connect error, got ${String(error)}`);
    }
    expect(error.message).not.toContain(password);
    return error;
}

describe("the probe's connection", () => {
    it("stands over TLS with an own authority, by address and by name", async () => {
        const site = await broker({ tls: await authority.server() });
        await connect({ ...site.endpoint, ca: authority.ca });
        await connect({ ...site.endpoint, ca: authority.ca, serverName: "localhost" });
        await expect.poll(() => site.clientIds.length).toBe(2);
    });

    it("presents a client certificate where the listener asks for one", async () => {
        const site = await broker({ tls: { ...(await authority.server()), ca: authority.ca, mutual: true } });
        await connect({ ...site.endpoint, ca: authority.ca, ...(await authority.link("probe")) });
    });

    it.each([
        ["an authority that is not trusted", {}, async () => ({ ca: stranger.ca }), /not signed by an authority/],
        ["no authority at all", {}, async () => ({}), /not signed by an authority/],
        ["another name", {}, async () => ({ ca: authority.ca, serverName: "other.example" }), /not made for "other\.example"/],
        ["an expired certificate", { daysAgo: 10 }, async () => ({ ca: authority.ca, serverName: "gcp.example" }), /has expired/],
        [
            "a certificate of the future",
            { daysAgo: -10 },
            async () => ({ ca: authority.ca, serverName: "gcp.example" }),
            /not valid yet/,
        ],
    ] as const)("fails on %s, by name, and never falls back", async (_name, { daysAgo }: { daysAgo?: number }, more, message) => {
        const own = daysAgo === undefined ? await authority.server() : await authority.link("gcp.example", daysAgo);
        const site = await broker({ tls: own });
        const error = await failure({ ...site.endpoint, ...(await more()), username: "probe", password });
        expect(error.message).toMatch(message);
        expect(error.failure).toBe("refused");
        expect(error.passing).toBe(false);
        expect(site.clientIds).toEqual([]);
    });

    it("says that a client certificate is missing, or not accepted", async () => {
        const site = await broker({ tls: { ...(await authority.server()), ca: authority.ca, mutual: true } });
        expect((await failure({ ...site.endpoint, ca: authority.ca })).message).toMatch(/asks for a client certificate/);
        const other = await stranger.link("probe");
        const { message } = await failure({ ...site.endpoint, ca: authority.ca, ...other });
        expect(message).toMatch(/does not accept the probe's client certificate|does not trust the probe's client certificate/);
    });

    it("tells TLS on a plain port and plain on a TLS port", async () => {
        const plain = await broker();
        expect((await failure({ ...plain.endpoint, tls: true }, 2)).message).toMatch(
            /does not speak TLS|closed before|nothing answered the TLS/,
        );
        const secure = await broker({ tls: await authority.server() });
        expect((await failure({ ...secure.endpoint, tls: false }, 2)).message).toMatch(
            /closed before the broker answered|no MQTT answer/,
        );
    });

    it.each([
        [2, /refuses the client id/],
        [3, /takes no connections now/],
        [4, /password of user "probe" is wrong/],
        [5, /user "probe" is not authorized/],
    ])("explains a CONNACK with %i", async (returnCode, message) => {
        const site = await broker({
            authenticate: (_client, _username, _password, done) => done(Object.assign(new Error("no"), { returnCode }), null),
        });
        const error = await failure({ ...site.endpoint, username: "probe", password });
        expect(error.message).toMatch(message);
        expect(error.failure).toBe("refused");
    });

    it("tells a broker that takes MQTT 5 only, and a server that speaks something else", async () => {
        const mqtt5 = await server((socket) => socket.write(Buffer.from([0x20, 2, 0, 1])));
        expect((await failure({ host: "127.0.0.1", port: mqtt5, tls: false })).message).toMatch(/does not speak MQTT 3\.1\.1/);
        const web = await server((socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
        const error = await failure({ host: "127.0.0.1", port: web, tls: false }, 2);
        expect(error.message).toMatch(/does not speak MQTT/);
        expect(error.failure).toBe("refused");
    });

    it("tells a port where nothing listens", async () => {
        const gone = await startProbeBroker();
        await gone.stop();
        const error = await failure(gone.endpoint);
        expect(error.message).toMatch(/ECONNREFUSED nothing listens there/);
        expect(error.failure).toBe("unreachable");
    });

    it("tells a name that does not exist", async () => {
        const error = await failure({ host: "nothing.invalid", port: 1883, tls: false });
        expect(error.message).toMatch(/does not exist|name server did not answer/);
        expect(error.failure).toBe("unreachable");
    });

    it("tells a port that is open and silent, and one that closes", async () => {
        const silent = await server(() => {});
        expect((await failure({ host: "127.0.0.1", port: silent, tls: false }, 0.3)).message).toMatch(
            /port is open, but no MQTT answer/,
        );
        expect((await failure({ host: "127.0.0.1", port: silent, tls: true }, 0.3)).message).toMatch(
            /nothing answered the TLS handshake/,
        );
        const closing = await server((socket) => socket.destroy());
        expect((await failure({ host: "127.0.0.1", port: closing, tls: false })).message).toMatch(
            /closed before the broker answered/,
        );
    });

    it("names the topics that it may not subscribe to", async () => {
        const site = await broker({
            authorizeSubscribe: (_client, subscription, done) => done(null, subscription.topic === "no" ? null : subscription),
        });
        const client = await connect(site.endpoint);
        await expect(client.subscribe(["yes", "no"], 1)).rejects.toThrow(
            /cannot subscribe the delivery probe to "no" at site "gcp" \(127\.0\.0\.1:\d+\): .*Allow the probe's user/,
        );
    });

    it("is told when the broker drops it, and keeps quiet after its own goodbye", async () => {
        const site = await broker();
        const dropped = await connect(site.endpoint);
        await site.stop();
        open.splice(0, 1);
        await expect(dropped.broken).rejects.toThrow(/own connection/);
        const other = await broker();
        const client = await connect(other.endpoint);
        let told = false;
        client.broken.catch(() => {
            told = true;
        });
        await client.close();
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(told).toBe(false);
        expect(other.aedes.connectedClients).toBe(0);
    });

    it("stops waiting when aborted", async () => {
        const silent = await server(() => {});
        const abort = new AbortController();
        const running = ProbeClient.connect({
            site: "gcp",
            endpoint: { host: "127.0.0.1", port: silent, tls: false },
            clientId: "x",
            timeoutSeconds: 60,
            signal: abort.signal,
        });
        setTimeout(() => abort.abort(new Error("enough")), 50);
        await expect(running).rejects.toThrow("enough");
    });
});
