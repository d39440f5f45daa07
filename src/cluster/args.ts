import type * as pulumi from "@pulumi/pulumi";
import type { MeshIdentity } from "../identity/meshIdentity.js";

/** A device user of a site's brokers. */
export interface DeviceUser {
    /** User name as the device sends it. Not `linkspan-probe`, and not beginning with `link-`: those are Linkspan's own. */
    readonly username: string;
    /** Must be a Pulumi secret. */
    readonly password: pulumi.Output<string>;
}

/** A file that brokers install EMQX from, pinned by its content. */
export interface PackageArgs {
    /** `https://…deb` of the release and architecture; a mirror of your own where brokers must not reach the vendor's. */
    readonly url: string;
    /** SHA-256 of the file, 64 hexadecimal digits. A file with another content is not installed. */
    readonly sha256: string;
}

/** The brokers of a cloud site. Plain values: they shape the graph. */
export interface BrokerArgs {
    /**
     * Number of broker nodes, 1 to 7, spread over the zones in turn. More than one needs a licence.
     *
     * Nodes find each other by the first three, which stand in every node's boot data: from 1 to 2 or 3 nodes, from 2 to 3, and back, every
     * node that exists is replaced, one at a time, with its disk kept. With one node that is an outage of several minutes. From 3 on,
     * adding and removing nodes touches no other.
     * @default 1 with the community licence, else 3
     */
    readonly nodes?: number | undefined;
    /**
     * Machine type, by the cloud's own name.
     * @default the cloud's class documents it: 2 virtual processors, 4 to 8 GiB
     */
    readonly size?: string | undefined;
    /** @default "arm64" where the region has it, which the cloud's class documents */
    readonly architecture?: Architecture | undefined;
    /** EMQX release. @default "5.10.3", the one that this library's figures were measured on */
    readonly version?: string | undefined;
    /**
     * Where brokers install EMQX from.
     * @default the vendor's package for the release; its SHA-256 is taken when the site is first made and kept from then on
     */
    readonly package?: PackageArgs | undefined;
    /** Image of the machines, by the cloud's own id. @default the newest Ubuntu 24.04 when the site is first made, kept from then on */
    readonly imageId?: pulumi.Input<string> | undefined;
    /**
     * Set another text, such as a date, to look for the newest image again; the nodes are then replaced one at a time.
     * @default "1"
     */
    readonly imageRelease?: string | undefined;
    /**
     * Size of the data disk in GiB, 10 to 16384. It can grow; what is new is used after the machine's next boot. A smaller size is refused
     * by AWS and Azure, and on Google Cloud it replaces the disks by empty ones.
     * @default 20
     */
    readonly dataDiskGb?: number | undefined;
    /**
     * Refuse to delete the data disks, also in `pulumi destroy`, until this is set to false and applied.
     * @default false
     */
    readonly protectData?: boolean | undefined;
    /**
     * Leave the data disks in the cloud when they go from the stack: in `pulumi destroy`, with a node that is removed, and where they are
     * replaced. Linkspan forgets them; you delete them. Unlike `protectData` it stops nothing.
     * @default false
     */
    readonly retainData?: boolean | undefined;
    /** Messages that the session of a client that is away may queue, in the memory of its node. @default 1000 */
    readonly sessionQueueMessages?: number | undefined;
}

/** Processor architecture of the broker machines. */
export type Architecture = "arm64" | "x86_64";

/**
 * How the machine that runs Pulumi reaches a site's REST API and client door.
 *
 * - `public`: through the site's public doors; its own public address must be in `adminCidrs`.
 * - `direct`: to the first broker's private address; for runners inside the site's network or one that is joined to it.
 * - `proxy`: `socks5://host:port` or `http://host:port` (CONNECT), for example a bastion by `ssh -D`. TLS goes through it unopened.
 * - `connect`: dial these instead, for example the local ends of SSH tunnels. The TLS names stay the site's.
 */
export type Reach =
    | "public"
    | "direct"
    | {
          readonly proxy: pulumi.Input<string>;
          /** Which doors the proxy is asked for: the public ones, or the first broker's private address. @default "public" */
          readonly to?: "public" | "private" | undefined;
      }
    | {
          readonly connect: {
              readonly api: { readonly host: string; readonly port: number };
              readonly clients: { readonly host: string; readonly port: number };
          };
      };

/** Arguments that all cloud sites share. Each cloud's class adds its own. */
export interface CloudSiteArgs {
    /** 1 to 120, unique in the mesh, never reused. */
    readonly siteNumber: number;
    /**
     * The mesh that the site belongs to. Plain, because names are made of it.
     * @default `<project>-<stack>`
     */
    readonly meshId?: string | undefined;
    /**
     * The authority of the mesh's certificates.
     * @default one made for the mesh id, shared by the sites of the program
     */
    readonly identity?: MeshIdentity | undefined;
    /**
     * Private range of the site, /16 to /20. No two sites of a mesh share addresses.
     * @default `10.<siteNumber>.0.0/16`
     */
    readonly cidr?: string | undefined;
    /**
     * EMQX licence: `community` (one node), `evaluation` (several nodes, 25 sessions, for a try-out), or a licence key as a Pulumi secret.
     * Another key is loaded on the running brokers at once, without a restart, and within 12 minutes stands where a broker's next start
     * finds it. To and from `community` and `evaluation` a change takes effect at that start.
     * @default "community"
     */
    readonly license?: "community" | "evaluation" | pulumi.Output<string> | undefined;
    readonly broker?: BrokerArgs | undefined;
    /**
     * IPv4 ranges that may use the management door (HTTPS 18084): where Pulumi, your operators and your monitoring run. They may use the
     * client door too, which the delivery proof needs. There is no default, because the REST API rules the brokers: name the machines
     * that need it. `0.0.0.0/0` is refused.
     */
    readonly adminCidrs: readonly string[];
    /** IPv4 ranges of the devices, or `anywhere`. @default "anywhere" */
    readonly clientCidrs?: readonly string[] | "anywhere" | undefined;
    /** How this machine reaches the REST API and the client door. @default "public" */
    readonly reach?: Reach | undefined;
    /**
     * Device users. Whom you add, change or leave out afterwards is added, changed or removed on the running brokers; no machine is
     * touched. A device that is connected stays connected with its old password until it connects again.
     * @default one user `device` with a generated password, see the site's `device`
     */
    readonly users?: readonly DeviceUser[] | undefined;
    /** Names of your own for the client door, which its certificate then carries; you point them at the site's `clientAddresses`. @default none */
    readonly clientNames?: readonly string[] | undefined;
    /** Tags (labels) of every resource that takes some, next to Linkspan's own `linkspan-mesh` and `linkspan-site`. @default none */
    readonly tags?: Readonly<Record<string, string>> | undefined;
}
