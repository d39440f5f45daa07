import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { NetworkState } from "../src/local/network/holder/protocol.ts";
import { bounded, median, printRows, type Row } from "./bench/report.mts";
import { BenchStack } from "./bench/stack.mts";
import { TierLab } from "./bench/tierLab.mts";
import { build } from "./build.mts";
import { complain, runMain, ScriptError, say } from "./output.mts";
import { ensurePulumi } from "./pulumi.mts";

const require = createRequire(import.meta.url);
const tiers = ["nat", "vpn", "interconnect"] as const;
const slowerBfdMs = 100;
const usage = `npm run bench:tiers

Prints figures of a local network of three sites (level "network") on this machine, tier by tier: set-up and tear-down, delivery, failover,
memory. They are figures of this lab and not of clouds.

  --help   this text

Exit codes: 0 every goal met, 1 a goal missed, 2 wrong usage, 3 not possible on this machine.`;

const program = `
const pulumi = require("@pulumi/pulumi");
const { Mesh } = require("linkspan");
const { LocalSite } = require("linkspan/local");
const sites = ["a", "b", "c"].map((name, index) => new LocalSite(name, { siteNumber: index + 1, level: "network" }));
const mesh = new Mesh("mesh", { sites, topics: ["fleet/#"], tier: new pulumi.Config().get("tier"), proof: { count: 1000, rate: 100 } });
exports.links = mesh.links;
`;

async function main(args: string[]): Promise<number> {
    readArgs(args);
    const { env } = await ensurePulumi(say);
    await build();
    const { whatIsMissing } =
        require("../dist/local/network/capabilities.js") as typeof import("../src/local/network/capabilities.ts");
    const missing = await whatIsMissing("ipsec");
    if (missing !== undefined) {
        complain(`not possible on this machine: ${missing}`);
        return 3;
    }
    const rows = [...(await networkRows()), ...(await failoverRows())];
    printRows("Networks of three sites, without brokers and Pulumi", rows);
    const delivery = await deliveryRows(env);
    printRows(
        "Three sites by pulumi up, one tier after the other in one stack; every pair both ways, 100 messages/s each",
        delivery,
    );
    say('\nAll of these are figures of the local lab on this machine (level "network"). They say nothing about clouds.');
    const missed = [...rows, ...delivery].filter(({ met }) => met === false);
    say(missed.length === 0 ? "Every goal was met." : `Missed: ${missed.map(({ what }) => what).join("; ")}`);
    return missed.length === 0 ? 0 : 1;
}

async function networkRows(): Promise<Row[]> {
    const lab = new TierLab();
    const rows: Row[] = [];
    const ms = (value: number) => `${value.toFixed(0)} ms`;
    rows.push({ what: "sites, routers, translation: up", value: ms(await lab.start()) });
    try {
        for (const tier of tiers) {
            rows.push({ what: `tier ${tier}: up, until routes are exchanged`, value: ms(await lab.join(tier)) });
            rows.push({ what: `tier ${tier}: down`, value: ms(await lab.part(tier)) });
        }
    } finally {
        rows.push({ what: "everything down", value: ms(await lab.end()) });
    }
    return rows;
}

/** Two rounds for each tunnel and pace of BFD: the default, which has a goal, and a slower one beside it. */
async function failoverRows(): Promise<Row[]> {
    const rows: Row[] = [];
    for (const lab of [new TierLab(), new TierLab(slowerBfdMs)]) {
        await lab.start();
        try {
            await lab.join("vpn");
            const gaps: number[] = [];
            for (const gateway of [0, 1, 0, 1] as const) {
                gaps.push(...(await lab.failover(gateway)));
                await lab.join("vpn");
            }
            const what = `a tunnel falls silent, BFD ${lab.bfdIntervalMs} ms x 3: connections get no answer`;
            const worst = `${gaps.length} of 160 connections noticed, longest ${Math.max(...gaps)} ms`;
            const row =
                lab.bfdIntervalMs === slowerBfdMs
                    ? { what: `${what}, median`, value: `${median(gaps).toFixed(0)} ms` }
                    : bounded(`${what}, median`, median(gaps), "ms", 300);
            rows.push({ ...row, against: worst });
        } finally {
            await lab.end();
        }
    }
    return rows;
}

interface Link {
    readonly p50Ms: number;
    readonly p99Ms: number;
    readonly lost: number;
}

async function deliveryRows(env: NodeJS.ProcessEnv): Promise<Row[]> {
    const { ask } = require("../dist/local/network/client.js") as typeof import("../src/local/network/client.ts");
    const stack = await BenchStack.create(program, env);
    const rows: Row[] = [];
    try {
        for (const tier of tiers) {
            const { seconds } = await stack.pulumi(["up", "--yes", "--skip-preview", "-c", `tier=${tier}`]);
            const { stdout } = await stack.pulumi(["stack", "output", "--json"]);
            const { links } = JSON.parse(stdout) as { links: Link[] };
            const lost = links.reduce((sum, link) => sum + link.lost, 0);
            const p50 = median(links.map(({ p50Ms }) => p50Ms));
            const p99 = median(links.map(({ p99Ms }) => p99Ms));
            rows.push(
                { what: `tier ${tier}: up with its proof`, value: `${seconds.toFixed(1)} s` },
                {
                    what: `tier ${tier}: delivery p50 / p99 (median of 6 directions)`,
                    value: `${p50.toFixed(2)} / ${p99.toFixed(1)} ms`,
                },
                { what: `tier ${tier}: lost of ${links.length * 1_000}`, value: String(lost), goal: "0", met: lost === 0 },
            );
            const folder = join(stack.folder, "project", ".linkspan", "bench-bench", ".network");
            const { processes } = await ask<NetworkState>(folder, { op: "state" });
            // The one outside, which opens ports on loopback for the others.
            const outside = JSON.parse(readFileSync(join(folder, "holder.json"), "utf8")) as { pid: number };
            const keeper = { what: "holder", mb: residentMb(outside.pid) };
            const kinds = new Map<string, number>();
            for (const { what, mb } of [keeper, ...processes]) {
                kinds.set(what, (kinds.get(what) ?? 0) + mb);
            }
            const total = [...kinds.values()].reduce((sum, mb) => sum + mb, 0);
            const parts = [...kinds].map(([what, mb]) => `${what} ${mb.toFixed(0)}`).join(", ");
            rows.push({
                what: `tier ${tier}: memory of all ${processes.length + 1} processes`,
                value: `${total.toFixed(0)} MB`,
                against: parts,
            });
        }
        const { seconds } = await stack.pulumi(["destroy", "--yes", "--skip-preview"]);
        rows.push({ what: "destroy", value: `${seconds.toFixed(1)} s` });
        return rows;
    } finally {
        stack.dispose();
    }
}

/** Memory that a process really has, megabytes. */
function residentMb(pid: number): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024;
}

function readArgs(args: string[]): void {
    try {
        const { values } = parseArgs({ args, options: { help: { type: "boolean", short: "h" } } });
        if (values.help === true) {
            say(usage);
            process.exit(0);
        }
    } catch (error) {
        throw new ScriptError(`${error instanceof Error ? error.message : error}\n\n${usage}`, 2);
    }
}

runMain(import.meta, main);
