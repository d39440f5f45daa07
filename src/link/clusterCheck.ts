import type { EmqxClient } from "../emqx/client.js";
import { checkRelease } from "../emqx/releases.js";
import { OperationError, quote } from "../errors.js";
import { askedOnce, forgetAnswers, warn } from "./apiCalls.js";

/** What a cluster says of itself. */
export interface ClusterFacts {
    readonly clusterName: string;
    /** The lowest version of its running nodes. */
    readonly version: string;
    readonly licenseType: string;
    /** Number of running nodes. */
    readonly nodes: number;
}

/** What a cluster must be, for links to be made on it. */
export interface ClusterNeeds {
    readonly api: { readonly url: string };
    readonly clusterName: string;
    /** The argument that says so. */
    readonly argument: string;
    readonly tls: boolean;
}

/**
 * Reads name, version and licence of a cluster and refuses what cannot be linked.
 *
 * @throws OperationError with the reason and what to set
 */
export async function checkCluster(client: EmqxClient, needs: ClusterNeeds): Promise<ClusterFacts> {
    await checkClusterName(client, needs);
    const [nodes, license] = await Promise.all([
        askedOnce(client, "nodes", () => client.nodes()),
        askedOnce(client, "license", () => client.license()),
    ]);
    const running = nodes.filter((node) => node.status === "running");
    const versions = (running.length === 0 ? nodes : running)
        .map((node) => node.version)
        .sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
    const version = versions[0] ?? "unknown";
    const verdict = checkRelease(version, { tls: needs.tls, licensed: license.type !== "community" });
    if (verdict.level === "refuse") {
        forgetAnswers(client);
        throw refusal(needs, `${verdict.reason}`, "Nothing was changed");
    }
    if (license.expired) {
        forgetAnswers(client);
        throw refusal(needs, `its licence (${license.type}) has expired`, "Load a valid licence. Nothing was changed");
    }
    if (verdict.level === "warn") {
        warn(`${needs.clusterName} at ${needs.api.url}: ${verdict.reason}`);
    }
    return { clusterName: needs.clusterName, version, licenseType: license.type, nodes: running.length };
}

/** Refuses when another cluster answers than the one that is meant. */
export async function checkClusterName(
    client: EmqxClient,
    needs: Pick<ClusterNeeds, "api" | "clusterName" | "argument">,
): Promise<void> {
    const { name } = await askedOnce(client, "cluster", () => client.cluster());
    if (name !== needs.clusterName) {
        forgetAnswers(client);
        throw refusal(
            needs,
            `the cluster that answers is called ${quote(name)}, not ${quote(needs.clusterName)}`,
            `Set ${needs.argument} to its cluster.name, or the API's url to the right cluster. Nothing was changed`,
        );
    }
}

function refusal(needs: Pick<ClusterNeeds, "api" | "clusterName">, message: string, todo: string): OperationError {
    return new OperationError({ what: `link the cluster ${quote(needs.clusterName)}`, where: needs.api.url, message, todo });
}
