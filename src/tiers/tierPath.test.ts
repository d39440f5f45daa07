import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { assertNoCycle, reaches } from "../../test/support/graph.js";
import { type Recording, record } from "../../test/support/recorder.js";
import type { LinkDoor, PublicEnd, Site, TierPeer } from "../contracts/site.js";
import { joinEnds, type TierPath } from "./tierPath.js";

/** A resource of a test, which keeps what it was given. */
class Thing extends pulumi.ComponentResource {
    constructor(kind: string, name: string, props: pulumi.Inputs, opts: pulumi.ComponentResourceOptions) {
        super(`test:index:${kind}`, name, props, opts, true);
    }
}

interface SiteOptions {
    /** Whether brokers resolve Linkspan's names. */
    readonly resolves?: boolean;
    /** Whether the door has a stable name of Linkspan's. */
    readonly named?: boolean;
    readonly egress?: readonly string[];
    readonly peers?: TierPeer[];
    /** A process of this machine in place of an EMQX cluster. */
    readonly process?: boolean;
}

/** A site as a tier sees it, on documented addresses of examples. */
function siteOf(
    name: string,
    {
        resolves = true,
        named = true,
        egress = [`198.51.100.${name.charCodeAt(0)}`],
        peers = [],
        process = false,
    }: SiteOptions = {},
) {
    const clusterName = `fleet-${name}`;
    const machine = new Thing("Machine", `${name}-machine`, {}, {});
    const host = `${name}.link.fleet.internal`;
    const door: LinkDoor = {
        server: pulumi.output(named ? `${host}:8884` : `${name}.example.com:9884`),
        ...(named
            ? { address: { host, recordType: "A" as const, value: pulumi.output(`203.0.113.${name.charCodeAt(0)}`), port: 8884 } }
            : {}),
        tls: pulumi.output({ enable: true, ca: "CA", serverName: host }),
        clientCertificate: "none",
    };
    const end: PublicEnd = {
        tier: "nat",
        door,
        egress: egress.map((address, index) => ({ key: String(index + 1), address: pulumi.output(address) })),
        admit: (peer, opts) => {
            peers.push(peer);
            return peer.egress.map(
                ({ key, address }) => new Thing("Rule", `${name}-nat-from-${peer.facts.name}-${key}`, { address }, opts),
            );
        },
    };
    const unused = () => {
        throw new Error("another tier was asked for");
    };
    const site: Site = {
        facts: {
            name,
            siteNumber: name.charCodeAt(0),
            platform: "external",
            linkProtocol: process ? "linkspan-local" : "emqx",
            clusterName,
            tiers: {
                nat: { supported: true },
                vpn: { supported: false, reason: "-" },
                interconnect: { supported: false, reason: "-" },
            },
        },
        cluster: {
            clusterName,
            api: pulumi.secret(pulumi.output({ url: `https://${name}.example.com:18084`, key: "key", secret: "S3cret" })),
            clientDoor: pulumi.output({ host: name, port: 8883, scheme: "mqtts" }),
            probe: pulumi.secret(pulumi.output({ host: name, port: 8883, tls: true })),
            linkLogin: { kind: "managed" },
            linkIdentity: { passwordFor: (peer) => pulumi.secret(pulumi.output(`${name}-to-${peer}-S3cret`)) },
            version: pulumi.output("5.10.3"),
            incarnation: pulumi.output("1"),
            ready: [machine],
        },
        ...(resolves
            ? {
                  nameService: {
                      point: ({ facts, host, address }, opts) => [
                          new Thing("Record", `${name}-name-of-${facts.name}`, { host, ...address }, opts),
                      ],
                  },
              }
            : {}),
        publicEnd: () => end,
        vpnEnd: unused,
        interconnectEnd: unused,
    };
    return { site, end };
}

interface Joined {
    readonly recording: Recording;
    readonly servers: { readonly ofA: string; readonly ofB: string };
    readonly sources: { readonly ofA: readonly string[]; readonly ofB: readonly string[] };
    readonly tlsNames: readonly (string | undefined)[];
    readonly ready: readonly string[];
}

