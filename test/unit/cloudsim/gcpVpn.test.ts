import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DirectCloud } from "../../cloudsim/directCloud.js";
import { gcp } from "../../cloudsim/gcp/index.mts";
import { types } from "../../cloudsim/gcp/tokens.mts";
import type { Props } from "../../cloudsim/types.mts";

type Kind = keyof typeof types;
type Made = Props & { readonly id: string };

const region = "europe-west4";
let cloud: DirectCloud;
beforeEach(() => {
    cloud = new DirectCloud(gcp, { project: "acme" });
});
afterEach(() => cloud.dispose());

const make = (kind: Kind, name: string, inputs: Props): Promise<Made> => cloud.create(types[kind], { name, ...inputs }, name);
const remove = (kind: Kind, { id }: Made) => cloud.remove(types[kind], id);

async function networkOf(name: string, number: number) {
    const network = await make("network", name, { autoCreateSubnetworks: false });
    await make("subnetwork", `${name}-sub`, { network: network.selfLink, region, ipCidrRange: `10.${number}.0.0/24` });
    return network;
}

/** A gateway with its router, and a peer with four addresses. */
async function gateway() {
    const network = await networkOf("net", 2);
    const own = await make("haVpnGateway", "gw", { network: network.selfLink, region });
    const router = await make("router", "router", { network: network.selfLink, region, bgp: { asn: 64_522 } });
    const peer = await make("externalVpnGateway", "peer", {
        redundancyType: "FOUR_IPS_REDUNDANCY",
        interfaces: [0, 1, 2, 3].map((id) => ({ id, ipAddress: `203.0.113.${10 + id}` })),
    });
    return { network, own, router, peer };
}

async function base() {
    const parts = await gateway();
    const { own, router, peer } = parts;
    const tunnel = (name: string, more: Props = {}) =>
        make("vpnTunnel", name, {
            region,
            vpnGateway: own.selfLink,
            vpnGatewayInterface: 0,
            peerExternalGateway: peer.selfLink,
            peerExternalGatewayInterface: 0,
            sharedSecret: "key",
            router: router.selfLink,
            ...more,
        });
    const face = (name: string, vpnTunnel: unknown, ipRange = "169.254.32.2/30") =>
        make("routerInterface", name, { region, router: "router", ipRange, vpnTunnel });
    const session = (more: Props = {}) =>
        make("routerPeer", "session", {
            region,
            router: "router",
            interface: "face",
            ipAddress: "169.254.32.2",
            peerIpAddress: "169.254.32.1",
            peerAsn: 64_521,
            ...more,
        });
    return { ...parts, tunnel, face, session };
}

