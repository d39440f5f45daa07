import * as pulumi from "@pulumi/pulumi";
import { unknownValue } from "../dynamic/provider.js";

/**
 * The arguments of a resource as far as they are plain values; every output and promise, at any depth, stands as the same "not known
 * yet" that a provider sees. So one set of checks serves the constructor and the provider.
 */
export function plainParts(value: unknown): Record<string, unknown> {
    return plain(value) as Record<string, unknown>;
}

function plain(value: unknown): unknown {
    if (pulumi.Output.isInstance(value) || value instanceof Promise) {
        return unknownValue;
    }
    if (Array.isArray(value)) {
        return value.map(plain);
    }
    if (typeof value === "object" && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
    }
    return value;
}
