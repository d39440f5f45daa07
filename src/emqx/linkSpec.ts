import { InputError, quote } from "../errors.js";
import { durationMs, formatDuration } from "./duration.js";
import type { LinkSpec } from "./linkShape.js";
import { type LinkTls, type LinkTlsInput, linkTls } from "./linkTls.js";
import { defaultMaxOutageSeconds, resourceOptionsFor } from "./resourceOptions.js";
import { checkServerAddress } from "./serverAddress.js";
import { checkTopicFilters } from "./topicFilter.js";

export { diffLink, type RemoteLinkLike } from "./linkDiff.js";
export type { LinkSpec } from "./linkShape.js";
export { type LinkTls, type LinkTlsInput, linkTls } from "./linkTls.js";
export { defaultMaxOutageSeconds, type LinkResourceOptions, resourceOptionsFor } from "./resourceOptions.js";

/** A cluster link as a user writes it. */
export interface LinkSpecInput {
    readonly name: string;
    readonly server: string;
    readonly clientIdPrefix: string;
    readonly username?: string | undefined;
    readonly password?: string | undefined;
    readonly topics: readonly string[];
    /** @default true */
    readonly enable?: boolean | undefined;
    /** @default no TLS */
    readonly tls?: LinkTlsInput | undefined;
    /** 1 to 64. @default 4 */
    readonly poolSize?: number | undefined;
    /** @default "1s" */
    readonly retryInterval?: string | undefined;
    /** 1 to 65535. @default 100 */
    readonly maxInflight?: number | undefined;
}

/** What a link's arguments are checked against. */
export interface LinkRules {
    /** Accept loopback addresses. @default false */
    readonly allowLoopback?: boolean | undefined;
    /** `cluster.name` of the cluster that gets the link: a link to itself is refused. */
    readonly localCluster?: string | undefined;
    /** EMQX's release. @default the release that new clusters are made with */
    readonly version?: string | undefined;
    /** Longest outage in seconds to bridge. @default 20 */
    readonly maxOutageSeconds?: number | undefined;
    /** Moment that certificates must be valid at, in milliseconds since 1970. @default now */
    readonly now?: number | undefined;
}

/** What holds where nothing is set. Applied at use and never stored: another default in a later version changes no state. */
export const linkDefaults = { poolSize: 4, retryInterval: "1s", maxInflight: 100, enable: true } as const;

const longestName = 254;
/** `<mesh>-<site>-` has up to 66 characters. */
const longestPrefix = 128;
const longestPoolSize = 64;
const retryRangeMs = { min: 100, max: 600_000 } as const;
/** Longest text that MQTT can send. */
const longestText = 65_535;

/**
 * Checks a link as a whole and brings it into canonical form.
 *
 * @throws InputError naming the argument and what to set; never shows password or PEM text
 */
export function linkSpec(input: LinkSpecInput, rules: LinkRules = {}): LinkSpec {
    const { allowLoopback = false, localCluster, maxOutageSeconds = defaultMaxOutageSeconds, version } = rules;
    checkLinkName(input.name, localCluster);
    const server = checkServerAddress(input.server, { allowLoopback, argument: "server" });
    checkClientIdPrefix(input.clientIdPrefix);
    checkLogin(input.username, input.password);
    return {
        name: input.name,
        server,
        clientId: input.clientIdPrefix,
        ...(input.username === undefined ? {} : { username: input.username }),
        ...(input.password === undefined ? {} : { password: input.password }),
        topics: [...checkTopicFilters(input.topics, "topics")].sort(),
        enable: input.enable ?? linkDefaults.enable,
        tls: linkTls(input.tls, server, "tls", rules.now),
        poolSize: wholeNumber(input.poolSize ?? linkDefaults.poolSize, "poolSize", longestPoolSize),
        retryInterval: checkRetryInterval(input.retryInterval ?? linkDefaults.retryInterval),
        maxInflight: wholeNumber(input.maxInflight ?? linkDefaults.maxInflight, "maxInflight", 65_535),
        resourceOptions: resourceOptionsFor(maxOutageSeconds, version),
    };
}

/** Checks a link's name, which is the remote's `cluster.name`. @throws InputError */
export function checkLinkName(name: string, localCluster?: string, argument = "name"): void {
    if (name === "") {
        throw new InputError(argument, "it is empty; set the remote's cluster.name");
    }
    if (name.length > longestName) {
        throw new InputError(argument, `it has ${name.length} characters; EMQX takes ${longestName}`);
    }
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) {
        throw new InputError(
            argument,
            `${quote(name)} is no name for a link; use letters, digits, "_" and "-", a letter or digit first, exactly as the remote's cluster.name`,
        );
    }
    if (name === localCluster) {
        throw new InputError(
            argument,
            `${quote(name)} is this cluster's own name; EMQX would link it to itself. Set the remote's cluster.name, which must differ`,
        );
    }
}

