import * as net from "node:net";
import * as tls from "node:tls";
import { type IClientOptions, MqttClient } from "mqtt";
import type { MqttEndpoint } from "../emqx/endpoint.js";
import { checkWay, parseProxy } from "../emqx/proxy.js";
import { openTunnel, TunnelFailure } from "../emqx/tunnel.js";
import { messageOf, OperationError } from "../errors.js";
import { type ConnectAttempt, type ConnectStage, connectError, ProbeConnectError, proxyError } from "./connectError.js";

/** A message as the probe takes it. */
export type ProbeListener = (payload: Uint8Array, qos: number) => void;

/** What a {@link ProbeClient} connects as. */
export interface ProbeClientOptions {
    readonly site: string;
    readonly endpoint: MqttEndpoint;
    readonly clientId: string;
    /** Seconds until the broker must have accepted the connection. */
    readonly timeoutSeconds: number;
    readonly signal?: AbortSignal | undefined;
}

/** Seconds of silence after which the probe's own connection counts as broken. */
const keepaliveSeconds = 10;
/** Milliseconds that a goodbye may take before the socket is destroyed. */
const goodbyeMs = 1_000;

/**
 * One MQTT 3.1.1 connection of a delivery run: a clean session that never reconnects. A connection that breaks would lose messages of
 * its own, and these must not be counted as the link's.
 */
export class ProbeClient {
    /** Settles with the cause when the connection breaks before {@link close}; never resolves. */
    readonly broken: Promise<never>;
    private readonly client: MqttClient;
    private readonly options: ProbeClientOptions;
    private closing = false;

    private constructor(client: MqttClient, options: ProbeClientOptions) {
        this.client = client;
        this.options = options;
        this.broken = new Promise((_resolve, reject) => {
            client.once("close", () => {
                if (!this.closing) {
                    reject(
                        this.failure(
                            "keep the delivery probe connected",
                            "the broker closed the probe's own connection during the run",
                        ),
                    );
                }
            });
        });
        this.broken.catch(() => {});
    }

    /**
     * Connects.
     *
     * @throws ProbeConnectError with the exact cause
     */
    static async connect(options: ProbeClientOptions): Promise<ProbeClient> {
        options.signal?.throwIfAborted();
        const { endpoint } = options;
        checkWay(endpoint);
        const began = performance.now();
        const at = { stage: "tcp" as ConnectStage, code: undefined as string | undefined };
        const attempt = (): ConnectAttempt => ({
            site: options.site,
            host: endpoint.host,
            port: endpoint.port,
            tls: endpoint.tls,
            serverName: endpoint.serverName ?? endpoint.host,
            username: endpoint.username,
            hasCertificate: endpoint.cert !== undefined,
            stage: at.stage,
            waitedSeconds: (performance.now() - began) / 1000,
            by: wayOf(endpoint),
        });
        const failed = (code: string | number) => connectError(attempt(), code);
        const tunnel = await tunnelTo(options).catch((error: unknown) => {
            throw error instanceof TunnelFailure ? proxyError(attempt(), error) : error;
        });
        const client = new MqttClient(() => openStream(endpoint, at, tunnel), mqttOptions(options));
        let stopWaiting = () => {};
        try {
            await new Promise<void>((resolve, reject) => {
                const timer = setTimeout(
                    () => reject(failed("timeout")),
                    Math.max(0, options.timeoutSeconds * 1000 - (performance.now() - began)),
                );
                const aborted = () => reject(options.signal?.reason);
                options.signal?.addEventListener("abort", aborted, { once: true });
                stopWaiting = () => {
                    clearTimeout(timer);
                    options.signal?.removeEventListener("abort", aborted);
                };
                client.once("connect", () => resolve());
                client.once("error", (error) => reject(failed(codeOf(error) ?? at.code ?? "protocol")));
                client.once("close", () => reject(failed(at.code ?? "closed")));
            });
        } catch (error) {
            destroy(client);
            throw error;
        } finally {
            stopWaiting();
        }
        // What breaks from now on is told by `broken`.
        client.on("error", () => {});
        return new ProbeClient(client, options);
    }

    /** Hands every message that arrives to `listener`. */
    listen(listener: ProbeListener): void {
        this.client.on("message", (_topic, payload, packet) => listener(payload, packet.qos));
    }

    /**
     * Subscribes to exact topics.
     *
     * @throws OperationError when the broker refuses one of them
     */
    async subscribe(topics: readonly string[], qos: 0 | 1 | 2): Promise<void> {
        try {
            await this.kept(this.client.subscribeAsync([...topics], { qos }));
        } catch (error) {
            if (error instanceof OperationError) {
                throw error;
            }
            const refused = topics.filter((_topic, index) => (grantsOf(error)[index] ?? 0) >= 128);
            throw refused.length === 0
                ? this.refusedSubscription(topics, messageOf(error))
                : this.refusedSubscription(refused, "the broker refuses the subscription");
        }
    }

