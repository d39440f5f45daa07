import type { Engine } from "./engine.js";
import { durationMs } from "./links/settings.js";
import { ApiError } from "./rest/router.js";

type State = "waiting_health_check" | "evicting_conns" | "waiting_takeover" | "evicting_sessions";

const known = ["conn_evict_rate", "migrate_to", "redirect_to", "sess_evict_rate", "wait_health_check", "wait_takeover"];

/** Moves clients off this node as EMQX's node evacuation does: refuses new ones, then disconnects some each second. */
export class Evacuation {
    readonly #engine: Engine;
    readonly #node: string;
    #state: State | undefined;
    #timer: NodeJS.Timeout | undefined;
    #initial = { connections: 0, sessions: 0 };
    #connectionRate = 500;
    #sessionRate = 500;
    #waitTakeoverMs = 60_000;

    constructor(engine: Engine, node: string) {
        this.#engine = engine;
        this.#node = node;
    }

    get running(): boolean {
        return this.#state !== undefined;
    }

    status(): Record<string, unknown> {
        if (this.#state === undefined) {
            return { status: "disabled" };
        }
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
                current_connected: this.#engine.clients.size,
                initial_sessions: this.#initial.sessions,
                current_sessions: this.#engine.store.sessionIds().length,
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
        this.#waitTakeoverMs = durationMs(options.wait_takeover) ?? 60_000;
        this.#initial = { connections: this.#engine.clients.size, sessions: this.#engine.store.sessionIds().length };
        this.#state = "waiting_health_check";
        this.#engine.refuseNew = true;
        this.#timer = setTimeout(() => this.#evict(), durationMs(options.wait_health_check) ?? 60_000).unref();
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
        this.#engine.refuseNew = false;
    }

    #evict(): void {
        this.#state = "evicting_conns";
        const ids = [...this.#engine.clients.keys()];
        for (const id of ids.slice(0, this.#connectionRate)) {
            this.#engine.kick(id);
        }
        if (ids.length > 0) {
            this.#timer = setTimeout(() => this.#evict(), 1000).unref();
        } else {
            this.#state = "waiting_takeover";
            this.#timer = setTimeout(() => {
                // A single node has nobody to give its sessions to, so it stays here, as the real one does.
                this.#state = "evicting_sessions";
            }, this.#waitTakeoverMs).unref();
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
