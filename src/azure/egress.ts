import * as network from "@pulumi/azure-native/network/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { EgressAddress } from "../contracts/site.js";
import type { AzureSiteChoices } from "./choices.js";
import { addressZones } from "./regions.js";
import { type AzureScope, place } from "./scope.js";

/** How a site's brokers reach the internet. */
export interface AzureEgress {
    /** The fixed addresses. They depend on nothing but their reservation, so peers' allow-lists never wait for the NAT gateway. */
    readonly addresses: readonly EgressAddress[];
    /** The NAT gateway, for the site's own subnet; `undefined` with a network of the user's. */
    readonly natGatewayId: pulumi.Output<string> | undefined;
}

/** Minutes without a packet until a connection is forgotten: more than any keepalive. Azure takes 4 to 120, 4 unless set. */
const idleMinutes = 15;

/**
 * One reserved address, and a NAT gateway that uses it. The gateway has no zone: Azure puts it into one of its choice, and a zonal one
 * would only name it. The address outlives a zone.
 */
export function createEgress(scope: AzureScope, { network: existing }: Pick<AzureSiteChoices, "network">): AzureEgress {
    if (existing !== undefined) {
        return {
            addresses: existing.egressAddresses.map((address) => ({ key: address, address: pulumi.output(address) })),
            natGatewayId: undefined,
        };
    }
    const { parent } = scope;
    const reserved = place(scope, "egress");
    const address = new network.PublicIPAddress(reserved.name, { ...reserved.at, ...staticAddress }, { parent });
    const { name, at } = place(scope, "nat");
    const gateway = new network.NatGateway(
        name,
        {
            ...at,
            sku: { name: "Standard" },
            publicIpAddresses: [{ id: address.id }],
            idleTimeoutInMinutes: idleMinutes,
        },
        { parent, customTimeouts: { create: "20m", update: "20m", delete: "20m" } },
    );
    return { addresses: [{ key: "nat", address: addressOf(address) }], natGatewayId: gateway.id };
}

/** Arguments of an address that stays the same and outlives the loss of a zone. */
export const staticAddress = {
    sku: { name: "Standard", tier: "Regional" },
    publicIPAllocationMethod: "Static",
    publicIPAddressVersion: "IPv4",
    zones: [...addressZones],
};

/** The address itself. A static one is there as soon as its resource is. */
export function addressOf(address: network.PublicIPAddress): pulumi.Output<string> {
    return address.ipAddress.apply((value) => value ?? "");
}
