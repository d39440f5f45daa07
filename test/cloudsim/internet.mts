import { connect, createServer, isIPv4, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "./account.mts";
import type { WorldLog } from "./log.mts";
import type { Route } from "./types.mts";

/** Answers of SOCKS 5 (RFC 1928). */
const answers = { granted: 0, unknownName: 4, refused: 5, timedOut: 6, unknownCommand: 7, unknownAddress: 8 } as const;

/** How long a connection that a filter drops is left without an answer, ms. Real clients wait for a minute and more. */
const dropMs = 250;

/** The machines behind doors, as far as the internet needs them. */
export interface Doors {
    /** Whether the machine answers health probes. */
    isReady(key: string): boolean;
    /** The port on loopback on which a machine's port is really served. */
    portOf(key: string, port: number): number | undefined;
    /** Whether whoever serves a machine's port wants to be told first where a connection comes from. @default never */
    asksOrigin?(key: string, port: number): boolean;
}

/** What a connection attempt came to. */
export type Reached =
    | {
          readonly port: number;
          /** The first line of the connection: where it comes from. */
          readonly header?: string;
          /** Whether the way is still there; asked after changes. @default for ever */
          readonly lasts?: () => boolean;
      }
    | { readonly dropped: string }
    | { readonly refused: string }
    | { readonly unknown: string };

/** Somebody who opens connections: where a name and port lead for them. */
export type Way = (host: string, port: number) => Reached;

/** Where public addresses lead: the account's rules decide for every connection anew. */
export class Internet {
    readonly #account: Account;
    readonly #doors: Doors;
    readonly #log: WorldLog;
    #turn = 0;

    constructor(parts: { readonly account: Account; readonly doors: Doors; readonly log: WorldLog }) {
        this.#account = parts.account;
        this.#doors = parts.doors;
        this.#log = parts.log;
    }

    /** Addresses of a public name. */
    lookup(name: string): readonly string[] {
        return this.#account.clouds.flatMap((cloud) => cloud.lookup(this.#account.view(cloud.name), name));
    }

    /** Where a connection from a public address to a host arrives. Load balancers take their machines in turn. */
    reach(source: string, host: string, port: number): Reached {
        const addresses = isIPv4(host) ? [host] : this.lookup(host);
        if (addresses.length === 0) {
            return this.#told(source, host, port, { unknown: `nobody knows the name ${host}` });
        }
        let last: Reached = { dropped: `${host} is nobody's address` };
        for (const address of addresses) {
            const route = this.#route(source, address, port);
            last = route === undefined ? last : this.arrive(route, { source, address, port });
            if ("port" in last) {
                return last;
            }
        }
        return this.#told(source, host, port, last);
    }

    #route(source: string, address: string, port: number): Route | undefined {
        for (const cloud of this.#account.clouds) {
            const view = this.#account.view(cloud.name);
            const route = cloud.route(view, { source, address, port }, (key) => this.#doors.isReady(key));
            if (route !== undefined) {
                return route;
            }
        }
        return undefined;
    }

    /** What becomes of a connection at the end of its route. */
    arrive(
        route: Route,
        { source, address, port }: { readonly source: string; readonly address: string; readonly port: number },
    ): Reached {
        if (!("machines" in route)) {
            return route;
        }
        this.#turn += 1;
        const chosen = route.machines[this.#turn % Math.max(1, route.machines.length)];
        const local = chosen === undefined ? undefined : this.#doors.portOf(chosen, route.port);
        const asks = chosen !== undefined && this.#doors.asksOrigin?.(chosen, route.port) === true;
        return local === undefined
            ? { refused: `nothing listens on port ${route.port} of ${chosen ?? "any machine"}` }
            : { port: local, ...(asks ? { header: headerOf(source, address, port) } : {}) };
    }

    #told(source: string, host: string, port: number, reached: Reached): Reached {
        this.#log.say("internet", `${source} does not reach ${host}:${port}: ${JSON.stringify(reached)}`);
        return reached;
    }
}

/** How a proxy says for whom it connects (PROXY protocol, version 1). The own port is made up. */
export function headerOf(source: string, address: string, port: number): string {
    return `PROXY TCP4 ${source} ${address} 40000 ${port}\r\n`;
}

/** A SOCKS 5 server on loopback: somebody's way into the simulated internet. */
export class SocksServer {
    readonly #way: Way;
    readonly #server: Server;
    readonly #sockets = new Map<Socket, () => boolean>();
    #port = 0;

    constructor(way: Way) {
        this.#way = way;
        this.#server = createServer({ allowHalfOpen: true }, (socket) => void this.#serve(socket));
    }

    get port(): number {
        return this.#port;
    }

    async start(): Promise<void> {
        await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
        const address = this.#server.address();
        this.#port = typeof address === "object" && address !== null ? address.port : 0;
    }

    /** Cuts every connection that is open now: the next ones are decided by the rules as they are then. */
    cut(): void {
        for (const socket of this.#sockets.keys()) {
            socket.destroy();
        }
    }

    /** Ends connections whose way is gone. */
    check(): void {
        for (const [socket, lasts] of this.#sockets) {
            if (!lasts()) {
                socket.destroy();
            }
        }
    }

    async stop(): Promise<void> {
        this.cut();
        await new Promise<void>((done) => this.#server.close(() => done()));
    }

    async #serve(socket: Socket): Promise<void> {
        this.#sockets.set(socket, () => true);
        socket.on("close", () => this.#sockets.delete(socket));
        socket.on("error", () => socket.destroy());
        socket.setNoDelay(true);
        try {
            const target = await greet(socket);
            if (target === undefined) {
                socket.destroy();
                return;
            }
            const reached = this.#way(target.host, target.port);
            if ("unknown" in reached) {
                answer(socket, answers.unknownName);
                socket.end();
            } else if ("dropped" in reached) {
                await sleep(dropMs);
                answer(socket, answers.timedOut);
                socket.end();
            } else if ("refused" in reached) {
                answer(socket, answers.refused);
                socket.end();
            } else {
                this.#sockets.set(socket, reached.lasts ?? (() => true));
                join(socket, reached, (arrived) => answer(socket, arrived ? answers.granted : answers.refused));
            }
        } catch {
            socket.destroy();
        }
    }
}

/** Connects a socket with a port on loopback, both ways, until either side ends. `header`: what is said there first. */
function join(
    socket: Socket,
    { port, header }: { readonly port: number; readonly header?: string },
    onSettled: (arrived: boolean) => void,
): void {
    const other = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
    let settled = false;
    other.once("connect", () => {
        settled = true;
        if (header !== undefined) {
            other.write(header);
        }
        onSettled(true);
        socket.pipe(other);
        other.pipe(socket);
    });
    other.on("error", () => {
        if (!settled) {
            settled = true;
            onSettled(false);
        }
        socket.destroySoon();
    });
    other.on("close", () => socket.destroySoon());
    socket.on("close", () => other.destroy());
}

function answer(socket: Socket, code: number): void {
    if (!socket.destroyed) {
        socket.write(Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]));
    }
}

