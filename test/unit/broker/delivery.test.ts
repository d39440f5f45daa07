import { afterEach, describe, expect, test } from "vitest";
import { reportFault } from "../../support/faultReport.js";
import { linkAll, localBrokers, type TestSites, until } from "../../support/localBroker.js";
import { bothWays, NumberedTraffic } from "../../support/numberedTraffic.js";

let open: TestSites<string> | undefined;

async function sites<Name extends string>(names: readonly Name[], ...more: [Parameters<typeof localBrokers>[1]?]) {
    const made = await localBrokers(names, ...more);
    open = made;
    return made.sites;
}

afterEach(async () => {
    await open?.close();
    open = undefined;
});

describe("delivery over links without a fault", () => {
    test("F1: 10,000 messages each way arrive once and in order", async () => {
        const { a, b } = await sites(["a", "b"]);
        await linkAll([a, b], ["x/#"]);
        const [there, back] = await bothWays("F1", a, b, { topic: "x/f1", count: 10_000, rate: 0 });
        for (const counts of [there, back]) {
            expect(counts).toMatchObject({ sent: 10_000, acknowledged: 10_000, lost: 0, duplicated: 0, outOfOrder: 0 });
        }
    });

    test.each([0, 1, 2] as const)("F2: QoS %i arrives with the QoS it was published with", async (qos) => {
        const { a, b } = await sites(["a", "b"]);
        await linkAll([a, b], ["x/#"]);
        const [there, back] = await bothWays(`F2 QoS ${qos}`, a, b, { topic: "x/f2", count: 500, rate: 0, qos });
        for (const counts of [there, back]) {
            expect(counts).toMatchObject({ lost: 0, duplicated: 0, outOfOrder: 0, qos: { [qos]: 500 } });
        }
    });

    test("F2: QoS 0 and 1 of one publisher stay in order together", async () => {
        const { a, b } = await sites(["a", "b"]);
        await linkAll([a, b], ["x/#"]);
        const subscriber = await b.connect({ clientId: "keeps", clean: false });
        const got: string[] = [];
        subscriber.on("message", (_topic, payload) => got.push(payload.toString()));
        await subscriber.subscribeAsync("x/#", { qos: 2 });
        await until(async () => (await a.linkMetrics(b)).router.routes === 1, "route");
        const publisher = await a.connect();
        await Promise.all(
            Array.from({ length: 600 }, (_, index) =>
                publisher.publishAsync("x/mix", String(index), { qos: (index % 2) as 0 | 1 }),
            ),
        );
        await until(() => got.length >= 600, "600 messages");
        expect(got).toEqual(Array.from({ length: 600 }, (_, index) => String(index)));
        reportFault({ id: "F2", name: "mixed QoS in order", sent: 600, delivered: 600, lost: 0, duplicated: 0 });
    });

    test("F2: QoS 0, 1 and 2 of one publisher all arrive once, each with its own QoS", async () => {
        const { a, b } = await sites(["a", "b"]);
        await linkAll([a, b], ["x/#"]);
        const subscriber = await b.connect({ clientId: "keeps", clean: false });
        const got: [number, number][] = [];
        subscriber.on("message", (_topic, payload, packet) => got.push([Number(payload.toString()), packet.qos]));
        await subscriber.subscribeAsync("x/#", { qos: 2 });
        await until(async () => (await a.linkMetrics(b)).router.routes === 1, "route");
        const publisher = await a.connect();
        const qosOf = (index: number) => (index % 3) as 0 | 1 | 2;
        await Promise.all(
            Array.from({ length: 600 }, (_, index) => publisher.publishAsync("x/mix", String(index), { qos: qosOf(index) })),
        );
        await until(() => got.length >= 600, "600 messages");
        await new Promise((resolve) => setTimeout(resolve, 100));
        expect(got.sort(([one], [other]) => one - other)).toEqual(
            Array.from({ length: 600 }, (_, index) => [index, qosOf(index)]),
        );
        reportFault({ id: "F2", name: "QoS 0, 1 and 2 mixed", sent: 600, delivered: got.length, lost: 0, duplicated: 0 });
    });

    test("F3: in a mesh of three every subscriber gets every message once, and nothing travels two hops", async () => {
        const { a, b, c } = await sites(["a", "b", "c"]);
        await linkAll([a, b, c], ["x/#"]);
        const got: Record<string, string[]> = { a: [], b: [], c: [] };
        for (const site of [a, b, c]) {
            const subscriber = await site.connect();
            subscriber.on("message", (_topic, payload) => got[site.name]?.push(payload.toString()));
            await subscriber.subscribeAsync(["x/+", "x/#"], { qos: 1 });
        }
        for (const site of [a, b, c]) {
            for (const peer of [a, b, c]) {
                if (site !== peer) {
                    await until(async () => (await site.linkMetrics(peer)).router.routes === 2, "routes");
                }
            }
        }
        for (const site of [a, b, c]) {
            const publisher = await site.connect();
            await Promise.all(
                Array.from({ length: 100 }, (_, index) => publisher.publishAsync("x/1", `${site.name}${index}`, { qos: 1 })),
            );
        }
        await until(() => Object.values(got).every((list) => list.length >= 300), "300 each");
        await new Promise((resolve) => setTimeout(resolve, 200));
        for (const list of Object.values(got)) {
            expect(list).toHaveLength(300);
            expect(new Set(list).size).toBe(300);
        }
        expect((await a.linkMetrics(b)).forwarding.matched).toBe(100);
        for (const [name, list] of Object.entries(got)) {
            const delivered = new Set(list).size;
            const duplicated = list.length - delivered;
            reportFault({
                id: "F3",
                name: `full mesh, subscriber on ${name}`,
                sent: 300,
                delivered,
                lost: 300 - delivered,
                duplicated,
            });
        }
    });

    test("F3: with the link between two of three missing, nothing takes the way round", async () => {
        const { a, b, c } = await sites(["a", "b", "c"]);
        await linkAll([a, b], ["x/#"]);
        await linkAll([b, c], ["x/#"]);
        const got: string[] = [];
        const far = await c.connect();
        far.on("message", (_topic, payload) => got.push(payload.toString()));
        await far.subscribeAsync("x/#", { qos: 1 });
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/chain", count: 50, rate: 0 });
        expect(await traffic.start().finish("F3 chain without a-c, a->b")).toMatchObject({ lost: 0 });
        expect(got).toEqual([]);
    });

    test("only the topics of a link cross it, whatever the subscription", async () => {
        const { a, b } = await sites(["a", "b"]);
        await linkAll([a, b], ["x/#"]);
        const got: string[] = [];
        const subscriber = await b.connect();
        subscriber.on("message", (topic) => got.push(topic));
        await subscriber.subscribeAsync("+/1", { qos: 1 });
        await until(async () => (await a.linkMetrics(b)).router.routes === 1, "route");
        const publisher = await a.connect();
        await publisher.publishAsync("y/1", "", { qos: 1 });
        await publisher.publishAsync("x/2", "", { qos: 1 });
        await publisher.publishAsync("x/1", "", { qos: 1 });
        await until(() => got.length > 0, "x/1");
        expect(got).toEqual(["x/1"]);
        expect((await a.linkMetrics(b)).forwarding.matched).toBe(1);
    });
});

