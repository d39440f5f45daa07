import { hasUnknown } from "../dynamic/provider.js";
import { digestOf } from "../dynamic/storedForm.js";
import { EmqxClient } from "../emqx/client.js";
import type { ApiEndpoint } from "../emqx/endpoint.js";
import { messageOf, OperationError } from "../errors.js";
import { type ApiTimeouts, timeoutDefaults } from "./timeouts.js";

/** What every kind of resource here keeps of how to reach its cluster. */
export interface ApiInputs {
    readonly api: ApiEndpoint;
    readonly timeouts?: ApiTimeouts;
}

/** A client that several pieces of work share. */
interface Shared {
    readonly client: EmqxClient;
    users: number;
    idle: NodeJS.Timeout | undefined;
}

const shared = new Map<string, Shared>();
/** A free client stays open for so long: a site's next link follows at once or not at all. */
const lingerMs = 500;

/**
 * Does a piece of work with a client of a cluster's API. What is done at one cluster shares one client, and so its connections and TLS
 * sessions; it is closed soon after the last of them.
 */
export async function withApi<T>(inputs: ApiInputs, name: string, work: (client: EmqxClient) => Promise<T>): Promise<T> {
    const requestSeconds = inputs.timeouts?.requestSeconds ?? timeoutDefaults.requestSeconds;
    const key = digestOf([inputs.api, requestSeconds, name]);
    const found = shared.get(key) ?? { client: new EmqxClient(inputs.api, { requestSeconds, name }), users: 0, idle: undefined };
    shared.set(key, found);
    clearTimeout(found.idle);
    found.users += 1;
    try {
        return await work(found.client);
    } finally {
        found.users -= 1;
        if (found.users === 0) {
            found.idle = setTimeout(() => {
                shared.delete(key);
                found.client.close();
            }, lingerMs).unref();
        }
    }
}

const facts = new WeakMap<EmqxClient, Map<string, { readonly atMs: number; readonly answer: Promise<unknown> }>>();
/** What a cluster says of itself is believed for so long. */
const freshMs = 5_000;

/**
 * Asks a cluster something that all links on it ask, once for those that are made together. A failure is not kept.
 *
 * @param question the same for the same call
 */
export async function askedOnce<T>(client: EmqxClient, question: string, ask: () => Promise<T>): Promise<T> {
    const known = facts.get(client) ?? new Map<string, { readonly atMs: number; readonly answer: Promise<unknown> }>();
    facts.set(client, known);
    const before = known.get(question);
    if (before !== undefined && performance.now() - before.atMs < freshMs) {
        return before.answer as Promise<T>;
    }
    const answer = ask();
    known.set(question, { atMs: performance.now(), answer });
    answer.catch(() => known.delete(question));
    return answer;
}

/** What a cluster has said is not believed any more: it was no ground to go on. */
export function forgetAnswers(client: EmqxClient): void {
    facts.delete(client);
}

/** A client for work that must end within a time, whatever the other side does. */
async function withinTime<T>(
    inputs: ApiInputs,
    seconds: number,
    work: (client: EmqxClient, signal: AbortSignal) => Promise<T>,
): Promise<T | "late"> {
    const requestSeconds = Math.min(seconds, inputs.timeouts?.requestSeconds ?? timeoutDefaults.requestSeconds);
    const client = new EmqxClient(inputs.api, { requestSeconds, connectSeconds: Math.min(seconds, 10) });
    const over = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
        timer = setTimeout(() => resolve("late"), seconds * 1000);
    });
    const running = work(client, over.signal);
    // Work that is given up fails later, when its client is closed; nobody waits for it any more.
    running.catch(() => {});
    try {
        return await Promise.race([running, late]);
    } finally {
        clearTimeout(timer);
        over.abort();
        client.close();
    }
}

/** What the API of a cluster says when it refuses something: a wrong key, no rights, bad input, too much at once. */
const refusals = new Set([400, 401, 403, 405, 409, 422, 429]);

/**
 * Whether an error says that no cluster's API was there: no connection, no answer, a web page, a redirect, or a proxy's error. What the
 * API itself refused is not that.
 */
export function isUnreachable(error: unknown): boolean {
    return error instanceof OperationError && !refusals.has(error.detail.status ?? 0);
}

/** The HTTP status of a refusal, if it was one. */
export function statusOf(error: unknown): number | undefined {
    return error instanceof OperationError ? error.detail.status : undefined;
}

/** The API's own code of a refusal, if it was one. */
export function codeOf(error: unknown): string | undefined {
    return error instanceof OperationError ? error.detail.code : undefined;
}

/** What tells an object on a cluster from others: the cluster by its name and, as it may be renamed, by its API, each with the object's own name. */
export function keysOn(
    { api, localCluster }: { readonly api: ApiEndpoint; readonly localCluster: string },
    name: string,
): string[] {
    const byName = `${localCluster} ${name}`;
    // Private addresses may stand for another machine behind another proxy.
    const way = api.proxy === undefined ? "" : `${api.proxy} `;
    return hasUnknown(api) ? [byName] : [byName, `${api.url} ${JSON.stringify(api.connect ?? null)} ${way}${name}`];
}

/** One line that stays readable after the run. Pulumi shows what a provider prints. Never with a secret. */
export function warn(text: string): void {
    console.warn(`linkspan: ${text}`);
}

/**
 * Removes something from a cluster that may be gone: absence is success, and a cluster that does not answer is left alone after a
 * bounded time, with a line that says what is left and how to remove it.
 *
 * @param what the object, for messages: `cluster link "b" on "a"`
 * @param byHand how to remove it by hand
 */
export async function removeOrLeave(
    inputs: ApiInputs,
    what: string,
    byHand: string,
    remove: (client: EmqxClient, signal: AbortSignal) => Promise<void>,
): Promise<void> {
    const seconds = inputs.timeouts?.deleteSeconds ?? timeoutDefaults.deleteSeconds;
    try {
        const done = await withinTime(inputs, seconds, remove);
        if (done === "late") {
            warn(`${what} is left behind: ${inputs.api.url} did not answer within ${seconds} s. Once it is back: ${byHand}`);
        }
    } catch (error) {
        if (!isUnreachable(error)) {
            throw error;
        }
        warn(`${what} is left behind: ${messageOf(error)} Once the cluster is back: ${byHand}`);
    }
}

/**
 * Reads something from a cluster that may not answer: then the last state stands, and a line says so.
 *
 * @returns what was read, or "unread"
 */
export async function readOrKeep<T>(
    inputs: ApiInputs,
    what: string,
    read: (client: EmqxClient) => Promise<T>,
): Promise<T | "unread"> {
    const seconds = inputs.timeouts?.deleteSeconds ?? timeoutDefaults.deleteSeconds;
    try {
        const found = await withinTime(inputs, seconds, read);
        if (found === "late") {
            warn(`${what} could not be read: ${inputs.api.url} did not answer within ${seconds} s. Its last known state is kept`);
            return "unread";
        }
        return found;
    } catch (error) {
        if (!(error instanceof OperationError)) {
            throw error;
        }
        warn(`${what} could not be read; its last known state is kept. ${error.message}`);
        return "unread";
    }
}
