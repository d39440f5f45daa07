import { range, within } from "../addresses.mts";
import { textAt, textsAt } from "../paths.mts";
import { type AccountView, CloudError, type CloudObject, type Props, type ResourceType } from "../types.mts";
import { arn, freshId, refuse, regional, regionOf } from "./naming.mts";
import { types } from "./tokens.mts";

const networkInterface: ResourceType = {
    required: ["subnetId"],
    defaults: (scope) => ({ ...regional(scope), sourceDestCheck: true }),
    references: [
        { path: "subnetId", to: types.subnet },
        { path: "securityGroups[]", to: types.securityGroup },
    ],
    replaceOn: ["subnetId", "interfaceType", "region"],
    verify: ({ inputs, account, object }) => {
        const subnet = account.find(types.subnet, inputs.subnetId);
        for (const address of textsAt(inputs, "privateIps[]")) {
            const whole = range(subnet?.inputs.cidrBlock);
            const place = (range(address)?.first ?? -1) - (whole?.first ?? 0);
            refuse(
                !within(address, subnet?.inputs.cidrBlock),
                "InvalidParameterValue",
                `Address ${address} does not fall within the subnet's address range`,
            );
            refuse(
                place < 4 || place >= (whole?.last ?? 0) - (whole?.first ?? 0),
                "InvalidParameterValue",
                `Address ${address} is in subnet's reserved address range`,
            );
            refuse(
                account
                    .list(types.networkInterface)
                    .some(
                        (each) =>
                            each.serial !== object?.serial &&
                            each.inputs.subnetId === inputs.subnetId &&
                            textsAt(each.inputs, "privateIps[]").includes(address),
                    ),
                "InvalidIPAddress.InUse",
                "The specified address is already in use.",
            );
        }
        for (const group of textsAt(inputs, "securityGroups[]")) {
            refuse(
                account.find(types.securityGroup, group)?.inputs.vpcId !== subnet?.inputs.vpcId,
                "InvalidGroup.NotFound",
                `The security group '${group}' does not exist in VPC '${String(subnet?.inputs.vpcId)}'`,
            );
        }
    },
    id: ({ account }) => freshId(account, "eni"),
    outputs: (scope) => ({
        arn: arn("ec2", regionOf(scope), `network-interface/${scope.id}`),
        privateIp: textAt(scope.inputs, "privateIps[]"),
        macAddress: "02:00:00:00:00:01",
    }),
    inUse: (object) => new CloudError("InvalidParameterValue", `Network interface '${object.id}' is currently in use.`),
    timing: { create: 15, remove: 10 },
};

/** Bytes of user data that EC2 takes, before base64. */
const mostUserData = 16_384;

/** The interface that an instance has its address from. */
export function interfaceOf(account: AccountView, instance: Pick<CloudObject, "inputs">): CloudObject | undefined {
    return account.find(types.networkInterface, textAt(instance.inputs, "primaryNetworkInterface.networkInterfaceId"));
}

/** The subnet that an instance is in. */
export function subnetOf(account: AccountView, instance: Pick<CloudObject, "inputs">): CloudObject | undefined {
    return account.find(types.subnet, interfaceOf(account, instance)?.inputs.subnetId ?? instance.inputs.subnetId);
}

/** What cloud-init of an instance reads. */
export function userDataOf(inputs: Props): Buffer {
    return inputs.userDataBase64 === undefined
        ? Buffer.from(textAt(inputs, "userData"))
        : Buffer.from(textAt(inputs, "userDataBase64"), "base64");
}

