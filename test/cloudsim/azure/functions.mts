import { textAt } from "../paths.mts";
import { CloudError, type CloudFunction } from "../types.mts";
import { byName } from "./naming.mts";
import { networkOfSubnet } from "./network.mts";
import { types } from "./tokens.mts";

const getVirtualNetwork: CloudFunction = (args, { account }) => {
    const name = textAt(args, "virtualNetworkName");
    const group = textAt(args, "resourceGroupName");
    const found = byName(account, types.virtualNetwork, group, "virtualNetworkName", name);
    if (found === undefined) {
        throw new CloudError(
            "ResourceNotFound",
            `The Resource 'Microsoft.Network/virtualNetworks/${name}' under resource group '${group}' was not found.`,
        );
    }
    const subnets = account
        .list(types.subnet)
        .filter((each) => networkOfSubnet(account, each) === found)
        .map(({ id, inputs }) => ({
            id,
            name: inputs.subnetName,
            addressPrefix: inputs.addressPrefix,
            natGateway: inputs.natGateway,
            networkSecurityGroup: inputs.networkSecurityGroup,
        }));
    return { id: found.id, ...found.inputs, ...found.outputs, subnets };
};

export const functions: Readonly<Record<string, CloudFunction>> = {
    "azure-native:network:getVirtualNetwork": getVirtualNetwork,
};
