import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeCluster } from "../../test/support/fakeCluster.js";
import { lazyProvider, unknownValue } from "../dynamic/provider.js";
import { NodeFates } from "./nodeFate.js";
import { makeMembershipProvider } from "./nodeMembershipProvider.js";
import type { MembershipInputs, MembershipOutputs, NodeTimeouts } from "./nodeMembershipRules.js";
import type { NodePace } from "./nodePace.js";

const [one, two, three] = ["emqx@10.1.0.4", "emqx@10.1.1.4", "emqx@10.1.2.4"] as const;
const all = [one, two, three];
const quick: NodePace = {
    firstPauseMs: 2,
    longestPauseMs: 5,
    patienceSeconds: 0.2,
    healthCheckSeconds: 30,
    leaveSeconds: 0.3,
    sameProcessSeconds: 0.2,
};
const ample: NodeTimeouts = { joinSeconds: 30, evacuateSeconds: 300, deleteSeconds: 10 };
const short: NodeTimeouts = { joinSeconds: 0.3, evacuateSeconds: 0.3, deleteSeconds: 0.2 };
const urn = (name: string) => `urn:pulumi:test::project::pulumi-nodejs:dynamic/linkspan:NodeMembership::${name}`;

let fake: FakeCluster;
let warnings: string[];
let fates: NodeFates;
let membership: ReturnType<typeof lazyProvider<MembershipInputs, MembershipOutputs>>;

/** A run of Pulumi has a host of its own, which remembers nothing of earlier ones. */
function newRun(pace = quick): void {
    fates = new NodeFates();
    membership = lazyProvider(async () => makeMembershipProvider(fates, pace));
}

beforeEach(() => {
    warnings = [];
    vi.spyOn(console, "warn").mockImplementation((text: string) => {
        warnings.push(text);
    });
    newRun();
});
afterEach(async () => {
    vi.restoreAllMocks();
    await fake.stop();
});

function inputs(nodeName: string, more: Partial<MembershipInputs> = {}): MembershipInputs {
    return {
        api: fake.api,
        clusterName: "m-aws",
        nodeName,
        members: all,
        gate: { id: "i-1", size: "small" },
        timeouts: ample,
        progressUrn: urn(nodeName),
        ...more,
    };
}
const outputs = (nodeName: string, more: Partial<MembershipOutputs> = {}): MembershipOutputs => ({
    ...inputs(nodeName),
    joinedAt: "2026-01-01T00:00:00.000Z",
    ...more,
});
const create = async (given: MembershipInputs) => (await membership.create(given)).outs as MembershipOutputs;
const check = (given: MembershipInputs) => membership.check?.({}, given);
const diff = (olds: MembershipOutputs, news: MembershipInputs) => membership.diff?.("id", olds, news);
const end = (nodeName: string, more: Partial<MembershipOutputs> = {}) => membership.delete?.("id", outputs(nodeName, more));
const failureOf = (work: Promise<unknown>) =>
    work.then(
        () => "it did not fail",
        (error: Error) => error.message,
    );
/** What the engine asks before it ends a membership whose machine is about to be replaced. */
const announceReplacement = (nodeName: string) =>
    diff(outputs(nodeName), inputs(nodeName, { gate: { id: unknownValue, size: "small" } }));

