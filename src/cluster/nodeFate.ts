/** Why a node's resource ends. */
export type NodeFate =
    /** Its machine is replaced or set up anew: the node comes back. */
    | "replaced"
    /** The site goes on without it. */
    | "removed"
    /** Nothing of the cluster is in the program: it goes as a whole, or the run is limited to some resources. */
    | "unknown";

/** What was seen of a node before its machine went. */
export interface LastSight {
    /** When its EMQX had started, milliseconds of this machine's clock. `undefined`: it did not say. */
    readonly startedAt: number | undefined;
    /** The cluster's other nodes that ran. */
    readonly others: readonly string[];
}

/**
 * What one run of Pulumi has said of clusters' nodes. The engine tells a resource's delete only what state holds of it, not whether
 * the resource comes back, was left out, or goes with everything else. Its host of dynamic resources is one process for each run, so
 * that what was checked and compared before tells it.
 */
export class NodeFates {
    /** Nodes that the program describes, by cluster. */
    readonly #described = new Map<string, Set<string>>();
    /** Nodes of the plan, by cluster. */
    readonly #members = new Map<string, readonly string[]>();
    readonly #replaced = new Set<string>();
    readonly #sights = new Map<string, LastSight>();

    /** The program has a resource for a node. */
    describe(cluster: string, node: string, members?: readonly string[]): void {
        this.#described.set(cluster, new Set([...(this.#described.get(cluster) ?? []), node]));
        if (members !== undefined) {
            this.#members.set(cluster, members);
        }
    }

    /** A node's machine is about to be replaced. */
    replace(cluster: string, node: string): void {
        this.#replaced.add(key(cluster, node));
    }

    fate(cluster: string, node: string): NodeFate {
        const members = this.#members.get(cluster);
        const described = this.#described.get(cluster);
        // The plan goes first: what it no longer lists is not coming back, whatever was compared before.
        if (members !== undefined && !members.includes(node)) {
            return "removed";
        }
        if (members !== undefined || this.#replaced.has(key(cluster, node)) || described?.has(node) === true) {
            return "replaced";
        }
        return described === undefined ? "unknown" : "removed";
    }

    /** Keeps what was last seen of a node until it is made again. */
    saw(cluster: string, node: string, sight: LastSight): void {
        this.#sights.set(key(cluster, node), sight);
    }

    lastSight(cluster: string, node: string): LastSight | undefined {
        return this.#sights.get(key(cluster, node));
    }
}

/** What all kinds of this host remember together. */
export const nodeFates = new NodeFates();

function key(cluster: string, node: string): string {
    return `${cluster} ${node}`;
}
