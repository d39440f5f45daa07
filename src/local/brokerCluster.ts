import * as pulumi from "@pulumi/pulumi";
import type { BrokerCluster } from "../contracts/site.js";
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
}

/**
 * The contract's view of a local site's broker. What links are made of is read from the broker itself, which has been given it: so they
 * depend on the broker alone, and the state of every link names one resource instead of four.
 */
export function localCluster(parts: LocalClusterParts): BrokerCluster {
    const { cluster, bind, broker, secrets, caPem } = parts;
    const seed = secrets.value("link");
    return {
        clusterName: cluster,
        api: pulumi.secret(
            pulumi.all([broker.boundPorts, broker.apiSecret, broker.tls]).apply(([ports, secret, { ca }]) => ({
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
            pulumi.all([broker.boundPorts, broker.users, broker.tls]).apply(([ports, users, { ca }]) => ({
                host: bind,
                port: ports.mqtts,
                tls: true,
                ca,
                username: parts.probeUser,
                password: users.find(({ username }) => username === parts.probeUser)?.password ?? "",
            })),
        ),
        linkLogin: { kind: "managed" },
        linkIdentity: {
            certificate: pulumi.secret(broker.tls.apply(({ linkCert, linkKey }) => ({ cert: linkCert, key: linkKey }))),
            passwordFor: (peer) => linkPassword(seed, peer),
        },
        version: pulumi.output(parts.version),
        incarnation: pulumi.interpolate`${broker.pid}/${broker.startTime}`,
        storeId: broker.storeId,
        ready: [broker],
    };
}
