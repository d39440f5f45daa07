import * as compute from "@pulumi/gcp/compute/index.js";
import type * as pulumi from "@pulumi/pulumi";
import type { CloudDoors } from "../cluster/brokerCluster.js";
import { doorPorts, healthPath } from "../cluster/ports.js";
import type { GcpNetwork } from "./network.js";
import { type GcpScope, place } from "./scope.js";

/** A site's load balancer. */
export interface GcpDoors extends CloudDoors {
    /** The group of each zone's machines, by zone. A machine can be in one load-balanced group only, so every load balancer uses these. */
    readonly groups: ReadonlyMap<string, compute.InstanceGroup>;
    /** How every load balancer asks a broker whether it takes connections. */
    readonly check: compute.RegionHealthCheck;
    /** What must stay until links are deleted. */
    readonly ready: readonly pulumi.Resource[];
}

/** How long a machine that leaves a group keeps the connections it has. Its node has been drained by then. */
const drainingSeconds = 60;

/** The fixed address of all doors, on its own: certificates and peers' records need it before any load balancer exists. */
export function reserveDoorAddress(scope: GcpScope): compute.Address {
    const { parent, plan, region, labels } = scope;
    const { name, at } = place(scope, "doors-address");
    return new compute.Address(
        name,
        { ...at, region, labels, addressType: "EXTERNAL", networkTier: "PREMIUM", description: `${plan.name}: doors` },
        { parent },
    );
}

/**
 * An external passthrough load balancer: packets reach the brokers as they came, with the sender's address and with TLS unopened. Google
 * forgets a connection that was silent for 60 s and then picks a machine by the same hash again: the same one, unless machines came or went.
 * Who was let in is decided by firewall rules on the machines; the load balancer itself lets everybody pass.
 */
export function createDoors(scope: GcpScope, network: GcpNetwork, address: pulumi.Output<string>): GcpDoors {
    const { parent, plan, region, labels } = scope;
    const health = place(scope, "health");
    const check = new compute.RegionHealthCheck(
        health.name,
        {
            ...health.at,
            region,
            description: "503 while a node is drained: it gets no new connections and keeps those it has",
            checkIntervalSec: 5,
            timeoutSec: 5,
            healthyThreshold: 2,
            unhealthyThreshold: 2,
            httpsHealthCheck: { port: doorPorts.api, requestPath: healthPath },
            logConfig: { enable: true },
        },
        { parent },
    );
    const groups = new Map(plan.zones.map((zone) => [zone, zoneGroup(scope, network, zone)]));
    const backend = createBackend(scope, "backend", { groups, check }, { loadBalancingScheme: "EXTERNAL" });
    const front = place(scope, "doors");
    const rule = new compute.ForwardingRule(
        front.name,
        {
            ...front.at,
            region,
            labels,
            loadBalancingScheme: "EXTERNAL",
            networkTier: "PREMIUM",
            ipProtocol: "TCP",
            ipAddress: address,
            ports: [doorPorts.clients, doorPorts.links, doorPorts.api].map(String),
            backendService: backend.selfLink,
        },
        { parent },
    );
    return { addresses: [address], host: address, groups, check, ready: [rule] };
}

/** What stands behind a load balancer's forwarding rule: every zone's machines. */
export function createBackend(
    scope: GcpScope,
    what: string,
    { groups, check }: Pick<GcpDoors, "groups" | "check">,
    scheme: Pick<compute.RegionBackendServiceArgs, "loadBalancingScheme" | "network">,
): compute.RegionBackendService {
    const { name, at } = place(scope, what);
    return new compute.RegionBackendService(
        name,
        {
            ...at,
            ...scheme,
            region: scope.region,
            protocol: "TCP",
            healthChecks: check.selfLink,
            // By name: another order of zones in the program is no change.
            backends: [...groups]
                .sort(([one], [other]) => (one < other ? -1 : 1))
                .map(([, group]) => ({ group: group.selfLink, balancingMode: "CONNECTION" })),
            sessionAffinity: "NONE",
            connectionDrainingTimeoutSec: drainingSeconds,
            // A node that is being drained is unhealthy; its connections stay until it evicts them one after the other.
            connectionTrackingPolicy: {
                trackingMode: "PER_CONNECTION",
                connectionPersistenceOnUnhealthyBackends: "DEFAULT_FOR_PROTOCOL",
            },
        },
        { parent: scope.parent },
    );
}

/** Every zone of the site has its group, also while it has no node: a node more or less then leaves the load balancer as it is. */
function zoneGroup(scope: GcpScope, network: GcpNetwork, zone: string): compute.InstanceGroup {
    const { name, at } = place(scope, `nodes-${zone}`);
    return new compute.InstanceGroup(
        name,
        { ...at, zone, network: network.selfLink, description: `Brokers of ${scope.plan.clusterName} in ${zone}` },
        // Members come by their own resource: a machine that is made again under its name is in no group until it is put there.
        { parent: scope.parent, dependsOn: [...network.ready], ignoreChanges: ["instances"] },
    );
}
