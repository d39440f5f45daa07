import * as gcp from "@pulumi/gcp/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { GcpSite, type GcpSiteArgs } from "../../../src/gcp/index.js";
import { Mesh } from "../../../src/mesh.js";
import { existingSubnetwork, gcpMocks } from "../../support/gcpMocks.js";
import { addedBetween, assertNoCycle, changedBetween, countByType, ofType, reaches, tagsOf } from "../../support/graph.js";
import { type RecordedResource, type Recording, record } from "../../support/recorder.js";

const args: GcpSiteArgs = { siteNumber: 2, region: "europe-west4", meshId: "fleet", adminCidrs: ["203.0.113.7/32"] };
const three: Partial<GcpSiteArgs> = { license: "evaluation", broker: { nodes: 3 } };
const existing: Partial<GcpSiteArgs> = {
    network: { network: existingSubnetwork.network, subnetwork: existingSubnetwork.selfLink, cidr: "10.77.4.0/24" },
};

const recordSite = (more: Partial<GcpSiteArgs> = {}, name = "gcp") =>
    record(() => void new GcpSite(name, { ...args, ...more }), gcpMocks);

const siteOf = (name: string, siteNumber: number, more: Partial<GcpSiteArgs> = {}) =>
    new GcpSite(name, { ...args, siteNumber, ...more });

/** A mesh of GCP sites with these names. */
const recordMesh = (...names: string[]) =>
    record(
        () => void new Mesh("fleet", { sites: names.map((name, index) => siteOf(name, index + 1)), topics: ["fleet/#"] }),
        gcpMocks,
    );

/** How many resources of each of Google's types, by the class's name. */
function gcpCounts(recording: Recording): Record<string, number> {
    return Object.fromEntries(
        Object.entries(countByType(recording))
            .filter(([type]) => type.startsWith("gcp:"))
            .map(([type, count]) => [type.split(":").at(-1) ?? "", count]),
    );
}

const ofSite = (recording: Recording) => recording.resources.filter(({ type }) => type.startsWith("gcp:"));
const own = (names: readonly string[]) => names.filter((name) => !name.startsWith("fleet"));

