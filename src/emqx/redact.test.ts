import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { redact, secretsOf } from "./redact.js";

const forms: Readonly<Record<string, (secret: string) => string>> = {
    plain: (secret) => secret,
    json: (secret) => JSON.stringify(secret).slice(1, -1),
    url: (secret) => encodeURIComponent(secret),
    form: (secret) => new URLSearchParams({ v: secret }).toString().slice(2),
    base64: (secret) => Buffer.from(secret).toString("base64"),
    base64url: (secret) => Buffer.from(secret).toString("base64url"),
    hex: (secret) => Buffer.from(secret).toString("hex"),
    HEX: (secret) => Buffer.from(secret).toString("hex").toUpperCase(),
};
/** Secrets as they are made or typed: long enough to be recognized in a text. */
const secrets = fc
    .string({ unit: "grapheme", minLength: 8, maxLength: 64 })
    .filter((text) => text.isWellFormed() && !text.includes("*"));
/** Words around it that cannot hold it by chance. */
const words = fc.constantFrom("", "bad value ", " at root.password", '<<"', '">>', "key=", "{", "}");

describe("redact", () => {
    test.each(Object.entries(forms))("takes a secret out as %s", (_, form) => {
        fc.assert(
            fc.property(secrets, words, words, (secret, before, after) => {
                const shown = redact(`${before}${form(secret)}${after}`, [secret]);
                expect(shown.includes(form(secret))).toBe(false);
                expect(shown).toContain("***");
            }),
        );
    });

    test("takes a secret out of the base64 of a longer text", () => {
        fc.assert(
            fc.property(secrets, fc.string({ maxLength: 6 }), fc.string({ maxLength: 6 }), (secret, before, after) => {
                const encoded = Buffer.from(`${before}${secret}${after}`).toString("base64");
                const middle = Math.ceil(encoded.length / 2);
                const shown = redact(`Basic ${encoded}`, [secret]);
                expect(shown).toContain("***");
                expect(shown.includes(encoded.slice(middle - 4, middle + 4))).toBe(false);
            }),
        );
    });

    test("takes out each line of a PEM text, but no headings", () => {
        const pem = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\nAgEGCCqGSM49AwEHBG0w\n-----END PRIVATE KEY-----\n";
        expect(redact("[<<-----BEGIN PRIVATE KEY----->>,<<MIGHAgEAMBMGByqGSM49>>,<<AgEGCCqGSM49AwEHBG0w>>]", [pem])).toBe(
            "[<<-----BEGIN PRIVATE KEY----->>,<<***>>,<<***>>]",
        );
        expect(redact(JSON.stringify({ key: pem }), [pem])).toBe('{"key":"***"}');
    });

    test("the longest form goes first, so that nothing of it is left", () => {
        expect(redact("a=abcdef", ["abc", "abcdef"])).toBe("a=***");
    });

    test("leaves a text without secrets as it is", () => {
        expect(redact("Cluster link not found [a.b*]", ["s3cret", ""])).toBe("Cluster link not found [a.b*]");
        expect(redact("anything", [])).toBe("anything");
    });

    test("takes signs of regular expressions as they are", () => {
        const signs = String.raw`.*+?^$()|[]{}\/-`;
        expect(redact(`x ${signs} y`, [signs])).toBe("x *** y");
        expect(redact("aXb", ["a.b"])).toBe("aXb");
    });
});

describe("secretsOf", () => {
    test("finds what stands below a telling key, at every depth", () => {
        const body = {
            name: "lab-gcp",
            password: "p1",
            ssl: { keyfile: "PEM KEY", certfile: "PEM CERT" },
            list: [{ api_secret: "p2" }, { secrets: ["p3", { value: "p4" }] }],
            count: 3,
            none: null,
        };
        expect(secretsOf(body)).toEqual(["p1", "PEM KEY", "p2", "p3", "p4"]);
    });

    test.each([undefined, null, 3, "text", []])("finds nothing in %j", (value) => {
        expect(secretsOf(value)).toEqual([]);
    });
});
