import { describe, expect, it } from "vitest";
import { LocalSite, type LocalSiteArgs } from "../../../src/local/index.js";
import { Mesh, type MeshArgs } from "../../../src/mesh.js";
import { record } from "../../support/recorder.js";

/** What the providers would answer: enough for every output to be known. */
const outputs = (type: string, name: string) => {
    if (type.endsWith(":MeshCa") || type.endsWith(":Certificate")) {
        return { certPem: `CERT ${name}`, keyPem: `KEY ${name}`, notAfter: "2036-01-01T00:00:00.000Z" };
    }
    if (type.endsWith(":Secrets")) {
        return { values: { api: `${name} api`, probe: `${name} probe`, device: `${name} device`, link: `${name} link` } };
    }
    if (type.endsWith(":LocalBroker")) {
        return { pid: 1, startTime: "1", boundPorts: { mqtts: 8883, links: 8884, api: 18084 }, folder: "/folder" };
    }
    if (type.endsWith(":ClusterLink")) {
        return { status: "connected", changedAt: "2026-01-01T00:00:00.000Z" };
    }
    if (type.endsWith(":DeliveryProbe")) {
        return { results: [] };
    }
    return {};
};

const twoSites = (more: Partial<LocalSiteArgs> = {}) => [
    new LocalSite("a", { siteNumber: 1, ...more }),
    new LocalSite("b", { siteNumber: 2, ...more }),
];
const mesh = (more: Partial<MeshArgs> = {}) =>
    record(() => void new Mesh("fleet", { sites: twoSites(), topics: ["fleet/#"], ...more }), { outputs });

describe("LocalSite", () => {
    it("makes secrets, two certificates and a broker, each below the site", async () => {
        const recording = await record(() => void new LocalSite("a", { siteNumber: 1 }), { outputs });
        expect(recording.resources.map(({ name, parent }) => `${parent}>${name}`).sort()).toEqual(
            [
                ">a",
                ">project-stack",
                "a>a-broker",
                "a>a-link-certificate",
                "a>a-secrets",
                "a>a-server-certificate",
                "project-stack>project-stack-ca",
            ].sort(),
        );
    });

    it("gives the broker its names, and what is secret as secrets", async () => {
        const recording = await record(
            () => void new LocalSite("a", { siteNumber: 1, meshId: "fleet", ports: { mqtts: 18883 } }),
            {
                outputs,
            },
        );
        const broker = recording.named("a-broker");
        expect(broker.inputs).toMatchObject({
            clusterName: "fleet-a",
            linkHost: "a.link.fleet.internal",
            stateDir: ".linkspan/fleet/a",
            ports: { mqtts: 18883, links: 0, api: 0 },
        });
        expect(broker.secrets).toEqual(expect.arrayContaining(["apiSecret", "users"]));
        expect(broker.secrets.filter((path) => path.startsWith("tls"))).toEqual(
            expect.arrayContaining(["tls.serverKey", "tls.linkKey"]),
        );
        expect(recording.named("a-link-certificate").inputs).toMatchObject({
            dnsNames: ["a.link.fleet.internal"],
            usage: ["server", "client"],
        });
    });

    it("adds another site without changing a single input of the first", async () => {
        const alone = await record(() => void new LocalSite("a", { siteNumber: 1 }), { outputs });
        const both = await record(() => void twoSites(), { outputs });
        for (const resource of alone.resources) {
            expect(both.named(resource.name)).toEqual(resource);
        }
    });

    it.each<[string, Partial<LocalSiteArgs>, string]>([
        ["a number out of range", { siteNumber: 0 }, "siteNumber: 0 is no site number"],
        ["a mesh id that no host name takes", { meshId: "Fleet" }, 'meshId: "Fleet" is no mesh id'],
        ["a privileged port", { ports: { mqtts: 80 } }, "ports.mqtts: 80 is no port for a local site"],
        [
            "a user of Linkspan's own",
            { users: [{ username: "link-x", password: "p" }] },
            'users[0].username: "link-x" cannot be a device\'s',
        ],
        ["a route life that EMQX has not", { routeLifeSeconds: 31 }, "routeLifeSeconds: 31 is out of range"],
    ])("refuses %s", async (_what, more, message) => {
        await expect(record(() => void new LocalSite("a", { siteNumber: 1, ...more }))).rejects.toThrow(message);
    });
});

