import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { progressFor } from "../dynamic/progress.js";
import { type DiffAnswer, hasUnknown, type Lifecycle } from "../dynamic/provider.js";
import { OperationError, quote } from "../errors.js";
import type { LocalBrokerConfig } from "./broker/config.js";
import { startTimeOf } from "./broker/processIdentity.js";
import { type BrokerNetwork, insidePorts, launchInside, openDoors, prepareSite, removeSite } from "./network/networkBroker.js";
import { choosePorts, type LocalPorts } from "./ports.js";
import { endProcess, isAlive, type ProcessIdentity } from "./processes.js";

/** A user of the broker, as the resource keeps it. */
export interface LocalUser {
    readonly username: string;
    readonly password: string;
    readonly superuser?: boolean;
}

/** What state holds of a local broker's arguments. */
export interface LocalBrokerInputs {
    readonly siteName: string;
    readonly clusterName: string;
    readonly linkHost: string;
    /** Folder of the site, relative to the Pulumi project or absolute. */
    readonly stateDir: string;
    /** Folder where the mesh's sites publish their link doors. */
    readonly namesDir: string;
    readonly bind: string;
    readonly ports: LocalPorts;
    readonly version: string;
    readonly tls: LocalBrokerConfig["tls"];
    readonly apiKey: string;
    readonly apiSecret: string;
    readonly users: readonly LocalUser[];
    readonly routeLifeSeconds?: number;
    /** Where the broker runs at level `network`; absent at level `process`. */
    readonly network?: BrokerNetwork;
    readonly progressUrn?: string;
}

/** What state holds of a running local broker. */
export interface LocalBrokerOutputs extends LocalBrokerInputs {
    /** The broker's process; 0 when a refresh found it gone. */
    readonly pid: number;
    readonly startTime: string;
    /** The ports that it really has, kept for its life. */
    readonly boundPorts: LocalPorts;
    /** Absolute path of the site's folder. */
    readonly folder: string;
    /** Differs after the broker has lost what was stored in it. */
    readonly storeId?: string;
}

/** How long a start may take before it counts as failed. */
const startDeadlineMs = 30_000;

/** Starts, restarts and ends the broker process of a local site. */
export const localBrokerProvider: Lifecycle<LocalBrokerInputs, LocalBrokerOutputs> = {
    outside({ siteName, stateDir }) {
        return { what: `the local broker of site ${siteName}`, keys: [resolve(stateDir)], property: "stateDir" };
    },

    async diff(_id, olds, news): Promise<DiffAnswer> {
        const replaces = (["clusterName", "stateDir", "linkHost"] as const).filter((key) => olds[key] !== news[key]);
        if (replaces.length > 0) {
            // Both would want the same folder and ports.
            return { changes: true, replaces, deleteBeforeReplace: true };
        }
        // At preview a secret that is about to change is not known yet, and then the whole list or object that holds it is not.
        const known = !hasUnknown([news.users, news.tls, news.apiSecret]);
        return { changes: !known || fingerprint(olds) !== fingerprint(news) || !isAlive(olds) };
    },

    async create(inputs) {
        const outs = await start(inputs, undefined);
        return { id: inputs.clusterName, outs };
    },

    async read(_id, olds) {
        return { outs: isAlive(olds) ? olds : { ...olds, pid: 0 } };
    },

    async update(_id, olds, news) {
        return start(news, olds);
    },

    async delete(_id, olds) {
        const folder = resolve(olds.stateDir);
        await endProcess(olds);
        const left = await readReady(folder);
        if (left !== undefined) {
            await endProcess(left);
        }
        if (olds.network !== undefined) {
            await removeSite(resolve(olds.network.stateDir), olds.network.name);
        }
        await rm(folder, { recursive: true, force: true });
        await rm(join(resolve(olds.namesDir), olds.linkHost), { force: true });
        // The mesh's folders go with its last site; while others are in them, removing fails, and that is right.
        for (const parent of [resolve(olds.namesDir), dirname(folder), dirname(dirname(folder))]) {
            await rmdir(parent).catch(() => {});
        }
    },
};

/** What a running broker was started with: everything but what only concerns showing progress. */
function fingerprint(inputs: LocalBrokerInputs): string {
    const {
        siteName,
        clusterName,
        linkHost,
        stateDir,
        namesDir,
        bind,
        ports,
        version,
        tls,
        apiKey,
        apiSecret,
        users,
        routeLifeSeconds,
        network,
    } = inputs;
    const all = [
        siteName,
        clusterName,
        linkHost,
        stateDir,
        namesDir,
        bind,
        ports.mqtts,
        ports.links,
        ports.api,
        ports.mqtt ?? "off",
        version,
    ];
    const secretParts = [tls.ca, tls.serverCert, tls.serverKey, tls.linkCert, tls.linkKey, apiKey, apiSecret];
    const people = users.flatMap((user) => [user.username, user.password, user.superuser ?? false]);
    const place =
        network === undefined
            ? []
            : [network.stateDir, network.siteNumber, network.asn, network.holdSeconds, network.bfdIntervalMs];
    return JSON.stringify([...all, ...secretParts, ...people, routeLifeSeconds ?? 0, ...place]);
}

