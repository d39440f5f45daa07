import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../errors.js";
import { ArrivalCount } from "./arrivalCount.js";
import type { DirectionReport, ProbeDirection } from "./deliveryReport.js";
import type { ProbeClient } from "./probeClient.js";
import { encodeMessage, type ProbeHeader } from "./probeMessage.js";
import type { ProbeSettings } from "./probeSettings.js";
import { type ProbeTopic, probeTopics } from "./probeTopic.js";

/** What a {@link DirectionRun} works with. */
export interface DirectionRunArgs {
    readonly direction: ProbeDirection;
    readonly runId: string;
    readonly publisher: ProbeClient;
    readonly subscriber: ProbeClient;
    readonly settings: ProbeSettings;
    readonly signal: AbortSignal;
}

/** Between canaries, milliseconds: short at first, because a link that stands delivers in some 12 ms. */
const canaryMs = { first: 15, longest: 250 } as const;
/** Numbered messages that are published where not one canary arrived: enough to count, and the run is lost anyway. */
const hopelessCount = 100;
const hopelessDrainMs = 1_000;
/** Without any arrival for so long, what is missing counts as lost: longer than a link's queue is bridged by the default settings. */
const idleMs = 25_000;
/** Messages on the way to the publisher's broker; more would only be measured as its queue. */
const window = 2_000;
const echoMs = 2_000;
/** Between two looks at the clock, for each direction that this process publishes in; a pair alone looks at every message. */
const stepMsPerDirection = 2.5;
const longestStepMs = 50;
/** Directions in which this process is publishing numbered messages. */
let publishing = 0;
/** Longest list of lost numbers in a report. */
const longestMissing = 20;

/** One direction of a delivery run. */
export class DirectionRun {
    readonly from: string;
    readonly to: string;
    private readonly args: DirectionRunArgs;
    private readonly topics: readonly ProbeTopic[];
    private readonly count: ArrivalCount;
    private readonly heard = new Set<number>();
    private look: (() => void) | undefined;
    private firstPublishMs: number | undefined;
    private firstArrivalMs: number | undefined;
    private lastArrivalMs = 0;
    private sent = 0;
    private acknowledged = 0;
    private publishedForMs: number | undefined;
    private echo: boolean | undefined;

    constructor(args: DirectionRunArgs) {
        const { direction, runId, settings } = args;
        this.args = args;
        this.from = direction.from;
        this.to = direction.to;
        this.topics = probeTopics(direction.topics, runId, direction.from);
        this.count = new ArrivalCount(settings.count, settings.qos);
    }

    /** Whether anything has come through. */
    get hasArrived(): boolean {
        return this.firstArrivalMs !== undefined;
    }

    /** Numbered messages that have arrived so far. */
    get delivered(): number {
        return this.count.delivered;
    }

    /** Takes a message of this direction that the receiving side got. */
    arrived(header: ProbeHeader, qos: number, nowMs: number): void {
        this.firstArrivalMs ??= nowMs - (this.firstPublishMs ?? nowMs);
        this.lastArrivalMs = nowMs;
        this.heard.add(header.topic);
        if (header.phase === "numbered") {
            this.count.add({ sequence: header.sequence, topic: header.topic, latencyMs: nowMs - header.sentMs, qos });
        }
        this.wake();
    }

    /** Takes a message of this direction that the publishing side got back from its own broker. */
    echoed(): void {
        this.echo = true;
        this.wake();
    }

    /** Subscribes, waits for the first arrival, publishes the numbered messages and waits for the last. */
    async measure(): Promise<void> {
        const { settings, subscriber } = this.args;
        const names = this.topics.map(({ topic }) => topic);
        await subscriber.subscribe(names, settings.qos);
        await this.sendCanaries(performance.now() + settings.timeoutSeconds * 1000);
        const hopeless = !this.hasArrived;
        if (hopeless) {
            await this.askForEcho();
        }
        const total = hopeless ? Math.min(settings.count, hopelessCount) : settings.count;
        await this.publishNumbered(total);
        await this.drain(total, hopeless ? hopelessDrainMs : settings.timeoutSeconds * 1000);
    }

    report(): DirectionReport {
        const totals = this.count.totals();
        return {
            from: this.from,
            to: this.to,
            sent: this.sent,
            acknowledged: this.acknowledged,
            lost: this.sent - totals.delivered,
            lostNumbers: this.count.missing(this.sent, longestMissing),
            ...totals,
            ...(this.firstArrivalMs === undefined ? {} : { firstArrivalMs: Math.round(this.firstArrivalMs * 1000) / 1000 }),
            ...(this.publishedForMs === undefined
                ? {}
                : { rate: Math.round((this.sent / Math.max(this.publishedForMs, 1)) * 1000) }),
            topics: this.topics,
            silentFilters: this.topics.filter((_topic, index) => !this.heard.has(index)).map(({ filter }) => filter),
            ...(this.hasArrived || this.echo === undefined ? {} : { ownEcho: this.echo }),
        };
    }

