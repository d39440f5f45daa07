import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { checkFailures } from "../dynamic/checkFailures.js";
import { hasUnknown, type Lifecycle } from "../dynamic/provider.js";
import { checkFileName, checkFolder, type DeviceFilesInputs, type DeviceFilesOutputs } from "./deviceFilesRules.js";

/** Outputs of this kind hold no texts, inputs do; the lifecycle's type wants outputs that hold all inputs. */
type Stored = DeviceFilesOutputs & Pick<DeviceFilesInputs, "files">;

/** Writes files for their owner's eyes and keeps them as described. */
export const deviceFilesProvider: Lifecycle<DeviceFilesInputs, Stored> = {
    async check(news) {
        const names = hasUnknown(news.files) ? [] : Object.keys(news.files);
        return {
            inputs: news,
            failures: checkFailures("folder", () => checkFolder(news.folder), ...names.map((name) => () => checkFileName(name))),
        };
    },

    async diff(_id, olds, news) {
        if (resolve(olds.folder) !== resolve(news.folder)) {
            return { changes: true, replaces: ["folder"] };
        }
        if (hasUnknown(news.files)) {
            return { changes: true };
        }
        const wanted = digestsOf(news.files);
        const same = JSON.stringify(wanted) === JSON.stringify(olds.digests) && (await areOnDisk(news.folder, wanted));
        return { changes: !same };
    },

    async create(inputs) {
        return { id: resolve(inputs.folder), outs: await write(inputs) };
    },

    async update(_id, olds, news) {
        const gone = Object.keys(olds.digests).filter((name) => !(name in news.files));
        await remove(olds.folder, gone);
        return write(news);
    },

    async delete(_id, olds) {
        await remove(olds.folder, Object.keys(olds.digests));
    },
};

async function write({ folder, files, ...rest }: DeviceFilesInputs): Promise<Stored> {
    const place = resolve(folder);
    await mkdir(place, { recursive: true, mode: 0o700 });
    for (const [name, text] of Object.entries(files)) {
        const path = join(place, name);
        // Whole or not at all: whoever copies the file meanwhile gets no half of it.
        await writeFile(`${path}.new`, text, { mode: 0o600 });
        await chmod(`${path}.new`, 0o600);
        await rename(`${path}.new`, path);
    }
    const paths = Object.keys(files).map((name) => join(place, name));
    return { ...rest, folder, paths: paths.sort(), digests: digestsOf(files), files: {} };
}

async function remove(folder: string, names: readonly string[]): Promise<void> {
    const place = resolve(folder);
    for (const name of names) {
        await rm(join(place, name), { force: true });
    }
    // The folder may be the user's own, with other files.
    await rmdir(place).catch(() => {});
}

async function areOnDisk(folder: string, digests: Readonly<Record<string, string>>): Promise<boolean> {
    for (const [name, digest] of Object.entries(digests)) {
        const text = await readFile(join(resolve(folder), name), "utf8").catch(() => undefined);
        if (text === undefined || digestOf(text) !== digest) {
            return false;
        }
    }
    return true;
}

function digestsOf(files: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(
        Object.entries(files)
            .map(([name, text]) => [name, digestOf(text)] as const)
            .sort(([one], [other]) => (one < other ? -1 : 1)),
    );
}

function digestOf(text: string): string {
    return createHash("sha256").update(text).digest("hex");
}