describe("what the simulated Google Cloud refuses of VPN gateways", () => {
    it.each<[string, Props, string]>([
        [
            "too few addresses for its kind",
            { redundancyType: "TWO_IPS_REDUNDANCY", interfaces: [{ id: 0, ipAddress: "203.0.113.1" }] },
            "needs interfaces with the ids 0 to 1",
        ],
        [
            "a private address",
            { redundancyType: "SINGLE_IP_INTERNALLY_REDUNDANT", interfaces: [{ id: 0, ipAddress: "10.0.0.1" }] },
            "RFC1918",
        ],
        ["an unknown kind", { redundancyType: "THREE_IPS", interfaces: [] }, "Unknown redundancy type"],
    ])("a peer with %s", async (_what, inputs, message) => {
        await expect(make("externalVpnGateway", "bad", inputs)).rejects.toThrow(message);
    });

    it("the address of a gateway of its own as a peer outside", async () => {
        const { own } = await gateway();
        const [{ ipAddress } = {}] = own.vpnInterfaces as readonly Props[];
        await expect(
            make("externalVpnGateway", "own", {
                redundancyType: "SINGLE_IP_INTERNALLY_REDUNDANT",
                interfaces: [{ id: 0, ipAddress }],
            }),
        ).rejects.toThrow("owned by Google");
    });

    it.each<[string, Props, string]>([
        ["an interface that the peer has not", { peerExternalGatewayInterface: 4 }, "no such interface"],
        ["a third interface of the gateway", { vpnGatewayInterface: 2 }, "interfaces 0 and 1"],
        ["IKEv1", { ikeVersion: 1 }, "HA VPN needs IKEv2"],
        ["another cloud's word", { cipherSuite: { phase1: { encryptions: ["AES256"] } } }, "Unknown algorithm"],
        [
            "no forward secrecy",
            { cipherSuite: { phase2: { encryptions: ["AES-CBC-256"] } } },
            "Perfect forward secrecy is required",
        ],
        ["no peer", { peerExternalGateway: undefined }, "Exactly one of"],
        ["no key", { sharedSecret: undefined }, "Missing required property 'sharedSecret'"],
    ])("a tunnel with %s", async (_what, more, message) => {
        const { tunnel } = await base();
        await expect(tunnel("bad", more)).rejects.toThrow(message);
    });

    it("a tunnel whose router has no BGP, or is of another network", async () => {
        const { network, tunnel } = await base();
        const plain = await make("router", "plain", { network: network.selfLink, region });
        await expect(tunnel("bad", { router: plain.selfLink })).rejects.toThrow("must have BGP");
        const elsewhere = await networkOf("elsewhere", 9);
        const other = await make("router", "other", { network: elsewhere.selfLink, region, bgp: { asn: 64_522 } });
        await expect(tunnel("bad", { router: other.selfLink })).rejects.toThrow("in one network and region");
    });

    it("two tunnels in one place, two interfaces on one tunnel, and ranges that meet in one network", async () => {
        const { tunnel, face } = await base();
        const first = await tunnel("first");
        await expect(tunnel("again")).rejects.toThrow("same peer external VPN gateway interface");
        const second = await tunnel("second", { peerExternalGatewayInterface: 1 });
        await face("face", first.selfLink);
        await expect(face("again", first.selfLink, "169.254.32.6/30")).rejects.toThrow("Cannot link multiple interfaces");
        await expect(face("clash", second.selfLink, "169.254.32.1/30")).rejects.toThrow("overlaps that of");
        await expect(face("whole", second.selfLink, "169.254.32.4/30")).rejects.toThrow("Must be a host of a /30");
        await expect(face("wide", second.selfLink, "10.0.0.1/30")).rejects.toThrow("Must be a host of a /30");
    });

    it.each<[string, Props, string]>([
        ["another address than its interface's", { ipAddress: "169.254.32.1" }, "The interface has 169.254.32.2"],
        ["a peer elsewhere", { peerIpAddress: "169.254.32.5" }, "other host of the interface's range"],
        ["the router's own number", { peerAsn: 64_522 }, "The router itself has this number"],
        ["a policy that is not there", { importPolicies: ["none"] }, "'none' was not found"],
    ])("a session with %s", async (_what, more, message) => {
        const { tunnel, face, session } = await base();
        await face("face", (await tunnel("tunnel")).selfLink);
        await expect(session(more)).rejects.toThrow(message);
    });

    it("deletion of what is in use, down to the gateway", async () => {
        const { own, router, peer, tunnel, face, session } = await base();
        const policy = await make("routePolicy", "policy", {
            region,
            router: "router",
            type: "ROUTE_POLICY_TYPE_IMPORT",
            terms: [
                {
                    priority: 1,
                    match: { expression: "destination.inAnyRange([prefix('10.1.0.0/16').orLonger()])" },
                    actions: [{ expression: "accept()" }],
                },
            ],
        });
        const made = await tunnel("tunnel");
        const edge = await face("face", made.selfLink);
        const talk = await session({ importPolicies: ["policy"] });
        const chain: readonly (readonly [Kind, Made])[] = [
            ["routerPeer", talk],
            ["routePolicy", policy],
            ["routerInterface", edge],
            ["vpnTunnel", made],
            ["externalVpnGateway", peer],
            ["haVpnGateway", own],
            ["router", router],
        ];
        for (const [kind, object] of chain.slice(1)) {
            await expect(remove(kind, object), kind).rejects.toThrow("already being used by");
        }
        for (const [kind, object] of chain) {
            await remove(kind, object);
        }
    });

    it("replaces a tunnel for all but its labels, and a session for its router alone", () => {
        const tunnel = { sharedSecret: "a", region, vpnGatewayInterface: 0, name: "t" };
        expect(cloud.replaces(types.vpnTunnel, tunnel, { ...tunnel, sharedSecret: "b" })).toEqual(["sharedSecret"]);
        expect(cloud.replaces(types.vpnTunnel, tunnel, { ...tunnel, labels: { a: "b" } })).toEqual([]);
        const session = { region, router: "router", interface: "one", peerAsn: 1, name: "s" };
        expect(cloud.replaces(types.routerPeer, session, { ...session, interface: "two" })).toEqual([]);
    });

    it.each<[string, Props, string]>([
        ["two terms of one priority", { terms: [{ priority: 1 }, { priority: 1 }] }, "Priorities of terms must differ"],
        [
            "an expression of another language",
            { terms: [{ priority: 1, match: { expression: "10.1.0.0/16" } }] },
            "Not an expression",
        ],
        ["a type that is none", { type: "IMPORT", terms: [{ priority: 1 }] }, "Unknown type of policy"],
    ])("a route policy with %s", async (_what, more, message) => {
        await gateway();
        await expect(
            make("routePolicy", "policy", { region, router: "router", type: "ROUTE_POLICY_TYPE_IMPORT", ...more }),
        ).rejects.toThrow(message);
    });
});

