import type { Aedes, AuthenticateError, Client } from "aedes" with { "resolution-mode": "import" };
import { type IConnectPacket, writeToStream } from "mqtt-packet";
import { matches } from "../../emqx/topicFilter.js";
import type { Access, Person } from "./access.js";
import type { LocalBrokerConfig } from "./config.js";
import { resolveLimits } from "./config.js";
import { Dispatcher } from "./dispatcher.js";
import { type Log, throttled } from "./log.js";
import { compact, linkTopicRoot, type Message } from "./message.js";
import { refuseMqtt5 } from "./mqtt5.js";
import { Store, type SubscriptionRecord } from "./store.js";
import { splitShared } from "./topics.js";

/** Which door a connection came in by. */
export type ListenerId = "tcp:default" | "ssl:default" | "ssl:links";

/** What the broker knows of a connected client, beside aedes' own record. */
export interface ClientRecord {
    readonly client: Client;
    readonly person: Person;
    readonly listener: ListenerId;
    readonly address: string;
    readonly port: number;
    readonly connectedAt: number;
    readonly keepalive: number;
    received: number;
    sent: number;
}

/** Counters of this broker since its start. */
export interface EngineCounters {
    received: number;
    sent: number;
    dropped: number;
    refusedMqtt5: number;
    refusedLogin: number;
    deniedPublish: number;
    deniedSubscribe: number;
}

/** Handles a publish below `$LINK/` by a peer. `accept` acknowledges it, `refuse` does so after telling the peer why. */
export type LinkInbox = (
    record: ClientRecord,
    topic: string,
    payload: Buffer,
    accept: () => void,
    refuse: (reason: string) => void,
) => void;

/** EMQX takes these as commands; here they would silently do nothing, so they are refused. */
const unsupported = /^\$(queue|exclusive|delayed)\//;

/** How long a link waits for a client that does not read. */
const patienceMs = 2000;
/** Bytes that may wait for one client's socket; beyond it the client is disconnected and a kept session goes on later. */
const maxSocketBytes = 32 * 1024 * 1024;

/** Topic that a handled or denied publish is sent to, so that aedes acknowledges it and nobody gets it. */
const nowhere = "$void";
/** Topic of the note that precedes the acknowledgement of a refused link message. */
export const refusalTopic = `${linkTopicRoot}refused`;

type Written = { written?: Promise<void> };
type CloseReason = Error & { returnCode?: number };

interface ClientState extends Client {
    duplicates: Record<string, number>;
    subscriptions: Record<string, { qos: 0 | 1 | 2 }>;
    lastDelivered?: string;
    refuseWith?: CloseReason;
}

/** The MQTT side of the broker: aedes with this broker's store, dispatcher and access rules around it. */
export class Engine {
    readonly dispatcher = new Dispatcher();
    readonly store: Store;
    readonly clients = new Map<string, ClientRecord>();
    readonly counters: EngineCounters = {
        received: 0,
        sent: 0,
        dropped: 0,
        refusedMqtt5: 0,
        refusedLogin: 0,
        deniedPublish: 0,
        deniedSubscribe: 0,
    };
    /** Set while the node is being evacuated or stops: new connections are refused. */
    refuseNew = false;
    /** Told of every message that a client of this broker published, in order. */
    onLocalPublish: (message: Message) => void = () => {};
    onLinkPublish: LinkInbox = (_record, _topic, _payload, _accept, refuse) => refuse("no_link");
    /** Told when a link client of a peer has come or gone. */
    onClient: (record: ClientRecord, present: boolean) => void = () => {};
    readonly brokerId: string;
    readonly #access: Access;
    readonly #often: ReturnType<typeof throttled>;
    readonly #maxPacketBytes: number;
    #aedes: Aedes | undefined;
    #counter = 0;

    private constructor(store: Store, access: Access, log: Log, maxPacketBytes: number) {
        this.store = store;
        this.#access = access;
        this.#often = throttled(log, 1000);
        this.#maxPacketBytes = maxPacketBytes;
        // Ordered by time, so that what waits from before a restart is delivered before what came after it.
        this.brokerId = `${Date.now().toString(36).padStart(9, "0")}${Math.random().toString(36).slice(2, 6)}`;
    }

