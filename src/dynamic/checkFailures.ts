import { InputError } from "../errors.js";

/** A failure as Pulumi shows it: the property's name and stored value, then the reason. */
export interface CheckFailure {
    readonly property: string;
    readonly reason: string;
}

/**
 * Runs checks and turns wrong arguments into failures of a provider's `check`.
 *
 * The engine prints the value of the named property beside the reason, unmasked even where it is secret. So a failure is always put
 * under one property that is never secret; the argument that is meant stands in the reason.
 *
 * @param property a property of the resource that is never secret
 */
export function checkFailures(property: string, ...checks: (() => unknown)[]): CheckFailure[] {
    const failures: CheckFailure[] = [];
    for (const check of checks) {
        try {
            check();
        } catch (error) {
            if (!(error instanceof InputError)) {
                throw error;
            }
            failures.push({ property, reason: error.message });
        }
    }
    return failures;
}
