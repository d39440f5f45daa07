import { describe, expect, it } from "vitest";
import { siteSpec, tunnelHalf } from "../../../../test/support/networkHalves.js";
import { siteAddresses } from "./addresses.js";
import type { Desired, PathSpec } from "./desired.js";
import { planNetwork } from "./plan.js";

const [a, b, c] = [siteSpec("a", 1), siteSpec("b", 2), siteSpec("c", 3)];
const door = (own: typeof a, peer: typeof a): PathSpec => ({
    site: own.name,
    peer: peer.name,
    peerNumber: peer.siteNumber,
    tier: "nat",
    part: "door",
    admits: [siteAddresses(peer.siteNumber).public],
});
const line = (own: typeof a, peer: typeof a): PathSpec => ({
    ...door(own, peer),
    tier: "interconnect",
    admits: [siteAddresses(peer.siteNumber).cidr],
    line: {
        localInside: `169.254.96.1${own.siteNumber}`,
        remoteInside: `169.254.96.1${peer.siteNumber}`,
        remoteAsn: peer.asn,
        remoteRanges: [siteAddresses(peer.siteNumber).cidr],
    },
});
const wish = (more: Partial<Desired> = {}): Desired => ({ sites: [a, b, c], paths: [door(a, b), door(b, a)], ...more });

describe("planNetwork", () => {
    it("admits at a site's router exactly whom the site has listed, over the internet and privately apart", () => {
        const { rules, birds, charons } = planNetwork(wish());
        expect(rules["router-1"]).toContain(
            "set public_peers { type ipv4_addr; flags interval; auto-merge; elements = { 198.18.2.2 }; }",
        );
        expect(rules["router-1"]).toContain("set private_peers { type ipv4_addr; flags interval; auto-merge; }");
        expect(rules["router-3"]).not.toContain("elements");
        expect(rules["router-1"]?.match(/policy drop/g)).toHaveLength(2);
        expect([birds, charons]).toEqual([{}, {}]);
    });

    it("gives a site gateways only with tunnels, each with its own half, and a router that takes the peers' ranges alone", () => {
        const plan = planNetwork(wish({ paths: [tunnelHalf(a, b), tunnelHalf(b, a)] }));
        expect(Object.keys(plan.charons).sort()).toEqual(["vpn-1-0", "vpn-1-1", "vpn-2-0", "vpn-2-1"]);
        expect(plan.charons["vpn-1-0"]?.swanctl).toContain("remote_addrs = 198.18.2.6");
        expect(plan.charons["vpn-1-0"]?.swanctl).toContain("start_action = start");
        expect(plan.charons["vpn-2-0"]?.swanctl).not.toContain("start_action = start");
        expect(plan.birds["router-1"]).toContain("import where net ~ [ 10.2.0.0/16 ]; export none;");
        expect(plan.rules["vpn-1-0"]).toContain("elements = { 198.18.2.6 }");
        const shown = JSON.stringify({ ...plan, charons: {} });
        expect(shown).not.toMatch(/Key\dAaaa/);
    });

    it("lays the cable of a private line once both sites have ordered it", () => {
        expect(planNetwork(wish({ paths: [line(a, b)] })).cables["line-1-2"]).toBeUndefined();
        const plan = planNetwork(wish({ paths: [line(a, b), line(b, a)] }));
        expect(plan.cables["line-1-2"]?.ends.map(({ namespace, interface: name }) => `${namespace} ${name}`)).toEqual([
            "router-1 line2",
            "router-2 line1",
        ]);
        expect(plan.birds["router-1"]).toContain("bgp_local_pref = 200");
        expect(plan.birds["router-3"]).toBeUndefined();
    });

    it("changes nothing of the others when a site and its pairs come or go, and lets paths of a missing site wait", () => {
        const two = planNetwork({ sites: [a, b], paths: [tunnelHalf(a, b), tunnelHalf(b, a)] });
        const three = planNetwork({
            sites: [c, b, a],
            paths: [tunnelHalf(c, a), tunnelHalf(a, c), tunnelHalf(a, b), tunnelHalf(b, a)],
        });
        for (const part of ["namespaces", "cables"] as const) {
            expect(three[part]).toMatchObject(two[part]);
        }
        expect(three.charons["vpn-2-0"]).toEqual(two.charons["vpn-2-0"]);
        expect(three.charons["vpn-1-0"]?.tunnels["b-0"]).toEqual(two.charons["vpn-1-0"]?.tunnels["b-0"]);
        expect(planNetwork({ sites: [b], paths: [tunnelHalf(a, b)] }).charons).toEqual({});
    });

    it("uses names of interfaces that Linux takes, and addresses that no two ends share, up to the last site", () => {
        const [first, last] = [siteSpec("a", 119), siteSpec("b", 120)];
        const paths = [tunnelHalf(first, last), tunnelHalf(last, first), line(first, last), line(last, first)];
        const { cables } = planNetwork({ sites: [first, last], paths });
        const ends = Object.values(cables).flatMap((cable) => cable.ends);
        for (const end of ends) {
            expect(end.interface.length).toBeLessThanOrEqual(15);
        }
        expect(new Set(ends.map(({ address }) => address)).size).toBe(ends.length);
    });

    it("cuts off what is to be cut, silently", () => {
        const plan = planNetwork(wish({ paths: [line(a, b), line(b, a)] }), { addresses: ["198.18.1.6"], lines: ["a/b"] });
        expect(plan.rules.internet).toContain("elements = { 198.18.1.6 }");
        expect(plan.rules["router-1"]).toContain('iifname "line2" drop');
        expect(plan.rules["router-2"]).not.toContain("hook prerouting priority raw");
    });
});
