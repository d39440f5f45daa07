import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../child.mts";
import { root } from "../project.mts";

const require = createRequire(import.meta.url);

/** A Pulumi stack in a folder of its own, on a file backend. Its brokers hold a lease on this process. */
export class BenchStack {
    readonly folder: string;
    readonly #project: string;
    readonly #env: NodeJS.ProcessEnv;

    private constructor(folder: string, project: string, env: NodeJS.ProcessEnv) {
        this.folder = folder;
        this.#project = project;
        this.#env = env;
    }

    /** Writes a CommonJS program, and other files by name, into a new project and makes its stack. */
    static async create(
        program: string,
        env: NodeJS.ProcessEnv,
        files: Readonly<Record<string, string>> = {},
    ): Promise<BenchStack> {
        const { startTimeOf } =
            require("../../dist/local/broker/processIdentity.js") as typeof import("../../src/local/broker/processIdentity.ts");
        const folder = mkdtempSync(join(tmpdir(), "linkspan-bench-"));
        const project = join(folder, "project");
        const lease = join(folder, "lease.json");
        mkdirSync(project);
        writeFileSync(lease, JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) }));
        writeFileSync(join(project, "Pulumi.yaml"), "name: bench\nruntime: nodejs\n");
        writeFileSync(join(project, "package.json"), '{"name":"bench","private":true,"main":"index.js"}');
        writeFileSync(join(project, "index.js"), program);
        for (const [name, text] of Object.entries(files)) {
            writeFileSync(join(project, name), text);
        }
        symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
        const stack = new BenchStack(folder, project, {
            ...env,
            PULUMI_BACKEND_URL: `file://${folder}`,
            PULUMI_CONFIG_PASSPHRASE: "bench",
            LINKSPAN_LEASE_FILE: lease,
        });
        await stack.pulumi(["stack", "init", "bench"]);
        return stack;
    }

    /** Runs the CLI; throws with what it said of the reason when it fails or takes longer than `timeoutMs`. */
    async pulumi(args: readonly string[], timeoutMs?: number): Promise<{ seconds: number; stdout: string }> {
        const start = process.hrtime.bigint();
        const { code, stdout, stderr } = await run("pulumi", [...args, "--non-interactive"], {
            cwd: this.#project,
            env: this.#env,
            ...(timeoutMs === undefined ? {} : { timeoutMs }),
        });
        if (code === 124 && timeoutMs !== undefined) {
            throw new Error(`pulumi ${args.join(" ")} was stopped after ${(timeoutMs / 1000).toFixed(0)} s`);
        }
        if (code !== 0) {
            throw new Error(`pulumi ${args.join(" ")} ended with ${code}\n${reasonOf(stdout + stderr)}`);
        }
        return { seconds: Number(process.hrtime.bigint() - start) / 1e9, stdout };
    }

    /** Removes the folder; a broker that still runs ends with its lease, and writes until then. Never throws: it would hide why a run ended. */
    dispose(): void {
        rmSync(join(this.folder, "lease.json"), { force: true });
        try {
            rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
        } catch (error) {
            console.log(`  ${this.folder} is left behind: ${error instanceof Error ? error.message : error}`);
        }
    }
}

/** Lines of the CLI's output that are told of a failure. */
const reasonLines = 25;

/** Why the CLI failed: the errors among its diagnostics, each below its resource; where there are none, its last words. */
function reasonOf(output: string): string {
    const lines = output.split("\n").filter((line) => line.trim() !== "");
    const diagnostics = lines.slice(lines.findIndex((line) => line.startsWith("Diagnostics:")) + 1);
    const told = diagnostics.filter(
        (line, index) => /\berror: /.test(line) || (/^ {2}\S/.test(line) && /\berror: /.test(diagnostics[index + 1] ?? "")),
    );
    return told.length > 0 ? told.slice(0, reasonLines).join("\n") : lines.slice(-reasonLines).join("\n");
}
