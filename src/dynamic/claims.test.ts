import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IncompleteError, type Lifecycle, lazyProvider, unknownValue } from "./provider.js";

interface Thing {
    readonly thing: string;
    readonly progressUrn?: string;
}

const urn = (name: string) => `urn:pulumi:test::project::pulumi-nodejs:dynamic/linkspan:Thing::${name}`;
const described = (name: string, thing = "x"): Thing => ({ thing, progressUrn: urn(name) });

/** A kind whose objects are the entries of a set, as links are those of a broker. */
function kind() {
    const things = new Set<string>();
    const lifecycle: Lifecycle<Thing, Thing> = {
        outside: ({ thing }) =>
            thing === unknownValue
                ? undefined
                : { what: `the thing ${thing}`, keys: [`name ${thing}`, `place ${thing}`], property: "thing" },
        diff: async () => ({ changes: false }),
        create: async (inputs) => {
            things.add(inputs.thing);
            if (inputs.thing === "half") {
                throw new IncompleteError("made, not proven", "id", inputs);
            }
            return { id: inputs.thing, outs: inputs };
        },
        delete: async (_id, olds) => {
            things.delete(olds.thing);
        },
    };
    return { things, provider: lazyProvider(async () => lifecycle) };
}

describe("a resource that takes over the object of another", () => {
    let said: string[];

    beforeEach(() => {
        said = [];
        vi.spyOn(console, "warn").mockImplementation((text: string) => {
            said.push(text);
        });
    });
    afterEach(() => vi.restoreAllMocks());

    it("keeps it when the other one is deleted after it: a rename", async () => {
        const { things, provider } = kind();
        await provider.check?.({}, described("new"));
        await provider.create(described("new"));
        await provider.delete?.("x", described("old"));
        expect([...things]).toEqual(["x"]);
        expect(said).toEqual(["linkspan: the thing x is kept: it is now that of new"]);
    });

    it("keeps it when a run in between failed, so that this one only checks the new resource", async () => {
        const { things, provider } = kind();
        things.add("x");
        await provider.check?.({}, described("new"));
        await provider.delete?.("x", described("old"));
        expect([...things]).toEqual(["x"]);
    });

    it("keeps it when it replaces itself, complete or not", async () => {
        for (const thing of ["x", "half"]) {
            const { things, provider } = kind();
            await provider.check?.({}, described("same", thing));
            await provider.create(described("same", thing)).catch(() => {});
            await provider.delete?.(thing, described("same", thing));
            expect([...things]).toEqual([thing]);
        }
    });

    it("deletes what nobody else stands for: removed, replaced by another object, or ended before its successor is made", async () => {
        const { things, provider } = kind();
        for (const thing of ["removed", "before", "first"]) {
            things.add(thing);
        }
        await provider.delete?.("removed", described("a", "removed"));
        await provider.check?.({}, described("b", "after"));
        await provider.create(described("b", "after"));
        await provider.delete?.("before", described("b", "before"));
        await provider.check?.({}, described("c", "first"));
        await provider.delete?.("first", described("c", "first"));
        expect([...things]).toEqual(["after"]);
        expect(said).toEqual([]);
    });

    it("is refused while both are in the program", async () => {
        const { provider } = kind();
        expect((await provider.check?.({}, described("one")))?.failures).toEqual([]);
        expect((await provider.check?.({}, described("one")))?.failures).toEqual([]);
        expect((await provider.check?.({}, described("two")))?.failures).toEqual([
            { property: "thing", reason: "the thing x is described by the resource one as well; leave one of the two out" },
        ]);
    });

    it("is not looked for while the object is not known", async () => {
        const { provider } = kind();
        await provider.check?.({}, described("one", unknownValue));
        expect((await provider.check?.({}, described("two", unknownValue)))?.failures).toEqual([]);
    });
});
