import * as lb from "@pulumi/aws/lb/index.js";
import * as vpc from "@pulumi/aws/vpc/index.js";
import type * as pulumi from "@pulumi/pulumi";
import { doorPorts } from "../cluster/ports.js";
import { attach, type BrokerMachine } from "./brokers.js";
import type { AwsSiteChoices } from "./choices.js";
import { createDoor } from "./doors.js";
import { type AwsFirewall, createGroup, createRule, type RuleDirection } from "./firewall.js";
import { physicalName } from "./names.js";
import { type AwsScope, place } from "./scope.js";
import { type AwsNetwork, zoneOf } from "./zones.js";

/** What a site's private link door is made from. */
export interface PrivateDoorParts {
    readonly network: AwsNetwork;
    readonly firewall: AwsFirewall;
    readonly machines: readonly BrokerMachine[];
}

/** Where peers' links enter a site through its private network. */
export interface AwsPrivateDoor {
    /** The load balancer's own name, which leads to private addresses of zones that work. */
    readonly host: pulumi.Output<string>;
    /** Who may use the door. */
    readonly firewall: ReturnType<typeof createGroup>;
    /** What must stay until links are deleted. */
    readonly ready: readonly pulumi.Resource[];
}

/**
 * A second network load balancer, for links alone, without a public address: its addresses in the brokers' subnets are those of the plan.
 * Brokers see peers' own addresses. A broker cannot use its own site's door, nor does it have to.
 */
export function createPrivateDoor(
    scope: AwsScope,
    { subnets }: Pick<AwsSiteChoices, "subnets">,
    { network, firewall, machines }: PrivateDoorParts,
): AwsPrivateDoor {
    const { parent, region, plan } = scope;
    const group = createGroup(scope, network, "private-door-firewall", `Private link door of ${plan.clusterName}`);
    const rules = passage(scope, group, firewall);
    const at = place(scope, "private-door");
    const balancer = new lb.LoadBalancer(
        at.name,
        {
            region,
            name: physicalName(scope, "private-door"),
            loadBalancerType: "network",
            internal: true,
            ipAddressType: "ipv4",
            // AWS takes them at creation only.
            securityGroups: [group.id],
            subnetMappings: plan.zones.map((zone) => ({
                subnetId: zoneOf(network, zone).brokerSubnetId,
                privateIpv4Address: subnets[zone]?.linkDoor ?? "",
            })),
            enableCrossZoneLoadBalancing: true,
            tags: at.tags,
        },
        // Two load balancers can have neither the same addresses nor the same name.
        { parent, deleteBeforeReplace: true },
    );
    const door = createDoor(scope, network, balancer, "links", "private-door");
    const targets = machines.map((machine) => attach(scope, "private-door", door.group, machine));
    return { host: balancer.dnsName, firewall: group, ready: [...rules, door.listener, ...targets] };
}

/** The way from the door to the brokers: for links, and for asking whether a broker is well. */
function passage(scope: AwsScope, door: AwsPrivateDoor["firewall"], { brokers }: AwsFirewall): readonly pulumi.Resource[] {
    const { parent } = scope;
    const rule = (direction: RuleDirection, what: string, parts: Parameters<typeof createRule>[3]) =>
        createRule(scope, direction, `private-door-${what}`, parts, { parent });
    return (
        [
            ["links", doorPorts.links],
            ["health", doorPorts.api],
        ] as const
    ).flatMap(([what, port]) => [
        rule(vpc.SecurityGroupEgressRule, `${what}-to-brokers`, {
            securityGroup: door,
            port,
            peer: { referencedSecurityGroupId: brokers.id },
            description: "To the brokers",
        }),
        rule(vpc.SecurityGroupIngressRule, `${what}-from-door`, {
            securityGroup: brokers,
            port,
            peer: { referencedSecurityGroupId: door.id },
            description: "From the private link door",
        }),
    ]);
}
