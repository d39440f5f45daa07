import type { Props } from "./types.mts";

/** What Pulumi sends in place of a value that is not known at preview. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value is, or anywhere inside holds, one that is not known yet. */
export function hasUnknown(value: unknown): boolean {
    if (typeof value === "object" && value !== null) {
        return Object.values(value).some(hasUnknown);
    }
    return value === unknown;
}

/** The values at a path such as `a.b`, `list[].id` or `list[]`; absent ones are left out. */
export function valuesAt(value: unknown, path: string): readonly unknown[] {
    let found: unknown[] = [value];
    for (const step of path.split(".")) {
        const every = step.endsWith("[]");
        const key = every ? step.slice(0, -2) : step;
        found = found
            .map((each) => (typeof each === "object" && each !== null ? (each as Props)[key] : undefined))
            .flatMap((each) => (every ? (Array.isArray(each) ? each : []) : [each]))
            .filter((each) => each !== undefined && each !== null);
    }
    return found;
}

/** The texts at a path that are known. */
export function textsAt(value: unknown, path: string): readonly string[] {
    return valuesAt(value, path).filter((each): each is string => typeof each === "string" && each !== "" && each !== unknown);
}

/** The only text at a path; "" where there is none. */
export function textAt(value: unknown, path: string): string {
    return textsAt(value, path)[0] ?? "";
}

/** The objects of a list at a path. */
export function itemsAt(value: unknown, path: string): readonly Props[] {
    return valuesAt(value, `${path}[]`).filter((each): each is Props => typeof each === "object" && each !== null);
}

/** Whether two plain values are the same; absent and `null` are. */
export function same(a: unknown, b: unknown): boolean {
    if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) {
        return (a ?? undefined) === (b ?? undefined);
    }
    if (Array.isArray(a) !== Array.isArray(b)) {
        return false;
    }
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].every((key) => same((a as Props)[key], (b as Props)[key]));
}

/** Top-level keys in which two property bags differ. Properties with leading underscores are the engine's own. */
export function changedKeys(a: Props, b: Props): readonly string[] {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].filter((key) => !key.startsWith("__") && !same(a[key], b[key]));
}
