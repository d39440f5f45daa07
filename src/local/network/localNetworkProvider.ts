import { rm, rmdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { progressFor } from "../../dynamic/progress.js";
import type { Lifecycle } from "../../dynamic/provider.js";
import { isAlive } from "../processes.js";
import { whatIsMissing } from "./capabilities.js";
import { endHolder, startHolder } from "./holderProcess.js";

/** What state holds of a local network's arguments. */
export interface LocalNetworkInputs {
    readonly stateDir: string;
    readonly progressUrn?: string;
}

export interface LocalNetworkOutputs extends LocalNetworkInputs {
    readonly pid: number;
    readonly startTime: string;
}

/** Starts and ends the process that holds a mesh's local network. */
export const localNetworkProvider: Lifecycle<LocalNetworkInputs, LocalNetworkOutputs> = {
    async check(news) {
        const missing = await whatIsMissing("network");
        return { inputs: news, failures: missing === undefined ? [] : [{ property: "stateDir", reason: notPossible(missing) }] };
    },

    outside({ stateDir }) {
        return { what: `the local network in ${stateDir}`, keys: [resolve(stateDir)], property: "stateDir" };
    },

    async diff(_id, olds, news) {
        return resolve(olds.stateDir) === resolve(news.stateDir)
            ? { changes: !isAlive(olds) }
            : { changes: true, replaces: ["stateDir"], deleteBeforeReplace: true };
    },

    async create(inputs) {
        return { id: resolve(inputs.stateDir), outs: await start(inputs) };
    },

    async read(_id, olds) {
        return { outs: isAlive(olds) ? olds : { ...olds, pid: 0 } };
    },

    async update(_id, olds, news) {
        return isAlive(olds) ? { ...olds, ...news } : start(news);
    },

    async delete(_id, olds) {
        const folder = resolve(olds.stateDir);
        await endHolder(folder);
        await rm(folder, { recursive: true, force: true });
        // The mesh's folders go with its last resource; while others are in them, removing fails, and that is right.
        for (const parent of [dirname(folder), dirname(dirname(folder))]) {
            await rmdir(parent).catch(() => {});
        }
    },
};

/** How a machine's shortcoming is told. */
export function notPossible(missing: string): string {
    return `level: "network" is not possible on this machine: ${missing}`;
}

async function start(inputs: LocalNetworkInputs): Promise<LocalNetworkOutputs> {
    progressFor(inputs.progressUrn)("starting the local network");
    const { pid, startTime } = await startHolder(resolve(inputs.stateDir));
    return { ...inputs, pid, startTime };
}
