import { setTimeout as sleep } from "node:timers/promises";
import { checkFailures } from "../dynamic/checkFailures.js";
import { progressFor } from "../dynamic/progress.js";
import { hasUnknown, type Lifecycle } from "../dynamic/provider.js";
import { quote } from "../errors.js";
import { warn } from "../link/apiCalls.js";
import { sameData, withoutPulumiKeys } from "../link/stored.js";
import { glance, isFailure, withCluster } from "./clusterGlance.js";
import { type NodeFates, nodeFates } from "./nodeFate.js";
import { checkNodeInputs, type DepartureInputs, nodeTimeoutDefaults } from "./nodeMembershipRules.js";
import { type NodePace, nodePace } from "./nodePace.js";

/** The lifecycle of a departure: all it does is take the node out of a cluster that lives on, once the node's machine is gone. */
export function makeDepartureProvider(fates: NodeFates, pace: NodePace): Lifecycle<DepartureInputs, DepartureInputs> {
    return {
        async check(news) {
            const failures = checkFailures("nodeName", () => checkNodeInputs({ ...news }));
            if (!hasUnknown([news.clusterName, news.nodeName])) {
                fates.describe(news.clusterName, news.nodeName);
            }
            return { inputs: news, failures };
        },

        outside: ({ clusterName, nodeName }) =>
            hasUnknown([clusterName, nodeName])
                ? undefined
                : {
                      what: `the departure of ${quote(nodeName)} from ${quote(clusterName)}`,
                      keys: [`${clusterName} ${nodeName}`],
                      property: "nodeName",
                  },

        async diff(_id, olds, news) {
            const replaces = (["clusterName", "nodeName"] as const).filter((key) => olds[key] !== news[key]);
            return replaces.length > 0
                ? { changes: true, replaces }
                : { changes: !sameData(withoutPulumiKeys(olds), withoutPulumiKeys(news)) };
        },

        async create(inputs) {
            return { id: `${inputs.clusterName}/${inputs.nodeName}`, outs: inputs };
        },

        async update(_id, _olds, news) {
            return news;
        },

        async delete(_id, olds) {
            // Where the cluster goes as a whole there is nobody to forget the node.
            if (fates.fate(olds.clusterName, olds.nodeName) === "removed") {
                await leave(olds, pace);
            }
        },
    };
}

/** The implementation behind `linkspan/provider`. */
export const nodeDepartureProvider = makeDepartureProvider(nodeFates, nodePace);

async function leave({ api, clusterName, nodeName, timeouts, progressUrn }: DepartureInputs, pace: NodePace): Promise<void> {
    const progress = progressFor(progressUrn);
    const patience = timeouts?.deleteSeconds ?? nodeTimeoutDefaults.deleteSeconds;
    const began = performance.now();
    const elapsed = () => (performance.now() - began) / 1000;
    const leaveBehind = (reason: string) =>
        warn(
            `${nodeName} stays listed in the cluster ${clusterName}: ${reason} EMQX forgets a stopped node after a day by itself (cluster.autoclean); by hand: DELETE /api/v5/cluster/${nodeName}/force_leave`,
        );
    let silentSince = 0;
    for (let pause = pace.firstPauseMs; ; pause = Math.min(pause * 1.5, pace.longestPauseMs)) {
        const look = await glance(api, clusterName, Math.min(patience, pace.leaveSeconds));
        let reason: string;
        if (isFailure(look)) {
            reason = look.message;
            if (look.kind === "refused" || elapsed() - silentSince >= patience) {
                leaveBehind(reason);
                return;
            }
        } else if (look.clusterName !== clusterName) {
            leaveBehind(`the cluster that answers is called ${quote(look.clusterName)}.`);
            return;
        } else {
            silentSince = elapsed();
            const own = look.nodes.find(({ node }) => node === nodeName);
            if (own === undefined) {
                return;
            }
            reason = "it still runs.";
            // A node that runs would find its seeds and join again.
            if (own.status !== "running") {
                const answer = await withCluster(api, clusterName, patience, (client) => client.forceLeave(nodeName));
                reason = typeof answer === "boolean" ? "its leave has shown no effect." : answer.message;
            }
            progress(`waiting for ${nodeName} to leave, ${Math.round(elapsed())} s: ${reason}`);
        }
        if (elapsed() >= pace.leaveSeconds) {
            leaveBehind(reason);
            return;
        }
        await sleep(pause);
    }
}
