import * as ec2 from "@pulumi/aws/ec2/index.js";
import * as vpc from "@pulumi/aws/vpc/index.js";
import type * as pulumi from "@pulumi/pulumi";
import { clusterPorts, doorPorts } from "../cluster/ports.js";
import type { AwsSiteChoices } from "./choices.js";
import { type AwsScope, place } from "./scope.js";
import type { AwsNetwork } from "./zones.js";

/** A site's security groups. Every rule is a resource of its own, so that one can come or go without touching another. */
export interface AwsFirewall {
    /** Of the load balancer: who may use which door. */
    readonly doors: ec2.SecurityGroup;
    readonly brokers: ec2.SecurityGroup;
    /** What a broker needs before it boots: the ways out, and to its own cluster. */
    readonly boot: readonly pulumi.Resource[];
    /** What must stay until links are deleted: the doors for administrators and devices, and the way from there to the brokers. */
    readonly ready: readonly pulumi.Resource[];
}

/** Whom a rule speaks of. */
export type RulePeer =
    | { readonly cidrIpv4: pulumi.Input<string> }
    | { readonly referencedSecurityGroupId: pulumi.Output<string> };

/** A rule in the short form of this file. */
type RuleParts = readonly [
    direction: RuleDirection,
    what: string,
    securityGroup: ec2.SecurityGroup,
    port: pulumi.Input<number>,
    peer: RulePeer,
    description: string,
];

/** The class of a rule says its direction. */
export type RuleDirection = typeof vpc.SecurityGroupIngressRule | typeof vpc.SecurityGroupEgressRule;

const everywhere = "0.0.0.0/0";
/**
 * Where brokers may go besides their cluster and their peers' link doors. Packages of EMQX and Ubuntu and AWS's APIs have no addresses that
 * could be listed. Amazon's name server, time and metadata services are not subject to security groups, so ports 53 and 123 stay closed.
 */
const webPorts = [443, 80] as const;

/** A security group without rules. */
export function createGroup(scope: AwsScope, { vpcId }: AwsNetwork, what: string, description: string): ec2.SecurityGroup {
    const { parent, region } = scope;
    const at = place(scope, what);
    return new ec2.SecurityGroup(at.name, { region, vpcId, description, tags: at.tags }, { parent });
}

/** One rule for one TCP port. */
export function createRule(
    scope: AwsScope,
    direction: RuleDirection,
    what: string,
    rule: {
        readonly securityGroup: ec2.SecurityGroup;
        readonly port: pulumi.Input<number>;
        readonly peer: RulePeer;
        readonly description: string;
    },
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
    const at = place(scope, what);
    return new direction(
        at.name,
        {
            region: scope.region,
            securityGroupId: rule.securityGroup.id,
            ipProtocol: "tcp",
            fromPort: rule.port,
            toPort: rule.port,
            ...rule.peer,
            description: rule.description,
            tags: at.tags,
        },
        opts,
    );
}

/** The security groups, and the rules that do not depend on peers. */
export function createFirewall(scope: AwsScope, choices: AwsSiteChoices, network: AwsNetwork): AwsFirewall {
    const { parent, plan } = scope;
    const rule = (...[direction, what, securityGroup, port, peer, description]: RuleParts): pulumi.Resource =>
        createRule(scope, direction, what, { securityGroup, port, peer, description }, { parent });
    const { SecurityGroupIngressRule: inward, SecurityGroupEgressRule: outward } = vpc;
    const doors = createGroup(scope, network, "doors-firewall", `Doors of ${plan.clusterName}`);
    const brokers = createGroup(scope, network, "brokers-firewall", `Brokers of ${plan.clusterName}`);

    const boot = [
        ...clusterPorts.flatMap((port) => {
            const self = { referencedSecurityGroupId: brokers.id };
            return [
                rule(inward, `cluster-in-${port}`, brokers, port, self, "Brokers of the site among themselves"),
                rule(outward, `cluster-out-${port}`, brokers, port, self, "Brokers of the site among themselves"),
            ];
        }),
        ...webPorts.map((port) =>
            rule(outward, `web-out-${port}`, brokers, port, { cidrIpv4: everywhere }, "Packages of EMQX and Ubuntu, APIs of AWS"),
        ),
    ];
    const ready = [
        ...Object.entries(doorPorts).flatMap(([door, port]) => [
            rule(outward, `${door}-to-brokers`, doors, port, { referencedSecurityGroupId: brokers.id }, "To the brokers"),
            rule(inward, `${door}-from-doors`, brokers, port, { referencedSecurityGroupId: doors.id }, "From the load balancer"),
        ]),
        ...plan.clientRanges.map((range) =>
            rule(inward, `clients-from-${nameOf(range)}`, doors, doorPorts.clients, { cidrIpv4: range }, "Devices"),
        ),
        ...plan.adminRanges.map((range) =>
            rule(
                inward,
                `admins-from-${nameOf(range)}`,
                doors,
                doorPorts.api,
                { cidrIpv4: range },
                "REST API for administrators",
            ),
        ),
        ...choices.privateAdminRanges.flatMap((range) =>
            (["clients", "api"] as const).map((door) =>
                rule(
                    inward,
                    `admins-to-brokers-${door}-from-${nameOf(range)}`,
                    brokers,
                    doorPorts[door],
                    { cidrIpv4: range },
                    "Administrators past the load balancer",
                ),
            ),
        ),
    ];
    return { doors, brokers, boot, ready };
}

/** A range as a part of a logical name: rules are keyed by what they admit, so that a list may be put into another order. */
export function nameOf(range: string): string {
    return range.replace("/", "-");
}
