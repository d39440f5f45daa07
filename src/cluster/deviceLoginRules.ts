import { hasUnknown } from "../dynamic/provider.js";
import { type ApiEndpoint, checkApiUrl } from "../emqx/endpoint.js";
import { InputError, quote } from "../errors.js";
import { checkApiWay } from "../link/apiArgs.js";
import { type ApiTimeouts, checkTimeouts } from "../link/timeouts.js";

/** What state holds of a device user. `api` and `password` are secret. Frozen: add keys, never change one. */
export interface DeviceUserInputs {
    readonly api: ApiEndpoint;
    readonly clusterName: string;
    readonly username: string;
    readonly password: string;
    readonly timeouts?: ApiTimeouts;
    readonly progressUrn?: string;
}

/** What state holds of a device user that was made. */
export interface DeviceUserOutputs extends DeviceUserInputs {
    /** What a refresh found changed by hand. */
    readonly drift?: readonly string[];
}

/**
 * Checks a device user's arguments as far as they are known.
 *
 * @throws InputError naming the argument, never showing the password
 */
export function checkDeviceUserInputs(given: Readonly<Record<string, unknown>>): void {
    const { api, clusterName, username, password, timeouts } = given as unknown as Partial<DeviceUserInputs>;
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
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    if (username !== undefined && !hasUnknown(username) && !/^[^\u0000-\u001f\u007f]{1,256}$/.test(username)) {
        throw new InputError(
            "username",
            `${quote(username)} is empty, too long or has control characters; set 1 to 256 characters`,
        );
    }
    if (password === "") {
        throw new InputError("password", "it is empty; set the password that the device presents");
    }
}
