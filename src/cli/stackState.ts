import { storedFormOf, unpacked } from "../dynamic/storedForm.js";
import { unknownValue } from "../dynamic/unknown.js";
import type { ApiEndpoint, MqttEndpoint } from "../emqx/endpoint.js";
import type { ProbeDirection, ProbeSide } from "../probe/deliveryReport.js";
import type { DeliveryResult } from "../probe/deliveryResult.js";
import { CliError, exitCodes } from "./cliError.js";

/** One cluster link as the stack's state has it: it lives on `localCluster` and makes it receive from `remoteCluster`. */
export interface LinkRecord {
    readonly localCluster: string;
    /** The link's name: the remote's `cluster.name`. */
    readonly remoteCluster: string;
    readonly server: string;
    readonly topics: readonly string[];
    readonly clientIdPrefix: string;
    /** User that the link logs in with on the remote, where there is one. */
    readonly username?: string;
    readonly tls: boolean;
    readonly enable: boolean;
    readonly maxOutageSeconds?: number;
    /** API of the local cluster. */
    readonly api: ApiEndpoint;
}

/** One delivery probe as the stack's state has it. */
export interface ProbeRecord {
    readonly pair: string;
    readonly a: ProbeSide & { readonly api?: ApiEndpoint };
    readonly b: ProbeSide & { readonly api?: ApiEndpoint };
    readonly directions: readonly ProbeDirection[];
    readonly count?: number;
    readonly rate?: number;
    readonly qos?: 0 | 1 | 2;
    readonly payloadBytes?: number;
    readonly timeoutSeconds?: number;
    readonly maxLoss?: number;
    readonly results: readonly DeliveryResult[];
}

/** The broker process of a local site. */
export interface BrokerRecord {
    readonly site: string;
    readonly clusterName: string;
    /** Where its configuration, data and log are. */
    readonly folder: string;
}

/** All that the command line needs of a stack. */
export interface StackState {
    readonly links: readonly LinkRecord[];
    readonly probes: readonly ProbeRecord[];
    readonly brokers: readonly BrokerRecord[];
    /** Site name by `cluster.name`, where a resource tells it. */
    readonly siteOf: ReadonlyMap<string, string>;
}

type Json = Readonly<Record<string, unknown>>;

const typePrefix = "pulumi-nodejs:dynamic/linkspan:";
const envelopeKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/**
 * Reads what `pulumi stack export --show-secrets` printed.
 *
 * @throws CliError where the text is no export, was exported without secrets, or a resource lacks what it must have
 */
export function parseStackState(text: string): StackState {
    const resources = resourcesOf(text);
    const outputsOf = (kind: string) =>
        resources
            .filter((resource) => resource.type === `${typePrefix}${kind}` && resource.delete !== true)
            .map((resource) => ({ ...flat(kind, resource.inputs), ...flat(kind, resource.outputs) }));
    const links = outputsOf("ClusterLink").map(linkRecord);
    const probes = outputsOf("DeliveryProbe").map(probeRecord);
    const brokers = outputsOf("LocalBroker").map(brokerRecord);
    const siteOf = new Map([
        ...probes.flatMap(({ a, b }) => [[a.clusterName, a.site] as const, [b.clusterName, b.site] as const]),
        ...brokers.map(({ clusterName, site }) => [clusterName, site] as const),
    ]);
    return { links, probes, brokers, siteOf };
}

/** The site's name where the stack tells it, else the cluster's. */
export function siteName(state: StackState, cluster: string): string {
    return state.siteOf.get(cluster) ?? cluster;
}

function resourcesOf(text: string): Json[] {
    let parsed: unknown;
    try {
        parsed = JSON.parse(text);
    } catch {
        throw unreadable("it is not JSON");
    }
    const deployment = asObject(asObject(parsed).deployment);
    const resources = deployment.resources;
    if (resources === undefined && Object.keys(deployment).length > 0) {
        // A stack that was destroyed has a manifest and no resources.
        return [];
    }
    if (!Array.isArray(resources)) {
        throw unreadable('it has no "deployment.resources"');
    }
    return resources.map(asObject);
}

/** A resource's properties, one per argument, with their secrets. */
function flat(kind: string, stored: unknown): Json {
    const form = storedFormOf(`${kind.charAt(0).toLowerCase()}${kind.slice(1)}`);
    return unpacked(form, asObject(reveal(stored)), unknownValue);
}

/** Takes secrets out of their envelopes, at any depth. */
function reveal(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(reveal);
    }
    if (typeof value !== "object" || value === null) {
        return value;
    }
    const object = asObject(value);
    if (object[envelopeKey] === secretSignature) {
        if (typeof object.plaintext !== "string") {
            throw unreadable("its secrets are encrypted; export it with --show-secrets");
        }
        return reveal(JSON.parse(object.plaintext));
    }
    return Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, reveal(inner)]));
}

function linkRecord(found: Json): LinkRecord {
    const at = (key: string) => `the cluster link ${JSON.stringify(found.name)} has no usable "${key}"`;
    const localCluster = text(found, "localCluster", at);
    // State of the first form held TLS itself.
    const tls = asObject(found.tlsShape ?? found.tls);
    return {
        localCluster,
        remoteCluster: text(found, "name", at),
        server: text(found, "server", at),
        topics: texts(found.topics, at("topics")),
        clientIdPrefix: optionalText(found, "clientIdPrefix") ?? `${localCluster}-`,
        ...optional("username", optionalText(found, "username")),
        tls: tls.enable === true,
        enable: found.enable !== false,
        ...optional("maxOutageSeconds", optionalNumber(found, "maxOutageSeconds")),
        api: apiOf(found.api, at("api")),
    };
}

