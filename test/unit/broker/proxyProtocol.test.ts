import { connect } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SocksServer } from "../../cloudsim/internet.mts";
import { localBrokers, type TestSite, type TestSites, until } from "../../support/localBroker.js";

let open: TestSites<"a" | "b">;
let a: TestSite;
let b: TestSite;
let gateway: SocksServer;
let header: string | undefined;

beforeEach(async () => {
    header = "PROXY TCP4 10.1.0.4 10.2.0.250 40000 8884\r\n";
    gateway = new SocksServer(() => ({ port: b.ports.links, ...(header === undefined ? {} : { header }) }));
    await gateway.start();
    open = await localBrokers(["a", "b"]);
    ({ a, b } = open.sites);
    await Promise.all([a.stop(), b.stop()]);
    a.config = { ...a.config, gateway: { host: "127.0.0.1", port: gateway.port } };
    b.config = { ...b.config, proxyProtocol: true };
    await Promise.all([a.start(), b.start()]);
});

afterEach(async () => {
    await open.close();
    await gateway.stop();
});

const addresses = async () => {
    const { body } = await b.api("GET", "/api/v5/clients");
    return new Set((body.data as { ip_address: string; port: number }[]).map(({ ip_address, port }) => `${ip_address}:${port}`));
};

test("a link's connections are seen to come from where their first line says", async () => {
    await b.link(a, ["t/#"]);
    await a.link(b, ["t/#"]);
    await until(async () => (await a.linkStatus(b)) === "connected", "the link");
    expect(await addresses()).toEqual(new Set(["10.1.0.4:40000"]));
});

test("a connection that says nothing of the kind is ended, and so is one that says nonsense", async () => {
    header = undefined;
    await b.link(a, ["t/#"]);
    await a.link(b, ["t/#"]);
    await until(async () => JSON.stringify((await a.api("GET", "/api/v5/alarms")).body).includes("resource down"), "the alarm");
    expect(await addresses()).toEqual(new Set());
    for (const line of [
        "PROXY TCP4 somewhere 10.2.0.250 1 2\r\n",
        "PROXY TCP4 10.1.0.4 10.2.0.250 70000 1\r\n",
        "x".repeat(200),
    ]) {
        const socket = connect(b.ports.links, "127.0.0.1");
        socket.write(line);
        socket.on("error", () => {});
        await new Promise((done) => socket.once("close", done));
    }
});

test("the line may come in pieces, together with what follows it", async () => {
    const raw = connect(b.ports.links, "127.0.0.1");
    raw.setNoDelay(true);
    raw.write("PROXY TCP4 10.9.0.4 10.2");
    await new Promise((done) => setTimeout(done, 20));
    raw.write(".0.250 40000 8884\r\n");
    const socket: TLSSocket = connectTls({
        socket: raw,
        servername: b.linkHost,
        ca: b.authority.ca,
        cert: b.linkCertificate.cert,
        key: b.linkCertificate.key,
    });
    await new Promise<void>((done, fail) => socket.once("secureConnect", done).once("error", fail));
    expect(socket.authorized).toBe(true);
    socket.destroy();
});

test("doors for devices take connections as they are", async () => {
    const client = await b.connect();
    expect([...(await addresses())][0]).toMatch(/^127\.0\.0\.1:/);
    await client.endAsync();
});
