import * as privatedns from "@pulumi/azure-native/privatedns/index.js";
import type * as pulumi from "@pulumi/pulumi";
import type { NameService } from "../contracts/site.js";
import { type AzureScope, dependingOn, ownProvider, place } from "./scope.js";
import type { AzureNetwork } from "./virtualNetwork.js";

/** A site's private zone. */
export interface AzureNames {
    readonly service: NameService;
    /** The zone's link to the network, which records wait for. */
    readonly linked: readonly pulumi.Resource[];
}

/** Seconds for which brokers keep a peer's address: a change of tiers waits for it twice. */
const ttlSeconds = 5;

/**
 * The private zone in which a site's brokers resolve their peers' stable names. Its apex is the mesh's, `link.<mesh>.internal`, so that it
 * shadows no name of Azure's own below `.internal`.
 */
export function createNameService(scope: AzureScope, network: AzureNetwork): AzureNames {
    const { parent, plan, resourceGroupName, tags } = scope;
    const zoneName = `link.${plan.meshId}.internal`;
    const global = { resourceGroupName, location: "global", tags: { ...tags } };
    const zone = new privatedns.PrivateZone(place(scope, "link-zone").name, { ...global, privateZoneName: zoneName }, { parent });
    const link = new privatedns.VirtualNetworkLink(
        place(scope, "link-zone-in-network").name,
        {
            ...global,
            privateZoneName: zone.name,
            virtualNetwork: { id: network.virtualNetworkId },
            registrationEnabled: false,
        },
        // It changes the virtual network, as its subnets do: one after the other.
        { parent, dependsOn: [...network.ready] },
    );
    const service: NameService = {
        point: ({ facts, host, address }, opts) => [
            new privatedns.PrivateRecordSet(
                `${plan.name}-name-of-${facts.name}`,
                {
                    resourceGroupName,
                    privateZoneName: zone.name,
                    relativeRecordSetName: host.slice(0, -zoneName.length - 1),
                    recordType: address.recordType,
                    ttl: ttlSeconds,
                    ...(address.recordType === "CNAME"
                        ? { cnameRecord: { cname: address.value } }
                        : { aRecords: [{ ipv4Address: address.value }] }),
                },
                { ...opts, ...ownProvider(scope), dependsOn: dependingOn(opts.dependsOn, link) },
            ),
        ],
    };
    return { service, linked: [link] };
}
