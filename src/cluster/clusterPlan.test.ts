import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isWithin, parseCidr } from "../addressing/cidr.js";
import { InputError } from "../errors.js";
import { type ClusterPlanInput, planCluster } from "./clusterPlan.js";

const minimal: ClusterPlanInput = {
    name: "a",
    siteNumber: 1,
    meshId: "fleet",
    zones: ["z1", "z2", "z3"],
    subnets: "perZone",
    license: "evaluation",
    adminCidrs: ["203.0.113.7/32"],
    defaults: { size: { arm64: "small.arm", x86_64: "small.x86" }, architecture: "arm64" },
};
const plan = (more: Partial<ClusterPlanInput> = {}) => planCluster({ ...minimal, ...more });
const zoneNames = ["z1", "z2", "z3", "z4", "z5", "z6"];

describe("planCluster", () => {
    it("refuses names that do not fit into a certificate together", () => {
        const meshId = "m".repeat(40);
        expect(plan({ meshId, name: "s".repeat(22) }).clusterName).toHaveLength(63);
        expect(() => plan({ meshId, name: "s".repeat(23) })).toThrow(
            /^meshId: .* of 64 characters; at most 63 fit, so shorten one/,
        );
    });

    it("decides the names, addresses, seeds and sizes of a cluster", () => {
        expect(plan()).toMatchObject({
            clusterName: "fleet-a",
            linkHost: "a.link.fleet.internal",
            version: "5.10.3",
            architecture: "arm64",
            size: "small.arm",
            dataDiskGb: 20,
            protectData: false,
            retainData: false,
            sessionQueueMessages: 1000,
            imageRelease: "1",
            brokerRanges: ["10.1.0.0/24", "10.1.1.0/24", "10.1.2.0/24"],
            nodes: [
                { key: "1", zone: "z1", zoneNumber: 0, address: "10.1.0.4", nodeName: "emqx@10.1.0.4" },
                { key: "2", zone: "z2", zoneNumber: 1, address: "10.1.1.4", nodeName: "emqx@10.1.1.4" },
                { key: "3", zone: "z3", zoneNumber: 2, address: "10.1.2.4", nodeName: "emqx@10.1.2.4" },
            ],
            seeds: ["emqx@10.1.0.4", "emqx@10.1.1.4", "emqx@10.1.2.4"],
            adminRanges: ["203.0.113.7/32"],
            clientRanges: ["0.0.0.0/0"],
            warnings: [],
        });
    });

    it("puts all nodes into one range where a subnet spans the zones", () => {
        const regional = plan({ subnets: "regional", broker: { nodes: 5 } });
        expect(regional.brokerRanges).toEqual(["10.1.0.0/24"]);
        expect(regional.nodes.map(({ zone, address }) => `${zone} ${address}`)).toEqual([
            "z1 10.1.0.4",
            "z2 10.1.0.5",
            "z3 10.1.0.6",
            "z1 10.1.0.7",
            "z2 10.1.0.8",
        ]);
        expect(regional.seeds).toHaveLength(3);
    });

    it("has one node with the community licence, three with any other", () => {
        expect(plan({ license: "community" }).nodes).toHaveLength(1);
        expect(plan({ license: "key" }).nodes).toHaveLength(3);
        expect(plan({ license: "evaluation" }).nodes).toHaveLength(3);
    });

    it("takes the brokers' subnets of the user's network", () => {
        const given = plan({ brokerRanges: ["10.50.0.0/24", "10.51.0.0/24", "10.52.0.0/28"] });
        expect(given.nodes.map(({ address }) => address)).toEqual(["10.50.0.4", "10.51.0.4", "10.52.0.4"]);
    });

    it("lets administrators through the client door, and lists nobody twice", () => {
        const both = plan({ clientCidrs: ["198.51.100.0/24", "198.51.100.0/24"], adminCidrs: ["203.0.113.7", "203.0.113.7/32"] });
        expect(both.adminRanges).toEqual(["203.0.113.7/32"]);
        expect(both.clientRanges).toEqual(["198.51.100.0/24", "203.0.113.7/32"]);
    });

    it("warns of zones that are lost with several nodes, and of releases that were never measured", () => {
        expect(plan({ zones: ["z1", "z2"] }).warnings).toEqual([
            "a: 3 nodes share 2 zones; a lost zone takes more than one node with it. Keep the list of zones: another one, also at its end, moves node 3, with empty disks",
        ]);
        expect(plan({ zones: ["z1"] }).warnings).toEqual([]);
        expect(plan({ broker: { version: "6.0.0" } }).warnings).toEqual([
            expect.stringMatching(/^EMQX 6\.0\.0: its cluster links were never measured/),
        ]);
    });

    const size = fc.record({
        siteNumber: fc.integer({ min: 1, max: 120 }),
        zones: fc.integer({ min: 1, max: 6 }).map((count) => zoneNames.slice(0, count)),
        subnets: fc.constantFrom("perZone" as const, "regional" as const),
        prefix: fc.integer({ min: 16, max: 20 }),
        nodes: fc.integer({ min: 1, max: 7 }),
    });

    it("gives every node an address of its own, in its zone's range", () => {
        fc.assert(
            fc.property(size, ({ siteNumber, zones, subnets, prefix, nodes }) => {
                const made = plan({ siteNumber, zones, subnets, cidr: `10.${siteNumber}.0.0/${prefix}`, broker: { nodes } });
                expect(new Set(made.nodes.map(({ address }) => address)).size).toBe(nodes);
                expect(made.nodes.map(({ key }) => key)).toEqual(Array.from({ length: nodes }, (_, index) => String(index + 1)));
                for (const { zone, zoneNumber, address } of made.nodes) {
                    expect(zones[zoneNumber]).toBe(zone);
                    const range = made.brokerRanges[subnets === "perZone" ? zoneNumber : 0] ?? "";
                    expect(isWithin(parseCidr(`${address}/32`), parseCidr(range))).toBe(true);
                }
                // As even as can be: no zone has two nodes more than another.
                const counts = zones.map((zone) => made.nodes.filter((node) => node.zone === zone).length);
                expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
            }),
        );
    });

    it("moves no node and no seed when nodes are added", () => {
        fc.assert(
            fc.property(size, ({ siteNumber, zones, subnets, nodes }) => {
                const before = plan({ siteNumber, zones, subnets, broker: { nodes } });
                const after = plan({ siteNumber, zones, subnets, broker: { nodes: Math.min(7, nodes + 1) } });
                expect(after.nodes.slice(0, nodes)).toEqual(before.nodes);
                expect(after.seeds.slice(0, before.seeds.length)).toEqual(before.seeds);
                if (nodes >= 3) {
                    expect(after.seeds).toEqual(before.seeds);
                }
                expect(after.ranges).toEqual(before.ranges);
            }),
        );
    });

    it("moves no range when zones are added, and no node that a larger list leaves in its zone", () => {
        fc.assert(
            fc.property(size, ({ siteNumber, zones, subnets }) => {
                const more = zoneNames.slice(0, Math.min(6, zones.length + 1));
                const before = plan({ siteNumber, zones, subnets, broker: { nodes: zones.length } });
                const after = plan({ siteNumber, zones: more, subnets, broker: { nodes: zones.length } });
                expect(after.ranges).toEqual(before.ranges);
                expect(after.brokerRanges.slice(0, before.brokerRanges.length)).toEqual(before.brokerRanges);
                expect(after.nodes).toEqual(before.nodes);
            }),
        );
    });

    it("gives sites of a mesh no address in common", () => {
        fc.assert(
            fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 120 }), { minLength: 2, maxLength: 6 }), (numbers) => {
                const addresses = numbers.flatMap((siteNumber) =>
                    plan({ siteNumber, broker: { nodes: 7 } }).nodes.map(({ address }) => address),
                );
                expect(new Set(addresses).size).toBe(addresses.length);
            }),
        );
    });

    it.each<[string, Partial<ClusterPlanInput>, string]>([
        ["a name that no host has", { name: "A" }, 'name: "A" is no site name'],
        ["a number out of range", { siteNumber: 121 }, "siteNumber: 121 is no site number"],
        ["a mesh that a cloud resolves itself", { meshId: "google" }, 'meshId: "google" is resolved by a cloud'],
        ["no zones", { zones: [] }, "zones: [] is not possible; set 1 to 6 different zones, and keep them"],
        ["a zone twice", { zones: ["z1", "z1"] }, 'zones: ["z1","z1"] is not possible'],
        ["seven zones", { zones: [...zoneNames, "z7"] }, "zones: "],
        ["a public range", { cidr: "8.8.0.0/16" }, 'cidr: "8.8.0.0/16" is not private'],
        ["a range that is too small", { cidr: "10.1.0.0/30" }, 'cidr: "10.1.0.0/30" has the wrong size'],
        [
            "two nodes without a licence",
            { license: "community", broker: { nodes: 2 } },
            'broker.nodes: 2 nodes need a licence: set license to a key (config.requireSecret("emqxLicense")), to "evaluation"',
        ],
        ["eight nodes", { broker: { nodes: 8 } }, "broker.nodes: 8 is out of range; set a whole number of 1 to 7 nodes"],
        ["no node", { broker: { nodes: 0 } }, "broker.nodes: 0 is out of range"],
        ["half a node", { broker: { nodes: 1.5 } }, "broker.nodes: 1.5 is out of range"],
        [
            "a subnet that is full",
            { subnets: "regional", brokerRanges: ["10.1.0.0/29"] },
            'broker.nodes: the subnet "10.1.0.0/29" has room for 0 brokers',
        ],
        [
            "too few subnets",
            { brokerRanges: ["10.1.0.0/24"] },
            "network: 1 brokers' subnets given; set one for each of the 3 zones",
        ],
        [
            "two subnets where one spans all",
            { subnets: "regional", brokerRanges: ["10.1.0.0/24", "10.1.1.0/24"] },
            "network: 2 brokers' subnets given; set one",
        ],
        [
            "subnets that overlap",
            { brokerRanges: ["10.1.0.0/24", "10.1.0.128/25", "10.1.1.0/24"] },
            "network: 10.1.0.0/24 (a brokers' subnet) and 10.1.0.128/25 (a brokers' subnet) share addresses",
        ],
        ["a subnet that is none", { subnets: "regional", brokerRanges: ["10.1.0.0"] }, 'network: "10.1.0.0" is no IPv4 range'],
        ["subnets that are none", { brokerRanges: ["x", "y", "z"] }, 'network: "x" is no IPv4 range'],
        ["no release", { broker: { version: "5.10" } }, 'broker.version: "5.10" is no release; write it as in "5.10.3"'],
        [
            "a release without links",
            { broker: { version: "5.7.2" } },
            "broker.version: EMQX 5.7.2: this release has no cluster linking",
        ],
        [
            "a release with broken links over TLS",
            { broker: { version: "6.1.2" } },
            "broker.version: EMQX 6.1.2: cluster links over TLS stop delivering",
        ],
        [
            "a gated release without a licence",
            { license: "community", broker: { version: "6.2.2" } },
            "broker.version: EMQX 6.2.2: cluster linking needs a licence",
        ],
        [
            "an unknown architecture",
            { defaults: { ...minimal.defaults, architecture: JSON.parse('"mips"') } },
            'broker.architecture: "mips" is not known; set arm64 or x86_64',
        ],
        [
            "a disk that is too small",
            { broker: { dataDiskGb: 9 } },
            "broker.dataDiskGb: 9 is out of range; set a whole number of 10 to 16384 GiB",
        ],
        ["a queue without room", { broker: { sessionQueueMessages: 0 } }, "broker.sessionQueueMessages: 0 is out of range"],
        [
            "no administrators",
            { adminCidrs: undefined },
            "adminCidrs: it is missing; list the IPv4 ranges that may use the REST API on port 18084",
        ],
        ["an empty list of administrators", { adminCidrs: [] }, "adminCidrs: it is empty; list the IPv4 ranges"],
        [
            "everybody as administrator",
            { adminCidrs: ["203.0.113.7/32", "0.0.0.0/0"] },
            'adminCidrs[1]: "0.0.0.0/0" admits everybody',
        ],
        ["everybody by IPv6", { adminCidrs: ["::/0"] }, 'adminCidrs[0]: "::/0" is IPv6'],
        [
            "half of the internet as administrators",
            { adminCidrs: ["0.0.0.0/1"] },
            'adminCidrs[0]: "0.0.0.0/1" admits 2147483648 addresses',
        ],
        [
            "everybody as a device, by a range",
            { clientCidrs: ["0.0.0.0/0"] },
            'clientCidrs[0]: "0.0.0.0/0" admits everybody; set clientCidrs to "anywhere" if that is meant',
        ],
        [
            "devices in no list",
            { clientCidrs: JSON.parse('"198.51.100.0/24"') },
            'clientCidrs: "198.51.100.0/24" is not possible; set a list of IPv4 ranges, or "anywhere"',
        ],
        [
            "Linkspan's own user",
            { users: [{ username: "linkspan-probe" }] },
            'users[0].username: "linkspan-probe" is Linkspan\'s own',
        ],
        ["a link's user", { users: [{ username: "link-x" }] }, 'users[0].username: "link-x" is Linkspan\'s own'],
        ["a user twice", { users: [{ username: "u" }, { username: "u" }] }, 'users[1].username: "u" stands twice'],
        ["a user that would be two fields", { users: [{ username: "a,b" }] }, 'users[0].username: "a,b" is not possible'],
        [
            "a package by plain HTTP",
            { broker: { package: { url: "http://x/e.deb", sha256: "ab".repeat(32) } } },
            'broker.package.url: "http://x/e.deb" is not possible; set the https:// address of a .deb file',
        ],
        [
            "a package that ends a shell word",
            { broker: { package: { url: "https://x/$(id).deb", sha256: "ab".repeat(32) } } },
            "broker.package.url: ",
        ],
        [
            "a package without a sum",
            { broker: { package: { url: "https://x/e.deb", sha256: "AB" } } },
            'broker.package.sha256: "AB" is no SHA-256',
        ],
    ])("refuses %s", (_what, more, message) => {
        expect(() => plan(more)).toThrow(InputError);
        expect(() => plan(more)).toThrow(message);
    });
});