/** Reads the greeting and the request. `undefined`: no SOCKS 5, or a command that is not known here. */
async function greet(socket: Socket): Promise<{ readonly host: string; readonly port: number } | undefined> {
    const read = reader(socket);
    const [version, methods = 0] = await read(2);
    if (version !== 5) {
        return undefined;
    }
    await read(methods);
    socket.write(Buffer.from([5, 0]));
    const [, command, , kind] = await read(4);
    if (command !== 1) {
        answer(socket, answers.unknownCommand);
        return undefined;
    }
    let host: string;
    if (kind === 1) {
        host = (await read(4)).join(".");
    } else if (kind === 3) {
        const [length = 0] = await read(1);
        host = (await read(length)).toString("latin1");
    } else {
        answer(socket, answers.unknownAddress);
        return undefined;
    }
    return { host, port: (await read(2)).readUInt16BE() };
}

/** Reads exact numbers of bytes; what comes after the last read stays in the socket. */
function reader(socket: Socket): (count: number) => Promise<Buffer> {
    return async (count) => {
        for (;;) {
            const part: Buffer | null = count === 0 ? Buffer.alloc(0) : socket.read(count);
            if (part !== null) {
                return part;
            }
            if (socket.destroyed || socket.readableEnded) {
                throw new Error("ended before its request");
            }
            await new Promise<void>((done) => {
                const go = () => {
                    socket.off("readable", go);
                    socket.off("close", go);
                    done();
                };
                socket.on("readable", go);
                socket.on("close", go);
            });
        }
    };
}
