import type { ClientRecord, Engine, ListenerId } from "../engine.js";
import type { Listener } from "../listeners.js";
import { ApiError, type Call, noContent, objectBody, ok, page, type Route } from "./router.js";

function show(engine: Engine, node: string, record: ClientRecord): Record<string, unknown> {
    const { client, person } = record;
    const subscriptions = Object.keys((client as unknown as { subscriptions: object }).subscriptions).length;
    return {
        node,
        clientid: client.id,
        username: person.username,
        connected: true,
        connected_at: new Date(record.connectedAt).toISOString(),
        created_at: new Date(record.connectedAt).toISOString(),
        clean_start: client.clean,
        expiry_interval: client.clean ? 0 : 7200,
        ip_address: record.address,
        port: record.port,
        keepalive: record.keepalive,
        listener: record.listener,
        proto_name: "MQTT",
        proto_ver: client.version,
        is_superuser: person.superuser,
        is_bridge: false,
        subscriptions_cnt: subscriptions,
        mqueue_len: engine.store.waiting(client.id),
        inflight_cnt: 0,
        recv_msg: record.received,
        send_msg: record.sent,
    };
}

/** `/clients`, `/publish` and the retained messages. */
export function clientRoutes(engine: Engine, node: string): Route[] {
    const one = ({ params }: Call): ClientRecord => {
        const record = engine.clients.get(params.id ?? "");
        if (record === undefined) {
            throw new ApiError(404, "CLIENTID_NOT_FOUND", "Client ID not found");
        }
        return record;
    };
    return [
        {
            method: "GET",
            path: "/api/v5/clients",
            handle: ({ query }) => {
                const like = query.get("like_clientid");
                const ids = query.getAll("clientid");
                const users = query.getAll("username");
                const likeUser = query.get("like_username");
                const wanted = query.get("fields")?.split(",");
                const found = [...engine.clients.values()].filter(
                    ({ client, person }) =>
                        (like === null || client.id.includes(like)) &&
                        (ids.length === 0 || ids.includes(client.id)) &&
                        (users.length === 0 || users.includes(person.username ?? "")) &&
                        (likeUser === null || (person.username ?? "").includes(likeUser)),
                );
                const shown = found.map((record) => {
                    const all = show(engine, node, record);
                    return wanted === undefined || wanted[0] === "all"
                        ? all
                        : Object.fromEntries(Object.entries(all).filter(([key]) => wanted.includes(key)));
                });
                // EMQX does not count what it searched by part of a name.
                return ok(page(shown, query, like === null && likeUser === null));
            },
        },
        { method: "GET", path: "/api/v5/clients/{id}", handle: (call) => ok(show(engine, node, one(call))) },
        {
            method: "DELETE",
            path: "/api/v5/clients/{id}",
            handle: (call) => {
                engine.kick(one(call).client.id);
                return noContent;
            },
        },
        {
            method: "POST",
            path: "/api/v5/clients/kickout/bulk",
            handle: ({ body }) => {
                for (const id of Array.isArray(body) ? body : []) {
                    engine.kick(String(id));
                }
                return noContent;
            },
        },
        { method: "POST", path: "/api/v5/publish", handle: (call) => publish(engine, call) },
        ...retainedRoutes(engine),
    ];
}

