import { randomBytes } from "node:crypto";
import type { Log } from "../log.js";
import { linkTopicRoot } from "../message.js";
import { type ConnectionTarget, LinkConnection } from "./connection.js";
import { type ForwardCounters, Lane, type LaneBudget } from "./lane.js";

/** Bounds of a forwarder, from the link's settings. */
export interface ForwarderSettings {
    readonly poolSize: number;
    readonly maxInflight: number;
    readonly ttlMs: number;
    readonly maxBytes: number;
    readonly retryMs: number;
    readonly healthMs: number;
    readonly startMs: number;
    /** Client id of the pool, without `:<number>`. */
    readonly clientId: string;
}

export interface ForwardMetrics extends ForwardCounters {
    readonly queuing: number;
    readonly inflight: number;
    readonly rate: number;
    readonly rate_last5m: number;
    readonly rate_max: number;
}

const noCounters = (): ForwardCounters => ({ matched: 0, success: 0, failed: 0, dropped: 0, retried: 0 });

/** The sending half of a link: a pool of connections to the peer's link door, one lane each. */
export class Forwarder {
    readonly #self: string;
    readonly #target: () => Promise<ConnectionTarget>;
    readonly #log: Log;
    readonly #budget: LaneBudget = { bytes: 0, maxBytes: 0, ttlMs: 0, maxInflight: 1, counters: noCounters() };
    #lanes: Lane[] = [];
    #retired: Lane[] = [];
    #connections: LinkConnection[] = [];
    #sweep: NodeJS.Timeout | undefined;
    #rate = 0;
    #rateMax = 0;
    #rate5m = 0;
    #matchedBefore = 0;
    /** Told when the state of the pool may have changed; the reason is that of the last failure. */
    onChange: () => void = () => {};

    /** `self` is this cluster's name: peers know the messages by it. */
    constructor(self: string, target: () => Promise<ConnectionTarget>, log: Log) {
        this.#self = self;
        this.#target = target;
        this.#log = log;
    }

