import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Lifecycle, lazyProvider, unknownValue } from "./provider.js";
import { folded, packedInputs, packedOutputs, type Stored, type StoredForm, sealOf, unfolded, unpacked } from "./storedForm.js";

const form: StoredForm = { secrets: ["key", "token"], made: ["status"] };
const secret = "s3cret-of-the-form";

interface In {
    readonly name: string;
    readonly key?: string;
    readonly token?: unknown;
    readonly progressUrn?: string;
    readonly sealed?: string;
}
interface Out extends In {
    readonly status: string;
}

/** A kind that notes what its code was given, and keeps of its secrets only the token. */
function kind() {
    const seen: { create: In[]; diff: [Out, In][]; remove: Out[] } = { create: [], diff: [], remove: [] };
    const lifecycle: Lifecycle<In, Out> = {
        check: async (news) => ({ inputs: news, failures: news.name === "bad" ? [{ property: "name", reason: "is bad" }] : [] }),
        canonical: ({ key }) => (key === undefined ? {} : { key: key.trim() }),
        diff: async (_id, olds, news) => {
            seen.diff.push([olds, news]);
            return { changes: olds.sealed !== news.sealed || olds.name !== news.name };
        },
        create: async (inputs) => {
            seen.create.push(inputs);
            const { key: _key, ...kept } = inputs;
            return { id: "id", outs: { ...kept, status: "made" } };
        },
        read: async (_id, olds) => ({ outs: olds, inputs: { name: "drifted", sealed: olds.sealed ?? "" } }),
        delete: async (_id, olds) => {
            seen.remove.push(olds);
        },
    };
    return { seen, provider: lazyProvider(async () => lifecycle, form) };
}

const urn = "urn:pulumi:test::project::pulumi-nodejs:dynamic/linkspan:Thing::one";
const sent = (secrets: unknown = { key: secret, token: "t" }) => ({
    args: { name: "one", progressUrn: urn },
    secrets,
    __provider: "text",
});

describe("a kind with a stored form", () => {
    it("keeps of its inputs' secrets their digests only, and finds the secrets again in the same run", async () => {
        const { seen, provider } = kind();
        const { inputs } = (await provider.check?.({}, sent())) ?? {};
        expect(JSON.stringify(inputs)).not.toContain(secret);
        expect(inputs).toEqual({
            args: { name: "one", progressUrn: expect.stringMatching(/^[\w-]{12}$/) },
            secrets: expect.stringMatching(/^[\w-]{22}\.[\w-]{22}$/),
            __provider: "text",
        });
        const { outs } = await provider.create(inputs);
        expect(seen.create).toMatchObject([{ name: "one", key: secret, token: "t", progressUrn: urn }]);
        expect(outs).toEqual({
            args: inputs.args,
            secrets: { token: "t", sealed: inputs.secrets },
            made: { status: "made" },
            __provider: "text",
        });
    });

    it("sees a changed secret by its digest, another spelling as none, and needs no secret for that", async () => {
        const { provider } = kind();
        const { inputs } = (await provider.check?.({}, sent())) ?? {};
        const { outs } = await provider.create(inputs);
        const changes = async (secrets: unknown) => {
            const checked = (await provider.check?.({}, sent(secrets)))?.inputs;
            // Another process, as in a refresh: nothing is known there but what stands in state.
            return (await kind().provider.diff?.("id", outs, checked))?.changes;
        };
        expect(await changes({ key: secret, token: "t" })).toBe(false);
        expect(await changes({ key: ` ${secret} `, token: "t" })).toBe(false);
        expect(await changes({ key: "other", token: "t" })).toBe(true);
        expect(await changes({ key: secret })).toBe(true);
    });

    it("leaves alone what is not known yet, and shows its code every secret as not known", async () => {
        const { seen, provider } = kind();
        const news = sent(unknownValue);
        expect((await provider.check?.({}, news))?.inputs).toEqual(news);
        await provider.diff?.("id", sent(), news);
        expect(seen.diff[0]?.[1]).toMatchObject({ key: unknownValue, token: unknownValue });
    });

    it("reads state of the earlier form, a property per argument", async () => {
        const { seen, provider } = kind();
        const old = { name: "one", key: secret, token: "t", status: "made", progressUrn: urn, __provider: "text" };
        const { inputs } = (await provider.check?.({}, sent())) ?? {};
        expect((await provider.diff?.("id", old, inputs))?.changes).toBe(false);
        await provider.delete?.("id", old);
        expect(seen.remove).toMatchObject([{ name: "one", token: "t" }]);
    });

    it("says what a refresh found without the secrets, and what is wrong without a property's value", async () => {
        const { provider } = kind();
        const { outs } = await provider.create((await provider.check?.({}, sent()))?.inputs);
        const found = (await kind().provider.read?.("id", outs)) as { inputs?: Stored };
        expect(found.inputs).toEqual({ args: { name: "drifted" }, secrets: outs.secrets.sealed });
        const failures = (await provider.check?.({}, { ...sent(), args: { name: "bad" } }))?.failures;
        expect(failures).toEqual([{ property: "", reason: "is bad" }]);
    });
});

describe("the stored form", () => {
    it("brings back what was packed (property)", () => {
        const value = fc.oneof(fc.string(), fc.integer(), fc.array(fc.string()), fc.dictionary(fc.string(), fc.string()));
        const flat = fc.record({ name: value, key: value, token: value, status: value, __provider: fc.string() });
        fc.assert(
            fc.property(flat, (given) => {
                expect(unpacked(form, packedOutputs(form, given), unknownValue)).toEqual(given);
                const sealed = sealOf(form, given);
                const { key: _key, token: _token, ...open } = given;
                expect(unpacked(form, packedInputs(form, given, sealed), unknownValue)).toEqual({ ...open, sealed });
            }),
        );
    });

    it("stores a long text once, however often it occurs, and no text is taken for a reference (property)", () => {
        const long = "-----BEGIN CERTIFICATE-----".padEnd(600, "x");
        const text = fc.oneof(fc.constant(long), fc.constant("=0"), fc.constant("==0"), fc.string());
        const tree = fc.dictionary(
            fc.string().filter((key) => key !== "=" && key !== "__proto__"),
            fc.oneof(text, fc.array(text), fc.record({ ca: text, other: text }, { noNullPrototype: true })),
            { noNullPrototype: true },
        );
        fc.assert(
            fc.property(tree, (given) => {
                expect(unfolded(folded(given))).toEqual(given);
            }),
        );
        const twice = folded({ a: { ca: long }, b: { ca: long, other: "=0" } });
        expect(JSON.stringify(twice).split(long)).toHaveLength(2);
    });
});
