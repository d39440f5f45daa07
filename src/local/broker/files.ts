import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Writes a file that only its owner may read, whole or not at all. Makes its folder. */
export function writePrivate(path: string, text: string, mode = 0o600): void {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const half = `${path}.${process.pid}.tmp`;
    const file = openSync(half, "w", mode);
    try {
        writeSync(file, text);
        fsyncSync(file);
    } finally {
        closeSync(file);
    }
    renameSync(half, path);
}
