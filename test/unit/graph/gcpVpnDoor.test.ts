import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { MonthlyCost } from "../../../src/cluster/monthlyCost.js";
import type { GcpSiteArgs } from "../../../src/gcp/index.js";
import { exceptions } from "../../../src/policy/exceptions.js";
import { violationsOf } from "../../../src/policy/rule.js";
import { rules } from "../../../src/policy/rules.js";
import { existingSubnetwork, gcpMocks } from "../../support/gcpMocks.js";
import { changedBetween, ofType } from "../../support/graph.js";
import { policyGraph } from "../../support/policyGraph.js";
import { type Recording, record } from "../../support/recorder.js";
import { aws, azure, gcpSite, othersByNat, vpnMesh } from "./gcpVpnFixture.js";

let recorded: Promise<Recording> | undefined;
const withAws = () => {
    recorded ??= vpnMesh({ aws });
    return recorded;
};
const office = { network: existingSubnetwork.network, subnetwork: existingSubnetwork.selfLink, cidr: "10.77.4.0/24" } as const;

describe("a GCP site's private link door", () => {
    it("is an internal passthrough load balancer at the planned address, reached from every region", async () => {
        const recording = await withAws();
        expect(recording.named("gcp-private-door-address").inputs).toMatchObject({
            addressType: "INTERNAL",
            address: "10.2.0.252",
            subnetwork: expect.stringMatching(/gcp-brokers$/),
        });
        expect(recording.named("gcp-private-door").inputs).toMatchObject({
            loadBalancingScheme: "INTERNAL",
            ipProtocol: "TCP",
            ipAddress: "10.2.0.252",
            ports: ["8884"],
            allowGlobalAccess: true,
            backendService: expect.stringMatching(/gcp-private-door-backend$/),
        });
    });

    it("stands before the same groups and health check as the public doors", async () => {
        const recording = await withAws();
        const { inputs: open } = recording.named("gcp-backend");
        const { inputs: inner } = recording.named("gcp-private-door-backend");
        expect(inner).toMatchObject({
            loadBalancingScheme: "INTERNAL",
            protocol: "TCP",
            healthChecks: open.healthChecks,
            backends: open.backends,
        });
        expect(open).not.toHaveProperty("network");
        expect(open.backends).toEqual(
            ["a", "b", "c"].map((letter) => ({
                group: expect.stringMatching(`gcp-nodes-europe-west4-${letter}$`),
                balancingMode: "CONNECTION",
            })),
        );
        expect(ofType(recording, ":InstanceGroup")).toHaveLength(3);
        // Probes of internal load balancers come from these.
        expect(recording.named("gcp-probes-in").inputs.sourceRanges).toEqual(
            expect.arrayContaining(["35.191.0.0/16", "130.211.0.0/22"]),
        );
    });

    it("is open to the peer's ranges alone, and lets brokers out to the peer's door within these", async () => {
        const ranges = ["10.7.0.0/16", "192.168.7.0/24"];
        const recording = await vpnMesh({ plant: { platform: "external", siteNumber: 7, ranges } });
        expect(recording.named("gcp-vpn-from-plant").inputs).toMatchObject({
            direction: "INGRESS",
            sourceRanges: ranges,
            allows: [{ protocol: "tcp", ports: ["8884"] }, { protocol: "icmp" }],
            targetServiceAccounts: ["gcp-account@acme.iam.gserviceaccount.com"],
        });
        expect(recording.named("gcp-vpn-to-plant").inputs).toMatchObject({
            direction: "EGRESS",
            destinationRanges: ranges,
            allows: [{ protocol: "tcp", ports: ["9884"] }],
        });
        const open = ofType(recording, ":Firewall").filter(({ inputs }) => JSON.stringify(inputs.allows ?? "").includes("8884"));
        expect(open.map(({ name }) => name)).toEqual(["gcp-vpn-from-plant"]);
    });
});

