import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { namespaceOf, siteAddresses } from "./addresses.js";
import { canonical, digestOf } from "./canonical.js";
import { run } from "./commands.js";
import { type Desired, type PathSpec, pathId, type SiteSpec } from "./desired.js";
import { type Cuts, planNetwork } from "./plan.js";
import type { Cut, LineState, NetworkState, ProcessState, TunnelState } from "./protocol.js";
import type { Reconciler } from "./reconciler.js";
import { lineState, tunnelsOf } from "./tunnelReport.js";

/** What is wanted of a mesh's network at the moment, and how it is. */
export class MeshNetwork {
    readonly #reconciler: Reconciler;
    readonly #sites = new Map<string, SiteSpec>();
    readonly #paths = new Map<string, PathSpec>();
    readonly #cuts = new Map<string, Cut>();

    constructor(reconciler: Reconciler) {
        this.#reconciler = reconciler;
    }

    /** The number of a site that is there. */
    site(name: string): SiteSpec {
        const site = this.#sites.get(name);
        if (site === undefined) {
            throw new Error(`the local network has no site ${name}`);
        }
        return site;
    }

    async putSite(site: SiteSpec): Promise<void> {
        this.#sites.set(site.name, site);
        await this.#apply();
    }

    async removeSite(name: string): Promise<void> {
        this.#sites.delete(name);
        await this.#apply();
    }

    async putPath(given: PathSpec): Promise<void> {
        const path = canonical(given);
        const alone = { sites: [...this.#sites.values()].filter(({ name }) => name === path.site), paths: [path] };
        // What cannot be planned by itself must not stand in the way of others.
        planNetwork(alone);
        this.#paths.set(pathId(path), path);
        await this.#apply();
    }

    async removePath(id: string): Promise<void> {
        this.#paths.delete(id);
        await this.#apply();
    }

    hasPath(id: string, digest: string): boolean {
        const path = this.#paths.get(id);
        return path !== undefined && digestOf(path) === digest && this.#sites.has(path.site);
    }

    async cut(cut: Cut, on: boolean): Promise<void> {
        const key = JSON.stringify(cut);
        if (on) {
            this.#cuts.set(key, cut);
        } else {
            this.#cuts.delete(key);
        }
        await this.#apply();
    }

    /** All tunnels from a site to a peer. */
    async tunnels(site: string, peer: string): Promise<TunnelState[]> {
        const { siteNumber } = this.site(site);
        const path = [...this.#paths.values()].find(
            (each) => each.site === site && each.peer === peer && each.tunnels !== undefined,
        );
        return path === undefined ? [] : tunnelsOf(this.#reconciler, siteNumber, path);
    }

    /** The private line from a site to a peer; undefined where it was not ordered. */
    async line(site: string, peer: string): Promise<LineState | undefined> {
        const path = [...this.#paths.values()].find(
            (each) => each.site === site && each.peer === peer && each.line !== undefined,
        );
        return path === undefined ? undefined : lineState(this.#reconciler, this.site(site).siteNumber, path);
    }

    async state(): Promise<NetworkState> {
        const sites = await Promise.all(
            [...this.#sites.values()].map(async ({ name, siteNumber }) => {
                const router = namespaceOf.router(siteNumber);
                const paths = [...this.#paths.values()].filter((path) => path.site === name && path.tunnels !== undefined);
                const [routes, counters, ...tunnels] = await Promise.all([
                    run("ip", ["-n", router, "route", "show", "proto", "bird"]),
                    run("ip", ["netns", "exec", router, "nft", "list", "counters"]),
                    ...paths.map(async (path) =>
                        (await tunnelsOf(this.#reconciler, siteNumber, path)).map((tunnel) => ({ ...tunnel, peer: path.peer })),
                    ),
                ]);
                return {
                    name,
                    routes: routes.stdout
                        .replaceAll(/\n\t+/g, " ")
                        .split("\n")
                        .map((line) => line.trim())
                        .filter(Boolean),
                    refused: Number(/packets (\d+)/.exec(counters.stdout)?.[1] ?? 0),
                    tunnels: tunnels.flat(),
                };
            }),
        );
        return { sites, processes: processes() };
    }

    #apply(): Promise<void> {
        // What is wanted when its turn comes: what was asked for meanwhile is done in one go.
        const desired = (): Desired => ({ sites: [...this.#sites.values()], paths: [...this.#paths.values()] });
        return this.#reconciler.apply(() => planNetwork(desired(), this.#cutsNow()));
    }

    #cutsNow(): Cuts {
        const all = [...this.#cuts.values()];
        return {
            addresses: all.flatMap((cut) => {
                if ("peer" in cut) {
                    return [];
                }
                const site = this.#sites.get(cut.site);
                if (site === undefined) {
                    return [];
                }
                const at = siteAddresses(site.siteNumber);
                return "gateway" in cut ? [at.gateways[cut.gateway].public] : [at.public];
            }),
            lines: all.flatMap((cut) => ("peer" in cut ? [`${cut.site}/${cut.peer}`] : [])),
        };
    }
}

/** The processes of the holder's own pid namespace. /proc is the machine's. */
function processes(): ProcessState[] {
    const own = readlinkSync("/proc/self/ns/pid");
    return readdirSync("/proc").flatMap((pid): ProcessState[] => {
        try {
            if (!/^\d+$/.test(pid) || readlinkSync(`/proc/${pid}/ns/pid`) !== own) {
                return [];
            }
            const status = readFileSync(`/proc/${pid}/status`, "utf8");
            const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
            const mb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
            const name = /Name:\s+(\S+)/.exec(status)?.[1] ?? "";
            const what = args.some((arg) => arg.endsWith("broker/main.js"))
                ? "broker"
                : args.some((arg) => arg.endsWith("holder/inside.js"))
                  ? "holder"
                  : name;
            return [{ pid: Number(pid), what, mb }];
        } catch {
            return [];
        }
    });
}
