import { createHash } from "node:crypto";
import { hasUnknown } from "../dynamic/provider.js";
import { type ApiEndpoint, checkApiUrl } from "../emqx/endpoint.js";
import { InputError } from "../errors.js";
import { checkApiWay } from "../link/apiArgs.js";
import { type ApiTimeouts, checkTimeouts } from "../link/timeouts.js";

/** What state holds of a licence's arguments. `api` and `key` are secret. Frozen: add keys, never change one. */
export interface LicenseInputs {
    readonly api: ApiEndpoint;
    readonly clusterName: string;
    /** Always given; outputs leave it out. */
    readonly key?: string;
    readonly timeouts?: ApiTimeouts;
    readonly progressUrn?: string;
}

/** What state holds of a licence that was loaded: not its key. */
export interface LicenseOutputs extends LicenseInputs {
    /** SHA-256 of the key, hexadecimal. */
    readonly keyDigest: string;
    /** Kind as EMQX names it, such as `official` or `trial`. */
    readonly licenseType: string;
    readonly maxSessions?: number;
    /** Such as `2029-03-01`. */
    readonly expiresAt?: string;
}

/** A key as EMQX takes it: files and clipboards break it into lines. */
export function plainKey(key: string): string {
    return key.replace(/\s+/g, "");
}

/** What tells a key from another one, without holding it. */
export function digestOf(key: string): string {
    return createHash("sha256").update(plainKey(key)).digest("hex");
}

/**
 * Checks a licence's arguments as far as they are known.
 *
 * @throws InputError naming the argument, never showing the key
 */
export function checkLicenseInputs(given: Readonly<Record<string, unknown>>): void {
    const { api, clusterName, key, timeouts } = given as unknown as Partial<LicenseInputs>;
    if (api?.url !== undefined && !hasUnknown(api.url)) {
        checkApiUrl(api.url, { allowLoopback: true, argument: "api.url" });
    }
    checkApiWay(api);
    if (!hasUnknown(timeouts)) {
        checkTimeouts(timeouts);
    }
    if (clusterName === "") {
        throw new InputError("clusterName", "it is empty; set the cluster's cluster.name");
    }
    if (hasUnknown(key)) {
        return;
    }
    if (typeof key !== "string" || plainKey(key) === "") {
        throw new InputError("key", "it is missing; set the text of the licence key as EMQ sent it");
    }
    // What a broker's boot takes as well: it goes into EMQX's environment.
    if (!/^[A-Za-z0-9._~+/=-]+$/.test(plainKey(key))) {
        throw new InputError("key", "it has a character that no licence key has; set the text as EMQ sent it, and nothing else");
    }
}
