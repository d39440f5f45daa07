import type { EgressAddress, LinkDoor, PublicEnd } from "../contracts/site.js";

/**
 * An existing cluster's half of tier `nat`: its listener for links as it is. Its allow-list is its operator's to keep; the addresses
 * that its brokers come from are those that the user has named.
 */
export function externalPublicEnd(door: LinkDoor, egress: readonly EgressAddress[]): PublicEnd {
    return { tier: "nat", door, egress, admit: () => [] };
}
