import * as dns from "@pulumi/gcp/dns/index.js";
import type { NameService } from "../contracts/site.js";
import type { GcpNetwork } from "./network.js";
import { type GcpScope, ownProvider, place } from "./scope.js";

/** Seconds for which brokers keep a peer's address: a change of tiers waits for it twice. */
const ttlSeconds = 5;

/**
 * The private zone in which a site's brokers resolve their peers' stable names. Its apex is the mesh's, `link.<mesh>.internal`, so that it
 * shadows no name of Google's own below `.internal`.
 */
export function createNameService(scope: GcpScope, network: GcpNetwork): NameService {
    const { parent, plan, project, labels } = scope;
    const { name, at } = place(scope, "link-zone");
    const zone = new dns.ManagedZone(
        name,
        {
            ...at,
            labels,
            dnsName: `link.${plan.meshId}.internal.`,
            visibility: "private",
            privateVisibilityConfig: { networks: [{ networkUrl: network.selfLink }] },
            description: `Link doors of mesh ${plan.meshId} as ${plan.name} sees them`,
        },
        { parent },
    );
    return {
        point: ({ facts, host, address }, opts) => [
            new dns.RecordSet(
                `${plan.name}-name-of-${facts.name}`,
                {
                    project,
                    managedZone: zone.name,
                    name: `${host}.`,
                    type: address.recordType,
                    ttl: ttlSeconds,
                    rrdatas: [address.recordType === "CNAME" ? address.value.apply(rooted) : address.value],
                },
                { ...opts, ...ownProvider(scope) },
            ),
        ],
    };
}

/** A host name as a record holds it: with the final dot. */
function rooted(host: string): string {
    return host.endsWith(".") ? host : `${host}.`;
}
