import * as pulumi from "@pulumi/pulumi";
import type { BrokerCluster, LinkLogin } from "../contracts/site.js";
import type { ApiEndpoint } from "../emqx/endpoint.js";
import { keyPair } from "../identity/certificate.js";
import { linkPassword } from "../identity/linkPassword.js";
import { Secrets } from "../identity/secrets.js";
import type { ClusterPreflight } from "../link/clusterPreflight.js";
import type { ExternalSiteArgs } from "./args.js";

/** What an existing cluster is described from, next to its arguments. */
export interface ExternalClusterParts {
    readonly api: pulumi.Output<ApiEndpoint>;
    readonly host: pulumi.Output<string>;
    readonly port: pulumi.Output<number>;
    readonly preflight: ClusterPreflight;
}

/** The contract's view of an existing cluster. */
export function externalCluster(
    parent: pulumi.Resource,
    name: string,
    args: ExternalSiteArgs,
    parts: ExternalClusterParts,
): BrokerCluster {
    const seed = new Secrets(`${name}-secrets`, { names: ["link"] }, { parent });
    const certificate = args.identity?.issue(
        `${name}-link-certificate`,
        { commonName: args.clusterName, dnsNames: [args.clusterName], usage: ["client"] },
        { parent },
    );
    const { clients } = args;
    const tls = clients.tls ?? true;
    return {
        clusterName: args.clusterName,
        api: parts.api,
        clientDoor: pulumi.all([parts.host, parts.port, clients.ca]).apply(([host, port, ca]) => ({
            host,
            port,
            scheme: tls ? ("mqtts" as const) : ("mqtt" as const),
            ...(ca === undefined ? {} : { ca }),
        })),
        probe: pulumi.secret(
            pulumi
                .all([
                    parts.host,
                    parts.port,
                    clients.ca,
                    clients.serverName,
                    clients.username,
                    clients.password,
                    clients.connect,
                    clients.proxy,
                ])
                .apply(([host, port, ca, serverName, username, password, connect, proxy]) => ({
                    host,
                    port,
                    tls,
                    ...(ca === undefined ? {} : { ca }),
                    ...(serverName === undefined ? {} : { serverName }),
                    ...(username === undefined ? {} : { username }),
                    ...(password === undefined ? {} : { password }),
                    ...(connect === undefined ? {} : { connect }),
                    ...(proxy === undefined ? {} : { proxy }),
                })),
        ),
        linkLogin: loginOf(args),
        linkIdentity: {
            ...(certificate === undefined ? {} : { certificate: keyPair(certificate) }),
            passwordFor: (peer) => linkPassword(seed.value("link"), peer),
        },
        version: parts.preflight.version,
        // Its brokers are its operator's: Linkspan starts none.
        incarnation: parts.preflight.version,
        ready: [parts.preflight],
    };
}

function loginOf(args: ExternalSiteArgs): LinkLogin {
    const login = args.link.login ?? "managed";
    if (typeof login === "string") {
        return { kind: login };
    }
    return { kind: "given", username: pulumi.output(login.username), password: pulumi.secret(login.password) };
}
