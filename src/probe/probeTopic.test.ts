import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matches } from "../emqx/topicFilter.js";
import { probeTopicFor, probeTopics } from "./probeTopic.js";

const level = fc.stringMatching(/^[a-zA-Z0-9 _\-äß☃]{0,8}$/);
const filters = fc
    .tuple(
        fc.array(fc.oneof({ weight: 2, arbitrary: level }, { weight: 1, arbitrary: fc.constant("+") }), {
            minLength: 1,
            maxLength: 6,
        }),
        fc.boolean(),
    )
    .map(([levels, open]) => [...levels, ...(open ? ["#"] : [])].join("/"))
    .filter((filter) => filter !== "");

describe("the topic that proves a filter", () => {
    it.each([
        ["fleet/#", "fleet/linkspan-probe/r1/aws"],
        ["#", "linkspan-probe/r1/aws"],
        ["a/+/b", "a/linkspan-r1-aws/b"],
        ["+/+", "linkspan-r1-aws/linkspan-r1-aws"],
        ["+/x/#", "linkspan-r1-aws/x/linkspan-probe/r1/aws"],
        ["one/exact/topic", "one/exact/topic"],
        ["/", "/"],
    ])("%s: %s", (filter, topic) => {
        expect(probeTopicFor(filter, "r1", "aws")).toBe(topic);
    });

    it("is always matched by the filter, and is a topic that may be published to", () => {
        fc.assert(
            fc.property(filters, (filter) => {
                const topic = probeTopicFor(filter, "0a1b2c", "aws");
                expect(matches(filter, topic)).toBe(true);
                expect(topic).not.toMatch(/[#+]/);
            }),
        );
    });

    it("is the run's and the direction's own wherever the filter leaves room", () => {
        fc.assert(
            fc.property(filters, (filter) => {
                const made = [
                    probeTopicFor(filter, "r1", "aws"),
                    probeTopicFor(filter, "r1", "gcp"),
                    probeTopicFor(filter, "r2", "aws"),
                ];
                expect(new Set(made).size).toBe(/[#+]/.test(filter) ? 3 : 1);
            }),
        );
    });

    it("is one for each filter, and none twice", () => {
        expect(probeTopics(["a/#", "b", "a/#"], "r", "x").map(({ filter }) => filter)).toEqual(["a/#", "b"]);
    });
});
