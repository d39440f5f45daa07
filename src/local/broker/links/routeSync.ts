import { randomBytes } from "node:crypto";
import { type Log, throttled } from "../log.js";
import { linkTopicRoot } from "../message.js";
import { intersection } from "../topics.js";
import { type ConnectionTarget, LinkConnection } from "./connection.js";
import type { RouteMessage, RouteReply } from "./protocol.js";

export interface RouteSyncSettings {
    readonly clientId: string;
    readonly topics: readonly string[];
    readonly retryMs: number;
    readonly healthMs: number;
    readonly startMs: number;
}

const chunk = 1000;

/** The asking half of a link: tells the peer which topics this cluster wants, and keeps it told. */
export class RouteSync {
    readonly #self: string;
    readonly #node: string;
    readonly #peer: string;
    readonly #target: () => Promise<ConnectionTarget>;
    readonly #log: Log;
    readonly #often: ReturnType<typeof throttled>;
    readonly #incarnation = randomBytes(8).toString("hex");
    #connection: LinkConnection | undefined;
    #topics: readonly string[] = [];
    readonly #filters = new Set<string>();
    /** Wanted routes with the number of subscriptions behind each. */
    #routes = new Map<string, number>();
    #told = new Set<string>();
    #accepted = false;
    #flushing = false;
    #messageId = 0;
    #retryMs = 1000;
    #retry: NodeJS.Timeout | undefined;
    #beat: NodeJS.Timeout | undefined;
    /** The peer's last refusal, empty while it accepts. */
    refusal = "";

    constructor(self: string, node: string, peer: string, target: () => Promise<ConnectionTarget>, log: Log) {
        this.#self = self;
        this.#node = node;
        this.#peer = peer;
        this.#target = target;
        this.#log = log;
        this.#often = throttled(log, 5000);
    }

    start(settings: RouteSyncSettings, filters: Iterable<string>): void {
        this.#close();
        this.#filters.clear();
        for (const filter of filters) {
            this.#filters.add(filter);
        }
        this.setTopics(settings.topics);
        this.#retryMs = Math.min(1000, settings.retryMs);
        const connection = new LinkConnection({
            ...settings,
            target: this.#target,
            onUp: () => this.#hello(),
            onDown: () => this.#lost(),
            onAck: () => {},
            onMessage: (topic, payload) => this.#answer(topic, payload),
        });
        this.#connection = connection;
        connection.subscribe(`${linkTopicRoot}cluster/resp/${this.#self}/${this.#node}`);
        connection.start();
        this.#beat = setInterval(() => this.#send({ t: "ping" }), Math.min(5000, settings.healthMs));
        this.#beat.unref();
    }

    /** Tells the peer that nothing is wanted any more and closes. */
    stop(): void {
        if (this.#accepted) {
            this.#send({ t: "bye" });
        }
        this.#close();
    }

    /** Closes without a word: the peer goes on queueing for this cluster until the routes' life ends. */
    abandon(): void {
        this.#accepted = false;
        this.#close();
    }

    /** Changes what is wanted; routes that stay are not touched. */
    setTopics(topics: readonly string[]): void {
        this.#topics = topics;
        const routes = new Map<string, number>();
        for (const filter of this.#filters) {
            for (const route of this.#routesOf(filter)) {
                routes.set(route, (routes.get(route) ?? 0) + 1);
            }
        }
        this.#routes = routes;
        this.#flushSoon();
    }

    /** A filter got its first or lost its last subscription in this cluster. */
    filterChanged(filter: string, present: boolean): void {
        if (present === this.#filters.has(filter)) {
            return;
        }
        if (present) {
            this.#filters.add(filter);
        } else {
            this.#filters.delete(filter);
        }
        for (const route of this.#routesOf(filter)) {
            const count = (this.#routes.get(route) ?? 0) + (present ? 1 : -1);
            if (count > 0) {
                this.#routes.set(route, count);
            } else {
                this.#routes.delete(route);
            }
        }
        this.#flushSoon();
    }

    #routesOf(filter: string): Set<string> {
        const routes = new Set<string>();
        for (const topic of this.#topics) {
            const route = intersection(filter, topic.startsWith("$share/") ? topic.split("/").slice(2).join("/") : topic);
            if (route !== undefined) {
                routes.add(route);
            }
        }
        return routes;
    }

    #close(): void {
        clearTimeout(this.#retry);
        clearInterval(this.#beat);
        this.#connection?.stop();
        this.#connection = undefined;
        this.#accepted = false;
    }

    #lost(): void {
        this.#accepted = false;
        clearTimeout(this.#retry);
    }

    #hello(): void {
        clearTimeout(this.#retry);
        this.#accepted = false;
        this.#send({ t: "init", node: this.#node, peer: this.#peer });
    }

    #answer(topic: string, payload: Buffer): void {
        let reply: RouteReply;
        try {
            reply = JSON.parse(payload.toString()) as RouteReply;
        } catch {
            return;
        }
        if (topic === `${linkTopicRoot}refused`) {
            this.#refused((reply as { reason?: string }).reason ?? "refused");
        } else if (reply.t === "ok") {
            this.#accepted = true;
            if (this.refusal !== "") {
                this.#log("cluster_link_handshake_accepted", { link: this.#peer });
            }
            this.refusal = "";
            this.#tellAll();
        } else if (reply.t === "error") {
            this.#refused(reply.reason);
        } else if (reply.t === "resync") {
            this.#hello();
        }
    }

    #refused(reason: string): void {
        this.#accepted = false;
        this.refusal = reason;
        this.#often(reason, "cluster_link_handshake_rejected", { link: this.#peer, reason });
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => this.#hello(), this.#retryMs);
    }

    #tellAll(): void {
        const routes = [...this.#routes.keys()];
        this.#told = new Set(routes);
        let at = 0;
        do {
            const add = routes.slice(at, at + chunk);
            at += chunk;
            this.#send({ t: "all", add, last: at >= routes.length });
        } while (at < routes.length);
    }

    /** Gathers what changes in one turn into one message. */
    #flushSoon(): void {
        if (!this.#flushing) {
            this.#flushing = true;
            queueMicrotask(() => {
                this.#flushing = false;
                this.#flush();
            });
        }
    }

    #flush(): void {
        if (!this.#accepted) {
            return;
        }
        const add = [...this.#routes.keys()].filter((route) => !this.#told.has(route));
        const gone = this.#told.size + add.length > this.#routes.size;
        const del = gone ? [...this.#told].filter((route) => !this.#routes.has(route)) : [];
        this.#told = new Set(this.#routes.keys());
        for (let at = 0; at < Math.max(add.length, del.length); at += chunk) {
            this.#send({ t: "delta", add: add.slice(at, at + chunk), del: del.slice(at, at + chunk) });
        }
    }

    #send(message: RouteMessage): void {
        if (this.#connection?.up === true) {
            this.#messageId = (this.#messageId % 65_535) + 1;
            const payload = JSON.stringify({ ...message, incarnation: this.#incarnation });
            this.#connection.publish(`${linkTopicRoot}cluster/route/${this.#self}`, payload, this.#messageId, false);
        }
    }
}
