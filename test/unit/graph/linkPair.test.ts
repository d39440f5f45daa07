import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import type { LinkDoor, LinkLogin, Site } from "../../../src/contracts/site.js";
import { createAuthority, issueCertificate } from "../../../src/identity/issue.js";
import { Secrets } from "../../../src/identity/secrets.js";
import { LinkPair, type LinkPairArgs } from "../../../src/link/linkPair.js";
import { type Recording, record } from "../../support/recorder.js";

const dynamic = (type: string) => `pulumi-nodejs:dynamic/linkspan:${type}`;
let caPem = "";
let linkCertificate = { cert: "", key: "" };

beforeAll(async () => {
    const authority = await createAuthority("fleet mesh", 100);
    const issued = await issueCertificate(
        { commonName: "x", dnsNames: ["x.example"], ipAddresses: [], usage: ["client"], validityDays: 90 },
        authority,
    );
    caPem = authority.certPem;
    linkCertificate = { cert: issued.certPem, key: issued.keyPem };
});

interface FakeSiteOptions {
    readonly login?: LinkLogin;
    readonly certificate?: boolean;
    readonly clusterName?: string;
    readonly protocol?: "emqx" | "linkspan-local";
}

/** A site as far as a pair needs it, with one resource that must be ready. */
function fakeSite(
    name: string,
    { login = { kind: "managed" }, certificate = true, clusterName = `fleet-${name}`, protocol = "emqx" }: FakeSiteOptions = {},
): Site {
    const ready = new Secrets(`${name}-ready`, { names: ["x"] });
    const nowhere = () => {
        throw new Error("not asked for");
    };
    return {
        facts: {
            name,
            siteNumber: 1,
            platform: "external",
            linkProtocol: protocol,
            clusterName,
            tiers: { nat: { supported: true }, vpn: { supported: true }, interconnect: { supported: true } },
        },
        cluster: {
            clusterName,
            api: pulumi.secret({ url: `https://${name}.example:18084`, key: "key", secret: `api-secret-${name}` }),
            clientDoor: pulumi.output({ host: `${name}.example`, port: 8883, scheme: "mqtts" as const }),
            probe: pulumi.secret({
                host: `${name}.example`,
                port: 8883,
                tls: true,
                username: "probe",
                password: `probe-${name}`,
            }),
            linkLogin: login,
            linkIdentity: {
                certificate: certificate ? pulumi.secret(linkCertificate) : undefined,
                passwordFor: (peer) => pulumi.secret(`password-of-${name}-at-${peer}`),
            },
            version: pulumi.output("5.10.3"),
            incarnation: pulumi.output("first"),
            ready: [ready],
        },
        publicEnd: nowhere,
        vpnEnd: nowhere,
        interconnectEnd: nowhere,
    };
}

const door = (name: string, more: Partial<LinkDoor> = {}): LinkDoor => ({
    server: pulumi.output(`${name}.link.fleet.internal:8884`),
    tls: pulumi.output({ enable: true, ca: caPem, serverName: `${name}.link.fleet.internal` }),
    clientCertificate: "mesh",
    ...more,
});

const outputs = (type: string) =>
    type === dynamic("ClusterLink")
        ? { status: "connected", changedAt: "2026-01-01T00:00:00.000Z" }
        : type === dynamic("DeliveryProbe")
          ? { results: [{ from: "b", to: "a", status: "proven", delivered: 100, lost: 0 }] }
          : {};

async function pairOf(
    args: (path: pulumi.Resource) => Partial<LinkPairArgs> & Pick<LinkPairArgs, "a" | "b">,
): Promise<Recording & { links: unknown }> {
    let links: unknown;
    const recording = await record(
        async () => {
            const path = new Secrets("path", { names: ["x"] });
            const pair = new LinkPair("fleet-a-b", { tier: "vpn", pathReady: [path], ...args(path) });
            pair.links.apply((rows) => {
                links = rows;
            });
        },
        { outputs },
    );
    return { ...recording, links };
}

const both = () => ({
    a: { site: fakeSite("a"), door: door("a"), topics: ["a/#"] },
    b: { site: fakeSite("b"), door: door("b"), topics: ["b/#", "c"] },
});

