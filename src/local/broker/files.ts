import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes a file that only its owner may read, whole or not at all. Makes its folder.
 *
 * @param durable whether it must outlast a power cut; waiting for the disk stops everything else
 */
export function writePrivate(path: string, text: string, { durable = true } = {}): void {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const half = `${path}.${process.pid}.tmp`;
    const file = openSync(half, "w", 0o600);
    try {
        writeSync(file, text);
        if (durable) {
            fsyncSync(file);
        }
    } finally {
        closeSync(file);
    }
    renameSync(half, path);
}
