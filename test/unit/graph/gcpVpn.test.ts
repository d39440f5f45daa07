import { describe, expect, it } from "vitest";
import { GcpSite } from "../../../src/gcp/index.js";
import { presharedKeyForm } from "../../../src/ipsec/suite.js";
import { gcpMocks } from "../../support/gcpMocks.js";
import { addedBetween, assertNoCycle, changedBetween, ofType, reaches } from "../../support/graph.js";
import { type Recording, record } from "../../support/recorder.js";
import { aws, azure, othersByNat, vpnCounts, vpnMesh } from "./gcpVpnFixture.js";

const recorded = new Map<string, Promise<Recording>>();
const once = (key: string, run: () => Promise<Recording>): Promise<Recording> => {
    const found = recorded.get(key) ?? run();
    recorded.set(key, found);
    return found;
};
const withAws = () => once("aws", () => vpnMesh({ aws }));
const withAzure = () => once("azure", () => vpnMesh({ azure }));
const withBoth = () => once("both", () => vpnMesh({ aws, azure }, {}, othersByNat));

const four = [0, 1, 2, 3];
const two = [0, 1];
const inputsOf = (recording: Recording, what: string, numbers: readonly number[], ...keys: readonly string[]) =>
    numbers.map((number) => {
        const { inputs } = recording.named(`${what}-${number}`);
        return keys.map((key) => inputs[key]);
    });

