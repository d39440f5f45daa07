import { afterEach, describe, expect, it } from "vitest";
import type { DeliveryReport } from "../../../src/probe/deliveryReport.js";
import { type DeliveryRunArgs, runDelivery } from "../../../src/probe/deliveryRun.js";
import { device, linkAll, localBrokers, type TestSite, type TestSiteOptions, type TestSites } from "../../support/localBroker.js";

let mesh: TestSites<"a" | "b"> | undefined;
afterEach(async () => {
    await mesh?.close();
    mesh = undefined;
});

async function sites(options: TestSiteOptions = {}): Promise<{ a: TestSite; b: TestSite }> {
    mesh = await localBrokers(["a", "b"], options);
    return mesh.sites;
}

function run({ a, b }: { a: TestSite; b: TestSite }, more: Partial<DeliveryRunArgs> = {}): Promise<DeliveryReport> {
    const side = (site: TestSite) => ({
        site: site.name,
        clusterName: site.clusterName,
        mqtt: { host: "127.0.0.1", port: site.ports.mqtts, tls: true, ca: site.authority.ca, ...device },
    });
    return runDelivery({
        a: side(a),
        b: side(b),
        directions: [
            { from: "a", to: "b", topics: ["fleet/#", "alarms/+"] },
            { from: "b", to: "a", topics: ["fleet/#", "alarms/+"] },
        ],
        count: 200,
        rate: 200,
        qos: 1,
        payloadBytes: 256,
        timeoutSeconds: 15,
        ...more,
    });
}

describe("a delivery run over the local broker's links", () => {
    it("proves both directions at once", async () => {
        const both = await sites();
        await linkAll([both.a, both.b], ["fleet/#", "alarms/+"]);
        const { directions } = await run(both);
        for (const direction of directions) {
            expect(direction).toMatchObject({
                sent: 200,
                acknowledged: 200,
                delivered: 200,
                lost: 0,
                duplicated: 0,
                outOfOrder: 0,
            });
            expect(direction).toMatchObject({ qosDowngraded: 0, silentFilters: [] });
        }
        const shown = directions.map(({ from, to, p50Ms, p99Ms, maxMs, firstArrivalMs }) => ({
            from,
            to,
            p50Ms,
            p99Ms,
            maxMs,
            firstArrivalMs,
        }));
        process.stdout.write(`${JSON.stringify(shown)}\n`);
        for (const site of [both.a, both.b]) {
            const clients = await site.api("GET", "/api/v5/clients?like_clientid=linkspan_probe_");
            expect(clients.body.data).toEqual([]);
            const retained = await site.api("GET", "/api/v5/mqtt/retainer/messages");
            expect(retained.body.data).toEqual([]);
        }
    });

    it("waits for links that are made while it runs", async () => {
        const both = await sites();
        const running = run(both, { count: 20 });
        await new Promise((resolve) => setTimeout(resolve, 300));
        await linkAll([both.a, both.b], ["fleet/#", "alarms/+"]);
        const { directions } = await running;
        expect(directions.map(({ delivered, lost }) => [delivered, lost])).toEqual([
            [20, 0],
            [20, 0],
        ]);
        expect(directions[0]?.firstArrivalMs).toBeGreaterThan(250);
    });

    it("finds one direction only: nothing arrives either way though the status says connected", async () => {
        const both = await sites();
        await both.a.link(both.b, ["fleet/#"]);
        const { directions } = await run(both, { timeoutSeconds: 1, count: 20 });
        expect(directions.map(({ delivered, ownEcho }) => [delivered, ownEcho])).toEqual([
            [0, true],
            [0, true],
        ]);
    });

    it("finds a filter that is not linked", async () => {
        const both = await sites();
        await linkAll([both.a, both.b], ["fleet/#"]);
        const { directions } = await run(both, { timeoutSeconds: 1, count: 20 });
        expect(directions.map(({ delivered, silentFilters }) => [delivered, silentFilters])).toEqual([
            [10, ["alarms/+"]],
            [10, ["alarms/+"]],
        ]);
    });

    it("finds a publisher that may not publish", async () => {
        const both = await sites({
            acl: [{ permission: "deny", username: device.username, action: "publish", topics: ["fleet/#", "alarms/#"] }],
        });
        await linkAll([both.a, both.b], ["fleet/#", "alarms/+"]);
        const { directions } = await run(both, { timeoutSeconds: 1, count: 20 });
        expect(directions.map(({ delivered, ownEcho }) => [delivered, ownEcho])).toEqual([
            [0, false],
            [0, false],
        ]);
    });
});
