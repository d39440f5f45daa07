import * as dns from "@pulumi/azure-native/dns/index.js";
import * as network from "@pulumi/azure-native/network/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { CloudDoors } from "../cluster/brokerCluster.js";
import { doorPorts, healthPath } from "../cluster/ports.js";
import type { AzureDnsArgs } from "./args.js";
import { addressOf, staticAddress } from "./egress.js";
import { type AzureScope, place } from "./scope.js";

/** A site's load balancer. */
export interface AzureDoors extends CloudDoors {
    /** The pool that brokers' interfaces are put into. */
    readonly poolId: pulumi.Output<string>;
    /** What must stay until links are deleted. */
    readonly ready: readonly pulumi.Resource[];
}

/** The doors' fixed public address. */
export interface AzureDoorAddress {
    readonly id: pulumi.Output<string>;
    readonly address: pulumi.Output<string>;
}

/**
 * Minutes of silence after which the load balancer forgets a connection and tells both sides so; 4 unless set, 30 at most by the SDK. Links
 * ping every 60 s.
 */
const idleMinutes = 30;
/** Seconds for which devices keep the address of the public name. */
const publicTtlSeconds = 60;
const parts = { front: "public", pool: "brokers", probe: "availability" } as const;

/** Reserves the address of all doors. It exists before the load balancer, so that certificates and peers' records can carry it. */
export function reserveDoorAddress(scope: AzureScope): AzureDoorAddress {
    const { name, at } = place(scope, "doors-address");
    const reserved = new network.PublicIPAddress(name, { ...at, ...staticAddress }, { parent: scope.parent });
    return { id: reserved.id, address: addressOf(reserved) };
}

/**
 * A Standard load balancer that passes packets through: TLS ends at the brokers, which see clients' own addresses. It lets nobody in by
 * itself; the firewall does. It gives brokers no way out either: that is the NAT gateway. Health is what the brokers' API says of itself,
 * 503 while one is drained; what is connected then stays.
 */
export function createDoors(scope: AzureScope, reserved: AzureDoorAddress): AzureDoors {
    const { parent, plan } = scope;
    const { name, at } = place(scope, "doors");
    // Rules name their own load balancer's parts by id, so its name must be known. 71 characters at most; Azure takes 80.
    const balancerName = `${plan.clusterName}-doors`;
    const self = reserved.id.apply((id) => `${id.split("/publicIPAddresses/")[0]}/loadBalancers/${balancerName}`);
    const front = { id: pulumi.interpolate`${self}/frontendIPConfigurations/${parts.front}` };
    const pool = { id: pulumi.interpolate`${self}/backendAddressPools/${parts.pool}` };
    const probe = { id: pulumi.interpolate`${self}/probes/${parts.probe}` };
    const balancer = new network.LoadBalancer(
        name,
        {
            ...at,
            loadBalancerName: balancerName,
            sku: { name: "Standard", tier: "Regional" },
            frontendIPConfigurations: [{ name: parts.front, publicIPAddress: { id: reserved.id } }],
            backendAddressPools: [{ name: parts.pool }],
            probes: [
                {
                    name: parts.probe,
                    protocol: "Https",
                    port: doorPorts.api,
                    requestPath: healthPath,
                    intervalInSeconds: 5,
                    numberOfProbes: 1,
                    probeThreshold: 2,
                },
            ],
            loadBalancingRules: Object.entries(doorPorts).map(([door, port]) => ({
                name: door,
                protocol: "Tcp",
                frontendPort: port,
                backendPort: port,
                frontendIPConfiguration: front,
                backendAddressPool: pool,
                probe,
                loadDistribution: "Default",
                idleTimeoutInMinutes: idleMinutes,
                enableTcpReset: true,
                enableFloatingIP: false,
                disableOutboundSnat: true,
            })),
        },
        { parent, deleteBeforeReplace: true, customTimeouts: { create: "20m", update: "20m", delete: "20m" } },
    );
    return {
        addresses: [reserved.address],
        host: reserved.address,
        poolId: pulumi.interpolate`${balancer.id}/backendAddressPools/${parts.pool}`,
        ready: [balancer],
    };
}

/** Leads a public name to the doors' address. */
export function createPublicName(
    scope: AzureScope,
    given: AzureDnsArgs | undefined,
    address: pulumi.Output<string>,
): readonly pulumi.Resource[] {
    if (given === undefined) {
        return [];
    }
    return [
        new dns.RecordSet(
            place(scope, "public-name").name,
            {
                resourceGroupName: given.resourceGroupName,
                zoneName: given.zoneName,
                relativeRecordSetName: given.name === given.zoneName ? "@" : given.name.slice(0, -given.zoneName.length - 1),
                recordType: "A",
                ttl: publicTtlSeconds,
                aRecords: [{ ipv4Address: address }],
            },
            { parent: scope.parent },
        ),
    ];
}
