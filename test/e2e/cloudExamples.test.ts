import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { LinkRow } from "../../src/link/linkPair.js";
import { CloudProject } from "../cloudsim/cloudProject.js";
import { type DeviceTexts, OwnPlace } from "../cloudsim/device.mts";
import { api, device, localBrokers, type TestSites } from "../support/localBroker.js";
import { repository } from "../support/pulumiProject.js";

/** Examples with two sites run with `npm run test:clouds` only: those with three clouds show the same and more. */
const whenLong = it.runIf(process.env.LINKSPAN_LONG_TESTS === "1");

let project: CloudProject;
let after: (() => Promise<void>) | undefined;
afterEach(async () => {
    await after?.();
    after = undefined;
    await project.dispose();
});

/** An example in simulated clouds, with what a user would set: who may use the API, and how its sites are reached from here. */
async function example(name: string): Promise<void> {
    project = await CloudProject.create(join(repository, "examples", name), { boot: "quick", pace: 0 });
    await set("gcp:project", "acme");
    await set("--path", "adminCidrs[0]", "203.0.113.7/32");
    for (const [path, value] of [
        ["reach.proxy", project.simulation.proxy],
        ["broker.package.url", "https://mirror.example.com/emqx.deb"],
        ["broker.package.sha256", "a".repeat(64)],
        ["broker.nodes", "1"],
    ] as const) {
        await set("--path", `site.${path}`, value);
    }
}

async function set(...args: string[]): Promise<void> {
    await project.pulumi.must("config", "set", ...args);
}

async function proven(): Promise<readonly string[]> {
    const { links } = await project.pulumi.outputs<{ links: readonly LinkRow[] }>();
    return links.map(({ from, to, tier, status, lost }) => `${from}>${to} ${tier} ${status} ${lost}`).sort();
}

async function gone(): Promise<void> {
    await project.destroy();
    expect(project.account.objects(true)).toEqual([]);
    expect(project.simulation.machines.processes().size).toBe(0);
}

const both = (pairs: readonly string[], tier: string) =>
    pairs
        .flatMap((pair) => [pair, pair.split(">").reverse().join(">")])
        .map((way) => `${way} ${tier} proven 0`)
        .sort();
const three = ["aws>azure", "aws>gcp", "azure>gcp"];
const tunnels = () => project.simulation.machines.world.tunnels;

