import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../errors.js";
import { checkRelease, defaultRelease, parseVersion, releaseSkew, releases, routeLife } from "./releases.js";
import { resourceOptionsFor } from "./resourceOptions.js";

describe("releases", () => {
    const cases: readonly (readonly [string, boolean, boolean | undefined, "ok" | "warn" | "refuse"])[] = [
        [defaultRelease, true, false, "ok"],
        ["e5.10.3", true, undefined, "ok"],
        ["v5.10.4", true, false, "ok"],
        ["5.8.4", true, false, "ok"],
        ["5.9.0", false, false, "ok"],
        ["5.8.3", false, true, "refuse"],
        ["5.8.0", false, true, "refuse"],
        ["5.7.2", false, true, "refuse"],
        ["4.4.0", false, true, "refuse"],
        ["6.0.0", true, false, "warn"],
        ["6.0.2", true, false, "warn"],
        ["6.0.3", true, false, "refuse"],
        ["6.0.3", true, true, "warn"],
        ["6.0.3", true, undefined, "warn"],
        ["6.1.0", true, false, "warn"],
        ["6.1.2", true, true, "refuse"],
        ["6.1.2", false, false, "warn"],
        ["6.1.3", true, false, "warn"],
        ["6.1.4", false, false, "refuse"],
        ["6.2.0", true, false, "warn"],
        ["6.2.1", true, true, "refuse"],
        ["6.2.1", false, false, "warn"],
        ["6.2.2", true, true, "warn"],
        ["6.2.2", true, false, "refuse"],
        ["6.3.0", false, false, "refuse"],
        ["7.0.0", false, true, "warn"],
        ["5.10.3-rc.1", true, false, "ok"],
        ["nightly", true, true, "warn"],
    ];
    it.each(cases)("%s with TLS %s and licence %s: %s", (version, tls, licensed, level) => {
        const verdict = checkRelease(version, { tls, licensed });
        expect(verdict.level).toBe(level);
        if (level === "ok") {
            expect(verdict.reason).toBeUndefined();
        } else {
            expect(verdict.reason).toContain(version === "nightly" ? "nightly" : (parseVersion(version)?.join(".") ?? "?"));
        }
    });

    it("says what to do about a licence and about TLS", () => {
        expect(checkRelease("6.2.2", { tls: true, licensed: false }).reason).toMatch(/licence key/);
        expect(checkRelease("6.2.1", { tls: true, licensed: true }).reason).toMatch(/TLS .* use the next patch release/);
    });

    it("knows its default well", () => {
        expect(checkRelease(defaultRelease, { tls: true, licensed: false })).toEqual({ level: "ok" });
    });

    it("has a row, a reason where it does not say ok, and a source with a date for every release", () => {
        for (const row of releases) {
            expect(row.source).not.toBe("");
            expect(row.date).toMatch(/^\d{4}-\d\d-\d\d$/);
            expect(row.reason === undefined).toBe(row.level === "ok");
        }
        const part = fc.integer({ min: 0, max: 99 });
        fc.assert(
            fc.property(part, part, part, fc.boolean(), (major, minor, patch, tls) => {
                const { level, reason } = checkRelease(`${major}.${minor}.${patch}`, { tls });
                return (level === "ok") === (reason === undefined) && (major >= 5 || level === "refuse");
            }),
        );
    });

    it.each([
        ["e5.10.3", [5, 10, 3]],
        ["5.10", [5, 10, 0]],
        ["6.0.0-alpha.2", [6, 0, 0]],
        ["5.10.3+build", [5, 10, 3]],
        ["five", undefined],
        ["", undefined],
        ["5", undefined],
    ])("parses %s", (version, expected) => {
        expect(parseVersion(version)).toEqual(expected);
    });

    it("warns of different major versions only", () => {
        expect(releaseSkew("5.8.4", "e6.1.0")).toMatch(/5\.8\.4 and 6\.1\.0/);
        expect(releaseSkew("5.8.4", "5.10.3")).toBeUndefined();
        expect(releaseSkew("x", "5.10.3")).toBeUndefined();
    });
});

describe("resource options", () => {
    it("keep a message longer than the outage, and look after connections every second", () => {
        for (const outage of [0.5, 1, 20, 29.5, 30]) {
            const options = resourceOptionsFor(outage);
            expect(options).toEqual({ requestTtl: "45s", healthCheckInterval: "1s", maxBufferBytes: "256MB" });
            expect(Number.parseInt(options.requestTtl, 10)).toBeGreaterThanOrEqual(outage + 15);
        }
    });

    it("refuse what the life of routes cannot keep, with the reason", () => {
        expect(routeLife()).toBe(30);
        expect(() => resourceOptionsFor(31)).toThrow(/maxOutageSeconds: 31 .*30 s .*forgets.*at most 30/);
        expect(() => resourceOptionsFor(31, "5.8.4")).toThrow(/EMQX 5\.8\.4/);
    });

    it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuse %s", (value) => {
        expect(() => resourceOptionsFor(value)).toThrow(InputError);
    });
});
