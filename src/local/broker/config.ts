import { readFileSync } from "node:fs";
import { InputError, quote } from "../../errors.js";

/** One rule of the access list; the first rule that fits decides. */
export interface AclRule {
    readonly permission: "allow" | "deny";
    readonly action: "publish" | "subscribe" | "all";
    /** Topic filters; `eq <filter>` means exactly this filter; `${username}` and `${clientid}` are filled in. */
    readonly topics: readonly string[];
    /** Only for this user. @default every user */
    readonly username?: string;
    /** Only for this client id. @default every client id */
    readonly clientId?: string;
}

/** A user that may log in over MQTT. */
export interface BrokerUser {
    readonly username: string;
    /** sha256 of password + salt, hex. */
    readonly passwordHash: string;
    readonly salt: string;
    readonly superuser: boolean;
}

/** What an API key may do: everything, only read, or only publish. */
export type ApiRole = "administrator" | "viewer" | "publisher";

export interface BrokerApiKey {
    readonly key: string;
    /** sha256 of the secret, hex. */
    readonly secretHash: string;
    readonly role: ApiRole;
}

/** Optional bounds; a user never needs them, tests shorten some. */
export interface BrokerLimits {
    /** How long a peer's routes live after its last sign of life, ms. @default 30000 */
    readonly routeLifeMs?: number;
    /** How long a stop waits for the links' queues, ms. @default 3000 */
    readonly drainMs?: number;
    /** Messages kept for one offline session; the oldest goes first. @default 100000 */
    readonly sessionQueueMessages?: number;
    /** Largest MQTT packet, bytes. @default 1048576 */
    readonly maxPacketBytes?: number;
    /** A client that does not read for this long is disconnected, ms. @default 15000 */
    readonly slowClientMs?: number;
    /** Connections per listener. @default 10000 */
    readonly maxConnections?: number;
    /** Longest time that a node evacuation waits for health checks and for takeovers, whatever is asked, ms. @default 3600000 */
    readonly evacuationWaitMs?: number;
}

/** Everything that one local broker process needs; it reads it from `<stateDir>/config.json`. */
export interface LocalBrokerConfig {
    readonly version: 1;
    readonly siteName: string;
    /** `cluster.name`: what peers call their link to this broker. */
    readonly clusterName: string;
    /** `<clusterName>@127.0.0.1` */
    readonly nodeName: string;
    /** EMQX version to report, for example `5.10.3`. */
    readonly reportedVersion: string;
    /** Address that every listener binds to. */
    readonly bind: string;
    /** 0 means: listener off for `mqtt`, any free port for the others. */
    readonly ports: { readonly mqtt: number; readonly mqtts: number; readonly links: number; readonly api: number };
    /** PEM texts. `server*`: devices and REST API; `link*`: the link door, which demands a client certificate of `ca`. */
    readonly tls: {
        readonly ca: string;
        readonly serverCert: string;
        readonly serverKey: string;
        readonly linkCert: string;
        readonly linkKey: string;
    };
    readonly api: readonly BrokerApiKey[];
    readonly users: readonly BrokerUser[];
    readonly acl: readonly AclRule[];
    /** What holds where no rule fits. */
    readonly noMatch: "deny" | "allow";
    /** Folder with one file per host name: `{"host": "127.0.0.1", "port": 50123}`. */
    readonly namesDir: string;
    /** Name under which this broker writes its own link door into `namesDir`. */
    readonly linkHost: string;
    /** The broker stops itself within 2 s when this process is gone. @default no lease */
    readonly lease?: { readonly pid: number; readonly startTime: string };
    /** File with such a lease, which its owner may release; see lease.ts. @default no lease */
    readonly leaseFile?: string;
    /** File that lists the nodes of the cluster that this process stands for; see members.ts. @default this process is the only node */
    readonly membersFile?: string;
    /**
     * SOCKS 5 proxy by which links leave this machine: it gets names as they are, and `namesDir` is not asked. @default none
     */
    readonly gateway?: { readonly host: string; readonly port: number };
    /**
     * Whoever connects to the link door says first for whom (PROXY protocol, version 1), as EMQX's listeners have it with
     * `proxy_protocol`. @default false
     */
    readonly proxyProtocol?: boolean;
    readonly limits?: BrokerLimits;
}

/** The ports that a running broker listens on; `mqtt` is 0 where that listener is off. */
export interface BrokerPorts {
    readonly mqtt: number;
    readonly mqtts: number;
    readonly links: number;
    readonly api: number;
}

/** Every limit with its value. */
export function resolveLimits(limits: BrokerLimits = {}): Required<BrokerLimits> {
    return {
        routeLifeMs: limits.routeLifeMs ?? 30_000,
        drainMs: limits.drainMs ?? 3_000,
        sessionQueueMessages: limits.sessionQueueMessages ?? 100_000,
        maxPacketBytes: limits.maxPacketBytes ?? 1_048_576,
        slowClientMs: limits.slowClientMs ?? 15_000,
        maxConnections: limits.maxConnections ?? 10_000,
        evacuationWaitMs: limits.evacuationWaitMs ?? 3_600_000,
    };
}

type Fields = Record<string, unknown>;

function fields(value: unknown, argument: string): Fields {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new InputError(argument, "must be an object");
    }
    return value as Fields;
}

