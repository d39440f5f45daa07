import { Readable } from "node:stream";
import { deserialize, serialize } from "node:v8";
import type { ClassicLevel } from "classic-level";
import { matches } from "../../emqx/topicFilter.js";
import { messageOf, OperationError } from "../../errors.js";
import { GroupCommit, type Operation } from "./groupCommit.js";
import type { Message } from "./message.js";
import { FilterTree } from "./topics.js";

/** A subscription as aedes hands it over. `denied` is set on those that the access list refused. */
export interface SubscriptionRecord {
    topic: string;
    qos: 0 | 1 | 2;
    rh?: number;
    rap?: boolean;
    nl?: boolean;
    denied?: boolean;
}

/** A retained message, with the time of its publish in ms since 1970. */
export type RetainedMessage = Message & { readonly publishedAt: number };

interface ClientRef {
    readonly id: string;
    readonly clean?: boolean;
}

/** A packet that waits for a session: a publish, or the pubrel that stands for a QoS 2 publish already received by the client. */
type Queued = Omit<Message, "cmd"> & { cmd: "publish" | "pubrel" };

interface Entry {
    readonly key: string;
    packet: Queued;
    sent: boolean;
}

interface Offline {
    readonly clientId: string;
    readonly qos: 1 | 2;
}

interface Session {
    readonly subscriptions: Map<string, SubscriptionRecord>;
    readonly offline: Map<string, Offline>;
    readonly queue: Map<string, Entry>;
    readonly byMessageId: Map<number, Entry>;
    /** True from the moment a client returns until everything that waited for it has been written. */
    replaying: boolean;
    replayed: (() => void) | undefined;
}

function entryOf(key: string, packet: Queued): Entry {
    return { key, packet, sent: packet.messageId !== undefined };
}

const pad = (counter: number) => counter.toString().padStart(16, "0");

/**
 * What outlives a connection: retained messages, sessions with their subscriptions and waiting messages, wills. The state is in memory and every change
 * goes to LevelDB in groups, in order, so that a killed broker comes back with all that it had acknowledged. It has the methods that aedes asks of a
 * persistence. Written for this broker because the ready one for LevelDB confuses overlapping subscriptions of one session and may swap messages.
 */
export class Store {
    readonly #db: ClassicLevel<string, Buffer>;
    readonly #commits: GroupCommit;
    readonly #queueLimit: number;
    readonly retained = new Map<string, RetainedMessage>();
    readonly #sessions = new Map<string, Session>();
    readonly #offline = new FilterTree<Offline>();
    readonly #incoming = new Map<string, Map<number, Message>>();
    readonly #wills = new Map<string, Message>();
    /** Messages that were dropped because a session's queue was full. */
    droppedFull = 0;
    /** Told when the disk refuses: messages and sessions are then in memory only. */
    set onFailure(tell: (error: Error) => void) {
        this.#commits.onFailure = tell;
    }

    /** Told when a filter of a kept session appears or goes. */
    onFilter: ((filter: string, present: boolean) => void) | undefined;

    private constructor(db: ClassicLevel<string, Buffer>, queueLimit: number) {
        this.#db = db;
        this.#commits = new GroupCommit((operations) => db.batch([...operations]));
        this.#queueLimit = queueLimit;
    }

    /** Opens the store in a folder and reads it. Throws {@link OperationError} when the folder is in use or damaged. */
    static async open(folder: string, queueLimit: number): Promise<Store> {
        const { ClassicLevel } = await import("classic-level").catch((error: unknown) => {
            throw new OperationError({
                what: "load classic-level, which keeps the messages",
                where: `${process.platform}-${process.arch}`,
                message: messageOf(error),
                todo: " It has no ready build for this machine: install it with its install script, so that it is compiled.",
            });
        });
        const db = new ClassicLevel<string, Buffer>(folder, { keyEncoding: "utf8", valueEncoding: "buffer" });
        try {
            await db.open();
        } catch (error) {
            const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
            throw new OperationError({
                what: "open the message store",
                where: folder,
                message: cause,
                todo: " Stop the other broker that uses this folder, or remove the folder to start empty.",
            });
        }
        const store = new Store(db, queueLimit);
        for await (const [key, value] of db.iterator()) {
            store.#load(key, deserialize(value));
        }
        return store;
    }

