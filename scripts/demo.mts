import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { build } from "./build.mts";
import { brokerFolders, endAll, runningBrokers, siteOf } from "./demo/leftovers.mts";
import { type DemoOptions, readOptions, usage } from "./demo/options.mts";
import { interrupted, StackRun } from "./demo/stackRun.mts";
import {
    type DemoState,
    demoEnv,
    demoState,
    exists,
    holdLease,
    prepare,
    releaseLease,
    saltOf,
    writeConfig,
    writeShellSettings,
} from "./demo/state.mts";
import { type DemoOutputs, linkTable, readOutputs, siteTable, unprovenLinks } from "./demo/tables.mts";
import { complain, elapsed, paint, runMain, ScriptError, say } from "./output.mts";
import { takeLock } from "./processLock.mts";
import { root } from "./project.mts";
import { ensurePulumi, noteOn, type Pulumi } from "./pulumi.mts";

const startedAt = Date.now();
/** Exit code where the machine cannot do what was asked for. */
const impossible = 3;

function heading(text: string): void {
    say(paint("bold", `${elapsed(startedAt)} ${text}`));
}

/** Pulumi and the compiled package, which every verb but `logs` needs. */
async function makeReady(state: DemoState, verbose: boolean): Promise<{ pulumi: Pulumi; run: StackRun }> {
    const pulumi = await ensurePulumi(say);
    const note = noteOn(pulumi);
    heading(`Pulumi ${pulumi.version} (${pulumi.origin})${verbose && note !== undefined ? `; ${note}` : ""}`);
    await build();
    heading("the package is built");
    return { pulumi, run: new StackRun(state, demoEnv(state, pulumi.env), verbose, startedAt) };
}

/** What the machine lacks for real networks with a tier, by trying it. */
async function missingFor(tier: string): Promise<string | undefined> {
    const { whatIsMissing } = createRequire(import.meta.url)(
        "../dist/local/network/capabilities.js",
    ) as typeof import("../src/local/network/capabilities.ts");
    return whatIsMissing(tier === "vpn" ? "ipsec" : tier === "interconnect" ? "bgp" : "network");
}

async function up(options: DemoOptions, state: DemoState): Promise<number> {
    prepare(state);
    const { pulumi, run } = await makeReady(state, options.verbose);
    await run.prepare();
    const missing = options.network ? await missingFor(options.tier) : undefined;
    if (missing !== undefined) {
        complain(`--network is not possible on this machine: ${missing}`);
        say(`Without --network the demo runs on every machine; ${demoCommand(options, "destroy")} removes what was prepared.`);
        return impossible;
    }
    writeConfig(state, options);
    writeShellSettings(
        state,
        `${pulumi.binDir}:${join(root, "node_modules", "@pulumi", "pulumi")}:${join(root, "node_modules", ".bin")}`,
    );
    heading(
        `pulumi up: ${options.sites} sites on this machine, every two of them linked both ways, tier ${options.tier}${options.network ? ", real networks" : ""}`,
    );
    holdLease(state);
    const code = await run.change("up");
    releaseLease(state);
    const again = `${demoCommand(options)}`;
    if (code === interrupted) {
        complain(`Interrupted. ${again} continues, ${demoCommand(options, "destroy")} removes what there is.`);
        return interrupted;
    }
    if (code !== 0) {
        complain(
            `pulumi up failed; the messages above say why. ${again} continues, ${demoCommand(options, "destroy")} removes what there is.`,
        );
        return 1;
    }
    const outputs = readOutputs(await run.outputs());
    heading("done");
    const proven = report(outputs);
    const next = [
        [demoCommand(options, "status"), "the sites, their brokers and the last proof"],
        [demoCommand(options, "logs"), "what the brokers say"],
        [`. ${short(state.shell)}`, "then, in this shell: npx linkspan status | verify | doctor, and pulumi stack output"],
        [demoCommand(options, "destroy"), "remove everything"],
    ] as const;
    const width = Math.max(...next.map(([command]) => command.length));
    say(`\nNext:\n${next.map(([command, what]) => `  ${command.padEnd(width)}   ${what}`).join("\n")}`);
    return proven ? 0 : 1;
}

/** Prints the tables and what a run on one machine does not prove; false where a direction is not proven. */
function report({ sites, links, notProven }: DemoOutputs, running?: ReadonlyMap<string, boolean>): boolean {
    if (sites.length === 0 || links.length === 0) {
        complain("The stack has no sites or no links among its outputs, so there is nothing to show.");
        return false;
    }
    say(`\n${siteTable(sites, running)}\n${linkTable(links)}`);
    const unproven = unprovenLinks(links);
    for (const line of unproven) {
        complain(`not proven: ${line}`);
    }
    if (notProven.length > 0) {
        say("\nWhat this run does not prove:");
        for (const line of notProven) {
            say(`  - ${line}`);
        }
    }
    return unproven.length === 0;
}