describe("a node that is waited for", () => {
    it("is there when it runs in its cluster with those made before it; nothing is changed", async () => {
        fake = await FakeCluster.start(one, two);
        const outs = await create(inputs(two, { version: "5.10.3" }));
        expect(Date.parse(outs.joinedAt)).toBeGreaterThan(Date.now() - 60_000);
        expect(outs).toMatchObject({ nodeName: two, members: all });
        expect(fake.writes).toEqual([]);
        expect(fake.looks).toBe(2);
    });

    it("is waited for through everything that comes before: no API, a web page, not listed, stopped", async () => {
        fake = await FakeCluster.start(one);
        fake.fault = "cut";
        const stages: (() => void)[] = [
            () => {
                fake.fault = { status: 404, html: "<html><title>Nothing</title></html>" };
            },
            () => {
                fake.fault = { status: 503, body: { code: "X", message: "starting" } };
            },
            () => {
                fake.fault = undefined;
            },
            () => fake.run(two, { status: "stopped" }),
            () => fake.run(two),
        ];
        fake.onLook = () => stages.shift()?.();
        await create(inputs(two));
        expect(stages).toEqual([]);
    });

    it("is not taken at its word while it is alone: those that ran before must be in the same look", async () => {
        fake = await FakeCluster.start(one);
        fake.run(two, { alone: true });
        const text = await failureOf(create(inputs(two, { timeouts: short })));
        expect(text).toMatch(
            /after \d+ s: (?:emqx@10\.1\.1\.4 is not in the cluster yet|emqx@10\.1\.0\.4 ran before and must run too); /,
        );
        fake.run(two);
        await create(inputs(two));
    });

    it("does not count while another node that ran has stopped, also a later one of the plan", async () => {
        fake = await FakeCluster.start(one, three);
        fake.onLook = (look) => {
            if (look === 2) {
                fake.run(two);
                fake.stopNode(three);
            }
        };
        expect(await failureOf(create(inputs(two, { timeouts: short })))).toMatch(
            `${three} ran before and must run too; running: ${one}, ${two}`,
        );
    });

    it("must be seen twice, so that one that comes and goes is not taken", async () => {
        fake = await FakeCluster.start(one, two);
        fake.onLook = (look) => {
            if (look === 2) {
                fake.stopNode(two);
            } else if (look === 4) {
                fake.run(two);
            }
        };
        await create(inputs(two));
        expect(fake.looks).toBe(5);
    });

    it("is let take clients again where its disk has kept a drain", async () => {
        fake = await FakeCluster.start(one, two);
        fake.run(two, { draining: "prohibiting" });
        await create(inputs(two));
        expect(fake.writes).toEqual([`POST /load_rebalance/${two}/evacuation/stop`]);
        expect(fake.nodes.get(two)?.draining).toBeUndefined();
    });

    it("is waited for while the node that answers takes no clients", async () => {
        fake = await FakeCluster.start(one, two);
        fake.run(one, { draining: "evicting_conns" });
        expect(await failureOf(create(inputs(two, { members: [one, two], timeouts: short })))).toMatch(/takes no clients yet/);
        expect(fake.writes).toEqual([]);
    });

    it("that never comes fails at its deadline: with the way to the API where that never answered", async () => {
        fake = await FakeCluster.start();
        const text = await failureOf(create(inputs(one, { timeouts: short })));
        expect(text).toMatch(
            /^cannot see the node "emqx@10\.1\.0\.4" in the cluster "m-aws" at http:\/\/127\.0\.0\.1:\d+: after \d+ s: /,
        );
        expect(text).toMatch(
            /adminCidrs holds the public address .* reach is how .* serial console .*"linkspan-boot emqx@10\.1\.0\.4".* The next pulumi up goes on waiting$/,
        );
        expect(text).not.toContain("s3cret");
    });

    it("that never comes fails at its deadline: with its machine where the others answer", async () => {
        fake = await FakeCluster.start(one);
        const text = await failureOf(create(inputs(two, { timeouts: short })));
        expect(text).toMatch(
            /emqx@10\.1\.1\.4 is not in the cluster yet; running: emqx@10\.1\.0\.4\. ?Look at the serial console/,
        );
        expect(text).not.toMatch(/adminCidrs/);
    });

    it("is given up early where waiting will not help: another cluster, another version, a wrong key", async () => {
        fake = await FakeCluster.start(one, two);
        const patient = { timeouts: { ...ample, joinSeconds: 600 } };
        expect(await failureOf(create(inputs(two, { ...patient, version: "5.10.4" })))).toMatch(
            /runs EMQX 5\.10\.3, not 5\.10\.4/,
        );
        expect(await failureOf(create(inputs(two, { ...patient, clusterName: "m-gcp" })))).toMatch(
            /is called "m-aws", not "m-gcp"/,
        );
        fake.fault = { status: 401, body: { code: "BAD_API_KEY_OR_SECRET", message: "Check api_key/api_secret" } };
        expect(await failureOf(create(inputs(two, patient)))).toMatch(/401 BAD_API_KEY_OR_SECRET/);
        expect(fake.writes).toEqual([]);
    });

    it("is not asked for with values that are not known yet", async () => {
        fake = await FakeCluster.start(one);
        expect(await failureOf(create(inputs(one, { gate: { id: unknownValue } })))).toMatch(/not known yet/);
        expect(fake.looks).toBe(0);
    });
});

