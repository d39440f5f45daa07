import type { Target, TransportFailure } from "./transport.js";
import { tunnelTodo } from "./tunnel.js";

/** What happened, in words, and what to do about it. */
export interface Cause {
    readonly message: string;
    readonly todo?: string | undefined;
}

const httpsListener = "EMQX's HTTPS listener for the API is dashboard.listeners.https, usually port 18084";
const unknownAuthority = new Set([
    "SELF_SIGNED_CERT_IN_CHAIN",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "UNABLE_TO_GET_ISSUER_CERT",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "CERT_SIGNATURE_FAILURE",
    "CERT_UNTRUSTED",
    "INVALID_CA",
]);

/** Explains why no answer came. */
export function causeOfFailure(failure: TransportFailure, { tls, tlsName }: Target): Cause {
    const { code, message } = failure;
    if (unknownAuthority.has(code)) {
        return {
            message: `its certificate is not from an authority that is trusted here (${message})`,
            todo: "Set api.ca to the PEM text of the authority that issued it",
        };
    }
    if (code.startsWith("EPROTO") || code.startsWith("ERR_SSL_")) {
        return /wrong version number|packet length|unknown protocol|record layer/.test(code)
            ? { message: "what answers speaks no TLS", todo: `Set api.url to a port that does: ${httpsListener}` }
            : { message, todo: "Look at the TLS settings of this listener; TLS 1.2 or 1.3 is needed" };
    }
    if (code.startsWith("HPE_")) {
        return tls
            ? { message: "what answers speaks no HTTP", todo: `Look at the port in api.url: ${httpsListener}` }
            : {
                  message: "what answers speaks no plain HTTP",
                  todo: "Set https:// in api.url if it is a TLS port, or the API's port",
              };
    }
    if (code.startsWith("PROXY_")) {
        return { message, todo: tunnelTodo(code, "api.proxy") };
    }
    switch (code) {
        case "ECONNREFUSED":
            return {
                message: "nothing listens there",
                todo: `Look whether EMQX runs and whether this is its API's port: ${httpsListener}`,
            };
        case "ENOTFOUND":
        case "EAI_AGAIN":
        case "EAI_NODATA":
            return {
                message: "the host name cannot be resolved",
                todo: "Look at the host in api.url and at this machine's name server",
            };
        case "ADDRESS_REFUSED":
            return { message, todo: "Set api.url to a name or address of the broker's own" };
        case "EHOSTUNREACH":
        case "ENETUNREACH":
            return {
                message: "there is no route to it",
                todo: "Look at this machine's network, or set api.connect to where the API is reached from here",
            };
        case "CONNECT_TIMEOUT":
        case "ETIMEDOUT":
            return {
                message,
                todo: /proxy/.test(message)
                    ? tunnelTodo("PROXY_TIMEOUT", "api.proxy")
                    : "Look whether a firewall lets this machine in, or set api.connect to where the API is reached from here",
            };
        case "TIMEOUT":
            return { message, todo: "Look at the broker's log and load" };
        case "CERT_HAS_EXPIRED":
            return {
                message: "its certificate has expired",
                todo: "Renew the certificate of the API's listener, or set this machine's clock right",
            };
        case "CERT_NOT_YET_VALID":
            return {
                message: "its certificate is not valid yet",
                todo: "Set the clocks of this machine and of the issuer right",
            };
        case "ERR_TLS_CERT_ALTNAME_INVALID":
            return {
                message: `its certificate is not for ${tlsName} (${message})`,
                todo: "Set api.serverName to a name that the certificate carries, or let it be issued for this host",
            };
        case "ECONNRESET":
        case "EPIPE":
            return failure.sent
                ? { message: "it closed the connection without a whole answer", todo: "Look at the broker's log" }
                : {
                      message: tls ? "it closed the connection during the TLS handshake" : "it closed the connection",
                      todo: `Look whether this is the API's port: ${httpsListener}`,
                  };
        case "ANSWER_TOO_LARGE":
            return { message, todo: "Look whether api.url is really EMQX's API" };
        default:
            return { message };
    }
}

