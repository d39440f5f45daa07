import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { ExternalSite, type ExternalSiteArgs } from "../../../src/external/index.js";
import { Mesh } from "../../../src/mesh.js";
import { assertNoCycle } from "../../support/graph.js";
import { record } from "../../support/recorder.js";

const outputs = (type: string, _name: string, inputs: Record<string, unknown>): Record<string, unknown> => {
    if (type.endsWith(":Secrets")) {
        return { values: { link: "link secret" } };
    }
    if (type.endsWith(":ClusterPreflight")) {
        return { version: "5.10.3", licenseType: "community", nodes: 1 };
    }
    if (type.endsWith(":ClusterLink")) {
        return { status: "connected", changedAt: "2026-01-01T00:00:00.000Z" };
    }
    if (type.endsWith(":LinkPath")) {
        return { reached: inputs.host, verdict: "checked" };
    }
    return type.endsWith(":DeliveryProbe") ? { results: [] } : {};
};

const args = (name: string, siteNumber: number, more: Partial<ExternalSiteArgs> = {}): ExternalSiteArgs => ({
    siteNumber,
    clusterName: `emqx-${name}`,
    api: { url: `https://${name}.example.com:18084`, key: "key", secret: pulumi.secret("api-S3cret") },
    link: { server: `${name}.example.com:8884` },
    clients: { host: `${name}.example.com`, username: "probe", password: pulumi.secret("probe-S3cret") },
    ...more,
});

/** Links two existing clusters, of which b differs. */
const pair = (b: Partial<ExternalSiteArgs> = {}) =>
    record(
        () => {
            const sites = [new ExternalSite("a", args("a", 1)), new ExternalSite("b", args("b", 2, b))];
            new Mesh("fleet", { sites, topics: ["fleet/#"] });
        },
        { outputs },
    );

