import { freemem, loadavg, totalmem } from "node:os";
import type { Alarms } from "../alarms.js";
import type { LocalBrokerConfig } from "../config.js";
import type { Engine } from "../engine.js";
import type { Evacuations } from "../evacuation.js";
import type { License } from "../license.js";
import type { LinkManager } from "../links/manager.js";
import { showLink } from "../links/settings.js";
import type { Member, Members } from "../members.js";
import { ApiError, type Call, noContent, objectBody, ok, page, type Route } from "./router.js";

export interface NodeParts {
    readonly config: LocalBrokerConfig;
    readonly engine: Engine;
    readonly links: LinkManager;
    readonly alarms: Alarms;
    readonly members: Members;
    readonly evacuations: Evacuations;
    readonly license: License;
}

function gigabytes(bytes: number): string {
    return `${(bytes / 1024 ** 3).toFixed(2)}G`;
}

function statusRoutes({ config, members }: NodeParts): Route[] {
    const status = (call: Call) =>
        call.query.get("format") === "json"
            ? ok({
                  broker_status: "started",
                  rel_vsn: `e${config.reportedVersion}`,
                  cluster: config.clusterName,
                  app_status: "running",
                  node_name: members.self,
              })
            : { status: 200, text: `Node ${members.self} is started\nemqx is running` };
    return [
        { method: "GET", path: "/status", open: true, handle: status },
        { method: "GET", path: "/api/v5/status", open: true, handle: status },
    ];
}

function nodeInfo({ config, evacuations }: NodeParts, { node, status, startedAt, version }: Member): Record<string, unknown> {
    if (status === "stopped") {
        return { node, node_status: "stopped", role: "core" };
    }
    const [load1 = 0, load5 = 0, load15 = 0] = loadavg();
    const { connected, sessions } = evacuations.load(node);
    return {
        node,
        version: version ?? config.reportedVersion,
        edition: "Enterprise",
        otp_release: "local stand-in on aedes",
        role: "core",
        node_status: "running",
        uptime: Date.now() - startedAt,
        load1,
        load5,
        load15,
        memory_used: gigabytes(totalmem() - freemem()),
        memory_total: gigabytes(totalmem()),
        max_fds: 1_048_576,
        connections: sessions.length,
        live_connections: connected.length,
        cluster_sessions: sessions.length,
        process_available: 1,
        process_used: 1,
        log_path: "broker.log",
        sys_path: ".",
    };
}

/** The node that a path names. */
function named(members: Members, { params }: Call): Member {
    const member = members.find(params.node ?? "");
    if (member === undefined) {
        throw new ApiError(404, "NOT_FOUND", `Node not found: ${params.node}`);
    }
    return member;
}

function clusterRoutes(parts: NodeParts): Route[] {
    const { config, members, license } = parts;
    return [
        {
            method: "GET",
            path: "/api/v5/cluster",
            handle: () =>
                ok({
                    name: config.clusterName,
                    nodes: members.running().map(({ node }) => node),
                    self: members.self,
                }),
        },
        {
            method: "PUT",
            path: "/api/v5/cluster/{node}/invite",
            handle: () => {
                throw new ApiError(400, "BAD_REQUEST", "nodedown");
            },
        },
        {
            method: "DELETE",
            path: "/api/v5/cluster/{node}/force_leave",
            handle: ({ params }) => {
                const member = members.find(params.node ?? "");
                // The real one lets a running node go too, which then joins again by its seeds; here it simply stays.
                if (member === undefined || member.node === members.self) {
                    throw new ApiError(400, "BAD_REQUEST", member === undefined ? "node_not_in_cluster" : "self");
                }
                if (member.status === "stopped") {
                    members.forget(member.node);
                }
                return noContent;
            },
        },
        {
            method: "GET",
            path: "/api/v5/nodes",
            handle: () => ok(members.list().map((member) => nodeInfo(parts, member))),
        },
        {
            method: "GET",
            path: "/api/v5/nodes/{node}",
            handle: (call) => ok(nodeInfo(parts, named(members, call))),
        },
        {
            method: "GET",
            path: "/api/v5/license",
            handle: () => ok(license.show()),
        },
        {
            method: "POST",
            path: "/api/v5/license",
            handle: (call) => {
                const { key } = objectBody(call);
                if (typeof key !== "string") {
                    throw new ApiError(400, "BAD_REQUEST", "Invalid request params");
                }
                if (!license.load(key)) {
                    throw new ApiError(400, "BAD_REQUEST", "Bad license key");
                }
                return ok(license.show());
            },
        },
        { method: "GET", path: "/api/v5/configs", handle: (call) => showConfig(call, parts) },
    ];
}

function showConfig(call: Call, { config, links }: NodeParts) {
    if (call.query.get("key") !== "cluster") {
        throw new ApiError(404, "NOT_FOUND", "this local broker shows the key cluster only");
    }
    // The real one shows the links' passwords here; a stand-in need not.
    const cluster = {
        autoclean: "24h",
        autoheal: true,
        discovery_strategy: "manual",
        links: links.list().map((link) => showLink(link.settings)),
        name: config.clusterName,
        proto_dist: "inet_tcp",
    };
    return { status: 200, text: `cluster ${JSON.stringify(cluster, undefined, 2)}\n` };
}

