import type { IncomingMessage, ServerResponse } from "node:http";
import type { Access } from "../access.js";
import type { Log } from "../log.js";

/** What a REST call answers. `body` is sent as JSON, `text` as it is. */
export interface Answer {
    readonly status: number;
    readonly body?: unknown;
    readonly text?: string;
    readonly headers?: Readonly<Record<string, string>>;
}

export interface Call {
    readonly params: Readonly<Record<string, string>>;
    readonly query: URLSearchParams;
    /** The parsed body; undefined when there was none. */
    readonly body: unknown;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;

export interface Route {
    readonly method: "GET" | "POST" | "PUT" | "DELETE";
    /** Path below the server's root; `{name}` takes one segment. */
    readonly path: string;
    /** No API key needed. */
    readonly open?: boolean;
    readonly handle: Handler;
}

/** A refusal with EMQX's code and message. */
export class ApiError extends Error {
    readonly status: number;
    readonly code: string;

    constructor(status: number, code: string, message: string) {
        super(message);
        this.status = status;
        this.code = code;
    }
}

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const created = (body: unknown): Answer => ({ status: 201, body });
export const noContent: Answer = { status: 204 };

/** The body as an object; EMQX's own refusal otherwise. */
export function objectBody(call: Call): Record<string, unknown> {
    if (typeof call.body !== "object" || call.body === null || Array.isArray(call.body)) {
        throw new ApiError(400, "BAD_REQUEST", "Invalid json message received");
    }
    return call.body as Record<string, unknown>;
}

/** A page of a list with EMQX's `meta`. */
export function page<T>(
    items: readonly T[],
    query: URLSearchParams,
    withCount = true,
): { data: T[]; meta: Record<string, unknown> } {
    const number = (key: string, otherwise: number, most: number) => {
        const text = query.get(key);
        const value = text === null ? otherwise : Number(text);
        if (!Number.isInteger(value) || value < 1 || value > most) {
            throw new ApiError(400, "BAD_REQUEST", `${key} must be a whole number from 1 to ${most}`);
        }
        return value;
    };
    const limit = number("limit", 100, 10_000);
    const current = number("page", 1, 1_000_000);
    const from = (current - 1) * limit;
    return {
        data: items.slice(from, from + limit),
        meta: { ...(withCount ? { count: items.length } : {}), limit, page: current, hasnext: from + limit < items.length },
    };
}

const maxBodyBytes = 4 * 1024 * 1024;

interface Compiled extends Route {
    readonly segments: readonly string[];
}

/** Answers requests by a table of routes, after checking the API key and its role. */
export class Router {
    readonly #routes: Compiled[];
    readonly #access: Access;
    readonly #log: Log;

    constructor(routes: readonly Route[], access: Access, log: Log) {
        this.#routes = routes.map((route) => ({ ...route, segments: route.path.split("/") }));
        this.#access = access;
        this.#log = log;
    }

    async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
        let answer: Answer;
        try {
            answer = await this.#answer(request);
        } catch (error) {
            if (error instanceof ApiError) {
                answer = { status: error.status, body: { code: error.code, message: error.message } };
            } else {
                this.#log("rest_failed", { method: request.method, path: request.url?.split("?")[0], reason: String(error) });
                answer = { status: 500, body: { code: "INTERNAL_ERROR", message: "Internal error, see the broker's log" } };
            }
        }
        const json = answer.body === undefined ? undefined : JSON.stringify(answer.body);
        const text = json ?? answer.text ?? "";
        response.writeHead(answer.status, {
            ...(json !== undefined
                ? { "content-type": "application/json" }
                : answer.text !== undefined
                  ? { "content-type": "text/plain" }
                  : {}),
            ...(answer.status === 204 ? {} : { "content-length": Buffer.byteLength(text) }),
            ...answer.headers,
        });
        response.end(request.method === "HEAD" ? undefined : text);
    }

    async #answer(request: IncomingMessage): Promise<Answer> {
        const url = new URL(request.url ?? "/", "http://broker");
        const segments = url.pathname.split("/").map(decode);
        const here = this.#routes.flatMap((route) => {
            const params = matchPath(route.segments, segments);
            return params === undefined ? [] : [{ route, params }];
        });
        const found = here.find(({ route }) => route.method === request.method);
        if (found?.route.open !== true) {
            this.#authorize(request);
        }
        const body = await readBody(request);
        if (found === undefined) {
            if (here.length > 0) {
                return { status: 405 };
            }
            throw new ApiError(404, "NOT_FOUND", `Request Path Not Found: ${url.pathname}`);
        }
        return await found.route.handle({ params: found.params, query: url.searchParams, body });
    }

    #authorize(request: IncomingMessage): void {
        const header = /^Basic\s+(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
        if (header === undefined) {
            throw new ApiError(401, "AUTHORIZATION_HEADER_ERROR", "Support authorization: basic/bearer ");
        }
        const [key = "", ...secret] = Buffer.from(header, "base64").toString("utf8").split(":");
        const role = this.#access.apiRole(key, secret.join(":"));
        if (role === undefined) {
            throw new ApiError(401, "BAD_API_KEY_OR_SECRET", "Check api_key/api_secret");
        }
        const reads = request.method === "GET" || request.method === "HEAD";
        const publishes = request.method === "POST" && request.url?.startsWith("/api/v5/publish") === true;
        if (!(role === "administrator" || (role === "viewer" && reads) || (role === "publisher" && publishes))) {
            throw new ApiError(403, "UNAUTHORIZED_ROLE", "This API Key don't have permission to access this resource");
        }
    }
}

function decode(segment: string): string {
    try {
        return decodeURIComponent(segment);
    } catch {
        throw new ApiError(400, "BAD_REQUEST", "The path is not valid");
    }
}

function matchPath(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
    if (pattern.length !== segments.length) {
        return undefined;
    }
    const params: Record<string, string> = {};
    for (const [index, part] of pattern.entries()) {
        const segment = segments[index] ?? "";
        if (part.startsWith("{")) {
            params[part.slice(1, -1)] = segment;
        } else if (part !== segment) {
            return undefined;
        }
    }
    return params;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of request as AsyncIterable<Buffer>) {
        size += part.length;
        if (size > maxBodyBytes) {
            throw new ApiError(413, "BAD_REQUEST", "The request body is too large");
        }
        parts.push(part);
    }
    if (size === 0) {
        return undefined;
    }
    const text = Buffer.concat(parts).toString("utf8");
    if (request.headers["content-type"]?.startsWith("text/plain") === true) {
        return text;
    }
    try {
        return JSON.parse(text);
    } catch {
        throw new ApiError(400, "BAD_REQUEST", "Invalid json message received");
    }
}
