import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { InputError } from "../errors.js";
import { checkServerAddress } from "./serverAddress.js";

describe("checkServerAddress", () => {
    it.each([
        ["gcp.link.fleet.internal:8884", "gcp.link.fleet.internal:8884"],
        ["GCP.link.fleet.internal:8884", "gcp.link.fleet.internal:8884"],
        ["10.20.0.5:8884", "10.20.0.5:8884"],
        ["emqx.example.com", "emqx.example.com:1883"],
        ["emqx.example.com:1", "emqx.example.com:1"],
        ["emqx.example.com:65535", "emqx.example.com:65535"],
    ])("takes %s as %s", (value, server) => {
        expect(checkServerAddress(value)).toBe(server);
        expect(checkServerAddress(server)).toBe(server);
    });

    it.each([
        ["a.example:8884,b.example:8884", "more than one host"],
        ["a.example:8884,", "more than one host"],
        [",", "more than one host"],
        ["mqtt://a.example:1883", "has a scheme"],
        ["mqtts://a.example:8883", "has a scheme"],
        ["user@a.example:8884", "carries a user"],
        ["a.example:8884/mqtt", "not host:port"],
        ["a.example:8884?x", "not host:port"],
        ["a.example:8884 ", "not host:port"],
        ["a.example:8884\n", "not host:port"],
        ["a.example:0", "0 is no port"],
        ["a.example:65536", "65536 is no port"],
        ["a.example:-1", "no usable port"],
        ["a.example:mqtt", "no usable port"],
        ["a.example:", "no usable port"],
        ["", "the host is empty"],
        [":8884", "the host is empty"],
        ["a.example.:8884", "ends in a dot"],
        ["еmqx.example:8884", "not plain ASCII"],
        ["[2001:db8::1]:8884", "IPv6 address"],
        ["2001:db8::1", "IPv6 address"],
        ["[a.example]:8884", "no host name"],
        ["a:b:8884", "no host name"],
        ["a.example;b.example:8884", "no host name"],
        ["169.254.169.254:80", "link-local"],
        ["169.254.21.2:8884", "link-local"],
        ["0.0.0.0:8884", "no host's address"],
        ["127.1:8884", "no IPv4 address"],
    ])("refuses %j: %s", (value, problem) => {
        for (const allowLoopback of [false, true]) {
            expect(() => checkServerAddress(value, { allowLoopback, argument: "link.server" })).toThrow(
                expect.objectContaining({ argument: "link.server", problem: expect.stringContaining(problem) }),
            );
        }
    });

    it.each(["127.0.0.1:8884", "localhost:8884", "LOCALHOST:8884"])("takes %s with allowLoopback only", (value) => {
        expect(() => checkServerAddress(value)).toThrow(/machine itself/);
        expect(checkServerAddress(value, { allowLoopback: true })).toBe(value.toLowerCase());
    });

    it.each([
        "user:hunter2secret@a.example:8884",
        "user:hunter2secret@a.example:8884,b.example:1",
        "mqtt://user:x@hunter2secret@a.example:1",
        "mqtt://user:x/hunter2secret@a.example:1",
    ])("does not show the password of %s", (value) => {
        expect(() => checkServerAddress(value)).toThrow(/carries a user/);
        expect(() => checkServerAddress(value)).not.toThrow(/hunter2secret/);
    });

    test("whatever passes is exactly one host:port, without anything that EMQX splits or resolves otherwise", () => {
        const pieces = fc.constantFrom(
            "a",
            "b.example",
            "10.0.0.1",
            ":",
            ",",
            "@",
            "/",
            "[",
            "]",
            "::1",
            "8884",
            "0",
            ".",
            "mqtt://",
            " ",
            "é",
        );
        fc.assert(
            fc.property(
                fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join("")),
                (value) => {
                    let server: string;
                    try {
                        server = checkServerAddress(value, { allowLoopback: true });
                    } catch (error) {
                        expect(error).toBeInstanceOf(InputError);
                        return;
                    }
                    expect(server).toMatch(/^[a-z0-9_.-]+:[1-9]\d{0,4}$/);
                },
            ),
            { numRuns: 1000 },
        );
    });
});