describe("a GCP site in tier vpn in a network of the user's", () => {
    it("puts gateway, router and door there, announces the brokers' subnetwork alone, and makes no network", async () => {
        const recording = await vpnMesh({ aws }, { network: office });
        expect(ofType(recording, ":Network")).toEqual([]);
        for (const name of ["gcp-vpn-gateway", "gcp-vpn-router", "gcp-private-door"]) {
            expect([name, recording.named(name).inputs.network]).toEqual([name, existingSubnetwork.network]);
        }
        expect(recording.named("gcp-vpn-router").inputs.bgp).toMatchObject({
            advertisedIpRanges: [{ range: "10.77.4.0/24" }],
        });
        expect(recording.named("gcp-private-door-address").inputs).toMatchObject({
            address: "10.77.4.252",
            subnetwork: existingSubnetwork.selfLink,
        });
    });

    it("is told apart from others by the network, however its link is written", async () => {
        const { outputs } = await record(() => {
            const scopeOf = (name: string, siteNumber: number, more: Partial<GcpSiteArgs>) =>
                gcpSite(name, siteNumber, more).facts.vpn?.end.scope;
            const short = "projects/acme/global/networks/office";
            return [
                scopeOf("a", 1, { network: office }),
                scopeOf("b", 2, { network: { ...office, network: short } }),
                scopeOf("c", 3, {}),
            ];
        }, gcpMocks);
        const shared = "projects/acme/global/networks/office";
        expect(outputs).toEqual([shared, shared, "the VPC network of c"]);
    });

    it("says what it lacks where the network is not known before it is made", async () => {
        await expect(
            vpnMesh({ aws }, { network: { ...office, network: pulumi.output(existingSubnetwork.network) } }),
        ).rejects.toThrow(/set network\.network as text/);
    });
});

describe("bad input to a GCP site's VPN gateway", () => {
    it.each<[string, unknown, RegExp]>([
        ["a reserved number", { asn: 16_550 }, /^vpn\.asn: 16550 is reserved/],
        ["a public number", { asn: 3_320 }, /^vpn\.asn: 3320 is no private autonomous system number/],
        ["a number as text", { asn: "64530" }, /^vpn\.asn: "64530" is no number/],
        ["a pool elsewhere", { tunnelPool: "10.9.0.0/21" }, /^vpn\.tunnelPool: "10.9.0.0\/21" does not fit/],
        ["no object", "yes", /^vpn: "yes" is no object/],
    ])("%s", async (_what, vpn, message) => {
        await expect(vpnMesh({ aws }, { vpn: vpn as GcpSiteArgs["vpn"] })).rejects.toThrow(message);
    });

    it("a number that a peer has", async () => {
        await expect(vpnMesh({ aws }, { vpn: { asn: 64_521 } })).rejects.toThrow(/^asn: 64521 is the number of/);
    });

    it("an Azure peer that its numbers do not reach", async () => {
        await expect(vpnMesh({ azure: { platform: "azure", siteNumber: 40 } })).rejects.toThrow(/^siteNumber: 40 of azure/);
    });
});

describe("a GCP site's costs in tier vpn", () => {
    const costs = async (run: Promise<Recording>) => {
        const rows = ((await run).outputs as { costs: readonly MonthlyCost[] }).costs;
        return Object.fromEntries(rows.map(({ what, usd }) => [what, usd]));
    };

    it("have one forwarding rule more, however many pairs there are, and none in tier nat", async () => {
        const door = "1 forwarding rule of the private link door";
        expect((await costs(vpnMesh({ aws, azure }, {}, othersByNat)))[door]).toBe(18.25);
        expect(await costs(vpnMesh({ aws }, {}, { tier: "nat" }))).not.toHaveProperty([door]);
    });
});

describe("a switch of a GCP site's pair from tier nat to vpn", () => {
    it("keeps every resource but the pair's own of the old tier as it is", async () => {
        const [nat, vpn] = [await vpnMesh({ aws }, {}, { tier: "nat" }), await withAws()];
        const own = (recording: Recording) => recording.resources.filter(({ type }) => type.startsWith("gcp:"));
        const gone = own(nat).filter(({ name }) => vpn.resources.every((one) => one.name !== name));
        expect(gone.map(({ name }) => name).sort()).toEqual(["gcp-nat-from-aws", "gcp-nat-to-aws"]);
        const changed = changedBetween(nat, vpn).filter((name) => own(nat).some((one) => one.name === name));
        expect(changed.sort()).toEqual(["gcp-nat-from-aws", "gcp-nat-to-aws"]);
    });
});

describe("the security rules", () => {
    it("find nothing in a GCP site's half of tier vpn, and something where it is laid open", async () => {
        const recording = await withAws();
        const found = (graph: Recording) =>
            violationsOf(policyGraph(graph), rules, exceptions)
                .filter(({ exception, resource }) => exception === undefined && resource.name.startsWith("gcp-"))
                .map(({ resource }) => resource.name);
        expect(found(recording)).toEqual([]);
        const resources = recording.resources.map((one) =>
            one.name === "gcp-vpn-from-aws"
                ? { ...one, inputs: { ...one.inputs, sourceRanges: ["0.0.0.0/0"] } }
                : one.name === "gcp-vpn-tunnel-aws-0"
                  ? { ...one, secrets: [], inputs: { ...one.inputs, ikeVersion: 1 } }
                  : one,
        );
        expect(new Set(found({ ...recording, resources }))).toEqual(new Set(["gcp-vpn-from-aws", "gcp-vpn-tunnel-aws-0"]));
    });
});
