import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matches } from "../../emqx/topicFilter.js";
import { FilterTree, intersection, splitShared } from "./topics.js";

const level = fc.constantFrom("a", "b", "", "$c");
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
const filter = fc
    .tuple(fc.array(fc.oneof(level, fc.constant("+")), { minLength: 0, maxLength: 3 }), fc.boolean())
    .map(([levels, open]) => (open ? [...levels, "#"] : levels.length === 0 ? ["a"] : levels).join("/"));

describe("intersection", () => {
    test.each([
        ["x/#", "x/1", "x/1"],
        ["x/#", "x", "x"],
        ["#", "x/#", "x/#"],
        ["+/1", "x/#", "x/1"],
        ["+/+", "x/#", "x/+"],
        ["a/+/c", "a/b/+", "a/b/c"],
        ["a/b", "a/c", undefined],
        ["a/b", "a", undefined],
        ["#", "$SYS/x", undefined],
        ["+/x", "$SYS/x", undefined],
        ["$SYS/#", "$SYS/x", "$SYS/x"],
    ])("of %s and %s is %s", (one, other, expected) => {
        expect(intersection(one, other)).toBe(expected);
        expect(intersection(other, one)).toBe(expected);
    });

    test("fits exactly the topics that fit both", () => {
        fc.assert(
            fc.property(filter, filter, topic, (one, other, name) => {
                const both = intersection(one, other);
                expect(both !== undefined && matches(both, name)).toBe(matches(one, name) && matches(other, name));
            }),
            { numRuns: 3000 },
        );
    });
});

describe("FilterTree", () => {
    test("finds what the plain rule finds, after any additions and removals", () => {
        fc.assert(
            fc.property(
                fc.array(fc.tuple(filter, fc.nat(3), fc.boolean()), { maxLength: 20 }),
                fc.array(topic, { minLength: 1, maxLength: 5 }),
                (steps, topics) => {
                    const tree = new FilterTree<number>();
                    const plain = new Map<string, [string, number]>();
                    for (const [pattern, value, add] of steps) {
                        if (add) {
                            tree.add(pattern, value);
                            plain.set(`${pattern} ${value}`, [pattern, value]);
                        } else {
                            tree.remove(pattern, value);
                            plain.delete(`${pattern} ${value}`);
                        }
                    }
                    expect(tree.size).toBe(plain.size);
                    for (const name of topics) {
                        const found: number[] = [];
                        tree.match(name, (value) => {
                            found.push(value);
                        });
                        const expected = [...plain.values()]
                            .filter(([pattern]) => matches(pattern, name))
                            .map(([, value]) => value);
                        expect(found.sort()).toEqual(expected.sort());
                        expect(tree.has(name)).toBe(expected.length > 0);
                    }
                },
            ),
            { numRuns: 1000 },
        );
    });
});

test.each([
    ["a/b", { filter: "a/b" }],
    ["$share/g/a/#", { group: "g", filter: "a/#" }],
    ["$share/g/", undefined],
    ["$share//a", undefined],
    ["$share/g", undefined],
    ["$share/g+/a", undefined],
])("splitShared takes %s apart", (subscription, expected) => {
    expect(splitShared(subscription)).toEqual(expected);
});
