import { createHash } from "node:crypto";
import { covers } from "../../../emqx/topicFilter.js";

/** TLS part of a link, with the PEM texts that REST answers show as paths only. */
export interface LinkSsl {
    enable: boolean;
    verify: "verify_peer" | "verify_none";
    cacertfile?: string;
    certfile?: string;
    keyfile?: string;
    server_name_indication?: string;
    [other: string]: unknown;
}

/** A link as it is kept and run. */
export interface LinkSettings {
    name: string;
    server: string;
    clientid?: string;
    username?: string;
    password?: string;
    topics: string[];
    enable: boolean;
    pool_size: number;
    retry_interval: string | number;
    max_inflight: number;
    resource_opts: Record<string, string | number>;
    ssl: LinkSsl;
}

const resourceDefaults: Record<string, string | number> = {
    health_check_interval: "15s",
    health_check_interval_jitter: "0ms",
    health_check_timeout: "60s",
    inflight_window: 100,
    max_buffer_bytes: "256MB",
    request_ttl: "45s",
    start_timeout: "5s",
    worker_pool_size: 16,
};

const sslDefaults = {
    ciphers: [],
    depth: 10,
    enable: false,
    hibernate_after: "5s",
    log_level: "notice",
    middlebox_comp_mode: true,
    reuse_sessions: true,
    secure_renegotiate: true,
    verify: "verify_none",
    versions: ["tlsv1.3", "tlsv1.2"],
};

const sslFields = [
    ...Object.keys(sslDefaults),
    "cacertfile",
    "cacerts",
    "certfile",
    "keyfile",
    "password",
    "server_name_indication",
    "partial_chain",
    "verify_peer_ext_key_usage",
];
const linkFields = [
    "clientid",
    "enable",
    "max_inflight",
    "name",
    "password",
    "pool_size",
    "resource_opts",
    "retry_interval",
    "server",
    "ssl",
    "topics",
    "username",
];

/** A refusal in EMQX's words. `detail` is what its `message` holds as JSON text. */
export class LinkRefusal extends Error {
    readonly detail: unknown;

    constructor(detail: unknown) {
        super(typeof detail === "string" ? detail : JSON.stringify(detail));
        this.detail = detail;
    }
}

function refuse(detail: Record<string, unknown>): never {
    throw new LinkRefusal({ ...detail, kind: "validation_error" });
}

/** `15s`, `1m30s`, `500ms` or whole milliseconds as milliseconds; undefined when it is none of them. */
export function durationMs(value: unknown): number | undefined {
    if (typeof value === "number") {
        return Number.isInteger(value) && value >= 0 ? value : undefined;
    }
    if (value === "infinity") {
        return Number.POSITIVE_INFINITY;
    }
    if (typeof value !== "string" || !/^(\d+(ms|s|m|h|d))+$/i.test(value)) {
        return /^\d+$/.test(String(value)) ? Number(value) : undefined;
    }
    const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    let sum = 0;
    for (const [, count, unit] of value.toLowerCase().matchAll(/(\d+)(ms|s|m|h|d)/g)) {
        sum += Number(count) * (units[unit ?? ""] ?? 0);
    }
    return sum;
}

/** `256MB`, `10KB` or plain bytes as bytes; undefined when it is none of them. */
export function bytesOf(value: unknown): number | undefined {
    if (typeof value === "number") {
        return Number.isInteger(value) && value >= 0 ? value : undefined;
    }
    const match = /^(\d+)(b|kb|mb|gb)?$/i.exec(String(value));
    if (match === null) {
        return value === "infinity" ? Number.POSITIVE_INFINITY : undefined;
    }
    const units: Record<string, number> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };
    return Number(match[1]) * (units[(match[2] ?? "b").toLowerCase()] ?? 1);
}

/** Host and port of a link's `server`; 1883 where none is given. */
export function splitServer(server: string): { readonly host: string; readonly port: number } {
    const match = /^(.*):(\d+)$/.exec(server);
    return match === null ? { host: server, port: 1883 } : { host: match[1] ?? "", port: Number(match[2]) };
}

function checkName(name: unknown): string {
    if (typeof name !== "string") {
        refuse({ reason: "required_field", path: "root.name" });
    }
    if (name === "") {
        throw new LinkRefusal({ kind: "validation_error", reason: "Name cannot be empty string" });
    }
    if (name.length >= 255) {
        throw new LinkRefusal({ kind: "validation_error", reason: "Name length must be less than 255" });
    }
    if (!/^[0-9A-Za-z][0-9A-Za-z_-]*$/.test(name)) {
        throw new LinkRefusal({
            kind: "validation_error",
            reason: `Invalid name format. The name must begin with a letter or number (0-9, a-z, A-Z) and can only include underscores and hyphens as non-initial characters. Got: ${name}`,
        });
    }
    return name;
}

