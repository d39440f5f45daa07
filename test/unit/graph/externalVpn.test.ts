import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { DeviceConfiguration, ExternalSiteArgs, ExternalVpnArgs } from "../../../src/external/index.js";
import { ExternalSite } from "../../../src/external/index.js";
import { Mesh, type MeshArgs } from "../../../src/mesh.js";
import { record } from "../../support/recorder.js";

const outputs = (type: string, name: string, inputs: Record<string, unknown>) => {
    if (type.endsWith(":Secrets")) {
        return {
            values: { link: "link secret", ...Object.fromEntries([0, 1].map((key) => [`tunnel-${key}`, `${name} key ${key}`])) },
        };
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

const vpnOf = (siteNumber: number, more: Partial<ExternalVpnArgs> = {}): ExternalVpnArgs => ({
    addresses: [`203.0.114.${siteNumber}`],
    ranges: [`10.${siteNumber}.0.0/16`],
    linkServer: `10.${siteNumber}.0.4:8884`,
    ...more,
});

const args = (name: string, siteNumber: number, more: Partial<ExternalSiteArgs> = {}): ExternalSiteArgs => ({
    siteNumber,
    clusterName: `emqx-${name}`,
    api: { url: `https://${name}.example.com:18084`, key: "key", secret: pulumi.secret("api-S3cret") },
    link: { server: `${name}.example.com:8884` },
    clients: { host: `${name}.example.com` },
    vpn: vpnOf(siteNumber),
    ...more,
});

/** Two self-hosted sites in tier vpn; returns the first one's configuration. */
async function pair(b: Partial<ExternalSiteArgs> = {}, mesh: Partial<MeshArgs> = {}) {
    let configuration: DeviceConfiguration | undefined;
    const recording = await record(
        () => {
            const plant = new ExternalSite("a", args("a", 1));
            const sites = [plant, new ExternalSite("b", args("b", 2, b))];
            const fleet = new Mesh("fleet", { sites, topics: ["fleet/#"], tier: "vpn", ...mesh });
            const secret = plant.deviceConfiguration();
            plant.writeDeviceConfiguration("./plant");
            secret.apply((value) => {
                configuration = value;
            });
            return { paths: fleet.paths, isSecret: pulumi.isSecret(secret) };
        },
        { outputs },
    );
    return { recording, configuration };
}

describe("self-hosted sites in tier vpn", () => {
    it("get a device's configuration that matches the peer's half, as a secret", async () => {
        const { recording, configuration } = await pair();
        const swanctl = configuration?.["swanctl.conf"] ?? "";
        expect(swanctl).toContain("remote_addrs = 203.0.114.2");
        expect(swanctl.match(/secret = "[A-Za-z][A-Za-z0-9]{31}"/g)).toHaveLength(2);
        expect(configuration?.["bird.conf"]).toContain("local 169.254.32.49 as 64521;");
        expect(configuration?.["bird.conf"]).toContain("neighbor 169.254.32.50 as 64522;");
        expect(recording.named("a-device-files").secrets).toContain("files");
        expect(recording.named("a-b-tunnel-keys").inputs).toMatchObject({ names: ["tunnel-0", "tunnel-1"] });
    });

    it("keeps each pair's algorithms apart on one device", async () => {
        let swanctl = "";
        await record(
            () => {
                const plant = new ExternalSite("a", args("a", 1));
                const sites = [plant, new ExternalSite("b", args("b", 2)), new ExternalSite("c", args("c", 3))];
                const pairs = { "a-b": { vpn: { suite: "aes-gcm" as const } } };
                new Mesh("fleet", { sites, topics: ["fleet/#"], tier: "vpn", pairs });
                plant.deviceConfiguration().apply((files) => {
                    swanctl = files["swanctl.conf"];
                });
            },
            { outputs },
        );
        const proposals = [...swanctl.matchAll(/^ {4}(\S+) \{$[\s\S]*?^ {8}proposals = (\S+)$/gm)].map((match) => match.slice(1));
        expect(proposals).toEqual([
            ["b-0", "aes256gcm16-prfsha384-ecp384"],
            ["b-1", "aes256gcm16-prfsha384-ecp384"],
            ["c-0", "aes256-sha256-prfsha256-modp2048"],
            ["c-1", "aes256-sha256-prfsha256-modp2048"],
        ]);
    });

    it("links lead to the private listener behind the device", async () => {
        const { recording } = await pair();
        expect(recording.named("fleet-a-b-b-to-a").inputs).toMatchObject({ server: "10.2.0.4:8884" });
        // The brokers try the way first: whoever sets the device up has 15 minutes from here.
        expect(recording.named("a-path-to-b").inputs).toMatchObject({ host: "10.2.0.4", port: 8884, tier: "vpn" });
    });

    it("try the way for as long as the pair says, else the mesh, else the tier", async () => {
        const timeoutsOf = async (mesh: Partial<MeshArgs>) => {
            const { recording } = await pair({}, mesh);
            expect(recording.named("fleet-a-b-b-to-a").inputs).not.toHaveProperty("pathSeconds");
            return ["a-path-to-b", "b-path-to-a"].map((name) => recording.named(name).inputs.timeouts);
        };
        expect(await timeoutsOf({})).toEqual([undefined, undefined]);
        expect(await timeoutsOf({ link: { pathSeconds: 1200, poolSize: 2 } })).toEqual([
            { pathSeconds: 1200 },
            { pathSeconds: 1200 },
        ]);
        const own = { link: { pathSeconds: 1200 }, pairs: { "a-b": { link: { pathSeconds: 60 } } } };
        expect(await timeoutsOf(own)).toEqual([{ pathSeconds: 60 }, { pathSeconds: 60 }]);
        const nat = await record(
            () => {
                const sites = [new ExternalSite("a", args("a", 1)), new ExternalSite("b", args("b", 2))];
                new Mesh("fleet", { sites, topics: ["fleet/#"], tier: "nat", ...own });
            },
            { outputs },
        );
        expect(nat.named("a-path-to-b").inputs).toMatchObject({ tier: "nat", timeouts: { pathSeconds: 60 } });
    });

    it.each<[string, Partial<MeshArgs>, string]>([
        [
            "no time",
            { link: { pathSeconds: 0 } },
            "link.pathSeconds: 0 is out of range; set more than 0 and at most 3600 seconds",
        ],
        ["more than an hour", { link: { pathSeconds: 3601 } }, "link.pathSeconds: 3601 is out of range"],
        [
            "a pair's own",
            { pairs: { "a-b": { link: { pathSeconds: -1 } } } },
            'pairs["a-b"].link.pathSeconds: -1 is out of range',
        ],
    ])("refuse %s for the way", async (_what, mesh, message) => {
        await expect(pair({}, mesh)).rejects.toThrow(message);
    });

    it("renews one tunnel's key alone", async () => {
        const { recording } = await pair({}, { pairs: { "a-b": { vpn: { keyRotation: { "1": 1 } } } } });
        expect(recording.named("a-b-tunnel-keys").inputs).toMatchObject({ rotation: { "tunnel-1": 1 } });
    });

    it.each<[string, Partial<ExternalSiteArgs>, string]>([
        ["no device", { vpn: undefined }, '"vpn" is not possible for b (pair a-b): no VPN device of yours is named'],
        [
            "a private address",
            { vpn: vpnOf(2, { addresses: ["10.2.0.1"] }) },
            'vpn.addresses[0]: "10.2.0.1" is no public address',
        ],
        ["three addresses", { vpn: vpnOf(2, { addresses: ["203.0.114.1", "203.0.114.2", "203.0.114.3"] }) }, "vpn.addresses:"],
        ["a reserved number", { vpn: vpnOf(2, { asn: 65_515 }) }, "vpn.asn: 65515 is reserved"],
        ["an equal number", { vpn: vpnOf(2, { asn: 64_521 }) }, "asn: 64521 is the number of a and of b"],
        ["everything as a range", { vpn: vpnOf(2, { ranges: ["0.0.0.0/0"] }) }, "vpn.ranges[0]:"],
        ["no ranges", { vpn: vpnOf(2, { ranges: [] }) }, "vpn.ranges:"],
        ["a wrong pool", { vpn: vpnOf(2, { tunnelPool: "10.0.0.0/21" }) }, "vpn.tunnelPool:"],
    ])("refuse %s", async (_what, b, message) => {
        await expect(pair(b)).rejects.toThrow(message);
    });

    it("have no configuration without a pair of that tier", async () => {
        await expect(pair({}, { tier: "nat" })).rejects.toThrow("deviceConfiguration: a has no pair of tier vpn");
    });
});
