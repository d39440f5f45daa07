import { messageOf, OperationError } from "../errors.js";
import type { AlarmFact, AuthorizationSource, EmqxClientLike, EndFacts, LinkConnection, Reading } from "./endFacts.js";

export type { EmqxClientLike, EndFacts } from "./endFacts.js";

/** What one end is asked about. */
export interface EndQuestion {
    readonly site: string;
    /** What `cluster.name` is expected to be. */
    readonly clusterName: string;
    /** Name of the link to the peer. */
    readonly linkName: string;
    /** User as which the peer's links log in here. */
    readonly linkUserOfPeer?: string | undefined;
    /** Client-id prefix of this end's links. */
    readonly clientIdPrefix?: string | undefined;
}

/** The type of EMQX's own user database. */
const database = "password_based:built_in_database";
/** More link connections than this are not counted. */
const mostConnections = 1000;

/** Asks one end of a pair about itself and its link. Never throws: what cannot be read is a fact, with the reason. */
export async function gatherEnd(client: EmqxClientLike, about: EndQuestion): Promise<EndFacts> {
    const user = about.linkUserOfPeer;
    const [identity, nodes, license, links, counters, alarms, authenticators, sources, noMatch, peerRules, connections] =
        await Promise.all([
            reading(() => readIdentity(client)),
            reading(async () => rows(await client.nodes()).map(nodeOf)),
            reading(async () => licenseOf(record(await client.license()))),
            reading(() => client.listLinks()),
            reading(() => client.linkMetrics(about.linkName)),
            reading(() => readAlarms(client, about.linkName)),
            reading(async () =>
                rows(await client.listAuthenticators())
                    .filter(isEnabled)
                    .map(authenticatorOf),
            ),
            reading(async () => sourceRows(await client.listAuthorizationSources()).map(sourceOf)),
            reading(async () => noMatchOf(record(await client.authorizationSettings()))),
            reading(async () => (user === undefined ? undefined : await client.getUserRules(user))),
            reading(async () =>
                rows(await client.clients({ likeClientId: ":routesync:", limit: mostConnections })).map(connectionOf),
            ),
        ]);
    const peerUser = await reading(() => readPeerUser(client, user, authenticators));
    return {
        ...about,
        identity,
        nodes,
        license,
        links,
        counters,
        alarms,
        peerUser,
        authenticators,
        sources,
        noMatch,
        peerRules,
        connections,
    };
}

async function reading<T>(read: () => Promise<T>): Promise<Reading<T>> {
    try {
        return { read: true, value: await read() };
    } catch (error) {
        return error instanceof OperationError
            ? { read: false, reason: error.message, todo: error.detail.todo }
            : { read: false, reason: messageOf(error) };
    }
}

/** `/status` needs no key but is not open everywhere; the cluster itself knows its name and the nodes their release. */
async function readIdentity(client: EmqxClientLike): Promise<{ version: string; clusterName: string }> {
    const cluster = await client.cluster();
    try {
        return { version: (await client.status()).relVsn, clusterName: cluster.name };
    } catch (error) {
        const version = rows(await client.nodes()).map((node) => text(node, "version"))[0];
        if (version === undefined) {
            throw error;
        }
        return { version, clusterName: cluster.name };
    }
}

async function readAlarms(client: EmqxClientLike, link: string): Promise<AlarmFact[]> {
    const concerns = (row: Row) => (text(row, "name") ?? "").split(":").at(-1) === link;
    const read = async (active: boolean) =>
        rows(await client.alarms(active))
            .filter(concerns)
            .map((row): AlarmFact => ({ name: text(row, "name") ?? "", message: alarmText(row), active }));
    return [...(await read(true)), ...(await read(false))];
}

function alarmText(row: Row): string {
    const details = record(row.details);
    return text(row, "message") ?? text(details, "reason") ?? "";
}

async function readPeerUser(
    client: EmqxClientLike,
    user: string | undefined,
    authenticators: Reading<readonly string[]>,
): Promise<{ exists: boolean; superuser: boolean } | undefined> {
    if (user === undefined || (authenticators.read && !authenticators.value.includes(database))) {
        return undefined;
    }
    const found = await client.getUser(user);
    const row = record(found);
    return { exists: found !== undefined, superuser: (row.is_superuser ?? row.isSuperuser ?? row.superuser) === true };
}

type Row = Readonly<Record<string, unknown>>;

function record(value: unknown): Row {
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Row) : {};
}

/** The rows of a list, or of one page of it. */
function rows(value: unknown): Row[] {
    const list = Array.isArray(value) ? value : record(value).data;
    return Array.isArray(list) ? list.map(record) : [];
}

function sourceRows(value: unknown): Row[] {
    const { sources } = record(value);
    return rows(sources ?? value);
}

/** The first of several spellings of a field that holds a text. */
function text(row: Row, ...keys: readonly string[]): string | undefined {
    return keys.map((key) => row[key]).find((value) => typeof value === "string");
}

function nodeOf(row: Row): { node: string; running: boolean } {
    return {
        node: text(row, "node", "name") ?? "?",
        running: (text(row, "node_status", "nodeStatus", "status") ?? "running").toLowerCase() === "running",
    };
}

function licenseOf(row: Row): { type: string; expired: boolean; maxSessions?: number | undefined } {
    const sessions = row.max_sessions ?? row.maxSessions ?? row.max_connections;
    return {
        type: text(row, "type") ?? "unknown",
        expired: (row.expiry ?? row.expired) === true,
        maxSessions: typeof sessions === "number" ? sessions : undefined,
    };
}

function isEnabled(row: Row): boolean {
    return row.enable !== false;
}

function authenticatorOf(row: Row): string {
    return text(row, "id") ?? `${text(row, "mechanism") ?? "?"}:${text(row, "backend") ?? "?"}`;
}

function sourceOf(row: Row): AuthorizationSource {
    return { type: text(row, "type") ?? "?", enable: isEnabled(row), rules: text(row, "rules") };
}

function noMatchOf(row: Row): "allow" | "deny" {
    return text(row, "no_match", "noMatch") === "deny" ? "deny" : "allow";
}

function connectionOf(row: Row): LinkConnection {
    return {
        clientId: text(row, "clientid", "clientId") ?? "",
        username: text(row, "username"),
        connected: row.connected !== false,
    };
}
