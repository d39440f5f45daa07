import { isIP } from "node:net";
import { InputError, quote } from "../errors.js";
import { checkHost, isLoopback } from "./host.js";

/** EMQX's REST API as a caller reaches it. Plain data; `secret` must never be shown. */
export interface ApiEndpoint {
    /** `https://host:port`; `http` only on loopback. No path, query or user. */
    readonly url: string;
    /** API key. */
    readonly key: string;
    /** Its secret. */
    readonly secret: string;
    /** PEM of the authority of the API's certificate; none: the public ones. */
    readonly ca?: string;
    /** TLS name, where it is not the host of `url`. */
    readonly serverName?: string;
    /** Dial here instead; the TLS name stays that of `url`. */
    readonly connect?: { readonly host: string; readonly port: number };
}

/** A broker's door for devices, with what a client needs to log in. Plain data; `password` and `key` must never be shown. */
export interface MqttEndpoint {
    readonly host: string;
    readonly port: number;
    readonly tls: boolean;
    /** PEM of the authority of the door's certificate; none: the public ones. */
    readonly ca?: string;
    /** TLS name, where it is not `host`. */
    readonly serverName?: string;
    readonly username?: string;
    readonly password?: string;
    /** PEM client certificate and key, where the door asks for one. */
    readonly cert?: string;
    readonly key?: string;
}

/** How strictly an address is checked, and what it is called in messages. */
export interface AddressRules {
    /** Accept 127.0.0.0/8, ::1 and localhost. @default false */
    readonly allowLoopback?: boolean | undefined;
    /** The argument's name as the user wrote it. */
    readonly argument?: string | undefined;
}

/**
 * Checks the URL of an EMQX REST API and returns it in its shortest form, `scheme://host:port`.
 *
 * A privileged host opens connections to it, so addresses of the machine itself and of cloud metadata services are refused.
 *
 * @throws InputError naming the argument
 */
export function checkApiUrl(value: string, { allowLoopback = false, argument = "api.url" }: AddressRules = {}): string {
    let url: URL;
    try {
        url = new URL(value);
    } catch {
        throw new InputError(argument, `${quote(withoutUser(value))} is no URL; set https://host:port`);
    }
    const shown = quote(withoutUser(value));
    if (url.protocol !== "https:" && url.protocol !== "http:") {
        throw new InputError(argument, `${shown} has the scheme ${quote(url.protocol.slice(0, -1))}; set https://host:port`);
    }
    if (url.username !== "" || url.password !== "") {
        throw new InputError(argument, `${shown} carries a user; give the API key with the arguments key and secret`);
    }
    if ((url.pathname !== "/" && url.pathname !== "") || url.search !== "" || url.hash !== "" || /[?#]/.test(value)) {
        throw new InputError(argument, `${shown} has a path, query or fragment; set only https://host:port`);
    }
    const host = url.hostname.replace(/^\[|\]$/g, "");
    checkHost(host, { allowLoopback, argument });
    if (url.protocol === "http:" && !(allowLoopback && isLoopback(host))) {
        throw new InputError(argument, `${shown} is not encrypted; set https://, EMQX's HTTPS listener is dashboard.listeners.https (port 18084)`);
    }
    const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
    return `${url.protocol}//${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

/**
 * Checks a host that the deployer connects to: no loopback unless allowed, no metadata, link-local or unspecified address.
 *
 * @throws InputError naming the argument
 */
export function checkDialHost(value: string, { allowLoopback = false, argument = "host" }: AddressRules = {}): string {
    checkHost(value, { allowLoopback, argument });
    return value;
}

/** A text that may be a URL with a password in it, as it may be shown. */
function withoutUser(value: string): string {
    return value.replace(/\/\/[^/@]*@/, "//***@");
}
