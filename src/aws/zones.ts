import { getAvailabilityZonesOutput } from "@pulumi/aws/getAvailabilityZones.js";
import type * as pulumi from "@pulumi/pulumi";
import { InputError, quote } from "../errors.js";
import { failOn } from "../input.js";
import type { AwsScope } from "./scope.js";

/** Asks AWS once for the region's zones; each zone's name is then gated on being among them, at preview already. */
export function knownZones({ parent, region }: AwsScope): (zone: string) => pulumi.Output<string> {
    const { names } = getAvailabilityZonesOutput(
        { region, state: "available", filters: [{ name: "zone-type", values: ["availability-zone"] }] },
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
