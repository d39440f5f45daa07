import * as ec2 from "@pulumi/aws/ec2/index.js";
import * as lb from "@pulumi/aws/lb/index.js";
import * as route53 from "@pulumi/aws/route53/index.js";
import type * as pulumi from "@pulumi/pulumi";
import type { CloudDoors } from "../cluster/brokerCluster.js";
import { doorPorts, healthPath } from "../cluster/ports.js";
import type { AwsDnsArgs } from "./args.js";
import type { AwsFirewall } from "./firewall.js";
import { physicalName } from "./names.js";
import { type AwsScope, place } from "./scope.js";
import { type AwsNetwork, zoneOf } from "./zones.js";

/** A door of the cluster. */
export type DoorName = keyof typeof doorPorts;

/** A fixed public address of the load balancer, in one zone. */
export interface DoorAddressInZone {
    readonly zone: string;
    readonly address: pulumi.Output<string>;
    readonly allocationId: pulumi.Output<string>;
}

/** A site's public doors. */
export interface AwsDoors extends CloudDoors {
    /** What brokers are attached to, by door. */
    readonly targetGroups: Readonly<Record<DoorName, lb.TargetGroup>>;
    /** What must stay until links are deleted. */
    readonly ready: readonly pulumi.Resource[];
}

/**
 * Seconds of silence after which the load balancer forgets a connection, 60 to 6000. Links ping every 60 s; devices may set up to 10 minutes,
 * of which brokers wait one and a half. AWS's own value, 350, would cut those without telling either side.
 */
const idleSeconds = 900;
/** Seconds for which connections to a broker that is taken out, or has become unhealthy, are kept. */
const drainSeconds = { deregistered: 30, unhealthy: 120 } as const;

/** Reserves the doors' addresses: one for each zone. They exist before the load balancer, so that certificates can carry them. */
export function reserveDoorAddresses(scope: AwsScope, network: AwsNetwork): readonly DoorAddressInZone[] {
    const { parent, plan, region } = scope;
    return plan.zones.map((zone) => {
        const at = place(scope, `door-${zone}`);
        const address = new ec2.Eip(
            at.name,
            { region, domain: "vpc", tags: at.tags },
            { parent, dependsOn: [...network.gateway] },
        );
        return { zone, address: address.publicIp, allocationId: address.allocationId };
    });
}

/**
 * A network load balancer that passes TCP through: TLS ends at the brokers, which see clients' own addresses. Cross-zone, so that every
 * address leads to a healthy broker of any zone. Health is what the brokers' API says of themselves, 503 while one is drained.
 */
export function createDoors(scope: AwsScope, { network, firewall, addresses, dns }: DoorParts): AwsDoors {
    const { parent, region, plan } = scope;
    const balancerPlace = place(scope, "doors");
    const open = addresses.flatMap(({ zone }) => zoneOf(network, zone).open);
    const balancer = new lb.LoadBalancer(
        balancerPlace.name,
        {
            region,
            name: physicalName(scope, "doors"),
            loadBalancerType: "network",
            internal: false,
            ipAddressType: "ipv4",
            // AWS takes them at creation only.
            securityGroups: [firewall.doors.id],
            subnetMappings: addresses.map(({ zone, allocationId }) => ({
                subnetId: zoneOf(network, zone).publicSubnetId,
                allocationId,
            })),
            enableCrossZoneLoadBalancing: true,
            tags: balancerPlace.tags,
        },
        // Two load balancers can have neither the same addresses nor the same name.
        { parent, dependsOn: [...network.gateway, ...open], deleteBeforeReplace: true },
    );
    const door = (name: DoorName) => createDoor(scope, network, balancer, name);
    const doors = { clients: door("clients"), links: door("links"), api: door("api") };
    if (dns !== undefined) {
        new route53.Record(
            `${plan.name}-client-name`,
            {
                zoneId: dns.zoneId,
                name: dns.name,
                type: "A",
                aliases: [{ name: balancer.dnsName, zoneId: balancer.zoneId, evaluateTargetHealth: true }],
            },
            { parent },
        );
    }
    return {
        addresses: addresses.map(({ address }) => address),
        host: balancer.dnsName,
        targetGroups: { clients: doors.clients.group, links: doors.links.group, api: doors.api.group },
        ready: Object.values(doors).map(({ listener }) => listener),
    };
}

/** What a site's doors are made from. */
export interface DoorParts {
    readonly network: AwsNetwork;
    readonly firewall: AwsFirewall;
    readonly addresses: readonly DoorAddressInZone[];
    readonly dns: AwsDnsArgs | undefined;
}

/**
 * A listener and the brokers behind it.
 *
 * @param what names its parts: the same door may stand at another load balancer too
 */
export function createDoor(
    scope: AwsScope,
    { vpcId }: AwsNetwork,
    balancer: lb.LoadBalancer,
    door: DoorName,
    what: string = door,
): { readonly group: lb.TargetGroup; readonly listener: lb.Listener } {
    const { parent, region } = scope;
    const groupPlace = place(scope, `${what}-targets`);
    const group = new lb.TargetGroup(
        groupPlace.name,
        {
            region,
            name: physicalName(scope, what),
            vpcId,
            targetType: "instance",
            protocol: "TCP",
            port: doorPorts[door],
            preserveClientIp: "true",
            healthCheck: {
                enabled: true,
                protocol: "HTTPS",
                port: String(doorPorts.api),
                path: healthPath,
                matcher: "200",
                interval: 10,
                timeout: 6,
                healthyThreshold: 2,
                unhealthyThreshold: 2,
            },
            deregistrationDelay: drainSeconds.deregistered,
            connectionTermination: true,
            // A broker that is drained answers 503: its devices are moved bit by bit, not cut off at once. Those of a dead one are, later.
            targetHealthStates: [
                { enableUnhealthyConnectionTermination: false, unhealthyDrainingInterval: drainSeconds.unhealthy },
            ],
            tags: groupPlace.tags,
        },
        { parent },
    );
    const listenerPlace = place(scope, `${what}-listener`);
    const listener = new lb.Listener(
        listenerPlace.name,
        {
            region,
            loadBalancerArn: balancer.arn,
            protocol: "TCP",
            port: doorPorts[door],
            tcpIdleTimeoutSeconds: idleSeconds,
            defaultActions: [{ type: "forward", targetGroupArn: group.arn }],
            tags: listenerPlace.tags,
        },
        { parent },
    );
    return { group, listener };
}
