import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { overlaps, parseCidr } from "./cidr.js";
import { azureBgpAddresses, checkScopes, checkTunnelPool, type TunnelEnd, type TunnelPlatform, tunnelsOf } from "./tunnels.js";

const end = (platform: TunnelPlatform, siteNumber: number, addresses: 1 | 2 = 2): TunnelEnd => ({
    name: `${platform}${siteNumber}`,
    siteNumber,
    platform,
    scope: `${platform}${siteNumber}`,
    addresses,
});
const insides = (a: TunnelEnd, b: TunnelEnd) => tunnelsOf(a, b).map(({ inside }) => inside);

describe("tunnelsOf", () => {
    it.each<[string, TunnelEnd, TunnelEnd, string[]]>([
        [
            "AWS 1 and GCP 2: four",
            end("aws", 1),
            end("gcp", 2),
            ["169.254.32.48/30", "169.254.32.52/30", "169.254.32.56/30", "169.254.32.60/30"],
        ],
        [
            "AWS 1 and Azure 3: both tunnels of each connection reach one instance",
            end("aws", 1),
            end("azure", 3),
            ["169.254.21.32/30", "169.254.22.32/30", "169.254.21.36/30", "169.254.22.36/30"],
        ],
        ["GCP 2 and Azure 3: one for each instance", end("gcp", 2), end("azure", 3), ["169.254.21.40/30", "169.254.21.44/30"]],
        ["GCP 2 and GCP 5, encrypted", end("gcp", 2), end("gcp", 5), ["169.254.32.112/30", "169.254.32.116/30"]],
        ["AWS and a device with one address", end("aws", 1), end("external", 7, 1), ["169.254.32.128/30", "169.254.32.132/30"]],
        ["Azure and a device with one address", end("azure", 3), end("external", 7, 1), ["169.254.21.80/30"]],
    ])("%s", (_what, a, b, expected) => {
        expect(insides(a, b)).toEqual(expected);
        expect(insides(b, a)).toEqual(expected);
    });

    it("gives AWS the first host, Azure the second, and GCP what its peer leaves", () => {
        const [awsGcp] = tunnelsOf(end("aws", 1), end("gcp", 2));
        expect([awsGcp?.addressOfA, awsGcp?.addressOfB]).toEqual(["169.254.32.49", "169.254.32.50"]);
        const [azureAws] = tunnelsOf(end("azure", 3), end("aws", 1));
        expect([azureAws?.addressOfA, azureAws?.addressOfB]).toEqual(["169.254.21.34", "169.254.21.33"]);
        const [gcpAzure] = tunnelsOf(end("gcp", 2), end("azure", 3));
        expect([gcpAzure?.addressOfA, gcpAzure?.addressOfB]).toEqual(["169.254.21.41", "169.254.21.42"]);
    });

    it("names both instances' addresses on every connection of Azure, the other one's without a range of its own", () => {
        const rows = tunnelsOf(end("aws", 32), end("azure", 32)).map(({ aws, azure }) => [aws, azure]);
        // Slot 0: the pattern of Microsoft's own description of AWS and Azure.
        expect(rows).toEqual([
            [
                { connection: 0, tunnel: 1 },
                { instance: 0, bgpAddresses: ["169.254.21.2", "169.254.21.6"] },
            ],
            [
                { connection: 0, tunnel: 2 },
                { instance: 0, bgpAddresses: ["169.254.22.2", "169.254.21.6"] },
            ],
            [
                { connection: 1, tunnel: 1 },
                { instance: 1, bgpAddresses: ["169.254.21.2", "169.254.21.6"] },
            ],
            [
                { connection: 1, tunnel: 2 },
                { instance: 1, bgpAddresses: ["169.254.21.2", "169.254.22.6"] },
            ],
        ]);
    });

    it("maps GCP's two addresses to AWS's two connections, tunnel k to the kth outside address of AWS", () => {
        const rows = tunnelsOf(end("aws", 1), end("gcp", 2)).map((tunnel) => [tunnel.interfaceOfA, tunnel.interfaceOfB]);
        expect(rows).toEqual([
            [0, 0],
            [1, 0],
            [2, 1],
            [3, 1],
        ]);
    });

    it("takes nothing of Azure's range for two gateways of Azure, whatever their numbers", () => {
        const nothing = { key: "0", inside: "", addressOfA: "", addressOfB: "", interfaceOfA: 0, interfaceOfB: 0 };
        expect(tunnelsOf(end("azure", 1), end("azure", 2))).toEqual([nothing]);
        expect(tunnelsOf(end("azure", 90), end("azure", 58))).toEqual([nothing]);
    });

    it("knows Azure's addresses for a peer before there is one: those that any of its tunnels then use", () => {
        expect(azureBgpAddresses(32, 32)).toEqual([
            ["169.254.21.2", "169.254.22.2"],
            ["169.254.21.6", "169.254.22.6"],
        ]);
        for (const platform of ["aws", "gcp", "external"] as const) {
            const planned = azureBgpAddresses(3, 7);
            for (const { azure } of tunnelsOf(end("azure", 3), end(platform, 7, platform === "external" ? 1 : 2))) {
                expect(planned[0]).toContain(azure?.bgpAddresses[0]);
                expect(planned[1]).toContain(azure?.bgpAddresses[1]);
            }
        }
    });

    it("refuses numbers that Azure's range cannot hold, naming the site", () => {
        expect(() => tunnelsOf(end("azure", 1), end("gcp", 33))).toThrow("siteNumber: 33 of gcp33 is beyond 32");
        expect(() => tunnelsOf(end("azure", 33), end("aws", 1))).toThrow("siteNumber: 33 of azure33 is beyond 32");
    });

    it("never repeats an inside range within a site, and never leaves its pool (property: any mesh)", () => {
        const platforms: TunnelPlatform[] = ["aws", "gcp", "azure", "external"];
        const azurePool = ["169.254.21.0/24", "169.254.22.0/24"].map((range) => parseCidr(range));
        const sites = fc.uniqueArray(
            fc.record({
                siteNumber: fc.integer({ min: 1, max: 32 }),
                platform: fc.constantFrom(...platforms),
                addresses: fc.constantFrom<1 | 2>(1, 2),
            }),
            { selector: ({ siteNumber }) => siteNumber, minLength: 2, maxLength: 14 },
        );
        fc.assert(
            fc.property(sites, (mesh) => {
                const ends = mesh.map(({ platform, siteNumber, addresses }) =>
                    end(platform, siteNumber, platform === "external" ? addresses : 2),
                );
                for (const one of ends) {
                    const joined = (other: TunnelEnd) => one.platform === "azure" && other.platform === "azure";
                    const used = ends.filter((other) => other !== one && !joined(other)).flatMap((other) => insides(one, other));
                    expect(new Set(used).size).toBe(used.length);
                    for (const inside of used) {
                        const range = parseCidr(inside);
                        const pools = [parseCidr("169.254.32.0/21"), ...azurePool];
                        expect(pools.some((pool) => overlaps(pool, range))).toBe(true);
                    }
                }
            }),
        );
    });

    it("never repeats one within a site for all 120 numbers without Azure", () => {
        for (let i = 1; i <= 120; i++) {
            const used = Array.from({ length: 120 }, (_, j) => j + 1)
                .filter((j) => j !== i)
                .flatMap((j) => insides(end("aws", i), end("gcp", j)));
            expect(new Set(used).size).toBe(119 * 4);
        }
    });
});

