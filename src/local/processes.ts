import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** A process that stays the same across reuse of its number: the pid and when it started. */
export interface ProcessIdentity {
    readonly pid: number;
    /** Opaque text that differs for every process that ever had the pid. */
    readonly startTime: string;
}

/** When a running process started, as opaque text; `undefined` if there is no such process (or only its unreaped remains). */
export async function startTimeOf(pid: number): Promise<string | undefined> {
    if (process.platform === "linux") {
        try {
            const stat = await readFile(`/proc/${pid}/stat`, "utf8");
            // The command name may hold spaces and brackets: fields count from behind its last bracket.
            const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
            return fields[0] === "Z" ? undefined : fields[19];
        } catch {
            return undefined;
        }
    }
    try {
        const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]);
        return stdout.trim() || undefined;
    } catch {
        return undefined;
    }
}

/** Whether exactly this process still runs. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
    return identity.pid > 0 && (await startTimeOf(identity.pid)) === identity.startTime;
}

/** Ends exactly this process: politely, then by force after `graceMs`. Returns when it is gone; absence is success. */
export async function endProcess(identity: ProcessIdentity, graceMs = 10_000): Promise<void> {
    for (const [signal, patienceMs] of [
        ["SIGTERM", graceMs],
        ["SIGKILL", 5_000],
    ] as const) {
        if (!(await isAlive(identity))) {
            return;
        }
        try {
            process.kill(identity.pid, signal);
        } catch {
            return;
        }
        const deadline = Date.now() + patienceMs;
        while (Date.now() < deadline) {
            if (!(await isAlive(identity))) {
                return;
            }
            await sleep(25);
        }
    }
}
