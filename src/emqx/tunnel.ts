import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { connect, isIPv6, type Socket } from "node:net";
import { SocksClient } from "socks";
import { messageOf } from "../errors.js";
import { guardedLookup } from "./guardedLookup.js";
import type { ProxyAddress } from "./proxy.js";

/** How far a tunnel had come, as a clause for a message about a deadline. */
export type TunnelStage = "the proxy itself cannot be reached" | "the proxy has taken the connection and does not answer";

/** Why a tunnel could not be opened. */
export type TunnelCode =
    /** No connection to the proxy. */
    | "PROXY_UNREACHABLE"
    /** The proxy asks for a login or refuses the one it got. */
    | "PROXY_AUTH"
    /** The proxy cannot or will not connect to the target. */
    | "PROXY_REFUSED"
    /** What answers is no such proxy. */
    | "PROXY_PROTOCOL"
    | "PROXY_TIMEOUT"
    | "ADDRESS_REFUSED";

/** A tunnel could not be opened. Its message says what the proxy answered, and holds no credentials. */
export class TunnelFailure extends Error {
    readonly code: TunnelCode;

    constructor(code: TunnelCode, message: string) {
        super(message);
        this.name = "TunnelFailure";
        this.code = code;
    }
}

export interface TunnelOptions {
    /** Seconds until the proxy must have connected to the target. */
    readonly seconds: number;
    readonly signal?: AbortSignal | undefined;
    readonly onStage?: ((stage: TunnelStage) => void) | undefined;
}

/** Node gives up an address after 250 ms when a name has several, which is too short between continents. */
const addressMilliseconds = 2_500;
/** Characters of a proxy's own words that a message shows. */
const longestAnswer = 80;

/**
 * Opens a connection to a host and port through a proxy. The proxy resolves the host's name. What is spoken over the connection is the
 * caller's: TLS goes through unopened.
 *
 * @throws TunnelFailure
 */
export function openTunnel(
    proxy: ProxyAddress,
    target: { readonly host: string; readonly port: number },
    { seconds, signal, onStage }: TunnelOptions,
): Promise<Socket> {
    return new Promise((resolve, reject) => {
        let stage: TunnelStage = "the proxy itself cannot be reached";
        const socket = connect({
            host: proxy.host,
            port: proxy.port,
            lookup: guardedLookup,
            autoSelectFamilyAttemptTimeout: addressMilliseconds,
        });
        const end = () => {
            clearTimeout(timer);
            signal?.removeEventListener("abort", aborted);
            socket.off("error", broken);
        };
        const fail = (failure: unknown) => {
            end();
            // An error that comes after the first says nothing new, and without a listener it would end the process.
            socket.on("error", () => {});
            socket.destroy();
            reject(failure);
        };
        const timer = setTimeout(
            () => fail(new TunnelFailure("PROXY_TIMEOUT", `no connection within ${Math.round(seconds * 100) / 100} s: ${stage}`)),
            Math.max(0, seconds) * 1000,
        );
        const aborted = () => fail(signal?.reason);
        const broken = (error: NodeJS.ErrnoException) => {
            const code = error.code === "ADDRESS_REFUSED" ? error.code : "PROXY_UNREACHABLE";
            const said = code === "ADDRESS_REFUSED" ? messageOf(error) : (error.code ?? messageOf(error));
            fail(new TunnelFailure(code, `the proxy cannot be reached (${said})`));
        };
        if (signal?.aborted === true) {
            aborted();
            return;
        }
        signal?.addEventListener("abort", aborted, { once: true });
        onStage?.(stage);
        socket.setNoDelay(true);
        socket.once("error", broken);
        socket.once("connect", () => {
            stage = "the proxy has taken the connection and does not answer";
            onStage?.(stage);
            socket.off("error", broken);
            const speak = proxy.kind === "socks5" ? throughSocks : throughHttp;
            speak(proxy, target, socket).then(() => {
                end();
                // Whoever takes the socket hears its errors too; the listener only keeps one that comes first from ending the process.
                socket.on("error", () => {});
                resolve(socket);
            }, fail);
        });
    });
}

/** What a SOCKS5 proxy's answers mean (RFC 1928, section 6), by the library's words for them. */
const socksAnswers: Readonly<Record<string, string>> = {
    Failure: "general failure",
    NotAllowed: "not allowed by its rules",
    NetworkUnreachable: "network unreachable",
    HostUnreachable: "host unreachable",
    ConnectionRefused: "connection refused",
    TTLExpired: "time to live expired",
    CommandNotSupported: "command not supported",
    AddressNotSupported: "kind of address not supported",
};

