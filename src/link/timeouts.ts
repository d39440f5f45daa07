import { InputError, quote } from "../errors.js";

/** Deadlines of the calls to a cluster's REST API, in seconds, each above 0 and at most 3600. */
export interface ApiTimeouts {
    /**
     * For one call.
     * @default 65: a broker needs up to 60 to answer a change of a link whose remote is silent
     */
    readonly requestSeconds?: number | undefined;
    /**
     * How long a change without an answer is followed up before it counts as failed.
     * @default 120
     */
    readonly settleSeconds?: number | undefined;
    /**
     * How long `destroy` and `refresh` try before they leave a cluster that does not answer alone, and say so.
     * @default 30
     */
    readonly deleteSeconds?: number | undefined;
}

/** What holds where nothing is set. Applied at use and never stored: another default in a later version changes no state. */
export const timeoutDefaults = { requestSeconds: 65, settleSeconds: 120, deleteSeconds: 30 } as const;

/**
 * Checks deadlines.
 *
 * @throws InputError naming the argument
 */
export function checkTimeouts(timeouts: ApiTimeouts | undefined): void {
    for (const [key, value] of Object.entries(timeouts ?? {})) {
        if (value !== undefined && (typeof value !== "number" || !(value > 0 && value <= 3600))) {
            throw new InputError(`timeouts.${key}`, `${quote(value)} is out of range; set more than 0 and at most 3600 seconds`);
        }
    }
}
