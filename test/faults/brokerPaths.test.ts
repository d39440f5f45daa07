import { afterEach, describe, expect, test } from "vitest";
import { linkAll, localBrokers, type TestSite, type TestSites, until } from "../support/localBroker.js";
import { bothWays, NumberedTraffic } from "../support/numberedTraffic.js";
import { Relay } from "../support/relay.js";

let open: TestSites<string> | undefined;
const relays: Relay[] = [];
let events: { event: string; detail: Record<string, unknown> }[] = [];

async function pair(options: Parameters<typeof localBrokers>[1] = {}) {
    const made = await localBrokers(["a", "b"], {
        ...options,
        log: (event, detail = {}) => events.push({ event, detail }),
    });
    open = made;
    return made.sites;
}

/** Leads a site's link to its peer through a relay. */
async function relayed(site: TestSite, peer: TestSite): Promise<Relay> {
    const relay = await Relay.open(peer.ports.links);
    relays.push(relay);
    site.nameTo(peer, relay.port);
    return relay;
}

const _logged = (event: string, reason: string | RegExp) =>
    events.some(
        (entry) =>
            entry.event === event &&
            (typeof reason === "string" ? entry.detail.reason === reason : reason.test(String(entry.detail.reason))),
    );

afterEach(async () => {
    await open?.close();
    await Promise.all(relays.splice(0).map((relay) => relay.close()));
    open = undefined;
    events = [];
});

/** The links are to be back within 2 s of a repair; the output says how long it took. */
const onABusyMachine = 5000;
const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1000));

