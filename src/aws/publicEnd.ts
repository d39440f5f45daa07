import * as vpc from "@pulumi/aws/vpc/index.js";
import * as pulumi from "@pulumi/pulumi";
import { doorPorts } from "../cluster/ports.js";
import type { LinkDoor, PublicEnd, TierPeer } from "../contracts/site.js";
import type { AwsDoors } from "./doors.js";
import type { AwsEgress } from "./egress.js";
import type { AwsFirewall } from "./firewall.js";
import { type AwsScope, ownProvider, place } from "./scope.js";

/** What a site's half of tier `nat` is made from. */
export interface PublicEndParts {
    readonly egress: AwsEgress;
    readonly firewall: AwsFirewall;
    readonly doors: AwsDoors;
    readonly caPem: pulumi.Output<string>;
}

/** A site's half of tier `nat`: the load balancer's link door, open to listed addresses only. */
export function awsPublicEnd(scope: AwsScope, { egress, firewall, doors, caPem }: PublicEndParts): PublicEnd {
    const { linkHost } = scope.plan;
    const door: LinkDoor = {
        server: pulumi.output(`${linkHost}:${doorPorts.links}`),
        // The load balancer's own name, of which AWS withdraws the addresses of a lost zone: Erlang tries the first of several and no other.
        address: { host: linkHost, recordType: "CNAME", value: doors.host, port: doorPorts.links },
        tls: caPem.apply((ca) => ({ enable: true, ca, serverName: linkHost })),
        clientCertificate: "mesh",
    };
    return {
        tier: "nat",
        door,
        egress: egress.addresses,
        admit: (peer, opts) => [...letIn(scope, firewall, peer, opts), letOut(scope, firewall, peer, opts)],
    };
}

/** One rule for each address that the peer comes from. It waits for the address alone, never for what uses it. */
function letIn(
    scope: AwsScope,
    firewall: AwsFirewall,
    peer: TierPeer,
    opts: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
    return peer.egress.map(({ key, address }) => {
        const at = place(scope, `nat-from-${peer.facts.name}-${key}`);
        return new vpc.SecurityGroupIngressRule(
            at.name,
            {
                region: scope.region,
                securityGroupId: firewall.doors.id,
                ipProtocol: "tcp",
                fromPort: doorPorts.links,
                toPort: doorPorts.links,
                cidrIpv4: pulumi.interpolate`${address}/32`,
                description: `Links of ${peer.facts.name}, tier nat`,
                tags: at.tags,
            },
            { ...opts, ...ownProvider(scope) },
        );
    });
}

/** Lets brokers out to the peer's link door: to its address where it has one for ever, else, behind a name, by its port. */
function letOut(
    scope: AwsScope,
    firewall: AwsFirewall,
    { facts, door }: TierPeer,
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
    const at = place(scope, `nat-to-${facts.name}`);
    const port = door.server.apply((server) => Number(server.slice(server.lastIndexOf(":") + 1)));
    return new vpc.SecurityGroupEgressRule(
        at.name,
        {
            region: scope.region,
            securityGroupId: firewall.brokers.id,
            ipProtocol: "tcp",
            fromPort: port,
            toPort: port,
            cidrIpv4: door.address?.recordType === "A" ? pulumi.interpolate`${door.address.value}/32` : "0.0.0.0/0",
            description: `Link door of ${facts.name}, tier nat`,
            tags: at.tags,
        },
        { ...opts, ...ownProvider(scope) },
    );
}
