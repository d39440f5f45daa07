import { isIPv6 } from "node:net";
import { InputError, quote } from "../errors.js";
import { checkCharacters, checkHost, isLoopback, withoutSecrets } from "./host.js";

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
    /** `socks5://host:port` or `http://host:port` (CONNECT) to dial through; TLS goes through it unopened. Not with `connect`. */
    readonly proxy?: string;
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
    /** Dial here instead; the TLS name stays that of the door. */
    readonly connect?: { readonly host: string; readonly port: number };
    /** As the one of {@link ApiEndpoint}. */
    readonly proxy?: string;
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
    // URL() drops tabs, turns backslashes and other scripts into something else, and takes "https:host": what is checked must be what was written.
    checkCharacters(value, argument);
    const written = /^([a-z][a-z0-9+.-]*):\/\/([^/?#\\]*)([^?#]*)/i.exec(value);
    const shown = quote(withoutSecrets(value));
    if (value.includes("@")) {
        throw new InputError(argument, `${shown} carries a user; give the API key with the arguments key and secret`);
    }
    if (written === null) {
        throw new InputError(argument, `${shown} is no URL; set https://host:port`);
    }
    const [whole, scheme = "", authority = "", path = ""] = written;
    const protocol = scheme.toLowerCase();
    if (protocol !== "https" && protocol !== "http") {
        throw new InputError(argument, `${shown} has the scheme ${quote(scheme)}; set https://host:port`);
    }
    if ((path !== "" && path !== "/") || whole.length !== value.length) {
        throw new InputError(argument, `${shown} has a path, query or fragment; set only https://host:port`);
    }
    const parts = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(authority);
    const host = (parts?.[1] ?? parts?.[2] ?? "").toLowerCase();
    if (parts === null || (parts[1] !== undefined && !isIPv6(host))) {
        throw new InputError(
            argument,
            `${shown} has no usable host and port; set https://host:port, an IPv6 address in brackets`,
        );
    }
    checkHost(host, { allowLoopback, argument });
    if (protocol === "http" && !(allowLoopback && isLoopback(host))) {
        throw new InputError(
            argument,
            `${shown} is not encrypted; set https://, EMQX's HTTPS listener is dashboard.listeners.https (port 18084)`,
        );
    }
    const port = parts[3] === undefined ? (protocol === "https" ? 443 : 80) : Number(parts[3]);
    return `${protocol}://${isIPv6(host) ? `[${host}]` : host}:${checkPort(port, argument)}`;
}

/** Checks a TCP port. @throws InputError naming the argument */
export function checkPort(port: number, argument = "port"): number {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
        throw new InputError(argument, `${quote(port)} is no port; set a whole number from 1 to 65535`);
    }
    return port;
}

/**
 * Checks a host that the deployer connects to and returns it in lower case: no loopback unless allowed, no metadata, link-local or unspecified address.
 *
 * @throws InputError naming the argument
 */
export function checkDialHost(value: string, { allowLoopback = false, argument = "host" }: AddressRules = {}): string {
    checkHost(value, { allowLoopback, argument });
    return value.toLowerCase();
}
