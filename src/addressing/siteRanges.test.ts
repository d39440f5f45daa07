import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isWithin, overlaps, parseCidr } from "./cidr.js";
import { brokerAddress, brokersPerSubnet, defaultSiteCidr, mostZones, sitePrefixes, siteRanges } from "./siteRanges.js";

const prefix = fc.integer({ min: sitePrefixes.min, max: sitePrefixes.max });
const siteNumber = fc.integer({ min: 1, max: 120 });

/** Every range that a site's own is cut into. */
const partsOf = (cidr: string) => {
    const { zones, gateway } = siteRanges(cidr);
    return [...zones.flatMap((zone) => [zone.brokers, zone.public, zone.attachment]), gateway].map((text) => parseCidr(text));
};

describe("siteRanges", () => {
    it("divides a /16 as documented", () => {
        const { zones, gateway, cidr } = siteRanges("10.1.0.0/16");
        expect(cidr).toBe("10.1.0.0/16");
        expect(zones).toHaveLength(mostZones);
        expect(zones[0]).toEqual({
            brokers: "10.1.0.0/24",
            public: "10.1.16.0/24",
            attachment: "10.1.32.0/28",
            linkDoor: "10.1.0.252",
        });
        expect(zones[5]).toEqual({
            brokers: "10.1.5.0/24",
            public: "10.1.21.0/24",
            attachment: "10.1.37.0/28",
            linkDoor: "10.1.5.252",
        });
        expect(gateway).toBe("10.1.255.224/27");
    });

    it("divides a /20 into AWS's smallest subnets", () => {
        const { zones, gateway } = siteRanges("10.1.16.0/20");
        expect(zones[0]).toEqual({
            brokers: "10.1.16.0/28",
            public: "10.1.17.0/28",
            attachment: "10.1.18.0/28",
            linkDoor: "10.1.16.12",
        });
        expect(gateway).toBe("10.1.31.224/27");
    });

    it("keeps all parts apart and inside, for every size", () => {
        fc.assert(
            fc.property(prefix, fc.integer({ min: 0, max: 255 }), (length, place) => {
                const cidr = `10.${place}.0.0/${length}`;
                const whole = parseCidr(cidr);
                const parts = partsOf(cidr);
                expect(parts).toHaveLength(3 * mostZones + 1);
                for (const [index, part] of parts.entries()) {
                    expect(isWithin(part, whole)).toBe(true);
                    expect(parts.slice(index + 1).filter((other) => overlaps(part, other))).toEqual([]);
                }
            }),
        );
    });

    it("gives every two site numbers ranges that share no address", () => {
        const ranges = Array.from({ length: 120 }, (_, index) => parseCidr(defaultSiteCidr(index + 1)));
        for (const [index, one] of ranges.entries()) {
            expect(ranges.slice(index + 1).some((other) => overlaps(one, other))).toBe(false);
        }
        fc.assert(
            fc.property(siteNumber, (number) => {
                expect(siteRanges(defaultSiteCidr(number)).cidr).toBe(`10.${number}.0.0/16`);
            }),
        );
    });

    it.each([
        ["10.1.0.0/15", 'network.cidr: "10.1.0.0/15" does not begin'],
        ["10.0.0.0/15", 'network.cidr: "10.0.0.0/15" has the wrong size; set a range from /16 to /20'],
        ["10.0.0.0/30", 'network.cidr: "10.0.0.0/30" has the wrong size'],
        ["20.1.0.0/16", 'network.cidr: "20.1.0.0/16" is not private'],
    ])("refuses %s and names the argument", (cidr, message) => {
        expect(() => siteRanges(cidr, "network.cidr")).toThrow(message);
    });
});

describe("brokerAddress", () => {
    it("leaves out what clouds keep, and the private link door", () => {
        const subnet = parseCidr("10.1.16.0/28");
        expect(brokersPerSubnet(subnet)).toBe(8);
        expect(Array.from({ length: 8 }, (_, index) => brokerAddress(subnet, index))).toEqual(
            [4, 5, 6, 7, 8, 9, 10, 11].map((last) => `10.1.16.${last}`),
        );
        expect(() => brokerAddress(subnet, 8)).toThrow(
            'broker.nodes: the subnet "10.1.16.0/28" has room for 8 brokers; set fewer, or a larger cidr',
        );
    });

    it("never is the link door's, nor one that a cloud keeps, nor another broker's", () => {
        fc.assert(
            fc.property(prefix, siteNumber, fc.integer({ min: 0, max: mostZones - 1 }), (length, number, zone) => {
                const ranges = siteRanges(`10.${number}.0.0/${length}`).zones[zone];
                const subnet = parseCidr(ranges?.brokers ?? "");
                const room = Math.min(brokersPerSubnet(subnet), 40);
                const addresses = Array.from({ length: room }, (_, index) => brokerAddress(subnet, index));
                expect(new Set([...addresses, ranges?.linkDoor]).size).toBe(room + 1);
                const places = addresses.map((one) => parseCidr(`${one}/32`).base - subnet.base);
                expect(Math.min(...places)).toBeGreaterThanOrEqual(4);
                expect(addresses.every((one) => isWithin(parseCidr(`${one}/32`), subnet))).toBe(true);
            }),
        );
    });

    it("has no room in a subnet that is smaller than what clouds keep", () => {
        expect(brokersPerSubnet(parseCidr("10.1.0.0/29"))).toBe(0);
        expect(brokersPerSubnet(parseCidr("10.1.0.0/32"))).toBe(0);
        expect(() => brokerAddress(parseCidr("10.1.0.0/30"), 0, "network.cidr")).toThrow("network.cidr: the subnet");
    });
});