describe("a node whose machine was replaced", () => {
    it("is waited for until it has started anew, not taken for what it was", async () => {
        newRun({ ...quick, sameProcessSeconds: 60 });
        fake = await FakeCluster.start(one, two, three);
        fake.run(two, { startedAt: Date.now() - 3_600_000 });
        await announceReplacement(two);
        await end(two);
        const looks = fake.looks;
        fake.onLook = (look) => {
            if (look === looks + 3) {
                fake.stopNode(two);
            } else if (look === looks + 6) {
                fake.run(two);
            }
        };
        await create(inputs(two));
        expect(fake.looks).toBeGreaterThanOrEqual(looks + 7);
        expect(warnings).toEqual([]);
    });

    it("is taken, with a line, when it goes on answering with its old start: the machine was not touched", async () => {
        fake = await FakeCluster.start(one, two, three);
        fake.run(two, { startedAt: Date.now() - 3_600_000 });
        await announceReplacement(two);
        await end(two);
        await create(inputs(two));
        expect(warnings).toEqual([expect.stringMatching(/^linkspan: emqx@10\.1\.1\.4 of m-aws did not restart/)]);
    });

    it("is taken when it does not say how long it has been up", async () => {
        fake = await FakeCluster.start(one, two, three);
        fake.run(two, { ageless: true });
        await announceReplacement(two);
        await end(two);
        await create(inputs(two));
        expect(warnings).toEqual([]);
    });

    it("must find again those that ran when it was drained, also where it is the first of the plan", async () => {
        fake = await FakeCluster.start(one, two, three);
        await announceReplacement(one);
        await end(one);
        fake.nodes.delete(two);
        fake.nodes.delete(three);
        expect(await failureOf(create(inputs(one, { timeouts: short })))).toMatch(`${two}, ${three} ran before and must run too`);
    });
});

describe("a membership's diff", () => {
    beforeEach(async () => {
        fake = await FakeCluster.start(one);
    });

    it("replaces, the old one first, for a gate that changes or is not known", async () => {
        const replaced = { changes: true, replaces: ["gate"], deleteBeforeReplace: true };
        expect(await diff(outputs(one), inputs(one, { gate: { id: "i-2", size: "small" } }))).toEqual(replaced);
        expect(await diff(outputs(one), inputs(one, { gate: { id: unknownValue, size: "small" } }))).toEqual(replaced);
        const whole = JSON.parse(JSON.stringify({ ...inputs(one), gate: unknownValue })) as MembershipInputs;
        expect(await diff(outputs(one), whole)).toEqual(replaced);
        expect(await diff(outputs(one), inputs(one, { gate: { id: "i-1", size: "small", boot: unknownValue } }))).toEqual(
            replaced,
        );
    });

    it("replaces for another node or cluster", async () => {
        expect(await diff(outputs(one), inputs(one, { clusterName: "m-b" }))).toMatchObject({ replaces: ["clusterName"] });
        expect(await diff(outputs(one), inputs(two))).toMatchObject({ replaces: ["nodeName"], deleteBeforeReplace: true });
    });

    it("updates in place, without a look at the cluster, for everything else", async () => {
        for (const more of [
            { api: { ...fake.api, proxy: "socks5://127.0.0.1:1" } },
            { api: JSON.parse(JSON.stringify(unknownValue)) as MembershipInputs["api"] },
            { timeouts: { joinSeconds: 60 } },
            { members: [one] },
            { version: "5.10.4" },
            { gate: { id: "i-1", size: "small", boot: "b" } },
            { gate: { id: "i-1" } },
        ]) {
            expect(await diff(outputs(one), inputs(one, more))).toEqual({ changes: true });
        }
        const updated = await membership.update?.("id", outputs(one), inputs(one, { members: [one] }));
        expect(updated?.outs).toMatchObject({ members: [one], joinedAt: "2026-01-01T00:00:00.000Z" });
        expect(fake.looks).toBe(0);
    });

    it("finds nothing where nothing has changed", async () => {
        const { progressUrn: _urn, ...rest } = inputs(one);
        expect(await diff({ ...outputs(one), progressUrn: urn("x") }, rest)).toEqual({ changes: false });
    });
});

