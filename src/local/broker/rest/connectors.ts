import { randomBytes } from "node:crypto";
import { LinkConnection } from "../links/connection.js";
import { findWay, type LinkWay } from "../links/names.js";
import { checkLink, LinkRefusal, splitServer } from "../links/settings.js";
import { targetOf } from "../links/target.js";
import { ApiError, type Call, noContent, objectBody, type Route } from "./router.js";

/** What the route needs of its broker. */
export interface ConnectorParts extends LinkWay {
    readonly clusterName: string;
}

/** EMQX gives a connector that is tried out this long. */
const startMs = 5_000;
const knownFields = [
    "type",
    "name",
    "server",
    "proto_ver",
    "clientid_prefix",
    "username",
    "password",
    "ssl",
    "clean_start",
    "keepalive",
    "resource_opts",
];

/** `/connectors_probe`, for connectors of type mqtt: tries whether this broker can connect to another one, and leaves nothing behind. */
export function connectorRoutes(parts: ConnectorParts): Route[] {
    return [{ method: "POST", path: "/api/v5/connectors_probe", handle: async (call) => probe(call, parts) }];
}

async function probe(call: Call, parts: ConnectorParts) {
    const body = objectBody(call);
    if (body.type !== "mqtt") {
        throw new ApiError(400, "BAD_REQUEST", "this local broker tries out connectors of type mqtt only");
    }
    const unknown = Object.keys(body).filter((key) => !knownFields.includes(key));
    if (unknown.length > 0) {
        throw new ApiError(400, "BAD_REQUEST", JSON.stringify({ unknown: unknown.join(","), reason: "unknown_fields" }));
    }
    const settings = settingsOf(body);
    const { host, port } = splitServer(settings.server);
    const clientId = `${body.clientid_prefix ?? "probe"}:${parts.clusterName}:${randomBytes(4).toString("hex")}`;
    const reason = await new Promise<string | undefined>((resolve) => {
        const connection: LinkConnection = new LinkConnection({
            clientId,
            target: async () => targetOf(settings, await findWay(parts, host, port), host),
            retryMs: startMs,
            healthMs: startMs,
            startMs,
            onUp: () => done(undefined),
            onDown: (why) => done(why),
            onAck: () => {},
            onMessage: () => {},
        });
        const done = (answer: string | undefined) => {
            connection.stop();
            resolve(answer);
        };
        connection.start();
    });
    if (reason !== undefined) {
        throw new ApiError(400, "TEST_FAILED", reason);
    }
    return noContent;
}

/** The connector's fields that a link has as well, checked as a link's. */
function settingsOf({ server, username, password, ssl }: Record<string, unknown>) {
    const given = Object.entries({ server, username, password, ssl }).filter(([, value]) => value !== undefined);
    try {
        return checkLink({ name: "probe", topics: [], ...Object.fromEntries(given) }, undefined, undefined);
    } catch (error) {
        if (error instanceof LinkRefusal) {
            throw new ApiError(400, "BAD_REQUEST", error.message);
        }
        throw error;
    }
}
