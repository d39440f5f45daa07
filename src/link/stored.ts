/** Stored properties without those that only concern Pulumi: how a resource is implemented and where it shows progress. */
export function withoutPulumiKeys<T extends object>(stored: T): Omit<T, "progressUrn" | "__provider"> {
    const { progressUrn: _urn, __provider: _text, ...rest } = stored as T & { progressUrn?: unknown; __provider?: unknown };
    return rest as Omit<T, "progressUrn" | "__provider">;
}

/** Whether two plain values are equal, whatever the order of their keys; a key that holds `undefined` or `null` counts as absent. */
export function sameData(one: unknown, other: unknown): boolean {
    return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
    const sorted = (_key: string, part: unknown) =>
        typeof part === "object" && part !== null && !Array.isArray(part)
            ? Object.fromEntries(
                  Object.entries(part)
                      .filter(([, inner]) => inner !== undefined && inner !== null)
                      .sort(([left], [right]) => (left < right ? -1 : 1)),
              )
            : part;
    return JSON.stringify(value, sorted) ?? "";
}
