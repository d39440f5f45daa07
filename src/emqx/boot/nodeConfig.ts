import { doorPorts } from "../ports.js";
import { bootPaths, tlsPath } from "./bootItems.js";

/** What a node's configuration is made from. */
export interface NodeConfigInput {
    readonly clusterName: string;
    readonly nodeName: string;
    readonly seeds: readonly string[];
    readonly sessionQueueMessages: number;
}

/** TLS settings of one door. */
export interface NodeTls {
    readonly cacertfile: string;
    readonly certfile: string;
    readonly keyfile: string;
    readonly versions: readonly string[];
    readonly verify: "verify_none" | "verify_peer";
    readonly fail_if_no_peer_cert?: boolean;
}

interface Off {
    readonly enable: false;
    readonly bind: string;
}

/** A node's `emqx.conf`. The keys are EMQX's. */
export interface NodeConfig {
    readonly node: { readonly name: string; readonly data_dir: string };
    readonly cluster: {
        readonly name: string;
        readonly discovery_strategy: "static";
        readonly static: { readonly seeds: readonly string[] };
    };
    readonly rpc: { readonly listen_address: string };
    readonly api_key: { readonly bootstrap_file: string };
    readonly telemetry: { readonly enable: false };
    readonly mqtt: { readonly max_mqueue_len: number };
    readonly dashboard: {
        readonly listeners: {
            readonly http: { readonly bind: string };
            readonly https: { readonly bind: string; readonly ssl_options: Omit<NodeTls, "verify" | "fail_if_no_peer_cert"> };
        };
    };
    readonly listeners: {
        readonly tcp: { readonly default: Off };
        readonly ws: { readonly default: Off };
        readonly wss: { readonly default: Off };
        readonly ssl: {
            readonly default: { readonly bind: string; readonly ssl_options: NodeTls };
            readonly links: { readonly bind: string; readonly max_connections: number; readonly ssl_options: NodeTls };
        };
    };
    readonly authentication: readonly {
        readonly mechanism: "password_based";
        readonly backend: "built_in_database";
        readonly enable: true;
        readonly user_id_type: "username";
        readonly password_hash_algorithm: { readonly name: "sha256"; readonly salt_position: "suffix" };
        readonly bootstrap_file: string;
        readonly bootstrap_type: "plain";
    }[];
    readonly authorization: {
        readonly no_match: "deny";
        readonly deny_action: "ignore";
        readonly cache: { readonly enable: true };
        readonly sources: readonly (
            | { readonly type: "built_in_database"; readonly enable: true }
            | { readonly type: "file"; readonly enable: true; readonly path: string }
        )[];
    };
}

const versions = ["tlsv1.3", "tlsv1.2"] as const;
/** Links of 119 peers with 7 nodes each, 10 connections per node, and as many again while they reconnect. */
const mostLinkConnections = 16_384;
/** EMQX's own plain REST door: for this machine alone. */
const localApiPort = 18_083;

/**
 * A node's configuration. Its parts were booted on EMQX 5.10.3 on 2026-11-23, apart from `mqtt.max_mqueue_len` and the first source of
 * `authorization`, which follow EMQX's documentation of 5.10.
 *
 * Listeners bind every address: behind a load balancer that passes packets on, they arrive with the balancer's address as destination.
 * Cookie, dashboard password and licence are not in it; EMQX takes them from its environment.
 */
export function nodeConfig({ clusterName, nodeName, seeds, sessionQueueMessages }: NodeConfigInput): NodeConfig {
    const server = doorTls("server-cert", "server-key");
    return {
        node: { name: nodeName, data_dir: bootPaths.data },
        cluster: { name: clusterName, discovery_strategy: "static", static: { seeds } },
        rpc: { listen_address: "0.0.0.0" },
        api_key: { bootstrap_file: bootPaths.apiKeys },
        telemetry: { enable: false },
        mqtt: { max_mqueue_len: sessionQueueMessages },
        dashboard: {
            listeners: {
                http: { bind: `127.0.0.1:${localApiPort}` },
                https: { bind: everywhere(doorPorts.api), ssl_options: server },
            },
        },
        listeners: {
            tcp: { default: { enable: false, bind: "127.0.0.1:1883" } },
            ws: { default: { enable: false, bind: "127.0.0.1:8083" } },
            wss: { default: { enable: false, bind: "127.0.0.1:8084" } },
            ssl: {
                default: { bind: everywhere(doorPorts.clients), ssl_options: { ...server, verify: "verify_none" } },
                links: {
                    bind: everywhere(doorPorts.links),
                    max_connections: mostLinkConnections,
                    ssl_options: { ...doorTls("link-cert", "link-key"), verify: "verify_peer", fail_if_no_peer_cert: true },
                },
            },
        },
        authentication: [
            {
                mechanism: "password_based",
                backend: "built_in_database",
                enable: true,
                user_id_type: "username",
                password_hash_algorithm: { name: "sha256", salt_position: "suffix" },
                bootstrap_file: bootPaths.users,
                bootstrap_type: "plain",
            },
        ],
        authorization: {
            no_match: "deny",
            deny_action: "ignore",
            cache: { enable: true },
            // The database first: peers' users have their own rules there, which the file would deny.
            sources: [
                { type: "built_in_database", enable: true },
                { type: "file", enable: true, path: bootPaths.acl },
            ],
        },
    };
}

/** The configuration as text for `emqx.conf`: JSON, of which EMQX's HOCON is a superset. */
export function renderNodeConfig(input: NodeConfigInput): string {
    return `${JSON.stringify(nodeConfig(input), undefined, 1)}\n`;
}

function doorTls(cert: "server-cert" | "link-cert", key: "server-key" | "link-key") {
    return { cacertfile: tlsPath("ca"), certfile: tlsPath(cert), keyfile: tlsPath(key), versions };
}

function everywhere(port: number): string {
    return `0.0.0.0:${port}`;
}

/**
 * The rule file, asked after the built-in database: link topics belong to the peers' users, whose rules stand there; the rest is open to
 * every user that could log in.
 */
export const aclText = `%% Asked after the built-in database, in which the peers' link users have their own rules.
{deny, all, all, ["$LINK/#"]}.
{deny, all, subscribe, ["$SYS/#", {eq, "#"}, {eq, "+/#"}]}.
{allow, all}.
`;
