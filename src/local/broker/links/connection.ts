import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { generate, type IConnackPacket, type Packet, parser as packetParser, writeToStream } from "mqtt-packet";
import { throughGateway } from "./gateway.js";

/** Where and how a link connects. Read anew at every attempt. */
export interface ConnectionTarget {
    readonly host: string;
    readonly port: number;
    /** SOCKS 5 proxy to dial through, which resolves the host. */
    readonly gateway?: { readonly host: string; readonly port: number };
    /** Undefined: plain TCP. */
    readonly tls?: ConnectionOptions;
    readonly username?: string;
    readonly password?: string;
    /** Called when the peer closes without a word before it has let us in: what is wrong with what we showed, as far as it can be seen from here. */
    readonly explain?: () => string | undefined;
}

export interface ConnectionOptionsOf {
    readonly clientId: string;
    /** Finds the target; called at every attempt, so that a name may change its address. */
    readonly target: () => Promise<ConnectionTarget>;
    /** Longest pause between two attempts, ms. */
    readonly retryMs: number;
    /** How often the peer has to show that it lives, ms. */
    readonly healthMs: number;
    readonly startMs: number;
    readonly onUp: () => void;
    /** Told once per connection or attempt that ended. `hung`: by silence, not by an answer. */
    readonly onDown: (reason: string, hung: boolean) => void;
    readonly onAck: (messageId: number) => void;
    readonly onMessage: (topic: string, payload: Buffer) => void;
}

const firstRetryMs = 20;
/** A busy peer may be silent this long. */
const leastSilenceMs = 1000;

/** One MQTT connection of a link: connects, watches, reconnects until it is stopped. Knows no topics and keeps no messages. */
export class LinkConnection {
    readonly #options: ConnectionOptionsOf;
    #socket: Socket | undefined;
    #retry: NodeJS.Timeout | undefined;
    #watch: NodeJS.Timeout | undefined;
    #pause = firstRetryMs;
    #heardAt = 0;
    #stopped = false;
    #subscriptions: string[] = [];
    /** `connected` after CONNACK; `connecting` while nothing is known; `disconnected` after the peer or the network said no. */
    status: "connected" | "connecting" | "disconnected" = "connecting";
    /** Why the last connection or attempt ended. */
    reason = "";

    constructor(options: ConnectionOptionsOf) {
        this.#options = options;
    }

    get up(): boolean {
        return this.status === "connected";
    }

    start(): void {
        void this.#attempt();
    }

    /** Ends the connection for good. Messages already written are flushed. */
    stop(): void {
        this.#stopped = true;
        clearTimeout(this.#retry);
        clearInterval(this.#watch);
        const socket = this.#socket;
        this.#socket = undefined;
        this.status = "disconnected";
        if (socket !== undefined) {
            socket.removeAllListeners();
            socket.on("error", () => {});
            socket.end(generate({ cmd: "disconnect" }));
            setTimeout(() => socket.destroy(), 250).unref();
        }
    }

    /** Subscribes now and after every reconnect. */
    subscribe(filter: string): void {
        this.#subscriptions = [filter];
    }

    /** Writes a publish. The caller holds it until `onAck`. */
    publish(topic: string, payload: Buffer | string, messageId: number, dup: boolean): void {
        this.#write({ cmd: "publish", topic, payload, qos: 1, retain: false, dup, messageId });
    }

    /** Drops the connection so that the next attempt starts at once. */
    reconnect(): void {
        this.#end(this.#socket, "reconnect asked for", false);
    }

    #write(packet: Packet): void {
        if (this.#socket !== undefined && !this.#socket.destroyed) {
            writeToStream(packet, this.#socket);
        }
    }

    async #attempt(): Promise<void> {
        let target: ConnectionTarget;
        let tunnel: Socket | undefined;
        try {
            target = await this.#options.target();
            tunnel =
                target.gateway === undefined ? undefined : await throughGateway(target, target.gateway, this.#options.startMs);
        } catch (error) {
            this.#failed(reasonOf(error), false);
            return;
        }
        if (this.#stopped) {
            tunnel?.destroy();
            return;
        }
        const address = tunnel === undefined ? { host: target.host, port: target.port } : { socket: tunnel };
        const socket = target.tls === undefined ? (tunnel ?? connectTcp(target)) : connectTls({ ...target.tls, ...address });
        this.#socket = socket;
        socket.setNoDelay(true);
        const late = setTimeout(() => this.#end(socket, "timeout", true), this.#options.startMs);
        const greet = () => {
            this.#write({
                cmd: "connect",
                protocolId: "MQTT",
                protocolVersion: 4,
                clean: true,
                clientId: this.#options.clientId,
                keepalive: Math.max(5, Math.ceil((this.#options.healthMs * 3) / 1000)),
                ...(target.username === undefined ? {} : { username: target.username }),
                ...(target.password === undefined ? {} : { password: Buffer.from(target.password) }),
            });
        };
        if (target.tls === undefined && tunnel !== undefined) {
            greet();
        } else {
            socket.once(target.tls === undefined ? "connect" : "secureConnect", greet);
        }
        const parser = packetParser({ protocolVersion: 4 });
        parser.on("packet", (packet: Packet) => this.#take(socket, packet, late));
        parser.on("error", (error: Error) => this.#end(socket, `bad answer: ${error.message}`, false));
        socket.on("data", (data: Buffer) => {
            this.#heardAt = Date.now();
            parser.parse(data);
        });
        let failure: string | undefined;
        socket.on("error", (error) => {
            failure = reasonOf(error);
        });
        socket.on("close", () => {
            clearTimeout(late);
            const silent = failure === undefined || failure === "Connection reset by peer";
            const explained = silent && !this.up ? target.explain?.() : undefined;
            this.#end(socket, explained ?? failure ?? "closed by the peer", false);
        });
    }

    #take(socket: Socket, packet: Packet, late: NodeJS.Timeout): void {
        if (socket !== this.#socket) {
            return;
        }
        if (packet.cmd === "connack") {
            clearTimeout(late);
            this.#admitted(socket, packet);
        } else if (packet.cmd === "puback") {
            this.#options.onAck(packet.messageId ?? 0);
        } else if (packet.cmd === "publish") {
            this.#options.onMessage(packet.topic, Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload));
        } else if (packet.cmd === "suback" && packet.granted[0] === 128) {
            this.#end(socket, "not_authorized to subscribe", false);
        } else if (packet.cmd === "suback") {
            this.#ready();
        }
    }

    #admitted(socket: Socket, packet: IConnackPacket): void {
        if (packet.returnCode !== 0) {
            this.#end(socket, connackReasons[packet.returnCode ?? 0] ?? `refused with ${packet.returnCode}`, false);
            return;
        }
        const { healthMs } = this.#options;
        clearInterval(this.#watch);
        // Two pings per interval, and silence for one and a half of them is a dead peer: seen within two intervals.
        this.#watch = setInterval(() => {
            if (Date.now() - this.#heardAt > Math.max(leastSilenceMs, healthMs * 1.5)) {
                this.#end(socket, "timeout", true);
            } else {
                this.#write({ cmd: "pingreq" });
            }
        }, healthMs / 2);
        if (this.#subscriptions.length > 0) {
            this.#write({
                cmd: "subscribe",
                messageId: 1,
                subscriptions: this.#subscriptions.map((topic) => ({ topic, qos: 1 })),
            });
        } else {
            this.#ready();
        }
    }

    #ready(): void {
        this.#pause = firstRetryMs;
        this.status = "connected";
        this.reason = "";
        this.#options.onUp();
    }

