import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Alarms } from "../alarms.js";
import type { LocalBrokerConfig } from "../config.js";
import { resolveLimits } from "../config.js";
import type { ClientRecord, Engine } from "../engine.js";
import { writePrivate } from "../files.js";
import { type Log, throttled } from "../log.js";
import { linkOrigin, linkTopicRoot, type Message } from "../message.js";
import { splitShared } from "../topics.js";
import { decodeBatch } from "./frames.js";
import { Link, type LinkHome } from "./link.js";
import { PeerRoutes } from "./peerRoutes.js";
import type { RouteMessage, RouteReply } from "./protocol.js";
import { checkLink, type LinkSettings } from "./settings.js";

const settleMs = 5000;
const rememberedLanes = 2000;

/** The links of this broker: those it has, and what its peers ask of it. */
export class LinkManager {
    readonly #config: LocalBrokerConfig;
    readonly #engine: Engine;
    readonly #log: Log;
    readonly #often: ReturnType<typeof throttled>;
    readonly #path: string;
    readonly #home: LinkHome;
    readonly #links = new Map<string, Link>();
    readonly #filters = new Map<string, number>();
    /** Highest sequence had from each lane of each peer. */
    readonly #lanes = new Map<string, number>();
    readonly peers: PeerRoutes;
    /** Messages of peers that came twice and were dropped, and that came for a link that is not there. */
    readonly inbound = { received: 0, duplicates: 0, refused: 0 };

