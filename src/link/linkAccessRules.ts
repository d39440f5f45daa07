import { hasUnknown } from "../dynamic/provider.js";
import { type ApiEndpoint, checkApiUrl } from "../emqx/endpoint.js";
import { checkLinkName } from "../emqx/linkSpec.js";
import { InputError, quote } from "../errors.js";
import { linkUser } from "../naming.js";
import { checkApiWay } from "./apiArgs.js";
import { type ApiTimeouts, checkTimeouts } from "./timeouts.js";

/** What state holds of the arguments of a peer's access. `api` and `password` are secret. Frozen: add keys, never change one. */
export interface AccessInputs {
    readonly api: ApiEndpoint;
    readonly localCluster: string;
    readonly peer: string;
    readonly username?: string;
    readonly password: string;
    readonly manageSources?: boolean;
    readonly allowLoopback?: boolean;
    readonly timeouts?: ApiTimeouts;
    readonly storeId?: string;
    readonly progressUrn?: string;
    /** Digests of `api` and `password`. */
    readonly sealed?: string;
}

/** What state holds of a peer's access. `password` is not kept: neither refresh nor delete needs it. */
export interface AccessOutputs extends Omit<AccessInputs, "password"> {
    readonly password?: string;
    /** User name that the peer's links present. */
    readonly login: string;
    /** What a refresh found changed by hand. */
    readonly drift?: readonly string[];
}

/** User name that the peer's links present. */
export function loginOf(inputs: Pick<AccessInputs, "peer" | "username">): string {
    return inputs.username ?? linkUser(inputs.peer);
}

/**
 * Checks the arguments of a peer's access as far as they are known.
 *
 * @throws InputError naming the argument
 */
export function checkAccessInputs(given: Readonly<Record<string, unknown>>): void {
    const { api, localCluster, peer, username, password, allowLoopback, timeouts } = given as unknown as Partial<AccessInputs>;
    if (api?.url !== undefined && !hasUnknown(api.url)) {
        checkApiUrl(api.url, { allowLoopback, argument: "api.url" });
    }
    checkApiWay(api);
    if (!hasUnknown(timeouts)) {
        checkTimeouts(timeouts);
    }
    const known = (value: string | undefined) => (value === undefined || hasUnknown(value) ? undefined : value);
    if (known(localCluster) !== undefined) {
        checkLinkName(localCluster ?? "", undefined, "localCluster");
    }
    if (known(peer) !== undefined) {
        checkLinkName(peer ?? "", known(localCluster), "peer");
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    if (known(username) !== undefined && (username === "" || /[\u0000-\u001f\u007f]/.test(username ?? ""))) {
        throw new InputError("username", `${quote(username)} is empty or has control characters; leave it out for link-<peer>`);
    }
    if (known(password) === "") {
        throw new InputError("password", "it is empty; set the password that the peer's links present");
    }
}
