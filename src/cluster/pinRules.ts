import { hasUnknown } from "../dynamic/provider.js";
import { InputError, quote } from "../errors.js";

/** What state holds of a pin's arguments. Frozen: add keys, never change one. */
export interface PinInputs {
    readonly value: string;
    readonly release: string;
    readonly progressUrn?: string;
}

/** What state holds of a pin. */
export interface PinOutputs extends PinInputs {
    readonly pinned: string;
}

/** What state holds of a pinned package's arguments. Frozen: add keys, never change one. */
export interface PackagePinInputs {
    readonly url: string;
    readonly progressUrn?: string;
}

/** What state holds of a pinned package. */
export interface PackagePinOutputs extends PackagePinInputs {
    readonly sha256: string;
    readonly bytes: number;
}

/** @throws InputError naming the argument */
export function checkPin(given: Readonly<Record<string, unknown>>): void {
    for (const argument of ["value", "release"] as const) {
        const value = given[argument];
        if (!hasUnknown(value) && (typeof value !== "string" || value === "")) {
            throw new InputError(argument, `${quote(value)} is not possible; set a text`);
        }
    }
}

/** @throws InputError naming the argument */
export function checkPackageUrl(url: unknown): void {
    if (hasUnknown(url)) {
        return;
    }
    const parsed = typeof url === "string" && URL.canParse(url) ? new URL(url) : undefined;
    if (parsed?.protocol !== "https:" || parsed.username !== "" || parsed.password !== "" || parsed.hash !== "") {
        const shown = parsed === undefined ? quote(url) : quote(`${parsed.protocol}//${parsed.host}${parsed.pathname}`);
        throw new InputError("url", `${shown} is not possible; set an https:// address without a user and without a fragment`);
    }
}
