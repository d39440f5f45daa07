import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeEmqx } from "../../test/support/fakeEmqx.js";
import { unknownValue } from "../dynamic/provider.js";
import { clusterLicense } from "../provider.js";
import { digestOf, type LicenseInputs, type LicenseOutputs } from "./clusterLicenseRules.js";

const key = "bGljZW5jZSBvZiB0aGlzIHRlc3Q=.c2lnbmF0dXJlIG9mIGl0";
const other = "YW5vdGhlciBsaWNlbmNl.YW5vdGhlciBzaWduYXR1cmU=";
let fake: FakeEmqx;
let said: string[];

beforeEach(async () => {
    fake = await FakeEmqx.start("fleet-aws");
    said = [];
    vi.spyOn(console, "warn").mockImplementation((text: string) => void said.push(text));
});
afterEach(async () => {
    vi.restoreAllMocks();
    await fake.stop();
});

const inputs = (more: Partial<LicenseInputs> = {}): LicenseInputs => ({
    api: fake.api,
    clusterName: "fleet-aws",
    key,
    timeouts: { requestSeconds: 2, deleteSeconds: 0.3 },
    ...more,
});

const create = async (given: LicenseInputs) => (await clusterLicense.create(given)).outs as LicenseOutputs;
const update = async (olds: LicenseOutputs, news: LicenseInputs) =>
    (await clusterLicense.update?.("id", olds, news))?.outs as LicenseOutputs;
const diff = (olds: object, news: object) => clusterLicense.diff?.("id", olds, news);
const read = async (olds: LicenseOutputs) => (await clusterLicense.read?.("id", olds))?.props as LicenseOutputs;
const failureOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
        () => "it did not fail",
        (error: Error) => error.message,
    );

describe("ClusterLicense", () => {
    it("loads the key, broken into lines or not, and keeps a digest and what EMQX then says", async () => {
        const outs = await create(inputs({ key: ` ${key.slice(0, 20)}\n${key.slice(20)}\r\n` }));
        expect(fake.seen.at(-1)).toMatchObject({ method: "POST", path: "/api/v5/license", body: { key } });
        expect(outs).toMatchObject({ licenseType: "official", maxSessions: 10_000_000, expiresAt: "2029-03-01" });
        expect(outs.keyDigest).toBe(digestOf(key));
        expect(JSON.stringify(outs)).not.toContain(key);
        expect(outs).not.toHaveProperty("key");
    });

    it("loads another key, and no key twice", async () => {
        const outs = await create(inputs());
        expect(await diff(outs, inputs())).toEqual({ changes: false });
        expect(await diff(outs, inputs({ key: `${key}\n` }))).toEqual({ changes: false });
        expect(await diff(outs, inputs({ key: other }))).toEqual({ changes: true });
        expect(await diff(outs, inputs({ key: unknownValue }))).toEqual({ changes: true });
        const changed = await update(outs, inputs({ key: other }));
        expect(changed.keyDigest).toBe(digestOf(other));
        expect(fake.count(/^POST .*license$/)).toBe(2);
    });

    it("loads nothing where only the way to the API is another one", async () => {
        const outs = await create(inputs());
        const news = inputs({ timeouts: { requestSeconds: 3 } });
        expect(await diff(outs, news)).toEqual({ changes: true });
        expect(await update(outs, news)).toEqual({ ...outs, timeouts: { requestSeconds: 3 } });
        expect(fake.count(/^POST .*license$/)).toBe(1);
        expect(await diff(outs, inputs({ clusterName: "fleet-gcp" }))).toEqual({ changes: true, replaces: ["clusterName"] });
    });

    it("says what EMQX answered to a key that it does not take, and never the key", async () => {
        const message = await failureOf(create(inputs({ key: "no-key-of-emqx" })));
        expect(message).toMatch(
            /^cannot load the licence on "fleet-aws" at .*: 400 BAD_REQUEST Bad license key\. Set license to the whole key/,
        );
        fake.fail(/^POST .*license$/, { status: 400, body: { code: "BAD_REQUEST", message: `bad: ${key}` } });
        expect(await failureOf(create(inputs()))).not.toContain(key);
        fake.fail(/^POST .*license$/, { status: 403, body: { code: "UNAUTHORIZED_ROLE", message: "no" } });
        expect(await failureOf(create(inputs()))).toContain("403 UNAUTHORIZED_ROLE");
    });

    it("sends no key to another cluster", async () => {
        fake.clusterName = "emqxcl";
        expect(await failureOf(create(inputs()))).toMatch(/is called "emqxcl", not "fleet-aws"\. Set clusterName/);
        expect(fake.writes).toEqual([]);
    });

    it("survives an answer that is lost, and warns of a key that has expired", async () => {
        fake.fail(/^POST .*license$/, "lose-answer");
        fake.licenseExpired = true;
        expect(await create(inputs())).toMatchObject({ licenseType: "official" });
        expect(said).toEqual([expect.stringContaining('the licence of "fleet-aws" (official) has expired on 2029-03-01')]);
    });

    it("shows in a refresh what EMQX says now, and keeps what it knew where the cluster does not answer", async () => {
        const outs = await create(inputs());
        expect(await read(outs)).toEqual(outs);
        fake.licenseType = "trial";
        expect(await read(outs)).toEqual({ ...outs, licenseType: "trial" });
        fake.fail(/./, "hang", 100);
        expect(await read(outs)).toEqual(outs);
        expect(said.join()).toContain('the licence of "fleet-aws" could not be read');
    });

    it("leaves the licence as it is when it is deleted", async () => {
        const outs = await create(inputs());
        const before = fake.seen.length;
        await clusterLicense.delete?.("id", outs);
        expect(fake.seen).toHaveLength(before);
    });

    it.each<[string, Partial<LicenseInputs>, RegExp]>([
        ["no key", { key: "" }, /^key: it is missing/],
        ["blanks", { key: " \n" }, /^key: it is missing/],
        ["a key with other characters", { key: "S3cret $(key)" }, /^key: it has a character that no licence key has; [^$]*$/],
        ["no cluster", { clusterName: "" }, /^clusterName: it is empty/],
        ["a deadline of 0", { timeouts: { requestSeconds: 0 } }, /^timeouts\.requestSeconds: 0/],
    ])("refuses %s at preview", async (_what, more, message) => {
        const [failure] = (await clusterLicense.check?.({}, inputs(more)))?.failures ?? [];
        expect(failure?.property).toBe("clusterName");
        expect(failure?.reason).toMatch(message);
    });

    it("never sends what is unknown", async () => {
        for (const part of ["api", "clusterName", "key"]) {
            const news = { ...inputs(), [part]: unknownValue };
            expect((await clusterLicense.check?.({}, news))?.failures).toEqual([]);
            expect(await failureOf(clusterLicense.create(news))).toContain("not known yet");
        }
        expect(fake.seen).toEqual([]);
    });
});
