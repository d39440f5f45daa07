import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PathSpec, SiteSpec } from "../../src/local/network/holder/desired.ts";
import type { LineState, NetworkState, TunnelState } from "../../src/local/network/holder/protocol.ts";

const require = createRequire(import.meta.url);
const dist = <T,>(path: string): T => require(`../../dist/${path}`) as T;

const pollMs = 20;
const upMs = 60_000;

/** How long the parts of a three-site network take, without Pulumi and brokers. Milliseconds. */
export interface LabTimes {
    readonly tier: string;
    readonly up: number;
    readonly down: number;
}

/** A network of three sites, held without brokers, for its own figures. */
export class TierLab {
    readonly #folder = mkdtempSync(join(tmpdir(), "linkspan-bench-network-"));
    readonly #client = dist<typeof import("../../src/local/network/client.ts")>("local/network/client.js");
    readonly #process = dist<typeof import("../../src/local/network/holderProcess.ts")>("local/network/holderProcess.js");
    readonly #addresses = dist<typeof import("../../src/local/network/holder/addresses.ts")>("local/network/holder/addresses.js");
    readonly #desired = dist<typeof import("../../src/local/network/holder/desired.ts")>("local/network/holder/desired.js");
    readonly #tunnels = dist<typeof import("../../src/addressing/tunnels.ts")>("addressing/tunnels.js");
    readonly #sites: readonly SiteSpec[];

