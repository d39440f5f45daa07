import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
    addressAt,
    type Cidr,
    checkAllowedRange,
    checkDisjoint,
    checkPublicAddress,
    checkSiteCidr,
    formatCidr,
    isWithin,
    overlaps,
    parseCidr,
    sizeOf,
    subrange,
} from "./cidr.js";

/** Any range, by its prefix and its place among those of that size. */
const anyRange: fc.Arbitrary<Cidr> = fc
    .integer({ min: 0, max: 32 })
    .chain((prefix) =>
        fc.integer({ min: 0, max: 2 ** prefix - 1 }).map((place) => ({ prefix, base: place * 2 ** (32 - prefix) })),
    );

/** Every address of a small range, counted. */
const addressesOf = (range: Cidr) => new Set(Array.from({ length: sizeOf(range) }, (_, index) => range.base + index));

describe("parseCidr", () => {
    it("reads what formatCidr writes", () => {
        fc.assert(
            fc.property(anyRange, (range) => {
                expect(parseCidr(formatCidr(range))).toEqual(range);
            }),
        );
    });

    it.each([
        ["0.0.0.0/0", { base: 0, prefix: 0 }],
        ["10.1.0.0/16", { base: 0x0a010000, prefix: 16 }],
        ["255.255.255.255/32", { base: 2 ** 32 - 1, prefix: 32 }],
    ])("reads %s", (text, range) => {
        expect(parseCidr(text)).toEqual(range);
    });

    it.each([
        "",
        "10.1.0.0",
        "10.1.0.0/",
        "10.1.0.0/33",
        "10.1.0.0/-1",
        "10.1.0/16",
        "256.1.0.0/16",
        "10.1.0.0/16 ",
        " 10.1.0.0/16",
        "10.1.0.0/1 6",
        "10.01.0.0/16",
        "0x0a.0.0.0/8",
        "::/0",
        "fd00::/8",
        "ten/8",
        "10.1.0.0/16/24",
    ])("refuses %j", (text) => {
        expect(() => parseCidr(text, "network.cidr")).toThrow(
            `network.cidr: ${JSON.stringify(text)} is no IPv4 range; write it as in "10.1.0.0/16"`,
        );
    });

    it("refuses what is no text", () => {
        expect(() => parseCidr(JSON.parse("null"))).toThrow("cidr: null is no IPv4 range");
        expect(() => parseCidr(JSON.parse("10"))).toThrow("cidr: 10 is no IPv4 range");
    });

    it("says the first address where bits are set behind the prefix", () => {
        expect(() => parseCidr("10.1.2.3/16")).toThrow(
            'cidr: "10.1.2.3/16" does not begin at the first address of its range; write "10.1.0.0/16"',
        );
    });
});

describe("overlaps and isWithin", () => {
    const smallRange = fc
        .tuple(fc.integer({ min: 24, max: 32 }), fc.integer({ min: 0, max: 511 }))
        .map(([prefix, place]): Cidr => ({ prefix, base: 0x0a000000 + (place % 2 ** (prefix - 23)) * 2 ** (32 - prefix) }));

    it("agree with counting addresses", () => {
        fc.assert(
            fc.property(smallRange, smallRange, (one, other) => {
                const [ones, others] = [addressesOf(one), addressesOf(other)];
                expect(overlaps(one, other)).toBe([...ones].some((address) => others.has(address)));
                expect(isWithin(one, other)).toBe([...ones].every((address) => others.has(address)));
            }),
        );
    });

    it("are symmetric and reflexive at the ends of the address space", () => {
        const [whole, last, first] = ["0.0.0.0/0", "255.255.255.255/32", "0.0.0.0/32"].map((text) => parseCidr(text));
        if (whole === undefined || last === undefined || first === undefined) {
            throw new Error("no ranges");
        }
        expect([overlaps(whole, last), overlaps(last, whole), overlaps(last, last), overlaps(first, last)]).toEqual([
            true,
            true,
            true,
            false,
        ]);
        expect([isWithin(last, whole), isWithin(whole, last)]).toEqual([true, false]);
    });
});

describe("subrange and addressAt", () => {
    it("cut a range into disjoint parts that fill it", () => {
        fc.assert(
            fc.property(
                anyRange.filter(({ prefix }) => prefix <= 28),
                fc.integer({ min: 0, max: 4 }),
                (range, bits) => {
                    const parts = Array.from({ length: 2 ** bits }, (_, offset) => subrange(range, range.prefix + bits, offset));
                    expect(parts.reduce((sum, part) => sum + sizeOf(part), 0)).toBe(sizeOf(range));
                    for (const [index, part] of parts.entries()) {
                        expect(isWithin(part, range)).toBe(true);
                        expect(parts.slice(index + 1).some((other) => overlaps(part, other))).toBe(false);
                    }
                },
            ),
        );
    });

    it("refuse what lies outside: a fault of the plan", () => {
        const range = parseCidr("10.1.0.0/24");
        expect(() => subrange(range, 28, 16)).toThrow(new RangeError("/28 number 16 is not within 10.1.0.0/24"));
        expect(() => subrange(range, 28, -1)).toThrow(RangeError);
        expect(() => subrange(range, 23, 0)).toThrow(RangeError);
        expect(addressAt(range, 255)).toBe("10.1.0.255");
        expect(() => addressAt(range, 256)).toThrow(new RangeError("address 256 is not within 10.1.0.0/24"));
        expect(() => addressAt(range, -1)).toThrow(RangeError);
    });
});

