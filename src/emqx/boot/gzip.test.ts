import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bootScript } from "./bootScript.js";
import { gzipSame } from "./gzip.js";

describe("gzipSame", () => {
    it.each([
        ["an empty text", ""],
        ["one character", "a"],
        ["the longest copy there is, and longer ones", "ab".repeat(2_000)],
        ["letters of two, three and four bytes", "ä€😀".repeat(20)],
        ["a copy from farther than the window", `${"x1y2z3".repeat(3)}${"-".repeat(40_000)}${"x1y2z3".repeat(3)}`],
        ["the boot script", bootScript],
    ])("is read back by zlib: %s", (_what, text) => {
        expect(gunzipSync(gzipSame(text)).toString()).toBe(text);
    });

    it("is read back by zlib, whatever the text", () => {
        const words = fc.array(fc.constantFrom("emqx", "link", "\n", "site ", "é", "0"), { maxLength: 400 });
        fc.assert(
            fc.property(
                fc.oneof(
                    fc.string({ unit: "binary", maxLength: 300 }),
                    words.map((parts) => parts.join("")),
                ),
                (text) => {
                    expect(gunzipSync(gzipSame(text)).toString()).toBe(text);
                },
            ),
        );
    });

    it("makes a text of code less than half as long", () => {
        expect(gzipSame(bootScript).length).toBeLessThan(bootScript.length / 2);
    });

    it("gives these bytes, and no others in another release", () => {
        expect(gzipSame("linkspan linkspan linkspan").toString("hex")).toMatchInlineSnapshot(
            `"1f8b08000000000000ffcbc9cccb2e2e48cc53c0600000900cacef1a000000"`,
        );
    });
});
