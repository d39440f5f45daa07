import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { checkTopicFilter, checkTopicFilters, covers, intersects, matches } from "./topicFilter.js";

describe("checkTopicFilter", () => {
    it.each(["a", "fleet/#", "#", "+", "+/a/+", "/", "a//b", "/#", "a b/ü/🚚", "$custom/a", "x".repeat(65_535)])(
        "takes %j",
        (filter) => {
            expect(() => checkTopicFilter(filter)).not.toThrow();
        },
    );

    it.each([
        ["", "no topic filter"],
        ["a\u0000b", "NUL"],
        ["a/\ud800", "lone surrogate"],
        ["\udc00\ud800", "lone surrogate"],
        ["x".repeat(65_536), "65536 bytes"],
        ["ü".repeat(32_768), "65536 bytes"],
        ["a/#/b", 'a "#" that is not alone'],
        ["#/a", 'a "#" that is not alone'],
        ["a#", 'a "#" that is not alone'],
        ["a/b#", 'a "#" that is not alone'],
        ["a/##", 'a "#" that is not alone'],
        ["a+/b", 'a "+" that is not alone'],
        ["a/+b", 'a "+" that is not alone'],
        ["++", 'a "+" that is not alone'],
        ["$LINK/#", "EMQX's own topics"],
        ["$LINK/cluster/msg/a", "EMQX's own topics"],
        ["$LINK", "EMQX's own topics"],
        ["$SYS/#", "EMQX's own topics"],
        ["$queue/a", "EMQX's own topics"],
        ["$share/g/a/#", 'set the filter inside it, "a/#"'],
        ["$share/g", "shared subscription"],
    ])("refuses %j: %s", (filter, problem) => {
        expect(() => checkTopicFilter(filter, "topics[3]")).toThrow(
            expect.objectContaining({ argument: "topics[3]", problem: expect.stringContaining(problem) }),
        );
    });

    it("keeps its message short", () => {
        expect(() => checkTopicFilter("x".repeat(100_000))).toThrow(/^.{1,250}$/);
    });
});

describe("checkTopicFilters", () => {
    it.each([[[]], [["a/#", "b/#"]], [["a/+/x", "a/b"]], [["+/a", "+/b"]], [["$x/a", "#"]]])("takes %j", (filters) => {
        expect(checkTopicFilters(filters)).toEqual(filters);
    });

    it.each([
        [["a/#", "a/#"], "topics[1]", "stands in topics[0] already"],
        [["t/1", "t/+"], "topics[0]", 'is covered by "t/+"'],
        [["a/#", "a/b"], "topics[1]", 'is covered by "a/#"'],
        [["a/#", "a"], "topics[1]", 'is covered by "a/#"'],
        [["#", "a/b"], "topics[1]", 'is covered by "#"'],
        [["a", "b", "c/#/d"], "topics[2]", '"#"'],
        [["#", "+/#"], "topics[0]", "is covered by"],
    ])("refuses %j", (filters, argument, problem) => {
        expect(() => checkTopicFilters(filters)).toThrow(
            expect.objectContaining({ argument, problem: expect.stringContaining(problem) }),
        );
    });
});

describe("matching", () => {
    it.each([
        ["#", "a/b", true],
        ["#", "$SYS/a", false],
        ["+/a", "$x/a", false],
        ["$x/#", "$x/a", true],
        ["a/#", "a", true],
        ["a/#", "ab", false],
        ["a/+", "a", false],
        ["a/+", "a/", true],
        ["+", "", true],
        ["+/+", "/a", true],
        ["/+", "/a", true],
        ["+", "/a", false],
        ["a/+/c", "a/b/c", true],
        ["A", "a", false],
    ])("%s and the topic %s: %s", (filter, topic, expected) => {
        expect(matches(filter, topic)).toBe(expected);
    });
});

// Every topic of up to four levels over an alphabet with one letter ("c") that no generated filter has: enough to tell any two
// filters of up to three levels apart, so that the properties below are complete and not samples.
const letters = ["a", "b", "c", ""];
const topics: string[] = [];
for (let frontier = letters, depth = 1; depth <= 4; depth++) {
    topics.push(...frontier, ...frontier.map((topic) => `$${topic}`));
    frontier = frontier.flatMap((topic) => letters.map((letter) => `${topic}/${letter}`));
}
const filters = fc
    .tuple(fc.array(fc.constantFrom("a", "b", "", "+"), { minLength: 0, maxLength: 3 }), fc.boolean(), fc.boolean())
    .filter(([levels, hash]) => hash || levels.length > 0)
    .map(([levels, hash, dollar]) => {
        const all = hash ? [...levels.slice(0, 2), "#"] : levels;
        const [first = "", ...rest] = all;
        return dollar && first !== "+" && first !== "#" ? [`$${first}`, ...rest].join("/") : all.join("/");
    });

function matchesByExpression(filter: string, topic: string): boolean {
    const pattern = filter.replace(/[$]/g, "[$]").replace(/\+/g, "[^/]*").replace(/^#$/, ".*").replace(/\/#$/, "(?:/.*)?");
    return (filter.startsWith("$") || !topic.startsWith("$")) && new RegExp(`^${pattern}$`).test(topic);
}

describe("laws, over every topic", () => {
    test("matches agrees with a regular expression", () => {
        fc.assert(
            fc.property(filters, (filter) => {
                expect(topics.filter((topic) => matches(filter, topic))).toEqual(
                    topics.filter((topic) => matchesByExpression(filter, topic)),
                );
            }),
            { numRuns: 300 },
        );
    });

    test("covers: exactly when no topic matches the narrow filter alone", () => {
        fc.assert(
            fc.property(filters, filters, (wide, narrow) => {
                expect(covers(wide, narrow)).toBe(topics.every((topic) => !matches(narrow, topic) || matches(wide, topic)));
            }),
            { numRuns: 2000 },
        );
    });

    test("intersects: exactly when some topic matches both, in either order", () => {
        fc.assert(
            fc.property(filters, filters, (one, other) => {
                const expected = topics.some((topic) => matches(one, topic) && matches(other, topic));
                expect([intersects(one, other), intersects(other, one)]).toEqual([expected, expected]);
            }),
            { numRuns: 2000 },
        );
    });
});
