import { messageOf, OperationError } from "../errors.js";
import { builtInUsers } from "./client.js";
import type { AlarmFact, EmqxClientLike, EndFacts, Reading } from "./endFacts.js";

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

/** More link connections than this are not counted. */
const mostConnections = 1000;

/** Asks one end of a pair about itself and its link. Never throws: what cannot be read is a fact, with the reason. */
export async function gatherEnd(client: EmqxClientLike, about: EndQuestion): Promise<EndFacts> {
    const user = about.linkUserOfPeer;
    const [identity, nodes, license, links, counters, alarms, authenticators, sources, noMatch, peerRules, connections] =
        await Promise.all([
            reading(() => readIdentity(client)),
            reading(async () => (await client.nodes()).map(({ node, status }) => ({ node, running: status === "running" }))),
            reading(() => client.license()),
            reading(() => client.listLinks()),
            reading(() => client.linkMetrics(about.linkName)),
            reading(() => readAlarms(client, about.linkName)),
            reading(async () => (await client.listAuthenticators()).filter(({ enable }) => enable).map(({ id }) => id)),
            reading(() => client.listAuthorizationSources()),
            reading(async () => ((await client.authorizationSettings()).noMatch === "deny" ? "deny" : "allow")),
            reading(async () => (user === undefined ? undefined : await client.getUserRules(user))),
            // Every cluster that has a link to here keeps one such connection per node of its own.
            reading(() => client.clients({ likeClientId: ":routesync:", limit: mostConnections })),
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
            ? { read: false, reason: `${error.detail.code ?? ""} ${error.detail.message}`.trim(), todo: error.detail.todo }
            : { read: false, reason: messageOf(error) };
    }
}

/** `/status` is not open everywhere; the cluster itself knows its name and the nodes their release. */
async function readIdentity(client: EmqxClientLike): Promise<{ version: string; clusterName: string }> {
    const { name } = await client.cluster();
    try {
        return { version: (await client.status()).relVsn, clusterName: name };
    } catch (error) {
        const version = (await client.nodes()).map((node) => node.version).find((known) => known !== "");
        if (version === undefined) {
            throw error;
        }
        return { version, clusterName: name };
    }
}

/** EMQX names the alarms of a link `emqx_cluster_link_mqtt:msg:<link>`. */
async function readAlarms(client: EmqxClientLike, link: string): Promise<AlarmFact[]> {
    const read = async (active: boolean) =>
        (await client.alarms(active))
            .filter(({ name }) => name.split(":").at(-1) === link)
            .map(({ name, message }): AlarmFact => ({ name, message, active }));
    return [...(await read(true)), ...(await read(false))];
}

async function readPeerUser(
    client: EmqxClientLike,
    user: string | undefined,
    authenticators: Reading<readonly string[]>,
): Promise<{ exists: boolean; superuser: boolean } | undefined> {
    if (user === undefined || (authenticators.read && !authenticators.value.includes(builtInUsers))) {
        return undefined;
    }
    const found = await client.getUser(user);
    return { exists: found !== undefined, superuser: found?.superuser === true };
}
