import type { NodeInfo } from "../emqx/client.js";
import { quote } from "../errors.js";
import type { ClusterGlance, GlanceFailure } from "./clusterGlance.js";
import { isFailure } from "./clusterGlance.js";
import type { LastSight } from "./nodeFate.js";

/** What a node is waited for. */
export interface JoinGoal {
    readonly clusterName: string;
    readonly nodeName: string;
    readonly members: readonly string[];
    readonly version?: string | undefined;
}

/** What one look came to. */
export type JoinVerdict =
    | { readonly joined: true; readonly sameProcess: boolean }
    | {
          readonly joined: false;
          /** What is waited for, as a clause. */
          readonly waitsFor: string;
          /** Set where waiting alone will hardly help. */
          readonly lasting: boolean;
          /** Whether EMQX's API has answered at all, now or before. */
          readonly answered: boolean;
          /** Set where the node waits for somebody to end its drain. */
          readonly draining: boolean;
      };

/** Two starts closer than this in milliseconds are one: they are computed from an age and this machine's clock. */
const sameStartMs = 5_000;

/**
 * Judges looks at a cluster until a node is in it.
 *
 * What makes an entry that says `running` trustworthy: EMQX asks the node itself for its entry at every look, so a running entry is an
 * answer of a living process. Resources are made after what they depend on, so the old machine is gone, or has been stopped and
 * started again, before this watch begins; the address, the data disk and so the name can be on one machine only. A living process
 * of this name is thus one of the new machine. Where the start of the old process is known (this run drained it), a younger one is
 * demanded on top, because a provider may return while the old system still shuts down; a process that goes on answering with the
 * old start for a minute has survived: the gate changed and the machine did not.
 *
 * A node of its own that has not found the others yet also says `running`, about itself. So all that must be there is demanded of
 * the same look: those made before by the order of the plan, those seen running in any look, and those seen before the machine went.
 */
export class JoinWatch {
    readonly #goal: JoinGoal;
    readonly #before: LastSight | undefined;
    readonly #sameProcessMs: number;
    readonly #companions: Set<string>;
    #answered = false;
    #sameSince: number | undefined;

    /** @param sameProcessSeconds how long an old start is not believed to be the new one */
    constructor(goal: JoinGoal, before: LastSight | undefined, sameProcessSeconds: number) {
        const { members, nodeName } = goal;
        this.#goal = goal;
        this.#before = before;
        this.#sameProcessMs = sameProcessSeconds * 1000;
        this.#companions = new Set([
            ...members.slice(0, Math.max(0, members.indexOf(nodeName))),
            ...(before?.others.filter((other) => members.includes(other)) ?? []),
        ]);
    }

    /** @param now milliseconds of this machine's clock */
    judge(look: ClusterGlance | GlanceFailure, now: number): JoinVerdict {
        if (isFailure(look)) {
            return this.#wait(look.message, look.kind === "refused");
        }
        this.#answered = true;
        const { clusterName, nodeName, version } = this.#goal;
        if (look.clusterName !== clusterName) {
            return this.#wait(`the cluster that answers is called ${quote(look.clusterName)}, not ${quote(clusterName)}`, true);
        }
        const running = look.nodes.filter(({ status }) => status === "running");
        for (const { node } of running) {
            if (node !== nodeName && this.#goal.members.includes(node)) {
                this.#companions.add(node);
            }
        }
        const own = look.nodes.find(({ node }) => node === nodeName);
        if (own === undefined || own.status !== "running") {
            this.#sameSince = undefined;
            const state = own === undefined ? "is not in the cluster yet" : `is ${own.status}`;
            return this.#wait(`${nodeName} ${state}; running: ${list(running)}`, false);
        }
        const missing = [...this.#companions].filter((name) => !running.some(({ node }) => node === name));
        if (missing.length > 0) {
            return this.#wait(`${missing.join(", ")} ran before and must run too; running: ${list(running)}`, false);
        }
        if (version !== undefined && own.version !== version) {
            return this.#wait(`${nodeName} runs EMQX ${own.version}, not ${version}`, true);
        }
        const sameProcess = this.#isOld(own, now);
        if (sameProcess && now - (this.#sameSince ?? now) < this.#sameProcessMs) {
            return this.#wait(`${nodeName} still answers as before its machine was changed`, false);
        }
        if (look.draining.has(nodeName)) {
            return this.#wait(`${nodeName} still takes no clients, as it was drained before`, false, true);
        }
        if (!look.available) {
            return this.#wait("the node that answers takes no clients yet", false);
        }
        return { joined: true, sameProcess };
    }

    /** Whether a node answers from the process that ran before its machine went. */
    #isOld({ uptimeMs }: NodeInfo, now: number): boolean {
        const before = this.#before?.startedAt;
        const isOld = before !== undefined && uptimeMs !== undefined && now - uptimeMs < before + sameStartMs;
        this.#sameSince = isOld ? (this.#sameSince ?? now) : undefined;
        return isOld;
    }

    #wait(waitsFor: string, lasting: boolean, draining = false): JoinVerdict {
        return { joined: false, waitsFor, lasting, answered: this.#answered, draining };
    }
}

function list(nodes: readonly NodeInfo[]): string {
    return nodes.length === 0 ? "none" : nodes.map(({ node }) => node).join(", ");
}
