import * as dns from "@pulumi/azure-native/dns/index.js";
import * as network from "@pulumi/azure-native/network/index.js";
import type * as inputs from "@pulumi/azure-native/types/input.js";
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
const parts = { front: "public", privateFront: "private", pool: "brokers", probe: "availability" } as const;

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
    const { itself, poolId } = createBalancer(scope, "doors", {
        beside: reserved.id,
        front: { publicIPAddress: { id: reserved.id } },
        ports: doorPorts,
    });
    return { addresses: [reserved.address], host: reserved.address, poolId, ready: [itself] };
}

/** What load balancers of a site differ in. */
export interface BalancerParts {
    /** Id of a network resource of the same resource group: the load balancer's own id begins like it. */
    readonly beside: pulumi.Output<string>;
    /** Its address. */
    readonly front: Omit<inputs.network.FrontendIPConfigurationArgs, "name">;
    /** The brokers by their addresses, where their interfaces do not say themselves that they are in the pool. */
    readonly members?: readonly inputs.network.LoadBalancerBackendAddressArgs[] | undefined;
    /** By door. */
    readonly ports: Readonly<Record<string, number>>;
}

/** One load balancer before the site's brokers. */
export function createBalancer(
    scope: AzureScope,
    what: string,
    { beside, front: address, members, ports }: BalancerParts,
): { readonly itself: network.LoadBalancer; readonly poolId: pulumi.Output<string> } {
    const { parent, plan } = scope;
    const { name, at } = place(scope, what);
    // Rules name their own load balancer's parts by id, so its name must be known. 78 characters at most; Azure takes 80.
    const balancerName = `${plan.clusterName}-${what}`;
    const self = beside.apply((id) => `${id.split("/").slice(0, -2).join("/")}/loadBalancers/${balancerName}`);
    const frontName = address.publicIPAddress === undefined ? parts.privateFront : parts.front;
    const front = { id: pulumi.interpolate`${self}/frontendIPConfigurations/${frontName}` };
    const pool = { id: pulumi.interpolate`${self}/backendAddressPools/${parts.pool}` };
    const probe = { id: pulumi.interpolate`${self}/probes/${parts.probe}` };
    const balancer = new network.LoadBalancer(
        name,
        {
            ...at,
            loadBalancerName: balancerName,
            sku: { name: "Standard", tier: "Regional" },
            frontendIPConfigurations: [{ name: frontName, ...address }],
            backendAddressPools: [
                { name: parts.pool, ...(members === undefined ? {} : { loadBalancerBackendAddresses: [...members] }) },
            ],
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
            loadBalancingRules: Object.entries(ports).map(([door, port]) => ({
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
    return { itself: balancer, poolId: pulumi.interpolate`${balancer.id}/backendAddressPools/${parts.pool}` };
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