describe("what a GCP site consists of", () => {
    const common = {
        Network: 1,
        Subnetwork: 1,
        Router: 1,
        RouterNat: 1,
        Firewall: 8,
        RegionHealthCheck: 1,
        InstanceGroup: 3,
        RegionBackendService: 1,
        ForwardingRule: 1,
        Account: 1,
        Secret: 10,
        SecretVersion: 10,
        SecretIamMember: 10,
        ManagedZone: 1,
    };

    it("is counted for one node", async () => {
        expect(gcpCounts(await recordSite())).toEqual({
            ...common,
            Address: 3,
            Disk: 1,
            Instance: 1,
            InstanceGroupMembership: 1,
        });
    });

    it("is counted for three nodes, two egress addresses and a public name", async () => {
        const recording = await recordSite({
            ...three,
            egressAddressCount: 2,
            dns: { zone: "example", name: "mqtt.example.com" },
        });
        expect(gcpCounts(recording)).toEqual({
            ...common,
            Address: 6,
            Disk: 3,
            Instance: 3,
            InstanceGroupMembership: 3,
            RecordSet: 1,
        });
        expect(recording.named("gcp-public-name").inputs).toMatchObject({
            managedZone: "example",
            name: "mqtt.example.com.",
            type: "A",
            rrdatas: ["34.1.0.1"],
        });
        expect(recording.named("gcp-server-certificate").inputs.dnsNames).toContain("mqtt.example.com");
        expect(recording.named("gcp-nat").inputs.natIps).toHaveLength(2);
    });

    it("makes no network where one is given, and puts everything into that", async () => {
        const recording = await recordSite(existing);
        const { Network, Subnetwork, ...rest } = common;
        expect([Network, Subnetwork]).toEqual([1, 1]);
        expect(gcpCounts(recording)).toEqual({ ...rest, Address: 3, Disk: 1, Instance: 1, InstanceGroupMembership: 1 });
        for (const resource of [...ofType(recording, ":Firewall"), recording.named("gcp-router")]) {
            expect(resource.inputs.network, resource.name).toBe(existingSubnetwork.network);
        }
        expect(recording.named("gcp-broker-1").inputs.networkInterfaces).toMatchObject([
            { subnetwork: existingSubnetwork.selfLink, networkIp: "10.77.4.4" },
        ]);
        expect(recording.named("gcp-nat").inputs.subnetworks).toEqual([
            { name: existingSubnetwork.selfLink, sourceIpRangesToNats: ["PRIMARY_IP_RANGE"] },
        ]);
    });

    it("puts every resource into the project that was named, and below the site", async () => {
        const recording = await recordSite({ ...three, project: "acme" });
        for (const { type, name, inputs, parent } of ofSite(recording)) {
            expect(parent, name).toBe("gcp");
            // A version lies in its secret, which says the project.
            expect(type.endsWith(":SecretVersion") || inputs.project === "acme", name).toBe(true);
        }
    });

    it("labels what takes labels, with the user's own", async () => {
        const recording = await recordSite({ tags: { team: "iot", "linkspan-site": "mine" } });
        for (const type of [":Instance", ":Disk", ":Secret", ":Address", ":ForwardingRule", ":ManagedZone"]) {
            for (const resource of ofType(recording, type)) {
                expect(tagsOf(resource), resource.name).toEqual({
                    "linkspan-mesh": "fleet",
                    "linkspan-site": "mine",
                    team: "iot",
                });
            }
        }
    });

    it("has the facts that the mesh plans with, and its fixed addresses as outputs", async () => {
        const recording = await record(() => {
            const site = siteOf("gcp", 2);
            return { facts: site.facts, door: site.clientAddresses, out: site.egressAddresses, endpoint: site.endpoint };
        }, gcpMocks);
        expect(recording.outputs).toMatchObject({
            facts: {
                platform: "gcp",
                cidr: "10.2.0.0/16",
                clusterName: "fleet-gcp",
                filtersSources: true,
                fixedEgress: true,
            },
            door: ["34.1.0.1"],
            out: ["34.1.0.2"],
            endpoint: "mqtts://34.1.0.1:8883",
        });
    });

    it("states its cost row by row, without a price that nobody looked up", async () => {
        const recording = await record(() => ({ costs: siteOf("gcp", 2, three).monthlyCosts }), gcpMocks);
        const { costs } = recording.outputs as { costs: GcpSite["monthlyCosts"] };
        expect(costs.find(({ what }) => what === "3 c4a-standard-2")?.usd).toBe(196.65);
        expect(costs.find(({ what }) => what === "Cloud NAT for 3 machines")?.usd).toBe(3.07);
        expect(costs.find(({ what }) => what === "6 disks")?.usd).toBeUndefined();
        for (const { source, date } of costs) {
            expect([source, date].every((text) => text !== "")).toBe(true);
        }
    });
});

