import { canonicalText } from "../dynamic/storedForm.js";

/** Stored properties without those that only concern Pulumi: how a resource is implemented and where it shows progress. */
export function withoutPulumiKeys<T extends object>(stored: T): Omit<T, "progressUrn" | "__provider"> {
    const { progressUrn: _urn, __provider: _text, ...rest } = stored as T & { progressUrn?: unknown; __provider?: unknown };
    return rest as Omit<T, "progressUrn" | "__provider">;
}

/** Whether two plain values are equal, whatever the order of their keys; a key that holds `undefined` or `null` counts as absent. */
export function sameData(one: unknown, other: unknown): boolean {
    return canonicalText(one) === canonicalText(other);
}