const instance: ResourceType = {
    required: ["ami", "instanceType"],
    defaults: regional,
    references: [
        { path: "primaryNetworkInterface.networkInterfaceId", to: types.networkInterface },
        { path: "subnetId", to: types.subnet },
        { path: "vpcSecurityGroupIds[]", to: types.securityGroup },
        {
            path: "iamInstanceProfile",
            to: types.instanceProfile,
            holds: false,
            missing: (value) =>
                new CloudError(
                    "InvalidParameterValue",
                    `Value (${value}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name`,
                ),
        },
    ],
    replaceOn: (olds, news) => {
        const paths = [
            "ami",
            "primaryNetworkInterface",
            "networkInterfaces",
            "subnetId",
            "privateIp",
            "availabilityZone",
            "region",
            "keyName",
            "rootBlockDevice.encrypted",
            "rootBlockDevice.kmsKeyId",
            ...(news.userDataReplaceOnChange === true ? ["userData", "userDataBase64"] : []),
        ];
        const at = (props: Props, path: string) =>
            JSON.stringify(path.split(".").reduce<unknown>((value, key) => (value as Props | undefined)?.[key], props));
        return paths.filter((path) => at(olds, path) !== at(news, path));
    },
    verify: ({ inputs, account, object }) => {
        refuse(
            !/^ami-[0-9a-f]{8,17}$/.test(textAt(inputs, "ami")),
            "InvalidAMIID.Malformed",
            `Invalid id: "${textAt(inputs, "ami")}"`,
        );
        refuse(userDataOf(inputs).length > mostUserData, "InvalidParameterValue", "User data is limited to 16384 bytes");
        const own = textAt(inputs, "primaryNetworkInterface.networkInterfaceId");
        refuse(
            own !== "" &&
                account
                    .list(types.instance)
                    .some(
                        (each) =>
                            each.serial !== object?.serial &&
                            textAt(each.inputs, "primaryNetworkInterface.networkInterfaceId") === own,
                    ),
            "InvalidNetworkInterface.InUse",
            `Interface: [${own}] in use.`,
        );
        const arm = /^[a-z]+\d+g|^a1\./.test(textAt(inputs, "instanceType"));
        const image = account.setting(`aws/architecture/${textAt(inputs, "ami")}`, -1);
        refuse(
            image !== -1 && (image === 1) !== arm,
            "InvalidParameterValue",
            `The architecture '${arm ? "arm64" : "x86_64"}' of the specified instance type does not match the architecture '${image === 1 ? "arm64" : "x86_64"}' of the specified AMI.`,
        );
    },
    id: ({ account }) => freshId(account, "i"),
    outputs: (scope) => {
        const { account, inputs, object } = scope;
        const subnet = subnetOf(account, { inputs });
        const before = object?.inputs;
        const restarted =
            before !== undefined && (before.instanceType !== inputs.instanceType || before.userData !== inputs.userData);
        return {
            arn: arn("ec2", regionOf(scope), `instance/${scope.id}`),
            availabilityZone: textAt(subnet?.inputs, "availabilityZone") || textAt(subnet?.outputs, "availabilityZone"),
            instanceState: "running",
            privateIp: textAt(interfaceOf(account, { inputs })?.outputs, "privateIp") || textAt(inputs, "privateIp"),
            primaryNetworkInterfaceId: interfaceOf(account, { inputs })?.id ?? "",
            boots: Number(object?.outputs.boots ?? 1) + (restarted ? 1 : 0),
        };
    },
    timing: { create: 120, update: 60, remove: 100 },
};

const volume: ResourceType = {
    required: ["availabilityZone"],
    defaults: (scope) => ({ ...regional(scope), type: "gp2" }),
    replaceOn: ["availabilityZone", "encrypted", "kmsKeyId", "snapshotId", "outpostArn", "multiAttachEnabled", "region"],
    verify: ({ inputs, object }) => {
        refuse(
            inputs.size === undefined && inputs.snapshotId === undefined,
            "MissingParameter",
            "The request must contain the parameter size/snapshotId",
        );
        refuse(
            object !== undefined && Number(inputs.size) < Number(object.inputs.size),
            "InvalidParameterValue",
            "New size cannot be smaller than existing size",
        );
    },
    id: ({ account }) => freshId(account, "vol"),
    outputs: (scope) => ({ arn: arn("ec2", regionOf(scope), `volume/${scope.id}`) }),
    inUse: (object, by) =>
        new CloudError("VolumeInUse", `Volume ${object.id} is currently attached to ${textAt(by.inputs, "instanceId")}`),
    timing: { create: 30, remove: 15 },
};

const volumeAttachment: ResourceType = {
    required: ["deviceName", "instanceId", "volumeId"],
    defaults: regional,
    references: [
        { path: "volumeId", to: types.volume },
        // A machine that is terminated lets its disks go.
        { path: "instanceId", to: types.instance, holds: false },
    ],
    replaceOn: ["deviceName", "instanceId", "volumeId", "region"],
    verify: ({ inputs, account, object }) => {
        const disk = account.find(types.volume, inputs.volumeId);
        const machine = account.find(types.instance, inputs.instanceId);
        refuse(
            disk?.inputs.availabilityZone !== machine?.outputs.availabilityZone,
            "InvalidVolume.ZoneMismatch",
            `The volume '${String(inputs.volumeId)}' is not in the same availability zone as instance '${String(inputs.instanceId)}'`,
        );
        const others = account
            .list(types.volumeAttachment)
            .filter(
                (each) => each.serial !== object?.serial && account.find(types.instance, each.inputs.instanceId) !== undefined,
            );
        refuse(
            others.some((each) => each.inputs.volumeId === inputs.volumeId),
            "VolumeInUse",
            `${String(inputs.volumeId)} is already attached to an instance`,
        );
        refuse(
            others.some((each) => each.inputs.instanceId === inputs.instanceId && each.inputs.deviceName === inputs.deviceName),
            "InvalidParameterValue",
            `Invalid value '${String(inputs.deviceName)}' for unixDevice. Attachment point ${String(inputs.deviceName)} is already in use`,
        );
    },
    id: ({ account }) => `vai-${account.next("vai")}`,
    timing: { create: 30, remove: 30 },
};

export const computeTypes: Readonly<Record<string, ResourceType>> = {
    [types.networkInterface]: networkInterface,
    [types.instance]: instance,
    [types.volume]: volume,
    [types.volumeAttachment]: volumeAttachment,
};
