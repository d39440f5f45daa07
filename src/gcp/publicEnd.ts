import { isIPv4 } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { doorPorts } from "../cluster/ports.js";
import type { EgressAddress, LinkDoor, PublicEnd } from "../contracts/site.js";
import type { GcpFirewall } from "./firewall.js";

/** What a GCP site's half of tier `nat` is made of. */
export interface GcpPublicEndParts {
    readonly site: string;
    /** Stable host name of the site's link door. */
    readonly linkHost: string;
    readonly caPem: pulumi.Output<string>;
    /** Fixed public address of the doors. */
    readonly address: pulumi.Output<string>;
    readonly egress: readonly EgressAddress[];
    readonly firewall: GcpFirewall;
}

/**
 * A GCP site's half of tier `nat`: its public link door, which lets in the addresses of admitted peers and nobody else, and lets its brokers
 * out to these peers' doors.
 */
export function gcpPublicEnd({ site, linkHost, caPem, address, egress, firewall }: GcpPublicEndParts): PublicEnd {
    return {
        tier: "nat",
        door: {
            server: pulumi.output(`${linkHost}:${doorPorts.links}`),
            address: { recordType: "A", value: address, port: doorPorts.links, host: linkHost },
            tls: caPem.apply((ca) => ({ enable: true, ca, serverName: linkHost })),
            clientCertificate: "mesh",
        },
        egress,
        admit: ({ facts, egress: sources, door }, opts) => {
            if (sources.length === 0) {
                // A rule without sources would not be "nobody" to GCP.
                throw new RangeError(`${facts.name} has no known addresses, which ${site} could admit`);
            }
            const target = targetOf(door);
            return [
                firewall.allow(
                    `${site}-nat-from-${facts.name}`,
                    {
                        description: `Links of ${facts.name}, tier nat`,
                        sourceRanges: sources.map((one) => pulumi.interpolate`${one.address}/32`),
                        ports: [String(doorPorts.links)],
                        logged: true,
                    },
                    opts,
                ),
                firewall.allow(
                    `${site}-nat-to-${facts.name}`,
                    {
                        description: `Links to ${facts.name}, tier nat`,
                        destinationRanges: target.ranges,
                        ports: [target.port],
                        logged: true,
                    },
                    opts,
                ),
            ];
        },
    };
}

/**
 * What brokers must be let out to: the door's fixed addresses. A door that is a name without such has addresses that come and go: there the
 * port alone is the bound, and the door proves itself by its certificate.
 */
function targetOf({ address, leadsTo, server }: LinkDoor): {
    readonly ranges: pulumi.Output<string>[];
    readonly port: pulumi.Output<string>;
} {
    const host = address === undefined ? server.apply((text) => text.slice(0, text.lastIndexOf(":"))) : address.value;
    const port =
        address === undefined
            ? server.apply((text) => text.slice(text.lastIndexOf(":") + 1))
            : pulumi.output(String(address.port));
    const ranges = (address?.leadsTo ?? leadsTo)?.map((one) => pulumi.interpolate`${one.address}/32`);
    return { ranges: ranges ?? [host.apply((value) => (isIPv4(value) ? `${value}/32` : "0.0.0.0/0"))], port };
}
