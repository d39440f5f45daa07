import { isIP, isIPv4 } from "node:net";
import { InputError, quote } from "../errors.js";

/** Names below which clouds serve credentials to the machine that asks. */
const metadataNames = /^(?:metadata(?:\.google\.internal|\.goog|\.azure\.com)?|instance-data(?:\.ec2\.internal)?)$/;
/** Metadata services outside the link-local range: Azure, Alibaba, Oracle, and AWS and GCP over IPv6. */
const metadataAddresses = new Set(["168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"]);

/** Whether a host (IPv6 without brackets) is this machine itself. */
export function isLoopback(host: string): boolean {
    const bare = canonical(host);
    return (
        /(?:^|\.)localhost$|^localhost\.localdomain$|^ip6-(?:localhost|loopback)$/.test(bare) ||
        /^127\./.test(ipv4Of(bare) ?? "") ||
        bare === "::1"
    );
}

/**
 * Checks a host name or address (IPv6 without brackets) that a privileged machine is to connect to.
 *
 * @throws InputError naming the argument, the value and what to set
 */
export function checkHost(
    host: string,
    rules: { readonly allowLoopback: boolean; readonly argument: string; readonly allowIpv6?: boolean },
): void {
    const { argument } = rules;
    const shown = quote(withoutSecrets(host));
    if (host === "") {
        throw new InputError(argument, "the host is empty; set a host name or an address");
    }
    checkCharacters(host, argument);
    if (host.endsWith(".")) {
        throw new InputError(argument, `${shown} ends in a dot, which certificates never do; leave the dot out`);
    }
    const version = isIP(host);
    if (version === 6 && rules.allowIpv6 === false) {
        throw new InputError(
            argument,
            `${shown} is an IPv6 address, which links of many EMQX versions do not take; set a host name or an IPv4 address`,
        );
    }
    if (isLoopback(host) && !rules.allowLoopback) {
        throw new InputError(
            argument,
            `${shown} is the machine itself; set an address that other machines reach, or allowLoopback for brokers on this machine`,
        );
    }
    const bare = canonical(host);
    if (metadataNames.test(bare) || metadataAddresses.has(bare)) {
        throw new InputError(argument, `${shown} is a cloud's metadata service; set the broker's own address`);
    }
    const ipv4 = ipv4Of(bare);
    if (ipv4 !== undefined) {
        refuseIpv4(ipv4, shown, argument);
    } else if (version === 6) {
        refuseIpv6(bare, shown, argument);
    } else {
        checkName(bare, shown, argument);
    }
}

/** Refuses everything that is not visible ASCII: letters of other scripts may only look like a known name. */
export function checkCharacters(value: string, argument: string): void {
    if (/[^\x21-\x7e]/.test(value)) {
        throw new InputError(
            argument,
            `${quote(withoutSecrets(value))} holds spaces or characters that are not plain ASCII, which may only look like a known name; write it in ASCII (punycode, xn--…)`,
        );
    }
}

/** An address as a message may show it: without query and fragment, which may hold a token, and without all that stands with an `@`. */
export function withoutSecrets(value: string): string {
    // A password may hold "@", "/" and "?" itself, so with an "@" there is no telling where it ends.
    return value.includes("@") ? value.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*$/is, "$1***") : value.replace(/[?#].*$/s, "");
}

function checkName(host: string, shown: string, argument: string): void {
    const labels = host.split(".");
    // Resolvers read "127.1", "0x7f.1" and "2130706433" as IPv4, so that a spelling could slip past the ranges.
    if (/^(?:\d+|0x[\da-f]*)$/.test(labels.at(-1) ?? "")) {
        throw new InputError(argument, `${shown} is no IPv4 address; set four numbers from 0 to 255, or a host name`);
    }
    if (host.length > 253 || !labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) {
        throw new InputError(argument, `${shown} is no host name; set labels of letters, digits and hyphens, separated by dots`);
    }
}

function refuseIpv4(address: string, shown: string, argument: string): void {
    const [first = 0, second = 0] = address.split(".").map(Number);
    if (first === 169 && second === 254) {
        throw new InputError(
            argument,
            `${shown} is a link-local address (cloud metadata services live there); set the broker's own address`,
        );
    }
    if (first === 0 || first >= 224) {
        throw new InputError(argument, `${shown} is no host's address; set a host name or an address`);
    }
    if (metadataAddresses.has(address)) {
        throw new InputError(argument, `${shown} is a cloud's metadata service; set the broker's own address`);
    }
}

function refuseIpv6(bare: string, shown: string, argument: string): void {
    if (/^fe[89ab]/.test(bare)) {
        throw new InputError(argument, `${shown} is a link-local address; set the broker's own address`);
    }
    if (bare === "::" || /^ff/.test(bare)) {
        throw new InputError(argument, `${shown} is no host's address; set a host name or an address`);
    }
}

/** Lower case, IPv6 in its shortest form and without a zone. */
function canonical(host: string): string {
    if (isIP(host) === 6) {
        return new URL(`http://[${host.replace(/%.*$/, "")}]`).hostname.slice(1, -1);
    }
    return host.toLowerCase();
}

/** The IPv4 address that a host is or reaches: plain, or inside IPv6 (mapped `::ffff:`, compatible `::`, NAT64 `64:ff9b::`). */
function ipv4Of(canonicalHost: string): string | undefined {
    if (isIPv4(canonicalHost)) {
        return canonicalHost;
    }
    const inner = /^(?:::ffff:|64:ff9b::|::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonicalHost);
    if (inner === null) {
        return undefined;
    }
    const [high, low] = [Number.parseInt(inner[1] ?? "", 16), Number.parseInt(inner[2] ?? "", 16)];
    return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