function text(from: Fields, key: string, argument: string): string {
    const value = from[key];
    if (typeof value !== "string" || value === "") {
        throw new InputError(`${argument}${key}`, "must be a text that is not empty");
    }
    return value;
}

function list(from: Fields, key: string): readonly unknown[] {
    const value = from[key];
    if (!Array.isArray(value)) {
        throw new InputError(key, "must be a list");
    }
    return value;
}

function oneOf(from: Fields, key: string, argument: string, allowed: readonly string[]): void {
    if (!allowed.includes(String(from[key]))) {
        throw new InputError(`${argument}${key}`, `${quote(from[key])} is not one of ${allowed.join(", ")}`);
    }
}

function sha256Hex(from: Fields, key: string, argument: string): void {
    if (!/^[0-9a-f]{64}$/i.test(text(from, key, argument))) {
        throw new InputError(`${argument}${key}`, "must be a sha256 in hex (64 digits)");
    }
}

/** Checks a configuration that came from a file. Throws {@link InputError} with the field's path; never shows a secret's value. */
export function checkBrokerConfig(value: unknown): LocalBrokerConfig {
    const config = fields(value, "config");
    if (config.version !== 1) {
        throw new InputError("version", `${quote(config.version)} is not known here; this broker reads version 1`);
    }
    for (const key of ["siteName", "clusterName", "nodeName", "reportedVersion", "bind", "namesDir", "linkHost"]) {
        text(config, key, "");
    }
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(String(config.linkHost))) {
        throw new InputError("linkHost", `${quote(config.linkHost)} is no host name`);
    }
    const ports = fields(config.ports, "ports");
    for (const key of ["mqtt", "mqtts", "links", "api"]) {
        const port = ports[key];
        if (typeof port !== "number" || !Number.isInteger(port) || port < 0 || port > 65_535) {
            throw new InputError(`ports.${key}`, `${quote(port)} is no port; set a whole number from 0 to 65535`);
        }
    }
    const tls = fields(config.tls, "tls");
    for (const key of ["ca", "serverCert", "serverKey", "linkCert", "linkKey"]) {
        if (!text(tls, key, "tls.").includes("-----BEGIN ")) {
            throw new InputError(`tls.${key}`, "must be PEM text");
        }
    }
    for (const [index, entry] of list(config, "api").entries()) {
        const key = fields(entry, `api[${index}]`);
        text(key, "key", `api[${index}].`);
        sha256Hex(key, "secretHash", `api[${index}].`);
        oneOf(key, "role", `api[${index}].`, ["administrator", "viewer", "publisher"]);
    }
    for (const [index, entry] of list(config, "users").entries()) {
        const user = fields(entry, `users[${index}]`);
        text(user, "username", `users[${index}].`);
        sha256Hex(user, "passwordHash", `users[${index}].`);
        if (typeof user.salt !== "string" || typeof user.superuser !== "boolean") {
            throw new InputError(`users[${index}]`, "needs a salt (text) and superuser (true or false)");
        }
    }
    for (const [index, entry] of list(config, "acl").entries()) {
        const rule = fields(entry, `acl[${index}]`);
        oneOf(rule, "permission", `acl[${index}].`, ["allow", "deny"]);
        oneOf(rule, "action", `acl[${index}].`, ["publish", "subscribe", "all"]);
        if (!Array.isArray(rule.topics) || rule.topics.some((topic) => typeof topic !== "string")) {
            throw new InputError(`acl[${index}].topics`, "must be a list of topic filters");
        }
    }
    oneOf(config, "noMatch", "", ["deny", "allow"]);
    if (config.membersFile !== undefined) {
        text(config, "membersFile", "");
    }
    if (config.gateway !== undefined) {
        const gateway = fields(config.gateway, "gateway");
        text(gateway, "host", "gateway.");
        if (!Number.isInteger(gateway.port) || Number(gateway.port) < 1 || Number(gateway.port) > 65_535) {
            throw new InputError("gateway.port", `${quote(gateway.port)} is no port; set a whole number from 1 to 65535`);
        }
    }
    if (config.proxyProtocol !== undefined && typeof config.proxyProtocol !== "boolean") {
        throw new InputError("proxyProtocol", `${quote(config.proxyProtocol)} must be true or false`);
    }
    if (config.lease !== undefined) {
        const lease = fields(config.lease, "lease");
        if (!Number.isInteger(lease.pid) || typeof lease.startTime !== "string") {
            throw new InputError("lease", "needs pid (a whole number) and startTime (text)");
        }
    }
    for (const [key, limit] of Object.entries(config.limits === undefined ? {} : fields(config.limits, "limits"))) {
        if (typeof limit !== "number" || !(limit > 0)) {
            throw new InputError(`limits.${key}`, `${quote(limit)} must be a number above 0`);
        }
    }
    return value as LocalBrokerConfig;
}

/** Reads and checks a configuration file. */
export function readBrokerConfig(path: string): LocalBrokerConfig {
    let value: unknown;
    try {
        value = JSON.parse(readFileSync(path, "utf8"));
    } catch (error) {
        // The parser's own message quotes the text around the fault, which may be a key.
        const code = (error as NodeJS.ErrnoException).code;
        throw new InputError(path, code === undefined ? "is no JSON" : `cannot be read (${code})`);
    }
    return checkBrokerConfig(value);
}
