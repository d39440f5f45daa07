import { describe, expect, it } from "vitest";
import { InputError } from "../errors.js";
import { checkWay, parseProxy } from "./proxy.js";

function failure(work: () => unknown): string {
    try {
        work();
    } catch (error) {
        if (error instanceof InputError) {
            return error.message;
        }
        throw error;
    }
    return "it did not fail";
}

describe("a proxy's URL", () => {
    it.each([
        ["socks5://127.0.0.1:1080", { kind: "socks5", host: "127.0.0.1", port: 1080, shown: "socks5://127.0.0.1:1080" }],
        ["socks5h://localhost:9050", { kind: "socks5", host: "localhost", port: 9050, shown: "socks5://localhost:9050" }],
        [
            "HTTP://Proxy.Example.com:3128/",
            { kind: "http", host: "proxy.example.com", port: 3128, shown: "http://proxy.example.com:3128" },
        ],
        [
            "socks5://[2001:db8::1]:1080",
            { kind: "socks5", host: "2001:db8::1", port: 1080, shown: "socks5://[2001:db8::1]:1080" },
        ],
        [
            "http://us%40er:p%3Aw%2F%25@10.0.0.8:8080",
            { kind: "http", host: "10.0.0.8", port: 8080, username: "us@er", password: "p:w/%", shown: "http://10.0.0.8:8080" },
        ],
        [
            "socks5://user@10.0.0.8:1080",
            { kind: "socks5", host: "10.0.0.8", port: 1080, username: "user", password: "", shown: "socks5://10.0.0.8:1080" },
        ],
    ])("%s is read", (value, expected) => {
        expect(parseProxy(value)).toEqual(expected);
    });

    it.each([
        ["127.0.0.1:1080", /is no URL; set socks5:\/\/host:port or http/],
        ["https://proxy.example.com:3128", /has the scheme "https"; set socks5/],
        ["socks4://proxy.example.com:1080", /has the scheme "socks4"/],
        ["ssh://bastion:22", /has the scheme "ssh"/],
        ["socks5://proxy.example.com", /no usable host and port/],
        ["socks5://proxy.example.com:0", /"?0"? is no port/],
        ["socks5://proxy.example.com:65536", /is no port/],
        ["http://proxy.example.com:3128/path", /more than these/],
        ["http://proxy.example.com:3128?x=1", /more than these/],
        ["http://:3128", /no usable host/],
        ["socks5://2001:db8::1:1080", /no usable host/],
        ["socks5://169.254.169.254:80", /link-local/],
        ["http://metadata.google.internal:80", /metadata service/],
        ["http://168.63.129.16:80", /metadata service/],
        ["socks5://[fd00:ec2::254]:80", /metadata service/],
        ["socks5://0.0.0.0:1080", /no host's address/],
        ["socks5://pröxy:1080", /plain ASCII/],
        ["http://:pw@proxy.example.com:1", /user is empty/],
        ["http://a%3Ab:pw@proxy.example.com:1", /has a colon/],
        [`http://u:${"p".repeat(256)}@proxy.example.com:1`, /longer than 255/],
        ["http://u:100%@proxy.example.com:1", /percent-encoded/],
    ])("%s is refused", (value, message) => {
        const text = failure(() => parseProxy(value, "api.proxy"));
        expect(text).toMatch(/^api\.proxy: /);
        expect(text).toMatch(message);
    });

    it.each([
        "socks4://user:s3cret-pw@proxy.example.com:1080",
        "socks5://user:s3cret-pw@proxy.example.com",
        "socks5://user:s3cret-pw@169.254.169.254:80",
        "http://user:s3cret-pw/@proxy.example.com:80",
        "http://user:s3cret-pw%@proxy.example.com:80",
        `http://user:s3cret-pw${"x".repeat(300)}@proxy.example.com:80`,
    ])("%s is refused without its login", (value) => {
        const text = failure(() => parseProxy(value));
        expect(text).toMatch(/^proxy: /);
        expect(text).not.toContain("s3cret");
    });
});

describe("the way to a door", () => {
    it("is one of connect and proxy", () => {
        const connect = { host: "127.0.0.1", port: 8883 };
        expect(failure(() => checkWay({ connect, proxy: "socks5://127.0.0.1:1" }, "clients."))).toMatch(
            /^clients\.proxy: it stands next to clients\.connect/,
        );
        for (const way of [{}, { connect }, { proxy: "socks5://127.0.0.1:1" }]) {
            expect(() => checkWay(way)).not.toThrow();
        }
    });

    it("leads to no metadata service and to a port", () => {
        expect(failure(() => checkWay({ connect: { host: "169.254.169.254", port: 80 } }, "api."))).toMatch(
            /^api\.connect\.host: .*link-local/,
        );
        expect(failure(() => checkWay({ connect: { host: "127.0.0.1", port: 0 } }))).toMatch(/^connect\.port: /);
        expect(failure(() => checkWay({ proxy: "ftp://a:1" }))).toMatch(/^proxy: /);
    });
});
