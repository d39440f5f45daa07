import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError, type ExitCode, exitCodes } from "./cliError.js";
import type { CliIo } from "./output.js";
import type { BrokerRecord, StackState } from "./stackState.js";

/** Options of `linkspan logs`. */
export interface LogsOptions {
    /** Site whose log is wanted; all local ones without it. */
    readonly site?: string | undefined;
    readonly follow: boolean;
    /** Last lines to show first. */
    readonly lines: number;
}

const followMs = 300;
/** Read from the end of a log at most; enough for any sensible number of lines. */
const tailBytes = 512 * 1024;

/** Shows the logs of local sites' brokers; of other sites it says where they are. */
export async function logs(state: StackState, { site, follow, lines }: LogsOptions, io: CliIo): Promise<ExitCode> {
    const known = [...new Set([...state.siteOf.values(), ...state.brokers.map((broker) => broker.site)])].sort();
    if (known.length === 0) {
        throw new CliError("the stack has no site; run `pulumi up` first, or choose another stack", exitCodes.unreadable);
    }
    if (site !== undefined && !known.includes(site)) {
        throw new CliError(`the stack has no site ${JSON.stringify(site)}; its sites are ${known.join(", ")}`, exitCodes.usage);
    }
    const brokers = state.brokers.filter((broker) => site === undefined || broker.site === site);
    if (brokers.length === 0) {
        io.out(elsewhere(site));
        return exitCodes.ok;
    }
    const many = brokers.length > 1;
    const shown = await Promise.all(
        brokers.map(async (broker) => {
            const path = join(broker.folder, "broker.log");
            const tail = await lastLines(path, lines);
            if (tail === undefined) {
                io.err(`${broker.site}: there is no log at ${path}; the broker has not been started from this machine\n`);
            }
            write(broker, tail?.text ?? "", many, io);
            return { broker, path, at: tail?.end ?? 0 };
        }),
    );
    if (follow) {
        await Promise.all(
            shown.map(({ broker, path, at }) => followFile(path, at, io.signal, (text) => write(broker, text, many, io))),
        );
    }
    return exitCodes.ok;
}

function elsewhere(site: string | undefined): string {
    return (
        `${site === undefined ? "The stack's sites run" : `Site ${site} runs`} outside this machine, so the log is on the broker's own nodes: ` +
        "`journalctl -u emqx`, the files under /var/log/emqx, `docker logs` of the container, or the console of EMQX Cloud. " +
        "`linkspan doctor` reads what the REST API tells of it.\n"
    );
}

function write(broker: BrokerRecord, text: string, many: boolean, io: CliIo): void {
    if (text !== "") {
        io.out(many ? text.replace(/^(?=.)/gm, `${broker.site}: `) : text);
    }
}

async function lastLines(path: string, lines: number): Promise<{ text: string; end: number } | undefined> {
    const size = await stat(path).then(
        (found) => found.size,
        () => undefined,
    );
    if (size === undefined) {
        return undefined;
    }
    const from = Math.max(0, size - tailBytes);
    const all = (await readFrom(path, from, size)).split("\n");
    // The first line may have been cut, and after the last line's end there is nothing.
    const whole = (from === 0 ? all : all.slice(1)).filter((line) => line !== "");
    const kept = lines === 0 ? [] : whole.slice(-lines);
    return { text: kept.map((line) => `${line}\n`).join(""), end: size };
}

async function followFile(path: string, from: number, signal: AbortSignal, show: (text: string) => void): Promise<void> {
    let at = from;
    while (!signal.aborted) {
        await sleep(followMs, undefined, { signal }).catch(() => {});
        const size = await stat(path).then(
            (found) => found.size,
            () => 0,
        );
        if (size < at) {
            // The log was rotated: what is there now is new.
            at = 0;
        }
        if (size > at) {
            const text = await readFrom(path, at, size).catch(() => "");
            const end = text.lastIndexOf("\n") + 1;
            show(text.slice(0, end));
            at += Buffer.byteLength(text.slice(0, end));
        }
    }
}

async function readFrom(path: string, from: number, to: number): Promise<string> {
    const file = await open(path, "r");
    try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
        return buffer.toString("utf8", 0, bytesRead);
    } finally {
        await file.close();
    }
}
