import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { InputError, quote } from "../errors.js";
import { ProbeConnectError } from "./connectError.js";
import type { DeliveryProgress, DeliveryReport, ProbeDirection, ProbeSide } from "./deliveryReport.js";
import { DirectionRun } from "./directionRun.js";
import { ProbeClient } from "./probeClient.js";
import { decodeMessage } from "./probeMessage.js";
import type { ProbeSettings } from "./probeSettings.js";

/** Arguments of {@link runDelivery}. */
export interface DeliveryRunArgs extends ProbeSettings {
    readonly a: ProbeSide;
    readonly b: ProbeSide;
    readonly directions: readonly ProbeDirection[];
    readonly onProgress?: ((progress: DeliveryProgress) => void) | undefined;
    /** Ends the run at once; connections and subscriptions are gone when the promise settles. */
    readonly signal?: AbortSignal | undefined;
    /** Seconds for both connections to stand. @default 10 */
    readonly connectSeconds?: number | undefined;
}

/** The prefix cannot begin with any mesh's link prefix, which has no underscore. */
const defaultClientIdPrefix = "linkspan_probe_";
const defaultConnectSeconds = 10;
const progressMs = 1_000;

/**
 * Measures delivery over a pair's links: publishes numbered messages on each side at a steady rate and counts them on the other, all
 * directions at once. Losses are no error of this function: the report says what arrived.
 *
 * @throws ProbeConnectError when a door cannot be used, or the probe's own connection breaks (then nothing can be said of the link)
 * @throws InputError on directions that are not of this pair
 * @throws the signal's reason when aborted
 */
export async function runDelivery(args: DeliveryRunArgs): Promise<DeliveryReport> {
    checkDirections(args);
    const runId = randomBytes(5).toString("hex");
    const startedAt = new Date().toISOString();
    const stop = new AbortController();
    const signal = args.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, args.signal]);
    args.onProgress?.({ stage: "connecting" });
    const clients: ProbeClient[] = [];
    try {
        const [a, b] = await Promise.all(
            [args.a, args.b].map(async (side) => {
                const client = await connect(side, runId, args.connectSeconds ?? defaultConnectSeconds, signal).catch((error) => {
                    stop.abort(error);
                    throw error;
                });
                clients.push(client);
                return { site: side.site, client };
            }),
        );
        if (a === undefined || b === undefined) {
            throw new Error("a pair has two sides");
        }
        const runs = args.directions.map((direction) => {
            const [from, to] = direction.from === a.site ? [a, b] : [b, a];
            return new DirectionRun({ direction, runId, publisher: from.client, subscriber: to.client, settings: args, signal });
        });
        listen(a.site, a.client, runId, runs);
        listen(b.site, b.client, runId, runs);
        const measured = Promise.all(runs.map((run) => run.measure())).then(() =>
            sleep(settleMs(args.count), undefined, { signal }),
        );
        const ended = await Promise.race([
            measured.then(() => new Date().toISOString()),
            a.client.broken,
            b.client.broken,
            showProgress(args, runs, signal),
        ]);
        return { runId, startedAt, endedAt: ended, directions: runs.map((run) => run.report()) };
    } catch (error) {
        // What the signal makes everything else throw is not the cause.
        throw args.signal?.aborted === true ? args.signal.reason : stop.signal.aborted ? stop.signal.reason : error;
    } finally {
        stop.abort(new Error("the run has ended"));
        await Promise.all(clients.map((client) => client.close()));
    }
}

/**
 * Checks that the directions are of this pair.
 *
 * @throws InputError naming the argument
 */
export function checkDirections({ a, b, directions }: Pick<DeliveryRunArgs, "a" | "b" | "directions">): void {
    if (a.site === b.site) {
        throw new InputError("b.site", `${quote(b.site)} is the same site as a; a proof needs two`);
    }
    for (const [index, { from, to, topics }] of directions.entries()) {
        if (from === to || ![from, to].every((site) => site === a.site || site === b.site)) {
            throw new InputError(
                `directions[${index}]`,
                `${quote(from)} to ${quote(to)} is no direction of the pair ${quote(a.site)}, ${quote(b.site)}`,
            );
        }
        if (topics.length === 0) {
            throw new InputError(
                `directions[${index}].topics`,
                "is empty; nothing is linked in this direction, so leave the direction out",
            );
        }
    }
}

/** Connects, and tries again for as long as the cause may pass: a door that has just been made needs a moment. */
async function connect(side: ProbeSide, runId: string, seconds: number, signal: AbortSignal): Promise<ProbeClient> {
    const deadline = performance.now() + seconds * 1000;
    const clientId = `${side.clientIdPrefix ?? defaultClientIdPrefix}${runId}_${side.site}`;
    for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
        const left = Math.max(0.1, (deadline - performance.now()) / 1000);
        try {
            return await ProbeClient.connect({ site: side.site, endpoint: side.mqtt, clientId, timeoutSeconds: left, signal });
        } catch (error) {
            const again = error instanceof ProbeConnectError && error.passing && performance.now() + pauseMs < deadline;
            if (!again) {
                throw error;
            }
            await sleep(pauseMs, undefined, { signal });
        }
    }
}

function listen(site: string, client: ProbeClient, runId: string, runs: readonly DirectionRun[]): void {
    client.listen((payload, qos) => {
        const now = performance.now();
        const header = decodeMessage(payload);
        if (header === undefined || header.runId !== runId) {
            return;
        }
        for (const run of runs) {
            if (run.from === header.from) {
                if (run.to === site) {
                    run.arrived(header, qos, now);
                } else {
                    run.echoed();
                }
            }
        }
    });
}

/** Time for a second copy of the last messages to show. */
function settleMs(count: number): number {
    return Math.min(500, Math.max(50, count / 20));
}

async function showProgress(args: DeliveryRunArgs, runs: readonly DirectionRun[], signal: AbortSignal): Promise<never> {
    for (;;) {
        const waiting = runs.filter((run) => !run.hasArrived);
        args.onProgress?.(
            waiting.length > 0
                ? { stage: "waiting", directions: waiting.map(({ from, to }) => ({ from, to })) }
                : {
                      stage: "counting",
                      directions: runs.map(({ from, to, delivered }) => ({ from, to, delivered, count: args.count })),
                  },
        );
        await sleep(progressMs, undefined, { signal });
    }
}
