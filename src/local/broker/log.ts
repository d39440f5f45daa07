import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";

/** Writes one line about an event: what happened and plain values. Never secrets or payloads. */
export type Log = (event: string, detail?: Readonly<Record<string, unknown>>) => void;

/** A log that goes nowhere. */
export const silent: Log = () => {};

const fileBytes = 5 * 1024 * 1024;

/** A log of JSON lines in a file of at most 5 MB, with one older file `<path>.1` beside it. */
export function fileLog(path: string): { readonly log: Log; close(): void } {
    let file = openSync(path, "a", 0o600);
    let size = fstatSync(file).size;
    const log: Log = (event, detail = {}) => {
        const line = Buffer.from(`${JSON.stringify({ time: new Date().toISOString(), event, ...detail })}\n`);
        try {
            if (size + line.length > fileBytes) {
                closeSync(file);
                renameSync(path, `${path}.1`);
                file = openSync(path, "a", 0o600);
                size = 0;
            }
            writeSync(file, line);
            size += line.length;
        } catch {
            // A full disk must not stop the broker.
        }
    };
    return { log, close: () => closeSync(file) };
}

/** Lets an event through at most once per interval and key, so that a retry loop cannot fill the log. Counts what it held back. */
export function throttled(
    log: Log,
    intervalMs: number,
): (key: string, event: string, detail?: Readonly<Record<string, unknown>>) => void {
    const last = new Map<string, { at: number; held: number }>();
    return (key, event, detail = {}) => {
        const now = Date.now();
        const entry = last.get(key);
        if (entry !== undefined && now - entry.at < intervalMs) {
            entry.held++;
            return;
        }
        if (last.size > 1000) {
            last.clear();
        }
        last.set(key, { at: now, held: 0 });
        log(event, entry !== undefined && entry.held > 0 ? { ...detail, heldBack: entry.held } : detail);
    };
}
