import * as azure from "@pulumi/azure-native/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { AzureSite, type AzureSiteArgs } from "../../../src/azure/index.js";
import type { TierPeer } from "../../../src/contracts/site.js";
import { ExternalSite } from "../../../src/external/index.js";
import { MeshIdentity } from "../../../src/identity/meshIdentity.js";
import { Mesh } from "../../../src/mesh.js";
import { addedBetween, assertNoCycle, changedBetween, ofType, reaches } from "../../support/graph.js";
import { type Recording, record } from "../../support/recorder.js";
import { existingAnswer, existingNetwork, minimal, outputs } from "./azureFixture.js";

const licensed = { license: "evaluation" } as const;

/** An existing cluster, whose link door has a port of its own. */
const plant = () =>
    new ExternalSite("plant", {
        siteNumber: 90,
        meshId: "fleet",
        clusterName: "emqx-plant",
        identity: MeshIdentity.of("fleet"),
        api: { url: "https://plant.example.com:18084", key: "key", secret: pulumi.secret("api-S3cret") },
        link: { server: "plant.example.com:9884", egressAddresses: ["198.51.99.7"] },
        clients: { host: "plant.example.com", username: "probe", password: pulumi.secret("probe-S3cret") },
    });

/** Meshes that several tests look at, recorded once for the same plain arguments. */
const recordings = new Map<string, Promise<Recording>>();

/** Azure sites by name and arguments, in one mesh; their site numbers in their order. */
function mesh(
    sites: Readonly<Record<string, Partial<AzureSiteArgs>>>,
    more: { readonly plant?: boolean } = {},
): Promise<Recording> {
    const key = JSON.stringify([sites, more]);
    const found = recordings.get(key) ?? recordMesh(sites, more.plant === true);
    recordings.set(key, found);
    return found;
}

function recordMesh(sites: Readonly<Record<string, Partial<AzureSiteArgs>>>, withPlant: boolean): Promise<Recording> {
    return record(
        () => {
            const clouds = Object.entries(sites).map(
                ([name, args], index) => new AzureSite(name, { ...minimal, siteNumber: index + 1, ...args }),
            );
            new Mesh("all", { sites: [...clouds, ...(withPlant ? [plant()] : [])], topics: ["fleet/#"] });
        },
        { outputs, calls: () => existingAnswer },
    );
}

const rule = (recording: Recording, name: string) => {
    const { direction, access, protocol, priority, ...inputs } = recording.named(name).inputs;
    const who =
        direction === "Inbound"
            ? (inputs.sourceAddressPrefixes ?? inputs.sourceAddressPrefix)
            : (inputs.destinationAddressPrefixes ?? inputs.destinationAddressPrefix);
    return `${direction} ${priority} ${access} ${protocol} ${who} ${inputs.destinationPortRanges}`;
};

