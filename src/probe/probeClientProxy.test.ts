import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type ProbeBroker, startProbeBroker } from "../../test/support/probeBrokers.js";
import { startProxy, type TestProxy, type TestProxyOptions } from "../../test/support/proxies.js";
import { type TestAuthority, testAuthority } from "../../test/support/testCertificates.js";
import type { MqttEndpoint } from "../emqx/endpoint.js";
import { ProbeConnectError } from "./connectError.js";
import { ProbeClient } from "./probeClient.js";

const host = "mqtt.private.lab.internal";
let authority: TestAuthority;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
    authority = await testAuthority();
});
afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
});

async function door(name = host): Promise<ProbeBroker> {
    const broker = await startProbeBroker({ tls: await authority.link(name) });
    ends.push(() => broker.stop());
    return broker;
}

async function proxied(kind: "socks5" | "http", options: TestProxyOptions = {}): Promise<TestProxy> {
    const proxy = await startProxy(kind, options);
    ends.push(() => proxy.stop());
    return proxy;
}

async function connect(more: Partial<MqttEndpoint>, timeoutSeconds = 5): Promise<ProbeClient> {
    const endpoint = { host, port: 8883, tls: true, ca: authority.ca, username: "u", password: "Pr0be-s3cret", ...more };
    const client = await ProbeClient.connect({ site: "gcp", endpoint, clientId: "linkspan_probe_test", timeoutSeconds });
    ends.push(() => client.close());
    return client;
}

async function failure(more: Partial<MqttEndpoint>, timeoutSeconds?: number): Promise<ProbeConnectError> {
    const error = await connect(more, timeoutSeconds).then(
        () => undefined,
        (thrown: unknown) => thrown,
    );
    if (!(error instanceof ProbeConnectError)) {
        throw new Error(`expected a connect error, got ${String(error)}`);
    }
    expect(error.message).not.toContain("s3cret");
    return error;
}

describe.each(["socks5", "http"] as const)("a client door behind a %s proxy", (kind) => {
    it("is used by its name and with its certificate, and messages go both ways", async () => {
        const broker = await door();
        const proxy = await proxied(kind, { leads: { [`${host}:8883`]: broker.endpoint.port } });
        const client = await connect({ proxy: proxy.url });
        const arrived = new Promise((resolve) => client.listen((payload) => resolve(Buffer.from(payload).toString())));
        await client.subscribe(["t"], 1);
        client.publish("t", Buffer.from("through"), 1, () => {});
        expect(await arrived).toBe("through");
        expect(proxy.asked).toEqual([`name ${host}:8883`]);
        expect(proxy.firstBytes).toEqual([22]);
    });

    it("may be without TLS", async () => {
        const broker = await startProbeBroker();
        ends.push(() => broker.stop());
        const proxy = await proxied(kind, { leads: { [`${host}:1883`]: broker.endpoint.port } });
        await connect({ tls: false, port: 1883, proxy: proxy.url });
        expect(broker.clientIds).toEqual(["linkspan_probe_test"]);
    });

    it("is not trusted with another's certificate", async () => {
        const broker = await door("somebody.else.internal");
        const proxy = await proxied(kind, { leads: { [`${host}:8883`]: broker.endpoint.port } });
        const error = await failure({ proxy: proxy.url });
        expect(error.message).toMatch(
            /ERR_TLS_CERT_ALTNAME_INVALID the broker's certificate is not made for "mqtt\.private\.lab\.internal"/,
        );
        expect(error.failure).toBe("refused");
        expect(broker.clientIds).toEqual([]);
    });

    it("is unreachable, which leaves the proof open, when the proxy refuses, with its answer and without its login", async () => {
        const login = { username: "user", password: "pr0xy-s3cret" };
        const [refusing, asking] = await Promise.all([proxied(kind, { fault: "refuse" }), proxied(kind, { login })]);
        const refused = await failure({ proxy: refusing.url.replace("://", "://user:pr0xy-s3cret@") });
        expect(refused.message).toContain(
            `at mqtts://${host}:8883 by way of the proxy ${refusing.url}: PROXY_REFUSED the proxy answered`,
        );
        expect(refused).toMatchObject({ failure: "unreachable", passing: true });
        const asked = await failure({ proxy: asking.url });
        expect(asked.message).toMatch(/PROXY_AUTH .*asks for a login/);
        expect(asked).toMatchObject({ failure: "unreachable", passing: false });
        const wrong = await failure({ proxy: asking.url.replace("://", "://user:wr0ng-s3cret@") });
        expect(wrong.message).toMatch(/PROXY_AUTH .*refuses the login/);
    });

    it("is given up at the deadline when the proxy keeps silent", async () => {
        const proxy = await proxied(kind, { fault: "silent" });
        const error = await failure({ proxy: proxy.url }, 0.3);
        expect(error.message).toMatch(
            /PROXY_TIMEOUT no connection within 0\.3 s: the proxy has taken the connection and does not answer/,
        );
        await expect.poll(() => proxy.open()).toBe(0);
    });

    it("is given up when the run is", async () => {
        const proxy = await proxied(kind, { fault: "silent" });
        const stop = new AbortController();
        const endpoint = { host, port: 8883, tls: true, proxy: proxy.url };
        const trying = ProbeClient.connect({ site: "gcp", endpoint, clientId: "c", timeoutSeconds: 30, signal: stop.signal });
        await expect.poll(() => proxy.open()).toBe(1);
        stop.abort(new Error("stopped by the test"));
        await expect(trying).rejects.toThrow("stopped by the test");
        await expect.poll(() => proxy.open()).toBe(0);
    });
});

describe("a door that is dialled elsewhere", () => {
    it("is used by the tunnel's end, with the door's own TLS name", async () => {
        const broker = await door();
        await connect({ connect: { host: "127.0.0.1", port: broker.endpoint.port } });
        expect(broker.clientIds).toEqual(["linkspan_probe_test"]);
    });

    it("says by which way it failed", async () => {
        const broker = await door("somebody.else.internal");
        const { port } = broker.endpoint;
        const error = await failure({ connect: { host: "127.0.0.1", port } });
        expect(error.message).toContain(`at mqtts://${host}:8883 by way of 127.0.0.1:${port}: ERR_TLS_CERT_ALTNAME_INVALID`);
    });

    it.each([
        [{ connect: { host: "127.0.0.1", port: 1 }, proxy: "socks5://127.0.0.1:1" }, /^proxy: it stands next to connect/],
        [{ proxy: "ftp://127.0.0.1:1" }, /^proxy: .*scheme "ftp"/],
        [{ connect: { host: "169.254.169.254", port: 80 } }, /^connect\.host: .*link-local/],
    ])("%j is refused", async (more, message) => {
        await expect(connect(more)).rejects.toThrow(message);
    });
});
