import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writePrivate } from "../files.js";
import type { ConnectionTarget } from "./connection.js";

/** How a broker's links find their way. */
export interface LinkWay {
    readonly namesDir: string;
    /** SOCKS 5 proxy that every connection goes through; it resolves names. */
    readonly gateway?: { readonly host: string; readonly port: number };
}

/** Where to dial for a host, and by which proxy. */
export async function findWay(
    { namesDir, gateway }: LinkWay,
    host: string,
    port: number,
): Promise<Pick<ConnectionTarget, "host" | "port" | "gateway">> {
    return gateway === undefined ? resolveName(namesDir, host, port) : { host, port, gateway };
}

/** Finds the address behind a host name: the file of that name in the folder, else the name itself (for the system's resolver). */
export async function resolveName(
    namesDir: string,
    host: string,
    port: number,
): Promise<{ readonly host: string; readonly port: number }> {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(host)) {
        return { host, port };
    }
    try {
        const entry = JSON.parse(await readFile(join(namesDir, host), "utf8")) as { host?: unknown; port?: unknown };
        if (typeof entry.host === "string" && typeof entry.port === "number") {
            return { host: entry.host, port: entry.port };
        }
    } catch {
        // No such name here, or it is being written right now.
    }
    return { host, port };
}

/** Writes a broker's own link door under its name, unless somebody pointed the name elsewhere. */
export function publishOwnName(namesDir: string, name: string, host: string, port: number): void {
    const path = join(namesDir, name);
    try {
        const entry = JSON.parse(readFileSync(path, "utf8")) as { owner?: unknown };
        if (entry.owner !== "broker") {
            return;
        }
    } catch {
        // Not there yet.
    }
    writePrivate(path, JSON.stringify({ host, port, owner: "broker" }));
}
