import { describe, expect, it } from "vitest";
import { checkAsn, checkDistinctAsns, defaultAsn } from "./asn.js";

describe("checkAsn", () => {
    it("accepts every site's own number and the usable private ones", () => {
        for (let site = 1; site <= 120; site++) {
            expect(checkAsn(defaultAsn(site))).toBe(64_520 + site);
        }
        expect([64_512, 65_514, 65_521, 65_534, 4_200_000_000].map((asn) => checkAsn(asn))).toHaveLength(5);
    });

    it.each([
        [65_515, "is reserved (Azure's default)"],
        [65_517, "is reserved (Azure)"],
        [65_520, "is reserved (Azure)"],
        [12_076, "is reserved (Azure ExpressRoute)"],
        [16_550, "is reserved (Google's Partner Interconnect)"],
        [7_224, "is reserved (AWS in us-east-1)"],
        [23_456, "is reserved (IANA (AS_TRANS))"],
        [64_500, "is reserved (IANA (documentation))"],
        [65_535, "is reserved (IANA)"],
        [64_650, "is kept for carriers' fabrics"],
        [100, "is no private autonomous system number"],
        [64_512.5, "is no private autonomous system number"],
        [Number.NaN, "is no private autonomous system number"],
        [4_294_967_295, "is no private autonomous system number"],
    ])("refuses %s", (asn, message) => {
        expect(() => checkAsn(asn)).toThrow(message);
    });
});

describe("checkDistinctAsns", () => {
    it("names both sites", () => {
        const sites = [
            { name: "aws", asn: 64_521 },
            { name: "gcp", asn: 64_522 },
            { name: "plant", asn: 64_521 },
        ];
        expect(() => checkDistinctAsns(sites)).toThrow("asn: 64521 is the number of aws and of plant");
        expect(() => checkDistinctAsns(sites.slice(0, 2))).not.toThrow();
    });
});
