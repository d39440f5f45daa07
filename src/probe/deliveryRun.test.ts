import { afterEach, describe, expect, it } from "vitest";
import {
    bridge,
    type OnTheWay,
    type ProbeBroker,
    type ProbeBrokerOptions,
    startProbeBroker,
} from "../../test/support/probeBrokers.js";
import type { DeliveryProgress, DeliveryReport, DirectionReport, ProbeDirection } from "./deliveryReport.js";
import { type DeliveryRunArgs, runDelivery } from "./deliveryRun.js";
import { decodeMessage } from "./probeMessage.js";

const brokers: ProbeBroker[] = [];

afterEach(async () => {
    await Promise.all(brokers.splice(0).map((broker) => broker.stop()));
});

async function pair(options: ProbeBrokerOptions = {}): Promise<{ a: ProbeBroker; b: ProbeBroker }> {
    const a = await startProbeBroker(options);
    const b = await startProbeBroker();
    brokers.push(a, b);
    return { a, b };
}

const both: ProbeDirection[] = [
    { from: "a", to: "b", topics: ["fleet/#"] },
    { from: "b", to: "a", topics: ["fleet/#"] },
];

function run({ a, b }: { a: ProbeBroker; b: ProbeBroker }, settings: Partial<DeliveryRunArgs> = {}): Promise<DeliveryReport> {
    return runDelivery({
        a: { site: "a", clusterName: "mesh-a", mqtt: a.endpoint },
        b: { site: "b", clusterName: "mesh-b", mqtt: b.endpoint },
        directions: both,
        count: 100,
        rate: 2_000,
        qos: 1,
        payloadBytes: 256,
        timeoutSeconds: 2,
        ...settings,
    });
}

function only(report: DeliveryReport, index: number): DirectionReport {
    const found = report.directions[index];
    if (found === undefined) {
        throw new Error(`no direction ${index}`);
    }
    return found;
}

/** Loses, doubles or delays numbered messages alone. */
const numbered =
    (treat: (sequence: number) => ReturnType<OnTheWay>): OnTheWay =>
    (_topic, payload) => {
        const header = decodeMessage(payload);
        return header?.phase === "numbered" ? treat(header.sequence) : { copies: 1 };
    };

