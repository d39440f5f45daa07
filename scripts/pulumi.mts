import {
    accessSync,
    constants,
    existsSync,
    mkdirSync,
    readFileSync,
    realpathSync,
    rmSync,
    statSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { run } from "./child.mts";
import { complain, runMain, ScriptError, say } from "./output.mts";
import { builtPulumiVersion, npxPulumiVersion, pulumiHome, root } from "./project.mts";
import { buildPulumi } from "./pulumiBuild.mts";

/** The oldest CLI that these scripts are known to work with. */
const oldestPulumi = [3, 200] as const;
const exe = process.platform === "win32" ? ".exe" : "";

/** A Pulumi CLI that works, and how to run it. */
export interface Pulumi {
    /** Folder of the CLI and its Node.js language host. */
    readonly binDir: string;
    /** Without a leading `v`. */
    readonly version: string;
    readonly origin: "PATH" | "PULUMI_HOME" | "installed" | "built";
    /** Environment for whatever runs Pulumi: PATH finds the CLI, its language host and the dynamic provider host. */
    readonly env: NodeJS.ProcessEnv;
}

/**
 * Finds the Pulumi CLI, or brings it: from PATH, from PULUMI_HOME, by Pulumi's own install script where the internet is open, else
 * built from the Go module proxy (about four minutes, once).
 *
 * @param tell receives lines about what is being done; nothing is told where the CLI is simply there
 * @throws ScriptError saying what to install where nothing of this works
 */
export async function ensurePulumi(
    tell: (line: string) => void = complain,
    env: NodeJS.ProcessEnv = process.env,
): Promise<Pulumi> {
    for (const folder of (env.PATH ?? "").split(delimiter)) {
        const found = folder === "" ? undefined : await probe(folder, env);
        if (found !== undefined) {
            return { ...found, origin: "PATH" };
        }
    }
    const wanted = npxPulumiVersion(env);
    for (const version of new Set([wanted, builtPulumiVersion])) {
        const found = await probe(binOf(version, env), env);
        if (found !== undefined) {
            return { ...found, origin: "PULUMI_HOME" };
        }
    }
    if (await installOfficially(wanted, tell, env)) {
        const found = await probe(binOf(wanted, env), env);
        if (found !== undefined) {
            return { ...found, origin: "installed" };
        }
        tell(`The install script left no working CLI in ${binOf(wanted, env)}.`);
    }
    await buildPulumi({ binDir: binOf(builtPulumiVersion, env), npxBinDir: binOf(wanted, env), tell, env });
    const built = await probe(binOf(builtPulumiVersion, env), env);
    if (built === undefined) {
        throw new ScriptError(
            `The Pulumi CLI built in ${binOf(builtPulumiVersion, env)} does not start; remove that folder and run this again.`,
        );
    }
    return { ...built, origin: "built" };
}

function binOf(version: string, env: NodeJS.ProcessEnv): string {
    return join(pulumiHome(env), "versions", version, "bin");
}

/** The environment in which programs find this Pulumi and what it needs of this repository. */
export function pulumiEnv(binDir: string, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
    // The package @pulumi/pulumi brings the launcher of dynamic providers; it wants `node` on PATH, and that one is Node 22.
    const folders = [binDir, join(root, "node_modules", "@pulumi", "pulumi"), join(root, "node_modules", ".bin")];
    const rest = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "" && !folders.includes(folder));
    return {
        ...env,
        PATH: [...folders, ...rest].join(delimiter),
        PULUMI_SKIP_UPDATE_CHECK: "true",
        // Nothing here needs a plugin beyond those on PATH; without this every run asks the internet for more and waits.
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    };
}

