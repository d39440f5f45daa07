import type * as pulumi from "@pulumi/pulumi";
import type { MeshIdentity } from "../identity/meshIdentity.js";
import type { ExternalVpnArgs } from "./vpnArgs.js";

/** How Linkspan reaches the cluster's REST API. */
export interface ExternalApiArgs {
    /** `https://host:port`, without path, query or user; `http` only for loopback with `allowLoopback`. */
    readonly url: pulumi.Input<string>;
    /** API key with the role administrator; EMQX shows it under System > API Key. */
    readonly key: pulumi.Input<string>;
    /** Its secret. Must be a Pulumi secret (`config.requireSecret`), or it would stand in state as plain text. */
    readonly secret: pulumi.Output<string>;
    /** PEM of the authority of the API's certificate. @default the public authorities */
    readonly ca?: pulumi.Input<string> | undefined;
    /** Name in the API's certificate, where it is not the host of `url`. */
    readonly serverName?: pulumi.Input<string> | undefined;
    /** Dial here instead, for example the end of an SSH tunnel; the TLS name stays that of `url`. */
    readonly connect?: pulumi.Input<{ readonly host: string; readonly port: number }> | undefined;
    /**
     * Proxy to dial through: `socks5://host:port` or `http://host:port` (CONNECT), with `user:password@` where it asks for a login; then
     * a Pulumi secret. It resolves the host's name, and TLS goes through it unopened. Not with `connect`.
     */
    readonly proxy?: pulumi.Input<string> | undefined;
}

/** Where and how the peers' links connect to this cluster. */
export interface ExternalLinkArgs {
    /** `host:port` of the listener for links, as the peers reach it. */
    readonly server: pulumi.Input<string>;
    /**
     * Fixed public IPv4 addresses of that listener: all that the host of `server` can ever lead to. Cloud sites let their brokers out to
     * these alone; without them, to the port anywhere where `server` is a name.
     * @default the host of `server` where that is an address, else not known
     */
    readonly addresses?: readonly string[] | undefined;
    /**
     * IPv4 addresses that the cluster's brokers come from when they connect to the outside, such as those of its NAT gateway. Needed
     * where a peer admits listed addresses only, as the cloud sites do.
     * @default not known
     */
    readonly egressAddresses?: readonly string[] | undefined;
    /** TLS of that listener. `enable: false` is for networks that are private already. @default TLS with the public authorities */
    readonly tls?:
        | {
              readonly enable: boolean;
              /** PEM of the authority of the listener's certificate. */
              readonly ca?: pulumi.Input<string> | undefined;
              /** Name in the listener's certificate. @default the host of `server`, where that is a name and no address */
              readonly serverName?: pulumi.Input<string> | undefined;
              /** PEM certificate and key that peers must present, where the listener asks for one. Secret. */
              readonly clientCertificate?: pulumi.Output<{ readonly cert: string; readonly key: string }> | undefined;
          }
        | undefined;
    /**
     * How the peers' links log in: `managed` (Linkspan makes a user `link-<peer's cluster.name>` and its rules in the built-in
     * database of the cluster), a user that exists, or `none`.
     * @default "managed"
     */
    readonly login?:
        | "managed"
        | "none"
        | { readonly username: pulumi.Input<string>; readonly password: pulumi.Output<string> }
        | undefined;
}

/** How the delivery probe connects as a device. */
export interface ExternalClientsArgs {
    readonly host: pulumi.Input<string>;
    /** @default 8883 with TLS, 1883 without */
    readonly port?: pulumi.Input<number> | undefined;
    /** @default true */
    readonly tls?: boolean | undefined;
    /** PEM of the authority of the listener's certificate. @default the public authorities */
    readonly ca?: pulumi.Input<string> | undefined;
    readonly serverName?: pulumi.Input<string> | undefined;
    readonly username?: pulumi.Input<string> | undefined;
    /** Secret. */
    readonly password?: pulumi.Output<string> | undefined;
    /** Dial here instead, for example the end of an SSH tunnel; the TLS name stays that of `host`. */
    readonly connect?: pulumi.Input<{ readonly host: string; readonly port: number }> | undefined;
    /**
     * Proxy to dial through, as the one of the API: `socks5://host:port` or `http://host:port` (CONNECT), with `user:password@` where it asks for a login; then
     * a Pulumi secret. It resolves the host's name, and TLS goes through it unopened. Not with `connect`.
     */
    readonly proxy?: pulumi.Input<string> | undefined;
}

/** Arguments of an existing cluster (`ExternalSite`). */
export interface ExternalSiteArgs {
    /** 1 to 120, unique in the mesh, never reused. */
    readonly siteNumber: number;
    /** `cluster.name` of the cluster, as `GET /api/v5/cluster` shows it. Peers' links must carry exactly this name. */
    readonly clusterName: string;
    readonly api: ExternalApiArgs;
    readonly link: ExternalLinkArgs;
    readonly clients: ExternalClientsArgs;
    /**
     * The mesh that the site belongs to. Its links' client ids begin with `<meshId>-<name>-`, so that another stack's links on the
     * same cluster are not taken for this one's. Plain, because names are made of it.
     * @default `<project>-<stack>`
     */
    readonly meshId?: string | undefined;
    /**
     * The authority of the mesh's certificates. With it the cluster's own links get a client certificate, which the link doors of cloud
     * sites ask for.
     * @default none
     */
    readonly identity?: MeshIdentity | undefined;
    /** A VPN device of yours before the cluster's network, for tier `vpn`. @default none: the site cannot do that tier */
    readonly vpn?: ExternalVpnArgs | undefined;
    /** Accept loopback addresses: for brokers on the machine that runs Pulumi. @default false */
    readonly allowLoopback?: boolean | undefined;
}