describe("F45: shared subscriptions and many routes", () => {
    test("a group gets every message once, split between its members", async () => {
        const { a, b } = await sites(["a", "b"]);
        await linkAll([a, b], ["x/#"]);
        const got: string[][] = [[], [], []];
        for (const [index, list] of got.entries()) {
            const member = await b.connect({ clientId: `member-${index}` });
            member.on("message", (_topic, payload) => list.push(payload.toString()));
            await member.subscribeAsync(index < 2 ? "$share/g/x/#" : "x/#", { qos: 1 });
        }
        await until(async () => (await a.linkMetrics(b)).router.routes === 1, "one route for both kinds");
        const publisher = await a.connect();
        await Promise.all(Array.from({ length: 100 }, (_, index) => publisher.publishAsync("x/1", String(index), { qos: 1 })));
        await until(() => got.flat().length >= 200, "200 deliveries");
        await new Promise((resolve) => setTimeout(resolve, 100));
        expect(got[2]).toHaveLength(100);
        expect([...(got[0] ?? []), ...(got[1] ?? [])].sort()).toEqual([...(got[2] ?? [])].sort());
        expect(got[0]).toHaveLength(50);
        const shared = [...(got[0] ?? []), ...(got[1] ?? [])];
        const delivered = new Set(shared).size;
        const duplicated = shared.length - delivered;
        reportFault({ id: "F45", name: "a group of two", sent: 100, delivered, lost: 100 - delivered, duplicated });
    });

    test("a member that leaves takes nothing with it", async () => {
        const { a } = await sites(["a"]);
        const got: string[] = [];
        const stays = await a.connect();
        stays.on("message", (_topic, payload) => got.push(payload.toString()));
        const leaves = await a.connect();
        await stays.subscribeAsync("$share/g/x", { qos: 1 });
        await leaves.subscribeAsync("$share/g/x", { qos: 1 });
        await leaves.unsubscribeAsync("$share/g/x");
        const publisher = await a.connect();
        await Promise.all(Array.from({ length: 20 }, (_, index) => publisher.publishAsync("x", String(index), { qos: 1 })));
        await until(() => got.length >= 20, "20");
        expect(got).toHaveLength(20);
    });

    test("10,000 overlapping subscriptions make the routes that the topics allow, no more", async () => {
        const { a, b } = await sites(["a", "b"]);
        await linkAll([a, b], ["x/#"]);
        const subscriber = await b.connect();
        for (let from = 0; from < 10_000; from += 500) {
            await subscriber.subscribeAsync(Array.from({ length: 500 }, (_, index) => `x/${from + index}/+`));
        }
        await subscriber.subscribeAsync(["x/#", "+/1/+", "other/#"]);
        // x/# and the 10,000; +/1/+ narrows to x/1/+, which is there already; other/# crosses nothing.
        await until(async () => (await a.linkMetrics(b)).router.routes === 10_001, "10,001 routes");
        let got = 0;
        subscriber.on("message", () => got++);
        const publisher = await a.connect();
        await publisher.publishAsync("x/1/t", "", { qos: 1 });
        await until(() => got > 0, "delivery");
        await new Promise((resolve) => setTimeout(resolve, 100));
        expect(got).toBe(1);
        await subscriber.unsubscribeAsync(Array.from({ length: 500 }, (_, index) => `x/${index}/+`));
        await until(async () => (await a.linkMetrics(b)).router.routes === 9_502, "x/1/+ stays for +/1/+");
        const note = "10,001 routes of 10,003 subscriptions; 9,502 after 500 are gone";
        reportFault({ id: "F45", name: "overlapping subscriptions", sent: 1, delivered: got, lost: 0, duplicated: 0, note });
    });
});

