import { connect, createServer, type Server, type Socket } from "node:net";

interface Pipe {
    readonly near: Socket;
    readonly far: Socket;
}

/** What a relay does with traffic. */
export type RelayMode =
    /** Passes everything. */
    | "open"
    /** Resets every connection, old and new. */
    | "reset"
    /** Keeps connections and passes nothing, either way; what was written arrives once it is open again. */
    | "silence"
    /** Only what the dialling side writes gets through. */
    | "forward-only"
    /** Only what the dialled side writes gets through. */
    | "back-only";

/** A TCP relay on loopback that stands for a network path: it can be cut, made silent or slow, and it knows who may pass. */
export class Relay {
    readonly #server: Server;
    readonly #target: { host: string; port: number };
    readonly #pipes = new Set<Pipe>();
    /** Who dialled during a silence: the other side never heard of them. */
    readonly #unheard = new Set<Socket>();
    #mode: RelayMode = "open";
    /** Added to every chunk in both directions, ms. */
    delayMs = 0;
    /** Source addresses that may pass; others are reset. Undefined: everybody. */
    allow: ReadonlySet<string> | undefined;
    /** Connections that were let in so far. */
    accepted = 0;
    refused = 0;
    /** Bytes passed in both directions. */
    bytes = 0;

    private constructor(target: { host: string; port: number }) {
        this.#target = target;
        this.#server = createServer((near) => this.#accept(near));
    }

    static async open(port: number, host = "127.0.0.1"): Promise<Relay> {
        const relay = new Relay({ host, port });
        await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
        return relay;
    }

    get port(): number {
        const address = this.#server.address();
        return typeof address === "object" && address !== null ? address.port : 0;
    }

    get connections(): number {
        return this.#pipes.size;
    }

    set mode(mode: RelayMode) {
        this.#mode = mode;
        for (const near of mode === "silence" ? [] : this.#unheard) {
            this.#unheard.delete(near);
            near.resetAndDestroy();
        }
        for (const pipe of this.#pipes) {
            this.#apply(pipe);
        }
    }

    #accept(near: Socket): void {
        near.on("error", () => {});
        if (this.#mode === "reset" || this.allow?.has(near.remoteAddress ?? "") === false) {
            this.refused++;
            near.resetAndDestroy();
            return;
        }
        if (this.#mode === "silence") {
            this.#unheard.add(near.pause());
            return;
        }
        this.accepted++;
        const far = connect(this.#target);
        const pipe = { near, far };
        this.#pipes.add(pipe);
        for (const [from, to] of [
            [near, far],
            [far, near],
        ] as const) {
            from.setNoDelay(true);
            from.on("data", (data) => this.#pass(from, to, data));
            from.on("end", () => to.end());
            from.on("close", () => {
                this.#pipes.delete(pipe);
                to.destroy();
            });
        }
        far.on("error", () => near.resetAndDestroy());
        this.#apply(pipe);
    }

    #pass(from: Socket, to: Socket, data: Buffer): void {
        this.bytes += data.length;
        const write = () => {
            if (!to.destroyed && !to.write(data)) {
                from.pause();
                to.once("drain", () => this.#resume(from));
            }
        };
        if (this.delayMs === 0) {
            write();
        } else {
            setTimeout(write, this.delayMs);
        }
    }

    #passes(pipe: Pipe, from: Socket): boolean {
        return this.#mode === "open" || (from === pipe.near ? this.#mode === "forward-only" : this.#mode === "back-only");
    }

    #resume(from: Socket): void {
        for (const pipe of this.#pipes) {
            if ((pipe.near === from || pipe.far === from) && this.#passes(pipe, from)) {
                from.resume();
            }
        }
    }

    #apply(pipe: Pipe): void {
        if (this.#mode === "reset") {
            pipe.near.resetAndDestroy();
            pipe.far.resetAndDestroy();
            return;
        }
        for (const side of [pipe.near, pipe.far]) {
            if (this.#passes(pipe, side)) {
                side.resume();
            } else {
                side.pause();
            }
        }
    }

    async close(): Promise<void> {
        const closed = new Promise((resolve) => this.#server.close(resolve));
        this.mode = "reset";
        await closed;
    }
}
