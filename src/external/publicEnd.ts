import * as pulumi from "@pulumi/pulumi";
import type { LinkDoor, PublicEnd } from "../contracts/site.js";

/**
 * An existing cluster's half of tier `nat`: its listener for links as it is. Its allow-list is its operator's to keep; the addresses
 * that its brokers come from are not known here.
 */
export function externalPublicEnd(door: LinkDoor): PublicEnd {
    return { tier: "nat", door, egressAddresses: pulumi.output([] as readonly string[]), admit: () => [] };
}