/** Checks the beginning of a link's client ids. @throws InputError */
export function checkClientIdPrefix(prefix: string, argument = "clientIdPrefix"): void {
    if (!/^[A-Za-z0-9][A-Za-z0-9._:-]*$/.test(prefix) || prefix.length > longestPrefix) {
        throw new InputError(
            argument,
            `${quote(prefix)} is no client id prefix; use at most ${longestPrefix} letters, digits, ".", "_", ":" and "-", a letter or digit first`,
        );
    }
    if (!/[-_:.]$/.test(prefix)) {
        throw new InputError(
            argument,
            `${quote(prefix)} has no separator at its end, so that it also begins the ids of others; set ${quote(`${prefix}-`)}`,
        );
    }
}

function checkLogin(username: string | undefined, password: string | undefined): void {
    if (username !== undefined && !isMqttText(username)) {
        throw new InputError(
            "username",
            `${quote(username)} is empty, too long or has characters that MQTT forbids; set the user at the remote`,
        );
    }
    if (password === undefined) {
        return;
    }
    if (username === undefined) {
        throw new InputError("username", "a password is given without a user; set the user at the remote");
    }
    if (!isMqttText(password)) {
        throw new InputError("password", "it is empty, too long or has characters that MQTT forbids; set the user's password");
    }
    if (/^\*+$/.test(password)) {
        throw new InputError("password", "it is what EMQX shows in place of a password; set the password itself");
    }
    if (password.startsWith("file://")) {
        throw new InputError("password", "EMQX would read it as the name of a file on the broker; set the password itself");
    }
}

function isMqttText(text: string): boolean {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    return text !== "" && text.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(text) && Buffer.byteLength(text) <= longestText;
}

function wholeNumber(value: number, argument: string, max: number): number {
    if (!Number.isInteger(value) || value < 1 || value > max) {
        throw new InputError(argument, `${quote(value)} is out of range; set a whole number from 1 to ${max}`);
    }
    return value;
}

function checkRetryInterval(value: string): string {
    const milliseconds = durationMs(value);
    if (milliseconds === undefined || milliseconds < retryRangeMs.min || milliseconds > retryRangeMs.max) {
        throw new InputError(
            "retryInterval",
            `${quote(value)} is no such duration; set one from "100ms" to "10m", for example "1s"`,
        );
    }
    return formatDuration(milliseconds);
}

/** The body of POST and PUT on EMQX's `/cluster/links`. */
export interface LinkRequestBody {
    readonly name: string;
    readonly server: string;
    readonly clientid: string;
    readonly username?: string;
    readonly password?: string;
    readonly topics: readonly string[];
    readonly enable: boolean;
    readonly ssl: LinkRequestSsl;
    readonly pool_size: number;
    readonly retry_interval: string;
    readonly max_inflight: number;
    readonly resource_opts: {
        readonly request_ttl: string;
        readonly health_check_interval: string;
        readonly max_buffer_bytes: string;
    };
}

/** The TLS part of {@link LinkRequestBody}. */
export interface LinkRequestSsl {
    readonly enable: boolean;
    readonly verify?: "verify_peer" | "verify_none";
    readonly cacertfile?: string;
    readonly certfile?: string;
    readonly keyfile?: string;
    readonly server_name_indication?: string;
}

/** What EMQX is sent for a link. The same body serves POST and PUT: PUT ignores `name`, the path wins. */
export function toRequest(spec: LinkSpec): LinkRequestBody {
    return {
        name: spec.name,
        server: spec.server,
        clientid: spec.clientId,
        ...(spec.username === undefined ? {} : { username: spec.username }),
        // A PUT without password clears the stored one, so it always goes along.
        ...(spec.password === undefined ? {} : { password: spec.password }),
        topics: spec.topics,
        enable: spec.enable,
        ssl: linkSsl(spec.tls),
        pool_size: spec.poolSize,
        retry_interval: spec.retryInterval,
        max_inflight: spec.maxInflight,
        resource_opts: {
            request_ttl: spec.resourceOptions.requestTtl,
            health_check_interval: spec.resourceOptions.healthCheckInterval,
            max_buffer_bytes: spec.resourceOptions.maxBufferBytes,
        },
    };
}

/** TLS as EMQX takes it in a link and in a connector: certificates as PEM texts. */
export function linkSsl(tls: LinkTls): LinkRequestSsl {
    if (!tls.enable) {
        return { enable: false };
    }
    return {
        enable: true,
        verify: tls.verify,
        ...(tls.ca === undefined ? {} : { cacertfile: tls.ca }),
        ...(tls.cert === undefined ? {} : { certfile: tls.cert }),
        ...(tls.key === undefined ? {} : { keyfile: tls.key }),
        ...(tls.serverName === undefined ? {} : { server_name_indication: tls.serverName }),
    };
}
