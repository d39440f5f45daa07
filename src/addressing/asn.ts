import { InputError, quote } from "../errors.js";

/** The first number of the range that sites take theirs from: 64521 for site 1 to 64640 for site 120. */
const base = 64_520;
/** Numbers that no cloud takes from a user: AWS's own public ones, Azure's, Google's partner fabric, and IANA's reserved ones. */
const reserved: readonly { readonly from: number; readonly to: number; readonly whose: string }[] = [
    { from: 7_224, to: 7_224, whose: "AWS in us-east-1" },
    { from: 9_059, to: 9_059, whose: "AWS in eu-west-1" },
    { from: 8_074, to: 8_075, whose: "Azure" },
    { from: 12_076, to: 12_076, whose: "Azure ExpressRoute" },
    { from: 16_550, to: 16_550, whose: "Google's Partner Interconnect" },
    { from: 23_456, to: 23_456, whose: "IANA (AS_TRANS)" },
    { from: 64_496, to: 64_511, whose: "IANA (documentation)" },
    { from: 65_515, to: 65_515, whose: "Azure's default" },
    { from: 65_517, to: 65_520, whose: "Azure" },
    { from: 65_535, to: 65_551, whose: "IANA" },
];
/** What every cloud takes as its own side's number: private 16-bit and 32-bit numbers (RFC 6996). */
const usable = [
    { from: 64_512, to: 65_534 },
    { from: 4_200_000_000, to: 4_294_967_294 },
];
/** Numbers kept free for the fabrics of carriers between sites. */
const fabrics = { from: 64_641, to: 64_699 };

/** A site's BGP autonomous system number where it sets none: 64520 + siteNumber. */
export function defaultAsn(siteNumber: number): number {
    return base + siteNumber;
}

/**
 * Checks a site's own number.
 *
 * @throws InputError naming the argument
 */
export function checkAsn(value: number, argument = "asn"): number {
    const taken = reserved.find(({ from, to }) => value >= from && value <= to);
    if (taken !== undefined) {
        throw new InputError(
            argument,
            `${quote(value)} is reserved (${taken.whose}); set one of 64512 to 65514, unique in the mesh`,
        );
    }
    if (!Number.isInteger(value) || !usable.some(({ from, to }) => value >= from && value <= to)) {
        throw new InputError(
            argument,
            `${quote(value)} is no private autonomous system number; set one of 64512 to 65514 or 4200000000 to 4294967294`,
        );
    }
    if (value >= fabrics.from && value <= fabrics.to) {
        throw new InputError(argument, `${quote(value)} is kept for carriers' fabrics; set another one of 64512 to 65514`);
    }
    return value;
}

/**
 * Checks that sites that exchange routes have numbers of their own: BGP drops what carries its own number, without a word.
 *
 * @throws InputError naming both sites
 */
export function checkDistinctAsns(sites: readonly { readonly name: string; readonly asn: number }[]): void {
    const owners = new Map<number, string>();
    for (const { name, asn } of sites) {
        const owner = owners.get(asn);
        if (owner !== undefined) {
            throw new InputError(
                "asn",
                `${asn} is the number of ${owner} and of ${name}; routes between them would be dropped, so give each its own`,
            );
        }
        owners.set(asn, name);
    }
}
