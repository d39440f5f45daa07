import { createServer as createTcp, type Server, type Socket } from "node:net";
import { createServer as createTls, type SecureContextOptions, type Server as TlsServer } from "node:tls";
import { OperationError } from "../../errors.js";
import { type LocalBrokerConfig, resolveLimits } from "./config.js";
import type { ListenerId } from "./engine.js";
import { type Log, throttled } from "./log.js";
import { type Origin, readProxyHeader } from "./proxyHeader.js";

/** A door for MQTT. It can be closed and opened again on the same port. */
export class Listener {
    readonly id: ListenerId;
    readonly #bind: string;
    readonly #make: () => Server | TlsServer;
    readonly #accept: (socket: Socket) => void;
    readonly #maxConnections: number;
    /** Whether connections say in their first line where they come from. */
    readonly proxyProtocol: boolean;
    readonly #sockets = new Set<Socket>();
    #server: Server | TlsServer | undefined;
    /** What listens: the server itself, or what reads the first line of every connection before the server gets it. */
    #door: Server | undefined;
    #port: number;
    /** False: off, also after a restart of the listener by REST. */
    enabled: boolean;

    constructor(
        id: ListenerId,
        config: {
            readonly bind: string;
            readonly port: number;
            readonly enabled: boolean;
            readonly maxConnections: number;
            readonly proxyProtocol: boolean;
        },
        make: () => Server | TlsServer,
        accept: (socket: Socket) => void,
    ) {
        this.id = id;
        this.#bind = config.bind;
        this.#port = config.port;
        this.enabled = config.enabled;
        this.#maxConnections = config.maxConnections;
        this.proxyProtocol = config.proxyProtocol;
        this.#make = make;
        this.#accept = accept;
    }

    get running(): boolean {
        return this.#server !== undefined;
    }

    get port(): number {
        return this.enabled || this.running ? this.#port : 0;
    }

    get bind(): string {
        return `${this.#bind}:${this.#port}`;
    }

    get connections(): number {
        return this.#sockets.size;
    }

    get maxConnections(): number {
        return this.#maxConnections;
    }

    async open(): Promise<void> {
        if (this.#server !== undefined) {
            return;
        }
        const server = this.#make();
        const origins = new Map<number | undefined, Origin>();
        const door = this.proxyProtocol ? behindProxies(server, origins) : server;
        door.maxConnections = this.#maxConnections;
        door.on("connection", (socket: Socket) => {
            socket.setNoDelay(true);
            this.#sockets.add(socket);
            socket.on("close", () => this.#sockets.delete(socket));
            socket.on("error", () => {});
        });
        server.on(this.id === "tcp:default" ? "connection" : "secureConnection", (socket: Socket) => {
            const origin = origins.get(socket.remotePort);
            if (origin !== undefined) {
                Object.defineProperties(socket, {
                    remoteAddress: { value: origin.address },
                    remotePort: { value: origin.port },
                });
            }
            this.#accept(socket);
        });
        await listen(door, this.#bind, this.#port, this.id);
        const address = door.address();
        this.#port = typeof address === "object" && address !== null ? address.port : this.#port;
        this.#server = server;
        this.#door = door;
    }

    /** Closes the door and every connection that came by it. */
    async close(): Promise<void> {
        const door = this.#door;
        this.#server = undefined;
        this.#door = undefined;
        for (const socket of this.#sockets) {
            socket.destroy();
        }
        if (door !== undefined) {
            await new Promise<void>((resolve) => door.close(() => resolve()));
        }
    }

    /** New connections use this certificate; those that exist stay. */
    renew(context: SecureContextOptions): void {
        if (this.#server !== undefined && "setSecureContext" in this.#server) {
            this.#server.setSecureContext(context);
        }
    }
}

/** A server that hands connections on when their first line has said where they come from; others it ends. */
function behindProxies(server: Server, origins: Map<number | undefined, Origin>): Server {
    return createTcp((socket) => {
        const { remotePort } = socket;
        socket.on("close", () => origins.delete(remotePort));
        void readProxyHeader(socket).then((origin) => {
            if (origin === undefined) {
                socket.destroy();
            } else {
                origins.set(remotePort, origin);
                server.emit("connection", socket);
            }
        });
    });
}

/** Binds a server. Throws {@link OperationError} when the port is taken. */
export async function listen(server: Server, bind: string, port: number, what: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) =>
            reject(
                new OperationError({
                    what: `open the listener ${what}`,
                    where: `${bind}:${port}`,
                    code: error.code,
                    message: error.message,
                    todo: error.code === "EADDRINUSE" ? " Set another port, or stop the program that uses this one." : undefined,
                }),
            ),
        );
        server.listen(port, bind, () => {
            server.removeAllListeners("error");
            server.on("error", () => {});
            resolve();
        });
    });
}

/** Certificate options of the client door and the REST API. */
export function serverContext(config: LocalBrokerConfig): SecureContextOptions {
    return { cert: config.tls.serverCert, key: config.tls.serverKey, minVersion: "TLSv1.2" };
}

/** Certificate options of the link door: clients need a certificate of the mesh's CA. */
export function linkContext(config: LocalBrokerConfig): SecureContextOptions {
    return { cert: config.tls.linkCert, key: config.tls.linkKey, ca: config.tls.ca, minVersion: "TLSv1.2" };
}

/** The three MQTT doors. `current` gives the configuration of the moment, so that a reopened door has the newest certificates. */
export function mqttListeners(
    current: () => LocalBrokerConfig,
    accept: (socket: Socket, listener: ListenerId) => void,
    log: Log,
): Record<ListenerId, Listener> {
    const config = current();
    const { maxConnections } = resolveLimits(config.limits);
    const often = throttled(log, 5000);
    const make = (id: ListenerId, port: number, enabled: boolean, server: () => Server | TlsServer) =>
        new Listener(
            id,
            {
                bind: config.bind,
                port,
                enabled,
                maxConnections,
                proxyProtocol: id === "ssl:links" && config.proxyProtocol === true,
            },
            server,
            (socket) => accept(socket, id),
        );
    const noted = (id: ListenerId, server: TlsServer) => {
        server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) =>
            often(`${id} ${error.code}`, "tls_handshake_failed", {
                listener: id,
                reason: error.code ?? error.message,
                address: socket.remoteAddress,
            }),
        );
        return server;
    };
    return {
        "tcp:default": make("tcp:default", config.ports.mqtt, config.ports.mqtt !== 0, () => createTcp()),
        "ssl:default": make("ssl:default", config.ports.mqtts, true, () =>
            noted("ssl:default", createTls({ ...serverContext(current()), handshakeTimeout: 10_000 })),
        ),
        "ssl:links": make("ssl:links", config.ports.links, true, () =>
            noted(
                "ssl:links",
                createTls({ ...linkContext(current()), requestCert: true, rejectUnauthorized: true, handshakeTimeout: 10_000 }),
            ),
        ),
    };
}