function publish(engine: Engine, call: Call) {
    const body = objectBody(call);
    const { topic, qos = 0, retain = false, payload = "", payload_encoding: encoding = "plain" } = body;
    if (typeof topic !== "string" || topic === "" || /[+#]/.test(topic) || topic.startsWith("$LINK/")) {
        throw new ApiError(400, "BAD_REQUEST", "topic must be a topic name without wildcards");
    }
    if (![0, 1, 2].includes(qos as number) || typeof payload !== "string") {
        throw new ApiError(400, "BAD_REQUEST", "qos must be 0, 1 or 2 and payload a text");
    }
    const bytes = Buffer.from(payload, encoding === "base64" ? "base64" : "utf8");
    const taken = engine.publish({ topic, payload: bytes, qos: qos as 0 | 1 | 2, retain: retain === true });
    return taken > 0
        ? ok({ id: `${Date.now().toString(16).toUpperCase()}` })
        : { status: 202, body: { message: "no_matching_subscribers", reason_code: 16 } };
}

function retainedRoutes(engine: Engine): Route[] {
    const root = "/api/v5/mqtt/retainer";
    const one = ({ params }: Call) => {
        const message = engine.store.retained.get(params.topic ?? "");
        if (message === undefined) {
            throw new ApiError(404, "NOT_FOUND", "Viewed message doesn't exist");
        }
        return message;
    };
    const show = (message: ReturnType<typeof one>) => ({
        msgid: `${message.brokerId}${message.brokerCounter}`,
        topic: message.topic,
        qos: message.qos,
        publish_at: new Date(message.publishedAt).toISOString(),
        from_clientid: message.clientId ?? "",
        from_username: "",
    });
    return [
        {
            method: "GET",
            path: `${root}/messages`,
            handle: ({ query }) => ok(page([...engine.store.retained.values()].map(show), query)),
        },
        {
            method: "GET",
            path: `${root}/message/{topic}`,
            handle: (call) => ok({ ...show(one(call)), payload: one(call).payload.toString("base64") }),
        },
        {
            method: "DELETE",
            path: `${root}/message/{topic}`,
            handle: (call) => {
                engine.store.retain({ ...one(call), payload: Buffer.alloc(0) });
                return noContent;
            },
        },
    ];
}

/** `/listeners`: the MQTT doors and their switches. */
export function listenerRoutes(listeners: Record<ListenerId, Listener>, node: string): Route[] {
    const one = ({ params }: Call): Listener => {
        const id = params.id ?? "";
        if (!Object.hasOwn(listeners, id)) {
            throw new ApiError(404, "BAD_LISTENER_ID", "Listener id not found");
        }
        return listeners[id as ListenerId];
    };
    const show = (listener: Listener) => {
        const [type, name] = listener.id.split(":");
        const status = {
            running: listener.running,
            max_connections: listener.maxConnections,
            current_connections: listener.connections,
        };
        return {
            id: listener.id,
            type,
            name,
            enable: listener.enabled,
            bind: listener.bind,
            acceptors: 1,
            proxy_protocol: listener.proxyProtocol,
            number: 1,
            status,
            node_status: [{ node, status }],
        };
    };
    const act = async (call: Call) => {
        const listener = one(call);
        const { action } = call.params;
        if (action === "start" || action === "enable") {
            listener.enabled = action === "enable" ? true : listener.enabled;
            await listener.open();
        } else if (action === "stop" || action === "disable") {
            listener.enabled = action === "disable" ? false : listener.enabled;
            await listener.close();
        } else if (action === "restart") {
            await listener.close();
            await listener.open();
        } else {
            throw new ApiError(400, "BAD_REQUEST", `unknown action ${action}; use start, stop or restart`);
        }
        return { status: 200 };
    };
    const root = "/api/v5/listeners";
    return [
        { method: "GET", path: root, handle: () => ok(Object.values(listeners).map(show)) },
        { method: "GET", path: `${root}/{id}`, handle: (call) => ok(show(one(call))) },
        {
            method: "PUT",
            path: `${root}/{id}`,
            handle: async (call) => {
                const listener = one(call);
                const { enable } = objectBody(call);
                if (enable === true) {
                    listener.enabled = true;
                    await listener.open();
                } else if (enable === false) {
                    listener.enabled = false;
                    await listener.close();
                }
                return ok(show(listener));
            },
        },
        {
            method: "DELETE",
            path: `${root}/{id}`,
            handle: (call) => {
                one(call);
                throw new ApiError(400, "BAD_REQUEST", "this local broker keeps its listeners; stop it instead");
            },
        },
        { method: "POST", path: `${root}/{id}/{action}`, handle: act },
    ];
}
