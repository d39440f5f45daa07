import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ScriptError } from "../output.mts";
import { type DemoOptions, siteNames } from "./options.mts";

/** Name of the demo's stack. */
export const stack = "demo";
/** Name of the project in Pulumi.yaml. */
export const project = "linkspan";

/** The demo's folder: everything that it makes is below it. */
export interface DemoState {
    readonly folder: string;
    readonly passphraseFile: string;
    /** Pulumi's file backend. */
    readonly backend: string;
    /** The stack's configuration. */
    readonly configFile: string;
    /** Folder of a project file that only serves to create the stack, so that nothing is written beside Pulumi.yaml. */
    readonly project: string;
    readonly brokers: string;
    readonly events: string;
    /** Names the Pulumi process that works on the stack. */
    readonly pulumiPid: string;
    /** Settings for a shell, so that `pulumi` and `linkspan` work on the demo's stack. */
    readonly shell: string;
    readonly marker: string;
    /** Whom the brokers live for while an `up` runs: killed with it, kept after it. */
    readonly lease: string;
}

export function demoState(folder: string): DemoState {
    return {
        folder,
        passphraseFile: join(folder, "passphrase"),
        backend: join(folder, "backend"),
        configFile: join(folder, "project", `Pulumi.${stack}.yaml`),
        project: join(folder, "project"),
        brokers: join(folder, "brokers"),
        events: join(folder, "events.jsonl"),
        pulumiPid: join(folder, "pulumi.pid"),
        shell: join(folder, "env.sh"),
        marker: join(folder, "linkspan-demo.json"),
        lease: join(folder, "lease.json"),
    };
}

/** Whether there is a demo's state; a folder with other things in it is none. */
export function exists(state: DemoState): boolean {
    return existsSync(state.marker);
}

/** Makes the folder, its passphrase and its backend; what is there already stays. Refuses a folder that holds other things. */
export function prepare(state: DemoState): void {
    if (!exists(state) && existsSync(state.folder) && readdirSync(state.folder).length > 0) {
        throw new ScriptError(`--state ${state.folder}: the folder holds other things; name an empty or a new one`, 2);
    }
    mkdirSync(state.folder, { recursive: true, mode: 0o700 });
    writeFileSync(state.marker, '{"what":"State of npm run demo; npm run demo -- destroy removes it"}\n');
    for (const folder of [state.backend, state.project, state.brokers]) {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
    if (!existsSync(state.passphraseFile)) {
        replaceFile(state.passphraseFile, `${randomBytes(24).toString("base64url")}\n`);
    }
    replaceFile(join(state.project, "Pulumi.yaml"), `name: ${project}\nruntime: nodejs\n`);
}

/** Writes the stack's configuration; the salt of its secrets stays. */
export function writeConfig(state: DemoState, { tier, sites, network }: Pick<DemoOptions, "tier" | "sites" | "network">): void {
    const salt = saltOf(state);
    if (salt === undefined) {
        throw new ScriptError(`${state.configFile} has lost its salt; npm run demo -- destroy --force, then start again`);
    }
    const list = siteNames(sites).map((name, index) => ({
        name,
        siteNumber: index + 1,
        type: "local",
        stateRoot: state.brokers,
        ...(network ? { level: "network" } : {}),
    }));
    // JSON is YAML, and needs no thought about quoting.
    const config = { [`${project}:sites`]: list, [`${project}:tier`]: tier };
    replaceFile(state.configFile, `encryptionsalt: ${salt}\nconfig: ${JSON.stringify(config)}\n`);
}

/** The salt that Pulumi wrote when the stack was created; undefined where there is none. */
export function saltOf(state: DemoState): string | undefined {
    try {
        return /^encryptionsalt: (\S+)$/m.exec(readFileSync(state.configFile, "utf8"))?.[1];
    } catch {
        return undefined;
    }
}

/** The environment in which Pulumi works on this state and nowhere else. */
export function demoEnv(state: DemoState, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    const foreign =
        /^(PULUMI_(CONFIG_PASSPHRASE|ACCESS_TOKEN|STACK|CONFIG|API|ORGANIZATION|BACKEND_URL|HOME|EXPERIMENTAL)|LINKSPAN_LEASE_FILE)$/;
    const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.test(name)));
    return { ...kept, ...settings(state), LINKSPAN_LEASE_FILE: state.lease };
}

/** Ties brokers to this process: they end within seconds when it is killed. */
export function holdLease(state: DemoState): void {
    const { startTimeOf } = createRequire(import.meta.url)(
        "../../dist/local/broker/processIdentity.js",
    ) as typeof import("../../src/local/broker/processIdentity.ts");
    replaceFile(state.lease, JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) ?? "" }));
}

/** Lets the brokers live on by themselves, until `destroy`. */
export function releaseLease(state: DemoState): void {
    replaceFile(state.lease, '{"released":true}');
}

function settings(state: DemoState): Record<string, string> {
    return {
        PULUMI_HOME: join(state.folder, "home"),
        PULUMI_BACKEND_URL: pathToFileURL(state.backend).href,
        PULUMI_CONFIG_PASSPHRASE_FILE: state.passphraseFile,
        PULUMI_STACK: stack,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_DEBUG_COMMANDS: "true",
    };
}

/** Writes what a shell needs to run `pulumi` and `linkspan` on the demo's stack. */
export function writeShellSettings(state: DemoState, path: string): void {
    const { PULUMI_DEBUG_COMMANDS: _, ...values } = settings(state);
    const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
    const lines = Object.entries(values).map(([name, value]) => `export ${name}=${quote(value)}`);
    replaceFile(state.shell, `${lines.join("\n")}\nexport PATH=${quote(path)}:"$PATH"\n`);
}

/** Writes a private file whole or not at all. */
function replaceFile(file: string, text: string): void {
    const unfinished = `${file}.${process.pid}`;
    writeFileSync(unfinished, text, { mode: 0o600 });
    renameSync(unfinished, file);
}
