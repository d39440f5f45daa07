import { connect as connectTls } from "node:tls";
import mqtt from "mqtt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { device, localBrokers, type TestSite, type TestSites, until } from "../../support/localBroker.js";
import { NumberedTraffic } from "../../support/numberedTraffic.js";

let open: TestSites<"a">;
let a: TestSite;
let events: { event: string; detail: Record<string, unknown> }[] = [];

beforeEach(async () => {
    events = [];
    open = await localBrokers(["a"], {
        plain: true,
        limits: { maxPacketBytes: 200_000, sessionQueueMessages: 50 },
        log: (event, detail = {}) => events.push({ event, detail }),
    });
    a = open.sites.a;
});

afterEach(async () => await open.close());

async function collect(client: mqtt.MqttClient, ...filters: string[]): Promise<string[]> {
    const got: string[] = [];
    client.on("message", (_topic, payload) => got.push(payload.toString()));
    for (const filter of filters) {
        await client.subscribeAsync(filter, { qos: 1 });
    }
    return got;
}

describe("what is refused, is refused aloud", () => {
    test("MQTT 5: reason in the answer, in the log and in a counter", async () => {
        const refused = new Promise<mqtt.ErrorWithReasonCode>((resolve) => {
            const client = mqtt.connect({
                protocol: "mqtts",
                host: "127.0.0.1",
                port: a.ports.mqtts,
                ca: a.authority.ca,
                protocolVersion: 5,
                reconnectPeriod: 0,
                ...device,
            });
            client.on("error", (error) => resolve(error as mqtt.ErrorWithReasonCode));
        });
        expect((await refused).code).toBe(0x84);
        expect(a.broker.engine.counters.refusedMqtt5).toBe(1);
        expect(events).toContainEqual({
            event: "mqtt5_refused",
            detail: expect.objectContaining({ hint: expect.stringContaining("3.1.1") }),
        });
    });

    test("a packet beyond the limit ends its connection; one below passes", async () => {
        const client = await a.connect({ reconnectPeriod: 0 });
        const got = await collect(client, "big");
        await client.publishAsync("big", "x".repeat(150_000), { qos: 1 });
        await until(() => got.length === 1, "150 kB");
        const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
        client.publishAsync("big", "x".repeat(5_000_000), { qos: 1 }).catch(() => {});
        await closed;
        expect(events).toContainEqual({
            event: "client_error",
            detail: expect.objectContaining({ reason: "packet larger than 200000 bytes" }),
        });
    });

    test.each(["$queue/x", "$exclusive/x", "$share/g/$LINK/x", "$share/g/#", "$share/x"])(
        "a subscription to %s",
        async (filter) => {
            const client = await a.connect();
            await expect(client.subscribeAsync(filter)).rejects.toThrow();
            expect(a.broker.engine.counters.deniedSubscribe).toBe(1);
        },
    );

    test("a delayed publish, which would never come", async () => {
        const client = await a.connect();
        await client.publishAsync("$delayed/5/x", "1", { qos: 1 });
        expect(a.broker.engine.counters.deniedPublish).toBe(1);
    });

    test("bytes that are no MQTT, and a client id that poses as a link", async () => {
        const socket = connectTls({ host: "127.0.0.1", port: a.ports.mqtts, ca: a.authority.ca, servername: "localhost" });
        const closed = new Promise((resolve) => socket.on("close", resolve));
        socket.on("error", () => {});
        socket.write("GET / HTTP/1.1\r\n\r\n");
        await closed;
        await expect(a.connect({ clientId: "$LINK/lab-b", reconnectPeriod: 0 })).rejects.toThrow(/Identifier rejected/i);
        expect((await a.api("GET", "/status")).status).toBe(200);
    });

    test("a denied publish with deny_action disconnect closes, with ignore it is acknowledged and goes nowhere", async () => {
        await a.api("POST", "/api/v5/authorization/sources/built_in_database/rules/users", [
            { username: device.username, rules: [{ topic: "no", permission: "deny", action: "publish" }] },
        ]);
        const listener = await a.connect();
        const got = await collect(listener, "no", "yes");
        const client = await a.connect({ reconnectPeriod: 0 });
        await client.publishAsync("no", "1", { qos: 1 });
        await client.publishAsync("yes", "2", { qos: 1 });
        await until(() => got.length > 0, "yes");
        expect(got).toEqual(["2"]);
        await a.api("PUT", "/api/v5/authorization/settings", { deny_action: "disconnect" });
        const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
        client.publishAsync("no", "3", { qos: 1 }).catch(() => {});
        await closed;
    });
});

