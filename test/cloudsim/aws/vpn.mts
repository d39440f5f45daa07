import { addressAt, overlap, range, within } from "../addresses.mts";
import { textAt, textsAt } from "../paths.mts";
import { type AccountView, CloudError, type CloudObject, type Props, type ResourceType, type Scope } from "../types.mts";
import { accountId, arn, freshId, hex, publicAddress, refuse, regional, regionOf } from "./naming.mts";
import { types } from "./tokens.mts";

const incorrectState = (what: string) => (object: CloudObject) => new CloudError("IncorrectState", `${object.id} ${what}`);
/** Attachments of a transit gateway: of a network, or of a VPN connection. */
const attachments = [types.transitAttachment, types.vpnConnection];

const transitGateway: ResourceType = {
    defaults: (scope) => ({
        ...regional(scope),
        amazonSideAsn: 64_512,
        defaultRouteTableAssociation: "enable",
        defaultRouteTablePropagation: "enable",
        vpnEcmpSupport: "enable",
    }),
    replaceOn: ["region"],
    verify: ({ inputs, account, object }) => {
        checkOwnAsn(inputs.amazonSideAsn);
        refuse(
            object !== undefined &&
                object.inputs.amazonSideAsn !== inputs.amazonSideAsn &&
                attachedTo(account, object.id).length > 0,
            "IncorrectState",
            `${object?.id ?? ""} has attachments: its ASN cannot be changed`,
        );
    },
    id: ({ account }) => freshId(account, "tgw"),
    outputs: (scope) => ({ arn: arn("ec2", regionOf(scope), `transit-gateway/${scope.id}`), ownerId: accountId }),
    inUse: incorrectState("has non-deleted attachments or route tables"),
    timing: { create: 120, update: 20, remove: 60 },
};

function checkOwnAsn(value: unknown): void {
    const asn = Number(value);
    refuse(
        !((asn >= 64_512 && asn <= 65_534) || (asn >= 4_200_000_000 && asn <= 4_294_967_294)),
        "InvalidParameterValue",
        `Invalid Amazon side ASN ${String(value)}`,
    );
}

function attachedTo(account: AccountView, gateway: unknown): readonly CloudObject[] {
    return attachments.flatMap((type) => account.list(type)).filter(({ inputs }) => inputs.transitGatewayId === gateway);
}

const transitAttachment: ResourceType = {
    required: ["subnetIds", "transitGatewayId", "vpcId"],
    defaults: (scope) => ({
        ...regional(scope),
        transitGatewayDefaultRouteTableAssociation: true,
        transitGatewayDefaultRouteTablePropagation: true,
    }),
    references: [
        { path: "transitGatewayId", to: types.transitGateway },
        { path: "vpcId", to: types.vpc },
        { path: "subnetIds[]", to: types.subnet },
    ],
    replaceOn: ["transitGatewayId", "vpcId", "region"],
    unique: ({ inputs }) => [`${textAt(inputs, "transitGatewayId")} ${textAt(inputs, "vpcId")}`],
    duplicate: (text) => {
        const [gateway = "", vpc = ""] = text.split(" ");
        return new CloudError("DuplicateTransitGatewayAttachment", `${gateway} has non-deleted VPC attachments with VPC ${vpc}`);
    },
    verify: ({ inputs, account }) => {
        const subnets = textsAt(inputs, "subnetIds[]").map((id) => account.find(types.subnet, id));
        refuse(
            subnets.some((subnet) => subnet?.inputs.vpcId !== inputs.vpcId),
            "InvalidSubnetID.NotFound",
            `the subnets are not all of ${textAt(inputs, "vpcId")}`,
        );
        const zones = subnets.map((subnet) => textAt(subnet?.inputs, "availabilityZone"));
        refuse(new Set(zones).size !== zones.length, "DuplicateSubnetsInSameZone", `Duplicate Subnets for same AZ`);
    },
    id: ({ account }) => freshId(account, "tgw-attach"),
    outputs: () => ({ vpcOwnerId: accountId }),
    inUse: incorrectState("is associated with a route table"),
    timing: { create: 60, update: 20, remove: 40 },
};

