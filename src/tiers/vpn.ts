import * as pulumi from "@pulumi/pulumi";
import type { Site } from "../contracts/site.js";
import type { PlannedVpnPeer, TunnelRow, VpnGateway, VpnSide } from "../contracts/vpn.js";
import { Secrets } from "../identity/secrets.js";
import { vpnPairFact } from "./pairFacts.js";
import { presharedKey } from "./presharedKey.js";
import { joinEnds, leadEnds, openEnds, type PathDetails, type PathReport, type TierPath } from "./tierPath.js";

/** What joins two sites by tier `vpn`, beyond the sites themselves. */
export interface VpnJoin extends PathDetails {
    /** All VPN pairs of each site, from the mesh's plan. */
    readonly peersOfA: readonly PlannedVpnPeer[];
    readonly peersOfB: readonly PlannedVpnPeer[];
    /** By tunnel key: raise a number by 1 to renew that tunnel's key alone, while the pair's other tunnels carry on. */
    readonly keyRotation?: Readonly<Record<string, number>> | undefined;
}

/**
 * Joins two sites by tier `vpn`: IPsec tunnels with BGP between the two sites' gateways, or the peering of their own cloud where both are
 * in one. Sites without gateways, which are processes of one machine, are joined directly.
 */
export function joinVpn(pair: string, a: Site, b: Site, opts: pulumi.CustomResourceOptions, join: VpnJoin): TierPath {
    const ends = { pair, a, endOfA: a.vpnEnd(join.peersOfA), b, endOfB: b.vpnEnd(join.peersOfB), pathSeconds: join.pathSeconds };
    const gateways = [ends.endOfA.gateway, ends.endOfB.gateway] as const;
    const planOfA = join.peersOfA.find((peer) => peer.pair === pair);
    const planOfB = join.peersOfB.find((peer) => peer.pair === pair);
    if (gateways[0] === undefined || gateways[1] === undefined || planOfA === undefined || planOfB === undefined) {
        return joinEnds(ends, opts);
    }
    const opened = openEnds(ends, opts);
    if (planOfA.tunnels.length === 0) {
        const peering = peerNetworks(pair, gateways[0], gateways[1], opts);
        const report = {
            what: `both networks are on ${a.facts.platform}, which peers them: no tunnel is needed; set pairs["${pair}"].vpn.encrypt for one`,
            tunnels: [],
        };
        return leadEnds(ends, [...opened, ...peering], opts, pulumi.output(report));
    }
    const halves = tunnel(pair, [gateways[0], planOfA], [gateways[1], planOfB], join, opts);
    const built = [...opened, ...halves.a.ready, ...halves.b.ready];
    return leadEnds(ends, built, opts, tunnelReport(a, b, planOfA, halves));
}

/** Both sides of a pair's tunnels. */
interface Halves {
    readonly a: VpnSide;
    readonly b: VpnSide;
}

function tunnelReport(a: Site, b: Site, plan: PlannedVpnPeer, halves: Halves): pulumi.Output<PathReport> {
    const fact = vpnPairFact(a.facts.platform, b.facts.platform);
    const both = <T>(ofA: T, ofB: T) => ({ [a.facts.name]: ofA, [b.facts.name]: ofB });
    const rows = plan.tunnels.map(({ key, inside, ownAddress, peerAddress }) =>
        pulumi
            .all([halves.a.outsideAddresses[key], halves.b.outsideAddresses[key], halves.a.lookAt[key], halves.b.lookAt[key]])
            .apply(
                ([outsideOfA = "", outsideOfB = "", lookAtA = "", lookAtB = ""]): TunnelRow => ({
                    tunnel: key,
                    inside,
                    outsideAddresses: both(outsideOfA, outsideOfB),
                    insideAddresses: both(ownAddress, peerAddress),
                    lookAt: both(lookAtA, lookAtB),
                }),
            ),
    );
    return pulumi.all(rows).apply((tunnels) => ({
        what: `${tunnels.length} IPsec tunnels (IKEv2, ${plan.suite}) with BGP`,
        tunnels,
        ...(fact === undefined
            ? {}
            : {
                  silentTunnelFailureSeconds: fact.silentTunnelFailureSeconds,
                  ...(fact.monthlyUsd === undefined ? {} : { monthlyUsd: fact.monthlyUsd }),
                  source: `${fact.source}; looked up ${fact.date}`,
              }),
    }));
}

function peerNetworks(
    pair: string,
    a: VpnGateway,
    b: VpnGateway,
    opts: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
    if (a.peer === undefined || b.network === undefined) {
        throw new Error(
            `the networks of pair ${pair} are planned to be peered and cannot be; this is a fault of their platform's folder`,
        );
    }
    return a.peer(pair, b.network, opts);
}

type Half = readonly [VpnGateway, PlannedVpnPeer];

function tunnel(pair: string, a: Half, b: Half, join: VpnJoin, opts: pulumi.CustomResourceOptions): Halves {
    const keys = a[1].tunnels.map(({ key }) => key);
    // One resource for the pair, one secret for each tunnel: a key is renewed without its neighbours.
    const named = (key: string) => `tunnel-${key}`;
    const rotation = Object.fromEntries(Object.entries(join.keyRotation ?? {}).map(([key, count]) => [named(key), count]));
    const secrets = new Secrets(`${pair}-tunnel-keys`, { names: keys.map(named), rotation }, opts);
    const presharedKeys = Object.fromEntries(keys.map((key) => [key, presharedKey(secrets.value(named(key)))]));
    // Who gets addresses only with its tunnels must be told the other's first; the other then learns what came of it.
    const [first, second] = a[0].addresses === undefined ? [a, b] : [b, a];
    const connect = ([own, plan]: Half, [gateway]: Half, outsideAddresses: VpnSide["outsideAddresses"]): VpnSide =>
        own.connect({ ...plan, gateway, presharedKeys, outsideAddresses }, opts);
    const firstSide = connect(first, second, addressesOf(pair, second));
    const secondSide = connect(second, first, firstSide.outsideAddresses);
    return first === a ? { a: firstSide, b: secondSide } : { a: secondSide, b: firstSide };
}

/** A gateway's fixed public address for each tunnel. */
function addressesOf(pair: string, [gateway, plan]: Half): VpnSide["outsideAddresses"] {
    return Object.fromEntries(
        plan.tunnels.map(({ key, ownInterface }) => {
            const address = gateway.addresses?.[ownInterface];
            if (address === undefined) {
                throw new Error(`tunnel ${key} of pair ${pair} uses an address that its gateway does not have`);
            }
            return [key, address];
        }),
    );
}
