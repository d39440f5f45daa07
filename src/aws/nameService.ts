import * as route53 from "@pulumi/aws/route53/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { NameService } from "../contracts/site.js";
import { type AwsScope, ownProvider, place } from "./scope.js";
import type { AwsNetwork } from "./zones.js";

/** Seconds for which brokers remember where a peer's name leads: a switch of tiers waits for twice that. */
const ttlSeconds = 5;

/** The private zone `link.<mesh>.internal`, which the site's network alone sees. */
export function createNameService(scope: AwsScope, { vpcId }: AwsNetwork): NameService {
    const { parent, region, plan } = scope;
    const at = place(scope, "link-zone");
    const zone = new route53.Zone(
        at.name,
        {
            name: `link.${plan.meshId}.internal`,
            comment: `Link doors of the mesh ${plan.meshId}, as ${plan.name} finds them`,
            vpcs: [{ vpcId, vpcRegion: region }],
            tags: at.tags,
        },
        { parent },
    );
    return {
        point: ({ facts, host, address }, opts) => [
            new route53.Record(
                `${plan.name}-name-of-${facts.name}`,
                {
                    zoneId: zone.zoneId,
                    name: host,
                    type: address.recordType,
                    ttl: ttlSeconds,
                    records: [pulumi.output(address.value)],
                },
                { ...opts, ...ownProvider(scope) },
            ),
        ],
    };
}
