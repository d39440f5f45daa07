import { describe, expect, it } from "vitest";
import { LocalSite, type LocalSiteArgs } from "../../../src/local/index.js";
import { Mesh, type MeshArgs } from "../../../src/mesh.js";
import { record } from "../../support/recorder.js";

const outputs = (type: string, name: string) => {
    if (type.endsWith(":MeshCa") || type.endsWith(":Certificate")) {
        return { certPem: `CERT ${name}`, keyPem: `KEY ${name}`, notAfter: "2036-01-01T00:00:00.000Z" };
    }
    if (type.endsWith(":Secrets")) {
        const names = ["api", "probe", "device", "link", "tunnel-0", "tunnel-1"];
        return { values: Object.fromEntries(names.map((each) => [each, `${name} ${each}`])) };
    }
    if (type.endsWith(":LocalBroker")) {
        return { pid: 1, startTime: "1", boundPorts: { mqtts: 28883, links: 8884, api: 28084 }, folder: "/folder" };
    }
    if (type.endsWith(":LocalPath")) {
        return { digest: "d" };
    }
    return type.endsWith(":LinkPath")
        ? { reached: "10.0.0.1" }
        : { status: "connected", changedAt: "2026-01-01T00:00:00.000Z", results: [] };
};
const site = (name: string, siteNumber: number, more: Partial<LocalSiteArgs> = {}) =>
    new LocalSite(name, { siteNumber, level: "network", ...more });
const mesh = (more: Partial<MeshArgs> = {}) =>
    record(() => void new Mesh("fleet", { sites: [site("a", 1), site("b", 2)], topics: ["fleet/#"], ...more }), { outputs });

describe("LocalSite of level network", () => {
    it("puts each broker into its own network, and all sites of a mesh into one", async () => {
        const recording = await mesh();
        expect(recording.resources.filter(({ type }) => type.endsWith(":LocalNetwork"))).toHaveLength(1);
        const broker = recording.named("a-broker");
        expect(broker.inputs).toMatchObject({
            bind: "10.1.0.4",
            network: { name: "a", siteNumber: 1, asn: 64_521, holdSeconds: 9, bfdIntervalMs: 60 },
        });
        expect(broker.dependencies).toContain("project-stack-network");
    });

    it.each([
        ["nat", ["nat-from"], "198.18.1.2"],
        ["vpn", ["tunnels", "vpn-from"], "10.1.0.252"],
        ["interconnect", ["interconnect-from", "line-to"], "10.1.0.252"],
    ] as const)("makes for tier %s one path each way, tried before the name leads over it", async (tier, parts, address) => {
        const recording = await mesh({ tier });
        const paths = recording.resources.filter(({ type }) => type.endsWith(":LocalPath"));
        expect([...new Set(paths.map(({ name }) => name.slice(2, -2)))].sort()).toEqual([...parts]);
        const tried = recording.named("b-path-to-a");
        expect(tried.inputs).toMatchObject({ host: address, port: 8884 });
        expect(tried.dependencies).toEqual(expect.arrayContaining(paths.map(({ name }) => name)));
        expect(recording.named("b-name-of-a").inputs).toMatchObject({
            host: "a.link.project-stack.internal",
            address: "10.0.0.1",
        });
    });

    it("keeps the halves of tunnels secret, with a key for each tunnel, and makes the end that begins last", async () => {
        const recording = await mesh({ tier: "vpn" });
        const [first, last] = [recording.named("b-tunnels-a"), recording.named("a-tunnels-b")];
        expect(last.dependencies).toContain("b-tunnels-a");
        expect(first.dependencies).not.toContain("a-tunnels-b");
        expect([first.inputs.wait, last.inputs.wait]).toEqual([false, true]);
        expect(first.secrets).toContain("tunnels");
        const { tunnels } = last.inputs.tunnels as { tunnels: { presharedKey: string; remoteAddress: string }[] };
        expect(tunnels.map(({ remoteAddress }) => remoteAddress)).toEqual(["198.18.2.6", "198.18.2.10"]);
        expect(new Set(tunnels.map(({ presharedKey }) => presharedKey)).size).toBe(2);
    });

    it.each<[string, Partial<LocalSiteArgs>, string]>([
        ["another level", { level: "kernel" as "network" }, 'level: "kernel" is no level; set "process" or "network"'],
        ["a port for links", { ports: { links: 28_884 } }, "ports.links: 28884 cannot be had"],
        ["a hold time that is none", { bgp: { holdSeconds: 1 } }, "bgp.holdSeconds: 1 is out of range"],
        ["BFD that floods", { bgp: { bfdIntervalMs: 5 } }, "bgp.bfdIntervalMs: 5 is out of range"],
    ])("refuses %s", async (_what, more, message) => {
        await expect(record(() => void site("a", 1, more))).rejects.toThrow(message);
    });

    it("refuses two levels and two places in one mesh", async () => {
        const mixed = () => new Mesh("fleet", { sites: [site("a", 1), site("b", 2, { level: "process" })], topics: ["x"] });
        await expect(record(() => void mixed(), { outputs })).rejects.toThrow('a has level "network" and b "process"');
        const apart = () => [site("a", 1, { meshId: "apart" }), site("b", 2, { meshId: "apart", stateRoot: "elsewhere" })];
        await expect(record(() => void apart(), { outputs })).rejects.toThrow(
            'stateRoot: "elsewhere" differs from that of another site',
        );
    });
});
