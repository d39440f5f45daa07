import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { record } from "../../test/support/recorder.js";
import { InputError } from "../errors.js";
import { MeshIdentity } from "../identity/meshIdentity.js";
import type { CloudSiteArgs } from "./args.js";
import { type CloudChoices, type CloudSiteChoices, chooseCloudSite, cloudFacts } from "./cloudSite.js";

const cloud: CloudChoices = {
    zones: ["z1", "z2", "z3"],
    subnets: "perZone",
    defaults: { size: { arm64: "small", x86_64: "small" }, architecture: "arm64" },
};
const minimal: CloudSiteArgs = { siteNumber: 4, adminCidrs: ["203.0.113.7/32"], meshId: "fleet" };

/** What is chosen in a program of project `project`, stack `stack`. */
async function choose(more: Partial<CloudSiteArgs> = {}): Promise<CloudSiteChoices> {
    let chosen: CloudSiteChoices | undefined;
    await record(() => {
        chosen = chooseCloudSite("a", { ...minimal, ...more }, cloud);
    });
    if (chosen === undefined) {
        throw new Error("nothing was chosen");
    }
    return chosen;
}

/** Arguments as plain JavaScript may give them. */
const untyped = JSON.parse;

describe("chooseCloudSite", () => {
    it("plans the cluster, tags what can be tagged and reaches the public doors", async () => {
        const { plan, reach, tags } = await choose();
        expect(plan).toMatchObject({
            clusterName: "fleet-a",
            siteNumber: 4,
            license: "community",
            ranges: { cidr: "10.4.0.0/16" },
        });
        expect(reach).toBe("public");
        expect(tags).toEqual({ "linkspan-mesh": "fleet", "linkspan-site": "a" });
    });

    it("belongs to the mesh of its identity, else to that of project and stack", async () => {
        expect((await choose({ meshId: undefined })).plan.meshId).toBe("project-stack");
        const recording = await record(
            () =>
                chooseCloudSite(
                    "a",
                    { ...minimal, meshId: undefined, identity: new MeshIdentity("i", { meshId: "north" }) },
                    cloud,
                ).plan.meshId,
        );
        expect(recording.outputs).toBe("north");
    });

    it("makes the mesh's authority when it is asked for, and once", async () => {
        const recording = await record(() => {
            const { identity } = chooseCloudSite("a", minimal, cloud);
            const other = chooseCloudSite("b", { ...minimal, siteNumber: 5 }, cloud);
            expect(identity()).toBe(other.identity());
        });
        expect(recording.resources.map(({ name }) => name).sort()).toEqual(["fleet", "fleet-ca"]);
        expect((await record(() => void chooseCloudSite("a", minimal, cloud))).resources).toEqual([]);
    });

    it("lets the user's tags win", async () => {
        expect((await choose({ tags: { team: "x", "linkspan-site": "mine" } })).tags).toEqual({
            "linkspan-mesh": "fleet",
            "linkspan-site": "mine",
            team: "x",
        });
    });

    it("knows a licence key by its being an output", async () => {
        expect((await choose({ license: pulumi.secret("KEY") })).plan).toMatchObject({ license: "key" });
        expect((await choose({ license: pulumi.secret("KEY") })).plan.nodes).toHaveLength(3);
        expect((await choose({ license: "evaluation" })).plan.license).toBe("evaluation");
    });

    it.each<[string, CloudSiteArgs["reach"]]>([
        ["public", "public"],
        ["direct", "direct"],
        ["a proxy", { proxy: "socks5://127.0.0.1:1080" }],
        ["a proxy to private addresses", { proxy: "http://bastion.example.com:3128", to: "private" }],
        ["a proxy that is an output", { proxy: pulumi.output("socks5://127.0.0.1:1080") }],
        ["tunnels", { connect: { api: { host: "127.0.0.1", port: 18084 }, clients: { host: "localhost", port: 8883 } } }],
    ])("reaches the site by %s", async (_what, reach) => {
        expect((await choose({ reach })).reach).toEqual(reach);
    });

    it.each<[string, Partial<CloudSiteArgs>, string]>([
        ["an identity of another mesh", { meshId: "south" }, 'identity: it belongs to mesh "north", the site to "south"'],
    ])("refuses %s", async (_what, more, message) => {
        await expect(
            record(() => {
                chooseCloudSite("a", { ...minimal, ...more, identity: new MeshIdentity("i", { meshId: "north" }) }, cloud);
            }),
        ).rejects.toThrow(message);
    });

    it.each<[string, Partial<CloudSiteArgs>, string]>([
        [
            "a plain password",
            { users: [{ username: "u", password: untyped('"p"') }] },
            "users[0].password: it is given as a plain value",
        ],
        [
            "a user without a password",
            { users: [untyped('{"username":"u"}')] },
            "users[0].password: it is given as a plain value",
        ],
        ["no user at all", { users: [untyped("null")] }, "users[0].password: it is given as a plain value"],
        ["users in no list", { users: untyped('{"username":"u"}') }, 'users: {"username":"u"} is no list; write it in brackets'],
        ["names in no list", { clientNames: untyped('"mqtt.example.com"') }, 'clientNames: "mqtt.example.com" is no list'],
        [
            "a plain licence key",
            { license: untyped('"MTIz"') },
            'license: it is neither "community" nor "evaluation"; a licence key must be a Pulumi secret',
        ],
        [
            "a client name that is none",
            { clientNames: ["mqtt.example.com", "MQTT.example.com"] },
            'clientNames[1]: "MQTT.example.com" is no host name',
        ],
        ["a client name without a zone", { clientNames: ["mqtt"] }, 'clientNames[0]: "mqtt" is no host name'],
        ["a client name with a final dot", { clientNames: ["mqtt.example.com."] }, "clientNames[0]: "],
        ["an address as a client name", { clientNames: ["203.0.113.7"] }, 'clientNames[0]: "203.0.113.7" is no host name'],
        ["a wildcard as a client name", { clientNames: ["*.example.com"] }, "clientNames[0]: "],
        ["an unknown reach", { reach: untyped('"vpn"') }, 'reach: "vpn" is not known; set "public", "direct"'],
        ["a proxy without an address", { reach: untyped('{"proxy":null,"to":"elsewhere"}') }, "reach: "],
        [
            "a proxy of another kind",
            { reach: { proxy: "ftp://127.0.0.1:21" } },
            'reach.proxy: "ftp://127.0.0.1:21" has the scheme "ftp"',
        ],
        ["a tunnel for one door only", { reach: untyped('{"connect":{"api":{"host":"127.0.0.1","port":1}}}') }, "reach: "],
        [
            "a tunnel at no port",
            { reach: { connect: { api: { host: "127.0.0.1", port: 0 }, clients: { host: "127.0.0.1", port: 1 } } } },
            "reach.connect.api.port: 0 is no port",
        ],
        [
            "a tunnel beyond the ports",
            { reach: { connect: { api: { host: "127.0.0.1", port: 1 }, clients: { host: "127.0.0.1", port: 65_536 } } } },
            "reach.connect.clients.port: 65536 is no port",
        ],
        [
            "a tunnel to the metadata service",
            { reach: { connect: { api: { host: "169.254.169.254", port: 80 }, clients: { host: "127.0.0.1", port: 1 } } } },
            "reach.connect.api.host: ",
        ],
        [
            "a tunnel to nowhere",
            { reach: untyped('{"connect":{"api":{"port":1},"clients":{"host":"127.0.0.1","port":1}}}') },
            "reach.connect.api.host: undefined is no host",
        ],
    ])("refuses %s", async (_what, more, message) => {
        await expect(choose(more)).rejects.toThrow(InputError);
        await expect(choose(more)).rejects.toThrow(message);
    });
});

describe("cloudFacts", () => {
    it("are plain, and say what the mesh's plan asks", async () => {
        const { plan } = await choose();
        const facts = cloudFacts(plan, "gcp");
        expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
        expect(facts).toMatchObject({
            name: "a",
            siteNumber: 4,
            platform: "gcp",
            linkProtocol: "emqx",
            clusterName: "fleet-a",
            meshId: "fleet",
            version: "5.10.3",
            cidr: "10.4.0.0/16",
            filtersSources: true,
            fixedEgress: true,
            tiers: { nat: { supported: true } },
        });
        expect(cloudFacts(plan, "aws", "10.50.0.0/16").cidr).toBe("10.50.0.0/16");
    });
});
