import { isIP } from "node:net";
import { InputError, quote } from "../errors.js";

/** What a certificate may be used for. */
export const certificateUsages = ["server", "client"] as const;
export type CertificateUsage = (typeof certificateUsages)[number];

/** What holds where nothing is set. Applied at use and never stored: another default in a later version changes no state. */
export const identityDefaults = {
    caValidityDays: 3650,
    validityDays: 397,
    renewBeforeDays: 30,
    secretBytes: 32,
} as const;

const dayMs = 86_400_000;
/** Longest common name that X.509 allows; peers compare the alternative names, so a longer one may be cut. */
const longestCommonName = 64;

/** What a certificate says. Unknown parts are left out. */
export interface CertificateNames {
    readonly commonName?: string | undefined;
    readonly dnsNames?: readonly string[] | undefined;
    readonly ipAddresses?: readonly string[] | undefined;
    readonly usage?: readonly string[] | undefined;
    readonly validityDays?: number | undefined;
    readonly renewBeforeDays?: number | undefined;
}

/**
 * Checks what a certificate is to say.
 *
 * @throws InputError naming the argument
 */
export function checkCertificate(names: CertificateNames): void {
    if (names.commonName !== undefined) {
        checkCommonName(names.commonName);
    }
    for (const [index, name] of (names.dnsNames ?? []).entries()) {
        if (
            name.length > 253 ||
            !/^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(name)
        ) {
            throw new InputError(
                `dnsNames[${index}]`,
                `${quote(name)} is no host name; set one such as "broker.example.com" or "*.example.com"`,
            );
        }
        if (isIP(name) !== 0) {
            throw new InputError(`dnsNames[${index}]`, `${quote(name)} is an address; put it into ipAddresses`);
        }
    }
    for (const [index, address] of (names.ipAddresses ?? []).entries()) {
        if (isIP(address) === 0) {
            throw new InputError(`ipAddresses[${index}]`, `${quote(address)} is no IP address; put host names into dnsNames`);
        }
    }
    checkUsage(names.usage);
    checkDays("validityDays", names.validityDays);
    checkDays("renewBeforeDays", names.renewBeforeDays);
    const validity = names.validityDays ?? identityDefaults.validityDays;
    const before = names.renewBeforeDays ?? Math.min(identityDefaults.renewBeforeDays, validity / 3);
    if (before >= validity) {
        throw new InputError(
            "renewBeforeDays",
            `${before} is not below validityDays (${validity}), so every run would issue anew; set a smaller number`,
        );
    }
}

function checkUsage(usage: readonly string[] | undefined): void {
    if (usage === undefined) {
        return;
    }
    const known: readonly string[] = certificateUsages;
    const stranger = usage.find((one) => !known.includes(one));
    if (usage.length === 0 || stranger !== undefined) {
        throw new InputError("usage", `${quote(stranger ?? usage)} is not known; set "server", "client" or both`);
    }
}

/** Checks the common name of a certificate or an authority. */
export function checkCommonName(name: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    if (name.trim() === "" || /[\u0000-\u001f\u007f]/.test(name)) {
        throw new InputError("commonName", `${quote(name)} is empty or has control characters; set a readable name`);
    }
}

/** Checks a number of days. */
export function checkDays(argument: string, days: number | undefined): void {
    if (days !== undefined && !(days > 0 && days <= 36_500)) {
        throw new InputError(argument, `${quote(days)} is out of range; set more than 0 and at most 36500 days`);
    }
}

/** Checks a rotation counter. */
export function checkRotation(argument: string, rotation: number | undefined): void {
    if (rotation !== undefined && !(Number.isInteger(rotation) && rotation >= 0)) {
        throw new InputError(argument, `${quote(rotation)} is no counter; set a whole number from 0 and raise it by 1 to rotate`);
    }
}

/** A common name as it goes into a certificate. */
export function shortCommonName(name: string): string {
    return name.slice(0, longestCommonName);
}

/** How long before its end an authority is renewed: early enough that what it issues can always run its whole time. */
export function caRenewBeforeDays(validityDays: number): number {
    return Math.min(identityDefaults.validityDays + identityDefaults.renewBeforeDays, validityDays / 3);
}

/** Whether a moment (ISO 8601) is less than so many days ahead. */
export function endsWithin(notAfter: string, days: number, now = Date.now()): boolean {
    return Date.parse(notAfter) - now < days * dayMs;
}

/** A moment so many days from now. */
export function daysFrom(now: number, days: number): Date {
    // X.509 counts whole seconds.
    return new Date(Math.floor((now + days * dayMs) / 1000) * 1000);
}
