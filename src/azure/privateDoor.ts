import type * as pulumi from "@pulumi/pulumi";
import { parseCidr } from "../addressing/cidr.js";
import { linkDoorAddress } from "../addressing/siteRanges.js";
import { doorPorts } from "../cluster/ports.js";
import type { AzureSiteChoices } from "./choices.js";
import { createBalancer } from "./doors.js";
import type { AzureFirewall } from "./firewall.js";
import { addressZones } from "./regions.js";
import type { AzureScope } from "./scope.js";
import type { AzureNetwork } from "./virtualNetwork.js";

/** What a site's private link door is made from. */
export interface PrivateDoorParts {
    readonly network: AzureNetwork;
    readonly firewall: AzureFirewall;
}

/** Where peers' links enter a site through its private network. */
export interface AzurePrivateDoor {
    /** Its fixed address in the brokers' subnet, which the plan says. */
    readonly address: string;
    /** What must stay until links are deleted. */
    readonly ready: readonly pulumi.Resource[];
}

/**
 * A second load balancer, for links alone, without a public address. Its pool names the brokers by their addresses, which are fixed: the
 * interfaces, which are in the public door's pool, stay as they are when it comes or goes, and so do the machines. Brokers see peers' own
 * addresses. A broker cannot use its own site's door, nor does it have to.
 */
export function createPrivateDoor(
    scope: AzureScope,
    { subnetCidr }: Pick<AzureSiteChoices, "subnetCidr">,
    { network, firewall }: PrivateDoorParts,
): AzurePrivateDoor {
    const address = linkDoorAddress(parseCidr(subnetCidr));
    const virtualNetwork = { id: network.virtualNetworkId };
    const balancer = createBalancer(scope, "private-door", {
        beside: firewall.id,
        front: {
            subnet: { id: network.subnetId },
            privateIPAllocationMethod: "Static",
            privateIPAddress: address,
            privateIPAddressVersion: "IPv4",
            zones: [...addressZones],
        },
        members: scope.plan.nodes.map(({ key, address }) => ({ name: `broker-${key}`, ipAddress: address, virtualNetwork })),
        ports: { links: doorPorts.links },
    });
    return { address, ready: [balancer.itself] };
}
