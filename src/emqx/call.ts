import { setTimeout as sleep } from "node:timers/promises";
import { InputError, OperationError } from "../errors.js";
import type { ApiEndpoint } from "./endpoint.js";
import { causeOfFailure, causeOfRefusal, isPage, pageText, readableMessage, shorten } from "./failureCause.js";
import { redact, secretsOf } from "./redact.js";
import { type RawAnswer, Transport, TransportFailure } from "./transport.js";

/** A write had no usable answer: it may or may not have had effect. Look what became of it before it is made again. */
export class UnknownOutcomeError extends OperationError {
    constructor(detail: ConstructorParameters<typeof OperationError>[0]) {
        super(detail);
        this.name = "UnknownOutcomeError";
    }
}

/** How an API is called. */
export interface CallOptions {
    /** Seconds within which a call ends, with all its attempts. A broker may take 60 for a change of a link. @default 65 */
    readonly requestSeconds?: number | undefined;
    /** Seconds for a connection, TLS included. @default 10 */
    readonly connectSeconds?: number | undefined;
    /** How often a call is tried in all, where trying again does no harm. @default 3 */
    readonly attempts?: number | undefined;
    /** Site or cluster, for messages. */
    readonly name?: string | undefined;
}

/** One call. */
export interface Call<T> {
    readonly method: "GET" | "POST" | "PUT" | "DELETE";
    /** Path and query, from the root. */
    readonly path: string;
    /** What is done, for messages: `read the cluster link "b"`. */
    readonly what: string;
    readonly body?: unknown;
    /** Whether credentials go along. @default true */
    readonly credentials?: boolean;
    /** Codes of a 404 that say "there is no such thing", for which `absent` is the result. */
    readonly absentCodes?: readonly string[];
    readonly absent?: T;
    /** Brings an answer's JSON (undefined: no body) into shape; throws {@link ShapeError}. */
    readonly parse: (json: unknown) => T;
}

/** An answer is JSON, but not what was expected. */
export class ShapeError extends Error {}

/** Characters of another side's words that a message shows. */
const longestMessage = 300;
const longestCode = 80;
const firstPauseMs = 200;
const longestPauseMs = 5_000;
/** Longer than this no `Retry-After` is waited for. */
const longestRetryAfterMs = 15_000;

/** What an attempt came to: a value, or an error that may pass. */
type Attempt<T> =
    | { readonly value: T }
    | { readonly error: OperationError; readonly again: boolean; readonly afterMs?: number | undefined; readonly free?: boolean };

/** Calls one REST API: JSON in and out, one shape of error, no secret in it. */
export class ApiCaller {
    readonly #transport: Transport;
    readonly #authorization: string;
    readonly #secrets: readonly string[];
    readonly #where: string;
    readonly #requestSeconds: number;
    readonly #connectSeconds: number;
    readonly #attempts: number;

    /** @throws InputError naming the argument */
    constructor(endpoint: ApiEndpoint, options: CallOptions = {}) {
        const { key, secret } = endpoint;
        // HTTP separates key and secret by the first colon.
        if (key === "" || /[:\p{Cc}]/u.test(key)) {
            throw new InputError("api.key", "it is empty or has a colon or a control character; set the API key's name");
        }
        if (secret === "" || /\p{Cc}/u.test(secret)) {
            throw new InputError("api.secret", "it is empty or has a control character; set the API key's secret");
        }
        this.#transport = new Transport(endpoint);
        this.#authorization = `Basic ${Buffer.from(`${key}:${secret}`, "utf8").toString("base64")}`;
        this.#secrets = [`${key}:${secret}`, secret];
        const { shown } = this.#transport.target;
        this.#where = options.name === undefined || options.name === endpoint.url ? shown : `${options.name} (${shown})`;
        this.#requestSeconds = positive(options.requestSeconds ?? 65, "requestSeconds");
        this.#connectSeconds = positive(options.connectSeconds ?? 10, "connectSeconds");
        this.#attempts = Math.max(1, Math.trunc(positive(options.attempts ?? 3, "attempts")));
    }

    close(): void {
        this.#transport.close();
    }

    /**
     * Makes a call. Reads are tried again after failures that may pass; writes only when they certainly were not begun, and POST never.
     *
     * @throws OperationError what failed and what to do
     * @throws UnknownOutcomeError when a write may have had effect
     */
    async call<T>(call: Call<T>): Promise<T> {
        const deadline = performance.now() + this.#requestSeconds * 1000;
        let staleAllowed = true;
        let pause = firstPauseMs;
        for (let attempt = 1; ; attempt++) {
            const result = await this.#attempt(call, deadline, !staleAllowed || attempt > 1);
            if ("value" in result) {
                return result.value;
            }
            if (result.free === true && staleAllowed) {
                staleAllowed = false;
                attempt--;
                continue;
            }
            const wait = result.afterMs ?? pause * (0.75 + Math.random() / 2);
            if (!result.again || attempt >= this.#attempts || performance.now() + wait >= deadline) {
                throw result.error;
            }
            await sleep(wait);
            pause = Math.min(pause * 2, longestPauseMs);
        }
    }

    async #attempt<T>(call: Call<T>, deadline: number, fresh: boolean): Promise<Attempt<T>> {
        const left = (deadline - performance.now()) / 1000;
        try {
            const answer = await this.#transport.send(
                {
                    method: call.method,
                    path: call.path,
                    headers: call.credentials === false ? {} : { authorization: this.#authorization },
                    body: call.body === undefined ? undefined : JSON.stringify(call.body),
                    connectSeconds: Math.min(this.#connectSeconds, left),
                    totalSeconds: left,
                },
                { fresh },
            );
            return this.#judge(call, answer);
        } catch (error) {
            if (error instanceof TransportFailure) {
                return this.#judgeFailure(call, error);
            }
            throw error;
        }
    }

