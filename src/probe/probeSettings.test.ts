import { describe, expect, it } from "vitest";
import { InputError } from "../errors.js";
import { checkProbeSettings, probeDefaults, withProbeDefaults } from "./probeSettings.js";

describe("the probe's settings", () => {
    it.each([
        ["count", 0],
        ["count", 1_000_001],
        ["count", 1.5],
        ["count", Number.NaN],
        ["count", "100"],
        ["rate", 0],
        ["rate", 5_001],
        ["qos", 3],
        ["qos", -1],
        ["payloadBytes", -1],
        ["payloadBytes", 1_000_001],
        ["timeoutSeconds", 0],
        ["timeoutSeconds", 3_601],
        ["maxLoss", -1],
        ["prove", "never"],
        ["reach", true],
    ])("refuses %s %j, naming the argument", (key, value) => {
        const check = () => checkProbeSettings({ [key]: value });
        expect(check).toThrow(InputError);
        expect(check).toThrow(new RegExp(`^${key}: `));
    });

    it("takes what is in range, and leaves what is not known yet", () => {
        checkProbeSettings({ count: 1, rate: 5_000, qos: 0, payloadBytes: 0, maxLoss: 3, prove: "always", reach: "optional" });
        checkProbeSettings({ count: Promise.resolve(0), rate: { apply: () => 0 }, timeoutSeconds: undefined });
    });

    it("fills in what is not set, and nothing else", () => {
        expect(withProbeDefaults({})).toEqual(probeDefaults);
        expect(withProbeDefaults({ count: 5 })).toEqual({ ...probeDefaults, count: 5 });
        expect(withProbeDefaults({ pair: "a-b" } as object)).toEqual(probeDefaults);
    });
});
