/** Milliseconds per unit of EMQX's durations. */
const units: Readonly<Record<string, number>> = {
    ms: 1,
    s: 1000,
    m: 60_000,
    h: 3_600_000,
    d: 86_400_000,
    w: 604_800_000,
    f: 1_209_600_000,
};

/** Bytes per unit of EMQX's sizes. */
const sizes: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 };

/**
 * Milliseconds of a duration in any of EMQX's spellings: `"15s"`, `"1h30m"`, `"500ms"`, `15000` (milliseconds), `"15000"` and `"infinity"`.
 * Undefined when it is none.
 */
export function durationMs(value: unknown): number | undefined {
    if (typeof value === "number") {
        return Number.isInteger(value) && value >= 0 ? value : undefined;
    }
    if (typeof value !== "string") {
        return undefined;
    }
    const text = value.trim().toLowerCase();
    if (text === "infinity") {
        return Number.POSITIVE_INFINITY;
    }
    if (/^\d{1,15}$/.test(text)) {
        return Number(text);
    }
    if (!/^(?:\d{1,12}(?:ms|[smhdwf]))+$/.test(text)) {
        return undefined;
    }
    let sum = 0;
    for (const [, count, unit = ""] of text.matchAll(/(\d+)(ms|[smhdwf])/g)) {
        sum += Number(count) * (units[unit] ?? 0);
    }
    return sum;
}

/** The shortest single-unit spelling of a number of milliseconds, at most in hours: `"15s"`, `"1500ms"`, `"2m"`. */
export function formatDuration(milliseconds: number): string {
    for (const unit of ["h", "m", "s"]) {
        const size = units[unit] ?? 1;
        if (milliseconds >= size && milliseconds % size === 0) {
            return `${milliseconds / size}${unit}`;
        }
    }
    return `${milliseconds}ms`;
}

/** Whether two spellings mean the same duration. Spellings that are none are the same only when equal. */
export function sameDuration(one: unknown, other: unknown): boolean {
    const left = durationMs(one);
    return left === undefined ? one === other : left === durationMs(other);
}

/** Bytes of a size in EMQX's spellings: `"256MB"`, `268435456`, `"64kb"`, `"infinity"`. Undefined when it is none. */
export function sizeBytes(value: unknown): number | undefined {
    if (typeof value === "number") {
        return Number.isInteger(value) && value >= 0 ? value : undefined;
    }
    if (typeof value !== "string") {
        return undefined;
    }
    const text = value.trim().toLowerCase();
    if (text === "infinity") {
        return Number.POSITIVE_INFINITY;
    }
    const match = /^(\d{1,15})(b|kb|mb|gb|tb)?$/.exec(text);
    return match === null ? undefined : Number(match[1]) * (sizes[match[2] ?? "b"] ?? 1);
}

/** Whether two spellings mean the same size. Spellings that are none are the same only when equal. */
export function sameSize(one: unknown, other: unknown): boolean {
    const left = sizeBytes(one);
    return left === undefined ? one === other : left === sizeBytes(other);
}
