import { InputError, quote } from "../errors.js";
import { checkDialHost, checkPort } from "./endpoint.js";
import { checkCharacters, checkHost, withoutSecrets } from "./host.js";

/** A proxy that connections are made through. `password` must never be shown. */
export interface ProxyAddress {
    readonly kind: "socks5" | "http";
    readonly host: string;
    readonly port: number;
    readonly username?: string;
    readonly password?: string;
    /** For messages: without user and password. */
    readonly shown: string;
}

/** How a door is reached where not straight by its address. */
export interface Way {
    readonly connect?: { readonly host: string; readonly port: number } | undefined;
    readonly proxy?: string | undefined;
}

const kinds: Readonly<Record<string, ProxyAddress["kind"]>> = { socks5: "socks5", socks5h: "socks5", http: "http" };
const example = "socks5://host:port or http://host:port";

/**
 * Reads a proxy's URL: `socks5://` (`socks5h://` is the same: the proxy resolves names) or `http://` (CONNECT), with a port, and with
 * `user:password@` where the proxy asks for a login; characters other than letters and digits percent-encoded there.
 *
 * @throws InputError naming the argument, never showing a user or password
 */
export function parseProxy(value: string, argument = "proxy"): ProxyAddress {
    checkCharacters(value, argument);
    const shown = quote(withoutSecrets(value));
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase();
    if (scheme === undefined) {
        throw new InputError(argument, `${shown} is no URL; set ${example}`);
    }
    const kind = kinds[scheme];
    if (kind === undefined) {
        throw new InputError(argument, `${shown} has the scheme ${quote(scheme)}; set ${example}`);
    }
    const rest = value.slice(scheme.length + 3);
    const parts = /^(?:([^@/?#]*)@)?(?:\[([^\]]+)\]|([^:@/?#[\]]+)):(\d+)\/?$/.exec(rest);
    if (parts === null) {
        throw new InputError(
            argument,
            `${shown} has no usable host and port, or more than these; set ${example}, with user:password@ percent-encoded`,
        );
    }
    const [, login, ipv6, name] = parts;
    const host = (ipv6 ?? name ?? "").toLowerCase();
    // A proxy on this machine is the ordinary case: the end of an SSH tunnel.
    checkHost(host, { allowLoopback: true, argument });
    const port = checkPort(Number(parts[4]), argument);
    return {
        kind,
        host,
        port,
        ...(login === undefined ? {} : readLogin(login, argument)),
        shown: `${kind}://${ipv6 === undefined ? host : `[${host}]`}:${port}`,
    };
}

/**
 * Checks how a door is reached.
 *
 * @param prefix what stands before `connect` and `proxy` in the argument's name, such as `api.`
 * @throws InputError naming the argument
 */
export function checkWay({ connect, proxy }: Way, prefix = ""): void {
    if (connect !== undefined && proxy !== undefined) {
        throw new InputError(`${prefix}proxy`, `it stands next to ${prefix}connect; set the one that leads there`);
    }
    if (connect !== undefined) {
        checkDialHost(connect.host, { allowLoopback: true, argument: `${prefix}connect.host` });
        checkPort(connect.port, `${prefix}connect.port`);
    }
    if (proxy !== undefined) {
        parseProxy(proxy, `${prefix}proxy`);
    }
}

function readLogin(login: string, argument: string): Pick<ProxyAddress, "username" | "password"> {
    const colon = login.indexOf(":");
    const [user, secret] = colon < 0 ? [login, ""] : [login.slice(0, colon), login.slice(colon + 1)];
    const [username, password] = [decoded(user, argument), decoded(secret, argument)];
    // What SOCKS5 can carry; and HTTP separates the two by the first colon.
    if (username === "" || username.includes(":") || [username, password].some((part) => Buffer.byteLength(part) > 255)) {
        throw new InputError(
            argument,
            "its user is empty or has a colon, or its user or password is longer than 255 bytes; set user:password@host:port",
        );
    }
    return { username, password };
}

function decoded(text: string, argument: string): string {
    try {
        return decodeURIComponent(text);
    } catch {
        throw new InputError(argument, "its user or password is not percent-encoded; write % as %25 and @ as %40");
    }
}
