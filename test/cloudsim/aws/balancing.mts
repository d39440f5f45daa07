import { within } from "../addresses.mts";
import { itemsAt, same, textAt, textsAt } from "../paths.mts";
import { type AccountView, CloudError, type CloudObject, type Props, type ResourceType } from "../types.mts";
import { arn, hex, refuse, regional, regionOf } from "./naming.mts";
import { isAddressInUse } from "./network.mts";
import { types } from "./tokens.mts";

/** Ids of the subnets that a load balancer is in. */
export function subnetsOf(inputs: Props): readonly string[] {
    return [...textsAt(inputs, "subnetMappings[].subnetId"), ...textsAt(inputs, "subnets[]")];
}

const loadBalancer: ResourceType = {
    autoName: { max: 32 },
    defaults: (scope) => ({ ...regional(scope), loadBalancerType: "application", internal: false }),
    references: [
        { path: "securityGroups[]", to: types.securityGroup },
        { path: "subnetMappings[].subnetId", to: types.subnet },
        { path: "subnetMappings[].allocationId", to: types.eip },
        { path: "subnets[]", to: types.subnet },
    ],
    replaceOn: (olds, news) => {
        const groups = [olds, news].map((props) => textsAt(props, "securityGroups[]").length > 0);
        const kept = itemsAt(news, "subnetMappings");
        const lost = itemsAt(olds, "subnetMappings").some((mapping) => !kept.some((other) => same(mapping, other)));
        return [
            ...["name", "namePrefix", "internal", "loadBalancerType", "region"].filter((key) => olds[key] !== news[key]),
            // They can be exchanged, but neither added to a network load balancer that has none, nor all taken away.
            ...(groups[0] !== groups[1] ? ["securityGroups"] : []),
            ...(lost ? ["subnetMappings"] : []),
        ];
    },
    unique: (scope) => [`${regionOf(scope)} ${textAt(scope.inputs, "name")}`],
    duplicate: () =>
        new CloudError(
            "DuplicateLoadBalancerName",
            "A load balancer with the same name already exists, but with different settings",
        ),
    verify: ({ inputs, account, object }) => {
        const subnets = subnetsOf(inputs).map((id) => account.find(types.subnet, id));
        const zones = subnets.map(
            (subnet) => textAt(subnet?.inputs, "availabilityZone") || textAt(subnet?.outputs, "availabilityZone"),
        );
        refuse(subnets.length === 0, "ValidationError", "At least one subnet must be specified");
        refuse(
            new Set(zones).size !== zones.length,
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        );
        refuse(
            inputs.internal !== true &&
                !account.list(types.internetGateway).some((each) => each.inputs.vpcId === subnets[0]?.inputs.vpcId),
            "InvalidSubnet",
            `VPC ${String(subnets[0]?.inputs.vpcId)} has no internet gateway`,
        );
        for (const { subnetId, privateIpv4Address } of itemsAt(inputs, "subnetMappings")) {
            refuse(
                privateIpv4Address !== undefined &&
                    (inputs.internal !== true ||
                        !within(privateIpv4Address, account.find(types.subnet, subnetId)?.inputs.cidrBlock)),
                "ValidationError",
                `The private IPv4 address ${String(privateIpv4Address)} is not in the subnet of an internal load balancer`,
            );
            refuse(
                privateIpv4Address !== undefined && isPrivateAddressInUse(account, subnetId, privateIpv4Address, object),
                "ResourceInUse",
                `The private IPv4 address ${String(privateIpv4Address)} is in use`,
            );
        }
        for (const allocation of textsAt(inputs, "subnetMappings[].allocationId")) {
            refuse(isAddressInUse(account, allocation, object), "ResourceInUse", `The allocation IDs are not available for use`);
        }
        refuse(
            !/^(?!internal-)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$/.test(textAt(inputs, "name")),
            "ValidationError",
            `The load balancer name '${textAt(inputs, "name")}' cannot be longer than '32' characters`,
        );
    },
    id: (scope) => {
        const kind = scope.inputs.loadBalancerType === "network" ? "net" : "app";
        const tail = hex(`lb${scope.account.next("lb")}`, 16);
        return arn("elasticloadbalancing", regionOf(scope), `loadbalancer/${kind}/${textAt(scope.inputs, "name")}/${tail}`);
    },
    outputs: (scope) => ({
        arn: scope.id,
        arnSuffix: scope.id.split(":loadbalancer/")[1] ?? "",
        dnsName: `${textAt(scope.inputs, "name")}-${scope.id.split("/").at(-1) ?? ""}.elb.${regionOf(scope)}.amazonaws.com`,
        zoneId: "Z3F0SRJ5LGBH90",
        vpcId: textAt(scope.account.find(types.subnet, subnetsOf(scope.inputs)[0])?.inputs, "vpcId"),
    }),
    guard: ({ inputs }) =>
        refuse(
            inputs.enableDeletionProtection === true,
            "OperationNotPermitted",
            "Load balancer cannot be deleted because deletion protection is enabled",
        ),
    timing: { create: 150, update: 40, remove: 60 },
};

