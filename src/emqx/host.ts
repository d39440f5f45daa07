import { isIP } from "node:net";
import { InputError, quote } from "../errors.js";

/** Whether a host is this machine itself. */
export function isLoopback(host: string): boolean {
    const bare = canonical(host);
    return bare === "localhost" || bare.endsWith(".localhost") || /^127\./.test(ipv4Of(bare) ?? "") || bare === "::1";
}

/**
 * Checks a host name or address that a privileged machine is to connect to.
 *
 * @throws InputError naming the argument, the value and what to set
 */
export function checkHost(host: string, rules: { readonly allowLoopback: boolean; readonly argument: string; readonly allowIpv6?: boolean }): void {
    const { argument } = rules;
    const shown = quote(host);
    if (host === "") {
        throw new InputError(argument, "the host is empty; set a host name or an address");
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what is looked for
    if (/[^\x21-\x7e]/.test(host)) {
        throw new InputError(argument, `${shown} holds characters that are not plain ASCII, which may only look like a known name; write it in ASCII (punycode, xn--…)`);
    }
    if (host.endsWith(".")) {
        throw new InputError(argument, `${shown} ends in a dot, which certificates never do; leave the dot out`);
    }
    const version = isIP(host);
    if (version === 6 && rules.allowIpv6 === false) {
        throw new InputError(argument, `${shown} is an IPv6 address, which this EMQX version's links do not take; set a host name or an IPv4 address`);
    }
    if (isLoopback(host) && !rules.allowLoopback) {
        throw new InputError(argument, `${shown} is the machine itself; set an address that other machines reach, or allowLoopback for brokers on this machine`);
    }
    const bare = canonical(host);
    const ipv4 = ipv4Of(bare);
    if (ipv4 !== undefined) {
        refuseIpv4(ipv4, shown, argument);
        return;
    }
    if (version === 6) {
        if (/^fe[89ab]/.test(bare) || bare === "fd00:ec2::254") {
            throw new InputError(argument, `${shown} is a link-local or metadata address; set the broker's own address`);
        }
        if (bare === "::" || /^ff/.test(bare)) {
            throw new InputError(argument, `${shown} is no host's address; set a host name or an address`);
        }
        return;
    }
    if (/^[\d.]+$/.test(host) || /^0x/i.test(host)) {
        throw new InputError(argument, `${shown} is no IPv4 address; set four numbers from 0 to 255, or a host name`);
    }
    if (host.length > 253 || !host.split(".").every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label))) {
        throw new InputError(argument, `${shown} is no host name; set labels of letters, digits and hyphens, separated by dots`);
    }
    if (/^(?:metadata|metadata\.google\.internal|metadata\.azure\.com)$/i.test(host)) {
        throw new InputError(argument, `${shown} is a cloud's metadata service; set the broker's own address`);
    }
}

function refuseIpv4(address: string, shown: string, argument: string): void {
    const [first = 0, second = 0] = address.split(".").map(Number);
    if (first === 169 && second === 254) {
        throw new InputError(argument, `${shown} is a link-local address (cloud metadata services live there); set the broker's own address`);
    }
    if (first === 0 || first >= 224) {
        throw new InputError(argument, `${shown} is no host's address; set a host name or an address`);
    }
    if (address === "168.63.129.16" || address === "100.100.100.200") {
        throw new InputError(argument, `${shown} is a cloud's metadata service; set the broker's own address`);
    }
}

/** Lower case, IPv6 in its shortest form. */
function canonical(host: string): string {
    if (isIP(host) === 6) {
        return new URL(`http://[${host.replace(/%.*$/, "")}]`).hostname.slice(1, -1);
    }
    return host.toLowerCase();
}

/** The IPv4 address that a host is, also written as an IPv6 one (`::ffff:127.0.0.1`). */
function ipv4Of(canonicalHost: string): string | undefined {
    if (isIP(canonicalHost) === 4) {
        return canonicalHost;
    }
    const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonicalHost);
    if (mapped === null) {
        return undefined;
    }
    const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)];
    return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
