import * as net from "node:net";
import * as tls from "node:tls";
import type { Aedes, AedesOptions, AedesPublishPacket, Client } from "aedes";
import type { MqttEndpoint } from "../../src/emqx/endpoint.js";

/** What a test does to a message on its way over the bridge: how many copies arrive, and how late. */
export type OnTheWay = (topic: string, payload: Buffer) => { copies: number; delayMs?: number; qos?: 0 | 1 | 2 };

/** A plain or TLS aedes broker of a test. */
export interface ProbeBroker {
    readonly endpoint: MqttEndpoint;
    readonly aedes: Aedes;
    /** Client ids seen so far. */
    readonly clientIds: string[];
    readonly retained: string[];
    stop(): Promise<void>;
}

export interface ProbeBrokerOptions extends AedesOptions {
    readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string; readonly mutual?: boolean };
}

export async function startProbeBroker({ tls: secure, ...options }: ProbeBrokerOptions = {}): Promise<ProbeBroker> {
    const { Aedes } = await import("aedes");
    const aedes = await Aedes.createBroker(options);
    const clientIds: string[] = [];
    const retained: string[] = [];
    aedes.on("client", (client: Client) => clientIds.push(client.id));
    aedes.on("clientError", () => {});
    aedes.on("connectionError", () => {});
    aedes.on("publish", (packet: AedesPublishPacket) => {
        if (packet.retain) {
            retained.push(packet.topic);
        }
    });
    const sockets = new Set<net.Socket>();
    const take = (socket: net.Socket) => {
        socket.setNoDelay(true);
        sockets.add(socket);
        socket.on("error", () => {});
        socket.once("close", () => sockets.delete(socket));
        aedes.handle(socket);
    };
    const server = secure
        ? tls.createServer(
              {
                  cert: secure.cert,
                  key: secure.key,
                  ...(secure.ca === undefined ? {} : { ca: secure.ca }),
                  requestCert: secure.mutual === true,
                  rejectUnauthorized: secure.mutual === true,
              },
              take,
          )
        : net.createServer(take);
    server.on("tlsClientError", () => {});
    const port = await listen(server);
    return {
        endpoint: { host: "127.0.0.1", port, tls: secure !== undefined },
        aedes,
        clientIds,
        retained,
        stop: async () => {
            for (const socket of sockets) {
                socket.destroy();
            }
            await new Promise<void>((resolve) => server.close(() => resolve()));
            await new Promise<void>((resolve) => aedes.close(() => resolve()));
        },
    };
}

export function listen(server: net.Server): Promise<number> {
    return new Promise((resolve) => {
        server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            resolve(typeof address === "object" && address !== null ? address.port : 0);
        });
    });
}

/** Carries what matches from one broker to the other, once, as a link does. `onTheWay` loses, doubles, or delays. */
export function bridge(from: ProbeBroker, to: ProbeBroker, onTheWay: OnTheWay = () => ({ copies: 1 })): void {
    from.aedes.on("publish", (packet: AedesPublishPacket, client: Client | null) => {
        if (client === null || packet.topic.startsWith("$")) {
            return;
        }
        const payload = Buffer.from(packet.payload);
        const { copies, delayMs, qos } = onTheWay(packet.topic, payload);
        const carry = () => {
            for (let copy = 0; copy < copies; copy += 1) {
                to.aedes.publish(
                    { cmd: "publish", topic: packet.topic, payload, qos: qos ?? packet.qos, retain: false, dup: false },
                    () => {},
                );
            }
        };
        if (delayMs === undefined) {
            carry();
        } else {
            setTimeout(carry, delayMs);
        }
    });
}