    #load(key: string, value: unknown): void {
        const [kind, client = ""] = key.split(":");
        if (kind === "r") {
            const message = value as RetainedMessage;
            this.retained.set(message.topic, message);
        } else if (kind === "s") {
            this.#subscribe(decodeURIComponent(client), value as SubscriptionRecord);
        } else if (kind === "o") {
            this.#enter(this.#session(decodeURIComponent(client)), entryOf(key, value as Queued));
        } else if (kind === "w") {
            this.#wills.set(decodeURIComponent(client), value as Message);
        }
    }

    #session(clientId: string): Session {
        let session = this.#sessions.get(clientId);
        if (session === undefined) {
            session = {
                subscriptions: new Map(),
                offline: new Map(),
                queue: new Map(),
                byMessageId: new Map(),
                replaying: false,
                replayed: undefined,
            };
            this.#sessions.set(clientId, session);
        }
        return session;
    }

    /** Session ids that are kept, connected or not. */
    sessionIds(): string[] {
        return [...this.#sessions].filter(([, session]) => session.subscriptions.size > 0).map(([id]) => id);
    }

    /** Every filter of every kept session. */
    filters(): string[] {
        return [...this.#sessions.values()].flatMap((session) => [...session.subscriptions.keys()]);
    }

    /** Messages that wait for a session. */
    waiting(clientId: string): number {
        return this.#sessions.get(clientId)?.queue.size ?? 0;
    }

    /** True while a returning client is still being handed what waited for it: new messages have to queue behind. */
    isReplaying(clientId: string): boolean {
        return this.#sessions.get(clientId)?.replaying === true;
    }

    #write(...operations: Operation[]): void {
        this.#commits.add(...operations);
    }

    /** Calls back when everything up to now is on the disk, in the order of the calls. */
    whenWritten(resume: () => void): void {
        this.#commits.whenWritten(resume);
    }

    // Messages

    /** Keeps a retained message, or forgets it when the payload is empty. */
    retain(message: Message): void {
        const key = `r:${message.topic}`;
        if (message.payload.length === 0) {
            this.retained.delete(message.topic);
            this.#write({ type: "del", key });
        } else {
            const kept = { ...message, messageId: undefined, publishedAt: Date.now() };
            this.retained.set(message.topic, kept);
            this.#write({ type: "put", key, value: serialize(kept) });
        }
    }

    /** Puts a message with QoS 1 or 2 into the queue of every kept session that subscribes to it. Returns whether there was any. */
    enqueue(message: Message): boolean {
        if (this.#offline.size === 0) {
            return false;
        }
        const takers = new Map<string, 1 | 2>();
        this.#offline.match(message.topic, ({ clientId, qos }) => {
            takers.set(clientId, Math.max(qos, takers.get(clientId) ?? 1) as 1 | 2);
        });
        for (const [clientId, qos] of takers) {
            const key = `o:${encodeURIComponent(clientId)}:${message.brokerId}:${pad(message.brokerCounter)}`;
            const packet: Queued = {
                ...message,
                qos: Math.min(qos, message.qos) as 1 | 2,
                retain: false,
                dup: false,
                messageId: undefined,
            };
            const session = this.#session(clientId);
            if (session.queue.size >= this.#queueLimit) {
                this.#dropOldest(session);
            }
            this.#enter(session, { key, packet, sent: false });
            this.#write({ type: "put", key, value: serialize(packet) });
        }
        return takers.size > 0;
    }

    #enter(session: Session, entry: Entry): void {
        session.queue.set(entry.key, entry);
        if (entry.packet.messageId !== undefined) {
            session.byMessageId.set(entry.packet.messageId, entry);
        }
    }

    #dropOldest(session: Session): void {
        const oldest = session.queue.values().next().value;
        if (oldest !== undefined) {
            this.droppedFull++;
            this.#forget(session, oldest);
        }
    }

    #forget(session: Session, entry: Entry): void {
        session.queue.delete(entry.key);
        if (entry.packet.messageId !== undefined && session.byMessageId.get(entry.packet.messageId) === entry) {
            session.byMessageId.delete(entry.packet.messageId);
        }
        this.#write({ type: "del", key: entry.key });
    }

    // What aedes asks of a persistence

    async setup(): Promise<void> {}

    async storeRetained(message: Message): Promise<void> {
        this.retain(message);
        await this.#commits.written();
    }

    createRetainedStreamCombi(filters: readonly string[]): Readable {
        const plain = filters.filter((filter) => !filter.startsWith("$share/"));
        const found = new Set<Message>();
        for (const filter of plain) {
            if (/[+#]/.test(filter)) {
                for (const message of this.retained.values()) {
                    if (matches(filter, message.topic)) {
                        found.add(message);
                    }
                }
            } else {
                const message = this.retained.get(filter);
                if (message !== undefined) {
                    found.add(message);
                }
            }
        }
        return Readable.from(found);
    }

    createRetainedStream(filter: string): Readable {
        return this.createRetainedStreamCombi([filter]);
    }

    #subscribe(clientId: string, record: SubscriptionRecord): void {
        const session = this.#session(clientId);
        const before = session.offline.get(record.topic);
        if (before !== undefined) {
            this.#offline.remove(record.topic, before);
            session.offline.delete(record.topic);
        }
        if (record.qos > 0 && !record.topic.startsWith("$share/")) {
            const offline: Offline = { clientId, qos: record.qos as 1 | 2 };
            session.offline.set(record.topic, offline);
            this.#offline.add(record.topic, offline);
        }
        const known = session.subscriptions.has(record.topic);
        session.subscriptions.set(record.topic, record);
        if (!known) {
            this.onFilter?.(record.topic, true);
        }
    }

    #unsubscribe(clientId: string, session: Session, topic: string): void {
        const offline = session.offline.get(topic);
        if (offline !== undefined) {
            this.#offline.remove(topic, offline);
            session.offline.delete(topic);
        }
        if (session.subscriptions.delete(topic)) {
            this.#write({ type: "del", key: `s:${encodeURIComponent(clientId)}:${encodeURIComponent(topic)}` });
            this.onFilter?.(topic, false);
        }
    }

    async addSubscriptions(client: ClientRef, records: readonly SubscriptionRecord[]): Promise<void> {
        // aedes asks the access list about each subscription of the packet in this same turn; wait until all marks are set.
        await Promise.resolve();
        for (const { denied, ...record } of records) {
            const known = this.#sessions.get(client.id)?.subscriptions.get(record.topic);
            if (denied !== true && known?.qos !== record.qos) {
                this.#subscribe(client.id, record);
                const key = `s:${encodeURIComponent(client.id)}:${encodeURIComponent(record.topic)}`;
                this.#write({ type: "put", key, value: serialize(record) });
            }
        }
        await this.#commits.written();
    }

    async removeSubscriptions(client: ClientRef, topics: readonly string[]): Promise<void> {
        const session = this.#sessions.get(client.id);
        for (const topic of session === undefined ? [] : topics) {
            this.#unsubscribe(client.id, session as Session, topic);
        }
        await this.#commits.written();
    }

    /** aedes asks this when a client comes back to its session. */
    async subscriptionsByClient(client: ClientRef): Promise<SubscriptionRecord[]> {
        const session = this.#session(client.id);
        session.replaying = true;
        return [...session.subscriptions.values()].map((record) => ({ ...record }));
    }

    async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
        return { subsCount: this.#offline.size, clientsCount: this.sessionIds().length };
    }

    async subscriptionsByTopic(): Promise<SubscriptionRecord[]> {
        return [];
    }

    /** Ends a session: a client came with a clean one, or the session was removed. */
    async cleanSubscriptions(client: ClientRef): Promise<void> {
        const session = this.#sessions.get(client.id);
        if (session === undefined) {
            return;
        }
        for (const topic of [...session.subscriptions.keys()]) {
            this.#unsubscribe(client.id, session, topic);
        }
        for (const entry of [...session.queue.values()]) {
            this.#forget(session, entry);
        }
        this.#sessions.delete(client.id);
        await this.#commits.written();
    }

    async outgoingEnqueue(): Promise<void> {}

    async outgoingEnqueueCombi(): Promise<void> {}

    /** aedes tells which message id a waiting packet gets, or that a QoS 2 one has come to its pubrel. */
    async outgoingUpdate(client: ClientRef, packet: Queued): Promise<void> {
        const session = this.#sessions.get(client.id);
        if (session === undefined) {
            return;
        }
        const entry =
            packet.brokerId && packet.cmd === "publish"
                ? session.queue.get(`o:${encodeURIComponent(client.id)}:${packet.brokerId}:${pad(packet.brokerCounter)}`)
                : session.byMessageId.get(packet.messageId ?? 0);
        if (entry === undefined) {
            // A shared subscription's message: it belongs to no session's queue.
            session.replayed?.();
            return;
        }
        if (entry.packet.messageId !== undefined && entry.packet.messageId !== packet.messageId) {
            session.byMessageId.delete(entry.packet.messageId);
        }
        const { brokerId, brokerCounter } = entry.packet;
        entry.packet =
            packet.cmd === "pubrel" ? { ...entry.packet, cmd: "pubrel", payload: Buffer.alloc(0) } : { ...entry.packet };
        Object.assign(entry.packet, { brokerId, brokerCounter, messageId: packet.messageId });
        entry.sent = true;
        if (packet.messageId !== undefined) {
            session.byMessageId.set(packet.messageId, entry);
        }
        if (entry.packet.qos === 2) {
            this.#write({ type: "put", key: entry.key, value: serialize(entry.packet) });
        }
        session.replayed?.();
    }

    async outgoingClearMessageId(
        client: ClientRef,
        packet: { readonly messageId?: number | undefined },
    ): Promise<Queued | undefined> {
        const session = packet.messageId === undefined ? undefined : this.#sessions.get(client.id);
        const entry = session?.byMessageId.get(packet.messageId ?? 0);
        if (session === undefined || entry === undefined) {
            return undefined;
        }
        this.#forget(session, entry);
        return entry.packet;
    }

    /** Everything that waits for a returning client, oldest first, until nothing waits any more. */
    outgoingStream(client: ClientRef): Readable {
        const session = this.#sessions.get(client.id);
        return Readable.from(session === undefined || client.clean === true ? [] : this.#replay(session), { highWaterMark: 1 });
    }

    async *#replay(session: Session): AsyncGenerator<Queued> {
        const seen = new Set<Entry>();
        let handled = 0;
        session.replayed = () => {
            handled++;
        };
        for (let found = true; found; ) {
            found = false;
            for (const entry of session.queue.values()) {
                if (seen.has(entry)) {
                    continue;
                }
                found = true;
                seen.add(entry);
                const again = entry.sent && entry.packet.cmd === "publish";
                // A QoS 1 message takes a new id, so that it cannot collide with one given out since; QoS 2 needs the old one.
                const messageId = entry.packet.qos === 1 ? undefined : entry.packet.messageId;
                yield { ...entry.packet, messageId, dup: again };
            }
            // What was yielded may still sit in a stream's buffer: new messages must not overtake it.
            for (let turn = 0; handled < seen.size && turn < 10_000; turn++) {
                await new Promise((resolve) => setImmediate(resolve));
            }
        }
        session.replaying = false;
        session.replayed = undefined;
    }

    async incomingStorePacket(client: ClientRef, message: Message): Promise<void> {
        let packets = this.#incoming.get(client.id);
        if (packets === undefined) {
            packets = new Map();
            this.#incoming.set(client.id, packets);
        }
        packets.set(message.messageId ?? 0, message);
    }

    async incomingGetPacket(client: ClientRef, packet: { readonly messageId?: number }): Promise<Message> {
        const found = this.#incoming.get(client.id)?.get(packet.messageId ?? 0);
        if (found === undefined) {
            throw new Error("no such packet");
        }
        return found;
    }

    async incomingDelPacket(client: ClientRef, packet: { readonly messageId?: number }): Promise<void> {
        const packets = this.#incoming.get(client.id);
        packets?.delete(packet.messageId ?? 0);
        if (packets?.size === 0) {
            this.#incoming.delete(client.id);
        }
    }

    async cleanIncoming(client: ClientRef): Promise<void> {
        this.#incoming.delete(client.id);
    }

    async putWill(client: ClientRef, will: Message): Promise<void> {
        Object.assign(will, { clientId: client.id });
        this.#wills.set(client.id, will);
        this.#write({ type: "put", key: `w:${encodeURIComponent(client.id)}`, value: serialize({ ...will }) });
    }

    async getWill(client: ClientRef): Promise<Message | undefined> {
        return this.#wills.get(client.id);
    }

    async delWill(client: ClientRef): Promise<Message | undefined> {
        const will = this.#wills.get(client.id);
        if (will !== undefined) {
            this.#wills.delete(client.id);
            this.#write({ type: "del", key: `w:${encodeURIComponent(client.id)}` });
        }
        return will;
    }

    /** The wills of clients that a killed broker left behind. */
    takeWills(): Message[] {
        const wills = [...this.#wills.values()];
        for (const id of [...this.#wills.keys()]) {
            void this.delWill({ id });
        }
        return wills;
    }

    streamWill(): Readable {
        return Readable.from([]);
    }

    getClientList(topic: string): Readable {
        return Readable.from([...this.#sessions].filter(([, session]) => session.subscriptions.has(topic)).map(([id]) => id));
    }

    async destroy(): Promise<void> {
        await this.#commits.idle();
        await this.#db.close();
    }
}
