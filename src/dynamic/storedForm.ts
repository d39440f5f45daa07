import { createHash } from "node:crypto";

/**
 * How the properties of a kind stand in state. A link's resources are many, and the engine writes the whole state at every step, so they
 * are kept small: one property for all plain arguments, one secret for all secret ones, one for what was made.
 */
export interface StoredForm {
    /** Arguments that are secret. Of the inputs state keeps their digests only, of the outputs what read and delete need. */
    readonly secrets: readonly string[];
    /** Outputs that are no arguments. */
    readonly made: readonly string[];
}

/** The kinds that are stored so; all others have one property per argument. Part of users' state: lists may grow, never change. */
export const storedForms = {
    clusterLink: { secrets: ["api", "password", "tls"], made: ["status", "changedAt", "drift", "tlsShape", "hasPassword"] },
    linkAccess: { secrets: ["api", "password"], made: ["login", "drift"] },
    deliveryProbe: { secrets: ["a", "b"], made: ["results"] },
} as const satisfies Readonly<Record<string, StoredForm>>;

/** The form of a kind, where it has one of its own. */
export function storedFormOf(kind: string): StoredForm | undefined {
    return (storedForms as Readonly<Record<string, StoredForm>>)[kind];
}

/** Plain data by key. */
export type Stored = Readonly<Record<string, unknown>>;

/** Key of the digests of a resource's secrets, among its plain properties. */
export const sealedKey = "sealed";

/** Keys in state that concern every kind. */
const providerKey = "__provider";

/**
 * A resource's properties as its code uses them: one per argument.
 * Takes what state holds in this form or in the earlier one of a property per argument, and what the program sends.
 */
export function unpacked(form: StoredForm | undefined, stored: Stored, unknown: string): Stored {
    if (form === undefined || !isRecord(stored.args)) {
        return stored;
    }
    const { args, secrets, made, [providerKey]: text } = stored;
    const known = isRecord(secrets) ? (unfolded(secrets) as Stored) : {};
    return {
        ...args,
        ...(secrets === unknown ? Object.fromEntries(form.secrets.map((key) => [key, unknown])) : known),
        ...(typeof secrets === "string" && secrets !== unknown ? { [sealedKey]: secrets } : {}),
        ...(isRecord(made) ? made : {}),
        ...(text === undefined ? {} : { [providerKey]: text }),
    };
}

/** Outputs as state holds them. */
export function packedOutputs(form: StoredForm | undefined, flat: Stored): Stored {
    if (form === undefined) {
        return flat;
    }
    const { [providerKey]: text, ...rest } = flat;
    const isSecret = (key: string) => key === sealedKey || form.secrets.includes(key);
    const isMade = (key: string) => form.made.includes(key);
    return {
        args: pick(rest, (key) => !isSecret(key) && !isMade(key)),
        secrets: folded(pick(rest, isSecret)),
        made: pick(rest, isMade),
        ...(text === undefined ? {} : { [providerKey]: text }),
    };
}

/** Inputs as state holds them: without their secrets, of which `sealed` tells all that a comparison needs. */
export function packedInputs(form: StoredForm, flat: Stored, sealed: unknown): Stored {
    const { [providerKey]: text, [sealedKey]: _sealed, ...rest } = flat;
    return {
        args: pick(rest, (key) => !form.secrets.includes(key)),
        secrets: sealed,
        ...(text === undefined ? {} : { [providerKey]: text }),
    };
}

/** The digests of secret arguments, in the form's order; `canonical` replaces arguments that have several spellings. */
export function sealOf(form: StoredForm, flat: Stored, canonical: Stored = {}): string {
    return form.secrets
        .map((key) => (key in canonical ? canonical[key] : flat[key]))
        .map((value) => (value === undefined || value === null ? "" : digestOf(value)))
        .join(".");
}

/** The digest of one secret argument in a seal. */
export function sealedPart(form: StoredForm, sealed: string, key: string): string {
    return sealed.split(".")[form.secrets.indexOf(key)] ?? "";
}

/** A short digest of plain data: 128 bits, whatever the order of keys. */
export function digestOf(value: unknown): string {
    return createHash("sha256").update(canonicalText(value)).digest("base64url").slice(0, 22);
}

/** Whether two plain values are equal, whatever the order of their keys; a key that holds `undefined` or `null` counts as absent. */
export function canonicalText(value: unknown): string {
    const sorted = (_key: string, part: unknown) =>
        isRecord(part)
            ? Object.fromEntries(
                  Object.entries(part)
                      .filter(([, inner]) => inner !== undefined && inner !== null)
                      .sort(([left], [right]) => (left < right ? -1 : 1)),
              )
            : part;
    return JSON.stringify(value, sorted) ?? "";
}

/** Texts of at least this length are stored once where they occur several times, as authorities do. */
const longText = 200;
/** Key of the texts that others refer to as `=0`, `=1`, ... */
const tableKey = "=";

/** Plain data with every long text that repeats stored once. */
export function folded(value: Stored): Stored {
    const times = new Map<string, number>();
    visit(value, (text) => {
        if (text.length >= longText) {
            times.set(text, (times.get(text) ?? 0) + 1);
        }
        return text;
    });
    const table = [...times].filter(([, count]) => count > 1).map(([text]) => text);
    if (table.length === 0) {
        return value;
    }
    const refer = (text: string) => {
        const index = table.indexOf(text);
        return index >= 0 ? `=${index}` : text.startsWith("=") ? `=${text}` : text;
    };
    return { ...(visit(value, refer) as Stored), [tableKey]: table };
}

/** The reverse of {@link folded}. */
export function unfolded(value: Stored): Stored {
    const { [tableKey]: table, ...rest } = value;
    if (!Array.isArray(table)) {
        return value;
    }
    const resolve = (text: string) => {
        if (!text.startsWith("=")) {
            return text;
        }
        return text.startsWith("==") ? text.slice(1) : String(table[Number(text.slice(1))]);
    };
    return visit(rest, resolve) as Stored;
}

function visit(value: unknown, onText: (text: string) => string): unknown {
    if (typeof value === "string") {
        return onText(value);
    }
    if (Array.isArray(value)) {
        return value.map((each) => visit(each, onText));
    }
    return isRecord(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, visit(inner, onText)])) : value;
}

function pick(from: Stored, wanted: (key: string) => boolean): Stored {
    return Object.fromEntries(Object.entries(from).filter(([key, value]) => value !== undefined && wanted(key)));
}

function isRecord(value: unknown): value is Stored {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
