import { afterEach, describe, expect, test } from "vitest";
import { decodeMessage } from "../../src/probe/probeMessage.js";
import { reportFault } from "../support/faultReport.js";
import { linkAll, localBrokers, type TestSite, type TestSites, until } from "../support/localBroker.js";
import { linkspan, reportResults, verify, writeState } from "../support/meshState.js";
import { NumberedTraffic } from "../support/numberedTraffic.js";
import { Relay } from "../support/relay.js";

let open: TestSites<string> | undefined;
const relays: Relay[] = [];
const topics = ["x/#"];

async function brokers<Name extends string>(names: readonly Name[], options: Parameters<typeof localBrokers>[1] = {}) {
    const made = await localBrokers(names, options);
    open = made;
    return made.sites;
}

/** Two linked brokers whose links run through relays, a to b and b to a. */
async function relayedPair(options: Parameters<typeof localBrokers>[1] = {}, more: Readonly<Record<string, unknown>> = {}) {
    const { a, b } = await brokers(["a", "b"], options);
    for (const [site, peer] of [
        [a, b],
        [b, a],
    ] as const) {
        const relay = await Relay.open(peer.ports.links);
        relays.push(relay);
        site.nameTo(peer, relay.port);
    }
    await linkAll([a, b], topics, more);
    return { a, b };
}

function cut(mode: Relay["mode"]): void {
    for (const relay of relays) {
        relay.mode = mode;
    }
}

const folder = (): string => open?.folder ?? "";
const matched = async (site: TestSite, peer: TestSite): Promise<number> => (await site.linkMetrics(peer)).forwarding.matched;

afterEach(async () => {
    await open?.close();
    await Promise.all(relays.splice(0).map((relay) => relay.close()));
    open = undefined;
});

