import { describe, expect, it } from "vitest";
import { checkMesh, linkedPairs } from "../../../src/cli/meshChecks.js";
import { parseStackState } from "../../../src/cli/stackState.js";
import { exportedStack } from "./cliFixture.js";

const sites = ["aws", "azure", "gcp"].map((site, index) => ({
    site,
    api: `https://127.0.0.1:${index + 1}`,
    mqttPort: index + 1,
}));
const state = (links?: readonly (readonly [string, string])[], prefix?: (site: string) => string) =>
    parseStackState(
        exportedStack({ sites, ...(links === undefined ? {} : { links }), ...(prefix === undefined ? {} : { prefix }) }),
    );

describe("the checks of a mesh", () => {
    it("find nothing in a full mesh", () => {
        expect(checkMesh(state())).toEqual([]);
        expect(linkedPairs(state().links)).toHaveLength(3);
    });

    it("name the pair that a chain leaves out", () => {
        const chain = [
            ["aws", "azure"],
            ["azure", "aws"],
            ["azure", "gcp"],
            ["gcp", "azure"],
        ] as const;
        expect(checkMesh(state(chain))).toEqual([
            expect.objectContaining({ id: "missing-pair", level: "warn", title: "aws and gcp are not linked" }),
        ]);
    });

    it("name the side whose link is missing", () => {
        const oneWay = [
            ["aws", "azure"],
            ["azure", "aws"],
            ["azure", "gcp"],
            ["gcp", "azure"],
            ["aws", "gcp"],
        ] as const;
        expect(checkMesh(state(oneWay))).toEqual([
            expect.objectContaining({ id: "missing-direction", level: "fail", title: "gcp has no link to aws" }),
        ]);
    });

    it.each([
        ["equal prefixes", () => "link-", 3],
        ["one that begins another", (site: string) => (site === "aws" ? "a" : site === "azure" ? "azure-" : "gcp-"), 1],
        ["prefixes of their own", (site: string) => `${site}-`, 0],
    ])("find client-id prefixes that clash: %s", (_name, prefix, count) => {
        expect(checkMesh(state(undefined, prefix)).filter(({ id }) => id === "prefix-clash")).toHaveLength(count);
    });
});