    /** Starts, or goes on with other settings: connections are made anew, messages that wait stay. */
    start(settings: ForwarderSettings): void {
        this.#disconnect();
        Object.assign(this.#budget, { maxBytes: settings.maxBytes, ttlMs: settings.ttlMs, maxInflight: settings.maxInflight });
        this.resetMetrics();
        if (this.#lanes.length !== settings.poolSize) {
            this.#relane(settings.poolSize);
        }
        const busyRetired = this.#retired.filter((lane) => !lane.empty);
        this.#connections = [...this.#lanes, ...busyRetired].map((lane, index) => {
            const connection: LinkConnection = new LinkConnection({
                ...settings,
                clientId: `${settings.clientId}:${index + 1}`,
                target: this.#target,
                onUp: () => {
                    lane.use({
                        get up() {
                            return connection.up;
                        },
                        publish: (payload, messageId, dup) =>
                            connection.publish(`${linkTopicRoot}cluster/msg/${this.#self}`, payload, messageId, dup),
                    });
                    this.onChange();
                },
                onDown: () => {
                    lane.use(undefined);
                    this.onChange();
                },
                onAck: (messageId) => {
                    lane.acknowledged(messageId);
                    this.#dismiss();
                },
                onMessage: (_topic, payload) => this.#refusal(lane, payload),
            });
            connection.start();
            return connection;
        });
        this.#retired = busyRetired;
        this.#sweep ??= setInterval(() => this.#tick(), 1000).unref();
    }

    /** Stops and forgets what waits. */
    stop(): void {
        this.#disconnect();
        clearInterval(this.#sweep);
        this.#sweep = undefined;
        for (const lane of [...this.#lanes, ...this.#retired]) {
            lane.clear();
        }
        this.#lanes = [];
        this.#retired = [];
        this.resetMetrics();
    }

    /** Queues a message; `publisher` decides the lane. */
    offer(topic: string, payload: Buffer, qos: 0 | 1 | 2, publisher: string): void {
        this.#budget.counters.matched++;
        const lane = this.#lanes[hash(publisher) % this.#lanes.length];
        if (lane === undefined) {
            this.#budget.counters.dropped++;
            return;
        }
        lane.offer(topic, payload, qos);
        while (this.#budget.bytes > this.#budget.maxBytes) {
            const longest = [...this.#retired, ...this.#lanes].reduce(
                (most, other) => (other.queued > most.queued ? other : most),
                lane,
            );
            if (!longest.dropOldest()) {
                break;
            }
        }
    }

    get status(): "connected" | "connecting" | "disconnected" {
        const states = this.#connections.map((connection) => connection.status);
        if (states.length > 0 && states.every((state) => state === "connected")) {
            return "connected";
        }
        return states.length === 0 || states.includes("disconnected") ? "disconnected" : "connecting";
    }

    /** Why the pool is not up; empty when it is. */
    get reason(): string {
        return this.#connections.find((connection) => !connection.up && connection.reason !== "")?.reason ?? "";
    }

    /** Every connection has come to an answer. */
    get settled(): boolean {
        return this.#connections.every((connection) => connection.up || connection.reason !== "");
    }

    /** Nothing waits and nothing is unacknowledged. */
    get empty(): boolean {
        return [...this.#lanes, ...this.#retired].every((lane) => lane.empty);
    }

    metrics(): ForwardMetrics {
        const lanes = [...this.#lanes, ...this.#retired];
        return {
            ...this.#budget.counters,
            queuing: lanes.reduce((sum, lane) => sum + lane.queued, 0),
            inflight: lanes.reduce((sum, lane) => sum + lane.inflight, 0),
            rate: this.#rate,
            rate_last5m: this.#rate5m,
            rate_max: this.#rateMax,
        };
    }

    resetMetrics(): void {
        Object.assign(this.#budget.counters, noCounters());
        this.#matchedBefore = 0;
        this.#rate = 0;
        this.#rateMax = 0;
        this.#rate5m = 0;
    }

    #disconnect(): void {
        for (const connection of this.#connections) {
            connection.stop();
        }
        this.#connections = [];
        for (const lane of [...this.#lanes, ...this.#retired]) {
            lane.use(undefined);
        }
    }

    /** Another pool size spreads the publishers anew: the old lanes empty first, so that order is kept. */
    #relane(size: number): void {
        const incarnation = randomBytes(8).toString("hex");
        this.#retired = [...this.#retired, ...this.#lanes].filter((lane) => !lane.empty);
        this.#lanes = Array.from({ length: size }, (_, index) => new Lane(`${incarnation}.${index + 1}`, this.#budget));
        for (const lane of this.#lanes) {
            lane.held = this.#retired.length > 0;
        }
        for (const lane of this.#retired) {
            lane.release();
        }
    }

    #dismiss(): void {
        if (this.#retired.length === 0 || !this.#retired.every((lane) => lane.empty)) {
            return;
        }
        for (const connection of this.#connections.splice(this.#lanes.length)) {
            connection.stop();
        }
        this.#retired = [];
        for (const lane of this.#lanes) {
            lane.release();
        }
    }

    #refusal(lane: Lane, payload: Buffer): void {
        try {
            const { messageId, reason } = JSON.parse(payload.toString()) as { messageId: number; reason: string };
            this.#log("cluster_link_forward_refused", { reason });
            lane.refused(messageId);
            this.#dismiss();
        } catch {
            // Not a note of this protocol: leave the batch to be acknowledged or sent again.
        }
    }

    #tick(): void {
        const now = Date.now();
        for (const lane of [...this.#lanes, ...this.#retired]) {
            lane.expire(now);
        }
        this.#dismiss();
        const { matched } = this.#budget.counters;
        this.#rate = matched - this.#matchedBefore;
        this.#matchedBefore = matched;
        this.#rateMax = Math.max(this.#rateMax, this.#rate);
        this.#rate5m = Math.round((this.#rate5m + (this.#rate - this.#rate5m) / 300) * 100) / 100;
    }
}

function hash(text: string): number {
    let value = 2_166_136_261;
    for (let index = 0; index < text.length; index++) {
        value = Math.imul(value ^ text.charCodeAt(index), 16_777_619);
    }
    return value >>> 0;
}