describe("network and way out", () => {
    it("makes a custom mode network with one logged subnetwork", async () => {
        const recording = await recordSite();
        expect(recording.named("gcp-network").inputs).toMatchObject({ autoCreateSubnetworks: false, routingMode: "GLOBAL" });
        expect(recording.named("gcp-brokers").inputs).toMatchObject({
            ipCidrRange: "10.2.0.0/24",
            region: "europe-west4",
            privateIpGoogleAccess: true,
            logConfig: { metadata: "INCLUDE_ALL_METADATA" },
        });
    });

    it("translates to the reserved addresses and no others, with ports for links that flap", async () => {
        const recording = await recordSite();
        expect(recording.named("gcp-nat").inputs).toMatchObject({
            natIpAllocateOption: "MANUAL_ONLY",
            natIps: ["https://www.googleapis.com/compute/v1/projects/acme/addresses/gcp-egress-1"],
            sourceSubnetworkIpRangesToNat: "LIST_OF_SUBNETWORKS",
            minPortsPerVm: 1024,
            logConfig: { enable: true },
        });
        expect(recording.named("gcp-egress-1").inputs).toMatchObject({ addressType: "EXTERNAL", networkTier: "PREMIUM" });
        expect(reaches(recording, "gcp-router", "gcp-brokers")).toBe(true);
    });

    it("opens nothing but the doors, and lets out nothing but what is named", async () => {
        const recording = await recordSite({ clientCidrs: ["198.51.100.0/24"] });
        const account = ["gcp-account@acme.iam.gserviceaccount.com"];
        const rules = ofType(recording, ":Firewall").map(({ name, inputs }) => {
            expect(inputs.targetServiceAccounts, name).toEqual(account);
            const allows = inputs.allows as { protocol: string; ports: string[] }[] | undefined;
            return [
                name,
                inputs.direction,
                inputs.priority,
                inputs.sourceRanges ?? inputs.destinationRanges ?? inputs.sourceServiceAccounts,
                allows?.flatMap(({ protocol, ports }) => ports.map((port) => `${protocol}/${port}`)) ?? "none",
            ];
        });
        expect(rules.sort()).toEqual([
            ["gcp-admins-in", "INGRESS", 900, ["203.0.113.7/32"], ["tcp/18084"]],
            ["gcp-clients-in", "INGRESS", 900, ["198.51.100.0/24", "203.0.113.7/32"], ["tcp/8883"]],
            ["gcp-cluster-in", "INGRESS", 900, account, ["tcp/4370", "tcp/5370"]],
            ["gcp-cluster-out", "EGRESS", 900, ["10.2.0.0/24"], ["tcp/4370", "tcp/5370"]],
            ["gcp-deny-in", "INGRESS", 1000, ["0.0.0.0/0"], "none"],
            ["gcp-deny-out", "EGRESS", 1000, ["0.0.0.0/0"], "none"],
            [
                "gcp-probes-in",
                "INGRESS",
                900,
                ["35.191.0.0/16", "130.211.0.0/22", "209.85.152.0/22", "209.85.204.0/22"],
                ["tcp/18084"],
            ],
            ["gcp-web-out", "EGRESS", 900, ["0.0.0.0/0"], ["tcp/80", "tcp/443"]],
        ]);
        for (const name of ["gcp-deny-in", "gcp-deny-out"]) {
            expect(recording.named(name).inputs).toMatchObject({ denies: [{ protocol: "all" }], logConfig: {} });
        }
    });
});

