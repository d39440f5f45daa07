import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeEmqx } from "../../test/support/fakeEmqx.js";
import { unknownValue } from "../dynamic/provider.js";
import { clusterPreflight } from "../provider.js";
import type { PreflightInputs, PreflightOutputs } from "./preflightRules.js";

let fake: FakeEmqx;
let warnings: string[];

beforeEach(async () => {
    fake = await FakeEmqx.start("plant");
    warnings = [];
    vi.spyOn(console, "warn").mockImplementation((text: string) => {
        warnings.push(text);
    });
});

afterEach(async () => {
    vi.restoreAllMocks();
    await fake.stop();
});

function inputs(more: Partial<PreflightInputs> = {}): PreflightInputs {
    return {
        api: fake.api,
        expectedClusterName: "plant",
        tls: true,
        allowLoopback: true,
        timeouts: { requestSeconds: 2, deleteSeconds: 2 },
        ...more,
    };
}

const create = async (given: PreflightInputs) => (await clusterPreflight.create(given)).outs as PreflightOutputs;
const failureOf = (work: Promise<unknown>) =>
    work.then(
        () => "it did not fail",
        (error: Error) => error.message,
    );
const diff = (olds: object, news: object) => clusterPreflight.diff?.("id", olds, news);

describe("ClusterPreflight", () => {
    it("reads version, licence and nodes, and writes nothing", async () => {
        expect(await create(inputs())).toMatchObject({ version: "5.10.3", licenseType: "community", nodes: 1 });
        expect(fake.writes).toEqual([]);
        expect(warnings).toEqual([]);
    });

    it("refuses, with the reason, what cannot be linked (F40, F41)", async () => {
        for (const [change, message] of [
            [{ clusterName: "emqxcl" }, /is called "emqxcl", not "plant"\. Set expectedClusterName/],
            [{ version: "5.7.2" }, /EMQX 5\.7\.2: this release has no cluster linking/],
            [{ version: "5.8.2" }, /EMQX 5\.8\.2/],
            [{ version: "6.1.2", licenseType: "official" }, /EMQX 6\.1\.2: cluster links over TLS/],
            [{ version: "6.2.2" }, /EMQX 6\.2\.2: .*licence/],
        ] as const) {
            Object.assign(fake, { clusterName: "plant", version: "5.10.3", licenseType: "community" }, change);
            const text = await failureOf(create(inputs()));
            expect(text).toMatch(message);
            expect(text).toMatch(/Nothing was changed/);
        }
        expect(fake.writes).toEqual([]);
    });

    it("takes a release that only TLS breaks, without TLS, and one with a licence", async () => {
        Object.assign(fake, { version: "6.1.2", licenseType: "official" });
        expect(await create(inputs({ tls: false }))).toMatchObject({ version: "6.1.2" });
        Object.assign(fake, { version: "6.2.2", licenseType: "official" });
        expect(await create(inputs())).toMatchObject({ version: "6.2.2", licenseType: "official" });
        expect(warnings).toHaveLength(2);
        expect(warnings[1]).toMatch(/^linkspan: plant at http:.*EMQX 6\.2\.2/);
    });

    it("refuses an expired licence", async () => {
        fake.fail(/^GET .*license$/, {
            status: 200,
            body: { type: "official", expiry: true, expiry_at: "2020-01-01", max_sessions: 10 },
        });
        expect(await failureOf(create(inputs()))).toMatch(/its licence \(official\) has expired/);
    });

    it("looks again only when something about the cluster is said to change", async () => {
        const outs = await create(inputs());
        expect(await diff({ ...outs, __provider: "a" }, { ...inputs({ progressUrn: "x" }), __provider: "b" })).toEqual({
            changes: false,
        });
        expect(await diff(outs, inputs({ expectedClusterName: "other" }))).toEqual({ changes: true });
        expect(await diff(outs, inputs({ tls: false }))).toEqual({ changes: true });
        expect(await diff(outs, inputs({ api: { ...fake.api, secret: unknownValue } }))).toEqual({ changes: true });
    });

    it("shows an upgraded cluster at a refresh, and keeps the last state of one that does not answer", async () => {
        const outs = await create(inputs());
        fake.version = "5.10.4";
        const read = async () => (await clusterPreflight.read?.("id", outs))?.props as PreflightOutputs;
        expect(await read()).toEqual({ ...outs, version: "5.10.4" });
        fake.fail(/./, { status: 502, html: "<html>Bad Gateway</html>" }, 1000);
        expect(await read()).toEqual(outs);
        expect(warnings).toEqual([
            expect.stringMatching(/^linkspan: the cluster "plant" could not be read; its last known state is kept\. .*502/),
        ]);
    });

    it("asks nothing with values that are not known yet, and has nothing to delete", async () => {
        for (const unknown of [{ api: { ...fake.api, secret: unknownValue } }, { expectedClusterName: unknownValue }]) {
            expect(await failureOf(create(inputs(unknown)))).toMatch(/not known yet/);
            expect((await clusterPreflight.check?.({}, inputs(unknown)))?.failures).toEqual([]);
        }
        await clusterPreflight.delete?.("id", inputs());
        expect(fake.seen).toEqual([]);
    });
});
