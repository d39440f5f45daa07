import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identify, isRunning, type Owner, readOwner } from "../processLock.mts";
import type { DemoState } from "./state.mts";

/** A broker process of the demo. */
export interface BrokerProcess extends Owner {
    readonly site: string;
}

/** The broker processes that run below the demo's folder: by their own record, and on Linux also by their command line. */
export function runningBrokers(state: DemoState): BrokerProcess[] {
    const found = new Map<number, BrokerProcess>();
    for (const folder of brokerFolders(state)) {
        const owner = readOwner(join(folder, "ready.json"));
        if (owner !== undefined && isRunning(owner)) {
            found.set(owner.pid, { ...owner, site: siteOf(state, folder) });
        }
    }
    for (const folder of networkFolders(state)) {
        const owner = readOwner(join(folder, "holder.json"));
        if (owner !== undefined && isRunning(owner)) {
            found.set(owner.pid, { ...owner, site: "the network between the sites" });
        }
    }
    // A broker that a killed run has just started may not have written its record yet.
    for (const pid of pidsOnLinux()) {
        const args = commandLine(pid);
        const folder = args.at(-1) ?? "";
        if (
            args.some((arg) => arg.endsWith(join("local", "broker", "main.js"))) &&
            folder.startsWith(state.brokers + sep) &&
            !found.has(pid)
        ) {
            found.set(pid, { ...identify(pid), site: siteOf(state, folder) });
        }
    }
    return [...found.values()];
}

/** Folders of networks between sites of level `network`. */
function networkFolders(state: DemoState): string[] {
    return existsSync(state.brokers)
        ? readdirSync(state.brokers)
              .map((mesh) => join(state.brokers, mesh, ".network"))
              .filter((folder) => existsSync(folder))
        : [];
}

/** Folders of brokers: those that hold a broker's configuration. */
export function brokerFolders(state: DemoState): string[] {
    if (!existsSync(state.brokers)) {
        return [];
    }
    return readdirSync(state.brokers, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && (entry.name === "config.json" || entry.name === "ready.json"))
        .map((entry) => entry.parentPath)
        .filter((folder, index, all) => all.indexOf(folder) === index)
        .sort();
}

/** A broker's site: the last part of its folder. */
export function siteOf(state: DemoState, folder: string): string {
    return relative(dirname(folder), folder) || relative(state.brokers, folder);
}

/** Ends processes: politely, then by force. Returns those that still run. */
export async function endAll<T extends Owner>(processes: readonly T[]): Promise<T[]> {
    let left = [...processes];
    for (const [signal, patienceMs] of [
        ["SIGTERM", 10_000],
        ["SIGKILL", 5000],
    ] as const) {
        for (const each of left) {
            try {
                process.kill(each.pid, signal);
            } catch {
                // It is gone already, which is what is wanted.
            }
        }
        const deadline = Date.now() + patienceMs;
        while (left.length > 0 && Date.now() < deadline) {
            await sleep(50);
            left = left.filter(isRunning);
        }
    }
    return left;
}

function pidsOnLinux(): number[] {
    return process.platform === "linux" ? readdirSync("/proc").map(Number).filter(Number.isInteger) : [];
}

function commandLine(pid: number): string[] {
    try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean);
    } catch {
        return [];
    }
}