describe("brokers", () => {
    it("have no public address, no login, a verified boot and an identity of their own", async () => {
        const { inputs, deleteBeforeReplace } = (await recordSite()).named("gcp-broker-1");
        expect(inputs).toMatchObject({
            machineType: "c4a-standard-2",
            zone: "europe-west4-a",
            canIpForward: false,
            shieldedInstanceConfig: { enableSecureBoot: true, enableVtpm: true, enableIntegrityMonitoring: true },
            serviceAccount: { email: "gcp-account@acme.iam.gserviceaccount.com" },
            bootDisk: {
                autoDelete: true,
                initializeParams: {
                    image: expect.stringContaining("ubuntu-2404-lts-arm64"),
                    type: "hyperdisk-balanced",
                },
            },
            attachedDisks: [{ deviceName: "emqx-data" }],
        });
        expect(inputs.metadata).toMatchObject({
            "enable-oslogin": "TRUE",
            "block-project-ssh-keys": "TRUE",
            "serial-port-enable": "FALSE",
        });
        expect(inputs.networkInterfaces).toEqual([
            {
                subnetwork: "https://www.googleapis.com/compute/v1/projects/acme/gcp-brokers",
                networkIp: "10.2.0.4",
                nicType: "GVNIC",
                stackType: "IPV4_ONLY",
            },
        ]);
        expect(deleteBeforeReplace).toBe(true);
    });

    it("are replaced where Google would stop them, so that the membership drains them first", async () => {
        const recording = await recordSite();
        const machine = recording.named("gcp-broker-1");
        expect(machine.inputs.allowStoppingForUpdate).toBe(false);
        expect(machine.replaceOnChanges).toEqual(
            expect.arrayContaining(["machineType", "metadata", "serviceAccount", "shieldedInstanceConfig"]),
        );
        const membership = recording.named("gcp-membership-1");
        // By an input and not only by an edge: the engine ends what depends on a machine's outputs before the machine.
        expect(membership.propertyDependencies.gate).toContain("gcp-broker-1");
        expect(Object.keys(membership.inputs.gate as object).sort()).toEqual(["boot", "image", "instance", "size"]);
        expect(membership.inputs.gate).toMatchObject({ instance: "number-of-gcp-broker-1" });
        expect(recording.named("gcp-group-of-broker-1").propertyDependencies.instance).toContain("gcp-broker-1");
    });

    it("boot after the NAT, the rules, every secret and the right to read it", async () => {
        const recording = await recordSite();
        for (const name of ["gcp-nat", "gcp-deny-out", "gcp-web-out", "gcp-cluster-in", "gcp-cluster-out", "gcp-departure-1"]) {
            expect(reaches(recording, "gcp-broker-1", name), name).toBe(true);
        }
        for (const { name } of [...ofType(recording, ":SecretVersion"), ...ofType(recording, ":SecretIamMember")]) {
            expect(reaches(recording, "gcp-broker-1", name), name).toBe(true);
        }
    });

    it("change one at a time: each waits until the one before is in the cluster", async () => {
        const recording = await recordSite(three);
        for (const [later, earlier] of [
            ["gcp-broker-2", "gcp-membership-1"],
            ["gcp-broker-3", "gcp-membership-2"],
            ["gcp-membership-1", "gcp-group-of-broker-1"],
            ["gcp-membership-1", "gcp-doors"],
            ["gcp-membership-1", "gcp-admins-in"],
        ] as const) {
            expect(reaches(recording, later, earlier), `${later} after ${earlier}`).toBe(true);
        }
        expect(ofType(recording, ":Instance").map(({ inputs }) => inputs.zone)).toEqual([
            "europe-west4-a",
            "europe-west4-b",
            "europe-west4-c",
        ]);
    });

    it("keep their data on disks of their own, encrypted with the user's key, protected on request", async () => {
        const plain = (await recordSite()).named("gcp-data-1");
        expect([plain.protect, plain.inputs.diskEncryptionKey]).toEqual([false, undefined]);
        const key = "projects/acme/locations/europe-west4/keyRings/ring/cryptoKeys/key";
        const recording = await recordSite({ kmsKey: key, broker: { protectData: true, retainData: true, dataDiskGb: 100 } });
        const disk = recording.named("gcp-data-1");
        expect([plain.retainOnDelete, disk.retainOnDelete]).toEqual([false, true]);
        expect(disk.protect).toBe(true);
        expect(disk.inputs).toMatchObject({ size: 100, diskEncryptionKey: { kmsKeySelfLink: key } });
        expect(recording.named("gcp-broker-1").inputs.bootDisk).toMatchObject({ kmsKeySelfLink: key });
    });

    it("take the disk type that their series has", async () => {
        const recording = await recordSite({ broker: { size: "n2-standard-4" } });
        expect(recording.named("gcp-data-1").inputs.type).toBe("pd-balanced");
        expect(recording.named("gcp-image").inputs.value).toContain("ubuntu-2404-lts-amd64");
        expect(recording.named("gcp-broker-1").inputs.machineType).toBe("n2-standard-4");
    });

    it("are x86_64 where Arm is not known to be offered, and use the image that the user names", async () => {
        const recording = await recordSite({ region: "europe-west3", broker: { imageId: "projects/acme/global/images/mine" } });
        expect(recording.named("gcp-broker-1").inputs).toMatchObject({
            machineType: "n2-standard-2",
            bootDisk: { initializeParams: { image: "projects/acme/global/images/mine" } },
        });
        expect(ofType(recording, ":Pin")).toEqual([]);
        expect(recording.calls.map(({ token }) => token)).not.toContain("gcp:compute/getImage:getImage");
    });

    it("span the zones that the region has", async () => {
        const zones = ofType(await recordSite({ region: "us-east1" }), ":InstanceGroup").map(({ inputs }) => inputs.zone);
        expect(zones).toEqual(["us-east1-b", "us-east1-c", "us-east1-d"]);
    });
});

