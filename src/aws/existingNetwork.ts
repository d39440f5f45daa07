import * as ec2 from "@pulumi/aws/ec2/index.js";
import * as pulumi from "@pulumi/pulumi";
import { InputError, quote } from "../errors.js";
import { failOn } from "../input.js";
import type { AwsNetworkArgs, AwsSubnetArgs } from "./args.js";
import type { AwsScope } from "./scope.js";
import type { AwsNetwork, AwsZone } from "./zones.js";

/** A VPC as AWS shows it. */
export interface SeenVpc {
    readonly enableDnsSupport: boolean;
    readonly enableDnsHostnames: boolean;
    readonly cidrs: readonly string[];
}

/** A subnet as AWS shows it. */
export interface SeenSubnet {
    readonly vpcId: string;
    readonly availabilityZone: string;
    readonly cidrBlock: string;
}

/** The user's network: what AWS shows of it is compared with what the arguments say before anything is made in it. */
export function existingNetwork(scope: AwsScope, network: AwsNetworkArgs): AwsNetwork {
    const { parent, region } = scope;
    const given = pulumi.output(network.vpcId);
    const seen = ec2.getVpcOutput({ id: given, region }, { parent });
    const vpcId = pulumi.all([given, seen]).apply(([id, vpc]) =>
        failOn(parent, () => {
            checkVpc(network.cidr, { ...vpc, cidrs: vpc.cidrBlockAssociations.map(({ cidrBlock }) => cidrBlock) });
            return id;
        }),
    );
    const zones = Object.entries(network.zones).map(([zone, subnets]): readonly [string, AwsZone] => [
        zone,
        {
            name: pulumi.output(zone),
            brokerSubnetId: existingSubnet(scope, vpcId, zone, "brokers", subnets.brokers),
            publicSubnetId: existingSubnet(scope, vpcId, zone, "public", subnets.public),
            open: [],
            routeTableId: known(subnets.routeTableId),
            attachmentSubnetId: known(subnets.attachmentSubnetId),
        },
    ]);
    return { vpcId, zones: new Map(zones), gateway: [], ownerId: seen.ownerId };
}

function known(id: pulumi.Input<string> | undefined): pulumi.Output<string> | undefined {
    return id === undefined ? undefined : pulumi.output(id);
}

function existingSubnet(
    { parent, region }: AwsScope,
    vpcId: pulumi.Output<string>,
    zone: string,
    kind: "brokers" | "public",
    { id, cidr }: AwsSubnetArgs,
): pulumi.Output<string> {
    const given = pulumi.output(id);
    const seen = ec2.getSubnetOutput({ id: given, region }, { parent });
    return pulumi.all([given, vpcId, seen]).apply(([subnet, vpc, found]) =>
        failOn(parent, () => {
            checkSeenSubnet(
                `network.zones[${quote(zone)}].${kind}`,
                { vpcId: vpc, availabilityZone: zone, cidrBlock: cidr },
                found,
            );
            return subnet;
        }),
    );
}

/**
 * Checks a VPC that exists: brokers resolve peers' names in a private zone, which Amazon's own name server alone answers.
 *
 * @throws InputError naming the argument
 */
export function checkVpc(cidr: string, seen: SeenVpc): void {
    if (!seen.cidrs.includes(cidr)) {
        throw new InputError("network.cidr", `${quote(cidr)} is no range of the VPC; it has ${seen.cidrs.join(", ")}`);
    }
    for (const attribute of ["enableDnsSupport", "enableDnsHostnames"] as const) {
        if (!seen[attribute]) {
            throw new InputError(
                "network.vpcId",
                `${attribute} of the VPC is off, so its private zones resolve nothing; switch it on: aws ec2 modify-vpc-attribute`,
            );
        }
    }
}

/**
 * Compares a subnet that exists with what the arguments say of it.
 *
 * @throws InputError naming the argument
 */
export function checkSeenSubnet(argument: string, said: SeenSubnet, seen: SeenSubnet): void {
    for (const [what, one, other] of [
        ["lies in the VPC", said.vpcId, seen.vpcId],
        ["lies in the zone", said.availabilityZone, seen.availabilityZone],
        ["has the range", said.cidrBlock, seen.cidrBlock],
    ] as const) {
        if (one !== other) {
            throw new InputError(
                argument,
                `the subnet ${what} ${quote(other)}, and the arguments say ${quote(one)}; correct them`,
            );
        }
    }
}