describe("ExternalSite", () => {
    it("refuses sites of different meshes", async () => {
        await expect(pair({ meshId: "another" })).rejects.toThrow("sites: the sites belong to different meshes");
    });

    it("is reached through a proxy, API and client door, which stays secret", async () => {
        const proxy = pulumi.secret("socks5://u:pr0xy-S3cret@127.0.0.1:1080");
        const { api, clients } = args("b", 2);
        const recording = await pair({ api: { ...api, proxy }, clients: { ...clients, proxy } });
        const plain = "socks5://u:pr0xy-S3cret@127.0.0.1:1080";
        expect(recording.named("b-preflight").inputs.api).toMatchObject({ proxy: plain });
        expect(recording.named("b-preflight").secrets).toContain("api");
        const probe = recording.named("fleet-a-b-delivery");
        expect(probe.inputs.b).toMatchObject({ mqtt: { proxy: plain }, api: { proxy: plain } });
        expect(JSON.stringify(probe.inputs.a)).not.toContain("socks5");
        expect(probe.secrets.some((path) => path === "b" || path === "b.mqtt")).toBe(true);
    });

    it("is reached by a tunnel's end, API and client door", async () => {
        const connect = { host: "127.0.0.1", port: 9883 };
        const { api, clients } = args("b", 2);
        const recording = await pair({ api: { ...api, connect }, clients: { ...clients, connect } });
        expect(recording.named("fleet-a-b-delivery").inputs.b).toMatchObject({ mqtt: { connect }, api: { connect } });
    });

    it.each([
        ["api", { proxy: "https://127.0.0.1:1" }, 'api.proxy: "https://127.0.0.1:1" has the scheme "https"'],
        ["clients", { proxy: "socks5://169.254.169.254:1" }, "clients.proxy: "],
        [
            "clients",
            { connect: { host: "127.0.0.1", port: 1 }, proxy: "socks5://127.0.0.1:1" },
            "clients.proxy: it stands next to clients.connect",
        ],
        ["api", { connect: { host: "metadata.google.internal", port: 1 } }, "api.connect.host: "],
    ] as const)("refuses at preview a way to its %s that cannot be: %j", async (door, way, message) => {
        await expect(pair({ [door]: { ...args("b", 2)[door], ...way } })).rejects.toThrow(message);
    });

    it("leads the peer's link to its listener, over TLS, with a user of its own", async () => {
        const { inputs, secrets } = (await pair()).named("fleet-a-b-b-to-a");
        expect(inputs).toMatchObject({
            localCluster: "emqx-a",
            name: "emqx-b",
            server: "b.example.com:8884",
            username: "link-emqx-a",
            // By mesh and site: another stack that links the same clusters has other client ids.
            clientIdPrefix: "project-stack-a-",
            topics: ["fleet/#"],
            tls: { enable: true },
        });
        expect(secrets).toEqual(expect.arrayContaining(["api", "password", "tls"]));
    });

    it("has both ways tried by the clusters themselves, before links are made", async () => {
        const recording = await pair();
        expect(recording.named("a-path-to-b").inputs).toMatchObject({
            localCluster: "emqx-a",
            remoteCluster: "emqx-b",
            host: "b.example.com",
            port: 8884,
            username: "link-emqx-a",
            tls: { enable: true },
        });
        expect(recording.named("b-path-to-a").inputs).toMatchObject({ host: "a.example.com", port: 8884 });
        expect(recording.named("fleet-a-b-b-to-a").propertyDependencies.args).toContain("a-path-to-b");
        expect(recording.named("fleet-a-b-b-to-a").dependencies).toEqual(expect.arrayContaining(["a-path-to-b", "b-path-to-a"]));
        assertNoCycle(recording);
    });

    it("says which public addresses are its own, as far as they are written down", async () => {
        const told = async (link: ExternalSiteArgs["link"]) => {
            const found: unknown[] = [];
            await record(
                () => {
                    const site = new ExternalSite("b", args("b", 2, { link }));
                    found.push(
                        site.facts.publicAddresses,
                        site.publicEnd().door.leadsTo?.map(({ key }) => key),
                    );
                },
                { outputs },
            );
            return found;
        };
        expect(await told({ server: "b.example.com:9884" })).toEqual([{ egress: [], doors: ["0.0.0.0/0:9884"] }, undefined]);
        expect(await told({ server: "198.51.99.8:9884", egressAddresses: ["198.51.99.7"] })).toEqual([
            { egress: ["198.51.99.7"], doors: ["198.51.99.8:9884"] },
            ["198.51.99.8"],
        ]);
        expect(await told({ server: "b.example.com:9884", addresses: ["198.51.99.8", "198.51.99.9"] })).toEqual([
            { egress: [], doors: ["198.51.99.8:9884", "198.51.99.9:9884"] },
            ["198.51.99.8", "198.51.99.9"],
        ]);
        expect(await told({ server: pulumi.output("b.example.com:9884") })).toEqual([{ egress: [], doors: [] }, undefined]);
        expect(await told({ server: "10.0.0.4:9884", tls: { enable: false } })).toEqual([
            { egress: [], doors: ["0.0.0.0/0:9884"] },
            undefined,
        ]);
    });

    it("names the listener only where it is told: an address is no name", async () => {
        const address = { link: { server: "192.0.2.7:8884", tls: { enable: true, ca: "CA" } } };
        expect((await pair(address)).named("fleet-a-b-b-to-a").inputs.tls).toEqual({ enable: true, ca: "CA" });
        const named = { link: { server: "192.0.2.7:8884", tls: { enable: true, serverName: "b.internal" } } };
        expect((await pair(named)).named("fleet-a-b-b-to-a").inputs.tls).toEqual({ enable: true, serverName: "b.internal" });
        const open = { link: { server: "192.0.2.7:1883", tls: { enable: false } } };
        expect((await pair(open)).named("fleet-a-b-b-to-a").inputs.tls).toEqual({ enable: false });
    });

    it("makes no user where a login exists", async () => {
        const login = { username: "theirs", password: pulumi.secret("theirs-S3cret") };
        const recording = await pair({ link: { server: "b.example.com:8884", login } });
        expect(recording.named("fleet-a-b-b-to-a").inputs).toMatchObject({ username: "theirs", password: "theirs-S3cret" });
        expect(recording.resources.filter(({ type }) => type.endsWith(":LinkAccess"))).toHaveLength(1);
    });
});

