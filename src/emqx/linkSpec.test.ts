import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../errors.js";
import { clientIdPrefix, clusterName } from "../naming.js";
import { type LinkRules, type LinkSpecInput, linkSpec, toRequest } from "./linkSpec.js";

const base: LinkSpecInput = {
    name: "fleet-gcp",
    server: "gcp.link.fleet.internal:8884",
    clientIdPrefix: "fleet-aws-",
    username: "link-fleet-aws",
    password: "s3cret/+ä",
    topics: ["fleet/#", "alarm/+"],
};

describe("canonical form", () => {
    it("fills in defaults, sorts topics and shortens durations", () => {
        expect(linkSpec({ ...base, retryInterval: "2000ms", server: "GCP.link.fleet.internal:8884" })).toEqual({
            name: "fleet-gcp",
            server: "gcp.link.fleet.internal:8884",
            clientId: "fleet-aws-",
            username: "link-fleet-aws",
            password: "s3cret/+ä",
            topics: ["alarm/+", "fleet/#"],
            enable: true,
            tls: { enable: false, verify: "verify_none" },
            poolSize: 4,
            retryInterval: "2s",
            maxInflight: 100,
            resourceOptions: { requestTtl: "45s", healthCheckInterval: "1s", maxBufferBytes: "256MB" },
        });
    });

    it("has no key for what is not set", () => {
        const { username: _username, password: _password, ...rest } = base;
        const spec = linkSpec({ ...rest, username: undefined, password: undefined });
        expect(Object.keys(spec)).not.toContain("username");
        expect(Object.keys(toRequest(spec))).not.toContain("password");
    });

    it("is the same for its own result, whatever the order of topics", () => {
        const level = fc.stringMatching(/^[a-z0-9]{1,5}$/);
        fc.assert(
            fc.property(fc.uniqueArray(level, { maxLength: 8 }), fc.integer({ min: 1, max: 64 }), (topics, poolSize) => {
                const one = linkSpec({ ...base, topics, poolSize });
                const { clientId, tls: _tls, resourceOptions: _options, ...rest } = one;
                expect(linkSpec({ ...rest, clientIdPrefix: clientId, topics: topics.toReversed() })).toEqual(one);
            }),
        );
    });

    it("does not touch what it was given", () => {
        const topics = Object.freeze(["b", "a"]);
        expect(linkSpec(Object.freeze({ ...base, topics })).topics).toEqual(["a", "b"]);
        expect(topics).toEqual(["b", "a"]);
    });

    it("takes the longest names that a mesh can give", () => {
        const cluster = clusterName("m".repeat(40), "s".repeat(24));
        expect(linkSpec({ ...base, name: `${cluster}2`, clientIdPrefix: clientIdPrefix(cluster) }).clientId).toBe(`${cluster}-`);
    });
});

