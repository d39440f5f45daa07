import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../errors.js";
import type { DeliveryStatus } from "../probe/deliveryResult.js";
import type { runDelivery } from "../probe/deliveryRun.js";
import { judge, progressText, unproven } from "../probe/deliveryVerdict.js";
import type { likelyCause } from "../probe/pairDiagnosis.js";
import { checkProbeSettings, withProbeDefaults } from "../probe/probeSettings.js";
import { bounded } from "./bounded.js";
import { CliError, type ExitCode, exitCodes, worst } from "./cliError.js";
import { junitReport } from "./junit.js";
import { checkMesh } from "./meshChecks.js";
import { type CliIo, figure, json, type Mood, painter, table } from "./output.js";
import type { PairVerdict } from "./pairVerdict.js";
import type { ProbeRecord, StackState } from "./stackState.js";

/** Options of `linkspan verify`. */
export interface VerifyOptions {
    readonly pair?: readonly string[] | undefined;
    readonly count?: number | undefined;
    readonly rate?: number | undefined;
    readonly qos?: 0 | 1 | 2 | undefined;
    readonly payloadBytes?: number | undefined;
    readonly timeoutSeconds?: number | undefined;
    /** Seconds between rounds; without it one round. */
    readonly watch?: number | undefined;
    readonly junit?: string | undefined;
    readonly json: boolean;
}

/** What the command works with; tests replace it. */
export interface VerifyWork {
    readonly run: typeof runDelivery;
    readonly cause: typeof likelyCause;
}

/** Pairs that are measured at once: more would measure this machine. */
const atOnce = 4;
/** The mesh is up, so a door that does not answer now is down. */
const connectSeconds = 4;

/** Runs the delivery probes of a stack now, once or again and again, and says what arrived. */
export async function verify(state: StackState, options: VerifyOptions, io: CliIo, work: VerifyWork): Promise<ExitCode> {
    checkProbeSettings(options);
    const probes = chosen(state, options.pair);
    const codes: ExitCode[] = [];
    const notes = checkMesh(state).filter(({ id }) => id !== "prefix-clash");
    if (!options.json) {
        for (const { level, title, fix } of notes) {
            io.err(`${level}: ${title}. ${fix}\n`);
        }
    }
    for (;;) {
        const startedAt = io.now();
        const verdicts = await bounded(probes, atOnce, (probe) => measure(probe, options, io, work));
        if (io.signal.aborted) {
            break;
        }
        codes.push(codeOf(verdicts));
        if (options.junit !== undefined) {
            await writeReport(options.junit, junitReport(verdicts, startedAt));
        }
        if (options.json) {
            const document = {
                startedAt: startedAt.toISOString(),
                ok: codeOf(verdicts) === exitCodes.ok,
                pairs: verdicts,
                notes,
            };
            io.out(options.watch === undefined ? json(document) : `${JSON.stringify(document)}\n`);
        } else {
            io.out(options.watch === undefined ? report(verdicts, io) : round(startedAt, verdicts, io));
        }
        if (options.watch === undefined) {
            break;
        }
        await sleep(options.watch * 1000, undefined, { signal: io.signal }).catch(() => {});
        if (io.signal.aborted) {
            break;
        }
    }
    if (codes.length === 0) {
        throw new CliError("interrupted before anything was measured", exitCodes.failed);
    }
    return worst(codes);
}

function chosen({ probes }: StackState, wanted: readonly string[] | undefined): readonly ProbeRecord[] {
    if (probes.length === 0) {
        throw new CliError(
            "the stack has no delivery probe; run `pulumi up` first, or choose another stack",
            exitCodes.unreadable,
        );
    }
    const known = probes.map(({ pair }) => pair);
    const strange = (wanted ?? []).filter((pair) => !known.includes(pair));
    if (strange.length > 0) {
        throw new CliError(
            `--pair ${strange.join(", ")}: the stack has no such pair; its pairs are ${known.join(", ")}`,
            exitCodes.usage,
        );
    }
    return wanted === undefined || wanted.length === 0 ? probes : probes.filter(({ pair }) => wanted.includes(pair));
}

