import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { PulumiProject } from "./pulumiProject.js";
import { repository } from "./pulumiProject.js";

const call = promisify(execFile);

/** Packs the built package into a folder and returns the tarball's path. */
export async function packPackage(folder: string): Promise<string> {
    await mkdir(folder, { recursive: true });
    await call("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: repository });
    const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
    if (tarball === undefined) {
        throw new Error(`npm pack made no tarball in ${folder}`);
    }
    return join(folder, tarball);
}

/** The same package under another version: what an upgrade installs. */
export async function packAs(version: string, tarball: string, folder: string): Promise<string> {
    await mkdir(folder, { recursive: true });
    await call("tar", ["xzf", tarball, "-C", folder]);
    const manifest = join(folder, "package", "package.json");
    const text = await readFile(manifest, "utf8");
    await writeFile(manifest, text.replace(/"version": "[^"]+"/, `"version": "${version}"`));
    await call("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: join(folder, "package") });
    return join(folder, `linkspan-${version}.tgz`);
}

/** Installs a tarball and other packages into a project as a user does, without running install scripts. */
export async function install(project: PulumiProject, tarball: string, ...others: string[]): Promise<void> {
    const { code, output } = await project.exec(
        "npm",
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        tarball,
        ...others,
    );
    if (code !== 0) {
        throw new Error(`npm install ended with ${code}:\n${output}`);
    }
}
