import * as vpc from "@pulumi/aws/vpc/index.js";
import * as pulumi from "@pulumi/pulumi";
import { doorPorts } from "../cluster/ports.js";
import type { LinkDoor, PublicEnd, TierPeer } from "../contracts/site.js";
import type { AwsDoors, DoorAddressInZone } from "./doors.js";
import type { AwsEgress } from "./egress.js";
import type { AwsFirewall } from "./firewall.js";
import { type AwsScope, ownProvider, place } from "./scope.js";

/** What a site's half of tier `nat` is made from. */
export interface PublicEndParts {
    readonly egress: AwsEgress;
    readonly firewall: AwsFirewall;
    readonly doors: AwsDoors;
    /** The doors' fixed addresses. */
    readonly addresses: readonly DoorAddressInZone[];
    readonly caPem: pulumi.Output<string>;
}

/** A site's half of tier `nat`: the load balancer's link door, open to listed addresses only. */
export function awsPublicEnd(scope: AwsScope, { egress, firewall, doors, addresses, caPem }: PublicEndParts): PublicEnd {
    const { linkHost } = scope.plan;
    const door: LinkDoor = {
        server: pulumi.output(`${linkHost}:${doorPorts.links}`),
        // The load balancer's own name, of which AWS withdraws the addresses of a lost zone: Erlang tries the first of several and no other.
        address: {
            host: linkHost,
            recordType: "CNAME",
            value: doors.host,
            leadsTo: addresses.map(({ zone, address }) => ({ key: zone, address })),
            port: doorPorts.links,
        },
        tls: caPem.apply((ca) => ({ enable: true, ca, serverName: linkHost })),
        clientCertificate: "mesh",
    };
    return {
        tier: "nat",
        door,
        egress: egress.addresses,
        admit: (peer, opts) => [...letIn(scope, firewall, peer, opts), ...letOut(scope, firewall, peer, opts)],
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

/**
 * Lets brokers out to the peer's link door: to its fixed addresses where it has some, else, behind a name, by its port. A rule for each
 * address: AWS refuses a second rule with the same range and port, whichever peer it is for.
 */
function letOut(
    scope: AwsScope,
    firewall: AwsFirewall,
    { facts, door }: TierPeer,
    opts: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
    const port = door.server.apply((server) => Number(server.slice(server.lastIndexOf(":") + 1)));
    return waysTo(door).map(({ key, range }) => {
        const at = place(scope, ["nat-to", facts.name, ...key].join("-"));
        return new vpc.SecurityGroupEgressRule(
            at.name,
            {
                region: scope.region,
                securityGroupId: firewall.brokers.id,
                ipProtocol: "tcp",
                fromPort: port,
                toPort: port,
                cidrIpv4: range,
                description: `Link door of ${facts.name}, tier nat`,
                tags: at.tags,
            },
            { ...opts, ...ownProvider(scope) },
        );
    });
}

function waysTo({
    address,
    leadsTo,
}: LinkDoor): readonly { readonly key: readonly string[]; readonly range: pulumi.Input<string> }[] {
    if (address?.recordType === "A") {
        return [{ key: [], range: pulumi.interpolate`${address.value}/32` }];
    }
    return (
        (address?.leadsTo ?? leadsTo)?.map((one) => ({ key: [one.key], range: pulumi.interpolate`${one.address}/32` })) ?? [
            { key: [], range: "0.0.0.0/0" },
        ]
    );
}
