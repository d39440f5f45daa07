import * as pulumi from "@pulumi/pulumi";
import type { BrokerCluster, LinkDoor } from "../contracts/site.js";
import type { LinkTlsInput } from "../emqx/linkSpec.js";
import { linkUser } from "../naming.js";
import type { ClusterLinkArgs } from "./clusterLink.js";

/** As whom the links of `on` log in at `at`. */
export function linkCredentials(on: BrokerCluster, at: BrokerCluster): Pick<ClusterLinkArgs, "username" | "password"> {
    const login = at.linkLogin;
    switch (login.kind) {
        case "managed":
            return { username: linkUser(on.clusterName), password: on.linkIdentity.passwordFor(at.clusterName) };
        case "given":
            return { username: login.username, password: login.password };
        case "none":
            return {};
    }
}

/** TLS of the links of `on` towards a door: what the door's certificate is verified by, and what the link presents. Secret. */
export function linkTls(door: LinkDoor, on: BrokerCluster): pulumi.Output<LinkTlsInput> {
    const { clientCertificate, tls } = door;
    const presented =
        clientCertificate === "none"
            ? undefined
            : clientCertificate === "mesh"
              ? on.linkIdentity.certificate
              : clientCertificate.given;
    return pulumi.secret(
        pulumi.all([tls, presented]).apply(([known, certificate]) => ({
            ...known,
            ...(certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }),
        })),
    );
}
