import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { ApiEndpoint } from "../../src/emqx/endpoint.js";

/** One request as it came in. */
export interface ScriptedRequest {
    readonly method: string;
    /** Path and query, undecoded. */
    readonly path: string;
    readonly authorization: string | undefined;
    readonly host: string | undefined;
    readonly body: string;
}

/** Answers one request in any way, also wrongly. */
export type Step = (response: ServerResponse, request: IncomingMessage) => void;

/** A JSON answer. */
export const json =
    (status: number, body: unknown, headers: Record<string, string> = {}): Step =>
    (response) => {
        response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    };

/** Any text as an answer. */
export const text =
    (status: number, body: string, headers: Record<string, string> = {}): Step =>
    (response) => {
        response.writeHead(status, { "content-type": "text/plain", ...headers }).end(body);
    };

/** A web page. */
export const page = (status: number, title: string): Step =>
    text(status, `<!DOCTYPE html><html><head><title>${title}</title></head><body>b</body></html>`, {
        "content-type": "text/html",
    });

export const noContent: Step = (response) => {
    response.writeHead(204).end();
};

/** Closes the connection without an answer. */
export const cut: Step = (response) => {
    response.destroy();
};

/** Announces a longer body than it sends, then closes the connection. */
export const cutBody =
    (beginning: string): Step =>
    (response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "100000" });
        response.write(beginning, () => response.socket?.destroySoon());
    };

/** Never answers. */
export const hang: Step = () => {};

/** Sends the head of an answer and one space every few milliseconds, for ever. */
export const trickle: Step = (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const timer = setInterval(() => response.write(" "), 10);
    response.on("close", () => clearInterval(timer));
};

/** Sends bytes as they are in place of an answer. */
export const bytes =
    (content: string): Step =>
    (response) => {
        response.socket?.end(content);
    };

/** An HTTP or HTTPS server that answers as its script says. A request that the script does not foresee is answered 599. */
export class ScriptedApi {
    readonly requests: ScriptedRequest[] = [];
    /** How many TCP connections were opened. */
    connections = 0;
    readonly #steps: Step[] = [];
    #always: Step | undefined;
    /** The port, also after the end. */
    port = 0;
    readonly #server: Server;
    readonly #tls: boolean;
    readonly #sockets = new Set<Socket>();

    private constructor(tls?: { readonly cert: string; readonly key: string }) {
        this.#tls = tls !== undefined;
        const handle = (request: IncomingMessage, response: ServerResponse): void => {
            let body = "";
            request.on("data", (chunk: Buffer) => {
                body += chunk.toString();
            });
            request.on("end", () => {
                this.requests.push({
                    method: request.method ?? "",
                    path: request.url ?? "",
                    authorization: request.headers.authorization,
                    host: request.headers.host,
                    body,
                });
                const step = this.#steps.shift() ?? this.#always ?? json(599, { code: "NO_STEP", message: "not in the script" });
                step(response, request);
            });
        };
        this.#server = tls === undefined ? createServer(handle) : createTlsServer({ ...tls }, handle);
        this.#server.on("connection", (socket: Socket) => {
            this.connections++;
            this.#sockets.add(socket);
            socket.on("close", () => this.#sockets.delete(socket));
        });
    }

    static async start(tls?: { readonly cert: string; readonly key: string }): Promise<ScriptedApi> {
        const api = new ScriptedApi(tls);
        await new Promise<void>((resolve) => api.#server.listen(0, "127.0.0.1", resolve));
        api.port = (api.#server.address() as AddressInfo).port;
        return api;
    }

    get url(): string {
        return `${this.#tls ? "https" : "http"}://127.0.0.1:${this.port}`;
    }

    endpoint(more: Partial<ApiEndpoint> = {}): ApiEndpoint {
        return { url: this.url, key: "test-key", secret: "test-s3cret/+ä", ...more };
    }

    /** What the next requests are answered with, in this order. */
    script(...steps: Step[]): this {
        this.#steps.push(...steps);
        return this;
    }

    /** What every request is answered with after the script. */
    always(step: Step): this {
        this.#always = step;
        return this;
    }

    /** The requests as `METHOD /path`. */
    get asked(): string[] {
        return this.requests.map(({ method, path }) => `${method} ${path}`);
    }

    /** Closes every connection that is open, used or not. */
    dropConnections(): void {
        for (const socket of this.#sockets) {
            socket.destroy();
        }
    }

    async stop(): Promise<void> {
        const closed = new Promise((resolve) => this.#server.close(resolve));
        this.dropConnections();
        await closed;
    }
}