async function start(inputs: LocalBrokerInputs, before: LocalBrokerOutputs | undefined): Promise<LocalBrokerOutputs> {
    const progress = progressFor(inputs.progressUrn);
    const folder = resolve(inputs.stateDir);
    const namesDir = resolve(inputs.namesDir);
    const previous = await readReady(folder);
    const owner = stackOf(inputs.progressUrn);
    if (before !== undefined) {
        await endProcess(before);
    } else {
        await refuseOthersFolder(inputs, folder, owner, previous);
    }
    if (previous !== undefined) {
        // A run that was killed after the start and before its record: the process is ours, and its ports are known to peers.
        await endProcess(previous);
    }
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await mkdir(namesDir, { recursive: true, mode: 0o700 });
    const { network } = inputs;
    if (before?.network !== undefined && before.network.stateDir !== network?.stateDir) {
        await removeSite(resolve(before.network.stateDir), before.network.name);
    }
    if (network !== undefined) {
        progress("preparing the site's network");
        await prepareSite(resolve(network.stateDir), network);
    }
    // At level network these are the ports on loopback that lead to the broker, which has EMQX's own.
    const had = before?.boundPorts ?? (network === undefined ? previous?.ports : undefined);
    const inside = network !== undefined || before?.network !== undefined;
    const wanted = wishFor(inputs.ports, had !== undefined && inside ? { ...had, links: 0 } : had);
    progress("choosing ports");
    const outside = network === undefined ? inputs.bind : "127.0.0.1";
    const ports = await choosePorts(outside, wanted).catch((error: unknown) => {
        throw new OperationError({
            what: `start the local broker of site ${inputs.siteName}`,
            where: outside,
            message: error instanceof Error ? error.message : String(error),
            todo: "If another program took the port, end it or set the site's ports argument",
        });
    });
    if (owner !== undefined) {
        await writePrivately(join(folder, ownerFile), owner);
    }
    await writePrivately(
        join(folder, "config.json"),
        JSON.stringify(brokerConfig(inputs, namesDir, network === undefined ? ports : insidePorts(ports))),
    );
    await rm(join(folder, "ready.json"), { force: true });
    progress("starting the broker");
    const identity = await launch(inputs, folder);
    if (network !== undefined) {
        await openDoors(resolve(network.stateDir), network.name, ports);
    }
    const storeId = await storeIdOf(folder);
    const { progressUrn: _, ...kept } = inputs;
    return {
        ...kept,
        ...(inputs.progressUrn === undefined ? {} : { progressUrn: inputs.progressUrn }),
        pid: identity.pid,
        startTime: identity.startTime,
        boundPorts: network === undefined ? ports : { ...ports, links: insidePorts(ports).links },
        folder,
        storeId,
    };
}

/** The name of what the broker has stored: kept beside it, so that it goes when that goes. */
async function storeIdOf(folder: string): Promise<string> {
    const path = join(folder, "data", "store-id");
    const known = await readFile(path, "utf8").catch(() => "");
    if (known !== "") {
        return known;
    }
    const made = randomBytes(8).toString("hex");
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writePrivately(path, made);
    return made;
}

/** Names the stack whose broker lives in a folder. */
const ownerFile = "stack";

/** The stack in a URN, with its project; `undefined` without a URN. */
function stackOf(urn: string | undefined): string | undefined {
    const [head = "", project = ""] = (urn ?? "").split("::");
    return head.startsWith("urn:pulumi:") ? `${project}/${head.slice("urn:pulumi:".length)}` : undefined;
}

/** Stacks that were given the same mesh id and folder would end each other's brokers. */
async function refuseOthersFolder(
    inputs: LocalBrokerInputs,
    folder: string,
    owner: string | undefined,
    running: ProcessIdentity | undefined,
): Promise<void> {
    const other = await readFile(join(folder, ownerFile), "utf8").catch(() => undefined);
    if (running !== undefined && isAlive(running) && owner !== undefined && other !== undefined && other !== owner) {
        throw new OperationError({
            what: `start the local broker of site ${inputs.siteName}`,
            where: folder,
            message: `the broker of the stack ${quote(other)} runs in this folder`,
            todo: "Set another meshId or stateRoot for the sites of this stack, or destroy the other one",
        });
    }
}

/** The user's port where one is given, else the port the site had, else any free one. */
function wishFor(wish: LocalPorts, had: LocalPorts | undefined): LocalPorts {
    return {
        mqtts: wish.mqtts || had?.mqtts || 0,
        links: wish.links || had?.links || 0,
        api: wish.api || had?.api || 0,
        ...(wish.mqtt === undefined ? {} : { mqtt: wish.mqtt || had?.mqtt || 0 }),
    };
}

