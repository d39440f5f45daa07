import type * as ec2 from "@pulumi/aws/ec2/index.js";
import { getAvailabilityZonesOutput } from "@pulumi/aws/getAvailabilityZones.js";
import type * as pulumi from "@pulumi/pulumi";
import { InputError, quote } from "../errors.js";
import { failOn } from "../input.js";
import type { AwsScope } from "./scope.js";

/** The network of a site. */
export interface AwsNetwork {
    readonly vpcId: pulumi.Output<string>;
    /** The subnets, by zone. */
    readonly zones: ReadonlyMap<string, AwsZone>;
    /** What must exist before a public address is reserved, and goes after it: the internet gateway. Empty in a network of the user's. */
    readonly gateway: readonly pulumi.Resource[];
    /** Account that the VPC belongs to. */
    readonly ownerId: pulumi.Output<string>;
}

/** One zone of a site's network. */
export interface AwsZone {
    /** The zone's name, known to exist. */
    readonly name: pulumi.Output<string>;
    readonly brokerSubnetId: pulumi.Output<string>;
    readonly publicSubnetId: pulumi.Output<string>;
    /** What the public subnet's way to the internet is made of. Empty in a network of the user's. */
    readonly open: readonly pulumi.Resource[];
    /** Id of the brokers' route table, where it is known. */
    readonly routeTableId?: pulumi.Output<string> | undefined;
    /** Id of a subnet of the user's for the transit gateway. */
    readonly attachmentSubnetId?: pulumi.Output<string> | undefined;
    /** The brokers' routes; absent in a network of the user's. */
    readonly brokerRoutes?: { readonly table: ec2.RouteTable; readonly association: pulumi.Resource } | undefined;
}

/** A zone of the site's network. */
export function zoneOf({ zones }: AwsNetwork, zone: string): AwsZone {
    const found = zones.get(zone);
    if (found === undefined) {
        throw new Error(`the network has no zone ${zone}`);
    }
    return found;
}

/**
 * Asks AWS once for the region's zones, in whatever state they are: the loss of one must not stop an `up`. Each zone's name is then gated on
 * being among them, at preview already.
 */
export function knownZones({ parent, region }: AwsScope): (zone: string) => pulumi.Output<string> {
    const { names } = getAvailabilityZonesOutput(
        { region, filters: [{ name: "zone-type", values: ["availability-zone"] }] },
        { parent },
    );
    return (zone) => names.apply((known) => failOn(parent, () => checkZoneExists(zone, known, region)));
}

/** @throws InputError when the account does not see the zone */
export function checkZoneExists(zone: string, known: readonly string[], region: string): string {
    if (!known.includes(zone)) {
        throw new InputError("zones", `${region} has no zone ${quote(zone)} for this account; set some of ${known.join(", ")}`);
    }
    return zone;
}

/** Zones and their brokers' route tables, as far as these are known. */
export function routeTablesOf({ zones }: AwsNetwork): readonly (readonly [zone: string, id: pulumi.Output<string>])[] {
    return [...zones].flatMap(([zone, { routeTableId }]) => (routeTableId === undefined ? [] : [[zone, routeTableId] as const]));
}