/** Whether a load balancer or a network interface has an address of a subnet. */
function isPrivateAddressInUse(
    account: AccountView,
    subnetId: unknown,
    address: unknown,
    except: CloudObject | undefined,
): boolean {
    return (
        account
            .list(types.loadBalancer)
            .filter(({ serial }) => serial !== except?.serial)
            .some(({ inputs }) =>
                itemsAt(inputs, "subnetMappings").some(
                    (each) => each.subnetId === subnetId && each.privateIpv4Address === address,
                ),
            ) ||
        account
            .list(types.networkInterface)
            .some(({ inputs }) => inputs.subnetId === subnetId && textsAt(inputs, "privateIps[]").some((one) => one === address))
    );
}

const targetGroup: ResourceType = {
    autoName: { max: 32 },
    defaults: (scope) => ({ ...regional(scope), targetType: "instance" }),
    references: [{ path: "vpcId", to: types.vpc }],
    replaceOn: ["name", "namePrefix", "port", "protocol", "protocolVersion", "targetType", "vpcId", "ipAddressType", "region"],
    unique: (scope) => [`${regionOf(scope)} ${textAt(scope.inputs, "name")}`],
    duplicate: () =>
        new CloudError(
            "DuplicateTargetGroupName",
            "A target group with the same name already exists, but with different settings",
        ),
    verify: ({ inputs }) => {
        refuse(
            textAt(inputs, "name").length > 32,
            "ValidationError",
            `The target group name '${textAt(inputs, "name")}' cannot be longer than '32' characters`,
        );
        const check = (inputs.healthCheck ?? {}) as Props;
        refuse(
            check.path !== undefined && !["HTTP", "HTTPS"].includes(textAt(check, "protocol")),
            "InvalidConfigurationRequest",
            "Health check path is not supported for health checks with protocol TCP",
        );
        const interval = Number(check.interval ?? 30);
        refuse(interval < 5 || interval > 300, "ValidationError", `Health check interval must be between '5' and '300' seconds`);
    },
    id: (scope) =>
        arn(
            "elasticloadbalancing",
            regionOf(scope),
            `targetgroup/${textAt(scope.inputs, "name")}/${hex(`tg${scope.account.next("tg")}`, 16)}`,
        ),
    outputs: ({ id }) => ({ arn: id, arnSuffix: id.split(":").at(-1) ?? "" }),
    inUse: (object) => new CloudError("ResourceInUse", `Target group '${object.id}' is currently in use by a listener or a rule`),
    timing: { create: 20, remove: 10 },
};

const targetGroupAttachment: ResourceType = {
    required: ["targetGroupArn", "targetId"],
    defaults: regional,
    references: [
        { path: "targetGroupArn", to: types.targetGroup, holds: false },
        {
            path: "targetId",
            to: types.instance,
            holds: false,
            missing: (value) =>
                new CloudError(
                    "InvalidTarget",
                    `The following targets are not in a running state and cannot be registered: '${value}'`,
                ),
        },
    ],
    replaceOn: ["targetGroupArn", "targetId", "port", "availabilityZone", "region"],
    id: ({ inputs, account }) => `${textAt(inputs, "targetGroupArn")}-${account.next("registration")}`,
    timing: { create: 15, remove: 15 },
};

const listener: ResourceType = {
    required: ["loadBalancerArn", "defaultActions"],
    defaults: regional,
    references: [
        { path: "loadBalancerArn", to: types.loadBalancer, holds: false },
        { path: "defaultActions[].targetGroupArn", to: types.targetGroup },
    ],
    replaceOn: ["loadBalancerArn", "region"],
    unique: ({ inputs }) => [`${textAt(inputs, "loadBalancerArn")} ${String(inputs.port)}`],
    duplicate: () => new CloudError("DuplicateListener", "A listener already exists on this port for this load balancer"),
    verify: ({ inputs, account }) => {
        const idle = inputs.tcpIdleTimeoutSeconds;
        refuse(
            idle !== undefined && (Number(idle) < 60 || Number(idle) > 6000),
            "InvalidConfigurationRequest",
            "The value of tcp.idle_timeout.seconds must be between 60 and 6000",
        );
        for (const target of textsAt(inputs, "defaultActions[].targetGroupArn")) {
            const group = account.find(types.targetGroup, target);
            refuse(
                group?.inputs.protocol !== inputs.protocol,
                "IncompatibleProtocols",
                `The target group ${target} has a protocol that the listener does not take`,
            );
        }
    },
    id: ({ inputs, account }) =>
        `${textAt(inputs, "loadBalancerArn").replace(":loadbalancer/", ":listener/")}/${hex(`listener${account.next("listener")}`, 16)}`,
    outputs: ({ id }) => ({ arn: id }),
    timing: { create: 20, remove: 10 },
};

