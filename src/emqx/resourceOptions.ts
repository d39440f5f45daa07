import { InputError, quote } from "../errors.js";
import { defaultRelease, routeLife } from "./releases.js";

/** What a link's buffer is given, derived from the longest outage that is to be bridged. */
export interface LinkResourceOptions {
    /** How long a message may wait in the buffer, for example `"45s"`. */
    readonly requestTtl: string;
    /** How often the connections are looked after, for example `"1s"`. */
    readonly healthCheckInterval: string;
    /** Size of the buffer per worker, for example `"256MB"`. */
    readonly maxBufferBytes: string;
}

/** Longest outage in seconds that is bridged where nothing is set. */
export const defaultMaxOutageSeconds = 20;

/** What the buffer keeps beyond the outage itself: the health check, the reconnection and the draining. */
const marginSeconds = 15;
const shortestTtlSeconds = 45;

/**
 * The buffer settings of a link that bridges an outage of so many seconds.
 *
 * @param version EMQX's release, which says how long routes live
 * @throws InputError when no setting could bridge it
 */
export function resourceOptionsFor(
    maxOutageSeconds: number,
    version: string = defaultRelease,
    argument = "maxOutageSeconds",
): LinkResourceOptions {
    if (!(Number.isFinite(maxOutageSeconds) && maxOutageSeconds > 0)) {
        throw new InputError(argument, `${quote(maxOutageSeconds)} is no number of seconds above 0; set for example 20`);
    }
    const longest = routeLife(version);
    if (maxOutageSeconds > longest) {
        throw new InputError(
            argument,
            `${maxOutageSeconds} cannot be kept: after ${longest} s of silence EMQX ${version} forgets what the remote subscribes to and buffers nothing more for it, whatever the buffer; set at most ${longest}`,
        );
    }
    const ttl = Math.max(shortestTtlSeconds, Math.ceil(maxOutageSeconds) + marginSeconds);
    return { requestTtl: `${ttl}s`, healthCheckInterval: "1s", maxBufferBytes: "256MB" };
}
