import { progressFor } from "../dynamic/progress.js";
import { type DiffAnswer, hasUnknown, IncompleteError, type Lifecycle } from "../dynamic/provider.js";
import { canonicalText } from "../dynamic/storedForm.js";
import type { ApiEndpoint } from "../emqx/endpoint.js";
import { InputError } from "../errors.js";
import { ProbeConnectError } from "./connectError.js";
import type { ProbeDirection, ProbeSide } from "./deliveryReport.js";
import type { DeliveryResult } from "./deliveryResult.js";
import { checkDirections, runDelivery } from "./deliveryRun.js";
import { failureText, judge, progressText, unproven } from "./deliveryVerdict.js";
import { findNodeGaps, type NodeGap } from "./linkNodes.js";
import { likelyCause } from "./pairDiagnosis.js";
import { checkProbeSettings, type ProbeSettings, type ProofRules, withProbeDefaults } from "./probeSettings.js";

/** A side as state holds it. */
export interface StoredSide extends ProbeSide {
    readonly api?: ApiEndpoint;
}

/** The inputs of a delivery probe, as the engine sends them. */
export interface ProbeInputs extends Partial<ProbeSettings & ProofRules> {
    readonly pair: string;
    readonly a: StoredSide;
    readonly b: StoredSide;
    readonly directions: readonly ProbeDirection[];
    readonly proves?: Readonly<Record<string, unknown>>;
    readonly progressUrn?: string;
    /** Digests of `a` and `b`. */
    readonly sealed?: string;
}

/** What state holds of a delivery probe. */
export interface ProbeOutputs extends ProbeInputs {
    readonly results: readonly DeliveryResult[];
}

/** What the provider works with; tests replace it. */
export interface ProbeWork {
    readonly run: typeof runDelivery;
    readonly cause: typeof likelyCause;
    readonly gaps: typeof findNodeGaps;
}

/** The lifecycle of a delivery probe: create and update run it, a loss fails them, delete has nothing to undo. */
export function makeProbeProvider(work: ProbeWork): Lifecycle<ProbeInputs, ProbeOutputs> {
    const prove = async (inputs: ProbeInputs): Promise<ProbeOutputs> => {
        const results = await throughEveryNode(inputs, await measure(inputs, work), work);
        const failed = results.find(({ status }) => status === "failed");
        if (failed !== undefined) {
            const cause = await work.cause(inputs.a, inputs.b).catch(() => undefined);
            throw new IncompleteError(failureText(inputs.pair, results, cause, inputs.proves?.tier), idOf(inputs), {
                ...inputs,
                results,
            });
        }
        return { ...inputs, results };
    };
    return {
        check: async (news) => ({ inputs: news, failures: hasUnknown(news) ? [] : failures(news) }),
        diff: async (_id, olds, news) => diff(olds, news),
        create: async (inputs) => ({ id: idOf(inputs), outs: await prove(inputs) }),
        update: (_id, _olds, news) => prove(news),
    };
}

/** The implementation behind `linkspan/provider`. */
export const probeProvider = makeProbeProvider({ run: runDelivery, cause: likelyCause, gaps: findNodeGaps });

function idOf({ pair }: ProbeInputs): string {
    return `delivery-${pair}`;
}

async function measure(inputs: ProbeInputs, { run }: ProbeWork): Promise<DeliveryResult[]> {
    const settings = withProbeDefaults(inputs);
    const progress = progressFor(inputs.progressUrn);
    const { a, b, directions } = inputs;
    try {
        const report = await run({ ...settings, a, b, directions, onProgress: (state) => progress(progressText(state)) });
        return judge(report, settings);
    } catch (error) {
        if (!(error instanceof ProbeConnectError)) {
            throw error;
        }
        const results = unproven(directions, error.message);
        if (settings.reach === "optional" && error.failure === "unreachable") {
            return results;
        }
        throw new IncompleteError(error.message, idOf(inputs), { ...inputs, results });
    }
}

/** Seconds until every node must have its link: a link is tried again every 5 s, and its health is looked at every 1 to 2. */
const nodeSeconds = 30;

/**
 * A proof's client is connected to one node at each end, so that its messages say nothing of the other nodes' connections. They are
 * looked at here, and not where a link is made: only now both ends have their link, and messages show that the handshake, which may take
 * 5 s and more, is behind them. A node that is not connected now will not be, while in a new link it says nothing.
 */
async function throughEveryNode(
    inputs: ProbeInputs,
    results: readonly DeliveryResult[],
    { gaps }: ProbeWork,
): Promise<readonly DeliveryResult[]> {
    if (results.length === 0 || results.some(({ status }) => status !== "proven")) {
        return results;
    }
    const { timeoutSeconds } = withProbeDefaults(inputs);
    const found = await gaps(inputs.a, inputs.b, {
        seconds: Math.min(nodeSeconds, timeoutSeconds),
        onProgress: progressFor(inputs.progressUrn),
    });
    return results.map((result) => {
        // A node without a connection neither forwards nor tells the other side what its subscribers want.
        const gap = found.find(({ site }) => site === result.from) ?? found.find(({ site }) => site === result.to);
        return gap === undefined ? result : { ...result, status: "failed", reason: gapText(result, gap) };
    });
}

function gapText({ delivered = 0, sent = 0 }: DeliveryResult, { site, peer, nodes }: NodeGap): string {
    return (
        `${delivered} of ${sent} messages arrived through the nodes that the probe is connected to, but ${site} has nodes without a connection to ${peer}: ` +
        `${nodes.join(", ")}. Look whether they may leave for ${peer}'s link door and come from an address that ${peer} admits.`
    );
}

function failures(news: ProbeInputs): { property: string; reason: string }[] {
    try {
        checkProbeSettings(news);
        checkDirections(news);
        return [];
    } catch (error) {
        if (error instanceof InputError) {
            // The engine prints the property's value: never name a side, which holds passwords.
            const property = /^[ab]\b/.test(error.argument) ? "pair" : (/^\w+/.exec(error.argument)?.[0] ?? "pair");
            return [{ property, reason: error.message }];
        }
        throw error;
    }
}

/** Everything that a proof is about asks for a new one when it changes; only where progress is shown does not. */
function diff(olds: ProbeOutputs, news: ProbeInputs): DiffAnswer {
    if (news.pair !== olds.pair) {
        return { changes: true, replaces: ["pair"] };
    }
    const due = news.prove === "always" || hasUnknown(news) || !same(proven(olds), proven(news));
    return { changes: due };
}

function proven(state: object): object {
    const { progressUrn: _urn, results: _results, __provider: _text, a, b, ...rest } = state as Record<string, unknown>;
    // The sides stand for themselves only where their digests do not.
    return rest.sealed === undefined ? { ...rest, a, b } : rest;
}

/** Whether two plain values are equal; keys that hold `undefined` or `null` count as absent. */
function same(one: unknown, other: unknown): boolean {
    return canonicalText(one) === canonicalText(other);
}