describe("linkspan verify while something breaks", () => {
    test("F4: of a chain it names the pair that is not linked, and nothing takes the way round", async () => {
        const { a, b, c } = await brokers(["a", "b", "c"]);
        await linkAll([a, b], topics);
        await linkAll([b, c], topics);
        const state = writeState(folder(), [a, b, c], {
            topics,
            links: [
                [a, b],
                [b, a],
                [b, c],
                [c, b],
            ],
        });
        const { code, verdict } = await verify(state, "--count", "200", "--rate", "1000");
        expect(code).toBe(0);
        for (const { pair, results } of verdict.pairs) {
            expect(results).toMatchObject([
                { sent: 200, delivered: 200, lost: 0, duplicated: 0 },
                { sent: 200, delivered: 200, lost: 0, duplicated: 0 },
            ]);
            reportResults("F4", `chain, pair ${pair}`, results);
        }
        expect(verdict.notes).toMatchObject([{ id: "missing-pair", title: "a and c are not linked" }]);
        expect((await linkspan(state, "verify", "--pair", "a-b", "--count", "1")).err).toMatch(
            /^warn: a and c are not linked\./m,
        );

        const got: string[] = [];
        const far = await c.connect();
        far.on("message", (topic) => got.push(topic));
        await far.subscribeAsync("x/#", { qos: 1 });
        await until(async () => (await b.linkMetrics(c)).router.routes > 0, "b knows the route of c");
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/chain", count: 100, rate: 0 });
        expect(await traffic.start().finish("F4 chain, beside the missing pair a->b")).toMatchObject({ lost: 0 });
        expect(got).toEqual([]);
        reportFault({
            id: "F4",
            name: "chain a->c, not linked",
            sent: 100,
            delivered: 0,
            lost: 100,
            note: "verify: a and c are not linked",
        });
    });

    test("F6: a cut longer than the routes' life is a failed verify with the true count", async () => {
        const { a, b } = await relayedPair({ limits: { routeLifeMs: 1000 } });
        const state = writeState(folder(), [a, b], { topics, timeoutSeconds: 4 });
        const seen = await counted([a, b]);
        const running = verify(state, "--count", "1200", "--rate", "200");
        await until(async () => (await matched(a, b)) > 200, "under way");
        cut("reset");
        await until(async () => (await a.linkMetrics(b)).router.routes === 0, "a's routes expire", 5000);
        await until(async () => (await b.linkMetrics(a)).router.routes === 0, "b's routes expire", 5000);
        await new Promise((resolve) => setTimeout(resolve, 500));
        cut("open");
        const { code, verdict } = await running;
        expect(code).toBe(1);
        const results = verdict.pairs[0]?.results ?? [];
        expect(results).toHaveLength(2);
        for (const { from, to, status, sent, delivered, lost } of results) {
            expect(status).toBe("failed");
            expect(sent).toBe(1200);
            expect(lost).toBeGreaterThan(50);
            expect(lost).toBeLessThan(1000);
            expect(delivered).toBe(seen(from, to));
            expect(lost).toBe(1200 - seen(from, to));
        }
        reportResults("F6", "verify over a cut beyond the routes' life", results, "as an independent subscriber counts");
    });

    test("F8: what a full buffer drops is a failed verify that names the drops", async () => {
        const { a, b } = await relayedPair({}, { resource_opts: { health_check_interval: "1s", max_buffer_bytes: "20KB" } });
        const state = writeState(folder(), [a, b], { topics, timeoutSeconds: 4 });
        const running = verify(state, "--count", "2000", "--rate", "1000");
        await until(async () => (await matched(a, b)) > 100, "under way");
        cut("reset");
        await until(async () => (await matched(a, b)) > 1500 && (await matched(b, a)) > 1500, "buffers overflow");
        cut("open");
        const { code, verdict } = await running;
        expect(code).toBe(1);
        const [pair] = verdict.pairs;
        const dropped = [(await a.linkMetrics(b)).forwarding.dropped, (await b.linkMetrics(a)).forwarding.dropped];
        expect(pair?.results.map(({ lost }) => lost)).toEqual(dropped);
        for (const count of dropped) {
            expect(count).toBeGreaterThan(300);
        }
        expect(pair?.cause).toMatch(/messages to [ab] were lost since .*dropped: the buffer was full/);
        reportResults("F8", "verify over a full buffer", pair?.results ?? [], "dropped as the brokers count");
    });

    test("F13: a sending broker that dies with a full queue is never called a success", async () => {
        const { a, b } = await relayedPair({ process: true });
        const state = writeState(folder(), [a, b], { topics, timeoutSeconds: 5 });
        // Devices that stay: what they have an acknowledgement for is lost with the queue, and their count says so.
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/f13", count: 1000, rate: 0, drainMs: 4000 });
        const running = verify(state, "--count", "4000", "--rate", "500");
        await until(async () => (await matched(a, b)) > 300, "under way");
        cut("reset");
        traffic.start();
        await until(async () => (await a.linkMetrics(b)).forwarding.queuing > 1000, "messages wait");
        const waiting = (await a.linkMetrics(b)).forwarding.queuing;
        await a.kill();
        cut("open");
        await a.start();
        const { code, verdict } = await running;
        expect(code).not.toBe(0);
        expect(verdict.ok).toBe(false);
        const results = verdict.pairs[0]?.results ?? [];
        expect(results).toHaveLength(2);
        for (const { status, reason } of results) {
            expect(status).not.toBe("proven");
            expect(reason).toMatch(/connection.*\ba\b|\ba\b.*connection/i);
        }
        reportResults("F13", `verify when a dies with ${waiting} waiting`, results, `exit code ${code}`);
        const counts = await traffic.finish("F13 devices over the death of a");
        expect(counts.lost).toBeGreaterThan(0);
        await until(async () => (await a.linkStatus(b)) === "connected" && (await b.linkStatus(a)) === "connected", "back");
        const again = await verify(state, "--count", "200", "--rate", "1000");
        expect(again.code).toBe(0);
        reportResults("F13", "verify afterwards", again.verdict.pairs[0]?.results ?? []);
    });

    test("F14: a frozen peer: verify ends, and says neither success nor silence", async () => {
        const { a, b } = await relayedPair({ process: true });
        const state = writeState(folder(), [a, b], { topics, timeoutSeconds: 2 });
        b.freeze("SIGSTOP");
        try {
            const { code, verdict } = await verify(state, "--count", "20");
            expect(code).not.toBe(0);
            expect(verdict.pairs[0]?.results.map(({ status }) => status)).toEqual(["unproven", "unproven"]);
            reportResults("F14", "verify while b is frozen", verdict.pairs[0]?.results ?? [], `exit code ${code}`);
        } finally {
            b.freeze("SIGCONT");
        }
        await until(async () => (await a.linkStatus(b)) === "connected", "back");
        const { code, verdict } = await verify(state, "--count", "100");
        expect(code).toBe(0);
        reportResults("F14", "verify afterwards", verdict.pairs[0]?.results ?? []);
    });
});

