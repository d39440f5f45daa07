import { addressAt, overlap, range, within } from "../addresses.mts";
import { textAt } from "../paths.mts";
import { type AccountView, CloudError, type CloudObject, type ResourceType } from "../types.mts";
import { accountId, arn, freshId, publicAddress, refuse, regional, regionOf } from "./naming.mts";
import { types } from "./tokens.mts";
import { checkRouteTarget } from "./vpn.mts";

const dependencyViolation = (kind: string) => (object: CloudObject) =>
    new CloudError("DependencyViolation", `The ${kind} '${object.id}' has dependencies and cannot be deleted.`);

const vpc: ResourceType = {
    defaults: (scope) => ({ ...regional(scope), enableDnsSupport: true, instanceTenancy: "default" }),
    replaceOn: ["cidrBlock", "region", "ipv4IpamPoolId", "ipv4NetmaskLength"],
    verify: ({ inputs, account, object }) => {
        const cidr = range(inputs.cidrBlock);
        refuse(
            cidr === undefined || cidr.prefix < 16 || cidr.prefix > 28,
            "InvalidVpc.Range",
            `The CIDR '${String(inputs.cidrBlock)}' is invalid.`,
        );
        refuse(
            object === undefined && account.list(types.vpc).length >= account.setting("aws/vpcs", 50),
            "VpcLimitExceeded",
            "The maximum number of VPCs has been reached.",
        );
    },
    id: ({ account }) => freshId(account, "vpc"),
    outputs: (scope) => {
        const { id, object, account } = scope;
        if (object !== undefined) {
            return {};
        }
        return {
            arn: arn("ec2", regionOf(scope), `vpc/${id}`),
            ownerId: accountId,
            mainRouteTableId: freshId(account, "rtb"),
            defaultRouteTableId: freshId(account, "rtb"),
            defaultNetworkAclId: freshId(account, "acl"),
            defaultSecurityGroupId: freshId(account, "sg"),
        };
    },
    parts: (object) => [
        {
            type: types.securityGroup,
            id: textAt(object.outputs, "defaultSecurityGroupId"),
            inputs: {
                vpcId: object.id,
                name: "default",
                description: "default VPC security group",
                region: object.inputs.region,
            },
            outputs: {},
        },
    ],
    inUse: dependencyViolation("vpc"),
    timing: { create: 20, remove: 10 },
};

const subnet: ResourceType = {
    required: ["vpcId"],
    defaults: (scope) => ({ ...regional(scope), mapPublicIpOnLaunch: false }),
    references: [{ path: "vpcId", to: types.vpc }],
    replaceOn: ["vpcId", "cidrBlock", "availabilityZone", "region"],
    verify: ({ inputs, account, object }) => {
        const owner = account.find(types.vpc, inputs.vpcId);
        const cidr = range(inputs.cidrBlock);
        refuse(
            cidr === undefined || cidr.prefix > 28 || !within(inputs.cidrBlock, owner?.inputs.cidrBlock),
            "InvalidSubnet.Range",
            `The CIDR '${String(inputs.cidrBlock)}' is invalid.`,
        );
        const other = account
            .list(types.subnet)
            .find(
                (each) =>
                    each.serial !== object?.serial &&
                    each.inputs.vpcId === inputs.vpcId &&
                    overlap(each.inputs.cidrBlock, inputs.cidrBlock),
            );
        refuse(
            other !== undefined,
            "InvalidSubnet.Conflict",
            `The CIDR '${String(inputs.cidrBlock)}' conflicts with another subnet`,
        );
        const zone = textAt(inputs, "availabilityZone");
        refuse(
            zone !== "" && !zone.startsWith(textAt(owner?.inputs, "region")),
            "InvalidParameterValue",
            `Value (${zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: ${["a", "b", "c"].map((letter) => `${textAt(owner?.inputs, "region")}${letter}`).join(", ")}.`,
        );
    },
    id: ({ account }) => freshId(account, "subnet"),
    outputs: (scope) => ({
        arn: arn("ec2", regionOf(scope), `subnet/${scope.id}`),
        ownerId: accountId,
        ...(scope.inputs.availabilityZone === undefined ? { availabilityZone: `${regionOf(scope)}a` } : {}),
    }),
    inUse: dependencyViolation("subnet"),
    timing: { create: 20, remove: 10 },
};

/** Whether something in a network has a public address now. */
function mappedAddress(account: AccountView, vpcId: unknown): boolean {
    const subnets = account.list(types.subnet).filter(({ inputs }) => inputs.vpcId === vpcId);
    const inside = (id: unknown) => subnets.some((each) => each.id === id);
    return (
        account.list(types.natGateway).some(({ inputs }) => inside(inputs.subnetId) || inputs.vpcId === vpcId) ||
        account
            .list(types.loadBalancer)
            .some(
                ({ inputs }) =>
                    inputs.internal !== true && [inputs.subnetMappings, inputs.subnets].some((list) => holds(list, inside)),
            ) ||
        account.list(types.instance).some(({ inputs }) => inside(inputs.subnetId) && inputs.associatePublicIpAddress === true)
    );
}

