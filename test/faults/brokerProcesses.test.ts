import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { startTimeOf } from "../../src/local/broker/processIdentity.js";
import { linkAll, localBrokers, type TestSite, type TestSites, until } from "../support/localBroker.js";
import { bothWays, NumberedTraffic } from "../support/numberedTraffic.js";
import { Relay } from "../support/relay.js";

let open: TestSites<string> | undefined;
const relays: Relay[] = [];

async function pair(options: Parameters<typeof localBrokers>[1] = {}) {
    const made = await localBrokers(["a", "b"], { process: true, ...options });
    open = made;
    await linkAll([made.sites.a, made.sites.b], ["x/#"]);
    return made.sites;
}

async function relayed(site: TestSite, peer: TestSite): Promise<Relay> {
    const relay = await Relay.open(peer.ports.links);
    relays.push(relay);
    site.nameTo(peer, relay.port);
    return relay;
}

/** Two linked brokers with a relay in each direction. */
async function pathBetween(): Promise<{ a: TestSite; b: TestSite; cut: readonly Relay[] }> {
    const made = await localBrokers(["a", "b"], { process: true });
    open = made;
    const { a, b } = made.sites;
    const cut = [await relayed(a, b), await relayed(b, a)];
    await linkAll([a, b], ["x/#"]);
    // Two connections of the pool and the one for routes, all through the relay.
    expect(cut.map((relay) => relay.connections)).toEqual([3, 3]);
    return { a, b, cut };
}

async function reconnected(a: TestSite, b: TestSite): Promise<void> {
    await until(async () => (await a.linkStatus(b)) === "connected" && (await b.linkStatus(a)) === "connected", "links are back");
}

afterEach(async () => {
    await open?.close();
    await Promise.all(relays.splice(0).map((relay) => relay.close()));
    open = undefined;
});

/** The links are to be back within 2 s of a repair; the output says how long it took. */
const onABusyMachine = 5000;
const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1000));

describe("brokers that die, restart or freeze", () => {
    test("F12: the receiving broker is killed and comes back: nothing is lost", async () => {
        const { a, b } = await pair();
        const counts = await bothWays("F12 kill -9 of b", a, b, { topic: "x/f12", count: 1500, rate: 300 }, async () => {
            await seconds(1);
            await b.kill();
            await seconds(1);
            await b.start();
            await reconnected(a, b);
        });
        expect(counts[0]).toMatchObject({ sent: 1500, lost: 0, outOfOrder: 0 });
        // b's own publisher may have had an acknowledgement for what died with the process.
        expect(counts[1]).toMatchObject({ sent: 1500, lost: 0 });
    });

    test("F15: both brokers restart one after the other: nothing is lost", async () => {
        const { a, b } = await pair();
        const counts = await bothWays("F15 rolling restart", a, b, { topic: "x/f15", count: 3000, rate: 400 }, async () => {
            for (const site of [a, b]) {
                await seconds(1);
                await site.stop();
                await seconds(0.5);
                await site.start();
                await reconnected(a, b);
            }
        });
        for (const one of counts) {
            expect(one).toMatchObject({ sent: 3000, lost: 0, outOfOrder: 0 });
        }
    });

    test("F13: the sending broker is killed with a full queue: what was unsent is lost, and the counts show it", async () => {
        const { a, b, cut } = await pathBetween();
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/f13", count: 500, rate: 0, drainMs: 4000 });
        for (const relay of cut) {
            relay.mode = "reset";
        }
        await until(async () => (await a.linkStatus(b)) !== "connected", "down");
        traffic.start();
        await until(async () => (await a.linkMetrics(b)).forwarding.queuing === 500, "500 wait");
        await a.kill();
        for (const relay of cut) {
            relay.mode = "open";
        }
        await a.start();
        await reconnected(a, b);
        expect(await traffic.finish("F13 kill -9 of a with 500 waiting")).toMatchObject({
            acknowledged: 500,
            lost: 500,
            delivered: 0,
        });
    });

    test("an orderly stop hands over what waits before the process ends", async () => {
        const { a, b } = await pair();
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/stop", count: 5000, rate: 0 });
        traffic.start();
        await until(() => traffic.sent === 5000 && traffic.delivered > 0, "under way");
        await a.stop();
        await a.start();
        expect(await traffic.finish("orderly stop of a")).toMatchObject({ lost: 0 });
    });

    test("F14: a frozen peer is not called connected, and gets everything afterwards", async () => {
        const { a, b } = await pair();
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/f14", count: 5000, rate: 200, drainMs: 20_000 });
        traffic.start();
        await seconds(1);
        b.freeze("SIGSTOP");
        const frozenAt = performance.now();
        await until(async () => (await a.linkStatus(b)) !== "connected", "seen", 4000);
        const seen = Math.round(performance.now() - frozenAt);
        while (performance.now() - frozenAt < 20_000) {
            expect(await a.linkStatus(b)).not.toBe("connected");
            await seconds(0.5);
        }
        b.freeze("SIGCONT");
        await until(async () => (await a.linkStatus(b)) === "connected", "back", 3000);
        process.stdout.write(`F14: seen after ${seen} ms\n`);
        expect(await traffic.finish("F14 SIGSTOP 20 s")).toMatchObject({ lost: 0, duplicated: 0, outOfOrder: 0 });
    });

    test.each([
        ["reset", 5],
        ["silence", 5],
        ["reset", 20],
        ["silence", 20],
    ] as const)("F5: a cut by %s of %i s loses nothing and is over within 2 s of the repair", async (mode, length) => {
        const { a, b, cut } = await pathBetween();
        const counts = await bothWays(
            `F5 ${mode} ${length} s`,
            a,
            b,
            { topic: "x/f5", count: (length + 5) * 200, rate: 200 },
            async () => {
                await seconds(1);
                for (const relay of cut) {
                    relay.mode = mode;
                }
                await seconds(length);
                for (const relay of cut) {
                    relay.mode = "open";
                }
                const repaired = performance.now();
                await until(
                    async () => (await a.linkStatus(b)) === "connected" && (await b.linkStatus(a)) === "connected",
                    "back",
                    onABusyMachine,
                );
                process.stdout.write(`F5 ${mode} ${length} s: back after ${Math.round(performance.now() - repaired)} ms\n`);
            },
        );
        for (const one of counts) {
            expect(one).toMatchObject({ lost: 0, duplicated: 0, outOfOrder: 0 });
            expect(one.longestGapMs).toBeGreaterThan(length * 900);
        }
    });

    test("F7: a cut of 25 s at 200/s loses nothing", async () => {
        const { a, b, cut } = await pathBetween();
        const counts = await bothWays("F7 25 s", a, b, { topic: "x/f7", count: 6000, rate: 200 }, async () => {
            await seconds(1);
            for (const relay of cut) {
                relay.mode = "silence";
            }
            await seconds(25);
            for (const relay of cut) {
                relay.mode = "open";
            }
        });
        for (const one of counts) {
            expect(one).toMatchObject({ sent: 6000, lost: 0, duplicated: 0, outOfOrder: 0 });
            expect(one.longestGapMs).toBeGreaterThan(24_000);
        }
    });

    test("F6: a cut of 40 s, beyond the routes' 30 s, loses messages and says so", async () => {
        const { a, b, cut } = await pathBetween();
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/f6", count: 45 * 50, rate: 50, drainMs: 3000 });
        traffic.start();
        for (const relay of cut) {
            relay.mode = "reset";
        }
        await seconds(40);
        for (const relay of cut) {
            relay.mode = "open";
        }
        const counts = await traffic.finish("F6 40 s");
        const { matched, success } = (await a.linkMetrics(b)).forwarding;
        expect(counts.lost).toBeGreaterThan(300);
        expect(counts.lost).toBe(counts.sent - matched);
        expect(counts.delivered).toBe(success);
    });
});

