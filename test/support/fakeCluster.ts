import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ApiEndpoint } from "../../src/emqx/endpoint.js";

/** A broker node of a {@link FakeCluster}. */
export interface FakeNode {
    readonly node: string;
    status: "running" | "stopped";
    version: string;
    /** Sessions, connected or not. */
    sessions: number;
    connected: number;
    startedAt: number;
    draining: string | undefined;
    /** Its drain moves nobody. */
    sticky: boolean;
    /** It answers for itself alone, as a node that has not found the others yet. */
    alone: boolean;
    /** It does not say how long it has been up. */
    ageless: boolean;
}

type Answer = { readonly status: number; readonly body?: unknown; readonly html?: string } | "cut" | "hang";

const api = "/api/v5";

/**
 * The REST API of an EMQX cluster of several nodes behind one door, as far as its nodes go. Each connection is answered by the next
 * running node in turn, as a load balancer does. Machines of a program start and stop nodes by `POST /machine/start/{node}`. A drained
 * node's clients are gone at the next look, its sessions at the one after.
 */
export class FakeCluster {
    clusterName = "m-aws";
    readonly nodes = new Map<string, FakeNode>();
    /** Every request as `METHOD /path`, without GETs. */
    readonly writes: string[] = [];
    readonly bodies: unknown[] = [];
    looks = 0;
    /** Called before each look, with its number from 1. */
    onLook: (look: number) => void = () => {};
    /** Answers in place of everything. */
    fault: Answer | undefined;
    /** Answers in place of requests that match. */
    readonly faults: { readonly request: RegExp; readonly answer: Answer }[] = [];
    readonly #server: Server;
    readonly #answering = new WeakMap<object, string>();
    #turn = 0;

