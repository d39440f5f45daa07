import { describe, expect, it } from "vitest";
import { record } from "../../test/support/recorder.js";
import { parseStackConfig } from "./config.js";
import { makeSite } from "./sites.js";

const outputs = (type: string) => (type.endsWith(":Secrets") ? { values: { link: "link secret" } } : { version: "5.10.3" });

/** Makes an existing cluster as the ready stack does. */
async function make(more: object) {
    const site = {
        name: "plant",
        siteNumber: 1,
        type: "external",
        clusterName: "emqx-plant",
        api: { url: "https://plant.example.com:18084", key: "key", secret: "api-S3cret" },
        link: { server: "plant.example.com:8884" },
        clients: { host: "plant.example.com" },
        ...more,
    };
    const rest = { tier: "nat", topics: ["fleet/#"], maxOutageSeconds: 20, probeCount: 10, probeRate: 10, prove: "change" };
    const { sites } = parseStackConfig({ ...rest, sites: [site] });
    let thrown: unknown;
    const recording = await record(
        async () => {
            thrown = await Promise.all(sites.map(makeSite)).then(
                () => undefined,
                (error: unknown) => error,
            );
        },
        { outputs },
    );
    return { recording, thrown };
}

describe("an existing cluster in the ready stack's configuration", () => {
    it("keeps what is secret secret, also where it was set without --secret", async () => {
        const preflight = (await make({})).recording.named("plant-preflight");
        expect(preflight.inputs.api).toMatchObject({ secret: "api-S3cret" });
        expect(preflight.secrets).toContain("api");
    });

    it("takes keys and passwords that look like numbers for the texts that they are", async () => {
        const api = { url: "https://plant.example.com:18084", key: 4711, secret: 815 };
        const { recording, thrown } = await make({ api });
        expect(thrown).toBeUndefined();
        expect(recording.named("plant-preflight").inputs.api).toMatchObject({ key: "4711", secret: "815" });
    });

    it.each([
        ["api", { api: undefined }, "api.url: it is missing"],
        ["api.secret", { api: { url: "https://plant.example.com:18084", key: "key" } }, "api.secret: it is missing"],
        ["link", { link: undefined }, "link.server: it is missing"],
        ["clients", { clients: undefined }, "clients.host: it is missing"],
    ])("names %s when it is missing", async (_what, more, message) => {
        expect(String((await make(more)).thrown)).toContain(message);
    });
});