/** Joins sites `a` and `b` in tier nat. */
async function join(
    optionsOfA: SiteOptions = {},
    optionsOfB: SiteOptions = {},
    reached: (host: unknown) => unknown = (host) => host,
): Promise<Joined> {
    const found: Omit<Joined, "recording">[] = [];
    const recording = await record(
        async () => {
            const parent = new Thing("Mesh", "fleet", {}, {});
            const a = siteOf("a", optionsOfA);
            const b = siteOf("b", optionsOfB);
            const path = joinEnds({ pair: "a-b", a: a.site, endOfA: a.end, b: b.site, endOfB: b.end }, { parent });
            found.push(await known(path));
        },
        {
            outputs: (type, _name, inputs) =>
                type.endsWith(":LinkPath") ? { reached: reached(inputs.host), verdict: "checked" } : {},
        },
    );
    const [first] = found;
    if (first === undefined) {
        throw new Error("nothing was joined");
    }
    return { recording, ...first };
}

async function known({ doorOfA, doorOfB, sourcesOfA, sourcesOfB, ready }: TierPath): Promise<Omit<Joined, "recording">> {
    const [tlsOfA, tlsOfB] = [await resolved(doorOfA.tls), await resolved(doorOfB.tls)];
    const urns = await Promise.all(ready.map(({ urn }) => resolved(urn)));
    return {
        servers: { ofA: await resolved(doorOfA.server), ofB: await resolved(doorOfB.server) },
        sources: { ofA: [...(await resolved(sourcesOfA))], ofB: [...(await resolved(sourcesOfB))] },
        tlsNames: [tlsOfA.serverName, tlsOfB.serverName],
        ready: urns.map((urn) => urn.split("::").at(-1) ?? ""),
    };
}

function resolved<T>(output: pulumi.Output<T>): Promise<pulumi.Unwrap<T>> {
    return new Promise((resolve) => pulumi.output(output).apply((value) => resolve(value)));
}

