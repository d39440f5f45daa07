import { EmqxClient, type NodeInfo } from "../emqx/client.js";
import type { ApiEndpoint } from "../emqx/endpoint.js";
import { messageOf, OperationError } from "../errors.js";

/** A cluster at one moment, as the node that answered sees it. */
export interface ClusterGlance {
    readonly clusterName: string;
    readonly nodes: readonly NodeInfo[];
    /** Nodes that are being drained, and how far that is. */
    readonly draining: ReadonlyMap<string, string>;
    /** Whether the node that answered takes clients. */
    readonly available: boolean;
}

/** Why a cluster could not be looked at. */
export interface GlanceFailure {
    /** `absent`: no EMQX answers yet. `refused`: it does, or something else, and that will not pass by itself. */
    readonly kind: "absent" | "refused";
    readonly message: string;
}

/** Longest time in seconds that one look may take, and one connection of it. */
const lookSeconds = 15;
const connectSeconds = 8;

/**
 * Works with a cluster over connections of its own, so that a load balancer is free to choose another node at every look.
 *
 * @param seconds how long it may take at most; more than 15 is not waited for one call
 */
export async function withCluster<T>(
    api: ApiEndpoint,
    name: string,
    seconds: number,
    work: (client: EmqxClient) => Promise<T>,
): Promise<T | GlanceFailure> {
    const requestSeconds = Math.max(0.1, Math.min(seconds, lookSeconds));
    const client = new EmqxClient(api, {
        requestSeconds,
        connectSeconds: Math.min(requestSeconds, connectSeconds),
        attempts: 1,
        name,
    });
    try {
        return await work(client);
    } catch (error) {
        if (!(error instanceof OperationError)) {
            throw error;
        }
        return { kind: isLasting(error) ? "refused" : "absent", message: messageOf(error) };
    } finally {
        client.close();
    }
}

/** Looks at a cluster once. One answer after the other, so that they come over one connection and so from one node. */
export function glance(api: ApiEndpoint, name: string, seconds: number): Promise<ClusterGlance | GlanceFailure> {
    return withCluster(api, name, seconds, async (client) => {
        const { name: clusterName } = await client.cluster();
        const nodes = await client.nodes();
        const drained = await client.evacuations();
        return {
            clusterName,
            nodes,
            draining: new Map(drained.map(({ node, state }) => [node, state])),
            available: await client.isAvailable(),
        };
    });
}

export function isFailure(value: object): value is GlanceFailure {
    return "kind" in value && "message" in value;
}

/** A wrong key, a certificate of somebody else: it may pass while a machine boots, but rarely does. */
function isLasting({ detail: { status, code } }: OperationError): boolean {
    return (
        status === 401 ||
        status === 403 ||
        (status === undefined && /^(?:CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ADDRESS_REFUSED)/.test(code ?? ""))
    );
}
