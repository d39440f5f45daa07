import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { listen } from "./probeBrokers.js";

/** What a proxy of a test does in place of its work. */
export type ProxyFault =
    /** Never answers. */
    | "silent"
    /** Closes the connection without an answer. */
    | "close"
    /** Answers with something that is no proxy's. */
    | "garbage"
    /** Cannot connect to the target: SOCKS5's reply 5, HTTP's 502. */
    | "refuse"
    /** May not connect to the target: SOCKS5's reply 2, HTTP's 403 with words that would steer a terminal. */
    | "forbid";

export interface TestProxyOptions {
    readonly fault?: ProxyFault | undefined;
    readonly login?: { readonly username: string; readonly password: string } | undefined;
    /** Port on 127.0.0.1 that stands for a name and port, as the proxy resolves them. */
    readonly leads?: Readonly<Record<string, number>> | undefined;
}

/** A SOCKS5 or CONNECT proxy on loopback. */
export interface TestProxy {
    readonly port: number;
    /** `socks5://127.0.0.1:port` or `http://127.0.0.1:port`. */
    readonly url: string;
    /** What was asked for, as `name host:port` or `address host:port`. */
    readonly asked: string[];
    /** First bytes that clients sent through a tunnel: 22 is a TLS handshake. */
    readonly firstBytes: number[];
    /** Connections that are open. */
    readonly open: () => number;
    /** Logins that were given, as `user:password`. */
    readonly logins: string[];
    stop(): Promise<void>;
}

type Given = TestProxyOptions & { readonly asked: string[]; readonly firstBytes: number[]; readonly logins: string[] };

export async function startProxy(kind: "socks5" | "http", options: TestProxyOptions = {}): Promise<TestProxy> {
    const given: Given = { ...options, asked: [], firstBytes: [], logins: [] };
    const sockets = new Set<Socket>();
    const keep = (socket: Socket) => {
        sockets.add(socket);
        socket.on("error", () => {});
        socket.once("close", () => sockets.delete(socket));
    };
    const server = kind === "socks5" ? createServer((socket) => socks(socket, given, keep)) : http(given, keep);
    server.on("connection", keep);
    const port = await listen(server);
    return {
        port,
        url: `${kind}://127.0.0.1:${port}`,
        asked: given.asked,
        firstBytes: given.firstBytes,
        logins: given.logins,
        open: () => sockets.size,
        stop: async () => {
            for (const socket of sockets) {
                socket.destroy();
            }
            await new Promise((resolve) => server.close(resolve));
        },
    };
}

function target(host: string, port: number, { leads }: TestProxyOptions): number {
    return leads?.[`${host}:${port}`] ?? port;
}

function join(client: Socket, port: number, { firstBytes }: Given, keep: (socket: Socket) => void, opened: () => void): void {
    const out = connect({ host: "127.0.0.1", port }, () => {
        opened();
        client.once("data", (chunk: Buffer) => firstBytes.push(chunk[0] ?? -1));
        client.pipe(out);
        out.pipe(client);
    });
    keep(out);
    out.once("close", () => client.destroy());
    client.once("close", () => out.destroy());
}

const greeting = 5;

/** RFC 1928 and 1929, as far as a client of one CONNECT uses them. */
function socks(client: Socket, given: Given, keep: (socket: Socket) => void): void {
    const { fault, login } = given;
    const steps = [
        (data: Buffer) => {
            if (fault === "close") {
                client.destroy();
            } else if (fault === "garbage") {
                client.end("HTTP/1.1 400 Bad Request\r\n\r\n");
            } else if (fault !== "silent") {
                const offered = [...data.subarray(2, 2 + (data[1] ?? 0))];
                const method = login === undefined ? 0 : 2;
                client.write(Buffer.from([greeting, offered.includes(method) ? method : 0xff]));
            }
        },
        ...(login === undefined ? [] : [(data: Buffer) => socksLogin(client, data, given)]),
        (data: Buffer) => {
            const kind = data[3];
            const length = kind === 3 ? (data[4] ?? 0) : 4;
            const start = kind === 3 ? 5 : 4;
            const bytes = data.subarray(start, start + length);
            const host = kind === 3 ? bytes.toString() : [...bytes].join(".");
            const port = data.readUInt16BE(start + length);
            given.asked.push(`${kind === 3 ? "name" : "address"} ${host}:${port}`);
            const reply = (code: number) => Buffer.from([greeting, code, 0, 1, 0, 0, 0, 0, 0, 0]);
            if (fault === "refuse" || fault === "forbid") {
                client.end(reply(fault === "refuse" ? 5 : 2));
            } else {
                join(client, target(host, port, given), given, keep, () => client.write(reply(0)));
            }
        },
    ];
    const next = () =>
        client.once("data", (data: Buffer) => {
            steps.shift()?.(data);
            if (steps.length > 0) {
                next();
            }
        });
    next();
}

function socksLogin(client: Socket, data: Buffer, { login, logins }: Given): void {
    const user = data.subarray(2, 2 + (data[1] ?? 0)).toString();
    const password = data.subarray(3 + (data[1] ?? 0)).toString();
    logins.push(`${user}:${password}`);
    const isRight = user === login?.username && password === login.password;
    client.write(Buffer.from([1, isRight ? 0 : 1]));
}

function http(given: Given, keep: (socket: Socket) => void): Server {
    const { fault, login } = given;
    const server = createHttpServer();
    if (fault === "garbage") {
        return createServer((socket) => socket.once("data", () => socket.end("\x05\xff neither this nor that\r\n\r\n")));
    }
    server.on("connect", (request, client: Socket) => {
        if (fault === "silent") {
            client.resume().once("end", () => client.destroy());
            return;
        }
        if (fault === "close") {
            client.destroy();
            return;
        }
        const authority = request.url ?? "";
        const [, host = "", port = ""] = /^\[?([^\]]*)\]?:(\d+)$/.exec(authority) ?? [];
        if (login !== undefined) {
            const sent = Buffer.from((request.headers["proxy-authorization"] ?? "").replace("Basic ", ""), "base64").toString();
            given.logins.push(sent);
            if (sent !== `${login.username}:${login.password}`) {
                client.end(`HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n`);
                return;
            }
        }
        given.asked.push(`name ${host}:${port}`);
        if (fault === "refuse") {
            client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
        } else if (fault === "forbid") {
            client.end(`HTTP/1.1 403 Not\u001b[31m here ${"very ".repeat(40)}\r\n\r\n`);
        } else {
            join(client, target(host, Number(port), given), given, keep, () =>
                client.write("HTTP/1.1 200 Connection established\r\n\r\n"),
            );
        }
    });
    return server;
}
