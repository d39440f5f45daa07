import { X509Certificate } from "node:crypto";
import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import type { ConnectionTarget } from "./connection.js";
import type { LinkSettings } from "./settings.js";

/** Where and how a connection with a link's settings is made. `host` is the name that the settings carry, `address` where it leads. */
export function targetOf(
    settings: LinkSettings,
    address: Pick<ConnectionTarget, "host" | "port" | "gateway">,
    host: string,
): ConnectionTarget {
    const { username, password, ssl } = settings;
    return {
        ...address,
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ...(ssl.enable ? { tls: tlsOptions(settings, host), explain: () => clientCertificateFault(settings) } : {}),
    };
}

function tlsOptions({ ssl }: LinkSettings, host: string): ConnectionOptions {
    const named =
        ssl.server_name_indication !== undefined && ssl.server_name_indication !== "disable" ? ssl.server_name_indication : host;
    const isAddress = /^[\d.]+$/.test(named) || named.includes(":");
    return {
        ...(isAddress ? {} : { servername: named }),
        rejectUnauthorized: ssl.verify === "verify_peer",
        minVersion: "TLSv1.2",
        ...(ssl.cacertfile === undefined ? {} : { ca: ssl.cacertfile }),
        ...(ssl.certfile === undefined ? {} : { cert: ssl.certfile }),
        ...(ssl.keyfile === undefined ? {} : { key: ssl.keyfile }),
        // The address dialled may differ from the name; the certificate is for the name.
        checkServerIdentity: (_dialled, certificate) => checkServerIdentity(named, certificate),
    };
}

/** What a peer with the same CA would find wrong with a link's own certificate. */
function clientCertificateFault({ ssl }: LinkSettings): string | undefined {
    const alert = (name: string) => `{ssl_error,{tls_alert,{${name},"the peer refused this link's own certificate"}}}`;
    try {
        if (ssl.certfile === undefined) {
            return alert("certificate_required");
        }
        const own = new X509Certificate(ssl.certfile);
        if (Date.parse(own.validTo) < Date.now() || Date.parse(own.validFrom) > Date.now()) {
            return alert("certificate_expired");
        }
        const authority = ssl.cacertfile === undefined ? undefined : new X509Certificate(ssl.cacertfile);
        return authority === undefined || own.verify(authority.publicKey) ? undefined : alert("unknown_ca");
    } catch {
        return alert("bad_certificate");
    }
}
