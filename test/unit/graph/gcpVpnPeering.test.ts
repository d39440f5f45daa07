import * as gcp from "@pulumi/gcp/provider.js";
import { describe, expect, it } from "vitest";
import { Mesh } from "../../../src/mesh.js";
import { gcpMocks } from "../../support/gcpMocks.js";
import { assertNoCycle, ofType, reaches } from "../../support/graph.js";
import { type Recording, record } from "../../support/recorder.js";
import { gcpMesh, gcpSite, vpnCounts } from "./gcpVpnFixture.js";

const encrypted = { pairs: { "north-south": { vpn: { encrypt: true } } } } as const;
const recorded = new Map<string, Promise<Recording>>();
const once = (key: string, run: () => Promise<Recording>): Promise<Recording> => {
    const found = recorded.get(key) ?? run();
    recorded.set(key, found);
    return found;
};
const peered = () => once("peered", () => gcpMesh(["north", "south"]));
const tunnelled = () => once("tunnelled", () => gcpMesh(["north", "south"], encrypted));

describe("two GCP sites in tier vpn", () => {
    it("are peered, in both directions, with no gateway and no tunnel", async () => {
        const recording = await peered();
        assertNoCycle(recording);
        expect(vpnCounts(recording)).toEqual({ Router: 2, RouterNat: 2, NetworkPeering: 2 });
        expect(recording.resources.filter(({ name }) => name.includes("tunnel-keys"))).toEqual([]);
        for (const [own, other] of [
            ["north", "south"],
            ["south", "north"],
        ] as const) {
            const { inputs, deleteBeforeReplace } = recording.named(`${own}-peering-with-${other}`);
            expect(inputs).toMatchObject({
                network: recording.named(`${own}-brokers`).inputs.network,
                peerNetwork: recording.named(`${other}-brokers`).inputs.network,
                exportCustomRoutes: false,
                importCustomRoutes: false,
            });
            expect(deleteBeforeReplace).toBe(true);
            for (const subnetwork of ["north-brokers", "south-brokers"]) {
                expect(reaches(recording, `${own}-peering-with-${other}`, subnetwork)).toBe(true);
            }
            for (const link of ofType(recording, ":ClusterLink")) {
                expect([link.name, own, reaches(recording, link.name, `${own}-peering-with-${other}`)]).toEqual([
                    link.name,
                    own,
                    true,
                ]);
            }
        }
    });

    it("admit each other's range, and resolve each other's name to the private door", async () => {
        const recording = await peered();
        expect(recording.named("north-vpn-from-south").inputs.sourceRanges).toEqual(["10.2.0.0/16"]);
        expect(recording.named("south-vpn-to-north").inputs).toMatchObject({
            destinationRanges: ["10.1.0.0/16"],
            allows: [{ protocol: "tcp", ports: ["8884"] }],
        });
        expect(recording.named("north-name-of-south").inputs).toMatchObject({ type: "A", rrdatas: ["10.2.0.252"] });
        expect(ofType(recording, ":Firewall").filter(({ name }) => name.includes("-nat-"))).toEqual([]);
    });

    it("may be of two projects: what is at a site is made with its provider", async () => {
        const recording = await record(() => {
            const theirs = { provider: new gcp.Provider("theirs", { project: "theirs" }) };
            const sites = [gcpSite("north", 1), gcpSite("south", 2, {}, theirs)];
            return void new Mesh("fleet", { sites, topics: ["fleet/#"], tier: "vpn" });
        }, gcpMocks);
        for (const { name, type, provider } of recording.resources.filter(({ name }) => /^(north|south)-/.test(name))) {
            if (type.startsWith("gcp:")) {
                expect([name, provider.includes("::theirs::")]).toEqual([name, name.startsWith("south-")]);
            }
        }
    });

    it("have two tunnels instead where the pair asks for encryption, which name each other's gateway", async () => {
        const recording = await tunnelled();
        assertNoCycle(recording);
        expect(vpnCounts(recording)).toEqual({
            Router: 4,
            RouterNat: 2,
            HaVpnGateway: 2,
            VPNTunnel: 4,
            RouterInterface: 4,
            RouterPeer: 4,
            RouterRoutePolicy: 2,
        });
        for (const [own, other, hosts] of [
            ["north", "south", [49, 53]],
            ["south", "north", [50, 54]],
        ] as const) {
            for (const key of [0, 1]) {
                const { inputs } = recording.named(`${own}-vpn-tunnel-${other}-${key}`);
                expect(inputs).toMatchObject({
                    vpnGatewayInterface: key,
                    vpnGateway: expect.stringMatching(`/${own}-vpn-gateway$`),
                    peerGcpGateway: expect.stringMatching(`/${other}-vpn-gateway$`),
                });
                expect(inputs).not.toHaveProperty("peerExternalGateway");
                expect(recording.named(`${own}-vpn-interface-${other}-${key}`).inputs.ipRange).toBe(
                    `169.254.32.${hosts[key]}/30`,
                );
            }
        }
    });

    it("share the key of each tunnel, and wait for each other's gateway, never for each other's tunnels", async () => {
        const recording = await tunnelled();
        const keyOf = (name: string) => recording.named(name).inputs.sharedSecret;
        expect([0, 1].map((key) => keyOf(`north-vpn-tunnel-south-${key}`))).toEqual(
            [0, 1].map((key) => keyOf(`south-vpn-tunnel-north-${key}`)),
        );
        expect(new Set(ofType(recording, ":VPNTunnel").map(({ name }) => keyOf(name))).size).toBe(2);
        expect(reaches(recording, "north-vpn-tunnel-south-0", "south-vpn-gateway")).toBe(true);
        expect(reaches(recording, "south-vpn-tunnel-north-0", "north-vpn-gateway")).toBe(true);
        expect(reaches(recording, "north-vpn-tunnel-south-0", "south-vpn-tunnel-north-0")).toBe(false);
        expect(reaches(recording, "south-vpn-tunnel-north-0", "north-vpn-tunnel-south-0")).toBe(false);
    });
});

describe("three GCP sites in tier vpn", () => {
    it("peer one after the other, as far as they share a network, in the order of the pairs", async () => {
        const recording = await gcpMesh(["a", "b", "c"]);
        assertNoCycle(recording);
        expect(vpnCounts(recording)).toMatchObject({ NetworkPeering: 6 });
        const order = [
            "a-peering-with-b",
            "b-peering-with-a",
            "a-peering-with-c",
            "c-peering-with-a",
            "b-peering-with-c",
            "c-peering-with-b",
        ];
        for (const [index, earlier] of order.entries()) {
            for (const later of order.slice(index + 1)) {
                expect([later, earlier, reaches(recording, later, earlier)]).toEqual([later, earlier, true]);
            }
        }
    });
});