    /** Publishes without waiting; `done` is called when the broker has acknowledged, never when it has not. */
    publish(topic: string, payload: Buffer, qos: 0 | 1 | 2, done: () => void): void {
        this.client.publish(topic, payload, { qos, retain: false }, (error) => {
            if (error === undefined || error === null) {
                done();
            }
        });
    }

    /** Says goodbye, so that the broker drops the session at once. Never throws and never takes longer than a second or so. */
    async close(): Promise<void> {
        this.closing = true;
        await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, goodbyeMs);
            this.client.end(false, {}, () => {
                clearTimeout(timer);
                resolve();
            });
        });
        destroy(this.client);
    }

    private refusedSubscription(topics: readonly string[], message: string): OperationError {
        return this.failure(
            `subscribe the delivery probe to ${topics.map((topic) => `"${topic}"`).join(", ")}`,
            message,
            "Allow the probe's user to subscribe under the linked topics on this cluster.",
        );
    }

    private failure(what: string, message: string, todo?: string): ProbeConnectError {
        const { site, endpoint } = this.options;
        const where = `site "${site}" (${endpoint.host}:${endpoint.port})`;
        return new ProbeConnectError({ what, where, message, todo }, "refused", false);
    }

    private kept<T>(work: Promise<T>): Promise<T> {
        return Promise.race([work, this.broken]);
    }
}

function mqttOptions({ endpoint, clientId }: ProbeClientOptions): IClientOptions {
    return {
        protocolVersion: 4,
        clientId,
        clean: true,
        reconnectPeriod: 0,
        resubscribe: false,
        queueQoSZero: true,
        keepalive: keepaliveSeconds,
        // The deadline is ours: it knows how far the connection had come.
        connectTimeout: 2 ** 30,
        ...(endpoint.username === undefined ? {} : { username: endpoint.username }),
        // MQTT 3.1.1 has no password without a user name.
        ...(endpoint.username === undefined || endpoint.password === undefined ? {} : { password: endpoint.password }),
    };
}

/**
 * The connection itself. mqtt.js opens sockets with Nagle's algorithm on, which would be measured as 44 ms of the link's latency;
 * and it hides TLS errors behind a plain close.
 */
function openStream(
    endpoint: MqttEndpoint,
    at: { stage: ConnectStage; code: string | undefined },
    tunnel: net.Socket | undefined,
): net.Socket {
    const { serverName, ca, cert, key } = endpoint;
    const name = serverName ?? endpoint.host;
    const { host, port } = endpoint.connect ?? endpoint;
    if (tunnel !== undefined) {
        at.stage = endpoint.tls ? "tls" : "mqtt";
    }
    const socket = endpoint.tls
        ? tls.connect({
              ...(tunnel === undefined ? { host, port } : { socket: tunnel }),
              ...(net.isIP(name) === 0 ? { servername: name } : {}),
              ...(ca === undefined ? {} : { ca }),
              ...(cert === undefined ? {} : { cert }),
              ...(key === undefined ? {} : { key }),
              checkServerIdentity: (_asked, certificate) => tls.checkServerIdentity(name, certificate),
              rejectUnauthorized: true,
          })
        : (tunnel ?? net.connect({ host, port }));
    socket.setNoDelay(true);
    socket.once("connect", () => {
        at.stage = endpoint.tls ? "tls" : "mqtt";
    });
    socket.once("secureConnect", () => {
        at.stage = "mqtt";
    });
    socket.on("error", (error) => {
        at.code ??= String(codeOf(error) ?? "closed");
    });
    return socket;
}

/** The connection to the door through its proxy, where it has one. */
async function tunnelTo({ endpoint, timeoutSeconds, signal }: ProbeClientOptions): Promise<net.Socket | undefined> {
    return endpoint.proxy === undefined
        ? undefined
        : openTunnel(parseProxy(endpoint.proxy), endpoint, { seconds: timeoutSeconds, signal });
}

/** Where is dialled in place of the door, for messages; a proxy without its login. */
function wayOf({ connect, proxy }: MqttEndpoint): string | undefined {
    if (proxy !== undefined) {
        return `the proxy ${parseProxy(proxy).shown}`;
    }
    return connect === undefined ? undefined : `${connect.host}:${connect.port}`;
}

function codeOf(error: unknown): string | number | undefined {
    const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
    return typeof code === "string" || typeof code === "number" ? code : undefined;
}

/** The return codes of a SUBACK that mqtt.js turned into an error. */
function grantsOf(error: unknown): readonly number[] {
    const packet = typeof error === "object" && error !== null && "packet" in error ? error.packet : undefined;
    const granted = typeof packet === "object" && packet !== null && "granted" in packet ? packet.granted : undefined;
    return Array.isArray(granted) ? granted.map(Number) : [];
}

function destroy(client: MqttClient): void {
    client.on("error", () => {});
    client.end(true);
    client.stream.destroy();
}
