import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Progress, progressFor } from "../../dynamic/progress.js";
import { hasUnknown, type Lifecycle } from "../../dynamic/provider.js";
import { OperationError } from "../../errors.js";
import { type Capability, whatIsMissing } from "./capabilities.js";
import { ask, HolderGone } from "./client.js";
import { digestOf } from "./holder/canonical.js";
import { type PathSpec, pathId } from "./holder/desired.js";
import type { LineState, TunnelState } from "./holder/protocol.js";
import { notPossible } from "./localNetworkProvider.js";

/** What state holds of a path's arguments. `tunnels` is secret. */
export interface LocalPathInputs extends PathSpec {
    readonly stateDir: string;
    readonly wait?: boolean;
    readonly progressUrn?: string;
}

export interface LocalPathOutputs extends LocalPathInputs {
    readonly digest: string;
}

const needs: Readonly<Record<PathSpec["tier"], Capability>> = { nat: "network", vpn: "ipsec", interconnect: "bgp" };
/** How long tunnels may take, and how long a reason to fail must last. */
const upMs = 45_000;
const certainMs = 5_000;
const pollMs = 200;

/** Sets what a site's network does for one peer, and takes it away. */
export const localPathProvider: Lifecycle<LocalPathInputs, LocalPathOutputs> = {
    async check(news) {
        const missing = await whatIsMissing(needs[news.tier] ?? "network");
        return {
            inputs: news,
            failures: missing === undefined ? [] : [{ property: "tier", reason: `tier ${news.tier}: ${notPossible(missing)}` }],
        };
    },

    async diff(_id, olds, news) {
        const replaces = (["stateDir", "site", "peer", "tier", "part"] as const).filter((key) => olds[key] !== news[key]);
        if (replaces.length > 0) {
            return { changes: true, replaces };
        }
        if (hasUnknown([news.admits, news.tunnels, news.line]) || digestOf(specOf(news)) !== olds.digest) {
            return { changes: true };
        }
        return { changes: !(await isSet(news, olds.digest)) };
    },

    async create(inputs) {
        return { id: pathId(inputs), outs: await set(inputs) };
    },

    async update(_id, _olds, news) {
        return set(news);
    },

    async delete(_id, olds) {
        await remove(olds);
    },
};

/** Only what the network has to know, whatever else the resource keeps. */
function specOf({ site, peer, peerNumber, tier, part, admits, tunnels, line }: LocalPathInputs): PathSpec {
    return {
        site,
        peer,
        peerNumber,
        tier,
        part,
        admits,
        ...(tunnels === undefined ? {} : { tunnels }),
        ...(line === undefined ? {} : { line }),
    };
}

async function isSet(inputs: LocalPathInputs, digest: string): Promise<boolean> {
    return ask<boolean>(resolve(inputs.stateDir), { op: "hasPath", id: pathId(inputs), digest }).catch(() => false);
}

async function set(inputs: LocalPathInputs): Promise<LocalPathOutputs> {
    const path = specOf(inputs);
    const folder = resolve(inputs.stateDir);
    const what = `join ${inputs.site} to ${inputs.peer} (tier ${inputs.tier})`;
    try {
        await ask(folder, { op: "putPath", path });
        if (inputs.wait === true) {
            await carried(inputs, folder, progressFor(inputs.progressUrn));
        }
    } catch (error) {
        if (error instanceof OperationError) {
            throw error;
        }
        const message = error instanceof Error ? error.message : String(error);
        throw new OperationError({ what, where: "the local network", message });
    }
    return { ...inputs, digest: digestOf(path) };
}

/** Waits until both sides of the pair have routes to each other by its tunnels or its private line. */
async function carried(inputs: LocalPathInputs, folder: string, progress: Progress): Promise<void> {
    const { site, peer, tier } = inputs;
    const started = Date.now();
    let failingSince: number | undefined;
    for (;;) {
        const ways = await (tier === "vpn" ? tunnelsOf(folder, site, peer) : lineOf(folder, site, peer));
        const down = ways.filter(({ up }) => !up);
        if (ways.length > 0 && down.length === 0) {
            return;
        }
        const causes = down.flatMap(({ cause }) => cause ?? []);
        failingSince = causes.length === 0 ? undefined : (failingSince ?? Date.now());
        const certain = failingSince !== undefined && Date.now() - failingSince > certainMs;
        if (certain || Date.now() - started > upMs) {
            throw new OperationError({
                what: `bring the ${tier === "vpn" ? "tunnels" : "private line"} of pair ${[site, peer].sort().join("-")} up`,
                where: "the local network",
                message: down.map(({ text }) => text).join("; ") || "the other side has not ordered it",
                todo:
                    tier === "vpn"
                        ? "Both sides need the same suite and pre-shared keys, and each the other's ranges and autonomous system number"
                        : "Each side needs the other's ranges and autonomous system number",
            });
        }
        progress(`${ways.length - down.length} of ${ways.length} ${tier === "vpn" ? "tunnels" : "lines"} carry routes`);
        await sleep(pollMs);
    }
}

/** A way between two sites, by the side that has something to tell. */
interface Way {
    readonly up: boolean;
    readonly cause?: string | undefined;
    readonly text: string;
}

async function tunnelsOf(folder: string, site: string, peer: string): Promise<Way[]> {
    const far = await ask<TunnelState[]>(folder, { op: "tunnels", site: peer, peer: site });
    const own = await ask<TunnelState[]>(folder, { op: "tunnels", site, peer });
    return own.map((tunnel) => {
        const state = worse(tunnel, far.find(({ key }) => key === tunnel.key) ?? tunnel);
        const { key, ike, children, cause } = state;
        const words = `IKE ${ike ? "up" : "down"}, ${children} of 2 children installed, ${routing(state)}`;
        return { up: state.up, cause, text: `tunnel ${key}: ${cause ?? words}` };
    });
}

async function lineOf(folder: string, site: string, peer: string): Promise<Way[]> {
    const far = await ask<LineState | undefined>(folder, { op: "line", site: peer, peer: site });
    const own = await ask<LineState | undefined>(folder, { op: "line", site, peer });
    if (own === undefined || far === undefined) {
        return [];
    }
    const state = worse(own, far);
    return [{ up: state.up, cause: state.cause, text: `private line: ${state.cause ?? routing(state)}` }];
}

function worse<T extends LineState>(own: T, far: T): T {
    return own.up && !far.up ? far : own;
}

function routing({ bgp, routed }: LineState): string {
    return `BGP ${bgp}, ${routed ? "route" : "no route"}`;
}

async function remove(inputs: LocalPathInputs): Promise<void> {
    await ask(resolve(inputs.stateDir), { op: "removePath", id: pathId(inputs) }).catch((error: unknown) => {
        // With the network its paths went.
        if (!(error instanceof HolderGone)) {
            throw error;
        }
    });
}
