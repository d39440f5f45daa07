import { setTimeout as sleep } from "node:timers/promises";
import { checkFailures } from "../dynamic/checkFailures.js";
import { progressFor } from "../dynamic/progress.js";
import { type DiffAnswer, hasUnknown, type Lifecycle, unknownValue } from "../dynamic/provider.js";
import { OperationError, quote } from "../errors.js";
import { warn } from "../link/apiCalls.js";
import { sameData, withoutPulumiKeys } from "../link/stored.js";
import { glance, isFailure, withCluster } from "./clusterGlance.js";
import { JoinWatch } from "./joinWatch.js";
import { drainNode } from "./nodeDrain.js";
import { type NodeFates, nodeFates } from "./nodeFate.js";
import { checkNodeInputs, type MembershipInputs, type MembershipOutputs, nodeTimeoutDefaults } from "./nodeMembershipRules.js";
import { type NodePace, nodePace } from "./nodePace.js";

/** The lifecycle of a node's membership: create waits for the node, delete drains it. Nothing is stored on the cluster. */
export function makeMembershipProvider(fates: NodeFates, pace: NodePace): Lifecycle<MembershipInputs, MembershipOutputs> {
    return {
        async check(news) {
            const failures = checkFailures("nodeName", () => checkNodeInputs({ ...news }));
            if (!hasUnknown([news.clusterName, news.nodeName, news.members])) {
                fates.describe(news.clusterName, news.nodeName, news.members);
            }
            return { inputs: news, failures };
        },

        outside: ({ clusterName, nodeName }) =>
            hasUnknown([clusterName, nodeName])
                ? undefined
                : {
                      what: `the node ${quote(nodeName)} of ${quote(clusterName)}`,
                      keys: [`${clusterName} ${nodeName}`],
                      property: "nodeName",
                  },

        async diff(_id, olds, news) {
            const answer = compare(olds, news);
            if (answer.replaces?.includes("gate") === true) {
                fates.replace(olds.clusterName, olds.nodeName);
            }
            return answer;
        },

        async create(inputs) {
            const joinedAt = await waitForNode(inputs, fates, pace);
            return { id: `${inputs.clusterName}/${inputs.nodeName}`, outs: { ...inputs, joinedAt } };
        },

        async read(_id, olds) {
            const seconds = olds.timeouts?.deleteSeconds ?? nodeTimeoutDefaults.deleteSeconds;
            const look = await glance(olds.api, olds.clusterName, seconds);
            if (isFailure(look)) {
                warn(`the node ${quote(olds.nodeName)} could not be read; its last known state is kept. ${look.message}`);
            } else if (!look.nodes.some(({ node, status }) => node === olds.nodeName && status === "running")) {
                // Said and not undone: a missing node is no reason to forget it, and the next node's change waits for it anyway.
                warn(
                    `the node ${quote(olds.nodeName)} does not run in the cluster ${quote(olds.clusterName)}; look at its machine`,
                );
            }
            return { outs: olds };
        },

        async update(_id, olds, news) {
            return { ...news, joinedAt: olds.joinedAt };
        },

        async delete(_id, olds) {
            await drainNode(olds, fates, pace);
        },
    };
}

/** The implementation behind `linkspan/provider`. */
export const nodeMembershipProvider = makeMembershipProvider(nodeFates, nodePace);

function compare(olds: MembershipOutputs, news: MembershipInputs): DiffAnswer {
    const moved = (["clusterName", "nodeName"] as const).filter((key) => olds[key] !== news[key]);
    const replaces = [...moved, ...(hasChanged(olds.gate, news.gate) ? ["gate"] : [])];
    if (replaces.length > 0) {
        return { changes: true, replaces, deleteBeforeReplace: true };
    }
    const { joinedAt: _joined, ...before } = olds;
    return { changes: !sameData(withoutPulumiKeys(before), withoutPulumiKeys(news)) };
}

/** A key that is new or gone says nothing about the machine; a value that is not known yet says that it is about to change. */
function hasChanged(before: MembershipInputs["gate"], now: MembershipInputs["gate"] | typeof unknownValue): boolean {
    return (
        now === unknownValue ||
        Object.entries(now).some(([key, value]) => hasUnknown(value) || (before[key] !== undefined && before[key] !== value))
    );
}

/** Waits until a node is in its cluster and takes clients. Returns when that was. */
async function waitForNode(inputs: MembershipInputs, fates: NodeFates, pace: NodePace): Promise<string> {
    const { api, clusterName, nodeName } = inputs;
    if (hasUnknown(withoutPulumiKeys(inputs))) {
        throw new Error(`the node ${quote(nodeName)} was to be waited for with values that are not known yet`);
    }
    const progress = progressFor(inputs.progressUrn);
    const joinSeconds = inputs.timeouts?.joinSeconds ?? nodeTimeoutDefaults.joinSeconds;
    const watch = new JoinWatch(inputs, fates.lastSight(clusterName, nodeName), pace.sameProcessSeconds);
    const began = performance.now();
    const elapsed = () => (performance.now() - began) / 1000;
    let pause = pace.firstPauseMs;
    let refusedSince: number | undefined;
    let confirmed = false;
    for (;;) {
        const verdict = watch.judge(await glance(api, clusterName, joinSeconds - elapsed()), Date.now());
        if (verdict.joined && confirmed) {
            if (verdict.sameProcess) {
                warn(`${nodeName} of ${clusterName} did not restart, though something that its machine is made from has changed`);
            }
            return new Date().toISOString();
        }
        confirmed = verdict.joined;
        if (!verdict.joined) {
            refusedSince = verdict.lasting ? (refusedSince ?? elapsed()) : undefined;
            const outOfPatience = refusedSince !== undefined && elapsed() - refusedSince >= pace.patienceSeconds;
            if (outOfPatience || elapsed() >= joinSeconds) {
                throw tooLate(inputs, elapsed(), verdict);
            }
            progress(`waiting for ${nodeName}, ${Math.round(elapsed())} s: ${verdict.waitsFor}`);
            if (verdict.draining) {
                // EMQX keeps a drain on disk, so that a node whose disk went on to a new machine would refuse clients for ever.
                await withCluster(api, clusterName, joinSeconds - elapsed(), (client) => client.stopEvacuation(nodeName));
            }
        }
        // A second look over another connection confirms the first, soon: a node that is still starting may come and go.
        await sleep(verdict.joined ? pace.firstPauseMs : Math.max(1, Math.min(pause, (joinSeconds - elapsed()) * 1000)));
        pause = Math.min(pause * 1.5, pace.longestPauseMs);
    }
}

function tooLate(
    { api, clusterName, nodeName }: MembershipInputs,
    seconds: number,
    { waitsFor, answered, lasting }: { readonly waitsFor: string; readonly answered: boolean; readonly lasting: boolean },
): OperationError {
    const console = `the serial console of the node's machine: lines that begin with "linkspan-boot ${nodeName}" tell what its boot script does and what failed`;
    const way =
        "whether adminCidrs holds the public address that this machine comes from (curl -4 https://checkip.amazonaws.com shows it), whether reach is how it gets there";
    return new OperationError({
        what: `see the node ${quote(nodeName)} in the cluster ${quote(clusterName)}`,
        where: api.url,
        message: `after ${Math.round(seconds)} s: ${waitsFor.replace(/\.$/, "")}`,
        todo: answered
            ? `Look at ${console}${lasting ? "" : "; the next pulumi up goes on waiting"}`
            : `Look ${way}, and at ${console}. The next pulumi up goes on waiting`,
    });
}