/** The CLI in a folder, if it starts, is new enough and has its language host beside it. */
async function probe(folder: string, env: NodeJS.ProcessEnv): Promise<Omit<Pulumi, "origin"> | undefined> {
    const cli = join(folder, `pulumi${exe}`);
    if (!isProgram(cli)) {
        return undefined;
    }
    const binDir = [folder, dirname(realpathSync(cli))].find((dir) => isProgram(join(dir, `pulumi-language-nodejs${exe}`)));
    if (binDir === undefined) {
        return undefined;
    }
    const childEnv = pulumiEnv(binDir, env);
    const { code, stdout } = await run(cli, ["version"], { env: childEnv, timeoutMs: 30_000 });
    const version = code === 0 ? parseVersion(stdout) : undefined;
    return version === undefined || !isNewEnough(version) ? undefined : { binDir, version, env: childEnv };
}

/** `v3.259.0\n` to `3.259.0`; undefined for anything that is no version. */
export function parseVersion(text: string): string | undefined {
    return /^v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(?:\+\S*)?$/.exec(text.trim())?.[1];
}

/** Whether a version is one that these scripts work with. */
export function isNewEnough(version: string): boolean {
    const [major = 0, minor = 0] = version.split(".").map(Number);
    return major > oldestPulumi[0] || (major === oldestPulumi[0] && minor >= oldestPulumi[1]);
}

function isProgram(path: string): boolean {
    try {
        accessSync(path, constants.X_OK);
        const stat = statSync(path);
        return stat.isFile() && stat.size > 0;
    } catch {
        return false;
    }
}

/** Runs Pulumi's own install script, where it can be reached. False where it cannot, or where it fails: the reason is told. */
async function installOfficially(version: string, tell: (line: string) => void, env: NodeJS.ProcessEnv): Promise<boolean> {
    if (process.platform === "win32") {
        return false;
    }
    let script: string;
    try {
        const answer = await fetch("https://get.pulumi.com/install.sh", { signal: AbortSignal.timeout(4000) });
        if (!answer.ok) {
            throw new Error(`status ${answer.status}`);
        }
        script = await answer.text();
    } catch {
        tell("get.pulumi.com cannot be reached from here.");
        return false;
    }
    if (!script.startsWith("#!")) {
        tell("get.pulumi.com answered with something other than the install script.");
        return false;
    }
    tell(`Installing Pulumi ${version} by the script of get.pulumi.com...`);
    const file = join(tmpdir(), `linkspan-pulumi-install-${process.pid}.sh`);
    try {
        writeFileSync(file, script, { mode: 0o700, flag: "wx" });
        const home = join(pulumiHome(env), "versions", version);
        mkdirSync(home, { recursive: true });
        const args = [file, "--no-edit-path", "--install-root", home, "--version", version];
        const { code, stdout, stderr } = await run("/bin/sh", args, { env, timeoutMs: 600_000 });
        if (code !== 0) {
            tell(`The install script failed (exit code ${code}): ${(stderr || stdout).trim().split("\n").at(-1) ?? ""}`);
        }
        return code === 0;
    } finally {
        rmSync(file, { force: true });
    }
}

/** What a user should know about the CLI that was built here instead of installed. */
export function noteOn(pulumi: Pulumi): string | undefined {
    const note = join(pulumi.binDir, "linkspan-build.json");
    if (!existsSync(note)) {
        return undefined;
    }
    const host = (JSON.parse(readFileSync(note, "utf8")) as { languageHost?: string }).languageHost ?? "3.66.0";
    return `its language host is ${host}, the newest on the Go module proxy: it ignores runtime options in Pulumi.yaml`;
}

runMain(import.meta, async (args) => {
    const unknown = args.find((arg) => arg !== "--path");
    if (unknown !== undefined) {
        throw new ScriptError(`${unknown} is no option; usage: node scripts/run.cjs pulumi [--path]`, 2);
    }
    const pulumi = await ensurePulumi();
    if (args.includes("--path")) {
        say(pulumi.binDir);
        return 0;
    }
    const note = noteOn(pulumi);
    say(`Pulumi ${pulumi.version} in ${pulumi.binDir} (${pulumi.origin})${note === undefined ? "" : `; ${note}`}`);
    return 0;
});
