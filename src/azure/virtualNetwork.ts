import type * as pulumi from "@pulumi/pulumi";

/** A site's network. */
export interface AzureNetwork {
    readonly virtualNetworkId: pulumi.Output<string>;
    /** The virtual network's name, and the resource group that it is in. */
    readonly name: pulumi.Output<string>;
    readonly resourceGroupName: pulumi.Output<string>;
    /** The subnet for gateways, where it is the user's. */
    readonly gatewaySubnetId?: pulumi.Output<string> | undefined;
    /** The brokers' subnet. */
    readonly subnetId: pulumi.Output<string>;
    /** Set where the brokers' interfaces carry the rules, because the subnet is the user's. */
    readonly interfaceSecurityGroupId: pulumi.Output<string> | undefined;
    /**
     * What was made of it: the subnet, which everything in the network waits for. Azure lets one operation at a time change a virtual
     * network, so whatever else does so waits for it too.
     */
    readonly ready: readonly pulumi.Resource[];
}
