import type { FindingId } from "./finding.js";

/** What an alarm's text gives away. */
export interface AlarmCause {
    readonly id: FindingId;
    readonly cause: string;
    readonly fix: string;
}

/** Texts of EMQX and Erlang in alarms of links, the more telling ones first. */
const causes: readonly (readonly [RegExp, AlarmCause])[] = [
    [
        /certificate_required|peer did not return a certificate/i,
        {
            id: "tls",
            cause: "The remote's listener asks for a client certificate, and the link presents none.",
            fix: "Set the link's tls.cert and tls.key.",
        },
    ],
    [
        /certificate_expired|cert_expired/i,
        {
            id: "tls",
            cause: "A certificate has expired, or the clock of one side is wrong.",
            fix: "Renew the certificate of the remote's listener or of the link; compare the clocks of both sides.",
        },
    ],
    [
        /hostname_check_failed/i,
        {
            id: "tls",
            cause: "The certificate of the remote's listener is for another name.",
            fix: "Set the link's tls.serverName to a name in that certificate, or issue the certificate for the link's host.",
        },
    ],
    [
        /unknown_ca|selfsigned_peer|self.signed|unable to get (?:local )?issuer/i,
        {
            id: "tls",
            cause: "One side does not know the authority that issued the other's certificate.",
            fix: "Set the link's tls.ca to the authority of the remote's listener, and that listener's CA to the authority of the link's certificate.",
        },
    ],
    [
        /certificate_revoked|bad_certificate|certificate_unknown|unsupported_certificate/i,
        {
            id: "tls",
            cause: "One side refuses the other's certificate.",
            fix: "Check that both certificates are valid now, for the right use (server, client) and from the expected authority.",
        },
    ],
    [
        /ssl_error|tls_alert|handshake_failure|protocol_version|\bssl\b/i,
        {
            id: "tls",
            cause: "The TLS handshake fails; one reason is a plain listener behind the link's port.",
            fix: "Check that the link's server is the remote's TLS listener, and that versions and certificates fit.",
        },
    ],
    [
        /bad_username_or_password|malformed_username_or_password|bad_authentication/i,
        {
            id: "authentication",
            cause: "The remote refuses the link's user or password.",
            fix: "Set the link's username and password to those of its user at the remote.",
        },
    ],
    [
        /not_authorized|unauthorized_client|banned/i,
        {
            id: "authentication",
            cause: "The remote lets the link's user not in, or forbids it its topics.",
            fix: "Check the user, the rules for $LINK and the banned list at the remote.",
        },
    ],
    [
        /taken_?over|discarded|administrative_action|\b(?:141|142|152)\b/i,
        {
            id: "client-id-clash",
            cause: "The remote closes the link's connections: somebody kicks them, or others connect with the same client ids.",
            fix: "Give each installation its own clientIdPrefix; look for who kicks clients at the remote.",
        },
    ],
    [
        /nxdomain|enotfound|name or service/i,
        {
            id: "link-status",
            cause: "The broker cannot resolve the host of the link's server.",
            fix: "Check the name and the name servers of the broker's machine.",
        },
    ],
    [
        /refused/i,
        {
            id: "link-status",
            cause: "Nothing listens at the link's server, or a firewall rejects it.",
            fix: "Check host and port of the link's server, and that the remote's listener for links runs.",
        },
    ],
    [
        /time_?out|etimedout|unreach/i,
        {
            id: "link-status",
            cause: "The link's server does not answer: a firewall drops the packets, or there is no route.",
            fix: "Check allow-lists, routes and tunnels from this broker to the link's server.",
        },
    ],
    [
        /closed|econnreset|normal/i,
        {
            id: "link-status",
            cause: "The remote closes the connection at once; one reason is a TLS listener behind a link without TLS.",
            fix: "Check that the link's tls fits the remote's listener.",
        },
    ],
];

/** What the text of a link's alarm means. Undefined for texts that say nothing known. */
export function alarmCause(message: string): AlarmCause | undefined {
    return causes.find(([pattern]) => pattern.test(message))?.[1];
}

/** The text of an alarm for a reader: one line, short, without PEM blocks. */
export function alarmText(message: string): string {
    const line = message
        .replace(/-----BEGIN[\s\S]*?(?:-----END[^-]*-----|$)/g, "…")
        .replace(/\s+/g, " ")
        .trim();
    return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