async function throughSocks(
    proxy: ProxyAddress,
    destination: { readonly host: string; readonly port: number },
    socket: Socket,
): Promise<void> {
    const { host, port, username, password } = proxy;
    try {
        await SocksClient.createConnection({
            command: "connect",
            // A name goes to the proxy as it is and is resolved there.
            destination: { ...destination },
            proxy: { host, port, type: 5, ...(username === undefined ? {} : { userId: username, password: password ?? "" }) },
            existing_socket: socket,
        });
    } catch (error) {
        throw socksFailure(messageOf(error), username !== undefined);
    }
}

function socksFailure(said: string, hasLogin: boolean): TunnelFailure {
    const rejected = /rejected connection - (\w+)/i.exec(said)?.[1];
    if (rejected !== undefined) {
        return new TunnelFailure("PROXY_REFUSED", `the proxy answered: ${socksAnswers[rejected] ?? rejected}`);
    }
    if (/no accepted authentication|unknown auth|authentication failed/i.test(said)) {
        return new TunnelFailure("PROXY_AUTH", hasLogin ? "the proxy refuses the login" : "the proxy asks for a login");
    }
    return /closed/i.test(said)
        ? new TunnelFailure("PROXY_REFUSED", "the proxy closed the connection without an answer")
        : /handshake/i.test(said)
          ? new TunnelFailure("PROXY_PROTOCOL", "what answers there is no SOCKS5 proxy")
          : new TunnelFailure("PROXY_REFUSED", `the proxy broke off (${printable(said)})`);
}

function throughHttp(
    proxy: ProxyAddress,
    { host, port }: { readonly host: string; readonly port: number },
    socket: Socket,
): Promise<void> {
    const authority = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
    const { username, password = "" } = proxy;
    return new Promise((resolve, reject) => {
        const asked: ClientRequest = httpRequest({
            createConnection: () => socket,
            method: "CONNECT",
            path: authority,
            headers: {
                host: authority,
                ...(username === undefined
                    ? {}
                    : { "proxy-authorization": `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}` }),
            },
        });
        asked.once("connect", (answer: IncomingMessage, _socket: unknown, head: Buffer) => {
            const refusal = httpRefusal(answer, username !== undefined);
            if (refusal !== undefined) {
                reject(refusal);
                return;
            }
            if (head.length > 0) {
                socket.unshift(head);
            }
            resolve();
        });
        asked.on("error", (error: NodeJS.ErrnoException) =>
            reject(
                /^HPE_/.test(error.code ?? "")
                    ? new TunnelFailure("PROXY_PROTOCOL", "what answers there is no HTTP proxy")
                    : new TunnelFailure("PROXY_REFUSED", "the proxy closed the connection without an answer"),
            ),
        );
        asked.end();
    });
}

function httpRefusal({ statusCode = 0, statusMessage = "" }: IncomingMessage, hasLogin: boolean): TunnelFailure | undefined {
    if (statusCode >= 200 && statusCode < 300) {
        return undefined;
    }
    const answered = `the proxy answered ${statusCode} ${printable(statusMessage)}`.trimEnd();
    return statusCode === 407
        ? new TunnelFailure("PROXY_AUTH", `${answered}: it ${hasLogin ? "refuses the login" : "asks for a login"}`)
        : new TunnelFailure("PROXY_REFUSED", answered);
}

/** Another side's words must neither steer the terminal nor fill it. */
function printable(text: string): string {
    const line = text.replace(/[^\x20-\x7e]+/g, " ").trim();
    return line.length > longestAnswer ? `${line.slice(0, longestAnswer - 1)}…` : line;
}

/**
 * What to do about a tunnel that could not be opened.
 *
 * @param argument the argument that names the proxy, such as `api.proxy`
 */
export function tunnelTodo(code: string, argument: string): string | undefined {
    switch (code) {
        case "PROXY_UNREACHABLE":
            return `Start the proxy, or set ${argument} to where it listens`;
        case "PROXY_AUTH":
            return `Set ${argument} with user:password@ of the proxy, as a Pulumi secret`;
        case "PROXY_PROTOCOL":
            return `Set ${argument} to socks5:// or http:// as the proxy speaks, and to its port`;
        case "PROXY_REFUSED":
        case "PROXY_TIMEOUT":
            return "Look whether the proxy may connect there and whether host and port are right as seen from it";
        default:
            return undefined;
    }
}
