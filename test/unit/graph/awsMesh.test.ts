import * as aws from "@pulumi/aws/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { AwsSite } from "../../../src/aws/index.js";
import type { TierPeer } from "../../../src/contracts/site.js";
import { Mesh } from "../../../src/mesh.js";
import { addedBetween, assertNoCycle, changedBetween, ofType, reaches } from "../../support/graph.js";
import { licensed, mesh, plant, recordAws, siteArgs, theirNetwork } from "./awsFixture.js";

describe("AWS sites in a mesh", () => {
    it("open their link doors to each address that the peer comes from, and to nothing else", async () => {
        const recording = await mesh({ north: {}, south: { egress: "perZone" } });
        const admitted = ofType(recording, ":SecurityGroupIngressRule").filter(({ inputs }) => inputs.fromPort === 8884);
        expect(
            admitted
                .filter(({ name }) => !name.endsWith("-from-doors"))
                .map(({ name, parent, inputs }) => `${name}, child of ${parent}: ${inputs.cidrIpv4}`)
                .sort(),
        ).toEqual([
            "north-nat-from-south-eu-central-1a, child of fleet: ip-of-south-egress-eu-central-1a/32",
            "north-nat-from-south-eu-central-1b, child of fleet: ip-of-south-egress-eu-central-1b/32",
            "north-nat-from-south-eu-central-1c, child of fleet: ip-of-south-egress-eu-central-1c/32",
            "south-nat-from-north-eu-central-1a, child of fleet: ip-of-north-egress-eu-central-1a/32",
        ]);
        for (const { inputs } of admitted) {
            expect(inputs).toMatchObject({ toPort: 8884, ipProtocol: "tcp", region: "eu-central-1" });
            expect(inputs.cidrIpv4).not.toBe("0.0.0.0/0");
        }
    });

    it("never make an allow-list wait for a NAT gateway or a load balancer", async () => {
        const recording = await mesh({ north: {}, south: { egress: "perZone" } });
        assertNoCycle(recording);
        const slow = [...ofType(recording, ":NatGateway"), ...ofType(recording, ":LoadBalancer")].map(({ name }) => name);
        expect(slow).toHaveLength(6);
        for (const { name } of recording.resources.filter((one) => /-nat-(from|to)-/.test(one.name))) {
            for (const other of slow) {
                expect([name, other, reaches(recording, name, other)]).toEqual([name, other, false]);
            }
        }
        expect(reaches(recording, "north-nat-from-south-eu-central-1b", "south-egress-eu-central-1b")).toBe(true);
    });

    it("find each other by a name that leads to the load balancer's own, of one kind for ever", async () => {
        const recording = await mesh({ north: {}, south: {} });
        expect(recording.named("north-name-of-south")).toMatchObject({
            parent: "fleet",
            inputs: {
                zoneId: "Z-north-link-zone",
                name: "south.link.project-stack.internal",
                type: "CNAME",
                ttl: 5,
                records: ["south-doors.elb.example.com"],
            },
        });
        expect(recording.named("north-link-zone").inputs).toMatchObject({
            name: "link.project-stack.internal",
            vpcs: [{ vpcId: "north-vpc-id", vpcRegion: "eu-central-1" }],
        });
        const { inputs } = recording.named("fleet-north-south-north-to-south");
        expect(inputs).toMatchObject({
            localCluster: "project-stack-south",
            server: "north.link.project-stack.internal:8884",
            tls: { enable: true, serverName: "north.link.project-stack.internal" },
        });
    });

    it("let brokers out to the peer's link door: to its fixed addresses where it has some, else by its port", async () => {
        const recording = await mesh({ north: {}, south: {} }, ["plant"]);
        const out = (name: string) => {
            const { fromPort, toPort, cidrIpv4, securityGroupId } = recording.named(name).inputs;
            return { fromPort, toPort, cidrIpv4, securityGroupId };
        };
        const group = { securityGroupId: "north-brokers-firewall-id" };
        for (const zone of ["eu-central-1a", "eu-central-1b", "eu-central-1c"]) {
            expect(out(`north-nat-to-south-${zone}`)).toEqual({
                fromPort: 8884,
                toPort: 8884,
                cidrIpv4: `ip-of-south-door-${zone}/32`,
                ...group,
            });
        }
        expect(out("north-nat-to-plant")).toEqual({ fromPort: 9884, toPort: 9884, cidrIpv4: "0.0.0.0/0", ...group });

        const listed = await recordAws(() => {
            const site = new AwsSite("north", siteArgs(1));
            const door = plant("plant", 9, { addresses: ["198.51.99.5", "198.51.99.6"] }).publicEnd().door;
            site.publicEnd().admit(
                { pair: "north-plant", facts: { ...site.facts, name: "plant" }, egress: [], door },
                { parent: site },
            );
        });
        for (const address of ["198.51.99.5", "198.51.99.6"]) {
            const { inputs } = listed.named(`north-nat-to-plant-${address}`);
            expect(inputs).toMatchObject({ cidrIpv4: `${address}/32`, fromPort: 9884, toPort: 9884 });
        }

        const fixed = await recordAws(() => {
            const site = new AwsSite("north", siteArgs(1));
            const end = site.publicEnd();
            const peer: TierPeer = {
                pair: "north-south",
                facts: { ...site.facts, name: "south" },
                egress: [{ key: "1", address: pulumi.output("198.51.99.9") }],
                door: {
                    ...end.door,
                    address: { host: "south", recordType: "A", value: pulumi.output("198.51.99.8"), port: 8884 },
                },
            };
            end.admit(peer, { parent: site });
        });
        expect(fixed.named("north-nat-to-south").inputs).toMatchObject({ cidrIpv4: "198.51.99.8/32", fromPort: 8884 });
        expect(fixed.named("north-nat-from-south-1").inputs.cidrIpv4).toBe("198.51.99.9/32");
    });

    it("keep doors, rules, names and nodes until their links are deleted", async () => {
        const recording = await mesh({ north: licensed, south: licensed });
        const links = ofType(recording, ":ClusterLink").map(({ name }) => name);
        expect(links).toHaveLength(2);
        for (const link of links) {
            for (const site of ["north", "south"]) {
                for (const what of [
                    "api-listener",
                    "links-listener",
                    "clients-listener",
                    "doors",
                    "api-to-broker-1",
                    "admins-from-203.0.113.7-32",
                    "api-to-brokers",
                    "api-from-doors",
                    "membership-3",
                    "broker-3",
                    "brokers-to-internet-eu-central-1a",
                ]) {
                    expect([link, site, what, reaches(recording, link, `${site}-${what}`)]).toEqual([link, site, what, true]);
                }
            }
            for (const what of [
                "north-nat-from-south-eu-central-1a",
                "south-nat-from-north-eu-central-1a",
                "north-nat-to-south-eu-central-1a",
                "south-nat-to-north-eu-central-1a",
                "north-name-of-south",
                "south-name-of-north",
            ]) {
                expect([link, what, reaches(recording, link, what)]).toEqual([link, what, true]);
            }
        }
    });

    it("do not notice another site: nothing that exists changes, boot data above all", async () => {
        const two = await mesh({ north: licensed, south: licensed });
        const three = await mesh({ north: licensed, south: licensed, west: licensed });
        expect(changedBetween(two, three).filter((name) => name !== "fleet")).toEqual([]);
        const added = addedBetween(two, three).filter(
            (name) => /^(north|south)-/.test(name) && three.named(name).type.startsWith("aws:"),
        );
        expect(added).toEqual([
            "north-name-of-west",
            "north-nat-from-west-eu-central-1a",
            ...["a", "b", "c"].map((zone) => `north-nat-to-west-eu-central-1${zone}`),
            "south-name-of-west",
            "south-nat-from-west-eu-central-1a",
            ...["a", "b", "c"].map((zone) => `south-nat-to-west-eu-central-1${zone}`),
        ]);
    });

    it("have no two rules that AWS takes for one, however many peers there are", async () => {
        const recording = await mesh({ north: {}, south: { egress: "perZone" }, west: {} });
        for (const type of [":SecurityGroupIngressRule", ":SecurityGroupEgressRule"]) {
            const rules = ofType(recording, type).map(({ inputs }) =>
                [
                    inputs.securityGroupId,
                    inputs.ipProtocol,
                    inputs.fromPort,
                    inputs.toPort,
                    inputs.cidrIpv4 ?? inputs.referencedSecurityGroupId,
                ].join(" "),
            );
            expect(rules.length).toBeGreaterThan(20);
            expect(new Set(rules).size).toBe(rules.length);
        }
    });

    it("come from the addresses that the user names where the network is the user's", async () => {
        const recording = await mesh({ north: { network: theirNetwork }, south: {} });
        expect(
            ["198.51.99.1", "198.51.99.2"].map((key) => recording.named(`south-nat-from-north-${key}`).inputs.cidrIpv4),
        ).toEqual(["198.51.99.1/32", "198.51.99.2/32"]);
    });

    it("use their own provider for what the mesh makes at them", async () => {
        const recording = await recordAws(() => {
            const provider = new aws.Provider("theirs", { region: "us-east-1" });
            const north = new AwsSite("north", siteArgs(1), { provider });
            new Mesh("fleet", { sites: [north, plant()], topics: ["fleet/#"] });
        });
        for (const name of ["north-nat-from-plant-198.51.99.7", "north-nat-to-plant", "north-link-zone"]) {
            expect([name, recording.named(name).provider]).toEqual([name, expect.stringContaining("::theirs::")]);
        }
    });
});
