import { isIPv6 } from "node:net";
import { InputError, quote } from "../errors.js";
import { type AddressRules, checkPort } from "./endpoint.js";
import { checkHost, withoutSecrets } from "./host.js";

/** Port that EMQX assumes where a link's `server` has none. */
const impliedPort = 1883;

/**
 * Checks the `server` of a cluster link and returns it as `host:port`, in lower case.
 *
 * A comma list is the one input that stops cluster linking on the whole broker, beyond a restart (EMQX 5.8 to 6.2); it is refused here.
 *
 * @throws InputError naming the argument
 */
export function checkServerAddress(value: string, { allowLoopback = false, argument = "server" }: AddressRules = {}): string {
    const shown = quote(withoutSecrets(value));
    if (value.includes("@")) {
        throw new InputError(argument, `${shown} carries a user; set username and password in their own arguments`);
    }
    if (value.includes(",")) {
        throw new InputError(
            argument,
            `${shown} names more than one host, which stops cluster linking on the whole broker; set one host:port (a name with several addresses is fine)`,
        );
    }
    if (value.includes("://")) {
        throw new InputError(argument, `${shown} has a scheme; set host:port and turn TLS on with the tls argument`);
    }
    if (/[/?#\s]/.test(value)) {
        throw new InputError(argument, `${shown} is not host:port; leave path, query and spaces out`);
    }
    const { host, port } = splitHostPort(value, shown, argument);
    checkHost(host, { allowLoopback, argument, allowIpv6: false });
    return `${host.toLowerCase()}:${checkPort(port, argument)}`;
}

function splitHostPort(value: string, shown: string, argument: string): { host: string; port: number } {
    const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(value);
    if (bracketed !== null) {
        const literal = bracketed[1] ?? "";
        // Brackets belong to IPv6 only; kept around anything else, they make it no host name.
        const host = isIPv6(literal) ? literal : `[${literal}]`;
        return { host, port: bracketed[2] === undefined ? impliedPort : Number(bracketed[2]) };
    }
    const parts = value.split(":");
    if (parts.length > 2) {
        // More than one colon without brackets can only be IPv6.
        return { host: value, port: impliedPort };
    }
    const [host = "", port] = parts;
    if (port !== undefined && !/^\d+$/.test(port)) {
        throw new InputError(argument, `${shown} has no usable port; set one from 1 to 65535`);
    }
    return { host, port: port === undefined ? impliedPort : Number(port) };
}
