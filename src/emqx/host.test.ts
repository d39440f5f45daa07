import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { InputError } from "../errors.js";
import { checkHost, isLoopback, withoutSecrets } from "./host.js";

const strict = { allowLoopback: false, argument: "host" };
const local = { allowLoopback: true, argument: "host" };

describe("checkHost", () => {
    it.each([
        "emqx.example.com",
        "gcp.link.fleet-prod.internal",
        "broker",
        "emqx_1",
        "xn--mqx-qdd.example",
        "10.1.2.3",
        "192.168.0.1",
        "100.64.0.1",
        "2001:db8::1",
        "fd12:3456::1",
        "1.2.3.4.example",
        "a".repeat(63),
    ])("takes %s", (host) => {
        expect(() => checkHost(host, strict)).not.toThrow();
    });

    it.each([
        ["", "the host is empty"],
        ["has space.example", "not plain ASCII"],
        ["еmqx.example", "not plain ASCII"],
        ["emqx\u0000.example", "not plain ASCII"],
        ["emqx.example\n", "not plain ASCII"],
        ["emqx.example.", "ends in a dot"],
        ["localhost.", "ends in a dot"],
        ["a..b", "no host name"],
        ["-a.example", "no host name"],
        ["a-.example", "no host name"],
        ["a".repeat(64), "no host name"],
        [`${"a.".repeat(127)}ab`, "no host name"],
        ["host:1883", "no host name"],
        ["mqtt://host", "no host name"],
        ["[::1]", "no host name"],
        ["127.1", "no IPv4 address"],
        ["127.0.0.0x1", "no IPv4 address"],
        ["0x7f.0.0.1", "no IPv4 address"],
        ["0x7f000001", "no IPv4 address"],
        ["2130706433", "no IPv4 address"],
        ["1.2.3.256", "no IPv4 address"],
        ["169.254.169.254", "link-local"],
        ["169.254.0.1", "link-local"],
        ["::ffff:169.254.169.254", "link-local"],
        ["::169.254.169.254", "link-local"],
        ["64:ff9b::a9fe:a9fe", "link-local"],
        ["fe80::1", "link-local"],
        ["febf::1", "link-local"],
        ["168.63.129.16", "metadata"],
        ["100.100.100.200", "metadata"],
        ["fd00:ec2::254", "metadata"],
        ["FD00:0EC2:0:0::254", "metadata"],
        ["metadata.google.internal", "metadata"],
        ["Metadata", "metadata"],
        ["0.0.0.0", "no host's address"],
        ["0.1.2.3", "no host's address"],
        ["224.0.0.1", "no host's address"],
        ["255.255.255.255", "no host's address"],
        ["::", "no host's address"],
        ["ff02::1", "no host's address"],
    ])("refuses %j: %s, with loopback allowed or not", (host, problem) => {
        for (const rules of [strict, local]) {
            expect(() => checkHost(host, { ...rules, argument: "api.url" })).toThrow(
                expect.objectContaining({ argument: "api.url", problem: expect.stringContaining(problem) }),
            );
        }
    });

    it.each([
        "localhost",
        "LOCALHOST",
        "a.localhost",
        "localhost.localdomain",
        "ip6-loopback",
        "127.0.0.1",
        "127.255.255.254",
        "::1",
        "0:0:0:0:0:0:0:1",
        "::ffff:127.0.0.1",
        "::ffff:7f00:1",
        "::7f00:1",
        "64:ff9b::7f00:1",
    ])("takes %s only with allowLoopback", (host) => {
        expect(isLoopback(host)).toBe(true);
        expect(() => checkHost(host, strict)).toThrow(/the machine itself/);
        expect(() => checkHost(host, local)).not.toThrow();
    });

    it("refuses every IPv6 address where the reader takes none", () => {
        expect(() => checkHost("2001:db8::1", { ...strict, allowIpv6: false })).toThrow(/IPv6 address/);
        expect(() => checkHost("2001:db8::1", { ...strict, allowIpv6: true })).not.toThrow();
    });

    test("no spelling of an address of 127.0.0.0/8 or 169.254.0.0/16 passes", () => {
        const byte = fc.integer({ min: 0, max: 255 });
        fc.assert(
            fc.property(fc.constantFrom([127], [169, 254]), byte, byte, byte, (prefix, ...rest) => {
                const [a = 0, b = 0, c = 0, d = 0] = [...prefix, ...rest];
                const whole = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
                const high = (whole >>> 16).toString(16);
                const low = (whole & 0xffff).toString(16);
                for (const spelling of [
                    `${a}.${b}.${c}.${d}`,
                    `${a}.${b}.${(c << 8) | d}`,
                    `${whole}`,
                    `0x${whole.toString(16)}`,
                    `0x${a.toString(16)}.${b}.${c}.${d}`,
                    `${a}.${b}.${c}.0x${d.toString(16)}`,
                    `0${a.toString(8)}.${b}.${c}.${d}`,
                    `::ffff:${high}:${low}`,
                    `0:0:0:0:0:FFFF:${a}.${b}.${c}.${d}`,
                    `64:ff9b::${high}:${low}`,
                ]) {
                    expect(() => checkHost(spelling, strict), spelling).toThrow(InputError);
                }
            }),
        );
    });

    test("anything that passes is visible ASCII without the marks of a URL", () => {
        fc.assert(
            fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.domain(), fc.ipV4(), fc.ipV6()), (host) => {
                try {
                    checkHost(host, local);
                } catch (error) {
                    expect(error).toBeInstanceOf(InputError);
                    return;
                }
                expect(host).toMatch(/^[A-Za-z0-9_.:-]+$/);
            }),
        );
    });
});

describe("withoutSecrets", () => {
    it.each([
        ["https://host:1", "https://host:1"],
        ["https://user:pass@host", "https://***"],
        ["https://user:p@ss/w?o#rd@host", "https://***"],
        ["user:pass@host:1", "***"],
        ["https://host/x?token=abc", "https://host/x"],
        ["https://host#abc", "https://host"],
        ["https://host?token=a@b", "https://***"],
    ])("shows %s as %s", (value, shown) => {
        expect(withoutSecrets(value)).toBe(shown);
    });
});
