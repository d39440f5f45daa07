import { type Cloud, CloudError, type CloudObject } from "../types.mts";
import { balancingTypes } from "./balancing.mts";
import { computeTypes } from "./compute.mts";
import { lookup, route } from "./doors.mts";
import { firewallTypes } from "./firewall.mts";
import { functions } from "./functions.mts";
import { identityTypes } from "./identity.mts";
import { machines } from "./machines.mts";
import { networkTypes } from "./network.mts";
import { peeringTypes } from "./peering.mts";
import { networks } from "./tunnels.mts";
import { vpnTypes } from "./vpn.mts";

/** What EC2 calls the objects of a type in its errors: `vpc` of `aws:ec2/vpc:Vpc`. */
function kindOf(type: string): string {
    return type.split("/").at(-1)?.split(":")[0] ?? type;
}

const notFoundCodes: Readonly<Record<string, string>> = {
    vpc: "InvalidVpcID.NotFound",
    subnet: "InvalidSubnetID.NotFound",
    securityGroup: "InvalidGroup.NotFound",
    eip: "InvalidAllocationID.NotFound",
    natGateway: "NatGatewayNotFound",
    routeTable: "InvalidRouteTableID.NotFound",
    internetGateway: "InvalidInternetGatewayID.NotFound",
    instance: "InvalidInstanceID.NotFound",
    volume: "InvalidVolume.NotFound",
    networkInterface: "InvalidNetworkInterfaceID.NotFound",
    targetGroup: "TargetGroupNotFound",
    loadBalancer: "LoadBalancerNotFound",
    role: "NoSuchEntity",
    zone: "NoSuchHostedZone",
    transitGateway: "InvalidTransitGatewayID.NotFound",
    customerGateway: "InvalidCustomerGatewayID.NotFound",
    vpnGateway: "InvalidVpnGatewayID.NotFound",
    vpcPeeringConnection: "InvalidVpcPeeringConnectionID.NotFound",
};

const verbs = { create: "creating", read: "reading", update: "updating", delete: "deleting" } as const;

/** Amazon Web Services. */
export const aws: Cloud = {
    name: "aws",
    version: "7.48.0",
    types: {
        ...networkTypes,
        ...firewallTypes,
        ...identityTypes,
        ...computeTypes,
        ...balancingTypes,
        ...vpnTypes,
        ...peeringTypes,
    },
    functions,
    say: ({ code, message }, operation, type) =>
        `${verbs[operation]} ${type.split(":").at(-1)}: operation error, https response error StatusCode: 400, api error ${code}: ${message}`,
    missing: (type, handle) => {
        const kind = kindOf(type);
        return new CloudError(notFoundCodes[kind] ?? "ResourceNotFoundException", `The ${kind} ID '${handle}' does not exist`);
    },
    inUse: (object: CloudObject, by: CloudObject) =>
        new CloudError("ResourceInUse", `The ${kindOf(object.type)} '${object.id}' is in use by ${kindOf(by.type)} '${by.id}'`),
    duplicate: (type, text) => new CloudError("AlreadyExists", `The ${kindOf(type)} '${text}' already exists`),
    machines,
    lookup,
    route,
    networks,
};