    /** @param bfdIntervalMs default: that of local sites */
    constructor(bfdIntervalMs?: number) {
        this.#sites = ["a", "b", "c"].map((name, index) => ({
            name,
            siteNumber: index + 1,
            asn: 64_521 + index,
            holdSeconds: this.#desired.defaultBgp.holdSeconds,
            bfdIntervalMs: bfdIntervalMs ?? this.#desired.defaultBgp.bfdIntervalMs,
        }));
    }

    /** Milliseconds between BFD's signs of life. */
    get bfdIntervalMs(): number {
        return this.#sites[0]?.bfdIntervalMs ?? 0;
    }

    /** Starts the holder with the three sites. */
    async start(): Promise<number> {
        return timed(async () => {
            await this.#process.startHolder(this.#folder);
            await Promise.all(this.#sites.map((site) => this.#client.ask(this.#folder, { op: "putSite", site })));
        });
    }

    async end(): Promise<number> {
        const ms = await timed(() => this.#process.endHolder(this.#folder));
        rmSync(this.#folder, { recursive: true, force: true });
        return ms;
    }

    /** Joins every two sites by a tier until routes are exchanged. */
    async join(tier: PathSpec["tier"]): Promise<number> {
        return timed(async () => {
            const paths = this.#paths(tier);
            await Promise.all(paths.map((path) => this.#client.ask(this.#folder, { op: "putPath", path })));
            const end = Date.now() + upMs;
            while (tier !== "nat" && !(await this.#isUp(tier))) {
                if (Date.now() > end) {
                    throw new Error(`tier ${tier} is not up after ${upMs / 1_000} s`);
                }
                await sleep(pollMs);
            }
        });
    }

    async part(tier: PathSpec["tier"]): Promise<number> {
        return timed(async () => {
            const ids = this.#paths(tier).map((path) => this.#desired.pathId(path));
            await Promise.all(ids.map((id) => this.#client.ask(this.#folder, { op: "removePath", id })));
        });
    }

    /**
     * How long each of many connections from site a to site b gets no answer when one tunnel falls silent. Milliseconds, sorted, of those
     * connections that noticed it.
     */
    async failover(gateway: 0 | 1): Promise<readonly number[]> {
        const { processes } = await this.#client.ask<NetworkState>(this.#folder, { op: "state" });
        const holder = processes.find(({ what }) => what === "holder")?.pid ?? 0;
        const listener = this.#inside(holder, "broker-2", echo);
        await sleep(500);
        const flows = this.#inside(holder, "broker-1", connections);
        await sleep(2_000);
        const cut = { site: "a", gateway };
        await this.#client.ask(this.#folder, { op: "cut", cut });
        const said = await flows.output;
        await this.#client.ask(this.#folder, { op: "restore", cut });
        listener.end();
        await listener.output;
        return (JSON.parse(said) as number[]).filter((gap) => gap > noticedMs).sort((one, other) => one - other);
    }

    #inside(holder: number, namespace: string, code: string): { readonly output: Promise<string>; end(): void } {
        const into = ["-t", String(holder), "-U", "-n", "-m", "--preserve-credentials", "ip", "netns", "exec", namespace];
        let end = () => {};
        const output = new Promise<string>((resolve) => {
            const child = execFile("nsenter", [...into, process.execPath, "-e", code], (_error, stdout) => resolve(stdout));
            end = () => child.kill("SIGKILL");
        });
        return { output, end };
    }

    async #isUp(tier: "vpn" | "interconnect"): Promise<boolean> {
        const all = await Promise.all(
            this.#pairs().map(([own, peer]) => {
                const pair = { site: own.name, peer: peer.name };
                return tier === "vpn"
                    ? this.#client.ask<TunnelState[]>(this.#folder, { op: "tunnels", ...pair })
                    : this.#client.ask<LineState>(this.#folder, { op: "line", ...pair }).then((line) => [line]);
            }),
        );
        return all.flat().every(({ up }) => up);
    }

    #pairs(): [SiteSpec, SiteSpec][] {
        // Those that answer before those that begin, as `up` makes them.
        const pairs = this.#sites.flatMap((own) =>
            this.#sites.filter((peer) => peer !== own).map((peer): [SiteSpec, SiteSpec] => [own, peer]),
        );
        return pairs.sort(([own, peer]) => (own.name > peer.name ? -1 : 1));
    }

    #paths(tier: PathSpec["tier"]): PathSpec[] {
        const end = ({ name, siteNumber }: SiteSpec) =>
            ({ name, siteNumber, platform: "local", scope: name, addresses: 2 }) as const;
        return this.#pairs().flatMap(([own, peer]): PathSpec[] => {
            const far = this.#addresses.siteAddresses(peer.siteNumber);
            const head = { site: own.name, peer: peer.name, peerNumber: peer.siteNumber, tier } as const;
            const remote = { remoteAsn: peer.asn, remoteRanges: [far.cidr] };
            if (tier === "nat") {
                return [{ ...head, part: "door", admits: [far.public] }];
            }
            const pool = tier === "vpn" ? this.#tunnels.defaultTunnelPool : this.#tunnels.interconnectPool;
            const ranges = this.#tunnels.tunnelsOf(end(own), end(peer), pool);
            const [first] = ranges;
            if (tier === "interconnect" && first !== undefined) {
                const line = { localInside: first.addressOfA, remoteInside: first.addressOfB, ...remote };
                return [{ ...head, part: "door", admits: [far.cidr], line }];
            }
            const tunnels = ranges.map(({ key, addressOfA, addressOfB, interfaceOfA, interfaceOfB }) => ({
                key,
                gateway: interfaceOfA === 0 ? (0 as const) : (1 as const),
                localInside: addressOfA,
                remoteInside: addressOfB,
                remoteAddress: far.gateways[interfaceOfB === 0 ? 0 : 1].public,
                presharedKey: `Key${key}AaaaaaaaaaaaaaaaaaaaaaaaaaaA`,
            }));
            const localRanges = [this.#addresses.siteAddresses(own.siteNumber).cidr];
            const half = { suite: "aes-cbc" as const, ...remote, localRanges, initiates: own.name < peer.name, tunnels };
            return [{ ...head, part: "tunnels", admits: [far.cidr], tunnels: half }];
        });
    }
}

/** Shorter than two intervals of the default BFD, before which nobody can know, and longer than most pauses of a busy machine. */
const noticedMs = 110;
const echo = 'require("node:net").createServer((socket) => socket.setNoDelay(true).pipe(socket)).listen(8884, "0.0.0.0")';
/** 40 connections with a byte every 5 ms each, for 5 s; prints the longest pause between answers of each. */
const connections = `
const gaps = [];
for (let index = 0; index < 40; index++) {
    const socket = require("node:net").connect(8884, "10.2.0.252");
    let last = 0;
    gaps[index] = 0;
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("connect", () => { setTimeout(() => { last = performance.now(); }, 1000); setInterval(() => socket.write("x"), 5); });
    socket.on("data", () => {
        const now = performance.now();
        if (last > 0) { gaps[index] = Math.max(gaps[index], Math.round(now - last)); last = now; }
    });
}
setTimeout(() => { process.stdout.write(JSON.stringify(gaps)); process.exit(0); }, 5000);
`;

async function timed(work: () => Promise<unknown>): Promise<number> {
    const start = performance.now();
    await work();
    return performance.now() - start;
}