describe("doors", () => {
    it("are one passthrough load balancer with a fixed address for devices, links and management", async () => {
        const recording = await recordSite();
        expect(recording.named("gcp-doors").inputs).toMatchObject({
            loadBalancingScheme: "EXTERNAL",
            ipProtocol: "TCP",
            ipAddress: "34.1.0.1",
            ports: ["8883", "8884", "18084"],
        });
        expect(recording.named("gcp-backend").inputs).toMatchObject({
            loadBalancingScheme: "EXTERNAL",
            protocol: "TCP",
            backends: Array.from({ length: 3 }, () => ({ balancingMode: "CONNECTION" })),
            connectionDrainingTimeoutSec: 60,
        });
        expect(recording.named("gcp-health").inputs.httpsHealthCheck).toEqual({
            port: 18084,
            requestPath: "/api/v5/load_rebalance/availability_check",
        });
    });

    it("do not know which machines stand behind them", async () => {
        const recording = await recordSite(three);
        for (const group of ofType(recording, ":InstanceGroup")) {
            expect(group.inputs.instances).toBeUndefined();
            expect(group.ignoreChanges).toEqual(["instances"]);
        }
        expect(reaches(recording, "gcp-doors", "gcp-broker-1")).toBe(false);
    });
});

describe("a pair", () => {
    it("opens the link door for the peer's addresses alone, one rule per peer", async () => {
        const recording = await recordMesh("a", "b", "c");
        expect(recording.named("a-nat-from-b").inputs).toMatchObject({
            direction: "INGRESS",
            priority: 900,
            sourceRanges: ["34.9.9.9/32"],
            allows: [{ protocol: "tcp", ports: ["8884"] }],
            targetServiceAccounts: ["a-account@acme.iam.gserviceaccount.com"],
        });
        expect(recording.named("a-nat-to-b").inputs).toMatchObject({
            direction: "EGRESS",
            destinationRanges: ["34.9.9.9/32"],
            allows: [{ protocol: "tcp", ports: ["8884"] }],
        });
        expect(ofType(recording, ":Firewall").filter(({ name }) => /^a-nat-(from|to)-/.test(name))).toHaveLength(4);
    });

    it("waits for reserved addresses and never for what uses them", async () => {
        const recording = await recordMesh("a", "b");
        assertNoCycle(recording);
        for (const entry of ["a-nat-from-b", "b-nat-from-a", "a-nat-to-b", "b-nat-to-a"]) {
            for (const name of ["a-nat", "b-nat", "a-doors", "b-doors", "a-broker-1", "b-broker-1"]) {
                expect(reaches(recording, entry, name), `${entry} after ${name}`).toBe(false);
            }
        }
        expect(reaches(recording, "a-nat-from-b", "b-egress-1")).toBe(true);
    });

    it("is unmade before the nodes leave, and these before any door goes", async () => {
        const recording = await recordMesh("a", "b");
        const links = ofType(recording, ":ClusterLink").map(({ name }) => name);
        expect(links).toHaveLength(2);
        for (const site of ["a", "b"]) {
            const doors = [`${site}-doors`, `${site}-admins-in`, `${site}-clients-in`, `${site}-probes-in`, `${site}-nat`];
            for (const link of links) {
                for (const first of [`${site}-membership-1`, `${site}-link-zone`, ...doors]) {
                    expect(reaches(recording, link, first), `${link} goes before ${first}`).toBe(true);
                }
            }
            for (const door of doors) {
                expect(reaches(recording, `${site}-membership-1`, door), door).toBe(true);
            }
        }
    });

    it("finds its peer by a record of one kind for ever, with a short life", async () => {
        const recording = await record(() => {
            const site = siteOf("gcp", 2);
            const peer = { ...site.facts, name: "aws" };
            const value = pulumi.output("doors-1.elb.eu-central-1.amazonaws.com");
            const opts = { parent: site };
            const address = { recordType: "CNAME", value, port: 8884 } as const;
            const host = "aws.link.fleet.internal";
            site.nameService.point({ facts: peer, host, address }, opts);
            const { door, egress } = site.publicEnd();
            site.publicEnd().admit(
                { pair: "aws-gcp", facts: peer, egress, door: { ...door, address: { ...address, host } } },
                opts,
            );
        }, gcpMocks);
        expect(recording.named("gcp-link-zone").inputs).toMatchObject({
            dnsName: "link.fleet.internal.",
            visibility: "private",
        });
        expect(recording.named("gcp-name-of-aws").inputs).toMatchObject({
            name: "aws.link.fleet.internal.",
            type: "CNAME",
            ttl: 5,
            rrdatas: ["doors-1.elb.eu-central-1.amazonaws.com."],
        });
        // A name's addresses change: the port alone is the bound.
        expect(recording.named("gcp-nat-to-aws").inputs).toMatchObject({
            destinationRanges: ["0.0.0.0/0"],
            allows: [{ ports: ["8884"] }],
        });
    });

    it("lets brokers out to the fixed addresses that a peer's name leads to", async () => {
        const recording = await record(() => {
            const site = siteOf("gcp", 2);
            const { door, egress } = site.publicEnd();
            const address = {
                host: "aws.link.fleet.internal",
                recordType: "CNAME",
                value: pulumi.output("doors-1.elb.eu-central-1.amazonaws.com"),
                leadsTo: ["198.51.99.8", "198.51.99.9"].map((one) => ({ key: one, address: pulumi.output(one) })),
                port: 8884,
            } as const;
            site.publicEnd().admit(
                { pair: "aws-gcp", facts: { ...site.facts, name: "aws" }, egress, door: { ...door, address } },
                { parent: site },
            );
        }, gcpMocks);
        expect(recording.named("gcp-nat-to-aws").inputs).toMatchObject({
            destinationRanges: ["198.51.99.8/32", "198.51.99.9/32"],
            allows: [{ ports: ["8884"] }],
        });
    });

    it("lets brokers out to the port and address of an existing cluster's listener", async () => {
        const recording = await record(() => {
            const site = siteOf("gcp", 2);
            const { door, egress } = site.publicEnd();
            const { address: _named, ...listener } = { ...door, server: pulumi.output("192.0.2.9:18884") };
            site.publicEnd().admit(
                { pair: "gcp-plant", facts: { ...site.facts, name: "plant" }, egress, door: listener },
                { parent: site },
            );
        }, gcpMocks);
        expect(recording.named("gcp-nat-to-plant").inputs).toMatchObject({
            destinationRanges: ["192.0.2.9/32"],
            allows: [{ ports: ["18884"] }],
        });
    });

    it("never becomes a rule without sources, which Google takes for everybody", async () => {
        const program = () => {
            const site = siteOf("gcp", 2);
            const peer = { pair: "gcp-x", facts: { ...site.facts, name: "x" }, egress: [], door: site.publicEnd().door };
            site.publicEnd().admit(peer, { parent: site });
        };
        await expect(record(program, gcpMocks)).rejects.toThrow("x has no known addresses, which gcp could admit");
    });

    it("is made by the site's own provider, though its parent is the mesh", async () => {
        const recording = await record(() => {
            const provider = new gcp.Provider("elsewhere", { project: "acme" });
            const sites = [new GcpSite("a", { ...args, siteNumber: 1 }, { provider }), siteOf("b", 2)];
            new Mesh("fleet", { sites, topics: ["fleet/#"] });
        }, gcpMocks);
        for (const name of ["a-nat-from-b", "a-nat-to-b", "a-name-of-b", "a-broker-1"]) {
            expect(recording.named(name).provider, name).toContain("::elsewhere::");
        }
        expect(recording.named("b-nat-from-a").provider).toBe("");
    });
});