describe("bad inputs", () => {
    const own: LinkRules = { localCluster: "fleet-aws" };
    const cases: readonly (readonly [string, Partial<LinkSpecInput>, LinkRules, RegExp])[] = [
        ["empty name", { name: "" }, {}, /^name: it is empty/],
        ["255 characters", { name: "n".repeat(255) }, {}, /^name: it has 255 characters; EMQX takes 254/],
        ["space and slash", { name: "bad name/1" }, {}, /^name: "bad name\/1"/],
        ["dot", { name: "a.b" }, {}, /^name: "a\.b"/],
        ["leading dash", { name: "-x" }, {}, /^name: "-x"/],
        ["line break", { name: "a\n" }, {}, /^name: "a\\n"/],
        ["own name", { name: "fleet-aws" }, own, /^name: .*own name.*link it to itself/],
        ["comma list", { server: "a.example.com:1,b.example.com:1" }, {}, /^server: .*one host:port/],
        ["scheme", { server: "mqtt://a.example.com:1883" }, {}, /^server: .*scheme/],
        ["user", { server: "mqtt://u:hidden-pw@a.example.com:1883" }, {}, /^server: /],
        ["path", { server: "a.example.com:1883/x" }, {}, /^server: /],
        ["port 0", { server: "a.example.com:0" }, {}, /^server: .*1 to 65535/],
        ["port 65536", { server: "a.example.com:65536" }, {}, /^server: .*1 to 65535/],
        ["IPv6", { server: "[2001:db8::1]:1883" }, {}, /^server: .*IPv6/],
        ["loopback", { server: "127.0.0.1:1883" }, {}, /^server: .*allowLoopback/],
        ["localhost", { server: "localhost:1883" }, {}, /^server: .*allowLoopback/],
        ["metadata", { server: "169.254.169.254:80" }, { allowLoopback: true }, /^server: /],
        ["trailing dot", { server: "a.example.com.:1883" }, {}, /^server: .*dot/],
        ["homoglyph", { server: "аws.example.com:1883" }, {}, /^server: /],
        ["prefix without separator", { clientIdPrefix: "clink-A" }, {}, /^clientIdPrefix: .*separator.*"clink-A-"/],
        ["empty prefix", { clientIdPrefix: "" }, {}, /^clientIdPrefix: /],
        ["separator only", { clientIdPrefix: "-" }, {}, /^clientIdPrefix: /],
        ["wildcard prefix", { clientIdPrefix: "a+-" }, {}, /^clientIdPrefix: /],
        ["long prefix", { clientIdPrefix: `${"a".repeat(128)}-` }, {}, /^clientIdPrefix: .*128/],
        ["empty user", { username: "" }, {}, /^username: /],
        ["user with NUL", { username: "a\u0000" }, {}, /^username: /],
        ["password without user", { username: undefined }, {}, /^username: .*without a user/],
        ["empty password", { password: "" }, {}, /^password: /],
        ["masked password", { password: "******" }, {}, /^password: .*in place of a password/],
        ["password from a file", { password: "file:///etc/pw" }, {}, /^password: .*file on the broker/],
        ["topic twice", { topics: ["a", "a"] }, {}, /^topics\[1\]: /],
        ["redundant topic", { topics: ["t/1", "t/+"] }, {}, /^topics\[0\]: .*covered/],
        ["# beside another", { topics: ["#", "a"] }, {}, /^topics\[1\]: /],
        ["$LINK/#", { topics: ["$LINK/#"] }, {}, /^topics\[0\]: /],
        ["$SYS/#", { topics: ["$SYS/#"] }, {}, /^topics\[0\]: /],
        ["# not last", { topics: ["a/#/b"] }, {}, /^topics\[0\]: .*#/],
        ["+ inside a level", { topics: ["a/b+"] }, {}, /^topics\[0\]: .*\+/],
        ["pool of 0", { poolSize: 0 }, {}, /^poolSize: 0 .*1 to 64/],
        ["pool of 65", { poolSize: 65 }, {}, /^poolSize: 65 /],
        ["half a pool", { poolSize: 1.5 }, {}, /^poolSize: 1\.5 /],
        ["no inflight", { maxInflight: 0 }, {}, /^maxInflight: 0 .*65535/],
        ["too much inflight", { maxInflight: 65_536 }, {}, /^maxInflight: /],
        ["no duration", { retryInterval: "abc" }, {}, /^retryInterval: "abc"/],
        ["endless retry", { retryInterval: "infinity" }, {}, /^retryInterval: /],
        ["retry without pause", { retryInterval: "0s" }, {}, /^retryInterval: /],
        ["outage of 31 s", {}, { maxOutageSeconds: 31 }, /^maxOutageSeconds: 31 .*at most 30/],
        ["TLS with a path", { tls: { enable: true, ca: "/etc/ca.pem" } }, {}, /^tls\.ca: /],
    ];
    it.each(cases)("%s", (_what, change, rules, message) => {
        let said: unknown;
        try {
            linkSpec({ ...base, ...change }, rules);
        } catch (error) {
            said = error;
        }
        expect(said).toBeInstanceOf(InputError);
        expect((said as InputError).message).toMatch(message);
        expect((said as InputError).message).not.toMatch(/s3cret|hidden-pw/);
    });

    it("takes what is right at the edges", () => {
        expect(linkSpec({ ...base, name: "n".repeat(254), topics: [], poolSize: 64, maxInflight: 65_535 }).topics).toEqual([]);
        expect(linkSpec({ ...base, server: "127.0.0.1:1883" }, { allowLoopback: true }).server).toBe("127.0.0.1:1883");
        expect(linkSpec(base, { ...own, maxOutageSeconds: 30 }).name).toBe("fleet-gcp");
        for (const clientIdPrefix of ["a-", "a_", "a:", "a."]) {
            expect(linkSpec({ ...base, clientIdPrefix }).clientId).toBe(clientIdPrefix);
        }
    });

    it("never shows a password or a key, whatever else is wrong", () => {
        const secret = fc.stringMatching(/^[A-Za-z0-9+/]{12,40}$/);
        const bad = fc.constantFrom<Partial<LinkSpecInput>>(
            { name: "" },
            { server: "x" },
            { topics: ["#/a"] },
            { poolSize: 0 },
            { username: undefined },
            {},
        );
        fc.assert(
            fc.property(secret, secret, bad, (password, key, change) => {
                const pem = `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`;
                for (const tls of [
                    { enable: true, ca: pem },
                    { enable: true, cert: pem, key: pem },
                    { enable: true, cert: key, key: pem },
                ]) {
                    for (const given of [password, `file://${password}`, `${password}\n`]) {
                        try {
                            linkSpec({ ...base, password: given, tls, ...change });
                            expect.unreachable();
                        } catch (error) {
                            expect(error).toBeInstanceOf(InputError);
                            expect(String(error)).not.toContain(password);
                            expect(String(error)).not.toContain(key);
                        }
                    }
                }
            }),
            { numRuns: 50 },
        );
    });
});

describe("request", () => {
    it("has EMQX's fields and no other", () => {
        expect(toRequest(linkSpec(base))).toEqual({
            name: "fleet-gcp",
            server: "gcp.link.fleet.internal:8884",
            clientid: "fleet-aws-",
            username: "link-fleet-aws",
            password: "s3cret/+ä",
            topics: ["alarm/+", "fleet/#"],
            enable: true,
            ssl: { enable: false },
            pool_size: 4,
            retry_interval: "1s",
            max_inflight: 100,
            resource_opts: { request_ttl: "45s", health_check_interval: "1s", max_buffer_bytes: "256MB" },
        });
    });

    it("sends certificates as text and the name to check", () => {
        const spec = {
            ...linkSpec(base),
            tls: { enable: true, verify: "verify_peer", ca: "CA", cert: "C", key: "K", serverName: "n" } as const,
        };
        expect(toRequest(spec).ssl).toEqual({
            enable: true,
            verify: "verify_peer",
            cacertfile: "CA",
            certfile: "C",
            keyfile: "K",
            server_name_indication: "n",
        });
        expect(toRequest({ ...spec, tls: { enable: true, verify: "verify_none" } }).ssl).toEqual({
            enable: true,
            verify: "verify_none",
        });
    });
});
