import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeCluster } from "../../test/support/fakeCluster.js";
import { lazyProvider, unknownValue } from "../dynamic/provider.js";
import { makeDepartureProvider } from "./nodeDepartureProvider.js";
import { NodeFates } from "./nodeFate.js";
import type { DepartureInputs } from "./nodeMembershipRules.js";
import { nodePace } from "./nodePace.js";

const [one, two, three] = ["emqx@10.1.0.4", "emqx@10.1.1.4", "emqx@10.1.2.4"] as const;
const quick = { ...nodePace, firstPauseMs: 2, longestPauseMs: 5 };
const urn = (name: string) => `urn:pulumi:test::project::pulumi-nodejs:dynamic/linkspan:NodeDeparture::${name}`;

let fake: FakeCluster;
let warnings: string[];
let fates: NodeFates;
let departure: ReturnType<typeof lazyProvider<DepartureInputs, DepartureInputs>>;

function newRun(leaveSeconds = 60): void {
    fates = new NodeFates();
    departure = lazyProvider(async () => makeDepartureProvider(fates, { ...quick, leaveSeconds }));
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

const inputs = (nodeName: string, more: Partial<DepartureInputs> = {}): DepartureInputs => ({
    api: fake.api,
    clusterName: "m-aws",
    nodeName,
    progressUrn: urn(nodeName),
    ...more,
});
const check = (given: DepartureInputs) => departure.check?.({}, given);
const end = (nodeName: string, more: Partial<DepartureInputs> = {}) => departure.delete?.("id", inputs(nodeName, more));

describe("a node that the site no longer has", () => {
    it("leaves the cluster once it has stopped, and no sooner", async () => {
        fake = await FakeCluster.start(one, two, three);
        await check(inputs(one));
        await check(inputs(two));
        fake.onLook = (look) => {
            if (look === 4) {
                expect(fake.writes).toEqual([]);
                fake.stopNode(three);
            }
        };
        await end(three);
        expect(fake.writes).toEqual([`DELETE /cluster/${three}/force_leave`]);
        expect([...fake.nodes.keys()]).toEqual([one, two]);
        expect(warnings).toEqual([]);
    });

    it("has left already", async () => {
        fake = await FakeCluster.start(one);
        await check(inputs(one));
        await end(three);
        expect(fake.writes).toEqual([]);
        expect(fake.looks).toBe(1);
    });

    it("leaves though the answer is lost", async () => {
        fake = await FakeCluster.start(one, two);
        await check(inputs(one));
        fake.stopNode(two);
        fake.faults.push({ request: /force_leave/, answer: "cut" });
        fake.onLook = (look) => {
            if (look === 2) {
                fake.faults.length = 0;
            }
        };
        await end(two);
        expect([...fake.nodes.keys()]).toEqual([one]);
    });

    it.each<[string, (cluster: FakeCluster) => void, RegExp]>([
        ["it still runs", () => {}, /it still runs\./],
        ["another cluster answers", (cluster) => Object.assign(cluster, { clusterName: "other" }), /answers is called "other"\./],
        ["nobody answers", (cluster) => Object.assign(cluster, { fault: "cut" }), /cannot read the cluster's name/],
        [
            "the key is wrong",
            (cluster) => Object.assign(cluster, { fault: { status: 401, body: { code: "BAD_API_KEY_OR_SECRET" } } }),
            /401 BAD_API_KEY_OR_SECRET/,
        ],
        [
            "it is refused",
            (cluster) => {
                cluster.stopNode(two);
                const body = { code: "BAD_REQUEST", message: "not now" };
                cluster.faults.push({ request: /force_leave/, answer: { status: 400, body } });
            },
            /400 BAD_REQUEST not now/,
        ],
    ])("stays listed, and a line says so, while %s", async (_what, make, message) => {
        newRun(0.2);
        fake = await FakeCluster.start(one, two);
        await check(inputs(one));
        make(fake);
        await end(two, { timeouts: { deleteSeconds: 0.1 } });
        expect(warnings).toEqual([expect.stringMatching(message)]);
        expect(warnings[0]).toMatch(
            /^linkspan: emqx@10\.1\.1\.4 stays listed in the cluster m-aws: .*cluster\.autoclean.*DELETE \/api\/v5\/cluster\/emqx@10\.1\.1\.4\/force_leave$/,
        );
        expect(warnings[0]).not.toContain("s3cret");
        expect(fake.nodes.has(two)).toBe(true);
    });
});

describe("a node that is not to leave", () => {
    beforeEach(async () => {
        fake = await FakeCluster.start(one, two);
        fake.stopNode(two);
    });
    afterEach(() => {
        expect(fake.writes).toEqual([]);
        expect(fake.looks).toBe(0);
    });

    it("goes with its whole cluster: nothing is asked", async () => {
        await end(two);
    });

    it("is one of another cluster than those in the program", async () => {
        await check(inputs(one, { clusterName: "m-gcp" }));
        await end(two);
    });

    it("is still in the program under another name", async () => {
        await check(inputs(one));
        await check(inputs(two, { progressUrn: urn("renamed") }));
        await end(two);
        expect(warnings).toEqual([
            expect.stringMatching(/the departure of "emqx@10\.1\.1\.4" from "m-aws" is kept: it is now that of renamed/),
        ]);
    });

    it("is in the cluster's plan still", async () => {
        fates.describe("m-aws", one, [one, two]);
        await end(two);
    });
});

describe("a departure", () => {
    beforeEach(async () => {
        fake = await FakeCluster.start(one);
    });

    it("is made, read and changed without a look at the cluster", async () => {
        // What is stored of the URN is its digest.
        const stored = (given: ReturnType<typeof inputs>) => ({ ...given, progressUrn: expect.any(String) });
        expect(await departure.create(inputs(one))).toEqual({ id: `m-aws/${one}`, outs: stored(inputs(one)) });
        const moved = inputs(one, { api: { ...fake.api, url: "https://h.example:1" } });
        expect(await departure.diff?.("id", inputs(one), moved)).toEqual({ changes: true });
        expect((await departure.update?.("id", inputs(one), moved))?.outs).toEqual(stored(moved));
        expect(await departure.diff?.("id", inputs(one), inputs(one))).toEqual({ changes: false });
        expect(await departure.diff?.("id", inputs(one), inputs(two))).toEqual({ changes: true, replaces: ["nodeName"] });
        expect(await departure.read?.("id", inputs(one))).toEqual({ id: "id", props: stored(inputs(one)) });
        expect(fake.looks).toBe(0);
    });

    it("is refused with a wrong node name, and not judged while it is not known", async () => {
        expect((await check(inputs("x")))?.failures).toEqual([
            { property: "nodeName", reason: expect.stringMatching(/^nodeName: "x" is no node name/) },
        ]);
        expect((await check(inputs(unknownValue)))?.failures).toEqual([]);
    });
});

describe("what a run knows of a node", () => {
    beforeEach(async () => {
        fake = await FakeCluster.start();
    });

    it("is nothing where the cluster is not in the program", () => {
        expect(fates.fate("c", one)).toBe("unknown");
        fates.describe("other", one, [one]);
        expect(fates.fate("c", one)).toBe("unknown");
    });

    it("is that it comes back where it is in the program, in the plan, or was announced", () => {
        fates.describe("a", one);
        fates.describe("b", one, [one, two]);
        fates.replace("c", two);
        expect([fates.fate("a", one), fates.fate("b", two), fates.fate("c", two)]).toEqual(["replaced", "replaced", "replaced"]);
    });

    it("is that it is removed where others are in the program and the plan does not list it, whatever was announced", () => {
        fates.describe("a", one);
        fates.describe("b", one, [one]);
        fates.replace("b", two);
        expect([fates.fate("a", two), fates.fate("b", two)]).toEqual(["removed", "removed"]);
    });
});
