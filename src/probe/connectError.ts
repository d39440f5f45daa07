import { type TunnelFailure, tunnelTodo } from "../emqx/tunnel.js";
import { OperationError } from "../errors.js";

/**
 * Why a door could not be used. `unreachable`: this machine never got to a broker, which says nothing about the broker itself.
 * `refused`: something answered and said no, or could not be trusted.
 */
export type ConnectFailure = "unreachable" | "refused";

/** A connection to a site's door that could not be made or kept. */
export class ProbeConnectError extends OperationError {
    readonly failure: ConnectFailure;
    /** Whether the same attempt may succeed a moment later. */
    readonly passing: boolean;

    constructor(detail: OperationError["detail"], failure: ConnectFailure, passing: boolean) {
        super(detail);
        this.name = "ProbeConnectError";
        this.failure = failure;
        this.passing = passing;
    }
}

/** How far a connection had come when it failed. */
export type ConnectStage = "tcp" | "tls" | "mqtt";

/** The door and the login of one attempt, without any secret. */
export interface ConnectAttempt {
    readonly site: string;
    readonly host: string;
    readonly port: number;
    readonly tls: boolean;
    /** The name in the certificate that was asked for. */
    readonly serverName: string;
    readonly username?: string | undefined;
    readonly hasCertificate: boolean;
    readonly stage: ConnectStage;
    readonly waitedSeconds: number;
    /** Where is dialled in place of `host` and `port`, as messages may show it. */
    readonly by?: string | undefined;
}

/**
 * The error of an attempt that a proxy did not let through.
 *
 * @param failure what the proxy answered
 */
export function proxyError(attempt: ConnectAttempt, { code, message }: TunnelFailure): ProbeConnectError {
    const todo = tunnelTodo(code, "the proxy of this door");
    return new ProbeConnectError(
        {
            what: `connect the delivery probe to site "${attempt.site}"`,
            where: whereOf(attempt),
            code,
            message,
            todo: todo === undefined ? undefined : `${todo}.`,
        },
        "unreachable",
        code === "PROXY_UNREACHABLE" || code === "PROXY_REFUSED" || code === "PROXY_TIMEOUT",
    );
}

function whereOf({ tls, host, port, by }: ConnectAttempt): string {
    return `${tls ? "mqtts" : "mqtt"}://${host}:${port}${by === undefined ? "" : ` by way of ${by}`}`;
}

interface Cause {
    readonly message: string;
    readonly todo?: string;
    readonly failure: ConnectFailure;
    readonly passing: boolean;
}

const lasting = { failure: "refused", passing: false } as const;
const unreachable = { failure: "unreachable", passing: true } as const;

/**
 * The error of an attempt: one cause in words, and what to do.
 *
 * @param code the transport's code (`ECONNREFUSED`, `CERT_HAS_EXPIRED`), the return code of a CONNACK (1 to 5), `"closed"`, `"timeout"`,
 * or `"protocol"` where the answer was no MQTT
 */
export function connectError(attempt: ConnectAttempt, code: string | number): ProbeConnectError {
    const cause = typeof code === "number" ? fromConnack(attempt, code) : fromTransport(attempt, code);
    const shown =
        typeof code === "number" ? `CONNACK ${code}` : ["closed", "timeout", "protocol"].includes(code) ? undefined : code;
    return new ProbeConnectError(
        {
            what: `connect the delivery probe to site "${attempt.site}"`,
            where: whereOf(attempt),
            code: shown,
            message: cause.message,
            todo: cause.todo,
        },
        cause.failure,
        cause.passing,
    );
}

function fromConnack({ username }: ConnectAttempt, code: number): Cause {
    const who = username === undefined ? "a client without a user name" : `user "${username}"`;
    switch (code) {
        case 1:
            return {
                ...lasting,
                message: "the broker does not speak MQTT 3.1.1 (it may take MQTT 5 only)",
                todo: "Allow MQTT 3.1.1 on this listener, or name another door for the probe.",
            };
        case 2:
            return {
                ...lasting,
                message: "the broker refuses the client id",
                todo: "Set clientIdPrefix to a beginning that its rules allow.",
            };
        case 3:
            return {
                failure: "refused",
                passing: true,
                message: "the broker says that it takes no connections now (it is starting, full, or being evacuated)",
                todo: "Look at its nodes, its licence's session limit and any running evacuation.",
            };
        case 4:
            return { ...lasting, message: `the password of ${who} is wrong`, todo: "Set the probe's user name and password." };
        case 5:
            return {
                ...lasting,
                message: `${who} is not authorized: the user is unknown, or the password is wrong`,
                todo: "Set the probe's user name and password, or create the user on this cluster.",
            };
        default:
            return { ...lasting, message: "the broker refused the connection" };
    }
}

