import * as pulumi from "@pulumi/pulumi";
import type { InterconnectEnd, LinkDoor, PublicEnd, Site, TierPeer, VpnEnd } from "../contracts/site.js";
import type { TunnelRow } from "../contracts/vpn.js";
import type { Tier } from "../naming.js";

/** The network path of a pair: where each side's door is, and what must exist before a link may use it. */
export interface TierPath {
    readonly tier: Tier;
    /** The door of the first site as the second site's links are told. */
    readonly doorOfA: LinkDoor;
    readonly doorOfB: LinkDoor;
    /** Resources of the path: links depend on them. */
    readonly ready: readonly pulumi.Resource[];
    /** What the path consists of and costs. */
    readonly report: pulumi.Output<PathReport>;
}

/** A pair's path, as an output. */
export interface PathReport {
    /** In a sentence: how the two sites are joined. */
    readonly what: string;
    readonly tunnels: readonly TunnelRow[];
    /** Seconds until traffic leaves a tunnel that has fallen silent; absent where that is not known or there is none. */
    readonly silentTunnelFailureSeconds?: number;
    /** Fixed cost of the pair itself in USD a month, without the sites' gateways; absent where it is not known. */
    readonly monthlyUsd?: number;
    /** Where the figures are from, and when they were looked up. */
    readonly source?: string;
}

const whatJoins: Readonly<Record<Tier, string>> = {
    nat: "public addresses, TLS and allow-lists on both sides",
    vpn: "directly",
    interconnect: "a private link",
};

/** Opens both ends for each other and makes each side find the other's door. What all tiers have in common: everything else is the ends' own business. */
export function joinEnds<E extends PublicEnd | VpnEnd | InterconnectEnd>(
    pair: string,
    a: Site,
    endOfA: E,
    b: Site,
    endOfB: E,
    opts: pulumi.CustomResourceOptions,
): TierPath {
    const peerOfA: TierPeer = { pair, facts: b.facts, egress: endOfB.egress, door: endOfB.door };
    const peerOfB: TierPeer = { pair, facts: a.facts, egress: endOfA.egress, door: endOfA.door };
    const opened = [...endOfA.admit(peerOfA, opts), ...endOfB.admit(peerOfB, opts)];
    const wayToA = wayTo(a, endOfA.door, b, opts);
    const wayToB = wayTo(b, endOfB.door, a, opts);
    return {
        tier: endOfA.tier,
        doorOfA: wayToA.door,
        doorOfB: wayToB.door,
        ready: [...opened, ...wayToA.records, ...wayToB.records],
        report: pulumi.output({ what: whatJoins[endOfA.tier], tunnels: [] }),
    };
}

/** How one site's links find the other's door: by its stable name where they can resolve it, else by its address. */
function wayTo(
    site: Site,
    door: LinkDoor,
    from: Site,
    opts: pulumi.CustomResourceOptions,
): { readonly door: LinkDoor; readonly records: readonly pulumi.Resource[] } {
    const { address } = door;
    if (address === undefined) {
        return { door, records: [] };
    }
    if (from.nameService === undefined) {
        return { door: { ...door, server: pulumi.interpolate`${address.value}:${address.port}` }, records: [] };
    }
    return { door, records: from.nameService.point({ facts: site.facts, host: address.host, address }, opts) };
}
