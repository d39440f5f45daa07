import { readFileSync } from "node:fs";
import { writePrivate } from "../files.js";
import { FilterTree } from "../topics.js";

interface Peer {
    incarnation: string;
    routes: Set<string>;
    tree: FilterTree<true>;
    contactAt: number;
    /** Parts of a new set that is not complete yet. */
    coming: string[] | undefined;
}

type Saved = Record<string, { incarnation: string; routes: string[]; contactAt: number }>;

/** Largest number of routes that one peer may ask for. */
const maxRoutes = 200_000;
const saveDelayMs = 200;
const sweepMs = 1000;

/**
 * What the peers want from this cluster. A peer's routes live a while after its last sign of life, so that messages queue through a short outage, and are on
 * the disk, so that a restart of this broker does not miss what is published before the peer is back.
 */
export class PeerRoutes {
    readonly #path: string;
    readonly #lifeMs: number;
    readonly #peers = new Map<string, Peer>();
    #save: NodeJS.Timeout | undefined;
    readonly #sweep: NodeJS.Timeout;
    #sweptAt = Date.now();
    #savedAt = 0;
    /** Told when a peer's routes are dropped because it fell silent. */
    onExpired: (peer: string) => void = () => {};

    constructor(path: string, lifeMs: number) {
        this.#path = path;
        this.#lifeMs = lifeMs;
        for (const [name, saved] of Object.entries(load(path))) {
            if (Date.now() - saved.contactAt < lifeMs) {
                const peer = { ...saved, routes: new Set<string>(), tree: new FilterTree<true>(), coming: undefined };
                change(peer, saved.routes, []);
                this.#peers.set(name, peer);
            }
        }
        this.#sweep = setInterval(() => this.#drop(), sweepMs).unref();
    }

    /** Number of routes of a peer. */
    count(peer: string): number {
        return this.#peers.get(peer)?.routes.size ?? 0;
    }

    routes(peer: string): string[] {
        return [...(this.#peers.get(peer)?.routes ?? [])];
    }

    wants(peer: string, topic: string): boolean {
        return this.#peers.get(peer)?.tree.has(topic) === true;
    }

    /** A peer introduced itself; its former routes hold until it has told the new ones. */
    begin(name: string, incarnation: string): void {
        const peer = this.#peers.get(name);
        if (peer === undefined) {
            this.#peers.set(name, { incarnation, routes: new Set(), tree: new FilterTree(), contactAt: Date.now(), coming: [] });
        } else {
            Object.assign(peer, { incarnation, contactAt: Date.now(), coming: [] });
        }
    }

    /** Adds a part of a full set. False when the peer has to introduce itself first. */
    part(name: string, incarnation: string, add: readonly string[], last: boolean): boolean {
        const peer = this.#known(name, incarnation);
        if (peer?.coming === undefined) {
            return false;
        }
        peer.coming.push(...add);
        if (last) {
            const wanted = new Set(peer.coming);
            change(
                peer,
                [...wanted].filter((route) => !peer.routes.has(route)),
                [...peer.routes].filter((route) => !wanted.has(route)),
            );
            peer.coming = undefined;
            this.#saveSoon();
        }
        return true;
    }

    delta(name: string, incarnation: string, add: readonly string[], del: readonly string[]): boolean {
        const peer = this.#known(name, incarnation);
        if (peer === undefined) {
            return false;
        }
        change(peer, add, del);
        this.#saveSoon();
        return true;
    }

    /** Notes a sign of life. False when the peer has to introduce itself first. */
    touch(name: string, incarnation: string): boolean {
        const known = this.#known(name, incarnation) !== undefined;
        if (known && Date.now() - this.#savedAt > 5000) {
            this.#saveSoon();
        }
        return known;
    }

    forget(name: string): void {
        if (this.#peers.delete(name)) {
            this.#saveSoon();
        }
    }

    stop(): void {
        clearInterval(this.#sweep);
        clearTimeout(this.#save);
        this.#write();
    }

    #known(name: string, incarnation: string): Peer | undefined {
        const peer = this.#peers.get(name);
        if (peer === undefined || peer.incarnation !== incarnation) {
            return undefined;
        }
        peer.contactAt = Date.now();
        return peer;
    }

    #drop(): void {
        const now = Date.now();
        const slept = now - this.#sweptAt - sweepMs;
        this.#sweptAt = now;
        for (const [name, peer] of this.#peers) {
            if (slept > 2 * sweepMs) {
                // This process was stopped, not the peer silent.
                peer.contactAt += slept;
            }
            if (now - peer.contactAt > this.#lifeMs) {
                this.#peers.delete(name);
                this.#saveSoon();
                this.onExpired(name);
            }
        }
    }

    #saveSoon(): void {
        this.#save ??= setTimeout(() => this.#write(), saveDelayMs).unref();
    }

    #write(): void {
        this.#save = undefined;
        this.#savedAt = Date.now();
        const saved: Saved = {};
        for (const [name, { incarnation, routes, contactAt }] of this.#peers) {
            saved[name] = { incarnation, routes: [...routes], contactAt };
        }
        try {
            // Peers tell their routes again where the file is lost.
            writePrivate(this.#path, JSON.stringify(saved), { durable: false });
        } catch {
            // Without the file a restart starts with no routes; the peers tell them again.
        }
    }
}

function change(peer: Pick<Peer, "routes" | "tree">, add: readonly string[], del: readonly string[]): void {
    for (const route of del) {
        peer.routes.delete(route);
        peer.tree.remove(route, true);
    }
    for (const route of add) {
        if (typeof route === "string" && route !== "" && peer.routes.size < maxRoutes && !/^\$(LINK|SYS)(\/|$)/.test(route)) {
            peer.routes.add(route);
            peer.tree.add(route, true);
        }
    }
}

function load(path: string): Saved {
    try {
        return JSON.parse(readFileSync(path, "utf8")) as Saved;
    } catch {
        return {};
    }
}
