import { hasUnknown, unknownValue } from "../dynamic/provider.js";
import { type ApiEndpoint, checkApiUrl } from "../emqx/endpoint.js";
import { type LinkSpec, linkSpec } from "../emqx/linkSpec.js";
import { checkTopicFilter } from "../emqx/topicFilter.js";
import { clientIdPrefix } from "../naming.js";
import { checkApiWay } from "./apiArgs.js";
import { type ApiTimeouts, checkTimeouts } from "./timeouts.js";

/** TLS of a link as state holds it. */
export interface StoredTls {
    readonly enable: boolean;
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly verify?: "verify_peer" | "verify_none";
    readonly serverName?: string;
}

/** What state holds of a link's arguments. `api`, `password` and `tls` are secret. Frozen: add keys, never change one. */
export interface LinkInputs {
    readonly api: ApiEndpoint;
    readonly localCluster: string;
    readonly name: string;
    readonly server: string;
    readonly clientIdPrefix?: string;
    readonly username?: string;
    readonly password?: string;
    readonly topics: readonly string[];
    readonly enable?: boolean;
    readonly tls?: StoredTls;
    readonly poolSize?: number;
    readonly retryInterval?: string;
    readonly maxInflight?: number;
    readonly maxOutageSeconds?: number;
    readonly adopt?: boolean;
    readonly allowLoopback?: boolean;
    readonly timeouts?: ApiTimeouts;
    readonly storeId?: string;
    readonly progressUrn?: string;
}

/** What state holds of a link. */
export interface LinkOutputs extends LinkInputs {
    /** What the broker said when the link was last changed; `unknown` when a change had no answer. */
    readonly status: string;
    /** ISO 8601. */
    readonly changedAt: string;
    /** What a refresh found changed by hand and cannot show as an argument of its own. */
    readonly drift?: readonly string[];
}

/**
 * The link that the inputs describe, in canonical form.
 * What holds where nothing is set is filled in here and never stored: another default in a later version changes no state.
 *
 * @throws InputError naming the argument
 */
export function specOf(inputs: LinkInputs): LinkSpec {
    return linkSpec(
        {
            name: inputs.name,
            server: inputs.server,
            clientIdPrefix: inputs.clientIdPrefix ?? clientIdPrefix(inputs.localCluster),
            username: inputs.username,
            password: inputs.password,
            topics: inputs.topics,
            enable: inputs.enable,
            tls: inputs.tls,
            poolSize: inputs.poolSize,
            retryInterval: inputs.retryInterval,
            maxInflight: inputs.maxInflight,
        },
        { allowLoopback: inputs.allowLoopback, localCluster: inputs.localCluster, maxOutageSeconds: inputs.maxOutageSeconds },
    );
}

/** Values that are always right, in place of those that are not known yet. */
const neutral: LinkInputs = {
    api: { url: "https://unknown.example:18084", key: "unknown", secret: "unknown" },
    localCluster: "unknown-local",
    name: "unknown-remote",
    server: "unknown.example:8884",
    topics: [],
};

/**
 * Checks a link's arguments as far as they are known.
 *
 * @throws InputError naming the argument
 */
export function checkLinkInputs(given: Readonly<Record<string, unknown>>): void {
    const inputs = knownInputs(given);
    checkApiUrl(inputs.api.url, { allowLoopback: inputs.allowLoopback ?? false, argument: "api.url" });
    checkApiWay(inputs.api);
    checkTimeouts(inputs.timeouts);
    for (const [index, topic] of (Array.isArray(given.topics) ? given.topics : []).entries()) {
        if (!hasUnknown(topic)) {
            checkTopicFilter(topic, `topics[${index}]`);
        }
    }
    specOf(inputs);
}

/** The inputs with every unknown part left out or, where it must be there, replaced by something that is right. */
function knownInputs(given: Readonly<Record<string, unknown>>): LinkInputs {
    const isKnown = ([, value]: [string, unknown]) => value !== undefined && !hasUnknown(value);
    // A password makes sense with its user only.
    const { password, ...others } = given;
    const rest = given.username === unknownValue ? others : { ...others, password };
    const known = Object.fromEntries(Object.entries(rest).filter(isKnown)) as Partial<LinkInputs>;
    const { api } = given as Partial<LinkInputs>;
    return {
        ...neutral,
        ...known,
        api: { ...neutral.api, ...(typeof api === "object" ? Object.fromEntries(Object.entries(api).filter(isKnown)) : {}) },
    };
}