    private constructor() {
        this.#server = createServer((request, response) => {
            let text = "";
            request.on("data", (chunk: Buffer) => {
                text += chunk.toString();
            });
            request.on("end", () => this.#handle(request, text, response));
        });
    }

    static async start(...names: string[]): Promise<FakeCluster> {
        const fake = new FakeCluster();
        for (const name of names) {
            fake.run(name);
        }
        await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
        return fake;
    }

    /** A node starts, or starts again. */
    run(node: string, more: Partial<FakeNode> = {}): FakeNode {
        const made: FakeNode = {
            node,
            status: "running",
            version: "5.10.3",
            sessions: 0,
            connected: 0,
            startedAt: Date.now(),
            draining: this.nodes.get(node)?.draining,
            sticky: false,
            alone: false,
            ageless: false,
            ...more,
        };
        this.nodes.set(node, made);
        return made;
    }

    stopNode(node: string): void {
        const found = this.nodes.get(node);
        if (found !== undefined) {
            found.status = "stopped";
        }
    }

    get api(): ApiEndpoint {
        const { port } = this.#server.address() as AddressInfo;
        return { url: `http://127.0.0.1:${port}`, key: "k", secret: "s3cret-value" };
    }

    async stop(): Promise<void> {
        const closed = new Promise((resolve) => this.#server.close(resolve));
        this.#server.closeAllConnections();
        await closed;
    }

    #handle(request: IncomingMessage, text: string, response: ServerResponse): void {
        const ask = `${request.method ?? ""} ${decodeURIComponent(request.url ?? "")}`;
        const machine = /^POST \/machine\/(start|stop)\/(.+)$/.exec(ask);
        if (machine !== null) {
            const [, verb, node = ""] = machine;
            this.writes.push(`${verb} ${node}`);
            if (verb === "start") {
                this.run(node);
            } else {
                this.stopNode(node);
            }
            response.writeHead(204).end();
            return;
        }
        if (ask === `GET ${api}/cluster`) {
            this.onLook(++this.looks);
        }
        if (request.method !== "GET") {
            this.writes.push(ask.replace(api, ""));
            this.bodies.push(text === "" ? undefined : JSON.parse(text));
        }
        const answer =
            this.fault ??
            this.faults.find(({ request: matches }) => matches.test(ask))?.answer ??
            this.#answer(ask.replace(api, ""), request.socket);
        if (answer === "hang") {
            return;
        }
        if (answer === "cut") {
            response.destroy();
            return;
        }
        response.writeHead(answer.status, { "content-type": answer.html === undefined ? "application/json" : "text/html" });
        response.end(answer.html ?? (answer.body === undefined ? "" : JSON.stringify(answer.body)));
    }

    /** The node that answers on a connection. */
    #self(socket: object): FakeNode | undefined {
        const running = [...this.nodes.values()].filter(({ status }) => status === "running");
        const before = running.find(({ node }) => node === this.#answering.get(socket));
        const self = before ?? running[this.#turn++ % Math.max(1, running.length)];
        if (self !== undefined) {
            this.#answering.set(socket, self.node);
        }
        return self;
    }

    #answer(ask: string, socket: object): Answer {
        const self = this.#self(socket);
        if (self === undefined) {
            return "cut";
        }
        const visible = self.alone ? [self] : [...this.nodes.values()].filter(({ alone }) => !alone);
        switch (ask) {
            case "GET /cluster":
                return { status: 200, body: { name: this.clusterName, nodes: visible.map(({ node }) => node), self: self.node } };
            case "GET /nodes":
                return { status: 200, body: visible.map((each) => this.#shown(each)) };
            case "GET /load_rebalance/global_status": {
                const drained = visible.filter(({ draining, status }) => draining !== undefined && status === "running");
                return {
                    status: 200,
                    body: {
                        rebalances: [],
                        purges: [],
                        evacuations: drained.map(({ node, draining }) => ({ node, state: draining })),
                    },
                };
            }
            case "GET /load_rebalance/availability_check":
                return self.draining === undefined
                    ? { status: 200, body: {} }
                    : { status: 503, body: { code: "NODE_EVACUATING", message: "Node Evacuating" } };
        }
        const change =
            /^(?:POST|DELETE) \/(?:load_rebalance|cluster)\/([^/]+)\/(evacuation\/start|evacuation\/stop|force_leave)$/.exec(ask);
        return this.#change(
            change?.[2] ?? "",
            visible.find(({ node }) => node === change?.[1]),
        );
    }

    #shown(each: FakeNode): Record<string, unknown> {
        if (each.status === "stopped") {
            return { node: each.node, node_status: "stopped" };
        }
        if (each.draining !== undefined && !each.sticky) {
            each.sessions = each.connected === 0 ? 0 : each.sessions;
            each.connected = 0;
        }
        return {
            node: each.node,
            node_status: "running",
            role: "core",
            version: each.version,
            edition: "Enterprise",
            connections: each.sessions,
            live_connections: each.connected,
            ...(each.ageless ? {} : { uptime: Date.now() - each.startedAt }),
        };
    }

    #change(action: string, target: FakeNode | undefined): Answer {
        if (target === undefined) {
            return action === "force_leave"
                ? { status: 400, body: { code: "BAD_REQUEST", message: "{node_not_in_cluster,x}" } }
                : { status: 404, body: { code: "NOT_FOUND", message: "Node not found: x" } };
        }
        const refused = (why: string) => ({
            status: 400,
            body: { code: "BAD_REQUEST", message: `error on node '${target.node}': ${why}` },
        });
        switch (action) {
            case "evacuation/start":
                if (target.draining !== undefined) {
                    return refused("already_started");
                }
                target.draining = "evicting_conns";
                return { status: 200, body: {} };
            case "evacuation/stop":
                if (target.draining === undefined) {
                    return refused("not_started");
                }
                target.draining = undefined;
                return { status: 200, body: {} };
            case "force_leave":
                this.nodes.delete(target.node);
                return { status: 204 };
            default:
                return { status: 404, body: { code: "NOT_FOUND", message: "no such path" } };
        }
    }
}