describe("a node that is drained", () => {
    it("gives its clients and sessions to the others where its machine is replaced", async () => {
        fake = await FakeCluster.start(one, two, three);
        fake.run(two, { connected: 60_000, sessions: 61_000 });
        await announceReplacement(two);
        await end(two);
        expect(fake.writes).toEqual([`POST /load_rebalance/${two}/evacuation/start`]);
        expect(fake.bodies).toEqual([
            { wait_health_check: "30s", wait_takeover: "10s", conn_evict_rate: 600, sess_evict_rate: 610 },
        ]);
        expect(fake.nodes.get(two)).toMatchObject({ connected: 0, sessions: 0 });
        expect(warnings).toEqual([]);
    });

    it("gives them too where the site goes on without it", async () => {
        fake = await FakeCluster.start(one, two, three);
        fake.run(three, { connected: 3, sessions: 4 });
        await check(inputs(one, { members: [one, two] }));
        await end(three);
        expect(fake.nodes.get(three)).toMatchObject({ connected: 0, sessions: 0 });
    });

    it("is let go at once where nothing is connected, and where the whole cluster goes, also with sessions", async () => {
        fake = await FakeCluster.start(one, two, three);
        await announceReplacement(two);
        await end(two);
        fake.run(three, { sessions: 5 });
        await end(three);
        expect(fake.looks).toBe(2);
        expect(fake.writes).toEqual([]);
    });

    it("has its clients sent away soon where the whole cluster goes", async () => {
        fake = await FakeCluster.start(one, two);
        fake.run(two, { connected: 10, sessions: 20 });
        await end(two);
        expect(fake.bodies).toEqual([expect.objectContaining({ wait_health_check: "1s", conn_evict_rate: 100 })]);
        expect(fake.nodes.get(two)?.connected).toBe(0);
    });

    it("is left alone where it is the only one that runs: nobody could take its clients", async () => {
        fake = await FakeCluster.start(one, two);
        fake.run(one, { connected: 10, sessions: 10 });
        fake.stopNode(two);
        await announceReplacement(one);
        await end(one);
        expect(fake.writes).toEqual([]);
        expect(fake.looks).toBe(1);
    });

    it("is let go where it is gone or dead already", async () => {
        fake = await FakeCluster.start(one, two);
        fake.stopNode(two);
        await end(two);
        fake.nodes.delete(two);
        await end(two);
        expect(fake.writes).toEqual([]);
        expect(warnings).toEqual([]);
    });

    it("goes on from a drain that was started before, and takes EMQX's word for its end", async () => {
        fake = await FakeCluster.start(one, two);
        const node = fake.run(two, { connected: 5, sessions: 5, draining: "evicting_conns", sticky: true });
        await announceReplacement(two);
        fake.onLook = (look) => {
            if (look === 3) {
                node.draining = "prohibiting";
            }
        };
        await end(two);
        expect(fake.writes).toEqual([]);
        expect(fake.looks).toBe(3);
    });

    it("goes at its deadline with what is left, and says so", async () => {
        fake = await FakeCluster.start(one, two);
        fake.run(two, { connected: 7, sessions: 9, sticky: true });
        await announceReplacement(two);
        await end(two, { timeouts: short });
        expect(warnings).toEqual([
            "linkspan: emqx@10.1.1.4 of m-aws could not be drained within 0.3 s: its machine goes with 7 clients and 2 sessions, which connect again elsewhere",
        ]);
    });

    it("goes without a drain, and says so, where the cluster does not answer, refuses, or is another one", async () => {
        fake = await FakeCluster.start(one, two);
        fake.run(two, { connected: 7, sessions: 7 });
        fake.faults.push({ request: /evacuation\/start/, answer: { status: 400, body: { code: "BAD_REQUEST", message: "no" } } });
        await end(two);
        expect(warnings.pop()).toMatch(/cannot be drained, which cuts off 7 clients: .*400 BAD_REQUEST no/);
        fake.faults.length = 0;
        fake.clusterName = "other";
        await end(two);
        expect(warnings.pop()).toMatch(/goes without a drain: the cluster that answers is called "other"/);
        for (const fault of [
            "cut",
            "hang",
            { status: 502, html: "<html>Bad Gateway</html>" },
            { status: 401, body: {} },
        ] as const) {
            fake.fault = fault;
            await end(two, { timeouts: short });
            expect(warnings.pop()).toMatch(
                /^linkspan: emqx@10\.1\.1\.4 of m-aws goes without a drain, which cuts its clients off: cannot /,
            );
        }
        expect(warnings).toEqual([]);
    });

    it("waits through a moment without an answer", async () => {
        fake = await FakeCluster.start(one, two);
        fake.run(two, { connected: 2, sessions: 2 });
        fake.onLook = (look) => {
            fake.faults.length = 0;
            if (look === 2) {
                fake.faults.push({ request: /GET/, answer: "cut" });
            }
        };
        await end(two);
        expect(fake.nodes.get(two)?.connected).toBe(0);
        expect(warnings).toEqual([]);
    });
});

