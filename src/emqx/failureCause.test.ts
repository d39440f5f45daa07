import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { causeOfFailure, isPage, pageText, readableMessage } from "./failureCause.js";
import { type Target, TransportFailure } from "./transport.js";

const target: Target = { url: "https://h:1", shown: "https://h:1", tls: true, tlsName: "h" };

describe("readableMessage", () => {
    test.each([
        ["Cluster link not found", "Cluster link not found"],
        ["Support authorization: basic/bearer ", "Support authorization: basic/bearer"],
        ['{"reason":"required_field","path":"root.server","kind":"validation_error"}', "required_field at root.server"],
        [
            '{"reason":{"topics":["a/b"],"reason":"redundant_topics"},"path":"root.topics","kind":"validation_error"}',
            'redundant_topics at root.topics (topics: ["a/b"])',
        ],
        [
            '{"unmatched":"a","unknown":"bogus","reason":"unknown_fields","path":"root"}',
            "unknown_fields at root (unmatched: a, unknown: bogus)",
        ],
        ['{"kind":"validation_error","reason":"Invalid name format. Got: -x"}', "Invalid name format. Got: -x"],
        ['{"path":"root"}', "at root"],
        ['{"broken', '{"broken'],
        ["a\r\nb\u001b[31mred\u0007", "a b [31mred"],
        ["", ""],
    ])("%j", (message, readable) => {
        expect(readableMessage(message)).toBe(readable);
    });

    test.each([
        [undefined, ""],
        [null, ""],
        [7, "7"],
        [{ reason: "x" }, "x"],
        [["a"], "(0: a)"],
    ])("takes %j, which is no text", (message, readable) => {
        expect(readableMessage(message)).toBe(readable);
    });

    test("takes secrets out before lines are joined", () => {
        const clean = (text: string) => text.replaceAll("a\nb", "***");
        expect(readableMessage("x a\nb y", clean)).toBe("x *** y");
        expect(readableMessage({ reason: "a\nb" }, clean)).toBe("***");
    });

    test("is one line without control characters, whatever comes", () => {
        fc.assert(
            fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 1000 }), fc.json(), fc.jsonValue()), (message) => {
                const readable = readableMessage(message);
                expect(readable.trim()).toBe(readable);
                expect(readable).not.toMatch(/\p{Cc}/u);
            }),
        );
    });
});

describe("pages", () => {
    test.each([
        ["<html><head><title>502 Bad\n Gateway</title></head><body>x</body></html>", "502 Bad Gateway"],
        ["<!doctype html><style>p {}</style><script>go()</script><h1>Not</h1><p>Found</p>", "Not Found"],
        ["<html>Not\r\n<b>Found</b>", "Not Found"],
        [`${"<script>".repeat(1_000_000)}x`, ""],
    ])("pageText %#", (html, words) => {
        expect(pageText(html)).toBe(words);
    });

    test.each([
        ["<!DOCTYPE html><html>", undefined, true],
        ["  <html>", "text/plain", true],
        ["<h1>404</h1>", "text/html; charset=utf-8", true],
        ['{"a":"<html>"}', "application/json", false],
        ["Node is started", "text/html", false],
        ["", "text/html", false],
        ["<h1>404</h1>", undefined, false],
    ])("isPage(%j, %j)", (text, type, is) => {
        expect(isPage(text, type)).toBe(is);
    });
});

describe("causeOfFailure", () => {
    test.each([
        ["EHOSTUNREACH", "there is no route to it", "api.connect"],
        ["ENETUNREACH", "there is no route to it", "api.connect"],
        ["ETIMEDOUT", "m", "firewall"],
        ["ADDRESS_REFUSED", "m", "api.url"],
        ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "not from an authority that is trusted here (m)", "api.ca"],
        ["EPROTO (tlsv1 alert protocol version)", "m", "TLS 1.2"],
        ["EPROTO (wrong version number)", "speaks no TLS", "18084"],
        ["HPE_INVALID_CONSTANT", "speaks no HTTP", "18084"],
    ])("%s", (code, message, todo) => {
        const cause = causeOfFailure(new TransportFailure(code, "m", { sent: false }), target);
        expect(cause.message).toContain(message);
        expect(cause.todo).toContain(todo);
    });

    test("an unknown failure keeps its own words", () => {
        expect(causeOfFailure(new TransportFailure("EWHAT", "odd", { sent: false }), target)).toEqual({ message: "odd" });
    });
});