describe("a delivery run", () => {
    it.each([0, 1, 2] as const)("counts every message of both directions at QoS %i", async (qos) => {
        const brokers = await pair();
        bridge(brokers.a, brokers.b);
        bridge(brokers.b, brokers.a);
        const report = await run(brokers, { qos });
        for (const direction of report.directions) {
            expect(direction).toMatchObject({
                sent: 100,
                acknowledged: 100,
                delivered: 100,
                lost: 0,
                duplicated: 0,
                outOfOrder: 0,
                qosDowngraded: 0,
                silentFilters: [],
                lostNumbers: [],
            });
            expect(direction.p50Ms).toBeLessThanOrEqual(direction.p99Ms ?? 0);
            expect(direction.p99Ms).toBeLessThanOrEqual(direction.maxMs ?? 0);
            expect(direction.firstArrivalMs).toBeGreaterThan(0);
        }
        expect(report.directions.map(({ from, to }) => `${from}-${to}`)).toEqual(["a-b", "b-a"]);
    });

    it("proves each linked filter on a topic of its own", async () => {
        const brokers = await pair();
        bridge(brokers.a, brokers.b);
        const seen = new Set<string>();
        brokers.a.aedes.on("publish", (packet) => {
            if (!packet.topic.startsWith("$")) {
                seen.add(packet.topic);
            }
        });
        const topics = ["fleet/#", "alarms/+/high", "plain/topic"];
        const report = await run(brokers, { directions: [{ from: "a", to: "b", topics }] });
        expect(only(report, 0)).toMatchObject({ delivered: 100, lost: 0, silentFilters: [] });
        expect(seen).toEqual(
            new Set([`fleet/linkspan-probe/${report.runId}/a`, `alarms/linkspan-${report.runId}-a/high`, "plain/topic"]),
        );
    });

    it("tells the two directions apart on one shared exact topic", async () => {
        const brokers = await pair();
        bridge(brokers.a, brokers.b);
        bridge(brokers.b, brokers.a);
        const report = await run(brokers, {
            directions: [
                { from: "a", to: "b", topics: ["one/topic"] },
                { from: "b", to: "a", topics: ["one/topic"] },
            ],
        });
        expect(report.directions.map(({ delivered, lost, duplicated }) => [delivered, lost, duplicated])).toEqual([
            [100, 0, 0],
            [100, 0, 0],
        ]);
    });

    it("counts lost messages and names their numbers", async () => {
        const brokers = await pair();
        const lost = new Set([0, 7, 8, 9, 99]);
        bridge(
            brokers.a,
            brokers.b,
            numbered((sequence) => ({ copies: lost.has(sequence) ? 0 : 1 })),
        );
        bridge(brokers.b, brokers.a);
        const report = await run(brokers, { timeoutSeconds: 1 });
        expect(only(report, 0)).toMatchObject({
            sent: 100,
            acknowledged: 100,
            delivered: 95,
            lost: 5,
            lostNumbers: ["0", "7-9", "99"],
        });
        expect(only(report, 1)).toMatchObject({ delivered: 100, lost: 0 });
    });

    it("counts duplicates apart from deliveries", async () => {
        const brokers = await pair();
        bridge(
            brokers.a,
            brokers.b,
            numbered((sequence) => ({ copies: sequence % 10 === 0 ? 3 : 1 })),
        );
        const report = await run(brokers, { directions: both.slice(0, 1) });
        expect(only(report, 0)).toMatchObject({ delivered: 100, lost: 0, duplicated: 20, outOfOrder: 0 });
    });

    it("counts messages that come after a later one", async () => {
        const brokers = await pair();
        bridge(
            brokers.a,
            brokers.b,
            numbered((sequence) => (sequence === 5 || sequence === 50 ? { copies: 1, delayMs: 200 } : { copies: 1 })),
        );
        const report = await run(brokers, { directions: both.slice(0, 1) });
        expect(only(report, 0)).toMatchObject({ delivered: 100, lost: 0, outOfOrder: 2 });
        expect(only(report, 0).maxMs).toBeGreaterThan(150);
    });

    it("counts messages that arrive with a lower quality of service", async () => {
        const brokers = await pair();
        bridge(brokers.a, brokers.b, () => ({ copies: 1, qos: 0 }));
        const report = await run(brokers, { directions: both.slice(0, 1) });
        expect(only(report, 0)).toMatchObject({ delivered: 100, qosDowngraded: 100 });
    });

    it("waits for a link that comes up late, and measures how late", async () => {
        const brokers = await pair();
        setTimeout(() => bridge(brokers.a, brokers.b), 600);
        const report = await run(brokers, { directions: both.slice(0, 1), timeoutSeconds: 10 });
        expect(only(report, 0)).toMatchObject({ delivered: 100, lost: 0 });
        expect(only(report, 0).firstArrivalMs).toBeGreaterThan(300);
    });

    it("reports everything lost where one direction is not linked, and the other as it is", async () => {
        const brokers = await pair();
        bridge(brokers.a, brokers.b);
        const report = await run(brokers, { timeoutSeconds: 1 });
        expect(only(report, 0)).toMatchObject({ delivered: 100, lost: 0 });
        expect(only(report, 1)).toMatchObject({ sent: 100, delivered: 0, lost: 100, silentFilters: ["fleet/#"], ownEcho: true });
        expect(only(report, 1).p50Ms).toBeUndefined();
        expect(only(report, 1).firstArrivalMs).toBeUndefined();
    });

    it("tells a message that its own broker does not take from one that the link loses", async () => {
        const brokers = await pair({
            // What EMQX does with deny_action "ignore" for MQTT 3.1.1: acknowledged and dropped.
            authorizeForward: () => null,
        });
        bridge(brokers.b, brokers.a);
        const report = await run(brokers, { directions: both.slice(0, 1), timeoutSeconds: 1 });
        expect(only(report, 0)).toMatchObject({ delivered: 0, ownEcho: false });
    });

    it("names the filter under which nothing arrives while others work", async () => {
        const brokers = await pair();
        bridge(brokers.a, brokers.b, (topic) => ({ copies: topic.startsWith("dead/") ? 0 : 1 }));
        const report = await run(brokers, {
            directions: [{ from: "a", to: "b", topics: ["fleet/#", "dead/#"] }],
            timeoutSeconds: 1,
        });
        expect(only(report, 0)).toMatchObject({ sent: 100, delivered: 50, lost: 50, silentFilters: ["dead/#"] });
    });

    it("leaves no client, no subscription and nothing retained behind", async () => {
        const brokers = await pair();
        bridge(brokers.a, brokers.b);
        bridge(brokers.b, brokers.a);
        await run(brokers);
        await expect.poll(() => [brokers.a.aedes.connectedClients, brokers.b.aedes.connectedClients]).toEqual([0, 0]);
        expect([...brokers.a.retained, ...brokers.b.retained]).toEqual([]);
        expect(brokers.a.clientIds.every((id) => id.startsWith("linkspan_probe_"))).toBe(true);
    });

    it("ends at once when aborted, and leaves no client behind", async () => {
        const brokers = await pair();
        const abort = new AbortController();
        const running = run(brokers, { timeoutSeconds: 60, signal: abort.signal });
        await expect.poll(() => brokers.a.clientIds.length).toBe(1);
        abort.abort(new Error("enough"));
        await expect(running).rejects.toThrow("enough");
        await expect.poll(() => [brokers.a.aedes.connectedClients, brokers.b.aedes.connectedClients]).toEqual([0, 0]);
    });

    it("does not start when aborted before", async () => {
        const brokers = await pair();
        await expect(run(brokers, { signal: AbortSignal.abort(new Error("never")) })).rejects.toThrow("never");
        expect(brokers.a.clientIds).toEqual([]);
    });

    it("says so when its own connection breaks, instead of counting losses", async () => {
        const brokers = await pair();
        bridge(brokers.a, brokers.b);
        const running = run(brokers, { count: 10_000, rate: 500, directions: both.slice(0, 1) });
        setTimeout(() => void brokers.b.stop(), 300);
        await expect(running).rejects.toThrow(/own connection/);
    });

    it("shows where it is", async () => {
        const brokers = await pair();
        setTimeout(() => bridge(brokers.a, brokers.b), 1_200);
        const seen: DeliveryProgress[] = [];
        await run(brokers, {
            directions: both.slice(0, 1),
            timeoutSeconds: 10,
            rate: 50,
            onProgress: (progress) => seen.push(progress),
        });
        expect(seen[0]).toEqual({ stage: "connecting" });
        expect(seen[1]).toEqual({ stage: "waiting", directions: [{ from: "a", to: "b" }] });
        expect(seen.at(-1)).toMatchObject({ stage: "counting", directions: [{ from: "a", to: "b", count: 100 }] });
    });

    it("keeps a rate of 5,000 a second honestly", async () => {
        const brokers = await pair();
        bridge(brokers.a, brokers.b);
        const report = await run(brokers, { count: 5_000, rate: 5_000, directions: both.slice(0, 1), timeoutSeconds: 15 });
        expect(only(report, 0)).toMatchObject({ sent: 5_000, delivered: 5_000, lost: 0, duplicated: 0, outOfOrder: 0 });
        expect(only(report, 0).rate).toBeLessThanOrEqual(5_100);
    });

    it.each([
        [{ directions: [{ from: "a", to: "c", topics: ["x"] }] }, /directions\[0\].*no direction of the pair/],
        [{ directions: [{ from: "a", to: "b", topics: [] }] }, /directions\[0\]\.topics: is empty/],
    ])("refuses %j", async (settings, message) => {
        const broker = { endpoint: { host: "127.0.0.1", port: 1, tls: false } } as ProbeBroker;
        await expect(run({ a: broker, b: broker }, settings)).rejects.toThrow(message);
    });
});
