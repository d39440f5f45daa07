import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../../errors.js";
import { startTimeOf } from "../broker/processIdentity.js";
import { endProcess, isAlive, type ProcessIdentity } from "../processes.js";

const startDeadlineMs = 30_000;

/** Starts the holder of a mesh's network in a folder. Whatever held it before is ended. */
export async function startHolder(folder: string): Promise<ProcessIdentity> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await endHolder(folder);
    const entry = join(dirname(createRequire(__filename).resolve("linkspan/package.json")), "dist/local/network/holder/main.js");
    const lease = process.env.LINKSPAN_LEASE_FILE;
    const errors = openSync(join(folder, "start.log"), "w", 0o600);
    let ended: string | undefined;
    try {
        const child = spawn(process.execPath, [entry, folder, ...(lease === undefined ? [] : [resolve(lease)])], {
            detached: true,
            cwd: folder,
            stdio: ["ignore", errors, errors],
            // Only what a process needs: nothing of the caller's environment, which holds the stack's passphrase.
            env: {
                PATH: `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`,
                HOME: process.env.HOME ?? "",
                LANG: process.env.LANG ?? "C.UTF-8",
            },
        });
        child.once("exit", (code, signal) => {
            ended = signal ?? `exit code ${code}`;
        });
        child.once("error", (error) => {
            ended = error.message;
        });
        child.unref();
    } finally {
        closeSync(errors);
    }
    const deadline = Date.now() + startDeadlineMs;
    for (;;) {
        const ready = await readHolder(folder);
        if (ready?.error !== undefined) {
            await endProcess(ready, 1_000);
            throw failed(folder, ready.error);
        }
        if (ready !== undefined) {
            return { pid: ready.pid, startTime: startTimeOf(ready.pid) ?? ready.startTime };
        }
        if (ended !== undefined || Date.now() > deadline) {
            const said = (await readFile(join(folder, "start.log"), "utf8").catch(() => ""))
                .trim()
                .split("\n")
                .slice(-3)
                .join(" ");
            throw failed(folder, `${ended === undefined ? "it does not get ready" : `it ended (${ended})`} ${said}`);
        }
        await sleep(20);
    }
}

/** Ends the holder of a folder, and with it all that it holds. */
export async function endHolder(folder: string): Promise<void> {
    const there = await readHolder(folder);
    if (there !== undefined && isAlive(there)) {
        await endProcess(there, 5_000);
    }
    await rm(join(folder, "holder.json"), { force: true });
}

interface Ready extends ProcessIdentity {
    readonly error?: string;
}

async function readHolder(folder: string): Promise<Ready | undefined> {
    try {
        const ready = JSON.parse(await readFile(join(folder, "holder.json"), "utf8")) as Partial<Ready>;
        return typeof ready.pid === "number" && typeof ready.startTime === "string" ? (ready as Ready) : undefined;
    } catch {
        return undefined;
    }
}

function failed(folder: string, message: string): OperationError {
    return new OperationError({
        what: "start the local network",
        where: folder,
        message: message.trim(),
        todo: `Its log is ${join(folder, "holder.log")}`,
    });
}