async function measure(probe: ProbeRecord, options: VerifyOptions, io: CliIo, work: VerifyWork): Promise<PairVerdict> {
    const { count, rate, qos, payloadBytes, timeoutSeconds } = options;
    const given = Object.fromEntries(
        Object.entries({ count, rate, qos, payloadBytes, timeoutSeconds }).filter(([, value]) => value !== undefined),
    );
    const settings = withProbeDefaults({ ...probe, ...given });
    const { pair, a, b, directions } = probe;
    const quiet = options.json || options.watch !== undefined;
    try {
        const onProgress = quiet
            ? undefined
            : (state: Parameters<typeof progressText>[0]) => io.err(`${pair}: ${progressText(state)}\n`);
        const found = await work.run({ ...settings, a, b, directions, signal: io.signal, onProgress, connectSeconds });
        const results = judge(found, settings);
        if (results.every(({ status }) => status === "proven")) {
            return { pair, results };
        }
        const cause = await work.cause(a, b).catch(() => undefined);
        return cause === undefined ? { pair, results } : { pair, results, cause };
    } catch (error) {
        return { pair, results: unproven(directions, messageOf(error)) };
    }
}

function codeOf(verdicts: readonly PairVerdict[]): ExitCode {
    const statuses = verdicts.flatMap(({ results }) => results.map(({ status }) => status));
    return statuses.includes("failed") ? exitCodes.failed : statuses.includes("unproven") ? exitCodes.unreadable : exitCodes.ok;
}

const moods: Readonly<Record<DeliveryStatus, Mood>> = { proven: "good", failed: "bad", unproven: "warn" };

function report(verdicts: readonly PairVerdict[], io: CliIo): string {
    const paint = painter(io.color);
    const rows = verdicts.flatMap(({ results }) =>
        results.map((result) => [
            `${result.from} -> ${result.to}`,
            paint(result.status, moods[result.status]),
            result.sent === undefined ? "-" : `${figure(result.delivered)}/${result.sent}`,
            figure(result.lost),
            figure(result.duplicated),
            figure(result.outOfOrder),
            figure(result.p50Ms),
            figure(result.p99Ms),
            figure(result.maxMs),
            figure(result.firstArrivalMs),
        ]),
    );
    const head = ["direction", "result", "arrived", "lost", "dup", "order", "p50 ms", "p99 ms", "max ms", "first ms"];
    const reasons = verdicts.flatMap(({ results, cause }) => [
        ...new Set(
            results.flatMap(({ from, to, status, reason }) =>
                reason === undefined ? [] : [status === "unproven" ? reason : `${from} -> ${to}: ${reason}`],
            ),
        ),
        ...(cause === undefined ? [] : [`Most likely cause: ${cause}`]),
    ]);
    return `${[table(head, rows, paint), ...reasons].join("\n")}\n`;
}

/** One line for each pair of a round, so that a long watch stays readable. */
function round(at: Date, verdicts: readonly PairVerdict[], io: CliIo): string {
    const paint = painter(io.color);
    return verdicts
        .map(({ pair, results, cause }) => {
            const parts = results.map((result) => {
                const counts = result.sent === undefined ? (result.reason ?? "") : `${figure(result.delivered)}/${result.sent}`;
                return `${result.from} -> ${result.to} ${paint(result.status, moods[result.status])} ${counts} p50 ${figure(result.p50Ms, " ms")}`;
            });
            return `${at.toISOString()} ${pair}: ${parts.join("; ")}${cause === undefined ? "" : ` (${cause})`}\n`;
        })
        .join("");
}

async function writeReport(path: string, text: string): Promise<void> {
    try {
        await writeFile(path, text);
    } catch (error) {
        throw new CliError(`--junit ${path}: cannot be written: ${messageOf(error)}`, exitCodes.usage);
    }
}