describe("a membership that takes over a node", () => {
    it("keeps it when the old one is deleted after it: a rename", async () => {
        fake = await FakeCluster.start(one, two);
        fake.run(two, { connected: 5, sessions: 5 });
        const renamed = inputs(two, { progressUrn: urn("renamed") });
        await check(renamed);
        await create(renamed);
        await end(two);
        expect(fake.writes).toEqual([]);
        expect(warnings).toEqual(['linkspan: the node "emqx@10.1.1.4" of "m-aws" is kept: it is now that of renamed']);
    });

    it("is refused while both are in the program", async () => {
        fake = await FakeCluster.start(one);
        expect((await check(inputs(one)))?.failures).toEqual([]);
        expect((await check(inputs(one, { progressUrn: urn("second") })))?.failures).toEqual([
            expect.objectContaining({
                property: "nodeName",
                reason: expect.stringMatching(/is described by the resource emqx@10\.1\.0\.4 as well/),
            }),
        ]);
    });
});

describe("a membership at refresh", () => {
    it("keeps what is known, and tells of a node that does not run or a cluster that does not answer", async () => {
        fake = await FakeCluster.start(one, two);
        const read = async (timeouts = ample) => (await membership.read?.("id", outputs(two, { timeouts })))?.props;
        // What is stored of the URN is its digest.
        const kept = (timeouts = ample) => ({ ...outputs(two, { timeouts }), progressUrn: expect.any(String) });
        expect(await read()).toEqual(kept());
        expect(warnings).toEqual([]);
        fake.stopNode(two);
        expect(await read()).toEqual(kept());
        expect(warnings.pop()).toMatch(/does not run in the cluster "m-aws"/);
        fake.fault = "hang";
        expect(await read(short)).toEqual(kept(short));
        expect(warnings.pop()).toMatch(/could not be read; its last known state is kept/);
    });
});

describe("a membership's arguments", () => {
    it("are refused with their names, without the secret", async () => {
        fake = await FakeCluster.start(one);
        for (const [more, message] of [
            [{ nodeName: "no node" }, /^nodeName: "no node" is no node name/],
            [{ members: [one, "x"] }, /^members\[1\]: "x" is no node name/],
            [{ members: [two] }, /^members: "emqx@10\.1\.0\.4" is not among them/],
            [{ clusterName: "" }, /^clusterName: it is empty/],
            [{ gate: {} }, /^gate: it is empty/],
            [{ timeouts: { joinSeconds: 0 } }, /^timeouts\.joinSeconds: 0 is out of range/],
            [{ timeouts: { evacuateSeconds: 4_000 } }, /^timeouts\.evacuateSeconds: 4000 is out of range/],
            [{ api: { ...fake.api, url: "http://10.0.0.1" } }, /^api\.url: .*not encrypted/],
            [{ api: { ...fake.api, proxy: "ftp://u:s3cret-value@h:1" } }, /^api\.proxy: "ftp:\/\/\*\*\*" has the scheme/],
        ] as const) {
            const failures = (await check({ ...inputs(one), ...more }))?.failures ?? [];
            expect(failures).toEqual([{ property: "nodeName", reason: expect.stringMatching(message) }]);
            expect(JSON.stringify(failures)).not.toContain("s3cret");
        }
    });

    it("are not judged while they are not known", async () => {
        fake = await FakeCluster.start(one);
        const unknown = JSON.parse(
            JSON.stringify({ ...inputs(one), api: unknownValue, gate: unknownValue, timeouts: unknownValue }),
        ) as MembershipInputs;
        expect((await check(unknown))?.failures).toEqual([]);
    });
});
