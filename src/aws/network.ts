import * as ec2 from "@pulumi/aws/ec2/index.js";
import type * as pulumi from "@pulumi/pulumi";
import type { AwsSiteChoices } from "./choices.js";
import { existingNetwork } from "./existingNetwork.js";
import { createFlowLogs } from "./flowLogs.js";
import { type AwsScope, place } from "./scope.js";
import { type AwsNetwork, type AwsZone, knownZones } from "./zones.js";

/** The site's own network, or the user's after it was checked. */
export function createNetwork(scope: AwsScope, choices: AwsSiteChoices): AwsNetwork {
    return choices.network === undefined ? ownNetwork(scope, choices) : existingNetwork(scope, choices.network);
}

/**
 * A VPC with Amazon's name server (private zones are answered by no other), a default security group that lets nothing through, flow logs,
 * and for each zone a public subnet and one for brokers. No subnet gives out public addresses.
 */
function ownNetwork(scope: AwsScope, { subnets, cidr }: AwsSiteChoices): AwsNetwork {
    const { parent, region, plan } = scope;
    const child = { parent };
    const vpcPlace = place(scope, "vpc");
    const vpc = new ec2.Vpc(
        vpcPlace.name,
        { region, cidrBlock: cidr, enableDnsSupport: true, enableDnsHostnames: true, tags: vpcPlace.tags },
        child,
    );
    const closed = place(scope, "default-security-group");
    new ec2.DefaultSecurityGroup(closed.name, { region, vpcId: vpc.id, ingress: [], egress: [], tags: closed.tags }, child);
    createFlowLogs(scope, vpc.id);

    const gatewayPlace = place(scope, "internet-gateway");
    const gateway = new ec2.InternetGateway(gatewayPlace.name, { region, vpcId: vpc.id, tags: gatewayPlace.tags }, child);
    const openPlace = place(scope, "public-routes");
    const openTable = new ec2.RouteTable(openPlace.name, { region, vpcId: vpc.id, tags: openPlace.tags }, child);
    const openRoute = new ec2.Route(
        `${plan.name}-public-to-internet`,
        { region, routeTableId: openTable.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id },
        child,
    );

    const names = knownZones(scope);
    const zones = plan.zones.map((zone): readonly [string, AwsZone] => {
        const availabilityZone = names(zone);
        const subnet = (kind: "public" | "brokers") => {
            const at = place(scope, `${kind}-${zone}`);
            const args = { region, vpcId: vpc.id, availabilityZone, cidrBlock: subnets[zone]?.[kind] ?? "" };
            return new ec2.Subnet(at.name, { ...args, mapPublicIpOnLaunch: false, tags: at.tags }, child);
        };
        const associate = (kind: "public" | "brokers", subnetId: pulumi.Output<string>, routeTableId: pulumi.Output<string>) =>
            new ec2.RouteTableAssociation(`${plan.name}-${kind}-routes-of-${zone}`, { region, subnetId, routeTableId }, child);

        const openSubnet = subnet("public");
        const open = [openRoute, associate("public", openSubnet.id, openTable.id)];
        const brokerSubnet = subnet("brokers");
        // A table for each zone, also where all of them lead to one NAT gateway: another choice of `egress` then changes routes alone.
        const tablePlace = place(scope, `brokers-routes-${zone}`);
        const table = new ec2.RouteTable(tablePlace.name, { region, vpcId: vpc.id, tags: tablePlace.tags }, child);
        const brokerRoutes = { table, association: associate("brokers", brokerSubnet.id, table.id) };
        return [
            zone,
            {
                name: availabilityZone,
                brokerSubnetId: brokerSubnet.id,
                publicSubnetId: openSubnet.id,
                open,
                routeTableId: table.id,
                brokerRoutes,
            },
        ];
    });
    return { vpcId: vpc.id, zones: new Map(zones), gateway: [gateway], ownerId: vpc.ownerId };
}
