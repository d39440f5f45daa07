import { tunnelsOf } from "../../src/addressing/tunnels.js";
import { siteAddresses } from "../../src/local/network/holder/addresses.js";
import { defaultBgp, type PathSpec, type SiteSpec, type TunnelsSpec } from "../../src/local/network/holder/desired.js";

/** A site of a local network. */
export function siteSpec(name: string, siteNumber: number): SiteSpec {
    return { name, siteNumber, asn: 64_520 + siteNumber, ...defaultBgp };
}

/** Pre-shared key of a tunnel in tests. */
export const keyOfTunnel = (key: string) => `Key${key}AaaaaaaaaaaaaaaaaaaaaaaaaaaA`;

/** One site's half of the tunnels to another, as the sites' gateways order it. */
export function tunnelHalf(
    own: SiteSpec,
    peer: SiteSpec,
    more: Partial<TunnelsSpec> = {},
): PathSpec & { readonly tunnels: TunnelsSpec } {
    const end = ({ name, siteNumber }: SiteSpec) => ({
        name,
        siteNumber,
        platform: "local" as const,
        scope: name,
        addresses: 2 as const,
    });
    const far = siteAddresses(peer.siteNumber);
    return {
        site: own.name,
        peer: peer.name,
        peerNumber: peer.siteNumber,
        tier: "vpn",
        part: "tunnels",
        admits: [],
        tunnels: {
            suite: "aes-cbc",
            remoteAsn: peer.asn,
            remoteRanges: [far.cidr],
            localRanges: [siteAddresses(own.siteNumber).cidr],
            initiates: own.name < peer.name,
            tunnels: tunnelsOf(end(own), end(peer)).map(({ key, addressOfA, addressOfB, interfaceOfA, interfaceOfB }) => ({
                key,
                gateway: interfaceOfA === 0 ? (0 as const) : (1 as const),
                localInside: addressOfA,
                remoteInside: addressOfB,
                remoteAddress: far.gateways[interfaceOfB === 0 ? 0 : 1].public,
                presharedKey: keyOfTunnel(key),
            })),
            ...more,
        },
    };
}
