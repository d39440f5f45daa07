import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { hasUnknown, type Lifecycle } from "../../dynamic/provider.js";
import { writePrivate } from "../broker/files.js";

/** What state holds of a name. */
export interface LocalNameInputs {
    readonly namesDir: string;
    readonly host: string;
    readonly address: string;
    readonly port: number;
    readonly progressUrn?: string;
}

/** Writes a name's file and keeps it as described. */
export const localNameProvider: Lifecycle<LocalNameInputs, LocalNameInputs> = {
    async diff(_id, olds, news) {
        const replaces = (["namesDir", "host"] as const).filter((key) => olds[key] !== news[key]);
        if (replaces.length > 0) {
            return { changes: true, replaces, deleteBeforeReplace: true };
        }
        return { changes: hasUnknown(news) || (await readFile(fileOf(news), "utf8").catch(() => "")) !== textOf(news) };
    },

    async create(inputs) {
        writePrivate(fileOf(inputs), textOf(inputs));
        return { id: inputs.host, outs: inputs };
    },

    async update(_id, _olds, news) {
        writePrivate(fileOf(news), textOf(news));
        return news;
    },

    async delete(_id, olds) {
        await rm(fileOf(olds), { force: true });
    },
};

function fileOf({ namesDir, host }: LocalNameInputs): string {
    return join(resolve(namesDir), host);
}

function textOf({ address, port }: LocalNameInputs): string {
    return JSON.stringify({ host: address, port });
}
