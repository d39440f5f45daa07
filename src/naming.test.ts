import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
    checkMeshId,
    checkSiteName,
    checkSiteNumber,
    clientIdPrefix,
    clusterName,
    defaultMeshId,
    linkHost,
    linkUser,
    pairKey,
} from "./naming.js";

describe("checkSiteName", () => {
    it.each(["a", "edge-1", "eu-central-1", "a".repeat(24)])("takes %s", (name) => {
        expect(checkSiteName(name)).toBe(name);
    });

    it.each(["", "A", "1a", "a_b", "a--b", "a-", "-a", "a.b", "ä", "a".repeat(25), "a b"])("refuses %j", (name) => {
        expect(() => checkSiteName(name, "sites[0].name")).toThrow(/^sites\[0\]\.name: .* is no site name; use 1 to 24/);
    });
});

describe("checkMeshId", () => {
    it("refuses words that a cloud resolves itself", () => {
        expect(() => checkMeshId("google")).toThrow('meshId: "google" is resolved by a cloud\'s own name server');
    });

    it("refuses what cannot stand in a host name", () => {
        expect(() => checkMeshId("Fleet")).toThrow('meshId: "Fleet" is no mesh id');
    });
});

describe("checkSiteNumber", () => {
    it.each([1, 120])("takes %d", (value) => {
        expect(checkSiteNumber(value)).toBe(value);
    });

    it.each([0, 121, 1.5, Number.NaN, -1])("refuses %d", (value) => {
        expect(() => checkSiteNumber(value)).toThrow(/siteNumber: .* set a whole number from 1 to 120/);
    });
});

describe("defaultMeshId", () => {
    it.each([
        ["fleet", "dev", "fleet-dev"],
        ["My Project", "org/prod", "my-project-org-prod"],
        ["9lives", "dev", "lives-dev"],
        ["___", "---", "mesh"],
    ])("makes of %s and %s: %s", (project, stack, id) => {
        expect(defaultMeshId(project, stack)).toBe(id);
    });

    it("is a valid mesh id whatever the project and the stack are called", () => {
        fc.assert(
            fc.property(fc.string(), fc.string(), (project, stack) => {
                const id = defaultMeshId(project, stack);
                expect(id).toMatch(/^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,39}$/);
            }),
        );
    });
});

describe("derived names", () => {
    it("are what peers and certificates carry", () => {
        const cluster = clusterName("fleet-dev", "edge");
        expect(cluster).toBe("fleet-dev-edge");
        expect(clientIdPrefix(cluster)).toBe("fleet-dev-edge-");
        expect(linkUser(cluster)).toBe("link-fleet-dev-edge");
        expect(linkHost("fleet-dev", "edge")).toBe("edge.link.fleet-dev.internal");
    });

    it("name a pair the same from both sides", () => {
        expect(pairKey("b", "a")).toBe("a-b");
        expect(pairKey("a", "b")).toBe("a-b");
    });
});