    #judgeFailure<T>(call: Call<T>, failure: TransportFailure): Attempt<T> {
        const { message, todo } = causeOfFailure(failure, this.#transport.target);
        // Words of this side, so that a secret that happens to be an ordinary word is no reason to spoil them.
        const said = redact(message, this.#secrets);
        const isRead = call.method === "GET";
        if (failure.sent && !isRead) {
            return this.#unknown(call, { code: failure.code, message: said });
        }
        const passing = failure.code !== "CLOSED" && !isLasting(failure.code);
        return {
            error: this.#error(call, { code: failure.code, message: said, todo }),
            again: passing && call.method !== "POST",
            free: failure.stale && isRead,
        };
    }

    #judge<T>(call: Call<T>, answer: RawAnswer): Attempt<T> {
        const { status, text } = answer;
        const page = isPage(text, answer.headers["content-type"]);
        if (status >= 300 && status < 400) {
            const to = this.#clean(originOf(answer.headers.location), call);
            return this.#final(call, {
                status,
                message: `it redirects${to === "" ? "" : ` to ${to}`}, which is not followed`,
                todo: "Set api.url to where the API itself is",
            });
        }
        const json = page ? undefined : parseJson(text);
        if (status >= 200 && status < 300) {
            return this.#accept(call, answer, page, json);
        }
        const { code, message } = isRecord(json) ? json : {};
        const emqxCode = typeof code === "string" ? code : undefined;
        if (status === 404 && emqxCode !== undefined && call.absentCodes?.includes(emqxCode) === true) {
            return { value: call.absent as T };
        }
        if (status === 404 && page) {
            // While EMQX starts, its API's paths answer with a page for a moment.
            return {
                error: this.#error(call, {
                    status,
                    message: "it answers with a web page",
                    todo: "Wait until EMQX has started; if it has, set api.url to its API or look at its version",
                }),
                again: call.method !== "POST",
            };
        }
        const clean = (dirty: string) => this.#clean(dirty, call);
        const said = page ? pageText(clean(text)) : readableMessage(isRecord(json) ? message : text, clean);
        const cause = causeOfRefusal(status, emqxCode, said);
        const detail = {
            status,
            code: emqxCode === undefined ? undefined : shorten(clean(emqxCode), longestCode),
            message: shorten(cause.message, longestMessage),
            todo: cause.todo,
        };
        if (status >= 500 && call.method !== "GET") {
            return this.#unknown(call, detail);
        }
        const passes = status === 429 || status >= 500;
        return {
            error: this.#error(call, detail),
            again: passes && call.method !== "POST",
            afterMs: passes ? retryAfterMs(answer.headers["retry-after"]) : undefined,
        };
    }

    /** A success, unless what came with it is not what was asked for. */
    #accept<T>(call: Call<T>, { status, text }: RawAnswer, page: boolean, json: unknown): Attempt<T> {
        const notJson = json === undefined && text.trim() !== "";
        let problem = page
            ? `it answers with a web page (${shorten(pageText(this.#clean(text, call)), longestCode)})`
            : notJson
              ? "the answer is no JSON"
              : undefined;
        if (problem === undefined) {
            try {
                return { value: call.parse(json) };
            } catch (error) {
                if (!(error instanceof ShapeError)) {
                    throw error;
                }
                problem = text.trim() === "" ? "the answer is empty" : `the answer is not as EMQX gives it: ${error.message}`;
            }
        }
        if (call.method !== "GET") {
            return this.#unknown(call, { status, message: problem });
        }
        const todo = page
            ? "Set api.url to EMQX's API; a web page or a proxy answers there"
            : "Look whether api.url is EMQX's API, and at its version";
        // A whole document of another shape does not get better; a broken one may.
        return { error: this.#error(call, { status, message: problem, todo }), again: !page && json === undefined };
    }

    #error<T>(call: Call<T>, detail: Omit<OperationError["detail"], "what" | "where">): OperationError {
        return new OperationError({ what: call.what, where: this.#where, ...detail });
    }

    #final<T>(call: Call<T>, detail: Omit<OperationError["detail"], "what" | "where">): Attempt<T> {
        return { error: this.#error(call, detail), again: false };
    }

    #unknown<T>(call: Call<T>, detail: Omit<OperationError["detail"], "what" | "where">): Attempt<T> {
        const todo = "It may have had effect all the same: look at the cluster before it is made again";
        return { error: new UnknownOutcomeError({ what: call.what, where: this.#where, ...detail, todo }), again: false };
    }

    #clean(text: string, call: { readonly body?: unknown }): string {
        return redact(text, [...this.#secrets, ...secretsOf(call.body)]);
    }
}

/** Failures that trying again soon does not mend. */
function isLasting(code: string): boolean {
    return /^(?:CERT_|ERR_TLS|ERR_SSL|EPROTO|HPE_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|INVALID_CA|ANSWER_TOO_LARGE|ADDRESS_REFUSED|PROXY_AUTH|PROXY_PROTOCOL)/.test(
        code,
    );
}

function retryAfterMs(header: string | undefined): number | undefined {
    if (header === undefined) {
        return undefined;
    }
    const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
    return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), longestRetryAfterMs) : undefined;
}

/** Where a redirect leads, without what may hold a token. */
function originOf(location: string | undefined): string {
    if (location === undefined || !URL.canParse(location)) {
        return "";
    }
    const { protocol, host } = new URL(location);
    return `${protocol}//${host}`;
}

function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function positive(value: number, argument: string): number {
    if (!(value > 0 && value <= 3_600)) {
        throw new InputError(argument, `${value} is out of range; set more than 0 and at most 3600`);
    }
    return value;
}
