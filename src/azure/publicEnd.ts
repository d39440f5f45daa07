import * as pulumi from "@pulumi/pulumi";
import { doorPorts } from "../cluster/ports.js";
import type { LinkDoor, PublicEnd } from "../contracts/site.js";
import type { AzureEgress } from "./egress.js";
import { type AzureFirewall, priorities } from "./firewall.js";
import { type AzureScope, ownProvider } from "./scope.js";

/** What an Azure site's half of tier `nat` is made of. */
export interface AzurePublicEndParts {
    readonly egress: AzureEgress;
    readonly firewall: AzureFirewall;
    /** Fixed public address of the doors. */
    readonly address: pulumi.Output<string>;
    readonly caPem: pulumi.Output<string>;
}

/**
 * An Azure site's half of tier `nat`: its public link door, which lets in the addresses of admitted peers and nobody else, and the way out
 * to theirs.
 */
export function azurePublicEnd(scope: AzureScope, { egress, firewall, address, caPem }: AzurePublicEndParts): PublicEnd {
    const { name: site, linkHost } = scope.plan;
    return {
        tier: "nat",
        door: {
            server: pulumi.output(`${linkHost}:${doorPorts.links}`),
            address: { recordType: "A", value: address, port: doorPorts.links, host: linkHost },
            tls: caPem.apply((ca) => ({ enable: true, ca, serverName: linkHost })),
            clientCertificate: "mesh",
        },
        egress: egress.addresses,
        admit: ({ facts, egress: sources, door }, opts) => {
            if (sources.length === 0) {
                // A rule without sources would not be "nobody" to Azure.
                throw new RangeError(`${facts.name} has no known addresses, which ${site} could admit`);
            }
            const priority = priorities.natPeers + facts.siteNumber;
            const own = { ...opts, ...ownProvider(scope) };
            return [
                firewall.rule(
                    `${site}-nat-from-${facts.name}`,
                    {
                        description: `Links of ${facts.name}, tier nat`,
                        direction: "Inbound",
                        priority,
                        who: sources.map((one) => pulumi.interpolate`${one.address}/32`),
                        ports: [String(doorPorts.links)],
                    },
                    own,
                ),
                firewall.rule(
                    `${site}-nat-to-${facts.name}`,
                    {
                        description: `Link door of ${facts.name}, tier nat`,
                        direction: "Outbound",
                        priority,
                        ...wayTo(door),
                    },
                    own,
                ),
            ];
        },
    };
}

/** A peer's door as an outbound rule names it: by its fixed addresses. A name without such leads to addresses that come and go. */
function wayTo({ address, leadsTo, server }: LinkDoor) {
    const fixed = address?.recordType === "A" ? [address.value] : (address?.leadsTo ?? leadsTo)?.map((one) => one.address);
    return {
        who: fixed?.map((one) => pulumi.interpolate`${one}/32`) ?? "Internet",
        ports: [address === undefined ? server.apply(portOf) : String(address.port)],
    };
}

/** The port of a door's `server`, which is `host:port`. */
export function portOf(server: string): string {
    return server.slice(server.lastIndexOf(":") + 1);
}