describe("the examples with cloud sites, in simulated clouds", () => {
    whenLong("aws-gcp-nat", async () => {
        await example("aws-gcp-nat");
        await project.up();
        expect(await proven()).toEqual(both(["aws>gcp"], "nat"));
        expect(tunnels()).toEqual([]);
        await gone();
    });

    it("three-clouds-nat", async () => {
        await example("three-clouds-nat");
        await project.up();
        expect(await proven()).toEqual(both(three, "nat"));
        await gone();
    });

    whenLong("aws-gcp-vpn", async () => {
        await example("aws-gcp-vpn");
        await project.up();
        expect(await proven()).toEqual(both(["aws>gcp"], "vpn"));
        expect(tunnels().map(({ up }) => up)).toEqual(Array(4).fill(true));
        expect(project.counts()).toMatchObject({ "aws:ec2/vpnGateway:VpnGateway": 1, "aws:ec2/vpnConnection:VpnConnection": 2 });
        await gone();
    });

    it("three-clouds-vpn: one gateway for each site, and 10 tunnels with 10 keys and 10 ranges", async () => {
        await example("three-clouds-vpn");
        await project.up();
        expect(await proven()).toEqual(both(three, "vpn"));
        const halves = tunnels().flatMap((tunnel) => tunnel.halves);
        expect(tunnels().map(({ up, reasons }) => ({ up, reasons }))).toEqual(Array(10).fill({ up: true, reasons: [] }));
        expect(new Set(halves.map(({ key }) => key)).size).toBe(10);
        expect(new Set(halves.map(({ range }) => range)).size).toBe(10);
        expect(project.counts()).toMatchObject({
            "aws:ec2/customerGateway:CustomerGateway": 4,
            "aws:ec2/vpnConnection:VpnConnection": 4,
            "aws:ec2transitgateway/transitGateway:TransitGateway": 1,
            // Those of the VPN connections, and of the network itself.
            "aws:ec2transitgateway/routeTableAssociation:RouteTableAssociation": 5,
            "aws:ec2transitgateway/routeTablePropagation:RouteTablePropagation": 5,
            "gcp:compute/haVpnGateway:HaVpnGateway": 1,
            "gcp:compute/externalVpnGateway:ExternalVpnGateway": 2,
            "gcp:compute/vPNTunnel:VPNTunnel": 6,
            "gcp:compute/routerInterface:RouterInterface": 6,
            "gcp:compute/routerPeer:RouterPeer": 6,
            "azure-native:network:VirtualNetworkGateway": 1,
            "azure-native:network:LocalNetworkGateway": 6,
            "azure-native:network:VirtualNetworkGatewayConnection": 6,
        });
        await gone();
    });

    whenLong("onprem-gcp-vpn: a device that is set up with the files that were written", async () => {
        await example("onprem-gcp-vpn");
        const sites = await localBrokers(["plant"] as const);
        const { plant } = sites.sites;
        const place = new OwnPlace({
            machines: project.simulation.machines,
            name: "plant",
            texts: () => textsIn(join(project.pulumi.folder, "device")),
            address: "10.7.0.10",
            ports: new Map([[8884, plant.ports.links]]),
            asksOrigin: true,
        });
        after = async () => {
            await place.stop();
            await sites.close();
        };
        await place.start();
        await plant.stop();
        plant.config = {
            ...plant.config,
            gateway: { host: "127.0.0.1", port: place.gateway.port },
            proxyProtocol: true,
        };
        await plant.start();
        await describePlant(sites);

        await project.up();
        expect(await proven()).toEqual(both(["gcp>plant"], "vpn"));
        expect(tunnels().map(({ up }) => up)).toEqual([true, true]);
        const { body } = await plant.api("GET", "/api/v5/clients");
        const sources = (body.data as { clientid: string; ip_address: string }[])
            .filter(({ clientid }) => clientid.startsWith("fleet-gcp-"))
            .map(({ ip_address }) => ip_address);
        expect(sources.length).toBeGreaterThan(0);
        expect(sources.every((address) => address.startsWith("10.2."))).toBe(true);
        await gone();
        expect((await plant.api("GET", "/api/v5/cluster/links")).body).toEqual([]);
        expect(existsSync(join(project.pulumi.folder, "device", "swanctl.conf"))).toBe(false);
    });
});

/** What somebody sets of the cluster that exists. */
async function describePlant({ sites: { plant } }: TestSites<"plant">): Promise<void> {
    for (const [key, value] of Object.entries({
        clusterName: plant.clusterName,
        apiUrl: `https://127.0.0.1:${plant.ports.api}`,
        apiKey: api.key,
        ca: plant.authority.ca,
        linkServer: `127.0.0.1:${plant.ports.links}`,
        linkName: plant.linkHost,
        clientCert: plant.linkCertificate.cert,
        host: "127.0.0.1",
        port: String(plant.ports.mqtts),
        username: device.username,
        "deviceAddresses[0]": "198.51.100.200",
        "ranges[0]": "10.7.0.0/16",
        privateLinkServer: "10.7.0.10:8884",
    })) {
        await set("--path", `plant.${key}`, "--", value);
    }
    for (const [key, value] of [
        ["plantApiSecret", api.secret],
        ["plantPassword", device.password],
        ["plantClientKey", plant.linkCertificate.key],
    ] as const) {
        await set(key, "--secret", "--", value);
    }
    await set("allowLoopback", "true");
}

/** What the device finds in the folder that the example writes. */
function textsIn(folder: string): DeviceTexts | undefined {
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    try {
        return { "swanctl.conf": read("swanctl.conf"), "bird.conf": read("bird.conf") };
    } catch {
        return undefined;
    }
}