async function status(options: DemoOptions, state: DemoState): Promise<number> {
    requireState(options, state);
    const { run } = await makeReady(state, options.verbose);
    const alive = new Set(runningBrokers(state).map(({ site }) => site));
    const outputs = readOutputs(await run.outputs());
    const running = new Map(outputs.sites.map((site) => [String(site.name), alive.has(String(site.name))]));
    const proven = report(outputs, running);
    const dead = [...running].filter(([, runs]) => !runs).map(([name]) => name);
    if (dead.length > 0) {
        complain(`No broker process: ${dead.join(", ")}. ${demoCommand(options)} starts it again.`);
    }
    return proven && dead.length === 0 ? 0 : 1;
}

function logs(options: DemoOptions, state: DemoState): number {
    requireState(options, state);
    const folders = brokerFolders(state).filter((folder) => options.site === undefined || siteOf(state, folder) === options.site);
    if (folders.length === 0) {
        const known = brokerFolders(state).map((folder) => siteOf(state, folder));
        throw new ScriptError(
            options.site === undefined
                ? "There are no brokers."
                : `There is no site ${options.site}; the sites are ${known.join(", ")}.`,
            2,
        );
    }
    for (const folder of folders) {
        const file = join(folder, "broker.log");
        say(paint("bold", `== ${siteOf(state, folder)}: ${file}`));
        if (existsSync(file)) {
            say(readFileSync(file, "utf8").trimEnd().split("\n").slice(-40).join("\n"));
        }
    }
    return 0;
}

async function destroy(options: DemoOptions, state: DemoState): Promise<number> {
    if (!exists(state)) {
        say(`There is no demo in ${state.folder}: nothing to remove.`);
        return 0;
    }
    let failure: string | undefined;
    // Where not even the stack was made there is nothing that Pulumi could destroy.
    if (saltOf(state) !== undefined) {
        try {
            const { run } = await makeReady(state, options.verbose);
            await run.prepare();
            heading("pulumi destroy");
            const code = await run.change("destroy");
            if (code === interrupted) {
                return interrupted;
            }
            failure = code === 0 ? undefined : "pulumi destroy failed; the messages above say why";
        } catch (error) {
            if (!options.force || !(error instanceof ScriptError)) {
                throw error;
            }
            failure = error.message;
        }
    }
    if (failure !== undefined && !options.force) {
        complain(
            `${failure}. ${demoCommand(options, "destroy")} tries again; with --force it ends the brokers and removes the folder all the same.`,
        );
        return 1;
    }
    const brokers = runningBrokers(state);
    if (brokers.length > 0) {
        complain(
            `${brokers.length} brokers still ran without the stack knowing them (${brokers.map(({ site }) => site).join(", ")}); ending them`,
        );
        const left = await endAll(brokers);
        if (left.length > 0) {
            complain(`These processes do not end: ${left.map(({ pid }) => pid).join(", ")}. ${short(state.folder)} stays.`);
            return 1;
        }
    }
    rmSync(state.folder, { recursive: true, force: true });
    heading(`everything is removed: no broker runs, ${short(state.folder)} is gone`);
    return 0;
}

function requireState(options: DemoOptions, state: DemoState): void {
    if (!exists(state)) {
        throw new ScriptError(`There is no demo in ${state.folder}; ${demoCommand(options)} makes one.`);
    }
}

/** The command as a user would type it for the same folder. */
function demoCommand({ state, network, tier }: DemoOptions, verb?: string): string {
    const args = [
        ...(verb === undefined ? [] : [verb]),
        ...(verb === undefined && network ? ["--tier", tier, "--network"] : []),
        ...(state === join(root, ".linkspan", "demo") ? [] : ["--state", state]),
    ];
    return `npm run demo${args.length === 0 ? "" : ` -- ${args.join(" ")}`}`;
}

/** A path as it is shortest to read from where the user is. */
function short(path: string): string {
    const from = relative(process.cwd(), path);
    return from.startsWith("..") ? path : from;
}

/** Removes the folder that held the demo's, if that was made for it and is empty now. */
function removeEmptyParent(folder: string): void {
    const parent = dirname(folder);
    if (basename(parent) === ".linkspan") {
        try {
            rmdirSync(parent);
        } catch {
            // Other things are in it.
        }
    }
}

runMain(import.meta, async (args) => {
    const options = readOptions(args);
    if (options.help) {
        say(usage);
        return 0;
    }
    const state = demoState(options.state);
    if (options.verb === "logs") {
        return logs(options, state);
    }
    if (options.verb === "status") {
        return status(options, state);
    }
    if (options.verb === "destroy" && !existsSync(state.folder)) {
        return destroy(options, state);
    }
    mkdirSync(dirname(state.folder), { recursive: true });
    // Beside the folder and not in it, so that destroy can remove the folder while it holds the lock.
    const release = await takeLock(`${state.folder}.lock`, ({ pid }) => {
        throw new ScriptError(
            `Another run of the demo (process ${pid}) works in ${state.folder}; wait for it or end it, then run this again.`,
        );
    });
    try {
        return await (options.verb === "up" ? up(options, state) : destroy(options, state));
    } finally {
        release();
        removeEmptyParent(state.folder);
    }
});
