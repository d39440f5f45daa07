import { createHash } from "node:crypto";

/** The same data with the same order of keys, whoever sent it: engines and wires keep none. */
export function canonical<T>(value: T): T {
    return order(JSON.parse(JSON.stringify(value))) as T;
}

/** What data is, in a few characters that tell nothing of it. */
export function digestOf(value: unknown): string {
    return createHash("sha256")
        .update(JSON.stringify(canonical(value)))
        .digest("hex")
        .slice(0, 32);
}

function order(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(order);
    }
    if (typeof value !== "object" || value === null) {
        return value;
    }
    return Object.fromEntries(
        Object.entries(value)
            .sort(([one], [other]) => (one < other ? -1 : 1))
            .map(([key, inner]) => [key, order(inner)]),
    );
}
