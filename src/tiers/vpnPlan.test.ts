import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultAsn } from "../addressing/asn.js";
import type { TunnelPlatform } from "../addressing/tunnels.js";
import type { SiteFacts } from "../contracts/site.js";
import { presharedKeyForm } from "../ipsec/suite.js";
import { keyOf } from "./presharedKey.js";
import { planVpn, type VpnPairInput } from "./vpnPlan.js";

function site(platform: TunnelPlatform, siteNumber: number, more: Partial<NonNullable<SiteFacts["vpn"]>> = {}): SiteFacts {
    const name = `${platform}${siteNumber}`;
    return {
        name,
        siteNumber,
        platform,
        linkProtocol: "emqx",
        clusterName: name,
        tiers: { nat: { supported: true }, vpn: { supported: true }, interconnect: { supported: true } },
        vpn: {
            asn: defaultAsn(siteNumber),
            ranges: [`10.${siteNumber}.0.0/16`],
            end: { name, siteNumber, platform, scope: name, addresses: 2 },
            ...more,
        },
    };
}
const pair = (a: SiteFacts, b: SiteFacts, more: Partial<VpnPairInput> = {}): VpnPairInput => ({
    key: `${a.name}-${b.name}`,
    a,
    b,
    maxOutageSeconds: 20,
    ...more,
});
const [aws, azure, gcp] = [site("aws", 1), site("azure", 3), site("gcp", 2)];

describe("planVpn", () => {
    it("plans the three-cloud mesh: ten tunnels, each seen by both its sides", () => {
        const { peers } = planVpn([pair(aws, azure), pair(aws, gcp), pair(azure, gcp)]);
        const counts = Object.fromEntries(
            Object.entries(peers).map(([name, list]) => [name, list.map((peer) => `${peer.facts.name} ${peer.tunnels.length}`)]),
        );
        expect(counts).toEqual({
            aws1: ["azure3 4", "gcp2 4"],
            azure3: ["aws1 4", "gcp2 2"],
            gcp2: ["aws1 4", "azure3 2"],
        });
        const [seenByAws] = peers.aws1 ?? [];
        const [seenByAzure] = peers.azure3 ?? [];
        expect(seenByAws?.tunnels.map(({ ownAddress, peerAddress }) => [peerAddress, ownAddress])).toEqual(
            seenByAzure?.tunnels.map(({ ownAddress, peerAddress }) => [ownAddress, peerAddress]),
        );
        expect(
            new Set(Object.values(peers).flatMap((list) => list.flatMap(({ tunnels }) => tunnels.map(({ inside }) => inside))))
                .size,
        ).toBe(10);
    });

    it("needs no tunnel between two networks of one cloud, unless they are to be encrypted", () => {
        expect(planVpn([pair(gcp, site("gcp", 9))]).peers.gcp2?.[0]?.tunnels).toEqual([]);
        expect(planVpn([pair(gcp, site("gcp", 9), { encrypt: true })]).peers.gcp2?.[0]?.tunnels).toHaveLength(2);
        expect(() => planVpn([pair(aws, site("aws", 9), { encrypt: true })])).toThrow(
            'pairs["aws1-aws9"].vpn.encrypt: two managed VPN gateways of AWS cannot be joined',
        );
    });

    it("warns of pairs whose silent failure outlasts what their links bridge, with the seconds", () => {
        const { warnings } = planVpn([
            pair(aws, gcp),
            pair(azure, gcp),
            pair(aws, site("external", 7), { maxOutageSeconds: 30 }),
        ]);
        expect(warnings.map((text) => /^pair (\S+): .* noticed after (\d+) s/.exec(text)?.slice(1))).toEqual([
            ["aws1-gcp2", "30"],
            ["azure3-gcp2", "60"],
            ["aws1-external7", "30"],
        ]);
        expect(planVpn([pair(aws, gcp, { maxOutageSeconds: 30 })]).warnings).toHaveLength(1);
    });

    it.each<[string, VpnPairInput[], string]>([
        ["equal numbers", [pair(aws, site("gcp", 2, { asn: 64_521 }))], "asn: 64521 is the number of aws1 and of gcp2"],
        ["a number that Azure cannot hold", [pair(azure, site("gcp", 33))], "siteNumber: 33 of gcp33 is beyond 32"],
        [
            "different pools",
            [pair(site("aws", 1, { tunnelPool: "169.254.40.0/21" }), site("gcp", 2, { tunnelPool: "169.254.48.0/21" }))],
            "tunnelPool: the two sites of pair aws1-gcp2 set different ones",
        ],
        [
            "one network under two sites",
            [1, 2].map((number) => {
                const gcpNumber = 5 - number;
                const shared = {
                    name: `gcp${gcpNumber}`,
                    siteNumber: gcpNumber,
                    platform: "gcp" as const,
                    scope: "network",
                    addresses: 2 as const,
                };
                return pair(site("aws", number), site("gcp", gcpNumber, { end: shared }));
            }),
            "tunnelPool: the pairs aws1-gcp4 and aws2-gcp3 would both use 169.254.32.80/30 within network",
        ],
    ])("refuses %s", (_what, pairs, message) => {
        expect(() => planVpn(pairs)).toThrow(message);
    });

    it("gives a pair the same tunnels whatever other sites there are (property)", () => {
        fc.assert(
            fc.property(fc.uniqueArray(fc.integer({ min: 4, max: 32 }), { maxLength: 8 }), (others) => {
                const extra = others.flatMap((number) => [pair(aws, site("gcp", number)), pair(azure, site("gcp", number))]);
                const alone = planVpn([pair(aws, gcp)]).peers.aws1?.[0];
                expect(planVpn([...extra, pair(aws, gcp)]).peers.aws1?.find(({ facts }) => facts.name === "gcp2")).toEqual(alone);
            }),
        );
    });
});

describe("keyOf", () => {
    it("makes keys that every cloud takes, the same for the same secret (property)", () => {
        fc.assert(
            fc.property(fc.string(), (secret) => {
                expect(keyOf(secret)).toMatch(presharedKeyForm);
                expect(keyOf(secret)).toBe(keyOf(secret));
            }),
        );
        expect(new Set(Array.from({ length: 1_000 }, (_, index) => keyOf(String(index)))).size).toBe(1_000);
    });
});
