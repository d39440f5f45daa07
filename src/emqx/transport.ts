import {
    type ClientRequest,
    Agent as HttpAgent,
    request as httpRequest,
    type IncomingHttpHeaders,
    type IncomingMessage,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP, type Socket } from "node:net";
import { checkServerIdentity } from "node:tls";
import { InputError } from "../errors.js";
import { type ApiEndpoint, checkApiUrl, checkDialHost, checkPort } from "./endpoint.js";
import { guardedLookup } from "./guardedLookup.js";
import { checkHost, isLoopback } from "./host.js";

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
    #closed = false;

    /** @throws InputError naming the argument, `api.…` */
    constructor(endpoint: ApiEndpoint) {
        const url = new URL(checkApiUrl(endpoint.url, { allowLoopback: true, argument: "api.url" }));
        const tls = url.protocol === "https:";
        const host = url.hostname.replace(/^\[|\]$/g, "");
        const port = url.port === "" ? (tls ? 443 : 80) : Number(url.port);
        const { connect } = endpoint;
        if (connect !== undefined) {
            checkDialHost(connect.host, { allowLoopback: true, argument: "api.connect.host" });
            checkPort(connect.port, "api.connect.port");
            if (!tls && !isLoopback(connect.host)) {
                throw new InputError(
                    "api.connect.host",
                    "the API's url is not encrypted, so that only this machine may be dialled; set https://",
                );
            }
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
            shown: connect === undefined ? shownUrl : `${shownUrl} by way of ${connect.host}:${connect.port}`,
            tls,
            tlsName,
        };
        this.#dial = connect ?? { host, port };
        this.#hostHeader = `${url.hostname}:${port}`;
        const common = { lookup: guardedLookup, autoSelectFamilyAttemptTimeout: addressMilliseconds };
        const options = tls
            ? {
                  ...common,
                  ca: endpoint.ca,
                  // Said here, so that no environment variable can switch it off.
                  rejectUnauthorized: true,
                  minVersion: "TLSv1.2" as const,
                  servername: isIP(tlsName) === 0 ? tlsName : "",
                  checkServerIdentity: (_host: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
                      checkServerIdentity(tlsName, certificate),
              }
            : common;
        const Agent = tls ? HttpsAgent : HttpAgent;
        this.#reads = new Agent({ ...options, keepAlive: true, timeout: idleMilliseconds, maxFreeSockets: 4 });
        // A write on a connection that was closed meanwhile leaves open whether it was seen; a fresh connection leaves less of that.
        this.#writes = new Agent({ ...options, keepAlive: false });
    }

    /** Ends all connections; requests under way fail. */
    close(): void {
        this.#closed = true;
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
            new Watch(request, exchange, this.target.tls, resolve, reject, () => this.#closed).start();
            request.end(exchange.body);
        });
    }
}

/** Follows one request from the lookup of the name to the last byte of the answer. */
class Watch {
    readonly #request: ClientRequest;
    readonly #exchange: Exchange;
    readonly #tls: boolean;
    readonly #resolve: (answer: RawAnswer) => void;
    readonly #reject: (failure: TransportFailure) => void;
    readonly #isClosed: () => boolean;
    #connected = false;
    #answered = false;
    #timers: NodeJS.Timeout[] = [];

    constructor(
        request: ClientRequest,
        exchange: Exchange,
        tls: boolean,
        resolve: (answer: RawAnswer) => void,
        reject: (failure: TransportFailure) => void,
        isClosed: () => boolean,
    ) {
        this.#request = request;
        this.#exchange = exchange;
        this.#tls = tls;
        this.#resolve = resolve;
        this.#reject = reject;
        this.#isClosed = isClosed;
    }

    start(): void {
        const { connectSeconds, totalSeconds } = this.#exchange;
        this.#after(connectSeconds, () => {
            if (!this.#connected) {
                this.#fail("CONNECT_TIMEOUT", `no connection within ${connectSeconds} s`);
            }
        });
        this.#after(totalSeconds, () => {
            const part = this.#answered ? "no whole answer" : this.#connected ? "no answer" : "no connection";
            this.#fail(
                this.#connected ? "TIMEOUT" : "CONNECT_TIMEOUT",
                `${part} within ${Math.round(totalSeconds * 100) / 100} s`,
            );
        });
        this.#request.on("socket", (socket) => this.#follow(socket));
        this.#request.on("response", (response) => this.#read(response));
        this.#request.on("error", (error: NodeJS.ErrnoException) => this.#fail(codeOf(error), messageOf(error)));
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
        const closed = this.#isClosed();
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
