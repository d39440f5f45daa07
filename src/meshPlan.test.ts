import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SiteFacts } from "./contracts/site.js";
import { type MeshPlanInput, planMesh } from "./meshPlan.js";

const everyTier: SiteFacts["tiers"] = { nat: { supported: true }, vpn: { supported: true }, interconnect: { supported: true } };

function site(name: string, siteNumber: number, more: Partial<SiteFacts> = {}): SiteFacts {
    return {
        name,
        siteNumber,
        platform: "local",
        linkProtocol: "linkspan-local",
        clusterName: `m-${name}`,
        meshId: "m",
        tiers: everyTier,
        ...more,
    };
}

const two = [site("a", 1), site("b", 2)];
const three = [...two, site("c", 3)];

function input(more: Partial<MeshPlanInput> = {}): MeshPlanInput {
    return { sites: three, tier: "nat", topics: ["fleet/#"], maxOutageSeconds: 20, ...more };
}

describe("planMesh", () => {
    it("links every two sites", () => {
        expect(planMesh(input()).pairs.map((pair) => pair.key)).toEqual(["a-b", "a-c", "b-c"]);
    });

    it("gives each receiving site its own topics", () => {
        const [pair] = planMesh(input({ sites: two, topics: { a: ["up/#"], b: ["down/#"] } })).pairs;
        expect(pair).toMatchObject({ a: "a", b: "b", topicsToA: ["up/#"], topicsToB: ["down/#"] });
    });

    it("lets a pair override tier, topics and outage, and only that pair", () => {
        const plan = planMesh(input({ pairs: { "a-c": { tier: "vpn", topics: ["x"], maxOutageSeconds: 5 } } }));
        expect(plan.pairs.find((pair) => pair.key === "a-c")).toMatchObject({
            tier: "vpn",
            topicsToA: ["x"],
            topicsToB: ["x"],
            maxOutageSeconds: 5,
        });
        expect(plan.pairs.find((pair) => pair.key === "a-b")).toMatchObject({
            tier: "nat",
            topicsToA: ["fleet/#"],
            maxOutageSeconds: 20,
        });
    });

    it("allows one way", () => {
        const [pair] = planMesh(input({ sites: two, topics: { a: ["up/#"] } })).pairs;
        expect(pair).toMatchObject({ topicsToA: ["up/#"], topicsToB: [] });
    });

    it("warns of a chain: links do not pass messages on", () => {
        const plan = planMesh(input({ pairs: { "a-c": { linked: false } } }));
        expect(plan.pairs.map((pair) => pair.key)).toEqual(["a-b", "b-c"]);
        expect(plan.warnings).toEqual([
            "pair a-c is not linked: links do not pass messages on, so a and c exchange nothing, whatever other pairs exist",
        ]);
    });

    it("warns of a proof at QoS 0: an outage is not bridged for it", () => {
        expect(planMesh(input({ proofQos: 0 })).warnings).toEqual([
            expect.stringMatching(/^proof\.qos is 0: .* maxOutageSeconds \(20\)/),
        ]);
        expect(planMesh(input({ proofQos: 1 })).warnings).toEqual([]);
    });

    it("says once what a stand-in does not prove", () => {
        const tiers = { ...everyTier, vpn: { supported: true, standsFor: "No tunnel was built." } } as const;
        const standIn = "EMQX itself did not run.";
        expect(planMesh(input({ sites: [site("a", 1, { standIn }), site("b", 2, { standIn })] })).notProven).toEqual([standIn]);
        expect(planMesh(input({ sites: [site("a", 1, { tiers }), site("b", 2, { tiers })], tier: "vpn" })).notProven).toEqual([
            "No tunnel was built.",
        ]);
        expect(planMesh(input({ sites: [site("a", 1, { tiers }), site("b", 2, { tiers })] })).notProven).toEqual([]);
    });

    it.each<[string, Partial<MeshPlanInput>, string]>([
        ["one site", { sites: [site("a", 1)] }, "sites: 1 given; a mesh joins at least two sites"],
        ["equal names", { sites: [site("a", 1), site("a", 2)] }, 'sites[1].name: "a" is the name of sites[0] too'],
        ["equal numbers", { sites: [site("a", 1), site("b", 1)] }, "sites[1].siteNumber: 1 is taken by a"],
        [
            "equal clusters",
            { sites: [site("a", 1), site("b", 2, { clusterName: "m-a" })] },
            'sites[1].clusterName: "m-a" is the cluster.name of a too',
        ],
        ["two meshes", { sites: [site("a", 1), site("b", 2, { meshId: "n" })] }, "sites: the sites belong to different meshes"],
        ["an unknown tier", { tier: "ipsec" as "vpn" }, 'tier: "ipsec" is no tier; set one of nat, vpn, interconnect'],
        ["an unknown pair", { pairs: { "a-d": {} } }, 'pairs["a-d"]: there is no such pair'],
        ["a pair the wrong way round", { pairs: { "b-a": {} } }, 'pairs["b-a"]: there is no such pair'],
        ["an unknown tier of a pair", { pairs: { "a-b": { tier: "x" as "vpn" } } }, 'pairs["a-b"].tier: "x" is no tier'],
        [
            "one text for topics",
            { topics: "fleet/#" as unknown as string[] },
            'topics: "fleet/#" is no list; set a list of topic filters',
        ],
        ["no topics", { topics: undefined as unknown as string[] }, "topics: it is missing; set a list of topic filters"],
        ["one text for a site", { topics: { a: "x" } as unknown as string[] }, 'topics["a"]: "x" is no list; set a list'],
        ["topics of an unknown site", { topics: { d: ["x"] } }, 'topics["d"]: there is no such site'],
        [
            "topics of a site outside the pair",
            { pairs: { "a-b": { topics: { c: ["x"] } } } },
            'pairs["a-b"].topics["c"]: there is no such site',
        ],
        ["no topics at all", { topics: [] }, "topics: neither a nor b would receive anything"],
        [
            "no topics for a pair",
            { pairs: { "a-b": { topics: [] } } },
            'pairs["a-b"].topics: neither a nor b would receive anything',
        ],
        ["nothing linked", { sites: two, pairs: { "a-b": { linked: false } } }, "pairs: every pair has linked: false"],
        [
            "a shared pair key",
            { sites: [site("a", 1), site("b-c", 2), site("a-b", 3), site("c", 4)] },
            'would share the key "a-b-c"',
        ],
        [
            "a stand-in with a real cluster",
            { sites: [site("a", 1), site("b", 2, { linkProtocol: "emqx", platform: "external" })] },
            "sites: a is a local stand-in and b a real EMQX cluster (pair a-b): EMQX's links carry Erlang terms",
        ],
        [
            "a tier that a site cannot do",
            {
                sites: [
                    site("a", 1),
                    site("b", 2, { tiers: { ...everyTier, vpn: { supported: false, reason: "it has no gateway" } } }),
                ],
                tier: "vpn",
            },
            'tier: "vpn" is not possible for b (pair a-b): it has no gateway; b can do nat, interconnect',
        ],
    ])("refuses %s", (_what, more, message) => {
        expect(() => planMesh(input(more))).toThrow(message);
    });

    it("plans every other pair the same when a site is added, in whatever order the sites come", () => {
        const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/), { minLength: 3, maxLength: 12 });
        fc.assert(
            fc.property(names, fc.integer(), (all, seed) => {
                const sites = all.map((name, index) => site(name, index + 1));
                const [removed, ...rest] = sites;
                const shuffled = [...sites].sort(
                    (one, other) => ((one.siteNumber * 7919 + seed) % 13) - ((other.siteNumber * 7919 + seed) % 13),
                );
                const whole = planMesh(input({ sites: shuffled })).pairs;
                expect(whole).toHaveLength((sites.length * (sites.length - 1)) / 2);
                expect(whole.filter((pair) => pair.a !== removed?.name && pair.b !== removed?.name)).toEqual(
                    planMesh(input({ sites: rest })).pairs,
                );
            }),
        );
    });
});