function checkServer(value: unknown, path: string): string {
    if (typeof value !== "string") {
        refuse({ reason: "required_field", path });
    }
    if (value.includes("://")) {
        refuse({ value, reason: "not_expecting_scheme", path });
    }
    for (const one of value.split(",")) {
        const port = /:([^:\]]*)$/.exec(one.trim())?.[1];
        if (port !== undefined && !/^\d+$/.test(port)) {
            refuse({ value, reason: "bad_port_number", path });
        }
        if (port !== undefined && Number(port) > 65_535) {
            refuse({ value, reason: "port_number_too_large", path });
        }
    }
    return value;
}

function topicFault(topic: unknown): string | undefined {
    if (typeof topic !== "string" || topic === "") {
        return "empty_topic";
    }
    const levels = topic.split("/");
    if (levels.slice(0, -1).some((level) => level === "#") || levels.some((level) => level.length > 1 && level.includes("#"))) {
        return "topic_invalid_#";
    }
    if (levels.some((level) => level.length > 1 && level.includes("+"))) {
        return "topic_invalid_char";
    }
    return topic.startsWith("$LINK/") && topic !== "$LINK/#" ? "topic_not_allowed" : undefined;
}

function checkTopics(value: unknown, path: string): string[] {
    if (!Array.isArray(value)) {
        refuse({ reason: "required_field", path });
    }
    const faults = value.flatMap((topic) => {
        const fault = topicFault(topic);
        return fault === undefined ? [] : [[String(topic), fault] as const];
    });
    if (faults.length > 0) {
        refuse({ value, reason: { topics: Object.fromEntries(faults), reason: "invalid_topics" }, path });
    }
    const topics = value as string[];
    const redundant = topics.filter((topic, index) =>
        topics.some((other, place) => place !== index && covers(other, topic) && (other !== topic || place < index)),
    );
    if (redundant.length > 0) {
        refuse({ value, reason: { topics: [...new Set(redundant)], reason: "redundant_topics" }, path });
    }
    return topics;
}

function unknownFields(body: Record<string, unknown>, known: readonly string[], path: string): void {
    const unknown = Object.keys(body).filter((key) => !known.includes(key));
    if (unknown.length > 0) {
        const rest = known.filter((key) => !(key in body));
        const unmatched = rest.length > 2 ? `${rest.slice(0, 2).join(",")},...` : rest.join(",");
        refuse({ unmatched, unknown: unknown.sort().join(","), reason: "unknown_fields", path });
    }
}

function whole(value: unknown, least: number, path: string): number {
    if (typeof value !== "number" || !Number.isInteger(value) || value < least) {
        refuse({ value, reason: { expected: least === 0 ? "non_neg_integer()" : "pos_integer()" }, path });
    }
    return value;
}

function duration(value: unknown, path: string): string | number {
    if (durationMs(value) === undefined) {
        refuse({ value, reason: "Not a valid duration", path });
    }
    return value as string | number;
}

function flag(value: unknown, path: string): boolean {
    if (typeof value !== "boolean") {
        refuse({ value, reason: { expected: "boolean()" }, path });
    }
    return value;
}

function record(value: unknown, path: string): Record<string, unknown> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        refuse({ value, reason: "bad_value_for_struct", path });
    }
    return value as Record<string, unknown>;
}

function checkResource(value: unknown, path: string): Record<string, string | number> {
    const options = record(value, path);
    unknownFields(options, Object.keys(resourceDefaults), path);
    for (const [key, option] of Object.entries(options)) {
        if (key === "inflight_window" || key === "worker_pool_size") {
            whole(option, 1, `${path}.${key}`);
        } else if (key === "max_buffer_bytes") {
            if (bytesOf(option) === undefined) {
                refuse({ value: option, reason: "Not a valid bytesize", path: `${path}.${key}` });
            }
        } else {
            duration(option, `${path}.${key}`);
        }
    }
    return { ...resourceDefaults, ...(options as Record<string, string | number>) };
}

