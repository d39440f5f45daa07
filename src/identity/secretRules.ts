import { InputError, quote } from "../errors.js";
import { checkRotation } from "./certificateRules.js";

/** What generated secrets are described by. */
export interface SecretNames {
    readonly names: readonly string[];
    readonly bytes?: number | undefined;
    readonly rotation?: Readonly<Record<string, number>> | undefined;
}

/**
 * Checks the description of generated secrets.
 *
 * @throws InputError naming the argument
 */
export function checkSecretNames({ names, bytes, rotation }: SecretNames): void {
    for (const [index, name] of names.entries()) {
        if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name)) {
            throw new InputError(
                `names[${index}]`,
                `${quote(name)} cannot name a secret; use 1 to 64 letters, digits, "_" and "-", beginning with a letter`,
            );
        }
        if (names.indexOf(name) !== index) {
            throw new InputError(`names[${index}]`, `${quote(name)} is there twice; name every secret once`);
        }
    }
    if (names.length === 0) {
        throw new InputError("names", "it is empty; name at least one secret");
    }
    if (bytes !== undefined && !(Number.isInteger(bytes) && bytes >= 16 && bytes <= 512)) {
        throw new InputError("bytes", `${quote(bytes)} is out of range; set a whole number from 16 to 512`);
    }
    for (const [name, counter] of Object.entries(rotation ?? {})) {
        if (!names.includes(name)) {
            throw new InputError(`rotation.${name}`, `there is no secret of this name; the names are ${names.join(", ")}`);
        }
        checkRotation(`rotation.${name}`, counter);
    }
}
