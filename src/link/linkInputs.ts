import { hasUnknown, unknownValue } from "../dynamic/provider.js";
import { type ApiEndpoint, checkApiUrl } from "../emqx/endpoint.js";
import { type LinkSpec, type LinkTls, linkSpec } from "../emqx/linkSpec.js";
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
    /** Digests of `api`, `password` and `tls`. */
    readonly sealed?: string;
}

/** TLS of a link as far as it can be compared with what the broker shows: that a text is there, not what it says. */
export interface TlsShape extends Pick<LinkTls, "enable" | "verify" | "serverName"> {
    readonly ca?: boolean;
    readonly cert?: boolean;
    readonly key?: boolean;
}

/** What state holds of a link. `password` and `tls` are not kept: neither refresh nor delete needs them. */
export interface LinkOutputs extends LinkInputs {
    readonly tlsShape?: TlsShape;
    readonly hasPassword?: boolean;
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

/** The link that the inputs describe, without its secrets. @throws InputError naming the argument */
export function openSpecOf({ password: _password, tls: _tls, ...inputs }: LinkInputs): LinkSpec {
    return specOf(inputs);
}

/** What of a link's TLS state keeps for refresh. */
export function tlsShapeOf({ enable, ca, cert, key, verify, serverName }: LinkTls): TlsShape {
    return {
        enable,
        ...(ca === undefined ? {} : { ca: true }),
        ...(cert === undefined ? {} : { cert: true }),
        ...(key === undefined ? {} : { key: true }),
        verify,
        ...(serverName === undefined ? {} : { serverName }),
    };
}

/** A stand-in for a secret that is there: EMQX never shows one, so that only its presence is compared. */
const there = "set";

/**
 * The stored link for a comparison with what the broker shows. State of the first form held the secrets themselves.
 *
 * @throws InputError where an earlier version stored what is not accepted any more
 */
export function shownSpecOf(olds: LinkOutputs): LinkSpec {
    if (olds.tlsShape === undefined) {
        return specOf(olds);
    }
    const { ca, cert, key, ...tls } = olds.tlsShape;
    return {
        ...openSpecOf(olds),
        ...(olds.hasPassword === true ? { password: there } : {}),
        tls: {
            ...tls,
            ...(ca === true ? { ca: there } : {}),
            ...(cert === true ? { cert: there } : {}),
            ...(key === true ? { key: there } : {}),
        },
    };
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
