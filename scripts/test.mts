import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mts";
import { type RunResult, run } from "./child.mts";
import { complain, elapsed, paint, runMain, ScriptError, say } from "./output.mts";
import { root } from "./project.mts";
import { ensurePulumi, noteOn } from "./pulumi.mts";
import { add, type Count, countVitest, exitCode, lastLine, noCount } from "./testCount.mts";

const usage = `Usage: npm test [-- options]
  --only STAGE   run only this stage (may be given several times); Pulumi and the build are brought as needed
  --list         print the stages and stop
  --help         print this`;

/** What the stages share. */
interface Workshop {
    readonly temp: string;
    /** Grows as stages find or make things, e.g. the PATH on which Pulumi is found. */
    env: NodeJS.ProcessEnv;
}

interface Stage {
    readonly name: string;
    readonly title: string;
    /** Makes something that later stages need; counts only where it fails. */
    readonly setUp?: true;
    readonly needs?: readonly string[];
    /** Runs only when it is asked for: it would make the whole run too long. */
    readonly long?: true;
    readonly run: (workshop: Workshop) => Promise<Count>;
}

const passed: Count = { passed: 1, failed: 0, skipped: 0 };
const failed: Count = { passed: 0, failed: 1, skipped: 0 };

const stages: readonly Stage[] = [
    {
        name: "pulumi",
        title: "Pulumi CLI",
        setUp: true,
        run: async (workshop) => {
            const pulumi = await ensurePulumi(say);
            workshop.env = { ...workshop.env, ...pulumi.env };
            const note = noteOn(pulumi);
            say(`Pulumi ${pulumi.version} (${pulumi.origin})${note === undefined ? "" : `; ${note}`}`);
            return noCount;
        },
    },
    {
        name: "build",
        title: "Build",
        run: async () => {
            await build();
            return passed;
        },
    },
    { name: "format", title: "Format and lint (biome)", run: check("@biomejs/biome/bin/biome", ["check", "."]) },
    {
        name: "types",
        title: "Types (tsc)",
        needs: ["build"],
        run: check("typescript/bin/tsc", ["-p", "tsconfig.json", "--noEmit"]),
    },
    {
        name: "layers",
        title: "Layers (dependency-cruiser)",
        run: check("dependency-cruiser/bin/dependency-cruiser.mjs", ["src", "scripts", "--config", ".dependency-cruiser.cjs"]),
    },
    { name: "unit", title: "Unit tests", run: vitest("unit") },
    { name: "e2e", title: "End-to-end tests", needs: ["pulumi", "build"], run: vitest("e2e") },
    {
        name: "clouds",
        title: "Sites on simulated clouds",
        needs: ["pulumi", "build"],
        long: true,
        run: vitest("clouds"),
    },
    { name: "package", title: "The packed package (publint, attw)", needs: ["build"], run: checkPackage },
];

/** A static check: one program of node_modules, passed where it exits with 0. */
function check(program: string, args: readonly string[]): (workshop: Workshop) => Promise<Count> {
    return async ({ env }) => {
        const { code } = await node(program, args, env);
        return code === 0 ? passed : failed;
    };
}

