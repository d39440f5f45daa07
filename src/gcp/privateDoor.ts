import * as compute from "@pulumi/gcp/compute/index.js";
import type * as pulumi from "@pulumi/pulumi";
import { parseCidr } from "../addressing/cidr.js";
import { linkDoorAddress } from "../addressing/siteRanges.js";
import { doorPorts } from "../cluster/ports.js";
import { createBackend, type GcpDoors } from "./doors.js";
import type { GcpNetwork } from "./network.js";
import { type GcpScope, place } from "./scope.js";

/** What a site's private link door is made from. */
export interface PrivateDoorParts {
    readonly network: GcpNetwork;
    readonly doors: Pick<GcpDoors, "groups" | "check">;
}

/** Where peers' links enter a site through its private network. */
export interface GcpPrivateDoor {
    /** The planned address: known before anything exists, so that peers' records wait for nothing. */
    readonly address: string;
    /** What must stay until links are deleted. */
    readonly ready: readonly pulumi.Resource[];
}

/**
 * An internal passthrough load balancer, for links alone, in front of the same groups as the public doors: a machine may be in one
 * load-balanced group only. Brokers see peers' own addresses, and their firewall rules say who is let in. A broker cannot use its own site's
 * door, nor does it have to.
 */
export function createPrivateDoor(scope: GcpScope, { network, doors }: PrivateDoorParts): GcpPrivateDoor {
    const { parent, plan, region, labels } = scope;
    const planned = linkDoorAddress(parseCidr(network.brokerRange));
    const home = place(scope, "private-door-address");
    const address = new compute.Address(
        home.name,
        {
            ...home.at,
            region,
            labels,
            addressType: "INTERNAL",
            purpose: "GCE_ENDPOINT",
            subnetwork: network.subnetwork,
            address: planned,
            description: `${plan.name}: private link door`,
        },
        // The address is reserved once.
        { parent, deleteBeforeReplace: true },
    );
    const backend = createBackend(scope, "private-door-backend", doors, {
        loadBalancingScheme: "INTERNAL",
        network: network.selfLink,
    });
    const front = place(scope, "private-door");
    const rule = new compute.ForwardingRule(
        front.name,
        {
            ...front.at,
            region,
            labels,
            loadBalancingScheme: "INTERNAL",
            network: network.selfLink,
            subnetwork: network.subnetwork,
            ipProtocol: "TCP",
            ipAddress: address.address,
            ports: [String(doorPorts.links)],
            // Else only senders in the site's own region are served, and peers come out of other regions' networks.
            allowGlobalAccess: true,
            backendService: backend.selfLink,
        },
        // Two rules cannot have the same address and port.
        { parent, deleteBeforeReplace: true },
    );
    return { address: planned, ready: [rule] };
}
