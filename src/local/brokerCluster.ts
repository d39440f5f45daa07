import * as pulumi from "@pulumi/pulumi";
import type { BrokerCluster } from "../contracts/site.js";
import { type Certificate, keyPair } from "../identity/certificate.js";
import { linkPassword } from "../identity/linkPassword.js";
import type { Secrets } from "../identity/secrets.js";
import type { LocalBroker } from "./localBroker.js";

/** What a local site's cluster is described from. */
export interface LocalClusterParts {
    readonly cluster: string;
    readonly bind: string;
    readonly apiKey: string;
    readonly probeUser: string;
    readonly version: string;
    readonly broker: LocalBroker;
    readonly secrets: Secrets;
    readonly caPem: pulumi.Output<string>;
    readonly link: Certificate;
}

/** The contract's view of a local site's broker. */
export function localCluster(parts: LocalClusterParts): BrokerCluster {
    const { cluster, bind, broker, secrets, caPem, link } = parts;
    return {
        clusterName: cluster,
        api: pulumi.secret(
            pulumi.all([broker.boundPorts, secrets.value("api"), caPem]).apply(([ports, secret, ca]) => ({
                url: `https://${bind}:${ports.api}`,
                key: parts.apiKey,
                secret,
                ca,
            })),
        ),
        clientDoor: pulumi
            .all([broker.boundPorts, caPem])
            .apply(([ports, ca]) => ({ host: bind, port: ports.mqtts, scheme: "mqtts" as const, ca })),
        probe: pulumi.secret(
            pulumi.all([broker.boundPorts, secrets.value("probe"), caPem]).apply(([ports, password, ca]) => ({
                host: bind,
                port: ports.mqtts,
                tls: true,
                ca,
                username: parts.probeUser,
                password,
            })),
        ),
        linkLogin: { kind: "managed" },
        linkIdentity: {
            certificate: keyPair(link),
            passwordFor: (peer) => linkPassword(secrets.value("link"), peer),
        },
        version: pulumi.output(parts.version),
        incarnation: pulumi.interpolate`${broker.pid}/${broker.startTime}`,
        storeId: broker.storeId,
        ready: [broker],
    };
}