function holds(list: unknown, inside: (id: unknown) => boolean): boolean {
    return Array.isArray(list) && list.some((entry) => inside(typeof entry === "string" ? entry : textAt(entry, "subnetId")));
}

const internetGateway: ResourceType = {
    defaults: regional,
    references: [{ path: "vpcId", to: types.vpc }],
    replaceOn: ["region"],
    verify: ({ inputs, account, object }) => {
        refuse(
            inputs.vpcId !== undefined &&
                account
                    .list(types.internetGateway)
                    .some((each) => each.serial !== object?.serial && each.inputs.vpcId === inputs.vpcId),
            "InvalidParameterValue",
            `Network ${String(inputs.vpcId)} already has an internet gateway attached`,
        );
    },
    id: ({ account }) => freshId(account, "igw"),
    outputs: (scope) => ({ arn: arn("ec2", regionOf(scope), `internet-gateway/${scope.id}`), ownerId: accountId }),
    guard: (object, account) => {
        const vpcId = object.inputs.vpcId;
        refuse(
            vpcId !== undefined && mappedAddress(account, vpcId),
            "DependencyViolation",
            `Network ${String(vpcId)} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`,
        );
    },
    inUse: dependencyViolation("internetGateway"),
    timing: { create: 20, remove: 20 },
};

const routeTable: ResourceType = {
    required: ["vpcId"],
    defaults: regional,
    references: [
        { path: "vpcId", to: types.vpc },
        { path: "routes[].gatewayId", to: types.internetGateway, holds: false },
        { path: "routes[].natGatewayId", to: types.natGateway, holds: false },
    ],
    replaceOn: ["vpcId", "region"],
    id: ({ account }) => freshId(account, "rtb"),
    outputs: (scope) => ({ arn: arn("ec2", regionOf(scope), `route-table/${scope.id}`), ownerId: accountId }),
    inUse: dependencyViolation("routeTable"),
    timing: { create: 10, remove: 5 },
};

const targets = [
    "gatewayId",
    "natGatewayId",
    "transitGatewayId",
    "vpcPeeringConnectionId",
    "networkInterfaceId",
    "vpcEndpointId",
];

const route: ResourceType = {
    required: ["routeTableId"],
    defaults: regional,
    references: [
        { path: "routeTableId", to: types.routeTable, holds: false },
        { path: "gatewayId", to: types.internetGateway, holds: false },
        { path: "natGatewayId", to: types.natGateway, holds: false },
        { path: "transitGatewayId", to: types.transitGateway, holds: false },
        { path: "vpcPeeringConnectionId", to: types.peering, holds: false },
    ],
    replaceOn: ["routeTableId", "destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId", "region"],
    verify: ({ inputs, account, object }) => {
        refuse(
            targets.filter((target) => inputs[target] !== undefined).length !== 1,
            "InvalidParameterCombination",
            "The request must contain exactly one target of a route",
        );
        const table = account.find(types.routeTable, inputs.routeTableId);
        const network = account.find(types.vpc, table?.inputs.vpcId);
        checkRouteTarget(account, inputs, table?.inputs.vpcId);
        refuse(
            inputs.destinationCidrBlock === network?.inputs.cidrBlock ||
                account
                    .list(types.route)
                    .some(
                        (each) =>
                            each.serial !== object?.serial &&
                            each.inputs.routeTableId === inputs.routeTableId &&
                            each.inputs.destinationCidrBlock === inputs.destinationCidrBlock,
                    ),
            "RouteAlreadyExists",
            `The route identified by ${String(inputs.destinationCidrBlock)} already exists.`,
        );
        const gateway = account.find(types.internetGateway, inputs.gatewayId);
        refuse(
            gateway !== undefined && gateway.inputs.vpcId !== table?.inputs.vpcId,
            "InvalidParameterValue",
            `route table ${String(inputs.routeTableId)} and network gateway ${gateway?.id ?? ""} belong to different networks`,
        );
    },
    id: ({ inputs, account }) => `r-${String(inputs.routeTableId)}${account.next("route")}`,
    outputs: () => ({ state: "active", origin: "CreateRoute" }),
    timing: { create: 10, remove: 5 },
};

const routeTableAssociation: ResourceType = {
    required: ["routeTableId"],
    defaults: regional,
    references: [
        { path: "routeTableId", to: types.routeTable },
        { path: "subnetId", to: types.subnet, holds: false },
    ],
    replaceOn: ["subnetId", "gatewayId", "region"],
    verify: ({ inputs, account, object }) => {
        refuse(
            inputs.subnetId !== undefined &&
                account
                    .list(types.routeTableAssociation)
                    .some((each) => each.serial !== object?.serial && each.inputs.subnetId === inputs.subnetId),
            "Resource.AlreadyAssociated",
            `the specified association for route table ${String(inputs.routeTableId)} conflicts with an existing association`,
        );
        const subnetOf = account.find(types.subnet, inputs.subnetId);
        const table = account.find(types.routeTable, inputs.routeTableId);
        refuse(
            subnetOf !== undefined && subnetOf.inputs.vpcId !== table?.inputs.vpcId,
            "InvalidParameterValue",
            `route table ${String(inputs.routeTableId)} and subnet ${subnetOf?.id ?? ""} belong to different networks`,
        );
    },
    id: ({ account }) => freshId(account, "rtbassoc"),
    timing: { create: 10, remove: 5 },
};

