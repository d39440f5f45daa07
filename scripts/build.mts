import { chmodSync, existsSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { run } from "./child.mts";
import { elapsed, runMain, ScriptError, say } from "./output.mts";
import { root } from "./project.mts";

const source = join(root, "src");
const built = join(root, "dist");
const cache = join(root, "node_modules", ".cache", "linkspan", "build.tsbuildinfo");

/**
 * Compiles `src` to `dist`. The compiler skips what is up to date; what no source stands behind any more is removed.
 *
 * @throws ScriptError with the compiler's findings
 */
export async function build(): Promise<void> {
    const before = removeStale(built, source);
    if (before.files === 0) {
        // The compiler's memory of an earlier build does not notice that its output was removed.
        rmSync(cache, { force: true });
    }
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const compile = () => run(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root });
    let { code, stdout, stderr } = await compile();
    if (code === 0 && isIncomplete(built, source)) {
        rmSync(cache, { force: true });
        ({ code, stdout, stderr } = await compile());
    }
    if (code !== 0) {
        throw new ScriptError(`The sources do not compile (tsc, exit code ${code}):\n${(stdout + stderr).trimEnd()}`);
    }
    const cli = join(built, "cli", "main.js");
    if (existsSync(cli)) {
        chmodSync(cli, 0o755);
        linkCommand();
    }
}

/** Makes `npx linkspan` work in the repository: npm links a package's commands when it installs, before dist/ is there. */
function linkCommand(): void {
    const link = join(root, "node_modules", ".bin", "linkspan");
    try {
        symlinkSync(join("..", "linkspan", "dist", "cli", "main.js"), link);
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // There already, or a system without links, where the command is `node dist/cli/main.js`.
        if (code !== "EEXIST" && code !== "EPERM") {
            throw error;
        }
    }
}

/** Paths of all files below a folder, relative to it. */
function filesBelow(folder: string): string[] {
    if (!existsSync(folder)) {
        return [];
    }
    return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

/** The compiled file's path without its ending, e.g. `link/linkPair` for `link/linkPair.d.ts`; undefined for what no compiler writes. */
export function stemOf(file: string): string | undefined {
    return /^(.*?)(?:\.d\.ts|\.js)$/.exec(file)?.[1];
}

/** Removes compiled files whose source is gone or is a test, and folders that this empties. */
export function removeStale(output: string, from: string): { files: number; removed: string[] } {
    const files = filesBelow(output);
    const removed = files.filter((file) => {
        const stem = stemOf(file);
        return stem === undefined || stem.endsWith(".test") || !existsSync(join(from, `${stem}.ts`));
    });
    for (const file of removed) {
        rmSync(join(output, file));
    }
    const folders = existsSync(output)
        ? readdirSync(output, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory())
        : [];
    for (const folder of folders.map((entry) => join(entry.parentPath, entry.name)).sort((a, b) => b.length - a.length)) {
        if (readdirSync(folder).length === 0) {
            rmSync(folder, { recursive: true });
        }
    }
    return { files: files.length - removed.length, removed };
}

/** Whether a source has no compiled file, e.g. because somebody removed it. */
function isIncomplete(output: string, from: string): boolean {
    return filesBelow(from)
        .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.endsWith(".d.ts"))
        .some((file) => !existsSync(join(output, file.replace(/\.ts$/, ".js"))));
}

runMain(import.meta, async () => {
    const startedAt = Date.now();
    await build();
    say(`${elapsed(startedAt)} dist/ is up to date`);
    return 0;
});