function checkSsl(value: unknown, path: string): LinkSsl {
    const options = record(value, path);
    unknownFields(options, sslFields, path);
    if (options.verify !== undefined && options.verify !== "verify_peer" && options.verify !== "verify_none") {
        refuse({ value: options.verify, reason: "not_a_enum_symbol", path: `${path}.verify` });
    }
    if (options.enable !== undefined) {
        flag(options.enable, `${path}.enable`);
    }
    return { ...sslDefaults, ...options } as LinkSsl;
}

/**
 * Checks the body of POST (`name` undefined) or PUT and fills in EMQX's defaults. A masked password keeps the one before.
 * Throws {@link LinkRefusal} with EMQX's own message.
 */
export function checkLink(
    body: Record<string, unknown>,
    name: string | undefined,
    before: LinkSettings | undefined,
): LinkSettings {
    // EMQX names the path from the root at POST and from the link at PUT.
    const root = name === undefined ? "root." : "";
    if (name !== undefined && ("status" in body || "node_status" in body)) {
        const shown = ["node_status", "status"].filter((key) => key in body).join(",");
        throw new LinkRefusal(
            `Update link failed #{reason => unknown_fields,path => "cluster.links.1",\n                     unknown => "${shown}",kind => validation_error,\n                     unmatched => "password,ps_actor_incarnation,..."}`,
        );
    }
    unknownFields(body, linkFields, "root");
    for (const key of name === undefined ? ["name", "server", "topics"] : ["server", "topics"]) {
        if (body[key] === undefined) {
            refuse({ reason: "required_field", path: `${root}${key}` });
        }
    }
    const settings: LinkSettings = {
        name: name ?? checkName(body.name),
        server: checkServer(body.server, `${root}server`),
        topics: checkTopics(body.topics, `${root}topics`),
        enable: body.enable === undefined ? true : flag(body.enable, `${root}enable`),
        pool_size: body.pool_size === undefined ? 8 : whole(body.pool_size, 1, `${root}pool_size`),
        retry_interval: body.retry_interval === undefined ? "15s" : duration(body.retry_interval, `${root}retry_interval`),
        max_inflight: body.max_inflight === undefined ? 32 : whole(body.max_inflight, 0, `${root}max_inflight`),
        resource_opts: checkResource(body.resource_opts ?? {}, `${root}resource_opts`),
        ssl: checkSsl(body.ssl ?? {}, `${root}ssl`),
    };
    for (const key of ["clientid", "username", "password"] as const) {
        const value = body[key];
        if (value !== undefined) {
            if (typeof value !== "string") {
                refuse({ value, reason: { expected: "string()" }, path: `${root}${key}` });
            }
            settings[key] = value;
        }
    }
    if (settings.password === "******") {
        if (before?.password === undefined) {
            delete settings.password;
        } else {
            settings.password = before.password;
        }
    }
    for (const key of ["cacertfile", "certfile", "keyfile"] as const) {
        const pem = settings.ssl[key];
        if (typeof pem === "string" && before !== undefined && pem === certificatePath(before.name, key, before.ssl[key])) {
            settings.ssl[key] = before.ssl[key] as string;
        } else if (pem !== undefined && (typeof pem !== "string" || !pem.includes("-----BEGIN "))) {
            const verb = name === undefined ? "Create" : "Update";
            throw new LinkRefusal(
                `${verb} link failed {bad_ssl_config,#{which_option => <<"${key}">>,pem_check => enoent,reason => invalid_file_path_or_pem_string}}`,
            );
        }
    }
    return settings;
}

/** The path that EMQX would show for a PEM given inline. */
export function certificatePath(link: string, key: "cacertfile" | "certfile" | "keyfile", pem: string | undefined): string {
    const digest = createHash("sha256")
        .update(pem ?? "")
        .digest("hex")
        .slice(0, 16)
        .toUpperCase();
    return `data/certs/cluster/links/${link}/${key.replace(/file$/, "")}-${digest}`;
}

/** A link as REST shows it: no password, paths for PEM texts. `stored`: as GET shows it, with what EMQX adds to an answer of POST and PUT later. */
export function showLink(settings: LinkSettings, stored = true): Record<string, unknown> {
    const { password, ssl, ...rest } = settings;
    const shown: Record<string, unknown> = { ...ssl };
    for (const key of ["cacertfile", "certfile", "keyfile"] as const) {
        if (ssl[key] !== undefined) {
            shown[key] = certificatePath(settings.name, key, ssl[key]);
        }
    }
    if (stored && ssl.enable && ssl.server_name_indication === undefined) {
        shown.server_name_indication = "disable";
    }
    return { ...rest, ...(password === undefined ? {} : { password: "******" }), ssl: shown };
}
