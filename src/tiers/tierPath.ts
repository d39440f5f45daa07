import type * as pulumi from "@pulumi/pulumi";
import type { InterconnectEnd, LinkDoor, PublicEnd, Site, TierPeer, VpnEnd } from "../contracts/site.js";
import type { Tier } from "../naming.js";

/** The network path of a pair: where each side's door is, and what must exist before a link may use it. */
export interface TierPath {
    readonly tier: Tier;
    /** The door of the first site, which the second site's link connects to. */
    readonly doorOfA: LinkDoor;
    readonly doorOfB: LinkDoor;
    /** Resources of the path: links depend on them. */
    readonly ready: readonly pulumi.Resource[];
}

/** Opens both ends for each other. What all tiers have in common: everything else is the ends' own business. */
export function joinEnds<E extends PublicEnd | VpnEnd | InterconnectEnd>(
    pair: string,
    a: Site,
    endOfA: E,
    b: Site,
    endOfB: E,
    opts: pulumi.CustomResourceOptions,
): TierPath {
    const peerOfA: TierPeer = { pair, facts: b.facts, egressAddresses: endOfB.egressAddresses };
    const peerOfB: TierPeer = { pair, facts: a.facts, egressAddresses: endOfA.egressAddresses };
    return {
        tier: endOfA.tier,
        doorOfA: endOfA.door,
        doorOfB: endOfB.door,
        ready: [...endOfA.admit(peerOfA, opts), ...endOfB.admit(peerOfB, opts)],
    };
}
