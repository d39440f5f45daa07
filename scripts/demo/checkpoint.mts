import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type DemoState, project, stack } from "./state.mts";

/** Pulumi's record of the demo's stack. */
export function checkpointFile(state: DemoState): string {
    return join(state.backend, ".pulumi", "stacks", project, `${stack}.json`);
}

/**
 * Mends what a killed Pulumi left half written in its file backend, and what it then refuses to read: the small file of attributes
 * beside each record is written in place, and a record can be cut short by a full disk or a power failure. The record before it is
 * taken then; what was made since is found again by the resources themselves.
 *
 * @returns whether something was mended; `lost` where no record is whole and the stack starts anew
 */
export function mendCheckpoint(state: DemoState): "mended" | "lost" | undefined {
    const file = checkpointFile(state);
    const attributes = dropBrokenAttributes(join(state.backend, ".pulumi"));
    if (!existsSync(file) || isJson(file)) {
        return attributes ? "mended" : undefined;
    }
    const before = `${file}.bak`;
    if (isJson(before)) {
        copyFileSync(before, file);
        return "mended";
    }
    rmSync(file);
    rmSync(join(state.backend, ".pulumi", "locks"), { recursive: true, force: true });
    return "lost";
}

/** Removes attributes that cannot be read; the backend does without them. */
function dropBrokenAttributes(folder: string): boolean {
    const broken = (existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [])
        .filter((entry) => entry.isFile() && entry.name.endsWith(".attrs"))
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((file) => !isJson(file));
    for (const file of broken) {
        rmSync(file);
    }
    return broken.length > 0;
}

function isJson(file: string): boolean {
    try {
        return typeof JSON.parse(readFileSync(file, "utf8")) === "object";
    } catch {
        return false;
    }
}