const transitTable: ResourceType = {
    required: ["transitGatewayId"],
    defaults: regional,
    references: [{ path: "transitGatewayId", to: types.transitGateway }],
    replaceOn: ["transitGatewayId", "region"],
    id: ({ account }) => freshId(account, "tgw-rtb"),
    outputs: () => ({ defaultAssociationRouteTable: false, defaultPropagationRouteTable: false }),
    inUse: incorrectState("has associated attachments"),
    timing: { create: 20, remove: 10 },
};

/** An attachment under a table, or its routes in one. */
function joined(alone: boolean): ResourceType {
    return {
        required: ["transitGatewayAttachmentId", "transitGatewayRouteTableId"],
        defaults: regional,
        references: [
            { path: "transitGatewayAttachmentId", to: attachments },
            { path: "transitGatewayRouteTableId", to: types.transitTable },
        ],
        replaceOn: ["transitGatewayAttachmentId", "transitGatewayRouteTableId", "region"],
        unique: ({ inputs }) => [
            `${textAt(inputs, "transitGatewayAttachmentId")} ${alone ? "" : textAt(inputs, "transitGatewayRouteTableId")}`,
        ],
        duplicate: (text) =>
            alone
                ? new CloudError(
                      "Resource.AlreadyAssociated",
                      `Transit Gateway Attachment ${text.trim()} is already associated to a route table.`,
                  )
                : new CloudError(
                      "TransitGatewayRouteTablePropagation.Duplicate",
                      `Propagation ${text} already exists in Transit Gateway Route Table`,
                  ),
        verify: ({ inputs, account }) => {
            const attachment = account.find(attachments, inputs.transitGatewayAttachmentId);
            const table = account.find(types.transitTable, inputs.transitGatewayRouteTableId);
            const gateway = account.find(types.transitGateway, attachment?.inputs.transitGatewayId);
            refuse(
                gateway?.id !== table?.inputs.transitGatewayId,
                "InvalidRouteTableID.NotFound",
                `${textAt(inputs, "transitGatewayRouteTableId")} is no table of the attachment's gateway`,
            );
            // Networks can be kept out of the default table one by one, VPN connections cannot.
            const byDefault =
                gateway?.inputs.defaultRouteTableAssociation === "enable" &&
                attachment?.inputs.transitGatewayDefaultRouteTableAssociation !== false;
            refuse(
                alone && byDefault && inputs.replaceExistingAssociation !== true,
                "Resource.AlreadyAssociated",
                `Transit Gateway Attachment ${textAt(inputs, "transitGatewayAttachmentId")} is already associated to a route table.`,
            );
        },
        id: ({ inputs }) => `${textAt(inputs, "transitGatewayRouteTableId")}_${textAt(inputs, "transitGatewayAttachmentId")}`,
        timing: { create: 30, remove: 20 },
    };
}

const vpnGateway: ResourceType = {
    defaults: (scope) => ({ ...regional(scope), amazonSideAsn: "64512" }),
    references: [{ path: "vpcId", to: types.vpc }],
    replaceOn: ["amazonSideAsn", "availabilityZone", "region"],
    unique: ({ inputs }) => [inputs.vpcId === undefined ? undefined : textAt(inputs, "vpcId")],
    duplicate: (vpc) => new CloudError("VpnGatewayLimitExceeded", `${vpc} already has a virtual private gateway attached`),
    verify: ({ inputs }) => checkOwnAsn(inputs.amazonSideAsn),
    id: ({ account }) => freshId(account, "vgw"),
    outputs: (scope) => ({ arn: arn("ec2", regionOf(scope), `vpn-gateway/${scope.id}`) }),
    inUse: incorrectState("is in use by a VPN connection"),
    timing: { create: 80, remove: 60 },
};

