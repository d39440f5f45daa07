import { hasUnknown } from "../dynamic/provider.js";
import { type ApiEndpoint, checkApiUrl } from "../emqx/endpoint.js";
import { InputError, quote } from "../errors.js";
import { checkApiWay } from "../link/apiArgs.js";

/** Deadlines of a node's membership, in seconds, each above 0 and at most 3600. */
export interface NodeTimeouts {
    /**
     * Until a new node must be in its cluster: the machine's boot, the installation of EMQX and the join.
     * @default 1200
     */
    readonly joinSeconds?: number | undefined;
    /**
     * How long a node is drained before its machine goes. What is connected then is cut off.
     * @default 300
     */
    readonly evacuateSeconds?: number | undefined;
    /**
     * How long a cluster that does not answer is tried before a node's machine goes without a drain.
     * @default 30
     */
    readonly deleteSeconds?: number | undefined;
}

/** What holds where nothing is set. Applied at use and never stored. */
export const nodeTimeoutDefaults = { joinSeconds: 1200, evacuateSeconds: 300, deleteSeconds: 30 } as const;

/** What state holds of a membership's arguments. `api` is secret. Frozen: add keys, never change one. */
export interface MembershipInputs {
    readonly api: ApiEndpoint;
    readonly clusterName: string;
    readonly nodeName: string;
    readonly members: readonly string[];
    readonly gate: Readonly<Record<string, string>>;
    readonly version?: string;
    readonly timeouts?: NodeTimeouts;
    readonly progressUrn?: string;
}

/** What state holds of a membership. */
export interface MembershipOutputs extends MembershipInputs {
    readonly joinedAt: string;
}

/** What state holds of a departure. `api` is secret. Frozen: add keys, never change one. */
export interface DepartureInputs {
    readonly api: ApiEndpoint;
    readonly clusterName: string;
    readonly nodeName: string;
    readonly timeouts?: NodeTimeouts;
    readonly progressUrn?: string;
}

/**
 * Checks the arguments of a membership or a departure as far as they are known.
 *
 * @throws InputError naming the argument
 */
export function checkNodeInputs(given: Readonly<Record<string, unknown>>): void {
    const { api, clusterName, nodeName, members, gate, timeouts } = given as unknown as Partial<MembershipInputs>;
    if (api?.url !== undefined && !hasUnknown(api.url)) {
        checkApiUrl(api.url, { allowLoopback: true, argument: "api.url" });
    }
    checkApiWay(api);
    for (const [argument, name] of [
        ["nodeName", nodeName],
        ...(Array.isArray(members) ? members.map((member, index) => [`members[${index}]`, member] as const) : []),
    ] as const) {
        if (name !== undefined && !hasUnknown(name) && !/^[\w-]+@[\w.:-]+$/.test(String(name))) {
            throw new InputError(argument, `${quote(name)} is no node name; set EMQX's node.name, such as "emqx@10.1.0.4"`);
        }
    }
    if (clusterName === "") {
        throw new InputError("clusterName", "it is empty; set the cluster's cluster.name");
    }
    if (members !== undefined && !hasUnknown(members) && !hasUnknown(nodeName) && !members.includes(String(nodeName))) {
        throw new InputError("members", `${quote(nodeName)} is not among them; list every node of the cluster, this one too`);
    }
    if (gate !== undefined && Object.keys(gate).length === 0) {
        throw new InputError("gate", "it is empty; give what differs after the node's machine was replaced, such as its id");
    }
    for (const [key, value] of hasUnknown(timeouts) ? [] : Object.entries(timeouts ?? {})) {
        if (value !== undefined && (typeof value !== "number" || !(value > 0 && value <= 3600))) {
            throw new InputError(`timeouts.${key}`, `${quote(value)} is out of range; set more than 0 and at most 3600 seconds`);
        }
    }
}
