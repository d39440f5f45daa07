import { hasUnknown } from "../dynamic/provider.js";
import { type ApiEndpoint, checkApiUrl } from "../emqx/endpoint.js";
import { checkLinkName } from "../emqx/linkSpec.js";
import { checkApiWay } from "./apiArgs.js";
import { type ApiTimeouts, checkTimeouts } from "./timeouts.js";

/** What state holds of a preflight's arguments. `api` is secret. Frozen: add keys, never change one. */
export interface PreflightInputs {
    readonly api: ApiEndpoint;
    readonly expectedClusterName: string;
    readonly tls?: boolean;
    readonly allowLoopback?: boolean;
    readonly timeouts?: ApiTimeouts;
    readonly progressUrn?: string;
}

/** What state holds of a preflight. */
export interface PreflightOutputs extends PreflightInputs {
    readonly version: string;
    readonly licenseType: string;
    readonly nodes: number;
}

/**
 * Checks a preflight's arguments as far as they are known.
 *
 * @throws InputError naming the argument
 */
export function checkPreflightInputs(given: Readonly<Record<string, unknown>>): void {
    const { api, expectedClusterName, allowLoopback, timeouts } = given as unknown as Partial<PreflightInputs>;
    if (api?.url !== undefined && !hasUnknown(api.url)) {
        checkApiUrl(api.url, { allowLoopback, argument: "api.url" });
    }
    checkApiWay(api);
    if (expectedClusterName !== undefined && !hasUnknown(expectedClusterName)) {
        checkLinkName(expectedClusterName, undefined, "expectedClusterName");
    }
    if (!hasUnknown(timeouts)) {
        checkTimeouts(timeouts);
    }
}