describe("checkScopes", () => {
    const pair = (a: TunnelEnd, b: TunnelEnd, scopes: string[]) => ({
        pair: `${a.name}-${b.name}`,
        scopes,
        tunnels: tunnelsOf(a, b),
    });

    it("accepts several pairs of one gateway whose ranges Azure chooses", () => {
        const pairs = [2, 3].map((number) => pair(end("azure", 1), end("azure", number), ["x", String(number)]));
        expect(() => checkScopes(pairs)).not.toThrow();
    });

    it("accepts pairs that share a slot behind different gateways", () => {
        const pairs = [pair(end("aws", 1), end("gcp", 4), ["x", "y"]), pair(end("aws", 2), end("gcp", 3), ["z", "w"])];
        expect(() => checkScopes(pairs)).not.toThrow();
    });

    it("refuses them behind one network, naming both pairs and the network", () => {
        const pairs = [pair(end("aws", 1), end("gcp", 4), ["x", "vpc-1"]), pair(end("aws", 2), end("gcp", 3), ["z", "vpc-1"])];
        expect(() => checkScopes(pairs)).toThrow(
            "tunnelPool: the pairs aws1-gcp4 and aws2-gcp3 would both use 169.254.32.80/30 within vpc-1",
        );
    });
});

describe("checkTunnelPool", () => {
    it.each([
        ["10.0.0.0/21", "does not fit"],
        ["169.254.32.0/22", "does not fit"],
        ["169.254.16.0/21", "overlaps 169.254.20.0/24"],
        ["169.254.168.0/21", "overlaps 169.254.169.0/24"],
        ["169.254.0.0/21", "overlaps 169.254.0.0/21"],
        ["nothing", "is no IPv4 range"],
    ])("refuses %s", (pool, message) => {
        expect(() => checkTunnelPool(pool)).toThrow(message);
    });

    it("moves a pair's ranges to another pool", () => {
        expect(tunnelsOf(end("aws", 1), end("gcp", 2), "169.254.40.0/21").map(({ inside }) => inside)[0]).toBe(
            "169.254.40.48/30",
        );
    });
});
