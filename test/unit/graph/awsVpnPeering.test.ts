import * as aws from "@pulumi/aws";
import { describe, expect, it } from "vitest";
import { AwsSite, type AwsSiteArgs } from "../../../src/aws/index.js";
import { Mesh, type MeshArgs } from "../../../src/mesh.js";
import { assertNoCycle, ofType, reaches } from "../../support/graph.js";
import type { Recording } from "../../support/recorder.js";
import { recordAws, siteArgs } from "./awsFixture.js";

const twoSites = (south: Partial<AwsSiteArgs> = {}, more: Partial<MeshArgs> = {}, otherAccount = false) =>
    recordAws(() => {
        const opts = otherAccount ? { provider: new aws.Provider("theirs", { region: "us-east-1" }) } : {};
        const sites = [new AwsSite("north", siteArgs(1)), new AwsSite("south", siteArgs(2, south), opts)];
        const fleet = new Mesh("fleet", { sites, topics: ["fleet/#"], tier: "vpn", ...more });
        return { paths: fleet.paths };
    });
const elsewhere = { region: "us-east-1" } as const;

let recorded: Promise<Recording> | undefined;
const inOneRegion = () => {
    recorded ??= twoSites();
    return recorded;
};

describe("two AWS sites in tier vpn", () => {
    it("are peered, in both directions, with no gateway and no tunnel", async () => {
        const recording = await inOneRegion();
        assertNoCycle(recording);
        expect(
            recording.resources.filter(({ type }) => /VpnConnection|CustomerGateway|[tT]ransitGateway|VpnGateway/.test(type)),
        ).toEqual([]);
        expect(recording.resources.filter(({ name }) => name.includes("tunnel-keys"))).toEqual([]);
        const { inputs } = recording.named("north-peering-with-south");
        expect(inputs).toMatchObject({
            region: "eu-central-1",
            vpcId: "north-vpc-id",
            peerVpcId: "south-vpc-id",
            peerOwnerId: "account-of-south-vpc",
        });
        expect(inputs).not.toHaveProperty("peerRegion");
        expect(recording.named("south-peering-with-north").inputs).toMatchObject({
            vpcPeeringConnectionId: "north-peering-with-south-id",
            autoAccept: true,
        });
    });

    it("have routes to each other's range in every zone, once the peering is accepted", async () => {
        const recording = await inOneRegion();
        const routes = ofType(recording, "aws:ec2/route:Route").filter(
            ({ inputs }) => inputs.vpcPeeringConnectionId !== undefined,
        );
        expect(routes.map(({ inputs }) => `${inputs.routeTableId} ${inputs.destinationCidrBlock}`).sort()).toEqual([
            ...["a", "b", "c"].map((letter) => `north-brokers-routes-eu-central-1${letter}-id 10.2.0.0/16`),
            ...["a", "b", "c"].map((letter) => `south-brokers-routes-eu-central-1${letter}-id 10.1.0.0/16`),
        ]);
        for (const { name } of routes) {
            expect([name, reaches(recording, name, "south-peering-with-north")]).toEqual([name, true]);
            for (const link of ofType(recording, ":ClusterLink")) {
                expect([link.name, name, reaches(recording, link.name, name)]).toEqual([link.name, name, true]);
            }
        }
    });

    it("admit each other's range at the private door alone", async () => {
        const recording = await inOneRegion();
        expect(recording.named("north-vpn-from-south-10.2.0.0-16").inputs).toMatchObject({
            securityGroupId: "north-private-door-firewall-id",
            cidrIpv4: "10.2.0.0/16",
            fromPort: 8884,
        });
        expect(recording.named("south-vpn-to-north-10.1.0.0-16").inputs).toMatchObject({
            securityGroupId: "south-brokers-firewall-id",
            cidrIpv4: "10.1.0.0/16",
            fromPort: 8884,
        });
        expect(recording.named("north-name-of-south").inputs).toMatchObject({
            type: "CNAME",
            records: ["south-private-door.elb.example.com"],
        });
    });

    it("may be in two regions", async () => {
        const recording = await twoSites(elsewhere);
        expect(recording.named("north-peering-with-south").inputs).toMatchObject({
            region: "eu-central-1",
            peerRegion: "us-east-1",
        });
        expect(recording.named("south-peering-with-north").inputs.region).toBe("us-east-1");
        const routes = ofType(recording, "aws:ec2/route:Route").filter(({ name }) => name.includes("peering-route"));
        expect(new Set(routes.map(({ name, inputs }) => `${name.slice(0, 5)} ${inputs.region}`))).toEqual(
            new Set(["north eu-central-1", "south us-east-1"]),
        );
    });

    it("may be of two accounts: what is at a site is made with its provider", async () => {
        const recording = await twoSites(elsewhere, {}, true);
        for (const { name, type, provider } of recording.resources.filter(({ name }) => /^(north|south)-/.test(name))) {
            if (type.startsWith("aws:")) {
                expect([name, provider.includes("::theirs::")]).toEqual([name, name.startsWith("south-")]);
            }
        }
    });

    it("report that no tunnel is there, and why", async () => {
        const { outputs } = await recordAws(() => {
            const sites = [new AwsSite("north", siteArgs(1)), new AwsSite("south", siteArgs(2))];
            const fleet = new Mesh("fleet", { sites, topics: ["fleet/#"], tier: "vpn" });
            return new Promise((resolve) => fleet.paths.apply(resolve));
        });
        expect(outputs).toEqual([
            expect.objectContaining({
                pair: "north-south",
                tier: "vpn",
                tunnels: [],
                what: expect.stringMatching(/both networks are on aws/),
            }),
        ]);
    });

    it("refuse IPsec between them, which AWS does not offer", async () => {
        await expect(twoSites({}, { pairs: { "north-south": { vpn: { encrypt: true } } } })).rejects.toThrow(
            /^pairs\["north-south"\]\.vpn\.encrypt: two managed VPN gateways of AWS cannot be joined/,
        );
    });
});
