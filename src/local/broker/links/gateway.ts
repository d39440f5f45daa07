import type { Socket } from "node:net";

/** What a SOCKS 5 proxy's refusals (RFC 1928, section 6) mean for a link, in the words that `reasonOf` knows. */
const refusals: Readonly<Record<string, string>> = {
    HostUnreachable: "ENOTFOUND",
    ConnectionRefused: "ECONNREFUSED",
    TTLExpired: "ETIMEDOUT",
    NetworkUnreachable: "ENETUNREACH",
    NotAllowed: "EHOSTUNREACH",
};

/**
 * A connection through a SOCKS 5 proxy, which resolves the name. Fails with the system's code for what the proxy says.
 *
 * @param timeoutMs bound for everything until the proxy has connected
 */
export async function throughGateway(
    target: { readonly host: string; readonly port: number },
    gateway: { readonly host: string; readonly port: number },
    timeoutMs: number,
): Promise<Socket> {
    // Hardly a broker has a gateway, so hardly one loads this.
    const { SocksClient } = await import("socks");
    try {
        const { socket } = await SocksClient.createConnection({
            command: "connect",
            destination: { host: target.host, port: target.port },
            proxy: { host: gateway.host, port: gateway.port, type: 5 },
            timeout: timeoutMs,
        });
        return socket;
    } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        const answer = /rejected connection - (\w+)/.exec(message)?.[1] ?? "";
        const code = refusals[answer] ?? (/timed out/.test(message) ? "ETIMEDOUT" : undefined);
        throw Object.assign(new Error(`gateway: ${message}`), code === undefined ? {} : { code });
    }
}