describe("Azure sites in a mesh", () => {
    it("open their link doors to the addresses that a peer comes from, one rule per peer", async () => {
        const recording = await mesh({ a: {}, b: {}, c: {} });
        expect(rule(recording, "a-nat-from-b")).toBe("Inbound 1002 Allow Tcp 20.0.2.1/32 8884");
        expect(rule(recording, "a-nat-from-c")).toBe("Inbound 1003 Allow Tcp 20.0.3.1/32 8884");
        expect(rule(recording, "b-nat-from-a")).toBe("Inbound 1001 Allow Tcp 20.0.1.1/32 8884");
        expect(recording.named("a-nat-from-b").parent).toBe("all");
        const open = ofType(recording, ":SecurityRule").filter(
            ({ inputs }) =>
                inputs.direction === "Inbound" && (inputs.destinationPortRanges as string[] | undefined)?.includes("8884"),
        );
        expect(open).toHaveLength(6);
    });

    it("let brokers out to a peer's link door: to its address where it has one, by its port behind a name", async () => {
        const recording = await mesh({ a: {}, b: {} }, { plant: true });
        expect(rule(recording, "a-nat-to-b")).toBe("Outbound 1002 Allow Tcp 20.0.2.2/32 8884");
        expect(rule(recording, "a-nat-to-plant")).toBe("Outbound 1090 Allow Tcp Internet 9884");
    });

    it("let brokers out to the fixed addresses that a peer's name leads to", async () => {
        const recording = await record(
            () => {
                const site = new AzureSite("a", minimal);
                const peer = peerOf(site, 2);
                const address = {
                    host: "peer2.link.mesh.internal",
                    recordType: "CNAME",
                    value: pulumi.output("doors-1.elb.eu-central-1.amazonaws.com"),
                    leadsTo: ["198.51.99.8", "198.51.99.9"].map((one) => ({ key: one, address: pulumi.output(one) })),
                    port: 8884,
                } as const;
                site.publicEnd().admit({ ...peer, door: { ...peer.door, address } }, { parent: site });
            },
            { outputs },
        );
        expect(recording.named("a-nat-to-peer2").inputs).toMatchObject({
            destinationAddressPrefixes: ["198.51.99.8/32", "198.51.99.9/32"],
            destinationPortRanges: ["8884"],
        });
    });

    it("give every rule of a group and a direction a priority of its own, up to the highest site number", async () => {
        const peers = [2, 3, 96, 119, 120];
        const recording = await record(
            () => {
                const site = new AzureSite("a", { ...minimal, reach: "direct", adminCidrs: ["10.77.0.0/16"] });
                const end = site.publicEnd();
                for (const siteNumber of peers) {
                    end.admit(peerOf(site, siteNumber), { parent: site });
                }
            },
            { outputs },
        );
        for (const direction of ["Inbound", "Outbound"]) {
            const found = ofType(recording, ":SecurityRule")
                .filter(({ inputs }) => inputs.direction === direction)
                .map(({ inputs }) => Number(inputs.priority));
            expect(found).toEqual(expect.arrayContaining(peers.map((siteNumber) => 1000 + siteNumber)));
            expect(new Set(found).size).toBe(found.length);
            expect(found.every((priority) => priority >= 100 && priority <= 4096)).toBe(true);
        }
    });

    it("refuse a peer whose addresses nobody knows", async () => {
        await record(
            () => {
                const site = new AzureSite("a", minimal);
                const admit = () => site.publicEnd().admit({ ...peerOf(site, 2), egress: [] }, { parent: site });
                expect(admit).toThrow("peer2 has no known addresses, which a could admit");
            },
            { outputs },
        );
    });

    it("never make an allow-list wait for a NAT gateway or a load balancer", async () => {
        const recording = await mesh({ a: {}, b: {}, c: {} });
        assertNoCycle(recording);
        const slow = [":NatGateway", ":LoadBalancer", ":Subnet", ":VirtualMachine"].flatMap((type) =>
            ofType(recording, type).map(({ name }) => name),
        );
        expect(slow).toHaveLength(12);
        const rules = recording.resources.filter(({ name }) => /-nat-(from|to)-/.test(name));
        expect(rules).toHaveLength(12);
        for (const { name } of rules) {
            for (const other of slow) {
                expect([name, other, reaches(recording, name, other)]).toEqual([name, other, false]);
            }
        }
        expect(reaches(recording, "a-nat-from-b", "b-egress")).toBe(true);
        expect(reaches(recording, "a-nat-to-b", "b-doors-address")).toBe(true);
    });

    it("find each other by names in a zone that the network sees before", async () => {
        const recording = await mesh({ a: {}, b: {} });
        expect(recording.named("a-name-of-b")).toMatchObject({
            parent: "all",
            inputs: {
                privateZoneName: "a-link-zone-made",
                relativeRecordSetName: "b",
                recordType: "A",
                ttl: 5,
                aRecords: [{ ipv4Address: "20.0.2.2" }],
            },
        });
        expect(recording.named("a-link-zone").inputs.privateZoneName).toBe("link.fleet.internal");
        expect(recording.named("a-link-zone-in-network").inputs.registrationEnabled).toBe(false);
        expect(reaches(recording, "a-name-of-b", "a-link-zone-in-network")).toBe(true);
        expect(recording.named("all-a-b-a-to-b").inputs).toMatchObject({
            server: "a.link.fleet.internal:8884",
            tls: { enable: true, serverName: "a.link.fleet.internal" },
        });
    });

    it("name a peer whose door is a name of its cloud by that name", async () => {
        const recording = await record(
            () => {
                const site = new AzureSite("a", minimal);
                site.nameService.point(
                    {
                        facts: { ...site.facts, name: "north", platform: "aws" },
                        host: "north.link.fleet.internal",
                        address: { recordType: "CNAME", value: pulumi.output("doors.elb.example.com"), port: 8884 },
                    },
                    { parent: site },
                );
            },
            { outputs },
        );
        expect(recording.named("a-name-of-north").inputs).toMatchObject({
            relativeRecordSetName: "north",
            recordType: "CNAME",
            cnameRecord: { cname: "doors.elb.example.com" },
        });
    });

    it("keep doors, rules, names and nodes until their links are deleted", async () => {
        const recording = await mesh({ a: licensed, b: licensed });
        const links = ofType(recording, ":ClusterLink").map(({ name }) => name);
        expect(links).toHaveLength(2);
        const ofSite = [
            "doors",
            "doors-address",
            "admins-in",
            "clients-in",
            "probes-in",
            "web-out",
            "membership-1",
            "membership-3",
            "broker-3",
            "interface-2",
            "brokers-subnet",
            "nat",
            "egress",
        ];
        const ofPair = ["nat-from", "nat-to", "name-of"];
        for (const link of links) {
            for (const [one, other] of [
                ["a", "b"],
                ["b", "a"],
            ] as const) {
                for (const name of [
                    ...ofSite.map((what) => `${one}-${what}`),
                    ...ofPair.map((what) => `${one}-${what}-${other}`),
                ]) {
                    expect([link, name, reaches(recording, link, name)]).toEqual([link, name, true]);
                }
            }
        }
    });

    it("do not notice another site: nothing that exists changes, boot data above all", async () => {
        const two = await mesh({ a: licensed, b: licensed });
        const three = await mesh({ a: licensed, b: licensed, c: licensed });
        expect(changedBetween(two, three).filter((name) => name !== "all")).toEqual([]);
        const added = addedBetween(two, three).filter(
            (name) => /^[ab]-/.test(name) && three.named(name).type.startsWith("azure-native:"),
        );
        expect(added).toEqual(
            ["a", "b"].flatMap((site) => ["name-of-c", "nat-from-c", "nat-to-c"].map((what) => `${site}-${what}`)),
        );
    });

    it("come from the addresses that the user names where the network is the user's", async () => {
        const recording = await mesh({ a: { network: existingNetwork }, b: {} });
        expect(rule(recording, "b-nat-from-a")).toBe("Inbound 1001 Allow Tcp 20.9.9.9/32 8884");
    });

    it("use their own provider for what the mesh makes at them", async () => {
        const recording = await record(
            () => {
                const provider = new azure.Provider("theirs", { location: "northeurope" });
                const site = new AzureSite("a", minimal, { provider });
                new Mesh("all", { sites: [site, new AzureSite("b", { ...minimal, siteNumber: 2 })], topics: ["fleet/#"] });
            },
            { outputs },
        );
        for (const name of ["a-nat-from-b", "a-nat-to-b", "a-name-of-b", "a-link-zone"]) {
            expect([name, recording.named(name).provider]).toEqual([name, expect.stringContaining("::theirs::")]);
        }
        expect(recording.named("b-nat-from-a").provider).not.toContain("::theirs::");
    });
});

function peerOf(site: AzureSite, siteNumber: number): TierPeer {
    return {
        pair: `a-peer${siteNumber}`,
        facts: { ...site.facts, name: `peer${siteNumber}`, siteNumber },
        egress: [{ key: "nat", address: pulumi.output(`20.1.1.${siteNumber}`) }],
        door: site.publicEnd().door,
    };
}
