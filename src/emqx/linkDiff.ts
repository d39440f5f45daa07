import { sameDuration, sameSize } from "./duration.js";
import type { LinkSpec } from "./linkShape.js";
import type { LinkTls } from "./linkTls.js";

/** A link as EMQX reports it, as far as it is compared. */
export interface RemoteLinkLike {
    readonly name: string;
    readonly server: string;
    readonly clientId?: string | undefined;
    readonly username?: string | undefined;
    /** Whether a password is stored. EMQX never says which. */
    readonly hasPassword?: boolean | undefined;
    readonly topics: readonly string[];
    readonly enable: boolean;
    readonly poolSize?: number | undefined;
    /** A duration in any spelling; a number counts milliseconds. */
    readonly retryInterval?: string | number | undefined;
    readonly maxInflight?: number | undefined;
    /** As EMQX names them. */
    readonly resourceOptions?: Readonly<Record<string, unknown>> | undefined;
    readonly ssl?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The keys of a {@link LinkSpec} in which the broker's link differs from it. What EMQX adds on its own, the order of topics and the
 * spelling of durations and sizes are no difference. Passwords and PEM texts cannot be read back, so that only their presence counts.
 */
export function diffLink(spec: LinkSpec, remote: RemoteLinkLike): string[] {
    const same: Readonly<Record<Exclude<keyof LinkSpec, "name">, boolean>> = {
        server: spec.server === remote.server.toLowerCase(),
        clientId: spec.clientId === (remote.clientId ?? ""),
        username: (spec.username ?? "") === (remote.username ?? ""),
        password: remote.hasPassword === undefined || (spec.password !== undefined) === remote.hasPassword,
        topics: sameTopics(spec.topics, remote.topics),
        enable: spec.enable === remote.enable,
        tls: sameTls(spec.tls, remote.ssl ?? {}),
        poolSize: remote.poolSize === undefined || spec.poolSize === remote.poolSize,
        retryInterval: remote.retryInterval === undefined || sameDuration(spec.retryInterval, remote.retryInterval),
        maxInflight: remote.maxInflight === undefined || spec.maxInflight === remote.maxInflight,
        resourceOptions: sameResourceOptions(spec, remote.resourceOptions ?? {}),
    };
    const changed = Object.entries(same).flatMap(([key, isSame]) => (isSame ? [] : [key]));
    return spec.name === remote.name ? changed : ["name", ...changed];
}

function sameTopics(wanted: readonly string[], found: readonly string[]): boolean {
    const sorted = [...found].sort();
    return wanted.length === sorted.length && [...wanted].sort().every((topic, index) => topic === sorted[index]);
}

/** EMQX shows a name that was never set like this. */
const unsetName = "disable";

function sameTls(tls: LinkTls, ssl: Readonly<Record<string, unknown>>): boolean {
    const enabled = ssl.enable === true;
    if (!tls.enable || !enabled) {
        // What stands beside a TLS that is off has no effect.
        return tls.enable === enabled;
    }
    const isThere = (part: string) => typeof ssl[part] === "string" && ssl[part] !== "";
    return (
        tls.verify === (ssl.verify ?? "verify_none") &&
        (tls.ca !== undefined) === isThere("cacertfile") &&
        (tls.cert !== undefined) === isThere("certfile") &&
        (tls.key !== undefined) === isThere("keyfile") &&
        (tls.serverName ?? unsetName) === (ssl.server_name_indication ?? unsetName)
    );
}

function sameResourceOptions({ resourceOptions }: LinkSpec, found: Readonly<Record<string, unknown>>): boolean {
    const { request_ttl: ttl, health_check_interval: interval, max_buffer_bytes: bytes } = found;
    return (
        (ttl === undefined || sameDuration(resourceOptions.requestTtl, ttl)) &&
        (interval === undefined || sameDuration(resourceOptions.healthCheckInterval, interval)) &&
        (bytes === undefined || sameSize(resourceOptions.maxBufferBytes, bytes))
    );
}
