import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { InputError } from "../errors.js";
import { checkApiUrl, checkDialHost, checkPort } from "./endpoint.js";

describe("checkApiUrl", () => {
    it.each([
        ["https://emqx.example.com:18084", "https://emqx.example.com:18084"],
        ["https://emqx.example.com:18084/", "https://emqx.example.com:18084"],
        ["HTTPS://EMQX.Example.com", "https://emqx.example.com:443"],
        ["https://10.0.0.7:8443", "https://10.0.0.7:8443"],
        ["https://[2001:DB8::1]:18084", "https://[2001:db8::1]:18084"],
    ])("takes %s as %s", (value, url) => {
        expect(checkApiUrl(value)).toBe(url);
        expect(checkApiUrl(url)).toBe(url);
    });

    it.each([
        ["http://127.0.0.1:18083", "http://127.0.0.1:18083"],
        ["http://localhost", "http://localhost:80"],
        ["https://[::1]:18084", "https://[::1]:18084"],
    ])("takes %s with allowLoopback only", (value, url) => {
        expect(checkApiUrl(value, { allowLoopback: true })).toBe(url);
        expect(() => checkApiUrl(value)).toThrow(/machine itself/);
    });

    it.each([
        ["", "no URL"],
        ["emqx.example.com", "no URL"],
        ["emqx.example.com:18084", "no URL"],
        ["https:emqx.example.com", "no URL"],
        ["https:/emqx.example.com", "no URL"],
        ["mqtts://emqx.example.com:8883", 'the scheme "mqtts"'],
        ["ftp://emqx.example.com", 'the scheme "ftp"'],
        ["http://emqx.example.com:18083", "not encrypted"],
        ["https://@emqx.example.com", "carries a user"],
        ["https://emqx.example.com/api/v5", "path, query or fragment"],
        ["https://emqx.example.com//", "path, query or fragment"],
        ["https://emqx.example.com?", "path, query or fragment"],
        ["https://emqx.example.com/#", "path, query or fragment"],
        ["https://emqx.example.com\\api", "path, query or fragment"],
        ["https://", "the host is empty"],
        ["https://:18084", "the host is empty"],
        ["https://emqx.example.com:0", "0 is no port"],
        ["https://emqx.example.com:", "0 is no port"],
        ["https://emqx.example.com:65536", "65536 is no port"],
        ["https://emqx.example.com:port", "no usable host and port"],
        ["https://[emqx.example.com]:1", "no usable host and port"],
        ["https://2001:db8::1", "no usable host and port"],
        ["https://2130706433", "no IPv4 address"],
        ["https://еmqx.example.com", "not plain ASCII"],
        ["https://emqx.ex\tample.com", "not plain ASCII"],
        ["https://169.254.169.254", "link-local"],
        ["https://[::ffff:169.254.169.254]", "link-local"],
        ["https://metadata.google.internal", "metadata"],
    ])("refuses %j: %s", (value, problem) => {
        for (const allowLoopback of [false, true]) {
            expect(() => checkApiUrl(value, { allowLoopback, argument: "sites.aws.api.url" })).toThrow(
                expect.objectContaining({ argument: "sites.aws.api.url", problem: expect.stringContaining(problem) }),
            );
        }
    });

    test("a password or a token in the URL is never in the message", () => {
        const secret = fc
            .string({ unit: fc.constantFrom(..."abcXYZ789@:/?#%. é"), minLength: 6, maxLength: 20 })
            .map((text) => `S3${text}T`);
        fc.assert(
            fc.property(secret, (text) => {
                for (const value of [
                    `https://user:${text}@emqx.example.com`,
                    `https://${text}@emqx.example.com/x`,
                    `user:${text}@emqx.example.com`,
                    `ftp://user:${text}@emqx.example.com`,
                    `https://emqx.example.com?token=${text}`,
                    `https://emqx.example.com/x#${text}`,
                ]) {
                    let message = "";
                    try {
                        checkApiUrl(value);
                    } catch (error) {
                        message = error instanceof InputError ? error.message : "";
                    }
                    expect(message).not.toBe("");
                    expect(message).not.toContain(text);
                    // Nor a piece of it: what stands after a "@" or "/" inside a password is still the password.
                    for (const piece of text.split(/[@:/?#%. é]/).filter((part) => part.length > 4)) {
                        expect(message).not.toContain(piece);
                    }
                }
            }),
        );
    });
});

describe("checkDialHost", () => {
    it("returns the host in lower case", () => {
        expect(checkDialHost("Mqtt.Example.com")).toBe("mqtt.example.com");
    });
    it("names the argument", () => {
        expect(() => checkDialHost("127.0.0.1", { argument: "clients.host" })).toThrow(
            expect.objectContaining({ argument: "clients.host" }),
        );
        expect(checkDialHost("127.0.0.1", { allowLoopback: true })).toBe("127.0.0.1");
    });
});

describe("checkPort", () => {
    it.each([1, 8883, 65_535])("takes %d", (port) => {
        expect(checkPort(port)).toBe(port);
    });
    it.each([0, -1, 65_536, 1.5, Number.NaN])("refuses %d", (port) => {
        expect(() => checkPort(port, "clients.port")).toThrow(
            /^clients\.port: .* is no port; set a whole number from 1 to 65535$/,
        );
    });
});
