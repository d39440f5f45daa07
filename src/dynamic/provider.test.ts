import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../errors.js";
import { checkFailures } from "./checkFailures.js";
import { progressFor } from "./progress.js";
import { hasUnknown, IncompleteError, type Lifecycle, lazyProvider, unknownValue } from "./provider.js";

interface In {
    readonly name: string;
    readonly extra?: string | undefined;
}
interface Out extends In {
    readonly made?: string | undefined;
}

const plain: Lifecycle<In, Out> = {
    diff: async () => ({ changes: false }),
    create: async (inputs) => ({ id: "id", outs: { ...inputs, made: undefined, extra: undefined } }),
    read: async (_id, olds) =>
        olds.name === "gone" ? undefined : { outs: { ...olds, made: undefined }, inputs: { name: olds.name, extra: undefined } },
    update: async (_id, _olds, news) => ({ ...news, made: undefined }),
};

describe("hasUnknown", () => {
    it("finds what is not known yet at any depth, and nothing else (property)", () => {
        fc.assert(
            fc.property(
                fc.jsonValue(),
                fc.array(fc.oneof(fc.string(), fc.constant("array")), { maxLength: 6 }),
                (value, path) => {
                    expect(hasUnknown(value)).toBe(false);
                    const nested = path.reduce<unknown>(
                        (inner, key) => (key === "array" ? [value, inner] : { other: value, [`k${key}`]: inner }),
                        unknownValue,
                    );
                    expect(hasUnknown(nested)).toBe(true);
                },
            ),
        );
        expect(hasUnknown(undefined)).toBe(false);
        expect(hasUnknown(`x${unknownValue}`)).toBe(false);
    });
});

describe("lazyProvider", () => {
    it("loads the code behind it on the first call only, and once per call at most", async () => {
        let loads = 0;
        const provider = lazyProvider(async () => {
            loads++;
            return plain;
        });
        expect(loads).toBe(0);
        await provider.diff?.("id", { name: "a" }, { name: "a" });
        expect(loads).toBe(1);
    });

    it("never hands the host an undefined, which it could not send after the object exists", async () => {
        const provider = lazyProvider(async () => plain);
        const created = await provider.create({ name: "a", extra: undefined });
        expect(Object.keys(created.outs)).toEqual(["name"]);
        expect(Object.keys((await provider.read?.("id", { name: "a" }))?.props)).toEqual(["name"]);
        expect(Object.keys((await provider.update?.("id", {} as Out, { name: "a" }))?.outs)).toEqual(["name"]);
        expect(Object.keys((await provider.check?.({}, { name: "a", extra: undefined }))?.inputs)).toEqual(["name", "extra"]);
    });

    it("answers a read of what is gone with nothing, and one without an implementation with the last state", async () => {
        expect(await lazyProvider(async () => plain).read?.("id", { name: "gone" })).toEqual({});
        const { read: _read, update: _update, ...blind } = plain;
        const provider = lazyProvider(async () => blind);
        expect(await provider.read?.("id", { name: "a" })).toEqual({ id: "id", props: { name: "a" } });
        await expect(provider.update?.("id", { name: "a" }, { name: "b" })).rejects.toThrow(/never updated/);
        await provider.delete?.("id", { name: "a" });
    });

    it("throws errors whose stack is their message, keeping what the engine stores of an unfinished object", async () => {
        const failing = (error: unknown) =>
            lazyProvider<In, Out>(async () => ({
                ...plain,
                create: async () => {
                    throw error;
                },
            })).create({ name: "a" });
        const simple = (await failing(new Error("it broke")).catch((error: unknown) => error)) as Error;
        expect(simple.stack).toBe("it broke");
        expect(((await failing("text").catch((error: unknown) => error)) as Error).stack).toBe("text");
        const incomplete = (await failing(new IncompleteError("half done", "the-id", { name: "a", gone: undefined })).catch(
            (error: unknown) => error,
        )) as IncompleteError;
        expect(incomplete).toMatchObject({ id: "the-id", properties: { name: "a" }, reasons: ["half done"], stack: "half done" });
        expect(Object.keys(incomplete.properties)).toEqual(["name"]);
    });
});

describe("checkFailures", () => {
    it("puts every wrong argument under the one property that is not secret", () => {
        const bad = (argument: string) => () => {
            throw new InputError(argument, "is wrong");
        };
        expect(checkFailures("name", bad("password"), () => {}, bad("tls.key"))).toEqual([
            { property: "name", reason: "password: is wrong" },
            { property: "name", reason: "tls.key: is wrong" },
        ]);
    });

    it("lets a fault of the program through", () => {
        const fault = () => {
            throw new TypeError("x is not a function");
        };
        expect(() => checkFailures("name", fault)).toThrow(TypeError);
    });
});

describe("progressFor", () => {
    it("does nothing without a resource or an engine, and never throws", async () => {
        expect(() => progressFor(undefined)("text")).not.toThrow();
        expect(() => progressFor("")("text")).not.toThrow();
        expect(() => progressFor("urn:pulumi:s::p::t::n")("text")).not.toThrow();
        // Connecting happens in the background; a failure there must stay there.
        await new Promise((resolve) => setTimeout(resolve, 20));
    });
});
