import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMessage, encodeMessage, type ProbeHeader } from "./probeMessage.js";

const header: ProbeHeader = { runId: "0a1b2c3d4e", from: "aws", phase: "numbered", topic: 1, sequence: 42, sentMs: 1234.567 };

describe("a probe message", () => {
    it("comes back as it was sent, at the size that was asked for", () => {
        fc.assert(
            fc.property(
                fc.nat({ max: 999_999 }),
                fc.nat({ max: 40 }),
                fc.double({ min: 0, max: 1e12, noNaN: true }),
                fc.integer({ min: 0, max: 5000 }),
                fc.constantFrom<ProbeHeader["phase"]>("canary", "numbered"),
                (sequence, topic, sentMs, bytes, phase) => {
                    const sent = { ...header, sequence, topic, sentMs: Number(sentMs.toFixed(3)), phase };
                    const payload = encodeMessage(sent, bytes);
                    expect(decodeMessage(payload)).toEqual(sent);
                    expect(payload.length).toBe(Math.max(bytes, payload.indexOf(10) + 1));
                },
            ),
        );
    });

    it.each([
        ["nothing", ""],
        ["a device's message", '{"temperature":21}'],
        ["a line of something else", "hello world\n"],
        ["a header without an end", "linkspan-probe/1 a b n 0 0 0.000"],
        ["another version", "linkspan-probe/2 a b n 0 0 0.000\n"],
        ["too few fields", "linkspan-probe/1 a b n 0\n"],
        ["too many fields", "linkspan-probe/1 a b n 0 0 0.000 x\n"],
        ["another phase", "linkspan-probe/1 a b x 0 0 0.000\n"],
        ["a number that is none", "linkspan-probe/1 a b n 0 x 0.000\n"],
        ["a header beyond the first bytes", `${" ".repeat(300)}linkspan-probe/1 a b n 0 0 0.000\n`],
    ])("is not %s", (_name, text) => {
        expect(decodeMessage(Buffer.from(text))).toBeUndefined();
    });

    it("takes any bytes without failing", () => {
        fc.assert(
            fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
                expect(decodeMessage(bytes)).toBeUndefined();
            }),
        );
    });
});
