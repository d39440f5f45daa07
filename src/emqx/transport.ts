import {
    type ClientRequest,
    Agent as HttpAgent,
    request as httpRequest,
    type IncomingHttpHeaders,
    type IncomingMessage,
} from "node:http";
import { type AgentOptions, Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from "node:https";
import { isIP, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, checkServerIdentity, connect as connectTls } from "node:tls";
import { InputError } from "../errors.js";
import { type ApiEndpoint, checkApiUrl } from "./endpoint.js";
import { guardedLookup } from "./guardedLookup.js";
import { checkHost, isLoopback } from "./host.js";
import { checkWay, type ProxyAddress, parseProxy } from "./proxy.js";
import { openTunnel, type TunnelStage } from "./tunnel.js";

/** One request. */
export interface Exchange {
    readonly method: "GET" | "POST" | "PUT" | "DELETE";
    /** Path and query, from the root. */
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    /** Body, already JSON. */
    readonly body?: string | undefined;
    /** Seconds until name lookup, TCP and TLS must be done. */
    readonly connectSeconds: number;
    /** Seconds until the whole answer must have come. */
    readonly totalSeconds: number;
}

/** A whole answer, whatever its status. */
export interface RawAnswer {
    readonly status: number;
    readonly headers: IncomingHttpHeaders;
    readonly text: string;
}

/** The largest answer that is read. The longest list of a large cluster is far below it. */
export const longestAnswer = 8 * 1024 * 1024;
/** Free connections are given up sooner than any broker or balancer does, so that hardly a request meets a closed one. */
const idleMilliseconds = 4_000;
/** Node gives up an address after 250 ms when a name has several, which is too short between continents. */
const addressMilliseconds = 2_500;

/** A tunnel that nobody waits for any more is given up after this; each request has a deadline of its own. */
const tunnelSeconds = 30;

/** No whole answer came. */
export class TransportFailure extends Error {
    /** The system's, TLS's or our own word for it, such as `ECONNREFUSED`. */
    readonly code: string;
    /** Whether the other side may have seen the request. */
    readonly sent: boolean;
    /** Whether a connection that had been open for longer turned out to be closed. */
    readonly stale: boolean;

    constructor(code: string, message: string, { sent, stale = false }: { readonly sent: boolean; readonly stale?: boolean }) {
        super(message);
        this.name = "TransportFailure";
        this.code = code;
        this.sent = sent;
        this.stale = stale;
    }
}

/** Where requests go, as messages may show it. */
export interface Target {
    readonly url: string;
    /** Also says where is dialled instead. */
    readonly shown: string;
    readonly tls: boolean;
    /** Name that the certificate must carry. */
    readonly tlsName: string;
}

/** Sends single requests to one API. It follows no redirect, always verifies TLS and bounds every wait and every answer. */
export class Transport {
    readonly target: Target;
    readonly #reads: HttpAgent | HttpsAgent;
    readonly #writes: HttpAgent | HttpsAgent;
    readonly #dial: { readonly host: string; readonly port: number };
    readonly #hostHeader: string;
    readonly #over = new AbortController();
    /** How far the latest tunnel has come, where there is a proxy. */
    #stage: TunnelStage | undefined;
    #closed = false;

    /** @throws InputError naming the argument, `api.…` */
    constructor(endpoint: ApiEndpoint) {
        const url = new URL(checkApiUrl(endpoint.url, { allowLoopback: true, argument: "api.url" }));
        const tls = url.protocol === "https:";
        const host = url.hostname.replace(/^\[|\]$/g, "");
        const port = url.port === "" ? (tls ? 443 : 80) : Number(url.port);
        const { connect } = endpoint;
        checkWay(endpoint, "api.");
        const proxy = endpoint.proxy === undefined ? undefined : parseProxy(endpoint.proxy, "api.proxy");
        if (!tls && (proxy !== undefined || (connect !== undefined && !isLoopback(connect.host)))) {
            throw new InputError(
                proxy === undefined ? "api.connect.host" : "api.proxy",
                "the API's url is not encrypted, so that only this machine may be dialled; set https://",
            );
        }
        if (endpoint.serverName !== undefined) {
            checkHost(endpoint.serverName, { allowLoopback: true, argument: "api.serverName" });
        }
        if (endpoint.ca !== undefined && !endpoint.ca.includes("-----BEGIN CERTIFICATE-----")) {
            throw new InputError(
                "api.ca",
                "it is no PEM certificate; set the text of the authority's certificate, not the path of a file",
            );
        }
        const tlsName = (endpoint.serverName ?? host).toLowerCase();
        const shownUrl = `${url.protocol}//${url.hostname}:${port}`;
        this.target = {
            url: shownUrl,
            shown: shownWay(shownUrl, connect, proxy),
            tls,
            tlsName,
        };
        this.#dial = connect ?? { host, port };
        this.#hostHeader = `${url.hostname}:${port}`;
        const common = { lookup: guardedLookup, autoSelectFamilyAttemptTimeout: addressMilliseconds };
        const secured = {
            ca: endpoint.ca,
            // Said here, so that no environment variable can switch it off.
            rejectUnauthorized: true,
            minVersion: "TLSv1.2" as const,
            servername: isIP(tlsName) === 0 ? tlsName : "",
            checkServerIdentity: (_host: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
                checkServerIdentity(tlsName, certificate),
        };
        const agent = (options: AgentOptions) => {
            if (!tls) {
                return new HttpAgent({ ...common, ...options });
            }
            return proxy === undefined
                ? new HttpsAgent({ ...common, ...secured, ...options })
                : new TunnelAgent(options, secured, () => this.#tunnel(proxy));
        };
        this.#reads = agent({ keepAlive: true, timeout: idleMilliseconds, maxFreeSockets: 4 });
        // A write on a connection that was closed meanwhile leaves open whether it was seen; a fresh connection leaves less of that.
        this.#writes = agent({ keepAlive: false });
    }

    /** Ends all connections; requests under way fail. */
    close(): void {
        this.#closed = true;
        this.#over.abort(new TransportFailure("CLOSED", "the client was closed", { sent: false }));
        this.#reads.destroy();
        this.#writes.destroy();
    }

    /** @throws TransportFailure when no whole answer came */
    send(exchange: Exchange, { fresh = false } = {}): Promise<RawAnswer> {
        if (this.#closed) {
            return Promise.reject(new TransportFailure("CLOSED", "the client was closed", { sent: false }));
        }
        const agent = exchange.method === "GET" && !fresh ? this.#reads : this.#writes;
        return new Promise((resolve, reject) => {
            const send = this.target.tls ? httpsRequest : httpRequest;
            const request = send({
                agent,
                host: this.#dial.host,
                port: this.#dial.port,
                method: exchange.method,
                path: exchange.path,
                headers: {
                    host: this.#hostHeader,
                    accept: "application/json",
                    "accept-encoding": "identity",
                    ...(exchange.body === undefined
                        ? {}
                        : { "content-type": "application/json", "content-length": String(Buffer.byteLength(exchange.body)) }),
                    ...exchange.headers,
                },
            });
            const state = { closed: () => this.#closed, stage: () => this.#stage };
            new Watch(request, exchange, this.target.tls, resolve, reject, state).start();
            request.end(exchange.body);
        });
    }

    async #tunnel(proxy: ProxyAddress): Promise<Socket> {
        const socket = await openTunnel(proxy, this.#dial, {
            seconds: tunnelSeconds,
            signal: this.#over.signal,
            onStage: (stage) => {
                this.#stage = stage;
            },
        });
        this.#stage = undefined;
        return socket;
    }
}

/** Opens TLS connections through tunnels. */
class TunnelAgent extends HttpsAgent {
    readonly #secured: ConnectionOptions;
    readonly #tunnel: () => Promise<Socket>;

    constructor(options: AgentOptions, secured: ConnectionOptions, tunnel: () => Promise<Socket>) {
        super(options);
        this.#secured = secured;
        this.#tunnel = tunnel;
    }

    override createConnection(
        _options: RequestOptions,
        callback?: (error: Error | null, stream: Duplex) => void,
    ): Duplex | null | undefined {
        this.#tunnel().then(
            (socket) => callback?.(null, connectTls({ ...this.#secured, socket, ALPNProtocols: ["http/1.1"] })),
            // The second argument is not looked at beside an error.
            (error: Error) => callback?.(error, new Socket()),
        );
        return undefined;
    }
}

/** Where requests go and on which way, for messages; a proxy without its login. */
function shownWay(url: string, connect: ApiEndpoint["connect"], proxy: ProxyAddress | undefined): string {
    if (proxy !== undefined) {
        return `${url} by way of the proxy ${proxy.shown}`;
    }
    return connect === undefined ? url : `${url} by way of ${connect.host}:${connect.port}`;
}

/** What a request must know of the transport that it belongs to. */
interface TransportState {
    readonly closed: () => boolean;
    /** How far the way through a proxy has come, where there is one that is not open yet. */
    readonly stage: () => TunnelStage | undefined;
}

/** Follows one request from the lookup of the name to the last byte of the answer. */
class Watch {
    readonly #request: ClientRequest;
    readonly #exchange: Exchange;
    readonly #tls: boolean;
    readonly #resolve: (answer: RawAnswer) => void;
    readonly #reject: (failure: TransportFailure) => void;
    readonly #state: TransportState;
    #connected = false;
    #answered = false;
    #timers: NodeJS.Timeout[] = [];

    constructor(
        request: ClientRequest,
        exchange: Exchange,
        tls: boolean,
        resolve: (answer: RawAnswer) => void,
        reject: (failure: TransportFailure) => void,
        state: TransportState,
    ) {
        this.#request = request;
        this.#exchange = exchange;
        this.#tls = tls;
        this.#resolve = resolve;
        this.#reject = reject;
        this.#state = state;
    }

    start(): void {
        const { connectSeconds, totalSeconds } = this.#exchange;
        this.#after(connectSeconds, () => {
            if (!this.#connected) {
                this.#fail("CONNECT_TIMEOUT", `no connection within ${connectSeconds} s${this.#stageText()}`);
            }
        });
        this.#after(totalSeconds, () => {
            const part = this.#answered ? "no whole answer" : this.#connected ? "no answer" : "no connection";
            this.#fail(
                this.#connected ? "TIMEOUT" : "CONNECT_TIMEOUT",
                `${part} within ${Math.round(totalSeconds * 100) / 100} s${this.#stageText()}`,
            );
        });
        this.#request.on("socket", (socket) => this.#follow(socket));
        this.#request.on("response", (response) => this.#read(response));
        this.#request.on("error", (error: NodeJS.ErrnoException) => this.#fail(codeOf(error), messageOf(error)));
    }

    #stageText(): string {
        const stage = this.#connected ? undefined : this.#state.stage();
        return stage === undefined ? "" : `: ${stage}`;
    }

    #after(seconds: number, run: () => void): void {
        this.#timers.push(setTimeout(run, Math.max(0, seconds) * 1000));
    }

    #follow(socket: Socket): void {
        if (this.#request.reusedSocket) {
            this.#connected = true;
        } else {
            socket.once(this.#tls ? "secureConnect" : "connect", () => {
                this.#connected = true;
            });
        }
    }

    #read(response: IncomingMessage): void {
        this.#connected = true;
        this.#answered = true;
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
            size += chunk.length;
            if (size > longestAnswer) {
                this.#fail("ANSWER_TOO_LARGE", `the answer is longer than ${longestAnswer / 1024 / 1024} MB`);
                return;
            }
            chunks.push(chunk);
        });
        response.on("error", (error: NodeJS.ErrnoException) => this.#fail(codeOf(error), "the answer broke off"));
        response.on("end", () => {
            if (!response.complete) {
                this.#fail("ECONNRESET", "the answer broke off");
                return;
            }
            this.#stop();
            this.#resolve({
                status: response.statusCode ?? 0,
                headers: response.headers,
                text: Buffer.concat(chunks).toString("utf8"),
            });
        });
    }

    #fail(code: string, message: string): void {
        const stale = this.#request.reusedSocket && !this.#answered && (code === "ECONNRESET" || code === "EPIPE");
        const closed = this.#state.closed();
        this.#stop();
        this.#request.destroy();
        this.#reject(
            new TransportFailure(closed ? "CLOSED" : code, closed ? "the client was closed" : message, {
                sent: this.#connected,
                stale,
            }),
        );
    }

    #stop(): void {
        for (const timer of this.#timers) {
            clearTimeout(timer);
        }
        this.#timers = [];
    }
}

/** The word for a failure. TLS failures carry OpenSSL's own reason, which is more telling than `EPROTO`, in the middle of their text. */
function codeOf(error: NodeJS.ErrnoException): string {
    if (error.code === "EPROTO") {
        const reason = /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/i.exec(error.message)?.[1];
        return reason === undefined ? "EPROTO" : `EPROTO (${reason})`;
    }
    return error.code ?? "FAILED";
}

/** What a failure says. Several addresses fail with one error that has no text of its own. */
function messageOf(error: NodeJS.ErrnoException): string {
    if (error instanceof AggregateError) {
        return [...new Set(error.errors.map((each: unknown) => (each instanceof Error ? each.message : String(each))))].join(
            "; ",
        );
    }
    // The library's texts of TLS failures end with source files and thread numbers.
    return error.code === "EPROTO" ? "the TLS handshake failed" : error.message.replace(/\s+/g, " ").trim();
}
