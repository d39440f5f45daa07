import * as compute from "@pulumi/gcp/compute/index.js";
import type * as pulumi from "@pulumi/pulumi";
import type { EgressAddress } from "../contracts/site.js";
import type { GcpNetwork } from "./network.js";
import { type GcpScope, place } from "./scope.js";

/** How a site's brokers reach the internet. */
export interface GcpEgress {
    /** The fixed addresses. They depend on nothing but their reservation, so peers' allow-lists never wait for the NAT. */
    readonly addresses: readonly EgressAddress[];
    /** What a broker needs before it boots: the NAT, and the rules that let it out. */
    readonly ready: readonly pulumi.Resource[];
}

/**
 * Ports of the NAT that each machine gets. GCP's default, 64, runs short when a flap leaves the connections of several links in TIME_WAIT
 * (120 s each).
 */
const portsPerMachine = 1024;

/** Reserved addresses, and a NAT that uses these and no others. */
export function createEgress(scope: GcpScope, keys: readonly string[], network: GcpNetwork): GcpEgress {
    const { parent, plan, region, labels } = scope;
    const reserved = keys.map((key) => {
        const { name, at } = place(scope, `egress-${key}`);
        return {
            key,
            address: new compute.Address(
                name,
                {
                    ...at,
                    region,
                    labels,
                    addressType: "EXTERNAL",
                    networkTier: "PREMIUM",
                    description: `${plan.name}: brokers' way out`,
                },
                { parent },
            ),
        };
    });
    const routing = place(scope, "router");
    // After the subnetwork: a network that was just made is "not ready" for a router for some seconds.
    const router = new compute.Router(
        routing.name,
        { ...routing.at, region, network: network.selfLink },
        { parent, dependsOn: [...network.ready] },
    );
    const translation = place(scope, "nat");
    const nat = new compute.RouterNat(
        translation.name,
        {
            ...translation.at,
            region,
            router: router.name,
            natIpAllocateOption: "MANUAL_ONLY",
            natIps: reserved.map(({ address }) => address.selfLink),
            sourceSubnetworkIpRangesToNat: "LIST_OF_SUBNETWORKS",
            subnetworks: [{ name: network.subnetwork, sourceIpRangesToNats: ["PRIMARY_IP_RANGE"] }],
            minPortsPerVm: portsPerMachine,
            enableDynamicPortAllocation: false,
            enableEndpointIndependentMapping: false,
            logConfig: { enable: true, filter: "ERRORS_ONLY" },
        },
        { parent },
    );
    return {
        addresses: reserved.map(({ key, address }) => ({ key, address: address.address })),
        ready: [nat],
    };
}
