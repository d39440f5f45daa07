import type * as pulumi from "@pulumi/pulumi";
import type { CloudSiteArgs } from "../cluster/args.js";
import type { AzureVpnArgs } from "./vpnArgs.js";

/**
 * A network of yours. Linkspan then makes no virtual network, subnet or NAT gateway: the subnet must have a NAT gateway with fixed
 * addresses, and the virtual network must use Azure's own name servers: private zones are not seen through custom DNS servers. Both are
 * checked at preview. Linkspan's rules are attached to the brokers' network interfaces; where your subnet has a network security group of
 * its own, it must let the same ports through.
 */
export interface AzureNetworkArgs {
    /** `/subscriptions/…/resourceGroups/…/providers/Microsoft.Network/virtualNetworks/…` */
    readonly virtualNetworkId: pulumi.Input<string>;
    /** The virtual network's IPv4 range that holds the subnet. */
    readonly cidr: string;
    /** `…/virtualNetworks/…/subnets/…` of that virtual network. */
    readonly subnetId: pulumi.Input<string>;
    /** The subnet's IPv4 range. Plain, because the brokers' fixed addresses are taken from it. `/29` or larger. */
    readonly subnetCidr: string;
    /** Public IPv4 addresses of the NAT gateway that the subnet uses: peers admit these and no others. */
    readonly egressAddresses: readonly string[];
    /**
     * `…/virtualNetworks/…/subnets/GatewaySubnet` of that virtual network, `/27` or larger, in which no VPN gateway stands yet: tier `vpn` makes
     * one there. The route table of the brokers' subnet, if it has one, must take gateways' routes. The private link door then takes the fourth
     * address from the end of the brokers' subnet, which nothing else may use.
     * @default none: the site has no tier `vpn`
     */
    readonly gatewaySubnetId?: pulumi.Input<string> | undefined;
}

/** A public name of yours in Azure DNS. */
export interface AzureDnsArgs {
    /** The public zone, such as `example.com`. */
    readonly zoneName: string;
    /** Resource group that holds the zone. */
    readonly resourceGroupName: pulumi.Input<string>;
    /** The client door's name, such as `mqtt.example.com`. Its certificate carries it. */
    readonly name: string;
}

/** Where the flow logs of the site's virtual network go. */
export interface AzureFlowLogArgs {
    /**
     * Id of a storage account of yours in the same region.
     * @default one of the site's own
     */
    readonly storageAccountId?: pulumi.Input<string> | undefined;
    /** @default the one that Azure makes by itself: `NetworkWatcher_<location>` in `NetworkWatcherRG` */
    readonly networkWatcher?: AzureNetworkWatcherArgs | undefined;
    /** Days that logs are kept, 1 to 365. @default 90 */
    readonly retentionDays?: number | undefined;
}

/** The network watcher of the site's region. A subscription has one per region. */
export interface AzureNetworkWatcherArgs {
    readonly name: pulumi.Input<string>;
    readonly resourceGroupName: pulumi.Input<string>;
}

/** Arguments of {@link AzureSite}. */
export interface AzureSiteArgs extends CloudSiteArgs {
    /** Azure region of all of the site's resources, by its name as in `westeurope`. Plain, because it stands in names. */
    readonly location: string;
    /**
     * Availability zones, of "1", "2" and "3"; brokers take turns over them. Regions without zones cannot hold a site. Adding
     * one at the end moves nothing as long as there are no more nodes than zones;
     * else it moves the nodes beyond the old number of zones, and another order moves any: a node that moves gets another
     * address and an empty disk.
     * @default ["1", "2", "3"]
     */
    readonly zones?: readonly string[] | undefined;
    /**
     * A resource group of yours.
     * @default one of the site's own
     */
    readonly resourceGroupName?: pulumi.Input<string> | undefined;
    /** @default a virtual network of the site's own */
    readonly network?: AzureNetworkArgs | undefined;
    /** @default a gateway `VpnGw1AZ`, made when a pair of tier `vpn` needs tunnels */
    readonly vpn?: AzureVpnArgs | undefined;
    /** A public name for the client door. @default none: devices connect to an address */
    readonly dns?: AzureDnsArgs | undefined;
    /**
     * Id of a disk encryption set of yours for all disks.
     * @default Azure's own keys: managed disks are always encrypted at rest
     */
    readonly diskEncryptionSetId?: pulumi.Input<string> | undefined;
    /**
     * Encrypt caches and traffic to the disks on the host too. The subscription must have the feature registered once:
     * `az feature register --namespace Microsoft.Compute --name EncryptionAtHost`; without it Azure refuses the machines.
     * @default false
     */
    readonly encryptionAtHost?: boolean | undefined;
    /**
     * Secure boot and a virtual TPM.
     * @default true with x86_64; false with arm64, whose default size does not offer it everywhere
     */
    readonly trustedLaunch?: boolean | undefined;
    /**
     * Flow logs of the site's own virtual network. They need the region's network watcher, which Azure makes by itself with the first
     * virtual network of a region unless the subscription has opted out of that.
     * @default on for a virtual network of the site's own, off for yours
     */
    readonly flowLogs?: AzureFlowLogArgs | false | undefined;
}
