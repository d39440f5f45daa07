import { describe, expect, it } from "vitest";
import { parseStackConfig } from "./config.js";

const good = {
    sites: [
        { name: "north", siteNumber: 1, type: "local" },
        { name: "south", siteNumber: 2, type: "local" },
    ],
    tier: "nat",
    topics: ["fleet/#"],
    maxOutageSeconds: 20,
    probeCount: 100,
    probeRate: 200,
    prove: "change",
};

describe("parseStackConfig", () => {
    it("reads a whole configuration", () => {
        expect(parseStackConfig(good)).toMatchObject({
            tier: "nat",
            sites: [{ name: "north", siteNumber: 1, type: "local", args: {} }, { name: "south" }],
        });
    });

    it("reads what the command line gives as text", () => {
        expect(parseStackConfig({ ...good, maxOutageSeconds: "5", topics: '["a/#"]' })).toMatchObject({
            maxOutageSeconds: 5,
            topics: ["a/#"],
        });
    });

    it("hands a site's own settings on", () => {
        const [site] = parseStackConfig({
            ...good,
            sites: [{ name: "n", siteNumber: 1, type: "local", ports: { mqtts: 8883 } }],
        }).sites;
        expect(site?.args).toEqual({ ports: { mqtts: 8883 } });
    });

    it.each<[string, object, string]>([
        ["a wrong tier", { tier: "ipsec" }, 'tier: "ipsec" is no tier; set one of nat, vpn, interconnect'],
        [
            "no sites",
            { sites: undefined },
            "sites: it is missing; set it with: pulumi config set --path 'linkspan:sites[0]' VALUE",
        ],
        ["sites that are no list", { sites: "north" }, 'sites: "north" is no list'],
        ["a site that is no object", { sites: ["north"] }, 'sites[0]: "north" is no site; set name, siteNumber and type'],
        [
            "an unknown type",
            { sites: [{ name: "n", siteNumber: 1, type: "mars" }] },
            'sites[0].type: "mars" is no type of site; set one of local, external, aws, gcp, azure',
        ],
        [
            "a misspelt setting",
            { sites: [{ name: "n", siteNumber: 1, type: "local", port: 1 }] },
            "sites[0].port: a local site has no such setting",
        ],
        ["a missing name", { sites: [{ siteNumber: 1 }] }, "sites[0].name: it is missing"],
        ["a number that is none", { maxOutageSeconds: "soon" }, 'maxOutageSeconds: "soon" is no number'],
        ["a topic that is no text", { topics: [5] }, "topics[0]: 5 is no text"],
        ["an unknown prove", { prove: "never" }, 'prove: "never" is not possible; set change or always'],
    ])("refuses %s", (_what, change, message) => {
        expect(() => parseStackConfig({ ...good, ...change })).toThrow(message);
    });
});