describe("a GCP site in tier vpn", () => {
    it("has no gateway, tunnel or private door without a mesh, nor with pairs of tier nat alone", async () => {
        const alone = await record(
            () => void new GcpSite("gcp", { siteNumber: 2, region: "europe-west4", adminCidrs: ["203.0.113.7/32"] }),
            gcpMocks,
        );
        for (const recording of [alone, await vpnMesh({ aws }, {}, { tier: "nat" })]) {
            expect(vpnCounts(recording)).toEqual({ Router: 1, RouterNat: 1 });
            expect(recording.resources.filter(({ name }) => /private-door|vpn/.test(name))).toEqual([]);
        }
    });

    it("has a gateway with a router of its own, and four tunnels with a session in each for a peer in AWS", async () => {
        expect(vpnCounts(await withAws())).toEqual({
            Router: 2,
            RouterNat: 1,
            HaVpnGateway: 1,
            ExternalVpnGateway: 1,
            VPNTunnel: 4,
            RouterInterface: 4,
            RouterPeer: 4,
            RouterRoutePolicy: 1,
        });
    });

    it("has two tunnels for a peer in Azure", async () => {
        expect(vpnCounts(await withAzure())).toMatchObject({
            HaVpnGateway: 1,
            ExternalVpnGateway: 1,
            VPNTunnel: 2,
            RouterInterface: 2,
            RouterPeer: 2,
        });
    });

    it("shares gateway and router among its pairs", async () => {
        expect(vpnCounts(await withBoth())).toEqual({
            Router: 2,
            RouterNat: 1,
            HaVpnGateway: 1,
            ExternalVpnGateway: 2,
            VPNTunnel: 6,
            RouterInterface: 6,
            RouterPeer: 6,
            RouterRoutePolicy: 2,
        });
    });

    it("notices a second pair nowhere: it adds and changes nothing", async () => {
        for (const [one, peer] of [
            [await withAws(), "azure"],
            [await withAzure(), "aws"],
        ] as const) {
            const both = await withBoth();
            // Peers' own plants and the mesh are no business of the site.
            expect(changedBetween(one, both).filter((name) => name !== "fleet")).toEqual([]);
            const added = addedBetween(one, both).filter((name) => name.startsWith("gcp-"));
            expect(added.filter((name) => !name.includes(peer))).toEqual([]);
        }
    });

    it("announces exactly the site's range, with the least keepalive that GCP takes, after the subnetwork is there", async () => {
        const recording = await withAws();
        expect(recording.named("gcp-vpn-router").inputs.bgp).toEqual({
            asn: 64_522,
            advertiseMode: "CUSTOM",
            advertisedIpRanges: [{ range: "10.2.0.0/16", description: "Site gcp" }],
            keepaliveInterval: 20,
        });
        expect(recording.named("gcp-vpn-gateway").inputs).toMatchObject({ stackType: "IPV4_ONLY", region: "europe-west4" });
        expect(recording.named("gcp-router").inputs).not.toHaveProperty("bgp");
        for (const name of ["gcp-vpn-router", "gcp-vpn-gateway"]) {
            expect([name, reaches(recording, name, "gcp-brokers")]).toEqual([name, true]);
        }
    });

    it("knows a peer in AWS by the address of each of its tunnels, and meets it as AWS numbers them", async () => {
        const recording = await withAws();
        expect(recording.named("gcp-vpn-peer-gateway-aws").inputs).toMatchObject({
            redundancyType: "FOUR_IPS_REDUNDANCY",
            interfaces: four.map((id) => ({ id, ipAddress: `aws-tunnel-${id}-id` })),
        });
        expect(inputsOf(recording, "gcp-vpn-tunnel-aws", four, "vpnGatewayInterface", "peerExternalGatewayInterface")).toEqual([
            [0, 0],
            [0, 1],
            [1, 2],
            [1, 3],
        ]);
        expect(inputsOf(recording, "gcp-vpn-interface-aws", four, "ipRange")).toEqual(
            [50, 54, 58, 62].map((host) => [`169.254.32.${host}/30`]),
        );
        expect(inputsOf(recording, "gcp-vpn-session-aws", four, "ipAddress", "peerIpAddress", "peerAsn")).toEqual(
            [50, 54, 58, 62].map((host) => [`169.254.32.${host}`, `169.254.32.${host - 1}`, 64_521]),
        );
        expect(four.map((key) => recording.named(`aws-tunnel-${key}`).inputs.peer)).toEqual(
            [0, 0, 1, 1].map((number) => `${number}-of-gcp-vpn-gateway`),
        );
    });

    it("knows a peer in Azure by its two addresses, and takes the first host of Azure's ranges", async () => {
        const recording = await withAzure();
        expect(recording.named("gcp-vpn-peer-gateway-azure").inputs).toMatchObject({
            redundancyType: "TWO_IPS_REDUNDANCY",
            interfaces: two.map((id) => ({ id, ipAddress: `azure-address-${id}-id` })),
        });
        expect(inputsOf(recording, "gcp-vpn-tunnel-azure", two, "vpnGatewayInterface", "peerExternalGatewayInterface")).toEqual([
            [0, 0],
            [1, 1],
        ]);
        expect(inputsOf(recording, "gcp-vpn-session-azure", two, "ipAddress", "peerIpAddress", "peerAsn")).toEqual([
            ["169.254.21.41", "169.254.21.42", 64_523],
            ["169.254.21.45", "169.254.21.46", 64_523],
        ]);
    });

    it("leads both interfaces to a device with one address", async () => {
        const recording = await vpnMesh({ plant: { platform: "external", siteNumber: 7, addresses: 1 } });
        expect(recording.named("gcp-vpn-peer-gateway-plant").inputs).toMatchObject({
            redundancyType: "SINGLE_IP_INTERNALLY_REDUNDANT",
            interfaces: [{ id: 0, ipAddress: "plant-address-0-id" }],
        });
        expect(inputsOf(recording, "gcp-vpn-tunnel-plant", two, "vpnGatewayInterface", "peerExternalGatewayInterface")).toEqual([
            [0, 0],
            [1, 0],
        ]);
    });

    it("takes from a peer its own ranges alone", async () => {
        const ranges = ["10.7.0.0/16", "192.168.7.0/24"];
        const recording = await vpnMesh({ plant: { platform: "external", siteNumber: 7, ranges } });
        const ofPeer = "destination.inAnyRange([prefix('10.7.0.0/16').orLonger(), prefix('192.168.7.0/24').orLonger()])";
        expect(recording.named("gcp-vpn-routes-from-plant").inputs).toMatchObject({
            router: "gcp-vpn-router-0000000",
            type: "ROUTE_POLICY_TYPE_IMPORT",
            terms: [
                { priority: 1, match: { expression: ofPeer }, actions: [{ expression: "accept()" }] },
                { priority: 2, match: { expression: `!${ofPeer}` }, actions: [{ expression: "drop()" }] },
            ],
        });
        expect(inputsOf(recording, "gcp-vpn-session-plant", two, "importPolicies")).toEqual([
            [["gcp-vpn-routes-from-plant-0000000"]],
            [["gcp-vpn-routes-from-plant-0000000"]],
        ]);
    });

    it("gives each tunnel a key of its own, which is secret, and the same to the peer", async () => {
        const recording = await withBoth();
        const tunnels = ofType(recording, ":VPNTunnel");
        expect(new Set(tunnels.map(({ inputs }) => inputs.sharedSecret)).size).toBe(6);
        for (const { name, inputs, secrets, secretOutputs } of tunnels) {
            expect([name, inputs.sharedSecret]).toEqual([name, expect.stringMatching(presharedKeyForm)]);
            expect([name, secrets]).toEqual([name, ["sharedSecret"]]);
            expect(secretOutputs).toEqual(expect.arrayContaining(["sharedSecret", "sharedSecretHash"]));
            const [, peer, key] = /^gcp-vpn-tunnel-(.+)-(\d)$/.exec(name) ?? [];
            expect(recording.named(`${peer}-tunnel-${key}`).inputs.key).toBe(inputs.sharedSecret);
        }
    });

    it("offers one algorithm for each role, in GCP's words", async () => {
        expect(inputsOf(await withAws(), "gcp-vpn-tunnel-aws", [2], "ikeVersion", "cipherSuite")).toEqual([
            [
                2,
                {
                    phase1: {
                        encryptions: ["AES-CBC-256"],
                        integrities: ["HMAC-SHA2-256-128"],
                        prves: ["PRF-HMAC-SHA2-256"],
                        dhs: ["Group-14"],
                    },
                    phase2: { encryptions: ["AES-CBC-256"], integrities: ["HMAC-SHA2-256-128"], pfs: ["Group-14"] },
                },
            ],
        ]);
        const other = await vpnMesh({ azure }, {}, { pairs: { "azure-gcp": { vpn: { suite: "aes-gcm" } } } });
        expect(inputsOf(other, "gcp-vpn-tunnel-azure", [1], "cipherSuite")).toEqual([
            [
                {
                    phase1: { encryptions: ["AES-GCM-16-256"], prves: ["PRF-HMAC-SHA2-384"], dhs: ["Group-20"] },
                    phase2: { encryptions: ["AES-GCM-16-256"], pfs: ["Group-20"] },
                },
            ],
        ]);
    });

    it("orders session, interface, tunnel and gateway, and waits for nothing of a peer but addresses", async () => {
        const recording = await withBoth();
        assertNoCycle(recording);
        for (const [from, to] of [
            ["gcp-vpn-session-aws-0", "gcp-vpn-interface-aws-0"],
            ["gcp-vpn-session-aws-0", "gcp-vpn-routes-from-aws"],
            ["gcp-vpn-interface-aws-0", "gcp-vpn-tunnel-aws-0"],
            ["gcp-vpn-tunnel-aws-0", "gcp-vpn-peer-gateway-aws"],
            ["gcp-vpn-tunnel-aws-0", "gcp-vpn-router"],
            ["gcp-vpn-tunnel-aws-0", "gcp-vpn-gateway"],
            ["gcp-vpn-peer-gateway-aws", "aws-tunnel-3"],
            ["gcp-vpn-peer-gateway-azure", "azure-address-1"],
            // What a pair changes on the router is changed one after the other.
            ["gcp-vpn-interface-aws-1", "gcp-vpn-session-aws-0"],
        ] as const) {
            expect([from, to, reaches(recording, from, to)]).toEqual([from, to, true]);
        }
        for (const { name } of recording.resources.filter((one) => one.type.startsWith("gcp:") && !one.type.includes("dns/"))) {
            expect([name, reaches(recording, name, "azure-gateway")]).toEqual([name, false]);
            if (!name.includes("aws")) {
                for (const of of ["aws-gateway", "aws-tunnel-0", "gcp-vpn-session-aws-0"]) {
                    expect([name, of, reaches(recording, name, of)]).toEqual([name, of, false]);
                }
            }
        }
        // AWS waits for the gateway's address, not for what comes of it.
        expect(reaches(recording, "aws-tunnel-0", "gcp-vpn-gateway")).toBe(true);
        expect(reaches(recording, "aws-tunnel-0", "gcp-vpn-router")).toBe(false);
    });

    it("makes its part of a tunnel anew only after the former is gone, a session with its interface, whose name it has", async () => {
        const recording = await withBoth();
        for (const key of four) {
            const { inputs } = recording.named(`gcp-vpn-session-aws-${key}`);
            expect([inputs.name, inputs.interface]).toEqual(Array(2).fill(`gcp-vpn-interface-aws-${key}-0000000`));
        }
        for (const type of [":ExternalVpnGateway", ":VPNTunnel", ":RouterInterface", ":RouterPeer", ":RouterRoutePolicy"]) {
            for (const { name, deleteBeforeReplace } of ofType(recording, type)) {
                expect([name, deleteBeforeReplace]).toEqual([name, true]);
            }
        }
    });

    it("lets links begin when all of its half is there, and nothing of the site before", async () => {
        const recording = await withAws();
        for (const { name } of ofType(recording, ":ClusterLink")) {
            for (const part of [
                "vpn-session-aws-0",
                "vpn-session-aws-3",
                "vpn-routes-from-aws",
                "private-door",
                "vpn-from-aws",
                "vpn-to-aws",
            ]) {
                expect([name, part, reaches(recording, name, `gcp-${part}`)]).toEqual([name, part, true]);
            }
        }
        for (const part of ["gcp-vpn-gateway", "gcp-private-door"]) {
            expect(reaches(recording, "gcp-membership-1", part)).toBe(false);
        }
    });

    it("belongs in its fixed parts to the site and in its tunnels to the mesh, in the site's project, region and labels", async () => {
        const recording = await vpnMesh({ aws }, { project: "acme", tags: { team: "iot" } });
        for (const { name, parent, inputs, type } of recording.resources.filter(
            (one) => one.type.startsWith("gcp:") && /vpn|private-door/.test(one.name),
        )) {
            expect([name, parent]).toEqual([name, /-aws/.test(name) ? "fleet" : "gcp"]);
            expect([name, inputs.project]).toEqual([name, "acme"]);
            if (/:(HaVpnGateway|ExternalVpnGateway|VPNTunnel|Address|ForwardingRule)$/.test(type)) {
                expect([name, inputs.labels]).toEqual([name, expect.objectContaining({ team: "iot", "linkspan-site": "gcp" })]);
            }
            if (!/:(Firewall|ExternalVpnGateway)$/.test(type)) {
                expect([name, inputs.region]).toEqual([name, "europe-west4"]);
            }
        }
    });

    it("says where each tunnel's state is seen", async () => {
        const { paths } = (await withAws()).outputs as { paths: readonly { readonly tunnels: readonly unknown[] }[] };
        expect(paths[0]?.tunnels[3]).toMatchObject({
            tunnel: "3",
            inside: "169.254.32.60/30",
            outsideAddresses: { gcp: "1-of-gcp-vpn-gateway", aws: "aws-tunnel-3-id" },
            lookAt: {
                gcp: "VPN tunnel gcp-vpn-tunnel-aws-3-0000000 in europe-west4, BGP session gcp-vpn-interface-aws-3-0000000 of router gcp-vpn-router-0000000",
            },
        });
    });
});