describe("bad input to an existing cluster, each with the argument named", () => {
    const plain = "PLAIN-S3cret" as unknown as pulumi.Output<string>;
    const api = args("b", 2).api;
    const clients = args("b", 2).clients;
    /** What plain JavaScript and configuration can bring, whatever the types say. */
    const missing = (more: object) => more as Partial<ExternalSiteArgs>;
    const server = (value: string): Partial<ExternalSiteArgs> => ({ link: { server: value } });
    const cases: readonly (readonly [string, Partial<ExternalSiteArgs>, RegExp])[] = [
        ["a site number out of range", { siteNumber: 121 }, /^siteNumber: 121/],
        ["an empty cluster name", { clusterName: "" }, /^clusterName: "" cannot be linked to/],
        ["255 characters", { clusterName: "n".repeat(255) }, /^clusterName: .*1 to 254/],
        ["bad characters", { clusterName: "a b/c" }, /^clusterName: "a b\/c"/],
        ["no cluster name", missing({ clusterName: undefined }), /^clusterName: it is missing/],
        ["no API", missing({ api: undefined }), /^api\.url: it is missing; set https:\/\/host:port/],
        ["no API secret", missing({ api: { ...api, secret: undefined } }), /^api\.secret: it is missing/],
        [
            "an API secret that is a number",
            missing({ api: { ...api, secret: 123456 } }),
            /^api\.secret: it is a number and no text; [^1]*$/,
        ],
        ["no listener for links", missing({ link: {} }), /^link\.server: it is missing; set host:port/],
        ["no host for the probe", missing({ clients: {} }), /^clients\.host: it is missing/],
        ["a port out of range", { clients: { ...clients, port: 99_999 } }, /^clients\.port: 99999 is no port/],
        [
            "a login that does not exist",
            missing({ link: { server: "b.example.com:1", login: "manged" } }),
            /^link\.login: "manged" is not known; set "managed", "none"/,
        ],
        [
            "a login without a password",
            missing({ link: { server: "b.example.com:1", login: { username: "u" } } }),
            /^link\.login\.password: it is missing/,
        ],
        ["an API without TLS", { api: { ...api, url: "http://b.example.com:18083" } }, /^api\.url: .*not encrypted/],
        ["an API with a user", { api: { ...api, url: "https://u:hidden@b.example.com:18084" } }, /^api\.url: .*carries a user/],
        ["an API with a path", { api: { ...api, url: "https://b.example.com:18084/api/v5" } }, /^api\.url: .*path/],
        ["an API on loopback", { api: { ...api, url: "https://127.0.0.1:18084" } }, /^api\.url: .*machine itself/],
        ["an API at the metadata service", { api: { ...api, url: "https://169.254.169.254" } }, /^api\.url: .*link-local/],
        [
            "a door's address that is private",
            { link: { server: "b.example.com:1", addresses: ["10.0.0.1"] } },
            /^link\.addresses\[0\]: .*no public/,
        ],
        ["no addresses of a door", { link: { server: "b.example.com:1", addresses: [] } }, /^link\.addresses: it is empty/],
        ["two hosts", server("a.example.com:1,b.example.com:1"), /^link\.server: .*more than one host/],
        ["a scheme", server("mqtts://b.example.com:8883"), /^link\.server: .*scheme/],
        ["a user", server("u:hidden@b.example.com:8883"), /^link\.server: .*carries a user/],
        ["a path", server("b.example.com:8883/x"), /^link\.server: .*not host:port/],
        ["port 0", server("b.example.com:0"), /^link\.server: 0 is no port/],
        ["port 65536", server("b.example.com:65536"), /^link\.server: 65536 is no port/],
        ["IPv6", server("[2001:db8::1]:8883"), /^link\.server: .*IPv6/],
        ["loopback", server("127.0.0.1:8883"), /^link\.server: .*machine itself/],
        ["localhost", server("localhost:8883"), /^link\.server: .*machine itself/],
        ["the metadata service", server("169.254.169.254:80"), /^link\.server: .*link-local/],
        ["link-local", server("169.254.1.1:8883"), /^link\.server: .*link-local/],
        ["a trailing dot", server("b.example.com.:8883"), /^link\.server: .*dot/],
        ["a homoglyph", server("еxample.com:8883"), /^link\.server: .*not plain ASCII/],
        ["a probe door on loopback", { clients: { ...clients, host: "127.0.0.1" } }, /^clients\.host: .*machine itself/],
        ["a plain API secret", { api: { ...api, secret: plain } }, /^api\.secret: it is given as a plain value/],
        ["a plain probe password", { clients: { ...clients, password: plain } }, /^clients\.password: it is given/],
        [
            "a plain login",
            { link: { server: "b.example.com:1", login: { username: "u", password: plain } } },
            /^link\.login\.password: it is given/,
        ],
        [
            "a plain client certificate",
            {
                link: {
                    server: "b.example.com:1",
                    tls: {
                        enable: true,
                        clientCertificate: { cert: "C", key: "PLAIN-S3cret" } as unknown as pulumi.Output<never>,
                    },
                },
            },
            /^link\.tls\.clientCertificate: it is given/,
        ],
        [
            "a cluster name of another site",
            { clusterName: "emqx-a" },
            /^sites\[1\]\.clusterName: "emqx-a" is the cluster\.name of a too/,
        ],
    ];
    it.each(cases)("%s", async (_what, more, message) => {
        let thrown: unknown;
        const recording = await record(
            () => {
                try {
                    const sites = [new ExternalSite("a", args("a", 1)), new ExternalSite("b", args("b", 2, more))];
                    new Mesh("fleet", { sites, topics: ["fleet/#"] });
                } catch (error) {
                    thrown = error;
                }
            },
            { outputs, preview: true },
        );
        expect(thrown).toBeInstanceOf(pulumi.ResourceError);
        expect((thrown as Error).message).toMatch(message);
        expect((thrown as Error).message).not.toMatch(/S3cret|hidden/);
        expect(recording.resources.filter(({ type }) => type.endsWith(":ClusterLink"))).toEqual([]);
    });
});
