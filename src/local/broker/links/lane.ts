import { encodeBatch, frameBytes, type LinkMessage } from "./frames.js";

interface QueuedMessage extends LinkMessage {
    readonly at: number;
    readonly bytes: number;
}

interface SentBatch {
    readonly messages: readonly QueuedMessage[];
    readonly frame: Buffer;
}

/** Counters of a link's forwarding side, EMQX's names. */
export interface ForwardCounters {
    matched: number;
    success: number;
    failed: number;
    dropped: number;
    retried: number;
}

/** Bytes held by all lanes of a link together, and their bounds. */
export interface LaneBudget {
    bytes: number;
    maxBytes: number;
    ttlMs: number;
    maxInflight: number;
    readonly counters: ForwardCounters;
}

/** What a lane writes with; replaced when the link's settings change. */
export interface LaneWriter {
    readonly up: boolean;
    publish(payload: Buffer, messageId: number, dup: boolean): void;
}

const batchMessages = 256;
const batchBytes = 256 * 1024;

/**
 * One ordered stream of a link: a queue, a window of unacknowledged batches and, while it is up, a connection. A publisher always takes the same lane, so its
 * messages stay in order. Unacknowledged batches are sent again, in order, after a reconnect; the receiver drops what it has had.
 */
export class Lane {
    readonly id: string;
    readonly #budget: LaneBudget;
    #queue: QueuedMessage[] = [];
    #head = 0;
    readonly #inflight = new Map<number, SentBatch>();
    #inflightMessages = 0;
    #seq = 0;
    #messageId = 0;
    #writer: LaneWriter | undefined;
    /** While set, new messages wait: an older lane still holds messages of the same publishers. */
    held = false;

    constructor(id: string, budget: LaneBudget) {
        this.id = id;
        this.#budget = budget;
    }

    get queued(): number {
        return this.#queue.length - this.#head;
    }

    get inflight(): number {
        return this.#inflightMessages;
    }

    get empty(): boolean {
        return this.queued === 0 && this.#inflight.size === 0;
    }

    /** Takes a connection that is up, or none. What was not acknowledged is sent again first. */
    use(writer: LaneWriter | undefined): void {
        this.#writer = writer;
        if (writer?.up !== true) {
            return;
        }
        const oldest = Date.now() - this.#budget.ttlMs;
        for (const [messageId, batch] of this.#inflight) {
            if ((batch.messages[0]?.at ?? 0) < oldest) {
                this.#settle(messageId, "dropped");
            } else {
                this.#budget.counters.retried += batch.messages.length;
                writer.publish(batch.frame, messageId, true);
            }
        }
        this.#pump();
    }

    offer(topic: string, payload: Buffer, qos: 0 | 1 | 2): void {
        const message = { seq: ++this.#seq, topic, payload, qos, at: Date.now(), bytes: frameBytes({ topic, payload }) };
        if (message.bytes > this.#budget.maxBytes) {
            this.#budget.counters.dropped++;
            return;
        }
        this.#queue.push(message);
        this.#budget.bytes += message.bytes;
        this.#pump();
    }

    /** Drops the oldest waiting message. False when none waits. */
    dropOldest(): boolean {
        const oldest = this.#shift();
        if (oldest === undefined) {
            return false;
        }
        this.#budget.bytes -= oldest.bytes;
        this.#budget.counters.dropped++;
        return true;
    }

    /** Drops what has waited longer than the link's time to live. */
    expire(now: number): void {
        const oldest = now - this.#budget.ttlMs;
        while ((this.#queue[this.#head]?.at ?? Number.POSITIVE_INFINITY) < oldest) {
            this.dropOldest();
        }
        if (this.#writer?.up !== true) {
            for (const [messageId, batch] of this.#inflight) {
                if ((batch.messages[0]?.at ?? 0) < oldest) {
                    this.#settle(messageId, "dropped");
                }
            }
        }
    }

    acknowledged(messageId: number): void {
        this.#settle(messageId, "success");
        this.#pump();
    }

    /** The receiver will not take this batch, now or later. */
    refused(messageId: number): void {
        this.#settle(messageId, "failed");
        this.#pump();
    }

    /** Sends what the window allows. */
    release(): void {
        this.held = false;
        this.#pump();
    }

    /** Forgets everything; what waited is lost and not counted as dropped, as when a link is disabled. */
    clear(): void {
        for (const message of this.#queue.slice(this.#head)) {
            this.#budget.bytes -= message.bytes;
        }
        for (const batch of this.#inflight.values()) {
            this.#budget.bytes -= batch.messages.reduce((sum, message) => sum + message.bytes, 0);
        }
        this.#queue = [];
        this.#head = 0;
        this.#inflight.clear();
        this.#inflightMessages = 0;
    }

    #settle(messageId: number, outcome: "success" | "failed" | "dropped"): void {
        const batch = this.#inflight.get(messageId);
        if (batch === undefined) {
            return;
        }
        this.#inflight.delete(messageId);
        this.#inflightMessages -= batch.messages.length;
        this.#budget.bytes -= batch.messages.reduce((sum, message) => sum + message.bytes, 0);
        this.#budget.counters[outcome] += batch.messages.length;
    }

    #shift(): QueuedMessage | undefined {
        const message = this.#queue[this.#head];
        if (message === undefined) {
            return undefined;
        }
        this.#head++;
        if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
            this.#queue = this.#queue.slice(this.#head);
            this.#head = 0;
        } else if (this.#head === this.#queue.length) {
            this.#queue = [];
            this.#head = 0;
        }
        return message;
    }

    #pump(): void {
        const writer = this.#writer;
        while (
            writer?.up === true &&
            !this.held &&
            this.queued > 0 &&
            this.#inflight.size < Math.max(1, this.#budget.maxInflight)
        ) {
            // One message per publish while the window has room for all that waits: the shortest way. Else as many as fit one batch.
            const free = Math.max(1, this.#budget.maxInflight) - this.#inflight.size;
            const limit = this.queued > free ? batchMessages : 1;
            const messages: QueuedMessage[] = [];
            let bytes = 0;
            for (
                let next = this.#queue[this.#head];
                next !== undefined && messages.length < limit;
                next = this.#queue[this.#head]
            ) {
                if (messages.length > 0 && bytes + next.bytes > batchBytes) {
                    break;
                }
                bytes += next.bytes;
                messages.push(next);
                this.#shift();
            }
            const frame = encodeBatch({ lane: this.id, messages });
            const messageId = this.#nextMessageId();
            this.#inflight.set(messageId, { messages, frame });
            this.#inflightMessages += messages.length;
            writer.publish(frame, messageId, false);
        }
    }

    #nextMessageId(): number {
        do {
            this.#messageId = (this.#messageId % 65_535) + 1;
        } while (this.#inflight.has(this.#messageId));
        return this.#messageId;
    }
}