function fromTransport(attempt: ConnectAttempt, code: string): Cause {
    const { host, port, tls, serverName, hasCertificate, stage, waitedSeconds } = attempt;
    if (code === "timeout" || code === "ETIMEDOUT") {
        return silent(attempt, waitedSeconds);
    }
    if (code === "closed" || code === "ECONNRESET" || code === "EPIPE") {
        const wants = hasCertificate
            ? " A listener that does not trust the probe's client certificate closes like this too."
            : " A listener that asks for a client certificate closes like this too.";
        return {
            failure: stage === "tcp" ? "unreachable" : "refused",
            passing: true,
            message: `the connection was closed before the broker answered${stage === "tls" ? ", during the TLS handshake" : ""}`,
            todo: `Check that port ${port} is an MQTT listener ${tls ? "with" : "without"} TLS.${tls ? wants : ""}`,
        };
    }
    if (code === "protocol") {
        return {
            ...lasting,
            message: "what listens there does not speak MQTT",
            todo: `Check that port ${port} is an MQTT listener.`,
        };
    }
    const known = transportCauses[code];
    if (known !== undefined) {
        return known(host, port);
    }
    const certificate = certificateCauses[code];
    if (certificate !== undefined) {
        return { ...lasting, ...certificate(serverName) };
    }
    if (/ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN)/.test(code)) {
        return {
            ...lasting,
            message: hasCertificate
                ? "the broker does not accept the probe's client certificate"
                : "the broker asks for a client certificate",
            todo: "Give the probe a certificate that this listener trusts, or name the listener for devices.",
        };
    }
    if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE|EPROTO/.test(code)) {
        return {
            ...lasting,
            message: "what listens there does not speak TLS",
            todo: `Name the TLS listener's port, or set tls to false if port ${port} is meant to be plain.`,
        };
    }
    return { failure: stage === "tcp" ? "unreachable" : "refused", passing: stage === "tcp", message: "the connection failed" };
}

function silent({ host, port, stage }: ConnectAttempt, seconds: number): Cause {
    const waited = `after ${Math.round(seconds)} s`;
    if (stage === "tcp") {
        return {
            ...unreachable,
            message: `no answer ${waited}; something on the way drops the packets`,
            todo: `Allow this machine's address at ${host}, port ${port} (firewall, security group, allow-list).`,
        };
    }
    return {
        failure: "refused",
        passing: true,
        message:
            stage === "tls"
                ? `the port is open, but nothing answered the TLS handshake ${waited}`
                : `the port is open, but no MQTT answer came ${waited}`,
        todo: `Check that port ${port} is the MQTT listener for devices and that the broker is not frozen.`,
    };
}

const transportCauses: Readonly<Record<string, (host: string, port: number) => Cause>> = {
    ENOTFOUND: (host) => ({
        ...unreachable,
        message: "the host name does not exist",
        todo: `Check the name, or that this machine may resolve it (${host} may be private to the site's network).`,
    }),
    EAI_AGAIN: () => ({
        ...unreachable,
        message: "the name server did not answer",
        todo: "Check this machine's name resolution.",
    }),
    ECONNREFUSED: (_host, port) => ({
        ...unreachable,
        message: "nothing listens there",
        todo: `Check that the broker runs and that its listener has port ${port}.`,
    }),
    EHOSTUNREACH: () => ({ ...unreachable, message: "there is no route to the host", todo: "Check this machine's network." }),
    ENETUNREACH: () => ({ ...unreachable, message: "there is no route to the network", todo: "Check this machine's network." }),
    EACCES: () => ({ ...unreachable, message: "this machine may not open the connection", todo: "Check its own firewall." }),
    EPERM: () => ({ ...unreachable, message: "this machine may not open the connection", todo: "Check its own firewall." }),
};

const unknownAuthority = () => ({
    message: "the broker's certificate is not signed by an authority that the probe trusts",
    todo: "Set ca to the PEM of the authority that signed it.",
});

const certificateCauses: Readonly<Record<string, (serverName: string) => { message: string; todo: string }>> = {
    SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
    DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
    UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
    CERT_SIGNATURE_FAILURE: unknownAuthority,
    CERT_HAS_EXPIRED: () => ({
        message: "the broker's certificate has expired",
        todo: "Renew it, or set the clock of this machine.",
    }),
    CERT_NOT_YET_VALID: () => ({
        message: "the broker's certificate is not valid yet",
        todo: "Compare the clocks of this machine and of the one that issued it.",
    }),
    CERT_REVOKED: () => ({ message: "the broker's certificate has been revoked", todo: "Renew it." }),
    ERR_TLS_CERT_ALTNAME_INVALID: (name) => ({
        message: `the broker's certificate is not made for "${name}"`,
        todo: "Set serverName to a name in the certificate, or issue it for this name.",
    }),
};