/** Runs a program of node_modules by the Node that runs this; its output is the stage's. */
function node(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<RunResult> {
    return run(process.execPath, [join(root, "node_modules", program), ...args], { cwd: root, env, inherit: true });
}

function vitest(project: string): (workshop: Workshop) => Promise<Count> {
    return async ({ temp, env }) => {
        const report = join(temp, `${project}.json`);
        const args = ["run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
        const { code } = await node("vitest/vitest.mjs", args, env);
        let text: string | undefined;
        try {
            text = readFileSync(report, "utf8");
        } catch {
            complain(`vitest left no report (exit code ${code})`);
        }
        return countVitest(text, code);
    };
}

/** Packs the package as it would be published, and checks its entries and its types. Two checks. */
async function checkPackage({ temp, env }: Workshop): Promise<Count> {
    const { code, stdout, stderr } = await run("npm", ["pack", "--json", "--pack-destination", temp], { cwd: root, env });
    if (code !== 0) {
        throw new ScriptError(`npm pack failed (exit code ${code}): ${stderr.trim()}`);
    }
    const tarball = join(temp, packedName(stdout));
    const publint = await node("publint/src/cli.js", ["run", tarball, "--strict"], env);
    const attw = await node("@arethetypeswrong/cli/dist/index.js", [tarball, "--no-emoji"], env);
    return [publint, attw].map(({ code }) => (code === 0 ? passed : failed)).reduce(add);
}

/** The file name in the answer of `npm pack --json`: a list, or since npm 12 an object by package. */
function packedName(json: string): string {
    const answer = JSON.parse(json) as Record<string, { filename?: string }>;
    const name = Object.values(answer)[0]?.filename;
    if (name === undefined) {
        throw new ScriptError("npm pack named no file");
    }
    return name;
}

/** The stages to run: those asked for with what they need, in their order. */
function choose(only: readonly string[]): readonly Stage[] {
    if (only.length === 0) {
        return stages.filter(({ long }) => long === undefined);
    }
    const wanted = new Set<string>();
    for (const name of only) {
        const stage = stages.find((candidate) => candidate.name === name);
        if (stage === undefined) {
            throw new ScriptError(`--only: ${name} is no stage; the stages are ${stages.map((each) => each.name).join(", ")}`, 2);
        }
        for (const needed of [...(stage.needs ?? []), name]) {
            wanted.add(needed);
        }
    }
    return stages.filter(({ name }) => wanted.has(name));
}

/** The stage as one that fails at once, because what it needs is not there. */
function impossible(stage: Stage, missing: readonly string[]): Stage {
    return {
        ...stage,
        run: () => {
            throw new ScriptError(`Not run: it needs the stage ${missing.join(", ")}, which failed.`);
        },
    };
}

/** Runs one stage. Whatever it throws is a failure of it: shown and counted, never the end of the run. */
async function runStage(stage: Stage, workshop: Workshop, number: string): Promise<Count> {
    const startedAt = Date.now();
    say(paint("bold", `== ${number} ${stage.title}`));
    let count: Count;
    try {
        count = await stage.run(workshop);
    } catch (error) {
        complain(
            error instanceof ScriptError
                ? error.message
                : error instanceof Error
                  ? (error.stack ?? error.message)
                  : String(error),
        );
        count = failed;
    }
    if (stage.setUp === undefined || count.failed > 0) {
        const verdict = count.failed > 0 ? paint("red", lastLine(count)) : paint("green", lastLine(count));
        say(`${elapsed(startedAt)} ${stage.title}: ${verdict}\n`);
    } else {
        say(`${elapsed(startedAt)} ${stage.title}: ready\n`);
    }
    return count;
}

runMain(import.meta, async (args) => {
    const options = readOptions(args);
    if (options.help || options.list) {
        say(options.help ? usage : stages.map(({ name, title }) => `${name.padEnd(8)} ${title}`).join("\n"));
        return 0;
    }
    const chosen = choose(options.only);
    const temp = mkdtempSync(join(tmpdir(), "linkspan-test-"));
    process.once("exit", () => rmSync(temp, { recursive: true, force: true }));
    const PATH = [join(root, "node_modules", ".bin"), process.env.PATH ?? ""].join(delimiter);
    const workshop: Workshop = { temp, env: { ...process.env, PATH } };
    const startedAt = Date.now();
    let total = noCount;
    const broken = new Map<string, string>();
    for (const [index, stage] of chosen.entries()) {
        const missing = stage.needs?.filter((name) => broken.has(name)) ?? [];
        const count = await runStage(
            missing.length === 0 ? stage : impossible(stage, missing),
            workshop,
            `${index + 1}/${chosen.length}`,
        );
        total = add(total, count);
        if (count.failed > 0) {
            broken.set(stage.name, stage.title);
        }
    }
    say(`${elapsed(startedAt)} ${broken.size === 0 ? "all stages done" : `failed: ${[...broken.values()].join(", ")}`}`);
    say(lastLine(total));
    return exitCode(total);
});

function readOptions(args: string[]): { only: string[]; list: boolean; help: boolean } {
    try {
        const { values } = parseArgs({
            args,
            options: {
                only: { type: "string", multiple: true, default: [] },
                list: { type: "boolean", default: false },
                help: { type: "boolean", short: "h", default: false },
            },
        });
        return values;
    } catch (error) {
        throw new ScriptError(`${error instanceof Error ? error.message : String(error)}\n${usage}`, 2);
    }
}
