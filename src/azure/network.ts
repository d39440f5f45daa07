import * as network from "@pulumi/azure-native/network/index.js";
import * as pulumi from "@pulumi/pulumi";
import { isWithin, parseCidr } from "../addressing/cidr.js";
import { InputError, quote } from "../errors.js";
import { checked, failOn } from "../input.js";
import type { AzureNetworkArgs } from "./args.js";
import { type AzureSiteChoices, checkArmId } from "./choices.js";
import type { AzureEgress } from "./egress.js";
import type { AzureFirewall } from "./firewall.js";
import { type AzureScope, place } from "./scope.js";

/** A site's network. */
export interface AzureNetwork {
    readonly virtualNetworkId: pulumi.Output<string>;
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
        subnetId: subnet.id,
        interfaceSecurityGroupId: undefined,
        ready: [subnet],
    };
}

/** The user's network. What Azure says of it gates everything in it, so that preview already refuses a wrong one. */
function existingNetwork({ parent }: AzureScope, existing: AzureNetworkArgs, firewall: AzureFirewall): AzureNetwork {
    const virtualNetworkId = checked(parent, existing.virtualNetworkId, (id) => {
        checkArmId(id, "Microsoft.Network/virtualNetworks", "network.virtualNetworkId");
        return id;
    });
    const subnetId = checked(parent, existing.subnetId, (id) => {
        checkArmId(id, "Microsoft.Network/virtualNetworks/subnets", "network.subnetId");
        return id;
    });
    const found = network.getVirtualNetworkOutput(
        {
            resourceGroupName: virtualNetworkId.apply((id) => partsOf(id).resourceGroupName),
            virtualNetworkName: virtualNetworkId.apply((id) => partsOf(id).names[0] ?? ""),
        },
        { parent },
    );
    const gated = pulumi.all([virtualNetworkId, subnetId, found]).apply(([virtualNetwork, subnet, answer]) =>
        failOn(parent, () => {
            checkExisting({ virtualNetwork, subnet }, existing, answer);
            return { virtualNetworkId: virtualNetwork, subnetId: subnet };
        }),
    );
    return {
        virtualNetworkId: gated.virtualNetworkId,
        subnetId: gated.subnetId,
        interfaceSecurityGroupId: firewall.id,
        ready: [],
    };
}

function partsOf(id: string) {
    return checkArmId(id, "Microsoft.Network/virtualNetworks", "network.virtualNetworkId");
}

function checkExisting(
    ids: { readonly virtualNetwork: string; readonly subnet: string },
    { cidr, subnetCidr }: AzureNetworkArgs,
    answer: network.GetVirtualNetworkResult,
): void {
    const whole = parseCidr(cidr, "network.cidr");
    const spaces = answer.addressSpace?.addressPrefixes ?? [];
    if (!spaces.some((space) => !space.includes(":") && isWithin(whole, parseCidr(space, "network.virtualNetworkId")))) {
        throw new InputError("network.cidr", `${quote(cidr)} is no range of the virtual network; it has ${spaces.join(", ")}`);
    }
    const servers = answer.dhcpOptions?.dnsServers ?? [];
    if (servers.length > 0) {
        throw new InputError(
            "network.virtualNetworkId",
            `${quote(ids.virtualNetwork)} has name servers of its own (${servers.join(", ")}), through which brokers do not see the private zone of their peers' names; use a virtual network with Azure's default name servers`,
        );
    }
    const subnet = answer.subnets?.find(({ id }) => id?.toLowerCase() === ids.subnet.toLowerCase());
    if (subnet === undefined) {
        throw new InputError("network.subnetId", `${quote(ids.subnet)} is no subnet of ${quote(ids.virtualNetwork)}`);
    }
    const ranges = [...(subnet.addressPrefix === undefined ? [] : [subnet.addressPrefix]), ...(subnet.addressPrefixes ?? [])];
    if (!ranges.includes(subnetCidr)) {
        throw new InputError(
            "network.subnetCidr",
            `${quote(subnetCidr)} is not the range of the subnet; set ${ranges.map(quote).join(" or ")}`,
        );
    }
    if (subnet.natGateway?.id === undefined) {
        throw new InputError(
            "network.subnetId",
            `${quote(ids.subnet)} has no NAT gateway, so that brokers come from no fixed address; attach one and list its addresses in network.egressAddresses`,
        );
    }
}