describe("what links do not carry", () => {
    test("F47: a retained message from before the link stays; a live one arrives unretained; clearing is local", async () => {
        const { a, b } = await sites(["a", "b"]);
        const publisher = await a.connect();
        await publisher.publishAsync("x/kept", "before", { qos: 1, retain: true });
        await linkAll([a, b], ["x/#"]);
        const got: [string, boolean][] = [];
        const subscriber = await b.connect();
        subscriber.on("message", (_topic, payload, packet) => got.push([payload.toString(), packet.retain]));
        await subscriber.subscribeAsync("x/#", { qos: 1 });
        await until(async () => (await a.linkMetrics(b)).router.routes === 1, "route");
        await publisher.publishAsync("x/kept", "live", { qos: 1, retain: true });
        await publisher.publishAsync("x/kept", "", { qos: 1, retain: true });
        await until(() => got.length >= 2, "two live messages");
        expect(got).toEqual([
            ["live", false],
            ["", false],
        ]);
        expect((await b.api("GET", "/api/v5/mqtt/retainer/messages")).body.data).toEqual([]);
        expect((await a.api("GET", "/api/v5/mqtt/retainer/messages")).body.data).toEqual([]);
        const note = "one from before the link stays; live ones cross unretained; 0 retained on either side once cleared";
        reportFault({
            id: "F47",
            name: "retained messages",
            sent: 3,
            delivered: got.length,
            lost: 3 - got.length,
            duplicated: 0,
            note,
        });
    });

    test("a device cannot speak or listen below $LINK, nor pose as a link", async () => {
        const { a } = await sites(["a"]);
        const client = await a.connect();
        const granted = await client
            .subscribeAsync(["$LINK/#", "$SYS/#", "#", "+/#", "x/#"])
            .catch((error: Error) => error.message);
        expect(granted).toMatch(/Subscribe error|Unspecified/i);
        const single = async (filter: string) => {
            const [grant] = await client.subscribeAsync(filter).catch(() => [{ qos: 128 }]);
            return grant?.qos;
        };
        expect(await single("$LINK/cluster/resp/lab-b/n")).toBe(128);
        expect(await single("#")).toBe(128);
        expect(await single("x/#")).toBe(0);
        const published = await client.publishAsync("$LINK/cluster/msg/lab-b", "forged", { qos: 1 });
        expect(published).toBeDefined();
        expect(a.broker.links.inbound).toEqual({ received: 0, duplicates: 0, refused: 0 });
        expect(a.broker.engine.counters.deniedPublish).toBe(1);
    });
});
