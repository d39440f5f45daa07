import { isIPv4 } from "node:net";
import { InputError, quote } from "../errors.js";

/** A range of IPv4 addresses. */
export interface Cidr {
    /** First address, as a number from 0 to 2^32 - 1. */
    readonly base: number;
    /** Prefix length, 0 to 32. */
    readonly prefix: number;
}

/** A range with what it is used for, for messages. */
export interface NamedRange {
    readonly cidr: string;
    readonly what: string;
}

/** Ranges that are private by RFC 1918: what sites may use inside. */
const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
/** Ranges that no site may touch: containers on the brokers' machines, link-local addresses, carrier-grade NAT. */
export const reservedRanges: readonly NamedRange[] = [
    { cidr: "172.17.0.0/16", what: "containers' default network" },
    { cidr: "169.254.0.0/16", what: "link-local addresses" },
    { cidr: "100.64.0.0/10", what: "carrier-grade NAT" },
];
/** What is no address of a host on the internet. */
const notPublic = [
    ...privateRanges,
    ...reservedRanges.map(({ cidr }) => cidr),
    "0.0.0.0/8",
    "127.0.0.0/8",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "198.18.0.0/15",
    "224.0.0.0/3",
];

/**
 * Reads `10.1.0.0/16`.
 *
 * @throws InputError naming the argument: no range, or bits set behind the prefix
 */
export function parseCidr(text: string, argument = "cidr"): Cidr {
    const match = /^([0-9.]+)\/(\d{1,2})$/.exec(typeof text === "string" ? text : "");
    const [, address = "", length = ""] = match ?? [];
    const prefix = Number(length);
    if (match === null || !isIPv4(address) || prefix > 32) {
        throw new InputError(argument, `${quote(text)} is no IPv4 range; write it as in "10.1.0.0/16"`);
    }
    const base = parseAddress(address);
    const first = base - (base % 2 ** (32 - prefix));
    if (first !== base) {
        throw new InputError(
            argument,
            `${quote(text)} does not begin at the first address of its range; write ${quote(`${formatAddress(first)}/${prefix}`)}`,
        );
    }
    return { base, prefix };
}

/** The range as text. */
export function formatCidr({ base, prefix }: Cidr): string {
    return `${formatAddress(base)}/${prefix}`;
}

/** Number of addresses in a range. */
export function sizeOf({ prefix }: Cidr): number {
    return 2 ** (32 - prefix);
}

/** Whether two ranges share an address. */
export function overlaps(one: Cidr, other: Cidr): boolean {
    return one.base < other.base + sizeOf(other) && other.base < one.base + sizeOf(one);
}

/** Whether a range lies wholly in another. */
export function isWithin(inner: Cidr, outer: Cidr): boolean {
    return inner.base >= outer.base && inner.base + sizeOf(inner) <= outer.base + sizeOf(outer);
}

/**
 * The range of a given size that begins `offset` such ranges into `range`.
 *
 * @throws RangeError when it does not fit: a fault of the plan, never of the user
 */
export function subrange(range: Cidr, prefix: number, offset: number): Cidr {
    const found = { base: range.base + offset * 2 ** (32 - prefix), prefix };
    if (prefix < range.prefix || offset < 0 || !isWithin(found, range)) {
        throw new RangeError(`/${prefix} number ${offset} is not within ${formatCidr(range)}`);
    }
    return found;
}

/** The address that lies `offset` behind the first one of a range. */
export function addressAt(range: Cidr, offset: number): string {
    if (offset < 0 || offset >= sizeOf(range)) {
        throw new RangeError(`address ${offset} is not within ${formatCidr(range)}`);
    }
    return formatAddress(range.base + offset);
}

/**
 * Checks the private range of a site.
 *
 * @param bounds shortest and longest prefix that fit
 * @throws InputError naming the argument
 */
export function checkSiteCidr(text: string, bounds: { readonly min: number; readonly max: number }, argument = "cidr"): Cidr {
    const range = parseCidr(text, argument);
    if (range.prefix < bounds.min || range.prefix > bounds.max) {
        throw new InputError(argument, `${quote(text)} has the wrong size; set a range from /${bounds.min} to /${bounds.max}`);
    }
    if (!privateRanges.some((allowed) => isWithin(range, parseCidr(allowed)))) {
        throw new InputError(argument, `${quote(text)} is not private; set a range within ${privateRanges.join(", ")}`);
    }
    const taken = reservedRanges.find(({ cidr }) => overlaps(range, parseCidr(cidr)));
    if (taken !== undefined) {
        throw new InputError(argument, `${quote(text)} overlaps ${taken.cidr} (${taken.what}); set another range`);
    }
    return range;
}

/**
 * Checks that no two ranges share an address.
 *
 * @throws InputError naming the argument and both ranges
 */
export function checkDisjoint(ranges: readonly NamedRange[], argument: string): void {
    for (const [index, one] of ranges.entries()) {
        const range = parseCidr(one.cidr, argument);
        const other = ranges.slice(index + 1).find(({ cidr }) => overlaps(range, parseCidr(cidr, argument)));
        if (other !== undefined) {
            throw new InputError(
                argument,
                `${one.cidr} (${one.what}) and ${other.cidr} (${other.what}) share addresses; give each a range of its own`,
            );
        }
    }
}

/** Shortest prefix of an admitted range: two ranges of /1 are everybody too, and no network of anybody's is larger than this. */
const shortestAllowed = 8;

/**
 * Checks one entry of a list of admitted addresses. `0.0.0.0/0`, `::/0` and ranges that are nearly as large are refused: who means everybody
 * must say so in words.
 *
 * @returns the range in its shortest form, an address as `/32`
 * @throws InputError naming the argument
 */
export function checkAllowedRange(text: string, argument: string): string {
    if (/:/.test(String(text))) {
        throw new InputError(argument, `${quote(text)} is IPv6, which the doors do not serve; set IPv4 ranges`);
    }
    const range = parseCidr(/\//.test(String(text)) ? text : `${text}/32`, argument);
    if (range.prefix === 0) {
        throw new InputError(argument, `${quote(text)} admits everybody; list the ranges that need this door`);
    }
    if (range.prefix < shortestAllowed) {
        throw new InputError(
            argument,
            `${quote(text)} admits ${sizeOf(range)} addresses; list the ranges that need this door, /${shortestAllowed} or smaller`,
        );
    }
    return formatCidr(range);
}

/**
 * Checks an address that a host on the internet comes from.
 *
 * @throws InputError naming the argument
 */
export function checkPublicAddress(text: string, argument: string): string {
    if (typeof text !== "string" || !isIPv4(text)) {
        throw new InputError(
            argument,
            `${quote(text)} is no IPv4 address; write it as in "203.0.113.7", without a prefix length`,
        );
    }
    const range = { base: parseAddress(text), prefix: 32 };
    if (notPublic.some((other) => isWithin(range, parseCidr(other)))) {
        throw new InputError(argument, `${quote(text)} is no public address; set the one that the internet sees`);
    }
    return text;
}

function parseAddress(text: string): number {
    return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function formatAddress(value: number): string {
    return [2 ** 24, 2 ** 16, 2 ** 8, 1].map((unit) => Math.floor(value / unit) % 256).join(".");
}
