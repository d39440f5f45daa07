import { setTimeout as sleep } from "node:timers/promises";
import { progressFor } from "../dynamic/progress.js";
import { quote } from "../errors.js";
import { warn } from "../link/apiCalls.js";
import { type ClusterGlance, glance, isFailure, withCluster } from "./clusterGlance.js";
import type { NodeFates } from "./nodeFate.js";
import { type MembershipInputs, nodeTimeoutDefaults } from "./nodeMembershipRules.js";
import type { NodePace } from "./nodePace.js";

/** Clients per second that are sent away at least: gentle for the nodes that take them, and quick for a few. */
const slowestRate = 100;
/** EMQX's own default. */
const takeoverSeconds = 10;

/** What a drain has come to at a look. */
type Drain = { readonly done: true } | { readonly done: false; readonly left: string };

/**
 * Drains a node before its machine goes: it refuses new clients, sends its own to the other nodes a few at a time, and where the
 * cluster lives on also moves the sessions of clients that are away. Never fails: a machine that must go, because it is broken or
 * everything goes, is not kept by a drain that is not possible. What is left is said.
 *
 * The only node that runs is not drained. Nobody could take its clients; and as EMQX keeps a drain on disk, the node would come back
 * refusing clients and be taken for ill by the load balancer, through which alone the drain can be ended.
 */
export async function drainNode(inputs: MembershipInputs, fates: NodeFates, pace: NodePace): Promise<void> {
    const { api, clusterName, nodeName, timeouts } = inputs;
    const fate = fates.fate(clusterName, nodeName);
    const progress = progressFor(inputs.progressUrn);
    const patience = timeouts?.deleteSeconds ?? nodeTimeoutDefaults.deleteSeconds;
    const deadline = timeouts?.evacuateSeconds ?? nodeTimeoutDefaults.evacuateSeconds;
    const began = performance.now();
    const elapsed = () => (performance.now() - began) / 1000;
    let silentSince = 0;
    let started = false;
    let left = "an unknown number of clients";
    for (let pause = pace.firstPauseMs; ; pause = Math.min(pause * 1.5, pace.longestPauseMs)) {
        const look = await glance(api, clusterName, Math.min(patience, deadline - elapsed()));
        if (isFailure(look)) {
            if (look.kind === "refused" || elapsed() - silentSince >= patience) {
                warn(`${nodeName} of ${clusterName} goes without a drain, which cuts its clients off: ${look.message}`);
                return;
            }
        } else {
            silentSince = elapsed();
            if (look.clusterName !== clusterName) {
                warn(
                    `${nodeName} of ${clusterName} goes without a drain: the cluster that answers is called ${quote(look.clusterName)}`,
                );
                return;
            }
            const drain = judge(look, nodeName, fate !== "unknown");
            if (!started) {
                keepSight(look, inputs, fates);
            }
            if (drain.done) {
                return;
            }
            left = drain.left;
            if (!look.draining.has(nodeName)) {
                const refusal = await start(inputs, look, fate !== "unknown" ? pace.healthCheckSeconds : 1, deadline - elapsed());
                if (refusal !== undefined && started) {
                    warn(`${nodeName} of ${clusterName} cannot be drained, which cuts off ${left}: ${refusal}`);
                    return;
                }
                started = true;
            }
            progress(`draining ${nodeName}, ${Math.round(elapsed())} s: ${left} left`);
        }
        if (elapsed() >= deadline) {
            warn(
                `${nodeName} of ${clusterName} could not be drained within ${deadline} s: its machine goes with ${left}, which connect again elsewhere`,
            );
            return;
        }
        await sleep(Math.max(1, Math.min(pause, (deadline - elapsed()) * 1000)));
    }
}

/** @param sessions whether sessions of clients that are away count too */
function judge(look: ClusterGlance, nodeName: string, sessions: boolean): Drain {
    const running = look.nodes.filter(({ status }) => status === "running");
    const own = running.find(({ node }) => node === nodeName);
    if (own === undefined || running.length === 1 || look.draining.get(nodeName) === "prohibiting") {
        return { done: true };
    }
    const clients = own.liveConnections ?? own.connections ?? 0;
    const kept = sessions ? Math.max(0, (own.connections ?? 0) - clients) : 0;
    if (clients === 0 && kept === 0) {
        return { done: true };
    }
    return { done: false, left: kept === 0 ? `${clients} clients` : `${clients} clients and ${kept} sessions` };
}

/** Starts a drain that is done in a third of the time. Returns why it could not be started. */
async function start(
    { api, clusterName, nodeName, timeouts }: MembershipInputs,
    look: ClusterGlance,
    healthCheckSeconds: number,
    seconds: number,
): Promise<string | undefined> {
    const deadline = timeouts?.evacuateSeconds ?? nodeTimeoutDefaults.evacuateSeconds;
    const own = look.nodes.find(({ node }) => node === nodeName);
    const rate = (count = 0) => Math.max(slowestRate, Math.ceil(count / (deadline / 3)));
    const answer = await withCluster(api, clusterName, seconds, (client) =>
        client.startEvacuation(nodeName, {
            healthCheckSeconds: Math.min(healthCheckSeconds, Math.ceil(deadline / 3)),
            takeoverSeconds: Math.min(takeoverSeconds, Math.ceil(deadline / 6)),
            connectionsPerSecond: rate(own?.liveConnections ?? own?.connections),
            sessionsPerSecond: rate(own?.connections),
        }),
    );
    return typeof answer === "boolean" ? undefined : answer.message;
}

/** What the node's next membership must know to tell the new start from the old one. */
function keepSight(look: ClusterGlance, { clusterName, nodeName }: MembershipInputs, fates: NodeFates): void {
    const running = look.nodes.filter(({ status }) => status === "running");
    const uptimeMs = running.find(({ node }) => node === nodeName)?.uptimeMs;
    fates.saw(clusterName, nodeName, {
        startedAt: uptimeMs === undefined ? undefined : Date.now() - uptimeMs,
        others: running.map(({ node }) => node).filter((node) => node !== nodeName),
    });
}
