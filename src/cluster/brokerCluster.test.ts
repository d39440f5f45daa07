import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { record } from "../../test/support/recorder.js";
import type { BrokerCluster } from "../contracts/site.js";
import { MeshIdentity } from "../identity/meshIdentity.js";
import type { Reach } from "./args.js";
import { type CloudClusterParts, cloudCluster } from "./brokerCluster.js";
import { clusterIdentity } from "./clusterIdentity.js";
import { planCluster } from "./clusterPlan.js";

const plan = planCluster({
    name: "a",
    siteNumber: 1,
    meshId: "fleet",
    zones: ["z1"],
    subnets: "regional",
    license: "community",
    adminCidrs: ["203.0.113.7/32"],
    defaults: { size: { arm64: "s", x86_64: "s" }, architecture: "arm64" },
});

const outputs = (type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> => {
    if (type.endsWith(":Secrets")) {
        return { values: Object.fromEntries((inputs.names as string[]).map((one) => [one, `${one}-S3cret`])) };
    }
    return { certPem: `cert of ${name}`, keyPem: `key-S3cret of ${name}` };
};

/** Everything that is known of a cluster once its outputs are. */
interface Known {
    readonly api: unknown;
    readonly clientDoor: unknown;
    readonly probe: unknown;
    readonly version: string;
    readonly passwords: readonly string[];
    readonly certificate: unknown;
    /** Which of api, probe, client door, link certificate and password are secret. */
    readonly secret: Readonly<Record<string, boolean>>;
}

const resolved = <T>(output: pulumi.Output<T>): Promise<unknown> =>
    new Promise((resolve) => output.apply((value) => resolve(value)));

async function known(cluster: BrokerCluster): Promise<Known> {
    const { api, clientDoor, probe, version, linkIdentity } = cluster;
    const { certificate } = linkIdentity;
    const one = linkIdentity.passwordFor("fleet-b");
    return {
        api: await resolved(api),
        clientDoor: await resolved(clientDoor),
        probe: await resolved(probe),
        version: String(await resolved(version)),
        passwords: [String(await resolved(one)), String(await resolved(linkIdentity.passwordFor("fleet-c")))],
        certificate: certificate === undefined ? undefined : await resolved(certificate),
        secret: {
            api: await pulumi.isSecret(api),
            probe: await pulumi.isSecret(probe),
            clientDoor: await pulumi.isSecret(clientDoor),
            certificate: certificate !== undefined && (await pulumi.isSecret(certificate)),
            password: await pulumi.isSecret(one),
        },
    };
}

async function made(
    reach: Reach = "public",
    more: Partial<CloudClusterParts> = {},
): Promise<{ cluster: BrokerCluster; known: Known }> {
    const found: { cluster: BrokerCluster; known: Known }[] = [];
    await record(
        async () => {
            const parent = new pulumi.ComponentResource("test:index:Site", "a");
            const identity = clusterIdentity(parent, {
                plan,
                identity: new MeshIdentity("fleet", { meshId: "fleet" }),
                doorAddresses: ["198.51.100.9"],
            });
            const cluster = cloudCluster({
                plan,
                identity,
                reach,
                doors: { addresses: [pulumi.output("198.51.100.9")], host: pulumi.output("doors.example.com") },
                incarnation: pulumi.output("1"),
                ready: [parent],
                ...more,
            });
            found.push({ cluster, known: await known(cluster) });
        },
        { outputs },
    );
    const [first] = found;
    if (first === undefined) {
        throw new Error("no cluster was made");
    }
    return first;
}

describe("cloudCluster", () => {
    it("is asked and proven through its public doors, under the names of its certificate", async () => {
        const { cluster, known } = await made();
        expect(known.api).toEqual({
            url: "https://doors.example.com:18084",
            key: "linkspan",
            secret: "api-S3cret",
            ca: "cert of fleet-ca",
            serverName: "fleet-a",
        });
        expect(known.probe).toEqual({
            host: "doors.example.com",
            port: 8883,
            tls: true,
            ca: "cert of fleet-ca",
            serverName: "fleet-a",
            username: "linkspan-probe",
            password: "probe-S3cret",
        });
        expect(known.version).toBe("5.10.3");
        expect(cluster.clusterName).toBe("fleet-a");
        expect(cluster.linkLogin).toEqual({ kind: "managed" });
        expect(cluster.ready).toHaveLength(1);
    });

    it("shows devices a fixed address, or the first name of the user's", async () => {
        expect((await made()).known.clientDoor).toEqual({
            host: "198.51.100.9",
            port: 8883,
            scheme: "mqtts",
            ca: "cert of fleet-ca",
        });
        const named = await made("public", { clientNames: ["mqtt.example.com", "other.example.com"] });
        expect(named.known.clientDoor).toMatchObject({ host: "mqtt.example.com" });
        const without = await made("public", { doors: { addresses: [], host: pulumi.output("doors.example.com") } });
        expect(without.known.clientDoor).toMatchObject({ host: "doors.example.com" });
    });

    it.each<[string, Reach, Record<string, unknown>, Record<string, unknown>]>([
        ["directly", "direct", { url: "https://10.1.0.4:18084" }, { host: "10.1.0.4" }],
        [
            "through a proxy to its public doors",
            { proxy: "socks5://127.0.0.1:1080" },
            { url: "https://doors.example.com:18084", proxy: "socks5://127.0.0.1:1080" },
            { host: "doors.example.com", proxy: "socks5://127.0.0.1:1080" },
        ],
        [
            "through a proxy in its network",
            { proxy: "socks5://127.0.0.1:1080", to: "private" },
            { url: "https://10.1.0.4:18084", proxy: "socks5://127.0.0.1:1080" },
            { host: "10.1.0.4", proxy: "socks5://127.0.0.1:1080" },
        ],
        [
            "through tunnels, each door by its own",
            { connect: { api: { host: "127.0.0.1", port: 9001 }, clients: { host: "127.0.0.1", port: 9002 } } },
            { url: "https://doors.example.com:18084", connect: { host: "127.0.0.1", port: 9001 } },
            { host: "doors.example.com", port: 8883, connect: { host: "127.0.0.1", port: 9002 } },
        ],
    ])("is reached %s, and its TLS names stay", async (_way, reach, api, probe) => {
        const { known } = await made(reach);
        expect(known.api).toMatchObject({ ...api, serverName: "fleet-a" });
        expect(known.probe).toMatchObject({ ...probe, serverName: "fleet-a", tls: true });
    });

    it("presents the link certificate, and to each peer another password", async () => {
        const { known } = await made();
        expect(known.certificate).toEqual({ cert: "cert of a-link-certificate", key: "key-S3cret of a-link-certificate" });
        const [toB, toC] = known.passwords;
        expect(toB).toMatch(/^[\w-]{43}$/);
        expect(toC).toMatch(/^[\w-]{43}$/);
        expect(toB).not.toBe(toC);
        expect((await made()).known.passwords).toEqual(known.passwords);
    });

    it("keeps secret what is, and only that", async () => {
        expect((await made()).known.secret).toEqual({
            api: true,
            probe: true,
            clientDoor: false,
            certificate: true,
            password: true,
        });
    });
});
