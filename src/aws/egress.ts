import * as ec2 from "@pulumi/aws/ec2/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { EgressAddress } from "../contracts/site.js";
import { type AwsSiteChoices, elasticIpCount } from "./choices.js";
import { type AwsScope, place } from "./scope.js";
import { type AwsNetwork, zoneOf } from "./zones.js";

/** How a site's brokers reach the internet. */
export interface AwsEgress {
    /** The fixed addresses. They depend on nothing but their reservation, so peers' allow-lists never wait for a NAT gateway. */
    readonly addresses: readonly EgressAddress[];
    /** What a broker of a zone needs before it boots: the zone's route to a NAT gateway. */
    ready(zone: string): readonly pulumi.Resource[];
}

/** Elastic IPs that AWS gives a region of a new account. */
const defaultQuota = 5;

/** Reserved addresses, NAT gateways that use them, and the brokers' routes to these. */
export function createEgress(scope: AwsScope, choices: AwsSiteChoices, network: AwsNetwork): AwsEgress {
    const { parent, region, plan } = scope;
    const { natZones } = choices;
    if (choices.network !== undefined) {
        const addresses = choices.network.egressAddresses.map((address) => ({ key: address, address: pulumi.output(address) }));
        return { addresses, ready: () => [] };
    }
    const gateways = natZones.map((zone) => {
        const addressPlace = place(scope, `egress-${zone}`);
        const address = new ec2.Eip(
            addressPlace.name,
            { region, domain: "vpc", tags: addressPlace.tags },
            { parent, dependsOn: [...network.gateway] },
        );
        const gatewayPlace = place(scope, `nat-${zone}`);
        const gateway = new ec2.NatGateway(
            gatewayPlace.name,
            {
                region,
                connectivityType: "public",
                subnetId: zoneOf(network, zone).publicSubnetId,
                allocationId: address.allocationId,
                tags: gatewayPlace.tags,
            },
            { parent, dependsOn: [...network.gateway, ...zoneOf(network, zone).open] },
        );
        return { zone, address, gateway };
    });
    const routes = new Map(
        plan.zones.flatMap((zone) => {
            const { brokerRoutes } = zoneOf(network, zone);
            const used = gateways.find((one) => one.zone === zone) ?? gateways[0];
            if (brokerRoutes === undefined || used === undefined) {
                return [];
            }
            const route = new ec2.Route(
                `${plan.name}-brokers-to-internet-${zone}`,
                {
                    region,
                    routeTableId: brokerRoutes.table.id,
                    destinationCidrBlock: "0.0.0.0/0",
                    natGatewayId: used.gateway.id,
                },
                { parent },
            );
            return [[zone, [route, brokerRoutes.association]] as const];
        }),
    );
    return {
        addresses: gateways.map(({ zone, address }) => ({ key: zone, address: address.publicIp })),
        ready: (zone) => routes.get(zone) ?? [],
    };
}

/** Says how many Elastic IPs the site takes: a region of a new account has few, and an `up` that lacks one fails half-way. */
export function sayElasticIps(scope: AwsScope, choices: AwsSiteChoices): void {
    const { parent, plan, region } = scope;
    const count = elasticIpCount(choices);
    const parts = `${plan.zones.length} of the load balancer, ${choices.natZones.length} of NAT gateways`;
    const text = `${plan.name} takes ${count} Elastic IPs in ${region} (${parts}); new accounts have ${defaultQuota} for each region`;
    if (count > defaultQuota) {
        void pulumi.log.warn(
            `${text}: raise the quota (Service Quotas, EC2-VPC Elastic IPs), set egress to "single", or name fewer zones`,
            parent,
        );
    } else {
        void pulumi.log.info(text, parent);
    }
}
