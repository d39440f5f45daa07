import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { DeliveryProbe, type DeliveryProbeArgs } from "../../../src/probe/deliveryProbe.js";
import { record } from "../../support/recorder.js";

const side = (site: string) => ({
    site,
    clusterName: `m-${site}`,
    mqtt: { host: "127.0.0.1", port: 8883, tls: true, username: "probe", password: "plain-text" },
    api: { url: "https://127.0.0.1:18084", key: "k", secret: "s" },
});
const args: DeliveryProbeArgs = {
    pair: "aws-gcp",
    a: side("aws"),
    b: side("gcp"),
    directions: [{ from: "aws", to: "gcp", topics: ["fleet/#"] }],
};

/** Makes the resource; a program must not return it, because what it returns is written out. */
function make(more: Partial<DeliveryProbeArgs>): void {
    new DeliveryProbe("proof", { ...args, ...more });
}

describe("DeliveryProbe", () => {
    it("keeps both sides secret, whatever the program gave", async () => {
        const recording = await record(() => make({ proves: { tier: "nat" } }));
        const probe = recording.named("proof");
        expect(probe.type).toBe("pulumi-nodejs:dynamic/linkspan:DeliveryProbe");
        expect(probe.secrets).toEqual(["a", "b"]);
        expect(probe.secretOutputs).toEqual(["secrets"]);
        expect(probe.inputs).toMatchObject({ pair: "aws-gcp", directions: args.directions, proves: { tier: "nat" } });
    });

    it("stores only what is set, so that another default changes no state", async () => {
        const recording = await record(() => make({}));
        expect(Object.keys(recording.named("proof").inputs).sort()).toEqual([
            "__provider",
            "a",
            "b",
            "directions",
            "pair",
            "progressUrn",
        ]);
    });

    it("gives what was measured, one row for each direction", async () => {
        const row = { from: "aws", to: "gcp", status: "proven", delivered: 100, runId: "r" };
        let results: unknown;
        await record(
            () => {
                new DeliveryProbe("proof", args).results.apply((found) => {
                    results = found;
                });
            },
            { outputs: () => ({ results: [row] }) },
        );
        expect(results).toEqual([row]);
    });

    it.each([
        [{ count: 0 }, /count: 0 is out of range; set a whole number from 1 to 1000000 messages/],
        [{ rate: 6_000 }, /rate: 6000 is out of range/],
        [{ qos: 3 }, /qos: 3 is out of range/],
        [{ timeoutSeconds: 0.5 }, /timeoutSeconds: 0.5 is out of range/],
        [{ prove: "never" as "always" }, /prove: "never" is not known; set "change" or "always"/],
    ])("refuses %j at preview", async (wrong, message) => {
        await record(() => {
            expect(() => make(wrong)).toThrow(message);
        });
    });

    it("leaves values that come later to its provider", async () => {
        const recording = await record(() => make({ count: pulumi.output(0) }));
        expect(recording.named("proof").inputs).toMatchObject({ count: 0 });
    });
});