const eip: ResourceType = {
    defaults: regional,
    references: [{ path: "instance", to: types.instance }],
    replaceOn: ["region", "domain", "networkBorderGroup", "publicIpv4Pool", "address"],
    verify: (scope) => {
        const { account, object } = scope;
        const region = regionOf(scope);
        const taken = account.list(types.eip).filter(({ inputs }) => inputs.region === region).length;
        refuse(
            object === undefined && taken >= account.setting("aws/eips", 5),
            "AddressLimitExceeded",
            "The maximum number of addresses has been reached.",
        );
    },
    id: ({ account }) => freshId(account, "eipalloc"),
    outputs: (scope) => {
        if (scope.object !== undefined) {
            return {};
        }
        const address = publicAddress(scope.account);
        return {
            allocationId: scope.id,
            arn: arn("ec2", regionOf(scope), `elastic-ip/${scope.id}`),
            publicIp: address,
            publicDns: `ec2-${address.replaceAll(".", "-")}.${regionOf(scope)}.compute.amazonaws.com`,
        };
    },
    inUse: (object, by) =>
        by.type === types.natGateway || by.type === types.loadBalancer
            ? new CloudError("AuthFailure", `You do not have permission to access the specified resource.`)
            : new CloudError("InvalidIPAddress.InUse", `Address ${textAt(object.outputs, "publicIp")} is in use`),
    timing: { create: 15, remove: 10 },
};

const natGateway: ResourceType = {
    defaults: (scope) => ({ ...regional(scope), connectivityType: "public" }),
    references: [
        { path: "allocationId", to: types.eip },
        { path: "secondaryAllocationIds[]", to: types.eip },
        { path: "availabilityZoneAddresses[].allocationIds[]", to: types.eip },
        { path: "subnetId", to: types.subnet },
        { path: "vpcId", to: types.vpc },
    ],
    replaceOn: ["allocationId", "connectivityType", "privateIp", "subnetId", "availabilityMode", "vpcId", "region"],
    verify: ({ inputs, account, object }) => {
        const place = account.find(types.subnet, inputs.subnetId);
        const vpcId = place?.inputs.vpcId ?? inputs.vpcId;
        refuse(vpcId === undefined, "MissingParameter", "The request must contain the parameter SubnetId");
        refuse(
            inputs.connectivityType === "public" && inputs.availabilityMode !== "regional" && inputs.allocationId === undefined,
            "MissingParameter",
            "The request must contain the parameter AllocationId",
        );
        refuse(
            account.list(types.internetGateway).every((each) => each.inputs.vpcId !== vpcId),
            "Gateway.NotAttached",
            `Network ${String(vpcId)} has no Internet gateway attached`,
        );
        refuse(
            isAddressInUse(account, inputs.allocationId, object),
            "Resource.AlreadyAssociated",
            `Elastic IP address [${String(inputs.allocationId)}] is already associated`,
        );
    },
    id: ({ account }) => freshId(account, "nat"),
    outputs: ({ inputs, account }) => {
        const place = account.find(types.subnet, inputs.subnetId);
        return {
            publicIp: textAt(account.find(types.eip, inputs.allocationId)?.outputs, "publicIp"),
            networkInterfaceId: freshId(account, "eni"),
            associationId: freshId(account, "eipassoc"),
            ...(inputs.privateIp === undefined ? { privateIp: addressAt(place?.inputs.cidrBlock, 200) } : {}),
        };
    },
    timing: { create: 150, remove: 80 },
};

/** Whether an Elastic IP already serves something else. */
export function isAddressInUse(account: AccountView, allocationId: unknown, except: CloudObject | undefined): boolean {
    const others = (type: string) => account.list(type).filter(({ serial }) => serial !== except?.serial);
    return (
        allocationId !== undefined &&
        (others(types.natGateway).some(({ inputs }) => inputs.allocationId === allocationId) ||
            others(types.loadBalancer).some(
                ({ inputs }) =>
                    Array.isArray(inputs.subnetMappings) &&
                    inputs.subnetMappings.some((mapping) => textAt(mapping, "allocationId") === allocationId),
            ))
    );
}

export const networkTypes: Readonly<Record<string, ResourceType>> = {
    [types.vpc]: vpc,
    [types.subnet]: subnet,
    [types.internetGateway]: internetGateway,
    [types.routeTable]: routeTable,
    [types.route]: route,
    [types.routeTableAssociation]: routeTableAssociation,
    [types.eip]: eip,
    [types.natGateway]: natGateway,
};
