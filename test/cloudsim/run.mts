import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { complain, runMain, ScriptError, say } from "../../scripts/output.mts";
import { ensurePulumi } from "../../scripts/pulumi.mts";
import { Simulation } from "./simulation.mts";

const usage = `Usage: node test/cloudsim/run.mts [options] -- COMMAND [ARGUMENTS]
Runs a command in an environment in which the Pulumi CLI finds simulated clouds. They last as long as the command; the account's file
stays with --folder. CLOUDSIM_PROXY holds the address for reach: { proxy }. Build first (npm run build).
  --folder FOLDER    keep the account and the log there, and go on with what is there @default a temporary folder
  --pace NUMBER      multiplies the clouds' durations; 0: nothing takes time @default 1
  --deployer ADDRESS public address of this machine @default 203.0.113.7
  --boot MODE        script (run the boot data's own script for its items) or quick @default script
  --set NAME=NUMBER  a figure of the account, such as aws/eips=100; may be given several times
  --log              print what happens in the simulated world
  --help             print this`;

function read(args: string[]) {
    const end = args.indexOf("--");
    try {
        const { values } = parseArgs({
            args: end < 0 ? args : args.slice(0, end),
            options: {
                folder: { type: "string" },
                pace: { type: "string", default: "1" },
                deployer: { type: "string", default: "203.0.113.7" },
                boot: { type: "string", default: "script" },
                set: { type: "string", multiple: true, default: [] },
                log: { type: "boolean", default: false },
                help: { type: "boolean", short: "h", default: false },
            },
        });
        return { ...values, command: end < 0 ? [] : args.slice(end + 1) };
    } catch (error) {
        throw new ScriptError(`${error instanceof Error ? error.message : String(error)}\n${usage}`, 2);
    }
}

runMain(import.meta, async (args) => {
    const { help, folder, pace, deployer, boot, set, log, command } = read(args);
    const [program, ...rest] = command;
    if (help || program === undefined) {
        say(usage);
        return help ? 0 : 2;
    }
    if (!(Number(pace) >= 0) || (boot !== "script" && boot !== "quick")) {
        throw new ScriptError(usage, 2);
    }
    const { env } = await ensurePulumi();
    const place = folder === undefined ? mkdtempSync(join(tmpdir(), "cloudsim-")) : resolve(folder);
    const simulation = await Simulation.open({ folder: place, pace: Number(pace), deployer, boot });
    for (const figure of set) {
        const [name = "", value] = figure.split("=");
        simulation.account.set(name, Number(value));
    }
    try {
        const code = await new Promise<number>((done) => {
            const child = spawn(program, rest, { stdio: "inherit", env: simulation.env(env) });
            // The command gets the signal itself; this process waits for it.
            process.on("SIGINT", () => {});
            process.on("SIGTERM", () => child.kill("SIGTERM"));
            child.on("error", (error) => {
                complain(error.message);
                done(127);
            });
            child.on("close", (exit, signal) => done(exit ?? (signal === "SIGINT" ? 130 : 143)));
        });
        if (log) {
            complain(simulation.log.lines.join("\n"));
        }
        return code;
    } finally {
        await simulation.close();
        if (folder === undefined) {
            rmSync(place, { recursive: true, force: true });
        }
    }
});