const propagation: ResourceType = {
    required: ["vpnGatewayId", "routeTableId"],
    defaults: regional,
    references: [
        { path: "vpnGatewayId", to: types.vpnGateway, holds: false },
        { path: "routeTableId", to: types.routeTable, holds: false },
    ],
    replaceOn: ["vpnGatewayId", "routeTableId", "region"],
    verify: ({ inputs, account }) =>
        refuse(
            account.find(types.vpnGateway, inputs.vpnGatewayId)?.inputs.vpcId !==
                account.find(types.routeTable, inputs.routeTableId)?.inputs.vpcId,
            "Gateway.NotAttached",
            `resource ${textAt(inputs, "vpnGatewayId")} is not attached to the network of ${textAt(inputs, "routeTableId")}`,
        ),
    id: ({ inputs }) => `${textAt(inputs, "vpnGatewayId")}_${textAt(inputs, "routeTableId")}`,
    timing: { create: 15, remove: 10 },
};

const customerGateway: ResourceType = {
    required: ["type"],
    defaults: regional,
    replaceOn: ["bgpAsn", "bgpAsnExtended", "certificateArn", "deviceName", "ipAddress", "type", "region"],
    // AWS does not make a second one for the same device: it answers with the first.
    existing: (scope) =>
        scope.account
            .list(types.customerGateway)
            .find(({ inputs }) =>
                ["type", "ipAddress", "bgpAsn", "bgpAsnExtended", "deviceName", "region"].every(
                    (key) => inputs[key] === scope.inputs[key],
                ),
            ),
    verify: ({ inputs }) => {
        const asn = Number(inputs.bgpAsn ?? inputs.bgpAsnExtended);
        refuse(
            inputs.bgpAsn !== undefined && !(asn >= 1 && asn <= 2_147_483_647),
            "InvalidParameterValue",
            `Value (${String(inputs.bgpAsn)}) for parameter BgpAsn is invalid`,
        );
        refuse([7_224, 9_059].includes(asn), "InvalidParameterValue", `ASN ${asn} is reserved`);
        refuse(
            range(inputs.ipAddress) === undefined || isPrivate(inputs.ipAddress),
            "InvalidParameterValue",
            `Value (${String(inputs.ipAddress)}) for parameter ipAddress is invalid. Invalid IP address.`,
        );
    },
    id: ({ account }) => freshId(account, "cgw"),
    outputs: (scope) => ({ arn: arn("ec2", regionOf(scope), `customer-gateway/${scope.id}`) }),
    inUse: incorrectState("is in use by a VPN connection"),
    timing: { create: 20, remove: 15 },
};

function isPrivate(address: unknown): boolean {
    return ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].some((cidr) => within(address, cidr));
}

/** Ranges inside tunnels that AWS keeps for itself. */
const reservedInside = [...[0, 1, 2, 3, 4, 5].map((third) => `169.254.${third}.0/30`), "169.254.169.252/30"];
const tunnelNumbers = ["1", "2"] as const;
/** What AWS takes for a role of IKE or ESP. */
const algorithms = {
    Encryption: ["AES128", "AES256", "AES128-GCM-16", "AES256-GCM-16"],
    Integrity: ["SHA1", "SHA2-256", "SHA2-384", "SHA2-512"],
} as const;
const groups = { "1": [2, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24], "2": [2, 5, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24] };

