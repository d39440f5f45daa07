import { InputError, quote } from "../errors.js";

/** How a delivery run is done. */
export interface ProbeSettings {
    readonly count: number;
    readonly rate: number;
    readonly qos: 0 | 1 | 2;
    readonly payloadBytes: number;
    readonly timeoutSeconds: number;
}

/** What counts as a proof, and when one is due. */
export interface ProofRules {
    readonly maxLoss: number;
    readonly prove: "change" | "always";
    readonly reach: "required" | "optional";
}

/**
 * What holds where nothing is set. Applied when a run starts and never stored: another default in a later version changes no state.
 */
export const probeDefaults: ProbeSettings & ProofRules = {
    count: 100,
    rate: 200,
    qos: 1,
    payloadBytes: 256,
    timeoutSeconds: 60,
    maxLoss: 0,
    prove: "change",
    reach: "required",
};

const ranges = {
    count: { min: 1, max: 1_000_000, unit: "messages" },
    rate: { min: 1, max: 5_000, unit: "messages per second" },
    qos: { min: 0, max: 2, unit: "" },
    payloadBytes: { min: 0, max: 1_000_000, unit: "bytes" },
    timeoutSeconds: { min: 1, max: 3_600, unit: "seconds" },
    maxLoss: { min: 0, max: 1_000_000, unit: "messages" },
} as const;

const choices = { prove: ["change", "always"], reach: ["required", "optional"] } as const;

/**
 * Checks the settings that are plain values; anything else (a value that is not known yet) is left for later.
 *
 * @throws InputError naming the argument
 */
export function checkProbeSettings(settings: { readonly [key: string]: unknown } | object): void {
    for (const [key, value] of Object.entries(settings)) {
        if (key in ranges && typeof value !== "object" && value !== undefined) {
            checkRange(key as keyof typeof ranges, value);
        }
        if (key in choices && typeof value !== "object" && value !== undefined) {
            const allowed: readonly unknown[] = choices[key as keyof typeof choices];
            if (!allowed.includes(value)) {
                throw new InputError(key, `${quote(value)} is not known; set ${allowed.map(quote).join(" or ")}`);
            }
        }
    }
}

function checkRange(key: keyof typeof ranges, value: unknown): void {
    const { min, max, unit } = ranges[key];
    if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
        throw new InputError(
            key,
            `${quote(value)} is out of range; set a whole number from ${min} to ${max}${unit && ` ${unit}`}`,
        );
    }
}

/** Fills in the defaults. */
export function withProbeDefaults(given: Partial<ProbeSettings & ProofRules>): ProbeSettings & ProofRules {
    const set = Object.entries(given).filter(([key, value]) => key in probeDefaults && value !== undefined);
    return { ...probeDefaults, ...Object.fromEntries(set) };
}