    static async start(config: LocalBrokerConfig, folder: string, access: Access, log: Log): Promise<Engine> {
        const limits = resolveLimits(config.limits);
        const store = await Store.open(folder, limits.sessionQueueMessages);
        const often = throttled(log, 5000);
        store.onFailure = (error) => often("disk", "store_write_failed", { reason: error.message, folder });
        const engine = new Engine(store, access, log, limits.maxPacketBytes);
        const { Aedes } = await import("aedes");
        const aedes = new Aedes({
            id: engine.brokerId,
            mq: engine.dispatcher,
            persistence: store,
            drainTimeout: limits.slowClientMs,
            connectTimeout: 10_000,
            queueLimit: 1000,
            maxClientsIdLength: 65_535,
            preConnect: (client, packet, done) => engine.#preConnect(client as ClientState, packet, done),
            authenticate: (client, username, password, done) =>
                engine.#authenticate(client as ClientState, username, password, done),
            authorizePublish: (client, packet, done) => engine.#authorizePublish(client, packet as Message, done),
            authorizeSubscribe: (client, record, done) =>
                done(null, engine.#authorizeSubscribe(client, record as SubscriptionRecord) ? record : null),
            authorizeForward: (client, packet) =>
                engine.#forward(client as ClientState, packet as Message) ? packet : (null as unknown as typeof packet),
        });
        engine.#aedes = aedes;
        await aedes.listen();
        Object.assign(aedes, {
            publish: (message: Message & Written, client: Client | null | (() => void), done?: () => void) =>
                engine.#aedesPublish(
                    message,
                    typeof client === "function" ? null : client,
                    (typeof client === "function" ? client : done) ?? (() => {}),
                ),
        });
        aedes.on("client", (client) => engine.#welcome(client as ClientState));
        aedes.on("clientDisconnect", (client) => engine.#farewell(client));
        aedes.on("clientError", (client, error) =>
            engine.#often(`error ${client.id}`, "client_error", { clientid: client.id, reason: error.message }),
        );
        aedes.on("connectionError", (client, error) => {
            const address = (client.conn as { remoteAddress?: string }).remoteAddress;
            engine.#often(`connection ${error.message}`, "connection_refused", { reason: error.message, address });
        });
        for (const will of store.takeWills()) {
            engine.publish({ topic: will.topic, payload: will.payload, qos: will.qos, retain: will.retain });
        }
        return engine;
    }

    /** Takes over a connection from a listener. */
    handle(connection: import("node:net").Socket, listener: ListenerId): void {
        const details = { listener, address: connection.remoteAddress ?? "", port: connection.remotePort ?? 0 };
        const client = this.#aedes?.handle(connection, details as never);
        const parser = (client as unknown as { _parser: { _list: { length: number } } } | undefined)?._parser;
        connection.on("readable", () => {
            if (parser !== undefined && parser._list.length > this.#maxPacketBytes) {
                client?.emit("error", new Error(`packet larger than ${this.#maxPacketBytes} bytes`));
            }
        });
    }

    /** Publishes in the name of the broker itself (REST, wills). Returns how many subscriptions took it here. */
    publish(message: Pick<Message, "topic" | "payload" | "qos" | "retain">): number {
        const complete = this.#complete(message, undefined);
        this.counters.received++;
        this.#keep(complete);
        this.onLocalPublish(complete);
        return this.dispatcher.emit(complete);
    }

    /**
     * Delivers messages that came by a link, in order. Resolves when they are on the disk where a kept session waits for them, and written to the clients that
     * are here, so that a link does not run ahead of them; for clients that do not read it does not wait long.
     */
    inject(messages: readonly Pick<Message, "topic" | "payload" | "qos">[], origin: string): Promise<void> {
        const complete = messages.map((message) => this.#complete({ ...message, retain: false }, origin));
        for (const message of complete) {
            this.#keep(message);
        }
        return new Promise((resolve) => {
            this.store.whenWritten(() => {
                let open = complete.length + 1;
                const one = () => {
                    if (--open === 0) {
                        clearTimeout(patience);
                        resolve();
                    }
                };
                const patience = setTimeout(resolve, patienceMs);
                for (const message of complete) {
                    if (this.dispatcher.emit(message, one) === 0) {
                        this.counters.dropped++;
                    }
                }
                one();
            });
        });
    }

    /** Disconnects a client. False when there is none of that id. */
    kick(clientId: string): boolean {
        const record = this.clients.get(clientId);
        (record?.client.conn as { destroy?: () => void } | undefined)?.destroy?.();
        return record !== undefined;
    }

    /** Sends a message to one connected client, whatever it subscribes to. */
    tell(record: ClientRecord, topic: string, payload: Buffer | string): void {
        // Written at once, so that it cannot fall behind an acknowledgement that follows.
        if (!record.client.closed) {
            writeToStream({ cmd: "publish", topic, payload, qos: 0, retain: false, dup: false }, record.client.conn);
        }
    }

    async stop(): Promise<void> {
        const aedes = this.#aedes;
        if (aedes !== undefined) {
            await new Promise<void>((resolve) => aedes.close(resolve));
        }
        await this.store.destroy();
    }

    #complete(message: Pick<Message, "topic" | "payload" | "qos" | "retain">, clientId: string | undefined): Message {
        return {
            cmd: "publish",
            topic: message.topic,
            payload: compact(message.payload),
            qos: message.qos,
            retain: message.retain,
            dup: false,
            ...(clientId === undefined ? {} : { clientId }),
            brokerId: this.brokerId,
            brokerCounter: ++this.#counter,
        };
    }

    #keep(message: Message): void {
        if (message.retain) {
            this.store.retain(message);
        }
        if (message.qos > 0) {
            this.store.enqueue(message);
        }
    }

    // aedes' hooks

    #preConnect(client: ClientState, packet: IConnectPacket, done: (error: Error | null, go: boolean) => void): void {
        if (packet.protocolVersion === 5) {
            this.counters.refusedMqtt5++;
            this.#often("mqtt5", "mqtt5_refused", {
                clientid: packet.clientId,
                hint: "this local broker speaks MQTT 3.1 and 3.1.1",
            });
            refuseMqtt5(client.conn, () => done(new Error("MQTT 5 is not spoken here; connect with MQTT 3.1.1"), false));
            return;
        }
        if (this.refuseNew) {
            client.refuseWith = Object.assign(new Error("Server unavailable"), { returnCode: 3 });
        } else if (packet.clientId.startsWith(linkTopicRoot)) {
            client.refuseWith = Object.assign(new Error("client id is reserved"), { returnCode: 2 });
        }
        Object.assign(client, { keepalive: packet.keepalive ?? 0 });
        done(null, true);
    }

    #authenticate(
        client: ClientState,
        username: string | undefined,
        password: Buffer | undefined,
        done: (error: AuthenticateError | null, success: boolean | null) => void,
    ): void {
        if (client.refuseWith !== undefined) {
            done(client.refuseWith as AuthenticateError, null);
            return;
        }
        const listener = listenerOf(client);
        const person = this.#access.login(username, password, client.id, listener === "ssl:links");
        if (typeof person === "string") {
            this.counters.refusedLogin++;
            this.#often(`login ${username} ${person}`, "login_refused", {
                clientid: client.id,
                username,
                listener,
                reason: person,
            });
            done(Object.assign(new Error(person), { returnCode: person === "bad_username_or_password" ? 4 : 5 }), null);
            return;
        }
        // aedes would drop a message as a duplicate when a later one of another publisher was faster; identity is checked in #forward instead.
        client.duplicates = new Proxy({}, { get: () => 0, set: () => true });
        Object.assign(client, { person });
        done(null, true);
    }

    #welcome(client: ClientState): void {
        const details = (client as unknown as { req: { address: string; port: number } }).req;
        const record: ClientRecord = {
            client,
            person: personOf(client),
            listener: listenerOf(client),
            address: details.address,
            port: details.port,
            connectedAt: Date.now(),
            keepalive: (client as unknown as { keepalive: number }).keepalive,
            received: 0,
            sent: 0,
        };
        this.clients.set(client.id, record);
        this.onClient(record, true);
    }

    #farewell(client: Client): void {
        const record = this.clients.get(client.id);
        if (record?.client === client) {
            this.clients.delete(client.id);
            this.onClient(record, false);
        }
    }

    #authorizePublish(client: Client | null, packet: Message & Written, done: (error?: Error | null) => void): void {
        const person = client === null ? undefined : personOf(client);
        if (person !== undefined && (unsupported.test(packet.topic) || !this.#access.mayPublish(person, packet.topic))) {
            this.counters.deniedPublish++;
            this.#often(`publish ${person.username} ${packet.topic}`, "cannot_publish_to_topic_due_to_not_authorized", {
                clientid: person.clientId,
                username: person.username,
                topic: packet.topic,
            });
            if (this.#access.denyAction === "disconnect" || packet.cmd !== "publish") {
                done(new Error(`not authorized to publish to ${packet.topic}`));
                return;
            }
            const record = this.clients.get(person.clientId);
            if (packet.topic.startsWith(linkTopicRoot) && person.link !== undefined && record !== undefined) {
                this.#refuse(record, packet, "not_authorized");
            }
            swallow(packet);
            done();
            return;
        }
        const record = client === null ? undefined : this.clients.get(client.id);
        if (record !== undefined && packet.cmd === "publish") {
            record.received++;
            if (packet.topic.startsWith(linkTopicRoot)) {
                const { topic, payload } = packet;
                const accept = () => {
                    swallow(packet);
                    done();
                };
                this.onLinkPublish(record, topic, payload, accept, (reason) => {
                    this.#refuse(record, packet, reason);
                    accept();
                });
                return;
            }
            if (packet.qos < 2) {
                this.#accept(packet, record.client.id, done);
                return;
            }
        }
        done();
    }

    /** Keeps and forwards a publish before aedes acknowledges it; aedes itself would acknowledge first. */
    #accept(packet: Message & Written, clientId: string, done: () => void): void {
        this.counters.received++;
        const message = this.#complete(packet, clientId);
        this.#keep(message);
        this.store.whenWritten(() => {
            this.onLocalPublish(message);
            packet.written = new Promise((resolve) => this.dispatcher.emit(message, resolve));
            swallow(packet);
            done();
        });
    }

    #aedesPublish(packet: Message & Written, client: Client | null, done: () => void): void {
        if (packet.topic === nowhere) {
            if (packet.written === undefined) {
                done();
            } else {
                packet.written.then(done, done);
            }
        } else if (packet.topic.startsWith("$SYS/")) {
            done();
        } else {
            this.#accept({ ...packet }, client?.id ?? "", done);
        }
    }

    #refuse(record: ClientRecord, packet: Message, reason: string): void {
        this.tell(record, refusalTopic, JSON.stringify({ messageId: packet.messageId, topic: packet.topic, reason }));
    }

    #authorizeSubscribe(client: Client, record: SubscriptionRecord): boolean {
        const split = splitShared(record.topic);
        const person = personOf(client);
        if (split === undefined || unsupported.test(split.filter) || !this.#access.maySubscribe(person, split.filter)) {
            record.denied = true;
            this.counters.deniedSubscribe++;
            this.#often(`subscribe ${person.username} ${record.topic}`, "cannot_subscribe_topic_due_to_not_authorized", {
                clientid: person.clientId,
                username: person.username,
                topic: record.topic,
            });
            return false;
        }
        return true;
    }

    /** Whether a client gets a message now. Narrows the QoS to what the client asked for. */
    #forward(client: ClientState, message: Message): boolean {
        if (client.conn.writableLength > maxSocketBytes) {
            this.#often(`slow ${client.id}`, "slow_client_disconnected", { clientid: client.id });
            client.conn.destroy();
            return false;
        }
        if (message.brokerId) {
            if (message.qos > 0 && message.messageId === undefined && !client.clean && this.store.isReplaying(client.id)) {
                // It waits in the session's queue and comes in its turn; a replayed message already has its id.
                return false;
            }
            const identity = `${message.brokerId}${message.brokerCounter}`;
            if (client.lastDelivered === identity) {
                return false;
            }
            client.lastDelivered = identity;
        }
        if (message.qos === 2 || message.retain) {
            message.qos = Math.min(message.qos, grantedQos(client, message.topic)) as 0 | 1 | 2;
        }
        const record = this.clients.get(client.id);
        if (record !== undefined) {
            record.sent++;
        }
        this.counters.sent++;
        return true;
    }
}

function swallow(packet: Message): void {
    packet.topic = nowhere;
    packet.payload = Buffer.alloc(0);
    packet.retain = false;
}

function listenerOf(client: Client): ListenerId {
    return (client as unknown as { req: { listener: ListenerId } }).req.listener;
}

function personOf(client: Client): Person {
    return (client as unknown as { person: Person }).person;
}

function grantedQos(client: ClientState, topic: string): number {
    let granted = -1;
    for (const [subscription, { qos }] of Object.entries(client.subscriptions)) {
        const split = splitShared(subscription);
        if (split !== undefined && matches(split.filter, topic)) {
            granted = Math.max(granted, qos);
        }
    }
    return granted < 0 ? 2 : granted;
}
