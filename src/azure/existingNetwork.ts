import * as network from "@pulumi/azure-native/network/index.js";
import * as pulumi from "@pulumi/pulumi";
import { isWithin, parseCidr } from "../addressing/cidr.js";
import { InputError, quote } from "../errors.js";
import { checked, failOn } from "../input.js";
import type { AzureNetworkArgs } from "./args.js";
import { checkArmId, checkGatewaySubnetId } from "./choices.js";
import type { AzureFirewall } from "./firewall.js";
import type { AzureScope } from "./scope.js";
import type { AzureNetwork } from "./virtualNetwork.js";

/** What is read of a virtual network as Azure shows it. */
export type SeenNetwork = Pick<network.GetVirtualNetworkResult, "addressSpace" | "dhcpOptions"> & {
    readonly subnets?: readonly SeenSubnet[];
};

/** What is read of a subnet as Azure shows it. */
export interface SeenSubnet {
    readonly id?: string;
    readonly addressPrefix?: string;
    readonly addressPrefixes?: readonly string[];
    readonly natGateway?: { readonly id?: string };
}

/** The user's network. What Azure says of it gates everything in it, so that preview already refuses a wrong one. */
export function existingNetwork({ parent }: AzureScope, existing: AzureNetworkArgs, firewall: AzureFirewall): AzureNetwork {
    const virtualNetworkId = checked(parent, existing.virtualNetworkId, (id) => {
        checkArmId(id, "Microsoft.Network/virtualNetworks", "network.virtualNetworkId");
        return id;
    });
    const subnetId = checked(parent, existing.subnetId, (id) => {
        checkArmId(id, "Microsoft.Network/virtualNetworks/subnets", "network.subnetId");
        return id;
    });
    const gatewaySubnetId =
        existing.gatewaySubnetId === undefined
            ? pulumi.output(undefined)
            : checked(parent, existing.gatewaySubnetId, checkGatewaySubnetId);
    const resourceGroupName = virtualNetworkId.apply((id) => partsOf(id).resourceGroupName);
    const name = virtualNetworkId.apply((id) => partsOf(id).names[0] ?? "");
    const found = network.getVirtualNetworkOutput({ resourceGroupName, virtualNetworkName: name }, { parent });
    const gated = pulumi
        .all([virtualNetworkId, subnetId, gatewaySubnetId, found])
        .apply(([virtualNetwork, subnet, gatewaySubnet, answer]) =>
            failOn(parent, () => {
                checkVirtualNetwork({ virtualNetwork, subnet, gatewaySubnet }, existing, answer);
                return { virtualNetworkId: virtualNetwork, subnetId: subnet, gatewaySubnetId: gatewaySubnet ?? "" };
            }),
        );
    return {
        virtualNetworkId: gated.virtualNetworkId,
        name,
        resourceGroupName,
        ...(existing.gatewaySubnetId === undefined ? {} : { gatewaySubnetId: gated.gatewaySubnetId }),
        subnetId: gated.subnetId,
        interfaceSecurityGroupId: firewall.id,
        ready: [],
    };
}

function partsOf(id: string) {
    return checkArmId(id, "Microsoft.Network/virtualNetworks", "network.virtualNetworkId");
}

/**
 * Compares a virtual network of the user's with what the arguments say of it.
 *
 * @throws InputError naming the argument
 */
export function checkVirtualNetwork(
    ids: { readonly virtualNetwork: string; readonly subnet: string; readonly gatewaySubnet?: string | undefined },
    { cidr, subnetCidr }: Pick<AzureNetworkArgs, "cidr" | "subnetCidr">,
    answer: SeenNetwork,
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
    checkGatewaySubnet(ids.gatewaySubnet, ids.virtualNetwork, answer);
    if (subnet.natGateway?.id === undefined) {
        throw new InputError(
            "network.subnetId",
            `${quote(ids.subnet)} has no NAT gateway, so that brokers come from no fixed address; attach one and list its addresses in network.egressAddresses`,
        );
    }
}

/** What tier `vpn` needs of a subnet for gateways. */
function checkGatewaySubnet(gatewaySubnet: string | undefined, virtualNetwork: string, { subnets }: SeenNetwork): void {
    if (gatewaySubnet === undefined) {
        return;
    }
    const argument = "network.gatewaySubnetId";
    const found = subnets?.find(({ id }) => id?.toLowerCase() === gatewaySubnet.toLowerCase());
    if (found === undefined) {
        throw new InputError(argument, `${quote(gatewaySubnet)} is no subnet of ${quote(virtualNetwork)}`);
    }
    if (found.natGateway?.id !== undefined) {
        throw new InputError(argument, `${quote(gatewaySubnet)} has a NAT gateway, and Azure makes no gateway there; detach it`);
    }
}
