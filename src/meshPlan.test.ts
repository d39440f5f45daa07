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

const onAws = site("a", 1, { platform: "aws" });
const existing = (name: string, siteNumber: number, egress: readonly string[], doors: readonly string[]) =>
    site(name, siteNumber, { platform: "external", publicAddresses: { egress, doors } });
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
        [
            "ranges that share addresses",
            {
                sites: [
                    site("a", 1, { cidr: "10.1.0.0/16" }),
                    site("b", 2),
                    site("c", 3, { cidr: "10.2.0.0/16" }),
                    site("d", 4, { cidr: "10.1.128.0/20" }),
                ],
            },
            "sites: 10.1.0.0/16 (a) and 10.1.128.0/20 (d) share addresses; give each a range of its own",
        ],
        [
            "a peer whose addresses nobody knows, at a door that lists them",
            { sites: [site("a", 1, { filtersSources: true, fixedEgress: true }), site("b", 2)] },
            "sites: the link door of a admits listed addresses only, and those that b comes from are not known (pair a-b); set link.egressAddresses of b",
        ],
        [
            "the same the other way round",
            { sites: [site("a", 1), site("b", 2, { filtersSources: true })] },
            "sites: the link door of b admits listed addresses only, and those that a comes from are not known (pair a-b)",
        ],
        [
            "two peers of an AWS site that come from one address",
            {
                sites: [
                    onAws,
                    existing("b", 2, ["198.51.99.7"], ["b:1"]),
                    existing("c", 3, ["198.51.99.6", "198.51.99.7"], ["c:1"]),
                ],
            },
            "sites: b and c both come from 198.51.99.7, and a must admit each by itself: AWS takes one rule for an address and a port",
        ],
        [
            "two peers of an AWS site whose doors are one address and port",
            { sites: [onAws, existing("b", 2, [], ["198.51.99.8:8884"]), existing("c", 3, [], ["198.51.99.8:8884"])] },
            "sites: the link doors of b and c are both 198.51.99.8:8884, and a must let its brokers out to each",
        ],
        [
            "two peers of an AWS site whose doors are names at one port",
            { sites: [onAws, existing("b", 2, [], ["0.0.0.0/0:8884"]), existing("c", 3, [], ["0.0.0.0/0:8884"])] },
            "both at port 8884, and a must let its brokers out to each: AWS takes one rule for an address and a port. Set link.addresses of at least one of them",
        ],
        [
            "a name as a door at a port that brokers on AWS may use anywhere",
            { sites: [onAws, existing("b", 2, [], ["0.0.0.0/0:443"])] },
            "the link door of b is a name whose addresses are not known, at port 443, which the brokers of a may use anywhere already",
        ],
    ])("refuses %s", (_what, more, message) => {
        expect(() => planMesh(input(more))).toThrow(message);
    });

    it("takes peers that an AWS site can tell apart, and leaves other clouds and tiers alone", () => {
        const sites = (platform: SiteFacts["platform"], doors: readonly [string, string], egress: readonly [string, string]) => [
            { ...onAws, platform },
            existing("b", 2, [egress[0]], [doors[0]]),
            existing("c", 3, [egress[1]], [doors[1]]),
        ];
        const apart = sites("aws", ["198.51.99.8:8884", "198.51.99.8:9884"], ["198.51.99.1", "198.51.99.2"]);
        expect(planMesh(input({ sites: apart })).pairs).toHaveLength(3);
        const equal = [
            ["0.0.0.0/0:8884", "0.0.0.0/0:8884"],
            ["198.51.99.1", "198.51.99.1"],
        ] as const;
        expect(planMesh(input({ sites: sites("gcp", ...equal) })).pairs).toHaveLength(3);
        const notLinked = input({ sites: sites("aws", ...equal), pairs: { "a-c": { linked: false } } });
        expect(planMesh(notLinked).pairs).toHaveLength(2);
    });

    it("takes ranges that lie side by side, and sites whose range is not known", () => {
        const sites = [site("a", 1, { cidr: "10.1.0.0/16" }), site("b", 2, { cidr: "10.2.0.0/16" }), site("c", 3), site("d", 4)];
        expect(planMesh(input({ sites })).pairs).toHaveLength(6);
    });

    it("asks for a peer's addresses in tier nat only, and only of pairs that are linked", () => {
        const filtering = site("a", 1, { filtersSources: true, fixedEgress: true });
        const fixed = site("b", 2, { fixedEgress: true });
        const unknown = site("c", 3);
        expect(planMesh(input({ sites: [filtering, fixed] })).pairs).toHaveLength(1);
        expect(planMesh(input({ sites: [filtering, unknown], tier: "vpn" })).pairs).toHaveLength(1);
        const pairs = { "a-c": { linked: false } };
        expect(planMesh(input({ sites: [filtering, fixed, unknown], pairs })).pairs.map(({ key }) => key)).toEqual([
            "a-b",
            "b-c",
        ]);
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
