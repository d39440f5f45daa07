import * as network from "@pulumi/azure-native/network/index.js";
import type { AzureSiteChoices } from "./choices.js";
import type { AzureEgress } from "./egress.js";
import { existingNetwork } from "./existingNetwork.js";
import type { AzureFirewall } from "./firewall.js";
import { type AzureScope, place } from "./scope.js";
import type { AzureNetwork } from "./virtualNetwork.js";

/** The site's network: its own, or the user's. */
export function createNetwork(
    scope: AzureScope,
    choices: AzureSiteChoices,
    parts: { readonly firewall: AzureFirewall; readonly egress: AzureEgress },
): AzureNetwork {
    return choices.network === undefined
        ? ownNetwork(scope, choices, parts)
        : existingNetwork(scope, choices.network, parts.firewall);
}

/** Private zones are seen through Azure's own name servers only, so the virtual network names no others. */
function ownNetwork(
    scope: AzureScope,
    { cidr, subnetCidr }: AzureSiteChoices,
    { firewall, egress }: { readonly firewall: AzureFirewall; readonly egress: AzureEgress },
): AzureNetwork {
    const { parent, resourceGroupName } = scope;
    const { name, at } = place(scope, "network");
    // Subnets stand alone: given here too, each update of the network would take the others away.
    const whole = new network.VirtualNetwork(name, { ...at, addressSpace: { addressPrefixes: [cidr] } }, { parent });
    const subnet = new network.Subnet(
        place(scope, "brokers-subnet").name,
        {
            resourceGroupName,
            virtualNetworkName: whole.name,
            addressPrefix: subnetCidr,
            ...(egress.natGatewayId === undefined ? {} : { natGateway: { id: egress.natGatewayId } }),
            networkSecurityGroup: { id: firewall.id },
            // The way out is the NAT gateway and no other.
            defaultOutboundAccess: false,
            // The vault of the boot items lets this subnet in and nobody else.
            serviceEndpoints: [{ service: "Microsoft.KeyVault" }],
        },
        // Attaching the group changes it, and so does each of its rules: one after the other.
        { parent, dependsOn: [...firewall.rules], customTimeouts: { create: "20m", update: "20m", delete: "20m" } },
    );
    return {
        virtualNetworkId: whole.id,
        name: whole.name,
        resourceGroupName,
        subnetId: subnet.id,
        interfaceSecurityGroupId: undefined,
        ready: [subnet],
    };
}