describe("MQTT as devices know it", () => {
    test("overlapping subscriptions deliver once; a subscription's QoS bounds the delivery", async () => {
        const client = await a.connect();
        const got: number[] = [];
        client.on("message", (_topic, _payload, packet) => got.push(packet.qos));
        await client.subscribeAsync("x/#", { qos: 1 });
        await client.subscribeAsync("x/+", { qos: 0 });
        await client.publishAsync("x/1", "", { qos: 2 });
        await client.publishAsync("y", "", { qos: 1 });
        await new Promise((resolve) => setTimeout(resolve, 100));
        expect(got).toHaveLength(1);
        expect(got[0]).toBeLessThan(2);
    });

    test("a client that takes over an id ends the other, and the session goes on", async () => {
        const first = await a.connect({ clientId: "same", clean: false, reconnectPeriod: 0 });
        const closed = new Promise<void>((resolve) => first.once("close", () => resolve()));
        await first.subscribeAsync("x", { qos: 1 });
        const second = await a.connect({ clientId: "same", clean: false });
        const got = await collect(second);
        await closed;
        await second.publishAsync("x", "1", { qos: 1 });
        await until(() => got.length === 1, "kept subscription");
        expect(a.broker.engine.clients.size).toBe(1);
    });

    test("a will is published when its client dies, not when it leaves", async () => {
        const watcher = await a.connect();
        const got = await collect(watcher, "will/+");
        const will = (name: string) => ({
            will: { topic: `will/${name}`, payload: Buffer.from(name), qos: 1 as const, retain: false },
        });
        const leaves = await a.connect({ ...will("leaves"), reconnectPeriod: 0 });
        const dies = await a.connect({ ...will("dies"), reconnectPeriod: 0 });
        await leaves.endAsync();
        dies.stream.destroy();
        await until(() => got.length > 0, "will");
        await new Promise((resolve) => setTimeout(resolve, 50));
        expect(got).toEqual(["dies"]);
    });

    test("a kept session that comes and goes under traffic gets everything in order", async () => {
        await open.close();
        open = await localBrokers(["a"]);
        a = open.sites.a;
        const traffic = await NumberedTraffic.between(a, a, { topic: "x", count: 3000, rate: 2000 });
        traffic.start();
        for (let times = 0; times < 5; times++) {
            await new Promise((resolve) => setTimeout(resolve, 200));
            traffic.subscriber.stream.destroy();
        }
        expect(await traffic.finish("session comes and goes")).toMatchObject({ lost: 0, outOfOrder: 0 });
    });

    test("a session's queue is bounded and what fell out is counted", async () => {
        const client = await a.connect({ clientId: "away", clean: false, reconnectPeriod: 0 });
        await client.subscribeAsync("x", { qos: 1 });
        await client.endAsync();
        const publisher = await a.connect();
        for (let index = 0; index < 80; index++) {
            await publisher.publishAsync("x", String(index), { qos: 1 });
        }
        expect(a.broker.engine.store.droppedFull).toBe(30);
        const back = await a.connect({ clientId: "away", clean: false, reconnectPeriod: 0 });
        const got = await collect(back);
        await until(() => got.length === 50, "50");
        expect(got[0]).toBe("30");
    });
});

describe("evacuation", () => {
    test("refuses new clients, evicts at the rate, fails the health check, and ends", async () => {
        const clients = await Promise.all(Array.from({ length: 4 }, () => a.connect({ reconnectPeriod: 0 })));
        const root = "/api/v5/load_rebalance";
        const start = `${root}/${encodeURIComponent(a.config.nodeName)}/evacuation/start`;
        expect((await a.api("POST", start, { wait_health_check: "50ms", conn_evict_rate: 2, wait_takeover: "1s" })).status).toBe(
            200,
        );
        expect((await a.api("GET", `${root}/availability_check`, undefined, "")).status).toBe(503);
        await expect(a.connect({ reconnectPeriod: 0 })).rejects.toThrow(/Server unavailable/i);
        await until(async () => (await a.api("GET", `${root}/status`)).body.stats?.current_connected === 2, "two gone");
        expect((await a.api("GET", `${root}/status`)).body).toMatchObject({
            status: "enabled",
            process: "evacuation",
            state: "evicting_conns",
            connection_eviction_rate: 2,
            stats: { initial_connected: 4 },
        });
        await until(() => clients.every((client) => !client.connected), "all gone");
        expect((await a.api("POST", start.replace("start", "stop"))).status).toBe(200);
        await a.connect({ reconnectPeriod: 0 });
        expect((await a.api("GET", `${root}/availability_check`)).status).toBe(200);
        expect((await a.api("POST", start, { conn_evict_rate: 0 })).status).toBe(400);
    });
});
