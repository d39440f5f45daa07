/** An IPv4 range as numbers: first and last address. */
export interface Range {
    readonly first: number;
    readonly last: number;
    readonly prefix: number;
}

/** Reads `10.1.0.0/16`, or an address as a range of one; `undefined` for anything else and for ranges with bits behind the prefix. */
export function range(text: unknown): Range | undefined {
    const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(typeof text === "string" ? text : "");
    if (parts === null) {
        return undefined;
    }
    const bytes = parts.slice(1, 5).map(Number);
    const prefix = parts[5] === undefined ? 32 : Number(parts[5]);
    const size = 2 ** (32 - prefix);
    const first = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    return bytes.some((byte) => byte > 255) || prefix > 32 || first % size !== 0
        ? undefined
        : { first, last: first + size - 1, prefix };
}

/** Whether the first text's range lies within the second's. */
export function within(inner: unknown, outer: unknown): boolean {
    const [a, b] = [range(inner), range(outer)];
    return a !== undefined && b !== undefined && a.first >= b.first && a.last <= b.last;
}

/** Whether two ranges share an address. */
export function overlap(one: unknown, other: unknown): boolean {
    const [a, b] = [range(one), range(other)];
    return a !== undefined && b !== undefined && a.first <= b.last && b.first <= a.last;
}

/** The address at a place of a range, from 0. */
export function addressAt(cidr: unknown, place: number): string {
    const value = (range(cidr)?.first ?? 0) + place;
    return [2 ** 24, 2 ** 16, 2 ** 8, 1].map((unit) => Math.floor(value / unit) % 256).join(".");
}
