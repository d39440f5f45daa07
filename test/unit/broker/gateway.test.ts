import { afterEach, beforeEach, expect, test } from "vitest";
import { SocksServer, type Way } from "../../cloudsim/internet.mts";
import { localBrokers, type TestSite, type TestSites, until } from "../../support/localBroker.js";

let open: TestSites<"a" | "b">;
let a: TestSite;
let b: TestSite;
let gateway: SocksServer;
let asked: string[] = [];
let way: Way;

beforeEach(async () => {
    asked = [];
    way = () => ({ port: b.ports.links });
    gateway = new SocksServer((host, port) => {
        asked.push(`${host}:${port}`);
        return way(host, port);
    });
    await gateway.start();
    open = await localBrokers(["a", "b"]);
    ({ a, b } = open.sites);
    await a.stop();
    a.config = { ...a.config, gateway: { host: "127.0.0.1", port: gateway.port } };
    await a.start();
});

afterEach(async () => {
    await open.close();
    await gateway.stop();
});

const alarm = async () => {
    const { body } = await a.api("GET", "/api/v5/alarms");
    return (body.data as { message: string }[]).map(({ message }) => message).join();
};

test("links leave through the gateway, which gets the name as it is", async () => {
    await b.link(a, ["t/#"]);
    await a.link(b, ["t/#"]);
    await until(async () => (await a.linkStatus(b)) === "connected", "the link through the gateway");
    expect(new Set(asked)).toEqual(new Set(["b.link.lab.internal:8884"]));
    const got: string[] = [];
    const reader = await b.connect();
    reader.on("message", (_topic, payload) => got.push(payload.toString()));
    await reader.subscribeAsync("t/1", { qos: 1 });
    const writer = await a.connect();
    await until(async () => {
        await writer.publishAsync("t/1", "hello", { qos: 1 });
        return got.length > 0;
    }, "a message through the gateway");
    expect(got[0]).toBe("hello");
});

test.each([
    ["a name that nobody knows", { unknown: "no such name" }, "nxdomain"],
    ["a filter that drops", { dropped: "no rule" }, "timeout"],
    ["a port that nobody serves", { refused: "no listener" }, "Connection refused"],
    ["a port behind which nothing listens", { port: 1 }, "Connection refused"],
] as const)("%s", async (_what, reached, reason) => {
    way = () => reached;
    await a.link(b, ["t/#"]);
    await until(async () => (await alarm()) === `resource down: ${reason}`, `the alarm with ${reason}`);
    expect(await a.linkStatus(b)).not.toBe("connected");
});

test("a connector is tried out through the gateway too", async () => {
    const probe = (server: string) =>
        a.api("POST", "/api/v5/connectors_probe", { type: "mqtt", name: "probe", server, ssl: { enable: false } });
    way = () => ({ port: 1 });
    expect((await probe("198.51.100.7:8884")).body).toMatchObject({ code: "TEST_FAILED", message: "Connection refused" });
    way = () => ({ dropped: "no rule" });
    expect((await probe("198.51.100.7:8884")).body).toMatchObject({ code: "TEST_FAILED", message: "timeout" });
    expect(new Set(asked)).toEqual(new Set(["198.51.100.7:8884"]));
});

test("without the gateway nothing leaves", async () => {
    await gateway.stop();
    await a.link(b, ["t/#"]);
    await until(async () => (await alarm()).startsWith("resource down: "), "the alarm");
    expect(await a.linkStatus(b)).not.toBe("connected");
    gateway = new SocksServer(() => ({ port: 1 }));
    await gateway.start();
});