describe("what changes nothing", () => {
    it("another peer leaves every resource of the site as it was", async () => {
        const before = await recordMesh("a", "b");
        const after = await recordMesh("a", "b", "c");
        expect(own(changedBetween(before, after))).toEqual([]);
        const added = addedBetween(before, after).map((name) => after.named(name));
        expect(
            added.filter(({ name, type }) => name.startsWith("a-") && type.startsWith("gcp:")).map(({ name }) => name),
        ).toEqual(["a-name-of-c", "a-nat-from-c", "a-nat-to-c"]);
    });

    it("another node leaves the others' machines and disks as they were", async () => {
        const before = await recordSite(three);
        const after = await recordSite({ ...three, broker: { nodes: 4 } });
        expect(changedBetween(before, after)).toEqual([
            // Whose members are one more.
            "gcp-membership-1",
            "gcp-membership-2",
            "gcp-membership-3",
            // Which carries the new node's address; a fresh one reaches the brokers without replacing them.
            "gcp-server-certificate",
        ]);
        expect(addedBetween(before, after)).toEqual([
            "gcp-address-4",
            "gcp-broker-4",
            "gcp-data-4",
            "gcp-departure-4",
            "gcp-group-of-broker-4",
            "gcp-membership-4",
        ]);
    });

    it("another zone adds its group, which the load balancer takes in place", async () => {
        const zones = ["europe-west4-a", "europe-west4-b"];
        const before = await recordSite({ zones });
        const after = await recordSite({ zones: [...zones, "europe-west4-c"] });
        expect(changedBetween(before, after)).toEqual(["gcp-backend"]);
        expect(addedBetween(before, after)).toEqual(["gcp-nodes-europe-west4-c"]);
    });

    it("boot data is the site's own business: byte by byte the same in a mesh of two and of six", async () => {
        const many = Array.from({ length: 6 }, (_, index) => `s${index + 1}`);
        const dataOf = async (...names: string[]) => (await recordMesh(...names)).named("s1-broker-1").inputs.metadata;
        expect(await dataOf(...many)).toEqual(await dataOf("s1", "s2"));
    }, 60_000);
});