/** Explains an answer that refuses. `code` and `said` are EMQX's own, where it is EMQX that answered; `said` is whole, without secrets. */
export function causeOfRefusal(status: number, code: string | undefined, said: string): Cause {
    if (status === 401) {
        return {
            message: said || "the API key was not accepted",
            todo: "Set api.key and api.secret to an API key of this cluster that is enabled and has not expired",
        };
    }
    if (status === 403) {
        return { message: said || "the API key may not do this", todo: 'Use an API key with the role "administrator"' };
    }
    if (/cluster linking is not available|license (?:has )?expired|non-community license/i.test(said)) {
        return {
            message: said,
            todo: "Load a licence with which this EMQX version allows cluster links (license.key), or use a version that needs none for them (5.8.4 to 5.10)",
        };
    }
    if (/link failed/i.test(said) && /expected_data_type\s*=>\s*array/.test(said)) {
        return {
            message: "cluster linking is down on this node",
            todo: "Most likely a link with two hosts in its server was stored. Send PUT /api/v5/configs?mode=merge with the text `cluster { links = [] }`, restart the node, then run this again",
        };
    }
    if (code === "NODE_EVACUATING") {
        return { message: said, todo: "The node is being drained; ask another one, or stop the evacuation" };
    }
    switch (status) {
        case 405:
            return {
                message: said || "the API does not know this method here",
                todo: "Look whether api.url is EMQX's API and which version it is",
            };
        case 408:
        case 504:
            return { message: said || "a proxy gave up waiting", todo: "Look at the broker's log and load" };
        case 429:
            return { message: said || "too many requests", todo: "Wait, or look who else asks this API" };
        case 502:
            return {
                message: said || "a proxy has no broker behind it",
                todo: "Look whether EMQX runs behind the proxy or balancer",
            };
        case 503:
            return {
                message: said || "it is not ready",
                todo: "Wait until EMQX has started; look at its log if that does not happen",
            };
        default:
            return status >= 500
                ? { message: said || "it failed", todo: "Look at the broker's log" }
                : { message: said || "it refused" };
    }
}

/** Words of a page that is no answer of the API: its title, or its text. */
export function pageText(html: string): string {
    // A page may be as long as an answer may be, and looking for its tags takes the square of its length.
    const beginning = html.slice(0, 10_000);
    const title = /<title[^>]*>([^<]*)<\/title>/i.exec(beginning)?.[1];
    return oneLine(title ?? beginning.replace(/<(script|style)[\s\S]*?<\/\1>/gi, " ").replace(/<[^>]*>/g, " "));
}

/** Whether a body is a page for people. */
export function isPage(text: string, contentType: string | undefined): boolean {
    return /^\s*<(?:!doctype|html|head|body|\?xml)/i.test(text) || (/html/i.test(contentType ?? "") && /^\s*</.test(text));
}

/**
 * EMQX's message as a reader wants it, on one line. It is plain text, Erlang text, or a JSON document inside a string.
 *
 * @param clean takes secrets out; it sees the text with its line ends, as a secret may have some
 */
export function readableMessage(message: unknown, clean: (text: string) => string = (text) => text): string {
    const document = typeof message === "string" ? parsed(message) : message;
    if (typeof document !== "object" || document === null) {
        return oneLine(clean(String(message ?? "")));
    }
    const { reason, path, kind: _kind, ...rest } = flattened(document as Record<string, unknown>);
    const shown = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
    const where = path === undefined ? "" : ` at ${shown(path)}`;
    const details = Object.entries(rest).map(([key, value]) => `${key}: ${shown(value)}`);
    const head = reason === undefined ? where.trim() : `${shown(reason)}${where}`;
    return oneLine(clean([head, details.length === 0 ? "" : `(${details.join(", ")})`].filter((part) => part !== "").join(" ")));
}

/** `{reason: {reason, …}, path}` becomes `{reason, …, path}`. */
function flattened(document: Record<string, unknown>): Record<string, unknown> {
    const { reason } = document;
    return typeof reason === "object" && reason !== null && "reason" in reason
        ? { ...document, ...(reason as Record<string, unknown>) }
        : document;
}

function parsed(text: string): unknown {
    if (!/^\s*[{[]/.test(text)) {
        return undefined;
    }
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

function oneLine(text: string): string {
    // A message of another side must not steer the terminal.
    return text
        .replace(/[\p{Cc}\s]+/gu, " ")
        .trim()
        .replace(/[.\s]+$/, "");
}

/** The beginning of a text. Only for texts without secrets: half of one would not be recognized any more. */
export function shorten(text: string, length: number): string {
    return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
