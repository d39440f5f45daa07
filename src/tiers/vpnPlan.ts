import { checkDistinctAsns } from "../addressing/asn.js";
import { checkScopes, type PairTunnels, type TunnelRange, tunnelsOf } from "../addressing/tunnels.js";
import type { SiteFacts, VpnFacts } from "../contracts/facts.js";
import type { PlannedVpnPeer, SideTunnel } from "../contracts/vpn.js";
import { InputError } from "../errors.js";
import type { IpsecSuite } from "../ipsec/suite.js";
import { vpnPairFact } from "./pairFacts.js";

/** One pair of tier `vpn`, as the plan takes it. */
export interface VpnPairInput {
    /** `a-b` */
    readonly key: string;
    readonly a: SiteFacts;
    readonly b: SiteFacts;
    readonly maxOutageSeconds: number;
    /** @default "aes-cbc" */
    readonly suite?: IpsecSuite | undefined;
    /** IPsec also between two networks of one cloud, which are peered otherwise. */
    readonly encrypt?: boolean | undefined;
}

/** What was decided for tier `vpn`. */
export interface VpnPlan {
    /** The peers of each site by its name. */
    readonly peers: Readonly<Record<string, readonly PlannedVpnPeer[]>>;
    readonly warnings: readonly string[];
}

/** Platforms whose own network peering joins two of their networks. */
const clouds = new Set(["aws", "gcp", "azure"]);

/**
 * Decides the tunnels of all VPN pairs of a mesh. Pure; a pair's tunnels follow from its two sites alone.
 *
 * @throws InputError naming the argument
 */
export function planVpn(pairs: readonly VpnPairInput[]): VpnPlan {
    const peers = new Map<string, PlannedVpnPeer[]>();
    const tunnelled: PairTunnels[] = [];
    const warnings: string[] = [];
    const asns = new Map<string, number>();
    const add = (site: string, peer: PlannedVpnPeer) => peers.set(site, [...(peers.get(site) ?? []), peer]);
    for (const pair of pairs) {
        const [ofA, ofB] = [pair.a.vpn, pair.b.vpn];
        if (ofA === undefined || ofB === undefined) {
            // No gateway on either side: processes of one machine, which need none.
            continue;
        }
        asns.set(pair.a.name, ofA.asn);
        asns.set(pair.b.name, ofB.asn);
        const tunnels = isPeered(pair) ? [] : tunnelsOf(ofA.end, ofB.end, poolOf(pair.key, ofA, ofB));
        tunnelled.push({ pair: pair.key, scopes: [ofA.end.scope, ofB.end.scope], tunnels });
        warnings.push(...slowFailover(pair));
        const shared = { pair: pair.key, suite: pair.suite ?? "aes-cbc" };
        add(pair.a.name, { ...shared, facts: pair.b, vpn: ofB, tunnels: tunnels.map((tunnel) => seenBy("a", tunnel)) });
        add(pair.b.name, { ...shared, facts: pair.a, vpn: ofA, tunnels: tunnels.map((tunnel) => seenBy("b", tunnel)) });
    }
    checkDistinctAsns([...asns].map(([name, asn]) => ({ name, asn })));
    checkScopes(tunnelled);
    return { peers: Object.fromEntries(peers), warnings };
}

/** Whether the two networks' own cloud joins them without tunnels. */
function isPeered({ key, a, b, encrypt }: VpnPairInput): boolean {
    if (a.platform !== b.platform || !clouds.has(a.platform)) {
        return false;
    }
    if (encrypt === true && a.platform === "aws") {
        throw new InputError(
            `pairs["${key}"].vpn.encrypt`,
            "two managed VPN gateways of AWS cannot be joined: each wants the other's address first. Leave it out for VPC peering, which AWS encrypts between regions",
        );
    }
    return encrypt !== true;
}

function poolOf(key: string, one: VpnFacts, other: VpnFacts): string | undefined {
    if (one.tunnelPool !== undefined && other.tunnelPool !== undefined && one.tunnelPool !== other.tunnelPool) {
        throw new InputError(
            "tunnelPool",
            `the two sites of pair ${key} set different ones (${one.tunnelPool}, ${other.tunnelPool}); a tunnel has one range for both ends, so set the same`,
        );
    }
    return one.tunnelPool ?? other.tunnelPool;
}

function slowFailover({ key, a, b, maxOutageSeconds }: VpnPairInput): string[] {
    const fact = vpnPairFact(a.platform, b.platform);
    return fact === undefined || fact.silentTunnelFailureSeconds < maxOutageSeconds
        ? []
        : [
              `pair ${key}: a tunnel that falls silent is noticed after ${fact.silentTunnelFailureSeconds} s (${fact.source}), and the links bridge ${maxOutageSeconds} s: such a failure may lose messages`,
          ];
}

function seenBy(side: "a" | "b", tunnel: TunnelRange): SideTunnel {
    const { key, inside, aws, azure } = tunnel;
    const [ownAddress, peerAddress] =
        side === "a" ? [tunnel.addressOfA, tunnel.addressOfB] : [tunnel.addressOfB, tunnel.addressOfA];
    const [ownInterface, peerInterface] =
        side === "a" ? [tunnel.interfaceOfA, tunnel.interfaceOfB] : [tunnel.interfaceOfB, tunnel.interfaceOfA];
    return { key, inside, ownAddress, peerAddress, ownInterface, peerInterface, aws, azure };
}