const zone: ResourceType = {
    required: ["name"],
    references: [{ path: "vpcs[].vpcId", to: types.vpc }],
    replaceOn: ["name", "delegationSetId"],
    verify: ({ inputs, account, object }) => {
        for (const vpc of textsAt(inputs, "vpcs[].vpcId")) {
            const taken = account
                .list(types.zone)
                .some(
                    (each) =>
                        each.serial !== object?.serial &&
                        each.inputs.name === inputs.name &&
                        textsAt(each.inputs, "vpcs[].vpcId").includes(vpc),
                );
            refuse(
                taken,
                "ConflictingDomainExists",
                `The VPC ${vpc} is already associated with another hosted zone for ${textAt(inputs, "name")}`,
            );
        }
    },
    id: ({ account }) => `Z0${hex(`zone${account.next("zone")}`, 18).toUpperCase()}`,
    outputs: ({ id }) => ({ zoneId: id, arn: `arn:aws:route53:::hostedzone/${id}`, nameServers: [`ns-0.awsdns-00.com`] }),
    inUse: (object) =>
        new CloudError(
            "HostedZoneNotEmpty",
            `The specified hosted zone ${object.id} contains non-required resource record sets and so cannot be deleted.`,
        ),
    timing: { create: 40, remove: 30 },
};

const record: ResourceType = {
    required: ["zoneId", "name", "type"],
    references: [{ path: "zoneId", to: types.zone }],
    replaceOn: ["zoneId", "name", "setIdentifier"],
    unique: ({ inputs }) => [["zoneId", "name", "type", "setIdentifier"].map((key) => textAt(inputs, key)).join(" ")],
    duplicate: (text) => {
        const [, name = "", type = ""] = text.split(" ");
        return new CloudError(
            "InvalidChangeBatch",
            `[Tried to create resource record set [name='${name}.', type='${type}'] but it already exists]`,
        );
    },
    verify: ({ inputs, account, object }) => {
        const owner = account.find(types.zone, inputs.zoneId);
        const apex = textAt(owner?.inputs, "name");
        const name = textAt(inputs, "name");
        refuse(
            name !== apex && !name.endsWith(`.${apex}`),
            "InvalidChangeBatch",
            `[RRSet with DNS name ${name}. is not permitted in zone ${apex}.]`,
        );
        refuse(
            itemsAt(inputs, "aliases").length === 0 && (inputs.ttl === undefined || textsAt(inputs, "records[]").length === 0),
            "InvalidInput",
            "Missing field 'TTL' or 'ResourceRecords' in RRSet",
        );
        const others = account
            .list(types.record)
            .filter(
                (each) => each.serial !== object?.serial && each.inputs.zoneId === inputs.zoneId && each.inputs.name === name,
            );
        refuse(
            others.some((each) => (each.inputs.type === "CNAME") !== (inputs.type === "CNAME")),
            "InvalidChangeBatch",
            `[RRSet of type ${textAt(inputs, "type")} with DNS name ${name}. is not permitted as it conflicts with other records with the same DNS name in zone ${apex}.]`,
        );
        refuse(
            inputs.type === "CNAME" && textsAt(inputs, "records[]").length > 1,
            "InvalidChangeBatch",
            `[Invalid Resource Record: 'FATAL problem: CNAMETakesOneValue']`,
        );
    },
    id: ({ inputs }) => `${textAt(inputs, "zoneId")}_${textAt(inputs, "name")}_${textAt(inputs, "type")}`,
    outputs: ({ inputs }) => ({ fqdn: textAt(inputs, "name") }),
    timing: { create: 30, update: 30, remove: 20 },
};

export const balancingTypes: Readonly<Record<string, ResourceType>> = {
    [types.loadBalancer]: loadBalancer,
    [types.targetGroup]: targetGroup,
    [types.targetGroupAttachment]: targetGroupAttachment,
    [types.listener]: listener,
    [types.zone]: zone,
    [types.record]: record,
};