describe("secrets", () => {
    it("stand in Secret Manager and nowhere in plain sight", async () => {
        const recording = await recordMesh("a", "b");
        for (const { name, inputs, secrets } of recording.resources) {
            for (const [key, value] of Object.entries(inputs)) {
                const covered = secrets.some((path) => path === key || path.startsWith(`${key}.`));
                expect(covered || !JSON.stringify(value).includes("S3cret"), `${name}.${key}`).toBe(true);
            }
        }
        for (const version of ofType(recording, ":SecretVersion")) {
            expect(version.secrets, version.name).toEqual(["secretData"]);
        }
        const metadata = JSON.stringify(recording.named("a-broker-1").inputs.metadata);
        expect(metadata).not.toContain("S3cret");
        expect(metadata).toContain("SECRET_COOKIE='a-secret-cookie-id'");
    });

    it("are read by the site's own brokers alone, and lie in its region alone", async () => {
        const recording = await recordSite();
        for (const { inputs } of ofType(recording, ":SecretIamMember")) {
            expect(inputs).toMatchObject({
                role: "roles/secretmanager.secretAccessor",
                member: "serviceAccount:gcp-account@acme.iam.gserviceaccount.com",
            });
        }
        for (const { inputs } of ofType(recording, "secret:Secret")) {
            expect(inputs.replication).toEqual({ userManaged: { replicas: [{ location: "europe-west4" }] } });
        }
    });
});

describe("physical names", () => {
    const longest = "abcdefghijklmnopqrstuvwx";
    const other = "bcdefghijklmnopqrstuvwxy";
    /** Whose names are no names of Google's, or longer ones. */
    const exempt = /:(RecordSet|SecretVersion|SecretIamMember|InstanceGroupMembership|Secret|Account)$/;
    const nameOf = ({ name, inputs }: RecordedResource) => String(inputs.name ?? `${name}-0123abc`);

    const recordLongest = () =>
        record(() => {
            const more = { region: "northamerica-northeast1", license: "evaluation", broker: { nodes: 7 } } as const;
            const sites = [siteOf(longest, 1, more), siteOf(other, 2, more)];
            new Mesh("fleet", { sites, topics: ["fleet/#"] });
        }, gcpMocks);

    it("fit for the longest names of sites, regions and peers, and differ from each other", async () => {
        const recording = await recordLongest();
        const named = ofSite(recording).filter(({ type }) => !exempt.test(type));
        for (const resource of named) {
            expect(nameOf(resource), resource.name).toMatch(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
        }
        expect(new Set(named.map((resource) => `${resource.type} ${nameOf(resource)}`)).size).toBe(named.length);
        for (const { inputs } of ofType(recording, ":Account")) {
            expect(inputs.accountId).toMatch(/^[a-z][-a-z0-9]{4,28}[a-z0-9]$/);
        }
    });

    it("are the same at every run", async () => {
        const [once, again] = [await recordLongest(), await recordLongest()];
        expect(own(changedBetween(once, again))).toEqual([]);
    });

    it("are Pulumi's own wherever these fit", async () => {
        for (const { inputs, type } of ofSite(await recordSite())) {
            expect(inputs.name, type).toBeUndefined();
        }
    });
});