describe("joinEnds", () => {
    it("lets each end admit the other's addresses, one resource for each", async () => {
        const { recording } = await join({ egress: ["198.51.100.1", "198.51.100.2"] });
        expect(recording.named("b-nat-from-a-1").inputs).toEqual({ address: "198.51.100.1" });
        expect(recording.named("b-nat-from-a-2").inputs).toEqual({ address: "198.51.100.2" });
        expect(recording.named("a-nat-from-b-1").inputs).toEqual({ address: "198.51.100.98" });
        expect(recording.named("a-nat-from-b-1").parent).toBe("fleet");
    });

    it("tells each end who the peer is, and where the peer's door is", async () => {
        const [peersOfA, peersOfB]: TierPeer[][] = [[], []];
        await join({ peers: peersOfA ?? [] }, { peers: peersOfB ?? [] });
        expect(peersOfA?.map(({ pair, facts, door }) => [pair, facts.name, door.address?.host])).toEqual([
            ["a-b", "b", "b.link.fleet.internal"],
        ]);
        expect(peersOfB?.map(({ pair, facts, door }) => [pair, facts.name, door.address?.host])).toEqual([
            ["a-b", "a", "a.link.fleet.internal"],
        ]);
    });

    it("makes each side resolve the other's stable name to the address that was reached", async () => {
        const { recording, servers } = await join();
        expect(servers).toEqual({ ofA: "a.link.fleet.internal:8884", ofB: "b.link.fleet.internal:8884" });
        expect(recording.named("b-name-of-a").inputs).toMatchObject({
            host: "a.link.fleet.internal",
            recordType: "A",
            value: "203.0.113.97",
            port: 8884,
        });
        expect(recording.named("a-name-of-b").inputs).toMatchObject({ host: "b.link.fleet.internal", value: "203.0.113.98" });
    });

    it("tries the path from the brokers once both ends are open, and only then points the name at it", async () => {
        const { recording } = await join();
        assertNoCycle(recording);
        for (const [path, rules] of [
            ["a-path-to-b", ["a-nat-from-b-1", "b-nat-from-a-1"]],
            ["b-path-to-a", ["a-nat-from-b-1", "b-nat-from-a-1"]],
        ] as const) {
            for (const before of [...rules, "a-machine", "b-machine"]) {
                expect([path, before, reaches(recording, path, before)]).toEqual([path, before, true]);
            }
        }
        expect(recording.named("a-path-to-b").inputs).toMatchObject({ host: "203.0.113.98", port: 8884, tier: "nat" });
        expect(recording.named("a-path-to-b").secrets).toEqual(expect.arrayContaining(["api", "tls", "password"]));
        expect(recording.named("a-name-of-b").propertyDependencies).toEqual({ value: ["a-path-to-b"] });
    });

    it("leads neither direction over a path of which one does not work", async () => {
        const { recording } = await join();
        for (const record of ["a-name-of-b", "b-name-of-a"]) {
            for (const path of ["a-path-to-b", "b-path-to-a"]) {
                expect([record, path, reaches(recording, record, path)]).toEqual([record, path, true]);
            }
        }
    });

    it("gives links everything of the path to wait for", async () => {
        const { ready } = await join();
        expect([...ready].sort()).toEqual([
            "a-name-of-b",
            "a-nat-from-b-1",
            "a-path-to-b",
            "b-name-of-a",
            "b-nat-from-a-1",
            "b-path-to-a",
        ]);
    });

    it("tells a side that resolves no such name the address, with the stable name for TLS", async () => {
        const { recording, servers, tlsNames, ready } = await join({}, { resolves: false });
        expect(servers).toEqual({ ofA: "203.0.113.97:8884", ofB: "b.link.fleet.internal:8884" });
        expect(tlsNames).toEqual(["a.link.fleet.internal", "b.link.fleet.internal"]);
        expect(recording.resources.map(({ name }) => name)).not.toContain("b-name-of-a");
        expect(recording.named("b-path-to-a").inputs).toMatchObject({ host: "203.0.113.97", port: 8884, tier: "nat" });
        expect(ready).toContain("b-path-to-a");
    });

    it("leaves a door alone that has a name of its own, and has the way there tried", async () => {
        const { recording, servers, ready } = await join({}, { named: false });
        expect(servers.ofB).toBe("b.example.com:9884");
        expect(recording.resources.map(({ name }) => name)).not.toContain("a-name-of-b");
        expect(recording.resources.map(({ name }) => name)).toContain("b-name-of-a");
        expect(recording.named("a-path-to-b").inputs).toMatchObject({
            host: "b.example.com",
            port: 9884,
            localCluster: "fleet-a",
            remoteCluster: "fleet-b",
            username: "link-fleet-a",
        });
        expect(recording.named("a-path-to-b").secrets).toEqual(expect.arrayContaining(["api", "tls", "password"]));
        expect(ready).toContain("a-path-to-b");
        assertNoCycle(recording);
    });

    it("leads a link only to what its brokers have reached", async () => {
        const { servers } = await join({ resolves: false }, { named: false }, (host) => `reached-${host}`);
        expect(servers).toEqual({ ofA: "a.link.fleet.internal:8884", ofB: "reached-b.example.com:9884" });
    });

    it("has nothing tried between processes of one machine", async () => {
        const own = { process: true, resolves: false };
        const { recording, servers } = await join({ ...own, named: false }, own);
        expect(servers).toEqual({ ofA: "a.example.com:9884", ofB: "203.0.113.98:8884" });
        expect(recording.resources.filter(({ type }) => type.endsWith(":LinkPath"))).toEqual([]);
    });

    it("knows what each side's connections come from: the addresses that were admitted", async () => {
        const { sources } = await join({ egress: ["198.51.100.1", "198.51.100.2"] }, { egress: [] });
        expect(sources).toEqual({ ofA: ["198.51.100.1", "198.51.100.2"], ofB: [] });
    });
});