describe("LinkPair", () => {
    it("has exactly these children; their names are kept for ever", async () => {
        const { resources } = await pairOf(both);
        const children = resources.filter(({ parent }) => parent === "fleet-a-b").map(({ type, name }) => [type, name]);
        expect(children.sort()).toEqual([
            [dynamic("ClusterLink"), "fleet-a-b-a-to-b"],
            [dynamic("ClusterLink"), "fleet-a-b-b-to-a"],
            [dynamic("DeliveryProbe"), "fleet-a-b-delivery"],
            [dynamic("LinkAccess"), "fleet-a-b-access-for-a-at-b"],
            [dynamic("LinkAccess"), "fleet-a-b-access-for-b-at-a"],
        ]);
        expect(resources.find(({ name }) => name === "fleet-a-b")?.type).toBe("linkspan:link:LinkPair");
    });

    it("orders them: sites, then access, then links, then the proof", async () => {
        const recording = await pairOf(both);
        expect(recording.named("fleet-a-b-access-for-a-at-b").dependencies).toEqual(["b-ready"]);
        expect(recording.named("fleet-a-b-access-for-b-at-a").dependencies).toEqual(["a-ready"]);
        for (const link of ["fleet-a-b-a-to-b", "fleet-a-b-b-to-a"]) {
            expect(recording.named(link).dependencies).toEqual([
                "a-ready",
                "b-ready",
                "fleet-a-b-access-for-a-at-b",
                "fleet-a-b-access-for-b-at-a",
                "path",
            ]);
        }
        expect(recording.named("fleet-a-b-delivery").dependencies).toEqual(["fleet-a-b-a-to-b", "fleet-a-b-b-to-a"]);
    });

    it("makes on each side the link that receives from the other, with the login made there", async () => {
        const recording = await pairOf(both);
        const link = recording.named("fleet-a-b-b-to-a");
        expect(link.inputs).toMatchObject({
            api: { url: "https://a.example:18084" },
            localCluster: "fleet-a",
            name: "fleet-b",
            server: "b.link.fleet.internal:8884",
            topics: ["a/#"],
            username: "link-fleet-a",
            password: "password-of-a-at-fleet-b",
            tls: { enable: true, ca: caPem, serverName: "b.link.fleet.internal", ...linkCertificate },
        });
        expect(recording.named("fleet-a-b-access-for-a-at-b").inputs).toMatchObject({
            api: { url: "https://b.example:18084" },
            localCluster: "fleet-b",
            peer: "fleet-a",
            password: "password-of-a-at-fleet-b",
        });
    });

    it("keeps every secret a secret, in inputs and outputs", async () => {
        const recording = await pairOf(both);
        expect(recording.named("fleet-a-b-b-to-a").secrets).toEqual(["api", "password", "tls"]);
        expect(recording.named("fleet-a-b-b-to-a").secretOutputs).toEqual(["secrets"]);
        expect(recording.named("fleet-a-b-access-for-a-at-b").secrets).toEqual(["api", "password"]);
        expect(recording.named("fleet-a-b-access-for-a-at-b").secretOutputs).toEqual(["secrets"]);
        expect(recording.named("fleet-a-b-delivery").secrets).toEqual(["a", "b"]);
    });

    it("stores no default, so that another default later changes nothing", async () => {
        const recording = await pairOf(both);
        const keys = Object.keys(recording.named("fleet-a-b-b-to-a").inputs).sort();
        expect(keys).toEqual(
            [
                "__provider",
                "allowLoopback",
                "api",
                "localCluster",
                "name",
                "password",
                "progressUrn",
                "server",
                "tls",
                "topics",
                "username",
            ].sort(),
        );
    });

    it("proves the directions that have topics, again when a link or the tier changes", async () => {
        const recording = await pairOf(both);
        const changedAt = "2026-01-01T00:00:00.000Z";
        expect(recording.named("fleet-a-b-delivery").inputs).toMatchObject({
            pair: "a-b",
            directions: [
                { from: "b", to: "a", topics: ["a/#"] },
                { from: "a", to: "b", topics: ["b/#", "c"] },
            ],
            proves: { tier: "vpn", a: `${changedAt} first`, b: `${changedAt} first` },
        });
        expect(recording.links).toEqual([
            {
                pair: "a-b",
                tier: "vpn",
                topics: ["a/#"],
                linkStatus: "connected",
                from: "b",
                to: "a",
                status: "proven",
                delivered: 100,
                lost: 0,
            },
        ]);
    });

    it("links a one-way pair on both sides and proves the one direction", async () => {
        const recording = await pairOf(() => ({ ...both(), b: { site: fakeSite("b"), door: door("b"), topics: [] } }));
        expect(recording.named("fleet-a-b-a-to-b").inputs.topics).toEqual([]);
        expect(recording.named("fleet-a-b-delivery").inputs.directions).toEqual([{ from: "b", to: "a", topics: ["a/#"] }]);
    });

    it("proves nothing of a pair with a disabled link, and says so in both rows", async () => {
        const recording = await pairOf(() => {
            const { a, b } = both();
            return { a, b: { ...b, link: { enable: false } } };
        });
        expect(recording.named("fleet-a-b-a-to-b").inputs.enable).toBe(false);
        expect(recording.named("fleet-a-b-delivery").inputs.directions).toEqual([]);
        const rows = recording.links as { from: string; status: string; reason?: string }[];
        expect(rows.filter(({ status }) => status === "unproven").map(({ from, reason }) => [from, reason])).toEqual([
            ["b", "the link at b is disabled, which stops both directions"],
            ["a", "the link at b is disabled, which stops both directions"],
        ]);
    });

    it("uses a login that exists, or none, without making a user", async () => {
        const given: LinkLogin = {
            kind: "given",
            username: pulumi.output("their-user"),
            password: pulumi.secret("their-password"),
        };
        const recording = await pairOf(() => ({
            a: {
                site: fakeSite("a", { login: { kind: "none" } }),
                door: door("a", { clientCertificate: "none" }),
                topics: ["a/#"],
            },
            b: {
                site: fakeSite("b", { login: given }),
                door: door("b", { clientCertificate: { given: pulumi.secret(linkCertificate) } }),
                topics: ["b/#"],
            },
        }));
        expect(recording.resources.filter(({ type }) => type === dynamic("LinkAccess"))).toEqual([]);
        expect(recording.named("fleet-a-b-b-to-a").inputs).toMatchObject({
            username: "their-user",
            password: "their-password",
            tls: linkCertificate,
        });
        const open = recording.named("fleet-a-b-a-to-b").inputs;
        expect(open).not.toHaveProperty("username");
        expect(open).not.toHaveProperty("password");
        expect(open.tls).toEqual({ enable: true, ca: caPem, serverName: "a.link.fleet.internal" });
    });

    it("passes settings on: a side's over the pair's, outage to both links", async () => {
        const recording = await pairOf(() => {
            const { a, b } = both();
            return {
                a: { ...a, link: { poolSize: 1 } },
                b,
                link: { poolSize: 2, maxInflight: 50 },
                maxOutageSeconds: 10,
                proof: { count: 7 },
            };
        });
        expect(recording.named("fleet-a-b-b-to-a").inputs).toMatchObject({ poolSize: 1, maxInflight: 50, maxOutageSeconds: 10 });
        expect(recording.named("fleet-a-b-a-to-b").inputs).toMatchObject({ poolSize: 2, maxInflight: 50, maxOutageSeconds: 10 });
        expect(recording.named("fleet-a-b-delivery").inputs).toMatchObject({ count: 7 });
    });

    it("refuses what cannot be linked, naming the argument", async () => {
        const table: [make: () => Pick<LinkPairArgs, "a" | "b">, message: RegExp][] = [
            [
                () => ({ ...both(), b: { site: fakeSite("a"), door: door("a"), topics: ["b"] } }),
                /^b\.site: it is a, like a\.site/,
            ],
            [
                () => ({ ...both(), b: { site: fakeSite("b", { clusterName: "fleet-a" }), door: door("b"), topics: ["b"] } }),
                /^b\.site: its cluster\.name is fleet-a/,
            ],
            [
                () => ({ ...both(), b: { site: fakeSite("b", { protocol: "linkspan-local" }), door: door("b"), topics: ["b"] } }),
                /^b\.site: one of the sites is a local stand-in/,
            ],
            [
                () => ({ a: { ...both().a, topics: [] }, b: { site: fakeSite("c"), door: door("c"), topics: [] } }),
                /^a\.topics: neither side would receive anything/,
            ],
            [
                () => ({ ...both(), b: { site: fakeSite("b", { certificate: false }), door: door("b"), topics: ["b"] } }),
                /^a\.door: it asks for a certificate of the mesh, and b has none/,
            ],
        ];
        for (const [make, message] of table) {
            let thrown: unknown;
            const { resources } = await record(
                () => {
                    try {
                        new LinkPair("bad", { tier: "nat", ...make() });
                    } catch (error) {
                        thrown = error;
                    }
                },
                { outputs },
            );
            expect(thrown).toBeInstanceOf(pulumi.ResourceError);
            expect((thrown as Error).message).toMatch(message);
            expect(resources.filter(({ parent }) => parent === "bad")).toEqual([]);
        }
    });
});
