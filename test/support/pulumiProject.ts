import { execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isSameProcess, startTimeOf } from "../../src/local/broker/processIdentity.js";
import { pulumiEnvironment } from "./pulumiEnvironment.js";

/** The repository. */
export const repository = resolve(__dirname, "../..");

/** What a run of the Pulumi CLI said. */
export interface Run {
    readonly code: number;
    /** Standard output and standard error as they came. */
    readonly output: string;
}

/** A resource as `pulumi stack export` shows it. */
export interface StateResource {
    readonly urn: string;
    readonly type: string;
    readonly id?: string;
    readonly inputs?: Record<string, unknown>;
    readonly outputs?: Record<string, unknown>;
}

function partOf(value: unknown): object {
    return typeof value === "object" && value !== null ? value : {};
}

/**
 * A Pulumi project in a folder of its own with a file backend and one stack, run by the real command line. Brokers that it starts hold
 * a lease on this test process, so that a killed run leaves nothing behind.
 */
export class PulumiProject {
    readonly folder: string;
    private readonly env: NodeJS.ProcessEnv;

    private constructor(folder: string, env: NodeJS.ProcessEnv) {
        this.folder = folder;
        this.env = env;
    }

    /**
     * Copies a project (or writes one) and makes its stack.
     *
     * @param source a folder to copy, or files by name
     * @param options.linked link the repository's node_modules, so that `linkspan` is the built working tree; off for packed packages
     * @param options.env adds to the environment of every command
     */
    static async create(
        source: string | Readonly<Record<string, string>>,
        options: { linked?: boolean; env?: (base: NodeJS.ProcessEnv) => NodeJS.ProcessEnv } = {},
    ): Promise<PulumiProject> {
        const root = await realpath(await mkdtemp(join(tmpdir(), "linkspan-e2e-")));
        const folder = join(root, "project");
        await mkdir(join(root, "backend"));
        await mkdir(folder);
        if (typeof source === "string") {
            await cp(source, folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
        } else {
            for (const [name, text] of Object.entries(source)) {
                await writeFile(join(folder, name), text);
            }
        }
        if (options.linked ?? true) {
            await symlink(join(repository, "node_modules"), join(folder, "node_modules"));
        }
        const lease = join(root, "lease.json");
        await writeFile(lease, JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) }));
        const env = {
            ...(await pulumiEnvironment()),
            PULUMI_BACKEND_URL: `file://${join(root, "backend")}`,
            PULUMI_CONFIG_PASSPHRASE: "a passphrase of this test",
            LINKSPAN_LEASE_FILE: lease,
        };
        const project = new PulumiProject(folder, options.env?.(env) ?? env);
        await project.must("stack", "init", "test");
        return project;
    }

    /** The environment of every command. */
    get environment(): Readonly<NodeJS.ProcessEnv> {
        return this.env;
    }

    /** Runs the CLI and returns what it said, whatever the exit code. */
    run(...args: string[]): Promise<Run> {
        return this.runWith({}, ...args);
    }

    /** The same with more environment. */
    runWith(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Run> {
        return new Promise((done) => {
            execFile(
                "pulumi",
                ["--non-interactive", "--color", "never", ...args],
                { cwd: this.folder, env: { ...this.env, ...env }, maxBuffer: 64 << 20, encoding: "utf8" },
                (error, stdout, stderr) => {
                    const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
                    done({ code, output: stdout + stderr });
                },
            );
        });
    }

    /** Runs the CLI and throws with its output when it fails. */
    async must(...args: string[]): Promise<string> {
        const { code, output } = await this.run(...args);
        if (code !== 0) {
            throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${output}`);
        }
        return output;
    }

    /** Starts the CLI and leaves it running, for tests that interrupt it. */
    start(...args: string[]) {
        return spawn("pulumi", ["--non-interactive", "--color", "never", ...args], {
            cwd: this.folder,
            env: this.env,
            stdio: ["ignore", "pipe", "pipe"],
        });
    }

    /** Removes what a killed CLI leaves half written in its file backend (empty attribute files) and what it locked. */
    async mend(): Promise<void> {
        const backend = join(this.folder, "..", "backend");
        for (const path of await readdir(backend, { recursive: true })) {
            const file = join(backend, path);
            if (path.endsWith(".attrs") && (await stat(file)).size === 0) {
                await rm(file);
            }
        }
        await this.run("cancel", "--yes");
    }

    /** Any other program in the project's folder and environment. */
    exec(command: string, ...args: string[]): Promise<Run> {
        return new Promise((done) => {
            execFile(
                command,
                args,
                { cwd: this.folder, env: this.env, maxBuffer: 64 << 20, encoding: "utf8" },
                (error, stdout, stderr) => {
                    done({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, output: stdout + stderr });
                },
            );
        });
    }

    up(...args: string[]): Promise<string> {
        return this.must("up", "--yes", "--skip-preview", ...args);
    }

    async outputs<T>(): Promise<T> {
        return JSON.parse(await this.must("stack", "output", "--json", "--show-secrets")) as T;
    }

    /** The state as text, secrets encrypted: what a leak test greps. */
    exported(): Promise<string> {
        return this.must("stack", "export");
    }

    /** The resources of the state, secrets decrypted; what a kind keeps together in `args` and `made` stands beside that too. */
    async resources(): Promise<StateResource[]> {
        const state = JSON.parse(await this.must("stack", "export", "--show-secrets")) as {
            deployment: { resources?: StateResource[] };
        };
        return (state.deployment.resources ?? []).map(({ outputs, ...resource }) => ({
            ...resource,
            ...(outputs === undefined ? {} : { outputs: { ...outputs, ...partOf(outputs.args), ...partOf(outputs.made) } }),
        }));
    }

    /** Broker processes that this project's sites have in their folders, still running. */
    async brokers(): Promise<{ site: string; pid: number }[]> {
        const found: { site: string; pid: number }[] = [];
        // Only here: a recursive listing follows the link to node_modules, and through it the repository itself, for ever.
        const sites = join(this.folder, ".linkspan");
        for (const path of await readdir(sites, { recursive: true }).catch(() => [])) {
            if (path.endsWith("ready.json")) {
                const ready = JSON.parse(await readFile(join(sites, path), "utf8")) as { pid: number; startTime: string };
                if (isSameProcess(ready.pid, ready.startTime)) {
                    found.push({ site: path.split("/").at(-2) ?? path, pid: ready.pid });
                }
            }
        }
        return found;
    }

    /** Ends everything and removes the folder. */
    async dispose(): Promise<void> {
        for (const { pid } of await this.brokers()) {
            process.kill(pid, "SIGKILL");
        }
        await rm(resolve(this.folder, ".."), { recursive: true, force: true });
    }
}

/** Every form in which a secret could leak: as it is, base64, base64url, URL-encoded, hex, and inside JSON. */
export function formsOf(secret: string): string[] {
    const bytes = Buffer.from(secret);
    return [
        ...new Set([
            secret,
            bytes.toString("base64").replace(/=+$/, ""),
            bytes.toString("base64url"),
            encodeURIComponent(secret),
            bytes.toString("hex"),
            JSON.stringify(secret).slice(1, -1),
        ]),
    ];
}
