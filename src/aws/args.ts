import type * as pulumi from "@pulumi/pulumi";
import type { CloudSiteArgs } from "../cluster/args.js";
import type { AwsVpnArgs } from "./vpnArgs.js";

/** A subnet of yours. */
export interface AwsSubnetArgs {
    /** `subnet-…` */
    readonly id: pulumi.Input<string>;
    /** Its IPv4 range as AWS shows it. Plain, because the brokers' fixed addresses are taken from it. */
    readonly cidr: string;
}

/**
 * A network of yours. Linkspan then makes no VPC, gateway, route or default security group: the public subnets must have a route to an
 * internet gateway, the brokers' subnets a route to a NAT gateway with fixed addresses, and the VPC Amazon's own name server with
 * `enableDnsSupport` and `enableDnsHostnames`. What of it can be read is checked at preview.
 */
export interface AwsNetworkArgs {
    /** `vpc-…` */
    readonly vpcId: pulumi.Input<string>;
    /** The VPC's IPv4 range that holds the subnets. */
    readonly cidr: string;
    /** The subnets by the zone they lie in. The keys are the site's zones, in this order. */
    readonly zones: Readonly<Record<string, AwsZoneArgs>>;
    /** Public IPv4 addresses of the NAT gateways that the brokers' subnets use: peers admit these and no others. */
    readonly egressAddresses: readonly string[];
}

/** The subnets of one zone of your network. */
export interface AwsZoneArgs {
    /** Where the brokers are put; `/28` or larger. They take its fifth address and those behind it, which nothing else may use. */
    readonly brokers: AwsSubnetArgs;
    /** Where the load balancer takes its address; `/28` or larger with 8 free addresses. */
    readonly public: AwsSubnetArgs;
    /**
     * Route table of the brokers' subnet, `rtb-…`: tier `vpn` adds the peers' ranges to it. Zones may share one. The private link door then
     * takes the fourth address from the end of the brokers' subnet, which nothing else may use.
     * @default none: the site has no tier `vpn`
     */
    readonly routeTableId?: pulumi.Input<string> | undefined;
    /**
     * A subnet for the transit gateway, `/28` and with nothing else in it: needed for tier `vpn` with `vpn.gateway` `transit`.
     * @default none
     */
    readonly attachmentSubnetId?: pulumi.Input<string> | undefined;
}

/** A public name of yours in Route 53. */
export interface AwsDnsArgs {
    /** Id of the public hosted zone that `name` belongs to. */
    readonly zoneId: pulumi.Input<string>;
    /** The client door's name, such as `mqtt.example.com`. Its certificate carries it. */
    readonly name: string;
}

/** Arguments of {@link AwsSite}. */
export interface AwsSiteArgs extends CloudSiteArgs {
    /**
     * AWS region of all of the site's resources, whatever region the provider has. Plain, because zones shape the graph.
     * @default the region of `zones` or of `network`, else `aws:region`, else AWS_REGION
     */
    readonly region?: string | undefined;
    /**
     * Zones, 1 to 6, such as `eu-central-1a`. Every zone costs one Elastic IP of the load balancer; brokers take turns over the zones.
     * Adding one at the end moves nothing as long as there are no more nodes
     * than zones; else it moves the nodes beyond the old number of zones, and another order moves any: a node that moves gets another
     * address and an empty disk.
     * @default the first three of the region
     */
    readonly zones?: readonly string[] | undefined;
    /**
     * NAT gateways: `single` in the first zone, or `perZone`, which outlives the loss of a zone and costs one NAT gateway and one Elastic
     * IP for each. AWS gives a region of a new account 5 Elastic IPs: `perZone` in three zones needs 6.
     * @default "single"
     */
    readonly egress?: "single" | "perZone" | undefined;
    /** @default a VPC of the site's own */
    readonly network?: AwsNetworkArgs | undefined;
    /** @default a transit gateway, made when a pair of tier `vpn` needs tunnels */
    readonly vpn?: AwsVpnArgs | undefined;
    /**
     * ARN of a KMS key of yours for disks and secrets. Another key replaces the data disks by new, empty ones, and all machines: change it
     * with several nodes only, which copy users, rules and links to each other, or set `broker.retainData` first.
     * @default the account's `aws/ebs` and `aws/ssm`
     */
    readonly kmsKeyId?: pulumi.Input<string> | undefined;
    /** A public name for the client door. @default none: devices connect to an address */
    readonly dns?: AwsDnsArgs | undefined;
    /** ARN of the permissions boundary that your account asks of new roles. @default none */
    readonly permissionsBoundary?: pulumi.Input<string> | undefined;
}