describe("cut paths", () => {
    test.each(["reset", "silence"] as const)(
        "F5: a cut of 2 s by %s loses nothing and is over within 2 s of the repair",
        async (mode) => {
            const { a, b } = await pair();
            const there = await relayed(a, b);
            const back = await relayed(b, a);
            await linkAll([a, b], ["x/#"]);
            const counts = await bothWays(`F5 ${mode} 2 s`, a, b, { topic: "x/f5", count: 1500, rate: 300 }, async () => {
                await seconds(1);
                there.mode = mode;
                back.mode = mode;
                await seconds(2);
                there.mode = "open";
                back.mode = "open";
                await until(
                    async () => (await a.linkStatus(b)) === "connected" && (await b.linkStatus(a)) === "connected",
                    "repair",
                    onABusyMachine,
                );
            });
            for (const one of counts) {
                expect(one).toMatchObject({ sent: 1500, lost: 0, duplicated: 0, outOfOrder: 0 });
                expect(one.longestGapMs).toBeGreaterThan(mode === "reset" ? 1500 : 500);
            }
        },
    );

    test("F6: a cut longer than the routes' life loses messages, and the counts say how many", async () => {
        const { a, b } = await pair({ limits: { routeLifeMs: 1000 } });
        const there = await relayed(a, b);
        const back = await relayed(b, a);
        await linkAll([a, b], ["x/#"]);
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/f6", count: 800, rate: 200, drainMs: 2000 });
        traffic.start();
        there.mode = "reset";
        back.mode = "reset";
        await until(async () => (await a.linkMetrics(b)).router.routes === 0, "routes expire", 5000);
        const matched = (await a.linkMetrics(b)).forwarding.matched;
        await seconds(0.5);
        expect((await a.linkMetrics(b)).forwarding.matched).toBe(matched);
        there.mode = "open";
        back.mode = "open";
        const counts = await traffic.finish("F6 cut beyond the routes' life");
        expect(counts.lost).toBeGreaterThan(50);
        const after = (await a.linkMetrics(b)).forwarding;
        expect(counts.lost).toBe(counts.sent - after.matched);
        expect(events).toContainEqual({ event: "cluster_link_routes_expired", detail: { peer: "lab-b" } });
    });

    test("F8: a full buffer drops the oldest, counts them, and exactly those are missing", async () => {
        const { a, b } = await pair();
        const there = await relayed(a, b);
        await linkAll([a, b], ["x/#"], { resource_opts: { health_check_interval: "1s", max_buffer_bytes: "20KB" } });
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/f8", count: 1000, rate: 0, drainMs: 3000 });
        there.mode = "reset";
        await until(async () => (await a.linkStatus(b)) !== "connected", "down");
        traffic.start();
        await until(async () => (await a.linkMetrics(b)).forwarding.matched === 1000, "all queued or dropped");
        there.mode = "open";
        const counts = await traffic.finish("F8 20 KB buffer");
        const { dropped, success } = (await a.linkMetrics(b)).forwarding;
        expect(dropped).toBeGreaterThan(500);
        expect(counts.lost).toBe(dropped);
        expect(success).toBe(counts.delivered);
    });

    test("messages older than request_ttl are dropped and counted", async () => {
        const { a, b } = await pair();
        const there = await relayed(a, b);
        await linkAll([a, b], ["x/#"], { resource_opts: { health_check_interval: "1s", request_ttl: "1s" } });
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/ttl", count: 20, rate: 0, drainMs: 500 });
        there.mode = "reset";
        await until(async () => (await a.linkStatus(b)) !== "connected", "down");
        traffic.start();
        await until(async () => (await a.linkMetrics(b)).forwarding.dropped === 20, "all dropped", 5000);
        expect((await a.linkMetrics(b)).forwarding.queuing).toBe(0);
        there.mode = "open";
        expect(await traffic.finish("request_ttl 1 s")).toMatchObject({ lost: 20 });
    });

    test.each(["forward-only", "back-only", "silence"] as const)(
        "F9: a path that is %s is seen within three health checks and heals",
        async (mode) => {
            const { a, b } = await pair();
            const there = await relayed(a, b);
            await linkAll([a, b], ["x/#"]);
            const traffic = await NumberedTraffic.between(a, b, { topic: "x/f9", count: 1000, rate: 200 });
            traffic.start();
            there.mode = mode;
            const cutAt = performance.now();
            await until(async () => (await a.linkStatus(b)) !== "connected", "seen", 4000);
            process.stdout.write(`F9 ${mode}: seen after ${Math.round(performance.now() - cutAt)} ms\n`);
            there.mode = "open";
            expect(await traffic.finish(`F9 ${mode}`)).toMatchObject({ lost: 0, outOfOrder: 0 });
        },
    );

    test("F16: a link door that is closed and opened again", async () => {
        const { a, b } = await pair();
        await linkAll([a, b], ["x/#"]);
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/f16", count: 600, rate: 200 });
        traffic.start();
        expect((await b.api("POST", "/api/v5/listeners/ssl:links/stop")).status).toBe(200);
        await until(async () => (await a.linkStatus(b)) === "disconnected", "refused");
        await seconds(1);
        expect((await a.api("GET", "/api/v5/alarms")).body.data[0]).toMatchObject({
            name: "emqx_cluster_link_mqtt:msg:lab-b",
            message: "resource down: Connection refused",
        });
        expect((await b.api("POST", "/api/v5/listeners/ssl:links/start")).status).toBe(200);
        await until(async () => (await a.linkStatus(b)) === "connected", "back", onABusyMachine);
        expect(await traffic.finish("F16")).toMatchObject({ lost: 0, duplicated: 0, outOfOrder: 0 });
        expect((await a.api("GET", "/api/v5/alarms")).body.data).toEqual([]);
        expect((await a.api("GET", "/api/v5/alarms?activated=false")).body.data).not.toEqual([]);
    });
});

test("F46: a kept session that is away on the far side, over a cut, gets everything on its return", async () => {
    const { a, b } = await pair();
    const there = await relayed(a, b);
    await linkAll([a, b], ["x/#"]);
    const traffic = await NumberedTraffic.between(a, b, { topic: "x/f46", count: 1000, rate: 500 });
    const { options } = traffic.subscriber;
    await traffic.subscriber.endAsync();
    await until(
        async () =>
            (await b.api("GET", "/api/v5/clients")).body.data.every(
                (client: { clientid: string }) => !client.clientid.startsWith("counter"),
            ),
        "away",
    );
    traffic.start();
    there.mode = "reset";
    await seconds(1);
    there.mode = "open";
    await until(async () => (await a.linkMetrics(b)).forwarding.success === 1000, "all handed over");
    traffic.subscriber.reconnect();
    expect(options.clean).toBe(false);
    expect(await traffic.finish("F46 session away")).toMatchObject({ lost: 0, duplicated: 0, outOfOrder: 0 });
});