describe("peerings of the simulated Google Cloud", () => {
    const peer = (one: Made, other: Made) =>
        make("networkPeering", `${String(one.name)}-${String(other.name)}`, {
            network: one.selfLink,
            peerNetwork: other.selfLink,
        });

    it("are refused twice, with oneself, and between networks that share addresses", async () => {
        const [one, two, same] = [await networkOf("one", 1), await networkOf("two", 2), await networkOf("same", 1)];
        await peer(one, two);
        await expect(make("networkPeering", "again", { network: one.selfLink, peerNetwork: two.selfLink })).rejects.toThrow(
            "already a peering",
        );
        await expect(peer(one, one)).rejects.toThrow("cannot be peered with itself");
        await expect(peer(one, same)).rejects.toThrow("overlaps with an IP range");
    });

    it("are made one at a time for each network, and of others at once", async () => {
        const slow = new DirectCloud(gcp, { project: "acme" }, 1);
        const network = (name: string) => slow.create(types.network, { name, autoCreateSubnetworks: false }, name);
        const between = (one: Made, other: Made) => {
            const name = `${String(one.name)}-${String(other.name)}`;
            return slow.create(types.networkPeering, { name, network: one.selfLink, peerNetwork: other.selfLink }, name);
        };
        const [a, b, c, d] = [await network("a"), await network("b"), await network("c"), await network("d")];
        const [first, second, third] = await Promise.allSettled([between(a, b), between(c, d), between(b, c)]);
        expect([first.status, second.status]).toEqual(["fulfilled", "fulfilled"]);
        expect(third).toMatchObject({ reason: { message: expect.stringContaining("peering operation in progress") } });
        await between(b, c);
        slow.dispose();
    });
});

describe("internal forwarding rules of the simulated Google Cloud", () => {
    it("are refused without a reserved address of their subnetwork", async () => {
        const network = await networkOf("net", 2);
        const subnetwork = cloud.view.find(types.subnetwork, "net-sub")?.outputs.selfLink;
        const group = await make("instanceGroup", "group", { zone: `${region}-a`, network: network.selfLink });
        const check = await make("healthCheck", "check", { region, httpsHealthCheck: { port: 18_084 } });
        const backend = await make("backendService", "backend", {
            region,
            loadBalancingScheme: "INTERNAL",
            protocol: "TCP",
            network: network.selfLink,
            healthChecks: check.selfLink,
            backends: [{ group: group.selfLink, balancingMode: "CONNECTION" }],
        });
        const rule = (ipAddress: unknown) =>
            make("forwardingRule", "door", {
                region,
                loadBalancingScheme: "INTERNAL",
                ipProtocol: "TCP",
                network: network.selfLink,
                subnetwork,
                ports: ["8884"],
                allowGlobalAccess: true,
                backendService: backend.selfLink,
                ipAddress,
            });
        const open = await make("address", "open", { region });
        await expect(rule(open.address)).rejects.toThrow("Must be a reserved address of the rule's subnetwork");
        const home = await make("address", "home", { region, addressType: "INTERNAL", subnetwork, address: "10.2.0.252" });
        await rule(home.address);
        await expect(remove("address", home)).rejects.toThrow("already being used by");
    });
});