    /** Publishes on every topic until something arrived on each, or the deadline has passed. */
    private async sendCanaries(deadlineMs: number): Promise<void> {
        let pauseMs: number = canaryMs.first;
        for (let sequence = 0; performance.now() < deadlineMs; sequence += 1) {
            for (const [index] of this.topics.entries()) {
                if (!this.heard.has(index)) {
                    this.firstPublishMs ??= performance.now();
                    this.publish("canary", index, sequence, () => {});
                }
            }
            const until = Math.min(deadlineMs, performance.now() + pauseMs);
            if (await this.wait(() => this.heard.size === this.topics.length, until)) {
                return;
            }
            pauseMs = Math.min(pauseMs * 1.5, canaryMs.longest);
        }
    }

    /**
     * Publishes at a steady rate: what is due by the clock until the next look, so that a late timer does not lower the rate. While many
     * directions are proven at once each looks less often and publishes more at a time: the machine is theirs together.
     */
    private async publishNumbered(total: number): Promise<void> {
        publishing += 1;
        try {
            await this.publishPaced(total);
        } finally {
            publishing -= 1;
        }
    }

    private async publishPaced(total: number): Promise<void> {
        const { settings, signal } = this.args;
        const beganMs = performance.now();
        while (this.sent < total) {
            signal.throwIfAborted();
            const stepMs = Math.max(1000 / settings.rate, Math.min(longestStepMs, publishing * stepMsPerDirection));
            const due = Math.min(total, Math.floor(((performance.now() - beganMs + stepMs) * settings.rate) / 1000));
            const room = this.acknowledged + window;
            while (this.sent < Math.min(due, room)) {
                this.publish("numbered", this.sent % this.topics.length, this.sent, () => {
                    this.acknowledged += 1;
                    this.wake();
                });
                this.sent += 1;
            }
            if (this.sent < total) {
                const nextMs = beganMs + (this.sent * 1000) / settings.rate;
                await sleep(Math.max(1, nextMs - performance.now()), undefined, { signal });
            }
        }
        this.publishedForMs = Math.max(performance.now() - beganMs + 1000 / settings.rate, (total * 1000) / settings.rate);
    }

    private async drain(total: number, longestMs: number): Promise<void> {
        const endMs = performance.now();
        const deadlineMs = endMs + longestMs;
        const done = () => this.count.delivered >= total && this.acknowledged >= total;
        for (;;) {
            const idleUntil = Math.max(endMs, this.lastArrivalMs) + idleMs;
            const until = Math.min(deadlineMs, idleUntil);
            if (performance.now() >= until || (await this.wait(done, until))) {
                return;
            }
        }
    }

    /** Finds out whether the publisher's own broker takes the messages at all. */
    private async askForEcho(): Promise<void> {
        const { publisher, settings } = this.args;
        const own = this.topics[0];
        if (own === undefined) {
            return;
        }
        try {
            await publisher.subscribe([own.topic], settings.qos);
        } catch (error) {
            this.args.signal.throwIfAborted();
            if (!(error instanceof OperationError)) {
                throw error;
            }
            // It may not subscribe to what it publishes: then nothing can be said.
            return;
        }
        this.echo ??= false;
        this.publish("canary", 0, 0, () => {});
        await this.wait(() => this.echo === true, performance.now() + echoMs);
    }

    private publish(phase: ProbeHeader["phase"], index: number, sequence: number, done: () => void): void {
        const { publisher, runId, settings } = this.args;
        const topic = this.topics[index];
        if (topic !== undefined) {
            const header = { runId, from: this.from, phase, topic: index, sequence, sentMs: performance.now() };
            publisher.publish(topic.topic, encodeMessage(header, settings.payloadBytes), settings.qos, done);
        }
    }

    private wake(): void {
        this.look?.();
    }

    /** Waits until a condition holds, looking whenever something comes in; `false` when the time is up. */
    private wait(condition: () => boolean, untilMs: number): Promise<boolean> {
        const { signal } = this.args;
        return new Promise((resolve, reject) => {
            const settle = (finish: () => void) => {
                clearTimeout(timer);
                signal.removeEventListener("abort", aborted);
                this.look = undefined;
                finish();
            };
            const aborted = () => settle(() => reject(signal.reason));
            const timer = setTimeout(() => settle(() => resolve(condition())), Math.max(0, untilMs - performance.now()));
            this.look = () => {
                if (condition()) {
                    settle(() => resolve(true));
                }
            };
            signal.addEventListener("abort", aborted, { once: true });
            if (signal.aborted) {
                aborted();
            } else {
                this.look();
            }
        });
    }
}
