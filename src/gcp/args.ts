import type * as pulumi from "@pulumi/pulumi";
import type { CloudSiteArgs } from "../cluster/args.js";
import type { GcpVpnArgs } from "./vpnArgs.js";

/** A network that exists already, in the site's project. */
export interface GcpNetworkArgs {
    /**
     * Self link or `projects/<project>/global/networks/<name>` of the VPC network. No other site of the mesh may be in it. Tier `vpn` needs it
     * as text. Pairs of two GCP sites in that tier peer their networks: the network's other subnetworks then have routes to the peer too, and
     * what passes is left to firewall rules.
     */
    readonly network: pulumi.Input<string>;
    /**
     * Self link or `projects/<project>/regions/<region>/subnetworks/<name>` of the brokers' subnetwork, in the site's region, with private
     * Google access, and without a NAT of its own: the site brings one, for its fixed addresses. The private link door of tier `vpn` takes
     * the subnetwork's fourth address from the end, such as 10.77.4.252 of 10.77.4.0/24.
     */
    readonly subnetwork: pulumi.Input<string>;
    /** Primary range of the subnetwork, which brokers' fixed addresses are taken from. Compared with the real one. */
    readonly cidr: string;
}

/** A public name for the client door, in a zone of Cloud DNS that exists. */
export interface GcpDnsArgs {
    /** Name of the managed zone, as Cloud DNS calls it, in the site's project. */
    readonly zone: pulumi.Input<string>;
    /** Host name within the zone, such as `mqtt.example.com`. The server certificate carries it. */
    readonly name: string;
}

/** Arguments of {@link GcpSite}. */
export interface GcpSiteArgs extends CloudSiteArgs {
    /** Region, such as `europe-west4`. Plain, because zones and defaults follow from it. */
    readonly region: string;
    /** @default the provider's project */
    readonly project?: pulumi.Input<string> | undefined;
    /**
     * Zones of the region, 1 to 6, in the order in which nodes fill them. Adding one at the end moves nothing as long as there are no more nodes than
     * zones; else it moves the nodes beyond the old number of zones, and another order moves any: a node that moves gets another
     * address and an empty disk.
     * @default the region's first three
     */
    readonly zones?: readonly string[] | undefined;
    /**
     * Fixed addresses that the site's brokers come from, 1 to 8. One carries 63 machines at 1024 ports each; more than one spreads
     * connections to one destination.
     * @default 1
     */
    readonly egressAddressCount?: number | undefined;
    /** @default a network of its own */
    readonly network?: GcpNetworkArgs | undefined;
    /** The VPN gateway, where the defaults do not fit. */
    readonly vpn?: GcpVpnArgs | undefined;
    /** @default no public name */
    readonly dns?: GcpDnsArgs | undefined;
    /**
     * Self link of a Cloud KMS key for the brokers' disks, in the site's region. Compute Engine's service agent needs the role
     * `roles/cloudkms.cryptoKeyEncrypterDecrypter` on it. Another key makes new, empty data disks.
     * @default keys that Google keeps
     */
    readonly kmsKey?: pulumi.Input<string> | undefined;
}