describe("the process", () => {
    test("says where it listens, keeps its files private, and ends in order", async () => {
        const { a } = await pair();
        const ready = JSON.parse(readFileSync(join(a.stateDir, "ready.json"), "utf8"));
        expect(ready).toEqual({ pid: a.pid, startTime: startTimeOf(a.pid), ports: a.ports });
        for (const file of ["config.json", "ready.json", "broker.log", "data/links.json"]) {
            expect(statSync(join(a.stateDir, file)).mode & 0o077, file).toBe(0);
        }
        const { pid } = a;
        await a.stop();
        expect(startTimeOf(pid)).toBeUndefined();
        expect(a.logText()).toContain('"event":"stopped"');
        expect(a.logText()).not.toMatch(/PRIVATE KEY|link-password|lab-secret|device-password/);
    });

    test("reports why it could not start", async () => {
        const { a, b } = await pair();
        await b.stop();
        b.config = { ...b.config, ports: { ...b.config.ports, api: a.ports.api } };
        await expect(b.start()).rejects.toThrow(/cannot open the listener api at 127\.0\.0\.1:\d+: EADDRINUSE/);
    });

    test("ends within 2 s when the process of its lease is gone", async () => {
        const made = await localBrokers(["a"], { process: true });
        open = made;
        const { a } = made.sites;
        await a.stop();
        a.config = { ...a.config, lease: { pid: process.pid, startTime: "0" } };
        await a.start();
        const began = performance.now();
        await a.ended();
        process.stdout.write(`lease: ended after ${Math.round(performance.now() - began)} ms\n`);
        expect(a.logText()).toContain("the process of the lease is gone");
    });

    test("kept sessions, retained messages, users and links survive kill -9", async () => {
        const { a, b } = await pair();
        const client = await a.connect({ clientId: "keeps", clean: false, reconnectPeriod: 0 });
        await client.subscribeAsync("x/#", { qos: 1 });
        await client.endAsync();
        const publisher = await a.connect();
        await publisher.publishAsync("x/away", "waits", { qos: 1 });
        await publisher.publishAsync("x/kept", "retained", { qos: 1, retain: true });
        await a.api("POST", "/api/v5/authentication/password_based:built_in_database/users", { user_id: "new", password: "p" });
        await publisher.endAsync(true);
        await a.kill();
        await a.start();
        const got: string[] = [];
        const back = await a.connect({ clientId: "keeps", clean: false, username: "new", password: "p" });
        back.on("message", (_topic, payload) => got.push(payload.toString()));
        await until(() => got.length >= 2, "both messages");
        expect(got).toEqual(["waits", "retained"]);
        expect((await a.api("GET", "/api/v5/mqtt/retainer/messages")).body.data).toHaveLength(1);
        await reconnected(a, b);
        expect(existsSync(join(a.stateDir, "data", "links.json"))).toBe(true);
    });
});
