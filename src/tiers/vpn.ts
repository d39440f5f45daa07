import type * as pulumi from "@pulumi/pulumi";
import type { Site } from "../contracts/site.js";
import type { PlannedVpnPeer, VpnGateway, VpnSide } from "../contracts/vpn.js";
import { Secrets } from "../identity/secrets.js";
import { presharedKey } from "./presharedKey.js";
import { joinEnds, type TierPath } from "./tierPath.js";

/** What joins two sites by tier `vpn`, beyond the sites themselves. */
export interface VpnJoin {
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
    const [endOfA, endOfB] = [a.vpnEnd(join.peersOfA), b.vpnEnd(join.peersOfB)];
    const ends = joinEnds(pair, a, endOfA, b, endOfB, opts);
    const planOfA = join.peersOfA.find((peer) => peer.pair === pair);
    const planOfB = join.peersOfB.find((peer) => peer.pair === pair);
    if (endOfA.gateway === undefined || endOfB.gateway === undefined || planOfA === undefined || planOfB === undefined) {
        return ends;
    }
    const ready =
        planOfA.tunnels.length === 0
            ? peerNetworks(pair, endOfA.gateway, endOfB.gateway, opts)
            : tunnel(pair, [endOfA.gateway, planOfA], [endOfB.gateway, planOfB], join, opts);
    return { ...ends, ready: [...ends.ready, ...ready] };
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

function tunnel(pair: string, a: Half, b: Half, join: VpnJoin, opts: pulumi.CustomResourceOptions): readonly pulumi.Resource[] {
    const keys = a[1].tunnels.map(({ key }) => key);
    const secrets = new Secrets(
        `${pair}-tunnel-keys`,
        { names: keys, ...(join.keyRotation === undefined ? {} : { rotation: join.keyRotation }) },
        opts,
    );
    const presharedKeys = Object.fromEntries(keys.map((key) => [key, presharedKey(secrets.value(key))]));
    // Who gets addresses only with its tunnels must be told the other's first; the other then learns what came of it.
    const [first, second] = a[0].addresses === undefined ? [a, b] : [b, a];
    const connect = ([gateway, plan]: Half, outsideAddresses: VpnSide["outsideAddresses"]): VpnSide =>
        gateway.connect({ ...plan, presharedKeys, outsideAddresses }, opts);
    const firstSide = connect(first, addressesOf(pair, second));
    const secondSide = connect(second, firstSide.outsideAddresses);
    return [...firstSide.ready, ...secondSide.ready];
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