function brokerConfig(inputs: LocalBrokerInputs, namesDir: string, ports: LocalPorts): LocalBrokerConfig {
    const lease = process.env.LINKSPAN_LEASE_FILE;
    return {
        version: 1,
        siteName: inputs.siteName,
        clusterName: inputs.clusterName,
        nodeName: `${inputs.clusterName}@${inputs.bind}`,
        reportedVersion: inputs.version,
        bind: inputs.bind,
        ports: { mqtt: ports.mqtt ?? 0, mqtts: ports.mqtts, links: ports.links, api: ports.api },
        tls: inputs.tls,
        api: [{ key: inputs.apiKey, secretHash: sha256(inputs.apiSecret), role: "administrator" }],
        users: inputs.users.map((user) => {
            // The salt need not be random to do its work here, only different per user and stable between runs.
            const salt = sha256(`${inputs.clusterName}/${user.username}/${inputs.apiSecret}`).slice(0, 16);
            return {
                username: user.username,
                passwordHash: sha256(user.password + salt),
                salt,
                superuser: user.superuser ?? false,
            };
        }),
        acl: [],
        noMatch: "allow",
        namesDir,
        linkHost: inputs.linkHost,
        ...(lease === undefined ? {} : { leaseFile: resolve(lease) }),
        ...(inputs.routeLifeSeconds === undefined ? {} : { limits: { routeLifeMs: inputs.routeLifeSeconds * 1000 } }),
    };
}

async function launch(inputs: LocalBrokerInputs, folder: string): Promise<ProcessIdentity> {
    const entry = join(dirname(createRequire(__filename).resolve("linkspan/package.json")), "dist", "local", "broker", "main.js");
    if (inputs.network !== undefined) {
        const { stateDir, name } = inputs.network;
        await launchInside(resolve(stateDir), name, [process.execPath, entry, folder], folder);
        return untilReady(inputs, folder, undefined, () => undefined);
    }
    const errors = openSync(join(folder, "start.log"), "w", 0o600);
    let pid: number | undefined;
    let ended: string | undefined;
    try {
        const child = spawn(process.execPath, [entry, folder], {
            detached: true,
            cwd: folder,
            stdio: ["ignore", errors, errors],
            // Only what a process needs: nothing of the caller's environment, which holds the stack's passphrase.
            env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", LANG: process.env.LANG ?? "C.UTF-8" },
        });
        child.once("exit", (code, signal) => {
            ended = signal ?? `exit code ${code}`;
        });
        child.once("error", (error) => {
            ended = error.message;
        });
        child.unref();
        pid = child.pid;
    } finally {
        closeSync(errors);
    }
    return untilReady(inputs, folder, pid, () => ended);
}

/** @param pid the process that was started, where that is known: another one's word does not count */
async function untilReady(
    inputs: LocalBrokerInputs,
    folder: string,
    pid: number | undefined,
    endedHow: () => string | undefined,
): Promise<ProcessIdentity> {
    const deadline = Date.now() + startDeadlineMs;
    while (Date.now() < deadline) {
        const ready = await readReady(folder);
        if (ready !== undefined && (pid === undefined || ready.pid === pid)) {
            if (ready.error !== undefined) {
                await endProcess(ready, 2_000);
                throw startFailed(inputs, ready.error);
            }
            return { pid: ready.pid, startTime: startTimeOf(ready.pid) ?? ready.startTime };
        }
        if (endedHow() !== undefined) {
            break;
        }
        await sleep(20);
    }
    const ended = endedHow();
    const said = (await readFile(join(folder, "start.log"), "utf8").catch(() => "")).trim().split("\n").slice(-3).join(" ");
    if (pid !== undefined) {
        const startTime = startTimeOf(pid);
        if (startTime !== undefined) {
            await endProcess({ pid, startTime }, 1_000);
        }
    }
    throw startFailed(
        inputs,
        `${ended === undefined ? `not ready after ${startDeadlineMs / 1000} s` : `it ended (${ended})`} ${said}`.trim(),
    );
}

function startFailed(inputs: LocalBrokerInputs, message: string): OperationError {
    return new OperationError({
        what: `start the local broker of site ${inputs.siteName}`,
        where: inputs.bind,
        message,
        todo: `Its log is ${join(inputs.stateDir, "broker.log")}`,
    });
}

interface Ready extends ProcessIdentity {
    readonly ports?: LocalPorts;
    readonly error?: string;
}

async function readReady(folder: string): Promise<Ready | undefined> {
    try {
        const ready = JSON.parse(await readFile(join(folder, "ready.json"), "utf8")) as Partial<Ready>;
        return typeof ready.pid === "number" && typeof ready.startTime === "string" ? (ready as Ready) : undefined;
    } catch {
        return undefined;
    }
}

async function writePrivately(path: string, text: string): Promise<void> {
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
}

function sha256(text: string): string {
    return createHash("sha256").update(text).digest("hex");
}
