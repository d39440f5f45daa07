import { readFileSync, statSync } from "node:fs";
import { writePrivate } from "./files.js";

/** One node of the cluster that this process stands for. */
export interface Member {
    /** `node.name`, such as `emqx@10.1.0.4`. */
    readonly node: string;
    readonly status: "running" | "stopped";
    /** When it started, milliseconds since the epoch. */
    readonly startedAt: number;
    /** EMQX version that it reports. @default the configuration's */
    readonly version?: string;
}

/**
 * The nodes of the cluster. One process stands for all of them: a file that somebody else keeps says which they are,
 * `{"nodes":[{"node":"emqx@10.1.0.4","status":"running","startedAt":1700000000000}]}`. Without a file it is this process alone.
 */
export class Members {
    readonly #file: string | undefined;
    readonly #alone: readonly Member[];
    #read: { readonly stamp: string; readonly nodes: readonly Member[] } | undefined;
    /** Which node a client is on, as far as anybody has asked. */
    readonly #places = new Map<string, string>();

    constructor(own: string, startedAt: number, file?: string) {
        this.#file = file;
        this.#alone = [{ node: own, status: "running", startedAt }];
    }

    /** All nodes. While the file cannot be read, what it held before. */
    list(): readonly Member[] {
        if (this.#file === undefined) {
            return this.#alone;
        }
        try {
            const { mtimeMs, ino, size } = statSync(this.#file);
            const stamp = `${mtimeMs} ${ino} ${size}`;
            if (this.#read?.stamp !== stamp) {
                this.#read = { stamp, nodes: checkMembers(JSON.parse(readFileSync(this.#file, "utf8"))) };
            }
        } catch {
            // Not there yet, or no list.
        }
        return this.#read?.nodes ?? this.#alone;
    }

    running(): readonly Member[] {
        return this.list().filter(({ status }) => status === "running");
    }

    find(node: string): Member | undefined {
        return this.list().find((member) => member.node === node);
    }

    /** The node that answers. */
    get self(): string {
        return (this.running()[0] ?? this.#alone[0])?.node ?? "";
    }

    /** Takes a stopped node out of the list. */
    forget(node: string): void {
        if (this.#file !== undefined) {
            writePrivate(this.#file, JSON.stringify({ nodes: this.list().filter((member) => member.node !== node) }));
        }
    }

    /** The node that a client counts for: any that takes clients, then always the same while it runs. */
    placeOf(clientId: string, takesClients: (node: string) => boolean): string {
        const running = this.running().map(({ node }) => node);
        const known = this.#places.get(clientId);
        if (known !== undefined && running.includes(known)) {
            return known;
        }
        const open = running.filter(takesClients);
        const sum = [...clientId].reduce((total, letter) => total + letter.charCodeAt(0), 0);
        const place = (open.length > 0 ? open : running)[sum % Math.max(1, open.length > 0 ? open.length : running.length)];
        this.#places.set(clientId, place ?? this.self);
        return place ?? this.self;
    }

    /** Lets a client go to another node. */
    release(clientId: string): void {
        this.#places.delete(clientId);
    }
}

/** Checks what a file of members holds. Throws when it is no such list. */
export function checkMembers(value: unknown): readonly Member[] {
    const { nodes } = value as { nodes?: unknown };
    const isMember = (entry: Partial<Member> | null): entry is Member =>
        typeof entry?.node === "string" &&
        (entry.status === "running" || entry.status === "stopped") &&
        typeof entry.startedAt === "number";
    if (!Array.isArray(nodes) || nodes.length === 0 || !nodes.every(isMember)) {
        throw new Error("no list of members");
    }
    return nodes;
}
