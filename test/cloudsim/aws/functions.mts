import { textAt } from "../paths.mts";
import { CloudError, type CloudFunction } from "../types.mts";
import { accountId, arn, hex } from "./naming.mts";
import { types } from "./tokens.mts";

/** Letters of the zones that this account sees. */
const letters: Readonly<Record<string, string>> = { "ap-northeast-1": "acd", "ca-central-1": "abd" };

const regionIn = (args: Record<string, unknown>, config: Record<string, unknown>) =>
    textAt(args, "region") || textAt(config, "region") || "us-east-1";

const getAvailabilityZones: CloudFunction = (args, { config }) => {
    const region = regionIn(args, config);
    const zones = [...(letters[region] ?? "abc")];
    return {
        id: region,
        region,
        state: "available",
        names: zones.map((letter) => `${region}${letter}`),
        zoneIds: zones.map((_letter, index) => `${region.replaceAll("-", "")}-az${index + 1}`),
        groupNames: [region],
    };
};

/** Canonical's public parameters; `aws/ubuntu` is the number of the newest image. */
const getParameter: CloudFunction = (args, { account, config }) => {
    const region = regionIn(args, config);
    const name = textAt(args, "name");
    const own = account.find(types.parameter, name);
    const image =
        /^\/aws\/service\/canonical\/ubuntu\/server\/24\.04\/stable\/current\/(amd64|arm64)\/hvm\/ebs-gp3\/ami-id$/.exec(name);
    if (own === undefined && image === null) {
        throw new CloudError("ParameterNotFound", `couldn't find resource (SSM parameter ${name})`);
    }
    const ami = `ami-0${hex(`${region} ${image?.[1] ?? ""} ${account.setting("aws/ubuntu", 1)}`, 16)}`;
    const value = own === undefined ? ami : textAt(own.inputs, "value");
    return {
        id: name,
        name,
        region,
        arn: arn("ssm", region, `parameter${name}`),
        type: "String",
        value,
        insecureValue: value,
        version: 1,
    };
};

const getVpc: CloudFunction = (args, { account }) => {
    const vpc = account.find(types.vpc, args.id);
    if (vpc === undefined) {
        throw new CloudError("InvalidVpcID.NotFound", "no matching EC2 VPC found");
    }
    return {
        ...vpc.inputs,
        ...vpc.outputs,
        id: vpc.id,
        ownerId: accountId,
        state: "available",
        cidrBlockAssociations: [{ associationId: "vpc-cidr-assoc-0", cidrBlock: vpc.inputs.cidrBlock, state: "associated" }],
        enableDnsHostnames: vpc.inputs.enableDnsHostnames === true,
        enableDnsSupport: vpc.inputs.enableDnsSupport === true,
    };
};

const getSubnet: CloudFunction = (args, { account }) => {
    const subnet = account.find(types.subnet, args.id);
    if (subnet === undefined) {
        throw new CloudError("InvalidSubnetID.NotFound", "no matching EC2 Subnet found");
    }
    return { ...subnet.inputs, ...subnet.outputs, id: subnet.id, state: "available" };
};

export const functions: Readonly<Record<string, CloudFunction>> = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": getAvailabilityZones,
    "aws:ssm/getParameter:getParameter": getParameter,
    "aws:ec2/getVpc:getVpc": getVpc,
    "aws:ec2/getSubnet:getSubnet": getSubnet,
};