const vpnConnection: ResourceType = {
    required: ["customerGatewayId", "type"],
    defaults: regional,
    references: [
        { path: "customerGatewayId", to: types.customerGateway },
        { path: "transitGatewayId", to: types.transitGateway },
        { path: "vpnGatewayId", to: types.vpnGateway },
    ],
    replaceOn: [
        "enableAcceleration",
        "presharedKeyStorage",
        "region",
        "staticRoutesOnly",
        "tunnel1InsideCidr",
        "tunnel2InsideCidr",
        "tunnelInsideIpVersion",
        "type",
    ],
    verify: (scope) => {
        const { inputs, account, object } = scope;
        refuse(
            [inputs.transitGatewayId, inputs.vpnGatewayId].filter((id) => id !== undefined).length !== 1,
            "MissingParameter",
            "exactly one of transitGatewayId, vpnGatewayId must be specified",
        );
        const others = account.list(types.vpnConnection).filter(({ serial }) => serial !== object?.serial);
        checkQuotas(scope, others);
        const ofGateway = others.filter(
            (each) =>
                each.inputs.transitGatewayId === inputs.transitGatewayId && each.inputs.vpnGatewayId === inputs.vpnGatewayId,
        );
        const gateway = account.find([types.transitGateway, types.vpnGateway], inputs.transitGatewayId ?? inputs.vpnGatewayId);
        const customer = account.find(types.customerGateway, inputs.customerGatewayId);
        refuse(
            String(gateway?.inputs.amazonSideAsn) === String(customer?.inputs.bgpAsn ?? customer?.inputs.bgpAsnExtended),
            "InvalidParameterValue",
            "The customer gateway has the same BGP ASN as the Amazon side",
        );
        const taken = ofGateway.flatMap((each) => tunnelNumbers.map((number) => each.inputs[`tunnel${number}InsideCidr`]));
        for (const number of tunnelNumbers) {
            checkInside(inputs[`tunnel${number}InsideCidr`], taken);
            taken.push(inputs[`tunnel${number}InsideCidr`]);
            checkKey(inputs[`tunnel${number}PresharedKey`]);
            checkProposal(inputs, `tunnel${number}`);
        }
    },
    id: ({ account }) => freshId(account, "vpn"),
    outputs: (scope) => ({ arn: arn("ec2", regionOf(scope), `vpn-connection/${scope.id}`), ...tunnelOutputs(scope) }),
    handles: ({ id, outputs }) => [id, textAt(outputs, "transitGatewayAttachmentId") || undefined],
    inUse: incorrectState("is associated with a route table"),
    timing: { create: 200, update: 100, remove: 60 },
};

function checkQuotas({ inputs, account, object }: Scope, others: readonly CloudObject[]): void {
    const inRegion = others.filter((each) => each.inputs.region === inputs.region).length;
    refuse(
        object === undefined && inRegion >= account.setting("aws/vpnConnections", 50),
        "VpnConnectionLimitExceeded",
        "The maximum number of VPN connections has been reached.",
    );
    const ofGateway = others.filter((each) => each.inputs.vpnGatewayId === inputs.vpnGatewayId).length;
    refuse(
        inputs.vpnGatewayId !== undefined && ofGateway >= account.setting("aws/vpnConnectionsPerGateway", 10),
        "VpnConnectionLimitExceeded",
        `The maximum number of VPN connections of ${textAt(inputs, "vpnGatewayId")} has been reached.`,
    );
}

function checkInside(cidr: unknown, taken: readonly unknown[]): void {
    refuse(
        range(cidr)?.prefix !== 30 || !within(cidr, "169.254.0.0/16") || reservedInside.some((one) => overlap(one, cidr)),
        "InvalidParameterValue",
        `Value (${String(cidr)}) for parameter TunnelInsideCidr is invalid`,
    );
    refuse(
        taken.some((one) => one !== undefined && overlap(one, cidr)),
        "InvalidParameterValue",
        `The tunnel inside CIDR ${String(cidr)} is in use by another tunnel of the gateway`,
    );
}

function checkKey(key: unknown): void {
    refuse(
        typeof key !== "string" || !/^(?!0)[A-Za-z0-9._]{8,64}$/.test(key),
        "InvalidParameterValue",
        "Invalid preshared key: 8 to 64 letters, digits, periods and underscores, not beginning with 0",
    );
}

