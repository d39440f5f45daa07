import { afterEach, describe, expect, test } from "vitest";
import { linkAll, localBrokers, type TestSite, type TestSites, until } from "../../support/localBroker.js";
import { NumberedTraffic } from "../../support/numberedTraffic.js";
import { Relay } from "../../support/relay.js";

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

const logged = (event: string, reason: string | RegExp) =>
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

const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1000));

describe("changes of a link", () => {
    test("F42: changing the topics under traffic loses nothing of those that stay", async () => {
        const { a, b } = await pair();
        await linkAll([a, b], ["x/#"]);
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/f42", count: 2000, rate: 1000 });
        traffic.start();
        for (const topics of [["x/#", "y/#"], ["x/#", "z/+"], ["x/#"]]) {
            const body = b.linkBody(a, topics);
            delete body.name;
            expect((await b.api("PUT", "/api/v5/cluster/links/link/lab-a", body)).status).toBe(200);
            await seconds(0.3);
        }
        expect(await traffic.finish("F42 topics")).toMatchObject({ lost: 0, duplicated: 0, outOfOrder: 0 });
    });

    test.each([
        ["another window", { max_inflight: 4 }],
        ["a larger pool", { pool_size: 4 }],
        ["a smaller pool", { pool_size: 1 }],
    ])("a PUT with %s reconnects and loses nothing", async (_name, change) => {
        const { a, b } = await pair();
        await linkAll([a, b], ["x/#"]);
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/put", count: 3000, rate: 2000 });
        traffic.start();
        await seconds(0.5);
        const body = a.linkBody(b, ["x/#"], change);
        delete body.name;
        expect((await a.api("PUT", "/api/v5/cluster/links/link/lab-b", body)).body).toMatchObject({
            status: "connected",
            ...change,
        });
        expect(await traffic.finish(`PUT ${JSON.stringify(change)}`)).toMatchObject({ lost: 0, duplicated: 0, outOfOrder: 0 });
        const pool = (await b.api("GET", "/api/v5/clients?like_clientid=:msg:")).body.data;
        expect(pool).toHaveLength("pool_size" in change ? Number(change.pool_size) : 2);
    });

    test.each(["a", "b"] as const)(
        "F43: disabling the link on %s stops the messages towards b with a reason; enabling brings them back",
        async (side) => {
            const { a, b } = await pair();
            await linkAll([a, b], ["x/#"]);
            const [here, peer] = side === "a" ? [a, b] : [b, a];
            const traffic = await NumberedTraffic.between(a, b, { topic: "x/f43", count: 1000, rate: 400, drainMs: 1000 });
            const body = here.linkBody(peer, ["x/#"]);
            delete body.name;
            const path = `/api/v5/cluster/links/link/${peer.clusterName}`;
            traffic.start();
            await seconds(0.5);
            const off = await here.api("PUT", path, { ...body, enable: false });
            expect(off.body).toMatchObject({ enable: false, status: "disconnected" });
            expect((await here.api("GET", "/api/v5/cluster/links")).body[0]).toMatchObject({
                status: "inconsistent",
                node_status: [],
            });
            await until(() => logged("cluster_link_handshake_rejected", "cluster_link_disabled"), "reason on the other side");
            await seconds(0.5);
            expect((await here.api("PUT", path, { ...body, enable: true })).body.status).toBe("connected");
            await until(async () => (await a.linkMetrics(b)).router.routes === 1, "routes are back", 1500);
            const counts = await traffic.finish(`F43 disabled on ${side}`);
            expect(counts.lost).toBeGreaterThan(100);
            expect(counts.lost).toBeLessThan(700);
            expect(counts).toMatchObject({ duplicated: 0, outOfOrder: 0 });
        },
    );

    test("F44: a link under a wrong name connects, carries nothing, and the reason is in both logs", async () => {
        const { a, b } = await pair();
        await b.link(a, ["x/#"]);
        const answer = await a.api("POST", "/api/v5/cluster/links", { ...a.linkBody(b, ["x/#"]), name: "bluecloud" });
        expect(answer).toMatchObject({ status: 201, body: { status: "connected" } });
        await until(() => logged("cluster_link_handshake_rejected", "bad_remote_cluster_link_name"), "reason here");
        expect(logged("cluster_link_peer_rejected", "bad_remote_cluster_link_name")).toBe(true);
        await until(() => logged("cluster_link_handshake_rejected", "unknown_cluster"), "reason there");
        expect((await a.api("GET", "/api/v5/alarms")).body.data).toEqual([]);
    });

    test("one direction only: connected, no message, unknown_cluster in the log; the second direction starts both at once", async () => {
        const { a, b } = await pair();
        await a.link(b, ["x/#"]);
        expect(await a.linkStatus(b)).toBe("connected");
        await until(() => logged("cluster_link_handshake_rejected", "unknown_cluster"), "reason");
        const subscriber = await a.connect();
        await subscriber.subscribeAsync("x/#");
        await b.link(a, ["x/#"]);
        await until(async () => (await b.linkMetrics(a)).router.routes === 1, "route at once", 1500);
    });

    test("a name that is flipped under traffic moves the link, connection by connection, without loss", async () => {
        const { a, b } = await pair();
        const old = await relayed(a, b);
        await linkAll([a, b], ["x/#"]);
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/flip", count: 1500, rate: 500 });
        traffic.start();
        const next = await relayed(a, b);
        const list = await b.api("GET", "/api/v5/clients?like_clientid=:msg:");
        expect(list.body.data).toHaveLength(2);
        for (const { clientid } of list.body.data) {
            expect((await b.api("DELETE", `/api/v5/clients/${encodeURIComponent(clientid)}`)).status).toBe(204);
            await seconds(0.2);
        }
        expect(await traffic.finish("name flip")).toMatchObject({ lost: 0, duplicated: 0, outOfOrder: 0 });
        expect(old.connections).toBe(1);
        expect(next.connections).toBe(2);
    });
});