    constructor(config: LocalBrokerConfig, dataDir: string, engine: Engine, alarms: Alarms, log: Log) {
        this.#config = config;
        this.#engine = engine;
        this.#log = log;
        this.#often = throttled(log, 5000);
        this.#path = join(dataDir, "links.json");
        this.peers = new PeerRoutes(join(dataDir, "routes.json"), resolveLimits(config.limits).routeLifeMs);
        this.peers.onExpired = (peer) => log("cluster_link_routes_expired", { peer });
        this.#home = {
            clusterName: config.clusterName,
            nodeName: config.nodeName,
            namesDir: config.namesDir,
            ...(config.gateway === undefined ? {} : { gateway: config.gateway }),
            alarms,
            log,
            run: randomBytes(4).toString("hex"),
            filters: () => this.#filters.keys(),
        };
        this.#followFilters();
        engine.onLocalPublish = (message) => this.#forward(message);
        engine.onLinkPublish = (record, topic, payload, accept, refuse) => this.#inbox(record, topic, payload, accept, refuse);
    }

    /** Starts the links that were kept. */
    start(): void {
        for (const settings of load(this.#path)) {
            const link = new Link(settings, this.#home);
            this.#links.set(settings.name, link);
            link.start();
        }
    }

    list(): Link[] {
        return [...this.#links.values()];
    }

    get(name: string): Link | undefined {
        return this.#links.get(name);
    }

    /** Makes a link from a POST body. Answers when its connections have come to an answer. */
    async create(body: Record<string, unknown>): Promise<Link> {
        const settings = checkLink(body, undefined, undefined);
        const link = new Link(settings, this.#home);
        this.#links.set(settings.name, link);
        this.#save();
        link.start();
        this.#callPeer(settings.name);
        await link.settled(settleMs);
        return link;
    }

    async update(link: Link, body: Record<string, unknown>): Promise<void> {
        const before = link.settings;
        link.change(checkLink(body, before.name, before));
        this.#save();
        if (before.enable !== link.settings.enable) {
            if (!link.settings.enable) {
                this.peers.forget(before.name);
            }
            this.#callPeer(before.name);
        }
        await link.settled(settleMs);
    }

    remove(link: Link): void {
        const { name } = link.settings;
        this.#links.delete(name);
        this.#save();
        link.stop();
        this.peers.forget(name);
        this.#callPeer(name);
    }

    /** Routes that a link's peer has asked for. */
    routes(link: Link): number {
        return link.settings.enable ? this.peers.count(link.settings.name) : 0;
    }

    /** Waits until all queues are empty, at most `ms`; only links that are up can get there. */
    async drain(ms: number): Promise<void> {
        const end = Date.now() + ms;
        while (Date.now() < end && this.list().some((link) => link.status === "connected" && !link.forwarder.empty)) {
            await new Promise((resolve) => setTimeout(resolve, 10));
        }
        for (const link of this.list()) {
            const { queuing, inflight } = link.forwarder.metrics();
            if (queuing + inflight > 0) {
                this.#log("cluster_link_messages_lost_by_stop", { link: link.settings.name, messages: queuing + inflight });
            }
        }
    }

    /** Stops for the end of the process: the peers keep this cluster's routes, so that they queue for it. */
    stop(): void {
        for (const link of this.list()) {
            link.routes.abandon();
            link.stop();
        }
        this.peers.stop();
    }

    #save(): void {
        writePrivate(this.#path, JSON.stringify(this.list().map((link) => link.settings)));
    }

    #followFilters(): void {
        const follow = (subscription: string, present: boolean) => {
            const filter = splitShared(subscription)?.filter;
            if (filter === undefined || filter.startsWith(linkTopicRoot) || filter.startsWith("$SYS/")) {
                return;
            }
            const before = this.#filters.get(filter) ?? 0;
            const after = before + (present ? 1 : -1);
            if (after > 0) {
                this.#filters.set(filter, after);
            } else {
                this.#filters.delete(filter);
            }
            if (before > 0 !== after > 0) {
                for (const link of this.#links.values()) {
                    link.routes.filterChanged(filter, after > 0);
                }
            }
        };
        for (const filter of [...this.#engine.dispatcher.filters(), ...this.#engine.store.filters()]) {
            follow(filter, true);
        }
        this.#engine.dispatcher.onFilter = follow;
        this.#engine.store.onFilter = follow;
    }

    #forward(message: Message): void {
        if (message.topic.startsWith("$SYS/")) {
            return;
        }
        for (const [name, link] of this.#links) {
            if (link.settings.enable && this.peers.wants(name, message.topic)) {
                link.forwarder.offer(message.topic, message.payload, message.qos, message.clientId ?? "");
            }
        }
    }

    // What peers send

    #inbox(record: ClientRecord, topic: string, payload: Buffer, accept: () => void, refuse: (reason: string) => void): void {
        const peer = record.person.link;
        if (peer !== undefined && topic === `${linkTopicRoot}cluster/msg/${peer}`) {
            this.#messages(peer, payload, accept, refuse);
        } else if (peer !== undefined && topic === `${linkTopicRoot}cluster/route/${peer}`) {
            this.#routes(record, peer, payload);
            accept();
        } else {
            refuse("unknown_topic");
        }
    }

    #messages(peer: string, payload: Buffer, accept: () => void, refuse: (reason: string) => void): void {
        const link = this.#links.get(peer);
        const batch = decodeBatch(payload);
        if (link === undefined || batch === undefined) {
            this.inbound.refused += batch?.messages.length ?? 1;
            this.#often(`refused ${peer}`, "cluster_link_message_refused", {
                peer,
                reason: link === undefined ? "unknown_cluster" : "bad_frame",
            });
            refuse(link === undefined ? "unknown_cluster" : "bad_frame");
            return;
        }
        const key = `${peer} ${batch.lane}`;
        const had = this.#lanes.get(key) ?? 0;
        const fresh = batch.messages.filter((message) => message.seq > had);
        this.inbound.duplicates += batch.messages.length - fresh.length;
        this.inbound.received += fresh.length;
        const last = fresh.at(-1);
        if (last !== undefined) {
            // Set again at the end, so that the lanes in use are the last to be forgotten.
            this.#lanes.delete(key);
            this.#lanes.set(key, last.seq);
            if (this.#lanes.size > rememberedLanes) {
                this.#lanes.delete(this.#lanes.keys().next().value ?? "");
            }
        }
        void this.#engine.inject(fresh, linkOrigin(peer)).then(accept);
    }

    #routes(record: ClientRecord, peer: string, payload: Buffer): void {
        let message: RouteMessage & { incarnation: string };
        try {
            message = JSON.parse(payload.toString()) as typeof message;
        } catch {
            this.#often(`routes ${peer}`, "cluster_link_route_message_malformed", { peer });
            return;
        }
        if (message.t === "init") {
            const reason = this.#unacceptable(peer, message.peer);
            if (reason === undefined) {
                this.peers.begin(peer, message.incarnation);
                this.#reply(record, peer, message.node, { t: "ok" });
            } else {
                this.peers.forget(peer);
                this.#often(`${peer} ${reason}`, "cluster_link_peer_rejected", { peer, reason });
                this.#reply(record, peer, message.node, { t: "error", reason });
            }
        } else if (message.t === "bye") {
            this.peers.forget(peer);
        } else {
            const { incarnation } = message;
            const known =
                message.t === "all"
                    ? this.peers.part(peer, incarnation, message.add, message.last)
                    : message.t === "delta"
                      ? this.peers.delta(peer, incarnation, message.add, message.del)
                      : this.peers.touch(peer, incarnation);
            const accepted = this.#links.get(peer)?.settings.enable === true;
            if (!known && accepted) {
                this.#reply(record, peer, "", { t: "resync" });
            }
        }
    }

    #unacceptable(peer: string, calledHere: string): Extract<RouteReply, { t: "error" }>["reason"] | undefined {
        if (calledHere !== this.#config.clusterName) {
            return "bad_remote_cluster_link_name";
        }
        const link = this.#links.get(peer);
        if (link === undefined) {
            return "unknown_cluster";
        }
        return link.settings.enable ? undefined : "cluster_link_disabled";
    }

    #reply(record: ClientRecord, peer: string, node: string, reply: RouteReply): void {
        this.#engine.tell(record, `${linkTopicRoot}cluster/resp/${peer}/${node}`, JSON.stringify(reply));
    }

    /** Asks a connected peer to introduce itself again, because the link to it has changed here. */
    #callPeer(peer: string): void {
        for (const record of this.#engine.clients.values()) {
            if (record.person.link === peer && record.person.clientId.includes(":routesync:")) {
                this.#reply(record, peer, "", { t: "resync" });
            }
        }
    }
}

function load(path: string): LinkSettings[] {
    try {
        return JSON.parse(readFileSync(path, "utf8")) as LinkSettings[];
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return [];
        }
        throw error;
    }
}