function probeRecord(found: Json): ProbeRecord {
    const at = (key: string) => `the delivery probe ${JSON.stringify(found.pair)} has no usable "${key}"`;
    const qos = optionalNumber(found, "qos");
    const results = Array.isArray(found.results) ? found.results : [];
    return {
        pair: text(found, "pair", at),
        a: probeSide(found.a, at("a")),
        b: probeSide(found.b, at("b")),
        directions: list(found.directions, at("directions")).map((each) => {
            const direction = asObject(each);
            const of = (key: string) => at(`directions.${key}`);
            return {
                from: text(direction, "from", of),
                to: text(direction, "to", of),
                topics: texts(direction.topics, of("topics")),
            };
        }),
        ...optional("count", optionalNumber(found, "count")),
        ...optional("rate", optionalNumber(found, "rate")),
        ...(qos === 0 || qos === 1 || qos === 2 ? { qos } : {}),
        ...optional("payloadBytes", optionalNumber(found, "payloadBytes")),
        ...optional("timeoutSeconds", optionalNumber(found, "timeoutSeconds")),
        ...optional("maxLoss", optionalNumber(found, "maxLoss")),
        results: results.map(asObject).flatMap(deliveryResult),
    };
}

function deliveryResult(found: Json): DeliveryResult[] {
    const { from, to, status, runId } = found;
    if (
        typeof from !== "string" ||
        typeof to !== "string" ||
        (status !== "proven" && status !== "failed" && status !== "unproven")
    ) {
        return [];
    }
    const numbers = [
        "sent",
        "delivered",
        "lost",
        "duplicated",
        "outOfOrder",
        "qosDowngraded",
        "p50Ms",
        "p99Ms",
        "maxMs",
        "firstArrivalMs",
        "rate",
    ];
    return [
        {
            from,
            to,
            status,
            runId: typeof runId === "string" ? runId : "none",
            ...optional("reason", optionalText(found, "reason")),
            ...optional("provenAt", optionalText(found, "provenAt")),
            ...Object.fromEntries(numbers.flatMap((key) => (typeof found[key] === "number" ? [[key, found[key]]] : []))),
        },
    ];
}

function probeSide(value: unknown, problem: string): ProbeRecord["a"] {
    const found = asObject(value);
    const at = (key: string) => `${problem}: ${key}`;
    return {
        site: text(found, "site", at),
        clusterName: text(found, "clusterName", at),
        mqtt: mqttOf(found.mqtt, at("mqtt")),
        ...optional("clientIdPrefix", optionalText(found, "clientIdPrefix")),
        ...(found.api === undefined ? {} : { api: apiOf(found.api, at("api")) }),
    };
}

function brokerRecord(found: Json): BrokerRecord {
    const at = (key: string) => `the local broker ${JSON.stringify(found.siteName)} has no usable "${key}"`;
    return {
        site: text(found, "siteName", at),
        clusterName: text(found, "clusterName", at),
        folder: optionalText(found, "folder") ?? text(found, "stateDir", at),
    };
}

function apiOf(value: unknown, problem: string): ApiEndpoint {
    const found = asObject(value);
    const at = (key: string) => `${problem}: ${key}`;
    return {
        url: text(found, "url", at),
        key: text(found, "key", at),
        secret: text(found, "secret", at),
        ...optional("ca", optionalText(found, "ca")),
        ...optional("serverName", optionalText(found, "serverName")),
        ...wayOf(found, at),
    };
}

/** How a door is reached, where not straight by its address. */
function wayOf(found: Json, at: (key: string) => string): Pick<ApiEndpoint, "connect" | "proxy"> {
    const connect = asObject(found.connect);
    return {
        ...(found.connect === undefined || found.connect === null
            ? {}
            : { connect: { host: text(connect, "host", at), port: number(connect, "port", at) } }),
        ...optional("proxy", optionalText(found, "proxy")),
    };
}

function mqttOf(value: unknown, problem: string): MqttEndpoint {
    const found = asObject(value);
    const at = (key: string) => `${problem}: ${key}`;
    return {
        host: text(found, "host", at),
        port: number(found, "port", at),
        tls: found.tls === true,
        ...optional("ca", optionalText(found, "ca")),
        ...optional("serverName", optionalText(found, "serverName")),
        ...optional("username", optionalText(found, "username")),
        ...optional("password", optionalText(found, "password")),
        ...optional("cert", optionalText(found, "cert")),
        ...optional("key", optionalText(found, "key")),
        ...wayOf(found, at),
    };
}

function asObject(value: unknown): Json {
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function list(value: unknown, problem: string): readonly unknown[] {
    if (!Array.isArray(value)) {
        throw unreadable(problem);
    }
    return value;
}

function texts(value: unknown, problem: string): string[] {
    const found = list(value, problem);
    if (!found.every((each) => typeof each === "string")) {
        throw unreadable(problem);
    }
    return found as string[];
}

function text(found: Json, key: string, problem: (key: string) => string): string {
    const value = found[key];
    if (typeof value !== "string") {
        throw unreadable(problem(key));
    }
    return value;
}

function number(found: Json, key: string, problem: (key: string) => string): number {
    const value = found[key];
    if (typeof value !== "number") {
        throw unreadable(problem(key));
    }
    return value;
}

function optionalText(found: Json, key: string): string | undefined {
    const value = found[key];
    return typeof value === "string" ? value : undefined;
}

function optionalNumber(found: Json, key: string): number | undefined {
    const value = found[key];
    return typeof value === "number" ? value : undefined;
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
    return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

function unreadable(problem: string): CliError {
    return new CliError(
        `the stack's state cannot be read: ${problem}. It must come from \`pulumi stack export --show-secrets\` of a stack that is up.`,
        exitCodes.unreadable,
    );
}