describe("Mesh", () => {
    it("makes for a pair: two users, two links and one proof, keyed by the pair", async () => {
        const recording = await mesh();
        const pair = recording.resources.filter((resource) => resource.parent === "fleet-a-b");
        expect(pair.map((resource) => resource.type.split(":").at(-1)).sort()).toEqual([
            "ClusterLink",
            "ClusterLink",
            "DeliveryProbe",
            "LinkAccess",
            "LinkAccess",
        ]);
        expect(recording.named("fleet-a-b").parent).toBe("fleet");
    });

    it("makes links after both users and both brokers, and the proof after both links", async () => {
        const recording = await mesh();
        const links = recording.resources.filter((resource) => resource.type.endsWith(":ClusterLink"));
        const accesses = recording.resources
            .filter((resource) => resource.type.endsWith(":LinkAccess"))
            .map((resource) => resource.name);
        for (const link of links) {
            expect(link.dependencies).toEqual(expect.arrayContaining([...accesses, "a-broker", "b-broker"]));
            expect(link.secrets).toEqual(expect.arrayContaining(["password"]));
        }
        const probe = recording.resources.find((resource) => resource.type.endsWith(":DeliveryProbe"));
        expect(probe?.dependencies).toEqual(expect.arrayContaining(links.map((link) => link.name)));
    });

    it("names the peer's cluster, its stable door and the peer's own password in each link", async () => {
        const recording = await mesh();
        const links = recording.resources
            .filter((resource) => resource.type.endsWith(":ClusterLink"))
            .map((resource) => resource.inputs);
        expect(links.map((link) => [link.localCluster, link.name, link.server])).toEqual(
            expect.arrayContaining([
                ["project-stack-a", "project-stack-b", "b.link.project-stack.internal:8884"],
                ["project-stack-b", "project-stack-a", "a.link.project-stack.internal:8884"],
            ]),
        );
        expect(new Set(links.map((link) => link.password)).size).toBe(2);
    });

    it("leaves every resource of other pairs as it is when a site is added", async () => {
        const three = () => [...twoSites(), new LocalSite("c", { siteNumber: 3 })];
        const small = await mesh();
        const large = await record(() => void new Mesh("fleet", { sites: three(), topics: ["fleet/#"] }), { outputs });
        for (const resource of small.resources.filter(({ name }) => name !== "fleet")) {
            expect(large.named(resource.name)).toEqual(resource);
        }
        expect(large.resources.filter((resource) => resource.type.endsWith(":ClusterLink"))).toHaveLength(6);
    });

    it.each<[string, Partial<MeshArgs>, RegExp]>([
        ["an unknown tier", { tier: "ipsec" as "vpn" }, /tier: "ipsec" is no tier/],
        ["an outage beyond the route life", { maxOutageSeconds: 31 }, /maxOutageSeconds: 31/],
        ["EMQX's own topics", { topics: ["$LINK/#"] }, /"\$LINK\/#" is of EMQX's own topics/],
        ["a redundant filter", { topics: ["t/+", "t/1"] }, /"t\/1" is covered by "t\/\+"/],
        ["a pair that does not exist", { pairs: { "a-c": {} } }, /pairs\["a-c"\]: there is no such pair/],
        ["a pool of none", { link: { poolSize: 0 } }, /poolSize: 0/],
        ["a proof of nothing", { proof: { count: 0 } }, /count: 0 is out of range/],
    ])("refuses %s at preview", async (_what, more, message) => {
        await expect(mesh(more)).rejects.toThrow(message);
    });
});