describe("checkSiteCidr", () => {
    const bounds = { min: 16, max: 20 };

    it.each(["10.0.0.0/16", "10.255.240.0/20", "172.16.0.0/16", "172.31.0.0/20", "192.168.0.0/16"])("takes %s", (text) => {
        expect(formatCidr(checkSiteCidr(text, bounds))).toBe(text);
    });

    it.each([
        ["10.0.0.0/15", "has the wrong size; set a range from /16 to /20"],
        ["10.0.0.0/21", "has the wrong size; set a range from /16 to /20"],
        ["11.0.0.0/16", "is not private; set a range within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16"],
        ["172.32.0.0/16", "is not private"],
        ["192.169.0.0/16", "is not private"],
        ["8.8.0.0/16", "is not private"],
        ["172.17.0.0/16", "overlaps 172.17.0.0/16 (containers' default network); set another range"],
        ["172.17.240.0/20", "overlaps 172.17.0.0/16 (containers' default network)"],
        ["100.64.0.0/16", "is not private"],
        ["169.254.0.0/16", "is not private"],
        ["10.1.1.0/16", 'does not begin at the first address of its range; write "10.1.0.0/16"'],
    ])("refuses %s", (text, problem) => {
        expect(() => checkSiteCidr(text, bounds, "cidr")).toThrow(`cidr: ${JSON.stringify(text)} ${problem}`);
    });
});

describe("checkDisjoint", () => {
    it("names both ranges and what they are for", () => {
        expect(() =>
            checkDisjoint(
                [
                    { cidr: "10.1.0.0/16", what: "aws" },
                    { cidr: "10.2.0.0/16", what: "gcp" },
                    { cidr: "10.2.128.0/20", what: "azure" },
                ],
                "sites",
            ),
        ).toThrow("sites: 10.2.0.0/16 (gcp) and 10.2.128.0/20 (azure) share addresses; give each a range of its own");
    });

    it("names its own argument where a range is none", () => {
        expect(() => checkDisjoint([{ cidr: "10.1.0.0/33", what: "x" }], "network")).toThrow(
            'network: "10.1.0.0/33" is no IPv4 range',
        );
        expect(() =>
            checkDisjoint(
                [
                    { cidr: "10.1.0.0/24", what: "x" },
                    { cidr: "no", what: "y" },
                ],
                "network",
            ),
        ).toThrow('network: "no" is no IPv4 range');
    });

    it("takes neighbours", () => {
        checkDisjoint(
            ["10.1.0.0/17", "10.1.128.0/17", "10.2.0.0/16"].map((cidr) => ({ cidr, what: cidr })),
            "sites",
        );
    });
});

describe("checkAllowedRange", () => {
    it.each([
        ["203.0.113.7", "203.0.113.7/32"],
        ["203.0.113.7/32", "203.0.113.7/32"],
        ["10.0.0.0/8", "10.0.0.0/8"],
        ["198.51.100.0/24", "198.51.100.0/24"],
    ])("takes %s as %s", (text, range) => {
        expect(checkAllowedRange(text, "adminCidrs[0]")).toBe(range);
    });

    it.each([
        ["0.0.0.0/0", "admits everybody; list the ranges that need this door"],
        ["::/0", "is IPv6, which the doors do not serve; set IPv4 ranges"],
        ["2001:db8::1", "is IPv6"],
        ["0.0.0.0/1", "admits 2147483648 addresses; list the ranges that need this door, /8 or smaller"],
        ["128.0.0.0/1", "admits 2147483648 addresses"],
        ["10.0.0.0/7", "admits 33554432 addresses"],
        ["203.0.113.7/24", 'does not begin at the first address of its range; write "203.0.113.0/24"'],
        ["example.com", 'is no IPv4 range; write it as in "10.1.0.0/16"'],
    ])("refuses %s", (text, problem) => {
        const shown = text === "example.com" ? "example.com/32" : text;
        expect(() => checkAllowedRange(text, "adminCidrs[0]")).toThrow(`adminCidrs[0]: ${JSON.stringify(shown)} ${problem}`);
    });

    it("never admits everybody, whatever lists are made of what it takes", () => {
        fc.assert(
            fc.property(anyRange, (range) => {
                const text = formatCidr(range);
                if (range.prefix < 8) {
                    expect(() => checkAllowedRange(text, "x")).toThrow("x: ");
                } else {
                    expect(checkAllowedRange(text, "x")).toBe(text);
                }
            }),
        );
    });
});

describe("checkPublicAddress", () => {
    it.each(["203.0.113.7", "8.8.8.8", "172.15.255.255", "100.63.255.255", "223.255.255.255"])("takes %s", (text) => {
        expect(checkPublicAddress(text, "x")).toBe(text);
    });

    it.each([
        ["203.0.113.7/32", 'is no IPv4 address; write it as in "203.0.113.7", without a prefix length'],
        ["::1", "is no IPv4 address"],
        ["", "is no IPv4 address"],
        ["10.0.0.1", "is no public address; set the one that the internet sees"],
        ["172.31.255.255", "is no public address"],
        ["192.168.1.1", "is no public address"],
        ["127.0.0.1", "is no public address"],
        ["169.254.169.254", "is no public address"],
        ["100.64.0.1", "is no public address"],
        ["0.0.0.0", "is no public address"],
        ["224.0.0.1", "is no public address"],
        ["255.255.255.255", "is no public address"],
    ])("refuses %j", (text, problem) => {
        expect(() => checkPublicAddress(text, "link.egressAddresses[0]")).toThrow(
            `link.egressAddresses[0]: ${JSON.stringify(text)} ${problem}`,
        );
    });
});