function checkProposal(inputs: Props, tunnel: string): void {
    for (const phase of ["1", "2"] as const) {
        for (const [role, known] of Object.entries(algorithms)) {
            const wrong = textsAt(inputs, `${tunnel}Phase${phase}${role}Algorithms[]`).find(
                (one) => !known.some((k) => k === one),
            );
            refuse(wrong !== undefined, "InvalidParameterValue", `${String(wrong)} is no ${role} algorithm`);
        }
        const wanted = inputs[`${tunnel}Phase${phase}DhGroupNumbers`];
        const group = Array.isArray(wanted) ? wanted.find((one) => !groups[phase].includes(Number(one))) : undefined;
        refuse(group !== undefined, "InvalidParameterValue", `${String(group)} is no Diffie-Hellman group`);
    }
    const start = inputs[`${tunnel}StartupAction`];
    refuse(start !== undefined && start !== "add" && start !== "start", "InvalidParameterValue", `${String(start)} is no action`);
}

/** Addresses come with the connection and stay; with two equal keys nobody can tell which tunnel is which, and they come the wrong way round. */
function tunnelOutputs({ inputs, account, object, id }: Scope & { readonly id: string }): Props {
    const gateway = account.find([types.transitGateway, types.vpnGateway], inputs.transitGatewayId ?? inputs.vpnGatewayId);
    const kept = tunnelNumbers.map((number) => object?.outputs[`tunnel${number}Address`]);
    const fresh = kept[0] === undefined ? tunnelNumbers.map(() => publicAddress(account)) : kept;
    const addresses =
        kept[0] === undefined && inputs.tunnel1PresharedKey === inputs.tunnel2PresharedKey ? [...fresh].reverse() : fresh;
    return {
        ...(inputs.transitGatewayId === undefined
            ? {}
            : { transitGatewayAttachmentId: object?.outputs.transitGatewayAttachmentId ?? freshId(account, "tgw-attach") }),
        customerGatewayConfiguration: `<vpn_connection id="${id}">${hex(id, 16)}</vpn_connection>`,
        ...Object.fromEntries(
            tunnelNumbers.flatMap((number, index) => [
                [`tunnel${number}Address`, addresses[index]],
                [`tunnel${number}VgwInsideAddress`, addressAt(inputs[`tunnel${number}InsideCidr`], 1)],
                [`tunnel${number}CgwInsideAddress`, addressAt(inputs[`tunnel${number}InsideCidr`], 2)],
                [`tunnel${number}BgpAsn`, String(gateway?.inputs.amazonSideAsn)],
            ]),
        ),
    };
}

/** Refuses a route that would lead nowhere: to a gateway that is not attached to the table's network, or to a peering that nobody accepted. */
export function checkRouteTarget(account: AccountView, inputs: Props, vpcId: unknown): void {
    const gateway = inputs.transitGatewayId;
    refuse(
        gateway !== undefined &&
            account
                .list(types.transitAttachment)
                .every((each) => each.inputs.transitGatewayId !== gateway || each.inputs.vpcId !== vpcId),
        "InvalidTransitGatewayID.NotFound",
        `The transitGateway ID '${String(gateway)}' does not exist.`,
    );
    const peer = inputs.vpcPeeringConnectionId;
    refuse(
        peer !== undefined && account.find(types.accepter, peer)?.inputs.autoAccept !== true,
        "InvalidVpcPeeringConnectionID.NotFound",
        `The vpcPeeringConnection ID '${String(peer)}' is not active`,
    );
}

export const vpnTypes: Readonly<Record<string, ResourceType>> = {
    [types.transitGateway]: transitGateway,
    [types.transitAttachment]: transitAttachment,
    [types.transitTable]: transitTable,
    [types.transitAssociation]: joined(true),
    [types.transitPropagation]: joined(false),
    [types.vpnGateway]: vpnGateway,
    [types.vpnPropagation]: propagation,
    [types.customerGateway]: customerGateway,
    [types.vpnConnection]: vpnConnection,
};