describe("linkspan verify and doctor on meshes that cannot work", () => {
    test("F18: two installations with one client-id prefix: doctor names the collision", async () => {
        const { a, b, c } = await brokers(["a", "b", "c"]);
        await linkAll([a, b], topics);
        // Another installation that calls itself as a does.
        await b.link(c, topics);
        await c.link(b, topics, { clientid: "lab-a-" });
        await until(async () => (await c.linkStatus(b)) === "connected", "c's link");
        const doctored = await linkspan(writeState(folder(), [a, b], { topics }), "doctor");
        expect(doctored.code).toBe(1);
        expect(doctored.out).toMatch(/fail +b: others connect with a's client ids \(lab-a-…\) \[client-id-clash\]/);
        expect(doctored.out).toContain("Their user is link-lab-c, that of a is link-lab-a.");

        // The same seen in one stack.
        const both = writeState(folder(), [a, b, c], {
            topics,
            linkArgs: (on) => (on === c ? { clientIdPrefix: "lab-a-" } : {}),
        });
        const whole = await linkspan(both, "doctor", "--pair", "a-b");
        expect(whole.code).toBe(1);
        expect(whole.out).toMatch(/the links of a and c use client ids that begin alike on b \[prefix-clash\]/);
        const { verdict } = await verify(writeState(folder(), [a, b], { topics, timeoutSeconds: 2 }), "--count", "50");
        reportResults("F18", "beside a link with the same prefix", verdict.pairs[0]?.results ?? [], "doctor: client-id-clash");
    });

    test.each(["ignore", "disconnect"] as const)(
        "F19: a denied $LINK/cluster/msg (%s) is a failed verify that names the rule",
        async (action) => {
            const { a, b } = await brokers(["a", "b"]);
            await linkAll([a, b], topics);
            expect((await b.api("PUT", "/api/v5/authorization/settings", { deny_action: action })).status).toBe(200);
            const rules = [{ topic: "$LINK/cluster/msg/+", permission: "deny", action: "publish" }];
            await b.api("POST", "/api/v5/authorization/sources/built_in_database/rules/users", [
                { username: "link-lab-a", rules },
            ]);
            const { code, verdict } = await verify(writeState(folder(), [a, b], { topics, timeoutSeconds: 2 }), "--count", "50");
            expect(code).toBe(1);
            const [pair] = verdict.pairs;
            expect(pair?.results.find(({ from }) => from === "a")).toMatchObject({ status: "failed", delivered: 0, lost: 50 });
            expect(pair?.cause).toMatch(/the user link-lab-a may not publish \$LINK\/cluster\/msg\/lab-a \(b\)/);
            reportResults("F19", `deny, ${action},`, pair?.results ?? [], "the rule is named");
        },
    );

    test.each<[string, (on: TestSite) => Record<string, unknown>, RegExp]>([
        ["a wrong password", () => ({ password: "wrong" }), /user or password/],
        ["no client certificate", (on) => ({ ssl: { ...sslOf(on), certfile: undefined, keyfile: undefined } }), /certificate/],
        [
            "a certificate for another name",
            (on) => ({ ssl: { ...sslOf(on), server_name_indication: "c.example.com" } }),
            /another name/,
        ],
    ])("F20: %s is a failed verify that names it", async (what, change, cause) => {
        const { a, b } = await brokers(["a", "b"]);
        await b.link(a, topics);
        await a.link(b, topics, change(a));
        await until(async () => (await a.api("GET", "/api/v5/alarms")).body.data.length > 0, "alarm");
        const { code, verdict } = await verify(writeState(folder(), [a, b], { topics, timeoutSeconds: 2 }), "--count", "50");
        expect(code).toBe(1);
        const [pair] = verdict.pairs;
        expect(pair?.results.map(({ status }) => status)).toContain("failed");
        expect(pair?.cause).toMatch(cause);
        reportResults("F20", what, pair?.results ?? [], "the cause is named");
    });

    test.each(["a", "b"] as const)(
        "F43: a link that is disabled on %s only: verify fails and doctor names the side",
        async (side) => {
            const { a, b } = await brokers(["a", "b"]);
            await linkAll([a, b], topics);
            const [own, peer] = side === "a" ? [a, b] : [b, a];
            const { name: _name, ...body } = own.linkBody(peer, topics);
            await own.api("PUT", `/api/v5/cluster/links/link/${peer.clusterName}`, { ...body, enable: false });
            const state = writeState(folder(), [a, b], { topics, timeoutSeconds: 2 });
            const { code, verdict } = await verify(state, "--count", "50");
            expect(code).toBe(1);
            const doctored = await linkspan(state, "doctor");
            expect(doctored.code).toBe(1);
            expect(doctored.out).toMatch(
                new RegExp(`fail +${side}: .*is disabled \\[link-disabled\\]\\n +cause: .*cluster_link_disabled`),
            );
            expect(doctored.out).not.toMatch(new RegExp(`${peer.name}: .*\\[link-disabled\\]`));
            reportResults("F43", `disabled on ${side}`, verdict.pairs[0]?.results ?? [], "the side is named");
        },
    );

    test("F44: a link under a wrong name: verify fails, doctor names both names", async () => {
        const { a, b } = await brokers(["a", "b"]);
        await b.link(a, topics);
        await a.api("POST", "/api/v5/cluster/links", { ...a.linkBody(b, topics), name: "bluecloud" });
        const wrong = writeState(folder(), [a, b], {
            topics,
            timeoutSeconds: 2,
            linkArgs: (on, from) => (on === a && from === b ? { name: "bluecloud" } : {}),
        });
        const { code, verdict } = await verify(wrong, "--count", "50");
        expect(code).toBe(1);
        const [pair] = verdict.pairs;
        expect(pair?.results.every(({ status, delivered }) => status === "failed" && delivered === 0)).toBe(true);
        expect(pair?.cause).toMatch(/there is no link named lab-b \(a\)/);
        reportResults("F44", "a wrong link name", pair?.results ?? [], "the name is named");
    });
});

function sslOf(site: TestSite): Record<string, unknown> {
    return {
        enable: true,
        verify: "verify_peer",
        cacertfile: site.authority.ca,
        certfile: site.linkCertificate.cert,
        keyfile: site.linkCertificate.key,
        server_name_indication: "b.link.lab.internal",
    };
}

/** Counts numbered messages of proofs with subscribers of its own: by direction, each number once. */
async function counted(sites: readonly TestSite[]): Promise<(from: string, to: string) => number> {
    const seen = new Map<string, Set<number>>();
    for (const site of sites) {
        const client = await site.connect();
        client.on("message", (_topic, payload) => {
            const header = decodeMessage(payload);
            if (header?.phase === "numbered" && header.from !== site.name) {
                const key = `${header.from}>${site.name}`;
                seen.set(key, (seen.get(key) ?? new Set()).add(header.sequence));
            }
        });
        await client.subscribeAsync("x/#", { qos: 1 });
    }
    return (from, to) => seen.get(`${from}>${to}`)?.size ?? 0;
}
