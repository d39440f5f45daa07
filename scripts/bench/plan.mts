import { createRequire } from "node:module";
import { bounded, median, type Row } from "./report.mts";

const require = createRequire(import.meta.url);

/** The plan of a mesh of 120 sites: 7,140 pairs, in one process, without Pulumi. */
export function benchPlan(): Row[] {
    const { planMesh } = require("../../dist/meshPlan.js") as typeof import("../../src/meshPlan.ts");
    const everyTier = { nat: { supported: true }, vpn: { supported: true }, interconnect: { supported: true } } as const;
    const sites = Array.from({ length: 120 }, (_, index) => ({
        name: `s${index + 1}`,
        siteNumber: index + 1,
        platform: "local" as const,
        linkProtocol: "linkspan-local" as const,
        clusterName: `bench-s${index + 1}`,
        meshId: "bench",
        tiers: everyTier,
    }));
    let pairs = 0;
    const seconds = Array.from({ length: 5 }, () => {
        const start = process.hrtime.bigint();
        pairs = planMesh({ sites, tier: "nat", topics: ["fleet/#"], maxOutageSeconds: 20 }).pairs.length;
        return Number(process.hrtime.bigint() - start) / 1e9;
    });
    return [bounded(`plan of 120 sites (${pairs} pairs)`, median(seconds), "s", 1)];
}
