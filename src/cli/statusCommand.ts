import { EmqxClient } from "../emqx/client.js";
import type { ApiEndpoint } from "../emqx/endpoint.js";
import { messageOf } from "../errors.js";
import type { DeliveryResult } from "../probe/deliveryResult.js";
import { bounded } from "./bounded.js";
import { CliError, type ExitCode, exitCodes, worst } from "./cliError.js";
import { linkedPairs } from "./meshChecks.js";
import { age, ageSeconds, type CliIo, figure, json, type Mood, painter, table } from "./output.js";
import { type LinkRecord, type StackState, siteName } from "./stackState.js";

/** Options of `linkspan status`. */
export interface StatusOptions {
    readonly json: boolean;
    readonly timeoutSeconds?: number | undefined;
}

/** One end of a direction: what the link there says of itself. A figure that the API does not give is absent. */
export interface EndStatus {
    readonly site: string;
    /** Name of the link on this site: the other side's `cluster.name`. */
    readonly link: string;
    /** EMQX's own status, or: `disabled`; `missing`, there is no such link; `unreadable`, the API gave no answer. */
    readonly status: string;
    /** Why it is unreadable. */
    readonly error?: string;
    readonly topics?: readonly string[];
    /** Routes that the other side has registered here: what this end would forward. */
    readonly routes?: number;
    readonly queuing?: number;
    readonly dropped?: number;
    readonly failed?: number;
}

/** One direction: both ends of its link, and the last proof. */
export interface DirectionStatus {
    readonly from: string;
    readonly to: string;
    /** The end that forwards. */
    readonly sender: EndStatus;
    /** The end that asked for the messages. */
    readonly receiver: EndStatus;
    readonly proof?: DeliveryResult & { readonly ageSeconds?: number };
}

/** Reads one link of one cluster. */
export type ReadEnd = (
    api: ApiEndpoint,
    site: string,
    link: string,
    timeoutSeconds: number,
) => Promise<Omit<EndStatus, "site" | "link">>;

const defaultTimeoutSeconds = 10;
/** Pairs that are asked at once. */
const atOnce = 12;

/** Shows both ends of every link side by side, as their own APIs tell it now. */
export async function status(state: StackState, options: StatusOptions, io: CliIo, read: ReadEnd = readEnd): Promise<ExitCode> {
    if (state.links.length === 0) {
        throw new CliError("the stack has no cluster link; run `pulumi up` first, or choose another stack", exitCodes.unreadable);
    }
    const directions = await collect(state, options.timeoutSeconds ?? defaultTimeoutSeconds, io.now(), read);
    const code = worst(directions.map(codeOf));
    if (options.json) {
        io.out(json({ ok: code === exitCodes.ok, directions }));
    } else {
        io.out(shown(directions, io));
    }
    return code;
}

async function collect(state: StackState, timeoutSeconds: number, now: Date, read: ReadEnd): Promise<DirectionStatus[]> {
    const apis = new Map(state.links.map(({ localCluster, api }) => [localCluster, api]));
    const results = state.probes.flatMap((probe) => probe.results);
    const end = async (on: string, record: LinkRecord | undefined, link: string): Promise<EndStatus> => {
        const site = siteName(state, on);
        const api = record?.api ?? apis.get(on);
        if (api === undefined) {
            return { site, link, status: "missing" };
        }
        const found = await read(api, site, link, timeoutSeconds);
        return { site, link, ...found };
    };
    const found = await bounded(linkedPairs(state.links), atOnce, async ({ one, other, onOne, onOther }) => {
        const [endOfOne, endOfOther] = await Promise.all([end(one, onOne, other), end(other, onOther, one)]);
        const wanted = (receiver: LinkRecord | undefined) => receiver === undefined || receiver.topics.length > 0;
        const direction = (sender: EndStatus, receiver: EndStatus): DirectionStatus => {
            const result = results.find(({ from, to }) => from === sender.site && to === receiver.site);
            const seconds = ageSeconds(result?.provenAt, now);
            return {
                from: sender.site,
                to: receiver.site,
                sender,
                receiver,
                ...(result === undefined
                    ? {}
                    : { proof: { ...result, ...(seconds === undefined ? {} : { ageSeconds: seconds }) } }),
            };
        };
        return [
            ...(wanted(onOther) ? [direction(endOfOne, endOfOther)] : []),
            ...(wanted(onOne) ? [direction(endOfOther, endOfOne)] : []),
        ];
    });
    return found.flat();
}

async function readEnd(api: ApiEndpoint, site: string, link: string, timeoutSeconds: number): ReturnType<ReadEnd> {
    const client = new EmqxClient(api, {
        requestSeconds: timeoutSeconds,
        connectSeconds: Math.min(5, timeoutSeconds),
        attempts: 1,
        name: site,
    });
    try {
        const [found, metrics] = await Promise.all([client.getLink(link), client.linkMetrics(link)]);
        if (found === undefined) {
            return { status: "missing" };
        }
        const { routes, queuing, dropped, failed } = metrics ?? {};
        return {
            status: found.enable ? found.status : "disabled",
            topics: found.topics,
            ...(routes === undefined ? {} : { routes }),
            ...(queuing === undefined ? {} : { queuing }),
            ...(dropped === undefined ? {} : { dropped }),
            ...(failed === undefined ? {} : { failed }),
        };
    } catch (error) {
        return { status: "unreadable", error: messageOf(error) };
    } finally {
        client.close();
    }
}

function codeOf({ sender, receiver, proof }: DirectionStatus): ExitCode {
    const ends = [sender.status, receiver.status];
    if (proof?.status === "failed" || ends.some((each) => each !== "connected" && each !== "unreadable")) {
        return exitCodes.failed;
    }
    return ends.includes("unreadable") ? exitCodes.unreadable : exitCodes.ok;
}

function shown(directions: readonly DirectionStatus[], io: CliIo): string {
    const paint = painter(io.color);
    const mood = (text: string): Mood =>
        text === "connected" || text === "proven"
            ? "good"
            : text === "connecting" || text === "unreadable" || text === "unproven"
              ? "warn"
              : "bad";
    const now = io.now();
    const rows = directions.map(({ from, to, sender, receiver, proof }) => [
        `${from} -> ${to}`,
        paint(sender.status, mood(sender.status)),
        paint(receiver.status, mood(receiver.status)),
        figure(sender.routes),
        figure(sender.queuing),
        paint(figure(sender.dropped), sender.dropped ? "warn" : "plain"),
        paint(figure(sender.failed), sender.failed ? "warn" : "plain"),
        proof === undefined ? "-" : paint(proof.status, mood(proof.status)),
        proof?.sent === undefined ? "-" : `${figure(proof.delivered)}/${proof.sent}`,
        age(proof?.provenAt, now),
    ]);
    const head = [
        "direction",
        "sending end",
        "receiving end",
        "routes",
        "queued",
        "dropped",
        "failed",
        "last proof",
        "arrived",
        "age",
    ];
    const errors = new Set(
        directions.flatMap(({ sender, receiver }) => [sender.error, receiver.error]).filter((text) => text !== undefined),
    );
    const note = "A link that says connected may still carry nothing; `linkspan verify` proves it with messages.";
    return `${[table(head, rows, paint), ...[...errors].map((text) => `error: ${text}`), paint(note, "dim")].join("\n")}\n`;
}