function monitorRoutes({ config, engine, alarms, license }: NodeParts): Route[] {
    const alarm = (active: boolean) =>
        alarms.list(active).map(({ name, message, details, activatedAt, deactivatedAt }) => ({
            node: config.nodeName,
            name,
            message,
            details,
            duration: (deactivatedAt ?? Date.now()) - activatedAt,
            activate_at: new Date(activatedAt).toISOString(),
            deactivate_at: deactivatedAt === undefined ? "infinity" : new Date(deactivatedAt).toISOString(),
        }));
    let before = { at: Date.now(), received: 0, sent: 0, dropped: 0 };
    let rates = { received: 0, sent: 0, dropped: 0 };
    /** Per second since the last look, at least one second ago. */
    const measure = () => {
        const { received, sent, dropped } = engine.counters;
        const now = { at: Date.now(), received, sent, dropped };
        const seconds = (now.at - before.at) / 1000;
        if (seconds >= 1) {
            const per = (key: "received" | "sent" | "dropped") => Math.round((now[key] - before[key]) / seconds);
            rates = { received: per("received"), sent: per("sent"), dropped: per("dropped") };
            before = now;
        }
    };
    const monitor = () => {
        measure();
        const sessions = new Set([...engine.clients.keys(), ...engine.store.sessionIds()]).size;
        return {
            connections: sessions,
            live_connections: engine.clients.size,
            topics: engine.dispatcher.filters().length,
            subscriptions: engine.dispatcher.subscriptions,
            subscriptions_ram: engine.dispatcher.subscriptions,
            subscriptions_durable: 0,
            shared_subscriptions: engine.dispatcher.sharedSubscriptions,
            disconnected_durable_sessions: 0,
            license_quota: license.sessions,
            retained_msg_count: engine.store.retained.size,
            actions_executed_rate: 0,
            dropped_msg_rate: rates.dropped,
            persisted_rate: 0,
            received_msg_rate: rates.received,
            rules_matched_rate: 0,
            sent_msg_rate: rates.sent,
            transformation_failed_rate: 0,
            transformation_succeeded_rate: 0,
            validation_failed_rate: 0,
            validation_succeeded_rate: 0,
        };
    };
    return [
        {
            method: "GET",
            path: "/api/v5/alarms",
            handle: (call) => ok(page(alarm(call.query.get("activated") !== "false"), call.query)),
        },
        {
            method: "DELETE",
            path: "/api/v5/alarms",
            handle: () => {
                alarms.clearHistory();
                return noContent;
            },
        },
        { method: "GET", path: "/api/v5/monitor_current", handle: () => ok(monitor()) },
        { method: "GET", path: "/api/v5/monitor_current/nodes/{node}", handle: () => ok(monitor()) },
        {
            method: "GET",
            path: "/api/v5/topics",
            handle: (call) => {
                const filters = new Set([...engine.dispatcher.filters(), ...engine.store.filters()]);
                const wanted = call.query.get("topic");
                const topics = [...filters].filter(
                    (topic) => !topic.startsWith("$SYS/") && (wanted === null || wanted === topic),
                );
                return ok(
                    page(
                        topics.map((topic) => ({ node: config.nodeName, topic })),
                        call.query,
                    ),
                );
            },
        },
    ];
}

function rebalanceRoutes({ members, evacuations }: NodeParts): Route[] {
    const root = "/api/v5/load_rebalance";
    return [
        {
            method: "GET",
            path: `${root}/availability_check`,
            open: true,
            handle: () => {
                if (evacuations.all) {
                    throw new ApiError(503, "NODE_EVACUATING", "Node Evacuating");
                }
                return ok({});
            },
        },
        { method: "GET", path: `${root}/status`, handle: () => ok(evacuations.of(members.self).status()) },
        {
            method: "GET",
            path: `${root}/global_status`,
            handle: () =>
                ok({
                    rebalances: [],
                    purges: [],
                    evacuations: evacuations.running.map(([node, evacuation]) => ({ node, ...evacuation.status() })),
                }),
        },
        {
            method: "POST",
            path: `${root}/{node}/evacuation/start`,
            handle: (call) => {
                evacuations.of(named(members, call).node).start(call.body === undefined ? {} : objectBody(call));
                return ok({});
            },
        },
        {
            method: "POST",
            path: `${root}/{node}/evacuation/stop`,
            handle: (call) => {
                evacuations.of(named(members, call).node).stop();
                return ok({});
            },
        },
    ];
}

export function nodeRoutes(parts: NodeParts): Route[] {
    return [...statusRoutes(parts), ...clusterRoutes(parts), ...monitorRoutes(parts), ...rebalanceRoutes(parts)];
}