    #end(socket: Socket | undefined, reason: string, hung: boolean): void {
        if (socket === undefined || socket !== this.#socket) {
            return;
        }
        this.#socket = undefined;
        clearInterval(this.#watch);
        socket.destroy();
        this.#failed(reason, hung);
    }

    #failed(reason: string, hung: boolean): void {
        if (this.#stopped) {
            return;
        }
        const wasUp = this.up;
        this.status = hung || wasUp ? "connecting" : "disconnected";
        this.reason = reason;
        this.#options.onDown(reason, hung);
        const pause = wasUp ? firstRetryMs : this.#pause;
        this.#pause = Math.min(this.#options.retryMs, wasUp ? firstRetryMs * 2 : this.#pause * 2);
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => void this.#attempt(), pause * (0.75 + Math.random() / 2));
    }
}

const connackReasons: Record<number, string> = {
    1: "unacceptable_protocol_version",
    2: "client_identifier_not_valid",
    3: "server_unavailable",
    4: "bad_username_or_password",
    5: "not_authorized",
};

/** What went wrong with a connection, close to EMQX's own words. */
export function reasonOf(error: unknown): string {
    const { code = "", message = String(error) } = error as NodeJS.ErrnoException;
    const known: Record<string, string> = {
        ECONNREFUSED: "Connection refused",
        ECONNRESET: "Connection reset by peer",
        ENOTFOUND: "nxdomain",
        EAI_AGAIN: "nxdomain",
        ETIMEDOUT: "timeout",
        EHOSTUNREACH: "ehostunreach",
        ENETUNREACH: "enetunreach",
    };
    if (known[code] !== undefined) {
        return known[code];
    }
    const alert = /SSL_?(?:TLSV1|SSLV3|TLSV13)?_ALERT_([A-Z_]+)/.exec(code)?.[1]?.toLowerCase();
    if (alert !== undefined) {
        return `{ssl_error,{tls_alert,{${alert},"received from the peer"}}}`;
    }
    if (/^(CERT_|DEPTH_|SELF_|UNABLE_|ERR_TLS_|INVALID_|HOSTNAME_)/.test(code)) {
        return `{ssl_error,{tls_alert,{${tlsAlertOf(code)},"${code}: ${message.replace(/"/g, "'")}"}}}`;
    }
    return code === "" ? message : `${code}: ${message}`;
}

function tlsAlertOf(code: string): string {
    if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
        return "certificate_expired";
    }
    if (code === "ERR_TLS_CERT_ALTNAME_INVALID" || code === "HOSTNAME_MISMATCH") {
        return "handshake_failure,hostname_check_failed";
    }
    return code.startsWith("UNABLE_") || code.includes("SELF_SIGNED") ? "unknown_ca" : "bad_certificate";
}
