import { setTimeout as sleep } from "node:timers/promises";
import { EmqxClient } from "../emqx/client.js";
import type { ApiEndpoint } from "../emqx/endpoint.js";
import { messageOf, OperationError } from "../errors.js";
import { warn } from "../link/apiCalls.js";
import type { ProbeSide } from "./deliveryReport.js";

/** One end of a pair, whose links are looked at. */
export type LinkedSide = Pick<ProbeSide, "site" | "clusterName"> & { readonly api?: ApiEndpoint | undefined };

/** Nodes of a site that have no connection to the other site. */
export interface NodeGap {
    readonly site: string;
    readonly peer: string;
    /** `emqx@10.1.0.5 (disconnected)` */
    readonly nodes: readonly string[];
}

/** How long is waited. */
export interface NodeWait {
    /** Seconds until every node must be connected. */
    readonly seconds: number;
    /** Milliseconds between two looks. @default 1000 */
    readonly pauseMs?: number;
    readonly onProgress?: (text: string) => void;
}

/** Seconds for one answer. */
const answerSeconds = 10;

/**
 * Waits until every node of both clusters has its link's connections. Clusters of one node are not waited for, nor links that are
 * disabled or gone, nor a cluster whose API is not given or does not answer: that is said, and is no gap.
 *
 * @returns the gaps that remain
 */
export async function findNodeGaps(a: LinkedSide, b: LinkedSide, wait: NodeWait): Promise<readonly NodeGap[]> {
    const end = performance.now() + wait.seconds * 1_000;
    for (;;) {
        const gaps = (await Promise.all([gapOf(a, b), gapOf(b, a)])).filter((gap) => gap !== undefined);
        const pauseMs = wait.pauseMs ?? 1_000;
        if (gaps.length === 0 || performance.now() + pauseMs > end) {
            return gaps;
        }
        wait.onProgress?.(
            `waiting for ${gaps.map(({ site, peer, nodes }) => `${nodes.join(", ")} of ${site} -> ${peer}`).join("; ")}`,
        );
        await sleep(pauseMs);
    }
}

async function gapOf({ site, api }: LinkedSide, peer: LinkedSide): Promise<NodeGap | undefined> {
    if (api === undefined) {
        return undefined;
    }
    const client = new EmqxClient(api, { requestSeconds: answerSeconds, attempts: 1, name: site });
    try {
        const link = await client.getLink(peer.clusterName);
        if (link === undefined || !link.enable || link.nodeStatus.length < 2) {
            return undefined;
        }
        const missing = link.nodeStatus.filter(({ status }) => status !== "connected");
        return missing.length === 0
            ? undefined
            : { site, peer: peer.site, nodes: missing.map(({ node, status }) => `${node} (${status})`) };
    } catch (error) {
        if (!(error instanceof OperationError)) {
            throw error;
        }
        warn(`whether every node of ${site} is connected to ${peer.site} could not be read. ${messageOf(error)}`);
        return undefined;
    } finally {
        client.close();
    }
}
