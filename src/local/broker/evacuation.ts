import type { Engine } from "./engine.js";
import { durationMs } from "./links/settings.js";
import type { Members } from "./members.js";
import { ApiError } from "./rest/router.js";

type State = "waiting_health_check" | "evicting_conns" | "waiting_takeover" | "evicting_sessions";

const known = ["conn_evict_rate", "migrate_to", "redirect_to", "sess_evict_rate", "wait_health_check", "wait_takeover"];

/** Moves clients off one node as EMQX's node evacuation does: refuses new ones, then disconnects some each second. */
export class Evacuation {
    readonly #engine: Engine;
    readonly #node: string;
    readonly #members: Members;
    readonly #others: Evacuations;
    readonly #longestWaitMs: number;
    #state: State | undefined;
    #timer: NodeJS.Timeout | undefined;
    #initial = { connections: 0, sessions: 0 };
    #connectionRate = 500;
    #sessionRate = 500;
    #waitTakeoverMs = 60_000;

    constructor(engine: Engine, node: string, members: Members, others: Evacuations, longestWaitMs: number) {
        this.#engine = engine;
        this.#node = node;
        this.#members = members;
        this.#others = others;
        this.#longestWaitMs = longestWaitMs;
    }

    get running(): boolean {
        return this.#state !== undefined;
    }

    status(): Record<string, unknown> {
        if (this.#state === undefined) {
            return { status: "disabled" };
        }
        const { connected, sessions } = this.#others.load(this.#node);
        return {
            status: "enabled",
            process: "evacuation",
            state: this.#state,
            connection_eviction_rate: this.#connectionRate,
            session_eviction_rate: this.#sessionRate,
            connection_goal: 0,
            session_goal: 0,
            session_recipients: [],
            stats: {
                initial_connected: this.#initial.connections,
                current_connected: connected.length,
                initial_sessions: this.#initial.sessions,
                current_sessions: sessions.length,
            },
        };
    }

    start(options: Record<string, unknown>): void {
        const unknown = Object.keys(options).filter((key) => !known.includes(key));
        if (unknown.length > 0) {
            throw new ApiError(
                400,
                "BAD_REQUEST",
                JSON.stringify({
                    unmatched: "conn_evict_rate,migrate_to,...",
                    unknown: unknown.join(","),
                    reason: "unknown_fields",
                    path: "root",
                    kind: "validation_error",
                }),
            );
        }
        if (this.running) {
            throw new ApiError(400, "BAD_REQUEST", `error on node '${this.#node}': already_started`);
        }
        this.#connectionRate = rate(options.conn_evict_rate);
        this.#sessionRate = rate(options.sess_evict_rate);
        this.#waitTakeoverMs = this.#bounded(options.wait_takeover);
        const { connected, sessions } = this.#others.load(this.#node);
        this.#initial = { connections: connected.length, sessions: sessions.length };
        this.#state = "waiting_health_check";
        this.#others.changed();
        this.#timer = setTimeout(() => this.#evict(), this.#bounded(options.wait_health_check)).unref();
    }

    stop(): void {
        if (!this.running) {
            throw new ApiError(400, "BAD_REQUEST", `error on node '${this.#node}': not_started`);
        }
        this.abandon();
    }

    /** Ends it without complaint when none runs. */
    abandon(): void {
        clearTimeout(this.#timer);
        this.#state = undefined;
        this.#others.changed();
    }

    #bounded(wait: unknown): number {
        return Math.min(durationMs(wait) ?? 60_000, this.#longestWaitMs);
    }

    #evict(): void {
        this.#state = "evicting_conns";
        const ids = this.#others.load(this.#node).connected;
        for (const id of ids.slice(0, this.#connectionRate)) {
            this.#engine.kick(id);
            this.#members.release(id);
        }
        if (ids.length > 0) {
            this.#timer = setTimeout(() => this.#evict(), 1000).unref();
        } else {
            this.#state = "waiting_takeover";
            this.#timer = setTimeout(() => {
                this.#state = "evicting_sessions";
                // A single node has nobody to give its sessions to, so they stay here, as they do with the real one.
                for (const id of this.#others.load(this.#node).sessions) {
                    this.#members.release(id);
                }
            }, this.#waitTakeoverMs).unref();
        }
    }
}

/** The evacuations of all nodes that this process stands for. It refuses new clients while every one of them does. */
export class Evacuations {
    readonly #engine: Engine;
    readonly #members: Members;
    readonly #longestWaitMs: number;
    readonly #ofNodes = new Map<string, Evacuation>();

    constructor(engine: Engine, members: Members, longestWaitMs: number) {
        this.#engine = engine;
        this.#members = members;
        this.#longestWaitMs = longestWaitMs;
    }

    of(node: string): Evacuation {
        const found = this.#ofNodes.get(node) ?? new Evacuation(this.#engine, node, this.#members, this, this.#longestWaitMs);
        this.#ofNodes.set(node, found);
        return found;
    }

    /** Running evacuations by node. */
    get running(): readonly (readonly [string, Evacuation])[] {
        return [...this.#ofNodes].filter(([, evacuation]) => evacuation.running);
    }

    /** Whether no node takes clients. */
    get all(): boolean {
        return this.#members.running().every(({ node }) => this.of(node).running);
    }

    /** Client ids that count for a node: connected ones, and all with sessions. */
    load(node: string): { readonly connected: readonly string[]; readonly sessions: readonly string[] } {
        const here = (id: string) => this.#members.placeOf(id, (place) => !this.of(place).running) === node;
        const connected = [...this.#engine.clients.keys()].filter(here);
        const sessions = new Set([...connected, ...this.#engine.store.sessionIds().filter(here)]);
        return { connected, sessions: [...sessions] };
    }

    changed(): void {
        this.#engine.refuseNew = this.all;
    }

    abandon(): void {
        for (const evacuation of this.#ofNodes.values()) {
            evacuation.abandon();
        }
    }
}

function rate(value: unknown): number {
    if (value === undefined) {
        return 500;
    }
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1) {
        throw new ApiError(
            400,
            "BAD_REQUEST",
            JSON.stringify({ value, reason: { expected: "pos_integer()" }, kind: "validation_error" }),
        );
    }
    return value;
}
