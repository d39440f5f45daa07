import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unknownValue } from "../../../src/dynamic/provider.js";
import { comesFrom, type SwitchInputs } from "../../../src/link/pathSwitchRules.js";
import { pathSwitch } from "../../../src/provider.js";
import { api, linkAll, localBrokers, type TestSite, type TestSites, until } from "../../support/localBroker.js";
import { Relay } from "../../support/relay.js";

describe("a switch of paths", () => {
    let made: TestSites<"a" | "b">;
    let a: TestSite;
    let b: TestSite;
    let relay: Relay;
    beforeAll(async () => {
        made = await localBrokers(["a", "b"]);
        ({ a, b } = made.sites);
        await linkAll([a, b], ["fleet/#"], { pool_size: 4 });
        relay = await Relay.open(b.ports.links);
    });
    afterAll(async () => {
        await relay?.close();
        await made?.close();
    });

    const inputs = (more: Partial<SwitchInputs> = {}): SwitchInputs => ({
        api: { url: `https://127.0.0.1:${b.ports.api}`, key: api.key, secret: api.secret, ca: b.authority.ca },
        remoteCluster: b.clusterName,
        clientIdPrefix: `${a.clusterName}-`,
        path: "198.51.100.1",
        sources: [],
        nameSeconds: 0.05,
        ...more,
    });
    const clientIds = async () =>
        ((await b.api("GET", "/api/v5/clients?limit=100")).body as { data: { clientid: string; connected_at: string }[] }).data;

    it("leaves a new link alone", async () => {
        const { outs } = await pathSwitch.create(inputs());
        expect(outs).toMatchObject({ movedAt: "never", moved: 0 });
        expect(await pathSwitch.diff?.("", outs, inputs())).toMatchObject({ changes: false });
        expect(await pathSwitch.diff?.("", outs, inputs({ path: unknownValue }))).toMatchObject({ changes: true });
    });

    it("moves every message connection to where the name leads now, not the one that carries routes, and loses nothing", async () => {
        const { outs } = await pathSwitch.create(inputs());
        const before = await clientIds();
        const [publisher, subscriber] = await Promise.all([b.connect(), a.connect()]);
        const got = new Set<string>();
        subscriber.on("message", (_topic, payload) => got.add(payload.toString()));
        await subscriber.subscribeAsync("fleet/#", { qos: 1 });
        await until(async () => {
            await publisher.publishAsync("fleet/ready", "ready", { qos: 1 });
            return got.has("ready");
        }, "the route of the subscriber");
        let sent = 0;
        let sending = true;
        const traffic = (async () => {
            while (sending) {
                await publisher.publishAsync("fleet/t", `message ${sent++}`, { qos: 1 });
            }
        })();
        // The flip: from now on the name leads through the relay.
        writeFileSync(join(a.namesDir, b.linkHost), JSON.stringify({ host: "127.0.0.1", port: relay.port }));
        const moved = await pathSwitch.update?.("", outs, inputs({ path: "198.51.100.2", sources: ["127.0.0.0/8"] }));
        sending = false;
        await traffic;
        expect(moved?.outs).toMatchObject({ moved: 4 });
        expect(moved?.outs.movedAt).toMatch(/^\d{4}-/);
        expect(relay.connections).toBeGreaterThanOrEqual(4);
        const routes = (list: { clientid: string; connected_at: string }[]) =>
            list
                .filter(({ clientid }) => clientid.includes(":routesync:"))
                .map(({ clientid, connected_at }) => [clientid, connected_at]);
        expect(routes(await clientIds())).toEqual(routes(before));
        await until(() => got.size === sent + 1, `all of ${sent} messages`);
        await Promise.all([publisher.endAsync(), subscriber.endAsync()]);
    });

    it("moves nothing when only the way to the API has changed", async () => {
        const { outs } = await pathSwitch.create(inputs());
        const kept = await pathSwitch.update?.("", outs, inputs({ timeouts: { requestSeconds: 10 } }));
        expect(kept?.outs).toMatchObject({ movedAt: "never", moved: 0 });
    });

    it("fails with what it sees when connections keep coming by the old path", async () => {
        const { outs } = await pathSwitch.create(inputs());
        await expect(pathSwitch.update?.("", outs, inputs({ path: "x", sources: ["203.0.113.0/24"] }))).rejects.toThrow(
            /4 of 4 connections still come from 127\.0\.0\.1, and not from 203\.0\.113\.0\/24.*both paths are kept/s,
        );
    });

    it.each<[string, Partial<SwitchInputs>, string]>([
        ["a prefix that other clients may share", { clientIdPrefix: "fleet" }, 'clientIdPrefix: "fleet" has no separator'],
        ["a source that is no range", { sources: ["here"] }, "sources[0]:"],
    ])("refuses %s", async (_what, more, message) => {
        expect((await pathSwitch.check?.({}, inputs(more)))?.failures?.[0]?.reason).toContain(message);
    });
});

describe("comesFrom", () => {
    it("knows a source by its address or range (property)", () => {
        fc.assert(
            fc.property(fc.ipV4(), (address) => {
                expect(comesFrom(address, [address])).toBe(true);
                expect(comesFrom(address, ["0.0.0.0/0"])).toBe(true);
                expect(comesFrom(address, [])).toBe(false);
            }),
        );
        expect(comesFrom("10.2.3.4", ["10.1.0.0/16", "10.2.0.0/16"])).toBe(true);
        expect(comesFrom("10.3.3.4", ["10.1.0.0/16", "10.2.0.0/16"])).toBe(false);
        expect(comesFrom("::1", ["0.0.0.0/0"])).toBe(false);
    });
});
