import type { Finding } from "../emqx/diagnosis.js";
import { pairKey } from "../naming.js";
import { type DiagnosedEnd, diagnoseEnds } from "../probe/pairDiagnosis.js";
import { bounded } from "./bounded.js";
import { CliError, type ExitCode, exitCodes, worst } from "./cliError.js";
import { checkMesh, type LinkedPair, linkedPairs, type MeshFinding } from "./meshChecks.js";
import { type CliIo, json, type Mood, type Paint, painter } from "./output.js";
import { type LinkRecord, type StackState, siteName } from "./stackState.js";

/** Options of `linkspan doctor`. */
export interface DoctorOptions {
    readonly pair?: readonly string[] | undefined;
    /** Show what is fine too. */
    readonly all: boolean;
    readonly json: boolean;
    readonly timeoutSeconds?: number | undefined;
}

/** What was found on both ends of one pair. */
interface PairFindings {
    readonly pair: string;
    readonly findings: readonly Finding[];
}

const defaultTimeoutSeconds = 15;
/** Pairs that are asked at once, with a dozen calls each. */
const atOnce = 6;

/** Runs every check on both ends of every link, and on the mesh as a whole; each finding comes with its cause and what to do. */
export async function doctor(
    state: StackState,
    options: DoctorOptions,
    io: CliIo,
    diagnose: typeof diagnoseEnds = diagnoseEnds,
): Promise<ExitCode> {
    const pairs = chosen(state, options.pair);
    const mesh = checkMesh(state);
    const seconds = options.timeoutSeconds ?? defaultTimeoutSeconds;
    const found = await bounded(
        pairs,
        atOnce,
        async ({ key, one, other }): Promise<PairFindings> => ({
            pair: key,
            findings: await diagnose(one, other, seconds),
        }),
    );
    const levels = [...mesh, ...found.flatMap(({ findings }) => findings)].map(({ level }) => level);
    const code = worst(
        levels.map((level) => (level === "fail" ? exitCodes.failed : level === "unknown" ? exitCodes.unreadable : exitCodes.ok)),
    );
    if (options.json) {
        io.out(json({ ok: code === exitCodes.ok, mesh, pairs: found }));
    } else {
        io.out(shown(mesh, found, options.all, painter(io.color)));
    }
    return code;
}

interface ChosenPair {
    readonly key: string;
    readonly one: DiagnosedEnd;
    readonly other: DiagnosedEnd;
}

function chosen(state: StackState, wanted: readonly string[] | undefined): ChosenPair[] {
    if (state.links.length === 0) {
        throw new CliError("the stack has no cluster link; run `pulumi up` first, or choose another stack", exitCodes.unreadable);
    }
    const known = linkedPairs(state.links).map((pair) => ends(state, pair));
    const strange = (wanted ?? []).filter((key) => !known.some((pair) => pair.key === key));
    if (strange.length > 0) {
        throw new CliError(
            `--pair ${strange.join(", ")}: the stack has no such pair; its pairs are ${known.map(({ key }) => key).join(", ")}`,
            exitCodes.usage,
        );
    }
    // What is linked one way only is still asked on both sides, where the stack knows both APIs.
    const complete = known.flatMap(({ key, one, other }) =>
        one === undefined || other === undefined ? [] : [{ key, one, other }],
    );
    return wanted === undefined ? complete : complete.filter(({ key }) => wanted.includes(key));
}

function ends(state: StackState, { one, other, onOne, onOther }: LinkedPair) {
    const end = (cluster: string, record: LinkRecord | undefined): DiagnosedEnd | undefined => {
        const api = (record ?? state.links.find(({ localCluster }) => localCluster === cluster))?.api;
        const site = siteName(state, cluster);
        const { clientIdPrefix, username } = record ?? {};
        return api === undefined ? undefined : { site, clusterName: cluster, api, clientIdPrefix, linkUser: username };
    };
    return { key: pairKey(siteName(state, one), siteName(state, other)), one: end(one, onOne), other: end(other, onOther) };
}

const moods: Readonly<Record<"ok" | "warn" | "fail" | "unknown", Mood>> = {
    ok: "good",
    warn: "warn",
    fail: "bad",
    unknown: "warn",
};

function shown(mesh: readonly MeshFinding[], pairs: readonly PairFindings[], all: boolean, paint: Paint): string {
    const groups: { title: string; findings: readonly (Finding | MeshFinding)[] }[] = [
        { title: "mesh", findings: mesh },
        ...pairs.map(({ pair, findings }) => ({ title: `pair ${pair}`, findings })),
    ];
    const lines = groups.flatMap(({ title, findings }) => {
        const visible = findings.filter(({ level }) => all || level !== "ok");
        if (visible.length === 0) {
            return [`${title}: ${findings.length === 0 ? "nothing found" : `${findings.length} checks, all fine`}`];
        }
        return [`${title}:`, ...visible.flatMap((finding) => lineOf(finding, paint))];
    });
    const every = groups.flatMap(({ findings }) => findings);
    const count = (level: Finding["level"]) => every.filter((finding) => finding.level === level).length;
    const total = `${count("ok")} ok, ${count("warn")} warnings, ${count("fail")} failed, ${count("unknown")} unknown`;
    return `${[...lines, "", total].join("\n")}\n`;
}

function lineOf(finding: Finding | MeshFinding, paint: Paint): string[] {
    const site = "site" in finding ? `${finding.site}: ` : "";
    return [
        `  ${paint(finding.level.padEnd(7), moods[finding.level])} ${site}${finding.title} [${finding.id}]`,
        ...(finding.cause === undefined ? [] : [`          cause: ${finding.cause}`]),
        ...(finding.fix === undefined ? [] : [`          fix: ${finding.fix}`]),
    ];
}
