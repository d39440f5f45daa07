import { BlockList, isIPv4, isIPv6 } from "node:net";
import { InputError, quote } from "../errors.js";
import { checkAuthorities, checkKeyPair } from "./pem.js";

/** TLS of a link towards the listener of its remote. */
export interface LinkTls {
    readonly enable: boolean;
    /** PEM of the authorities that the listener's certificate is verified against. Absent: those that the broker trusts. */
    readonly ca?: string;
    /** PEM of the link's own certificate, its chain behind it. */
    readonly cert?: string;
    /** PEM of its private key. Secret. */
    readonly key?: string;
    readonly verify: "verify_peer" | "verify_none";
    /** Name in the listener's certificate, sent as SNI. Absent where `server` is an address. */
    readonly serverName?: string;
}

/** {@link LinkTls} as a user writes it. */
export interface LinkTlsInput {
    readonly enable: boolean;
    readonly ca?: string | undefined;
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
    readonly verify?: "verify_peer" | "verify_none" | undefined;
    /** @default the host of `server`, where that is a name */
    readonly serverName?: string | undefined;
}

/** Addresses that only machines of one's own network have. */
const privateAddresses = new BlockList();
for (const [network, bits] of [
    ["10.0.0.0", 8],
    ["172.16.0.0", 12],
    ["192.168.0.0", 16],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
] as const) {
    privateAddresses.addSubnet(network, bits, "ipv4");
}

/**
 * Checks TLS settings of a link and brings them into canonical form.
 *
 * @param server the link's checked `host:port`
 * @throws InputError naming the argument, never showing PEM text
 */
export function linkTls(input: LinkTlsInput | undefined, server: string, argument = "tls", now: number = Date.now()): LinkTls {
    if (input === undefined || !input.enable) {
        const given = (["ca", "cert", "key"] as const).find((part) => input?.[part] !== undefined);
        if (given !== undefined) {
            throw new InputError(
                `${argument}.enable`,
                `it is false while ${argument}.${given} is set; set it to true, or leave ${given} out`,
            );
        }
        return { enable: false, verify: "verify_none" };
    }
    const verify = input.verify ?? "verify_peer";
    checkVerify(verify, input, server, argument);
    if (input.ca !== undefined) {
        checkAuthorities(input.ca, `${argument}.ca`, now);
    }
    checkPair(input, argument, now);
    if (input.serverName !== undefined) {
        checkServerName(input.serverName, `${argument}.serverName`);
    }
    const serverName = input.serverName ?? (verify === "verify_peer" ? nameIn(server) : undefined);
    return {
        enable: true,
        ...(input.ca === undefined ? {} : { ca: input.ca }),
        ...(input.cert === undefined ? {} : { cert: input.cert }),
        ...(input.key === undefined ? {} : { key: input.key }),
        verify,
        ...(serverName === undefined ? {} : { serverName: serverName.toLowerCase() }),
    };
}

/** The host of `server` where it is a name: named to EMQX, so that the check of the name does not hang on a default of the release. */
function nameIn(server: string): string | undefined {
    const host = hostOf(server);
    return isIPv4(host) ? undefined : host;
}

function hostOf(server: string): string {
    return server.slice(0, server.lastIndexOf(":"));
}

function checkVerify(verify: string, input: LinkTlsInput, server: string, argument: string): void {
    if (verify !== "verify_peer" && verify !== "verify_none") {
        throw new InputError(`${argument}.verify`, `${quote(verify)} is not known; set "verify_peer" or leave it out`);
    }
    if (verify === "verify_none") {
        if (!isPrivateHost(hostOf(server))) {
            throw new InputError(
                `${argument}.verify`,
                `"verify_none" would hand the link's password to whoever answers at ${quote(server)}; set "verify_peer" and ca`,
            );
        }
        if (input.ca !== undefined) {
            throw new InputError(`${argument}.verify`, '"verify_none" ignores the given ca; set "verify_peer", or leave ca out');
        }
    }
}

/** A name may resolve to any address, so only addresses and this machine's own name count as private. */
function isPrivateHost(host: string): boolean {
    return host === "localhost" || (isIPv4(host) && privateAddresses.check(host, "ipv4"));
}

function checkPair({ cert, key }: LinkTlsInput, argument: string, now: number): void {
    if (cert === undefined && key === undefined) {
        return;
    }
    if (cert === undefined || key === undefined) {
        const missing = cert === undefined ? "cert" : "key";
        throw new InputError(`${argument}.${missing}`, "certificate and key go together; set both or neither");
    }
    checkKeyPair(cert, key, { cert: `${argument}.cert`, key: `${argument}.key` }, now);
}

function checkServerName(name: string, argument: string): void {
    if (name === "disable") {
        throw new InputError(argument, '"disable" turns the check of the name off in EMQX; set the name in the certificate');
    }
    const isName =
        name.length <= 253 && name.split(".").every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?$/i.test(label));
    if (!isName || isIPv4(name) || isIPv6(name)) {
        throw new InputError(argument, `${quote(name)} is no host name; set a name that stands in the certificate, without port`);
    }
}
