import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A process that stays the same across reuse of its number. */
export interface Owner {
    readonly pid: number;
    readonly startTime: string;
}

/** This process, or another one that runs, as a lock or a pid file names it. */
export function identify(pid = process.pid): Owner {
    return { pid, startTime: linuxStartTime(pid) ?? "" };
}

/** Whether exactly this process still runs. Without a start time (not Linux, or not known) the number alone has to do. */
export function isRunning(owner: Owner): boolean {
    if (process.platform === "linux") {
        const startTime = linuxStartTime(owner.pid);
        return startTime !== undefined && (owner.startTime === "" || startTime === owner.startTime);
    }
    try {
        process.kill(owner.pid, 0);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
}

/** When a process started, in clock ticks since boot; undefined for a process that is gone or only waits to be collected. */
function linuxStartTime(pid: number): string | undefined {
    try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        // The command's name stands in parentheses and may hold spaces and parentheses itself.
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
    } catch {
        return undefined;
    }
}

/** The process that a lock or pid file names; undefined where the file is missing or is none. */
export function readOwner(file: string): Owner | undefined {
    try {
        const value = JSON.parse(readFileSync(file, "utf8")) as Partial<Owner> | null;
        return typeof value?.pid === "number" && typeof value.startTime === "string"
            ? { pid: value.pid, startTime: value.startTime }
            : undefined;
    } catch {
        return undefined;
    }
}

/**
 * Takes a lock that names its owner. A lock whose owner is gone is taken over; a living owner is waited for.
 *
 * @param onWait called about once a second while another process holds the lock; may throw to give up
 * @returns gives the lock back
 */
export async function takeLock(file: string, onWait: (owner: Owner) => void): Promise<() => void> {
    mkdirSync(dirname(file), { recursive: true });
    const own = `${file}.${process.pid}`;
    for (;;) {
        writeFileSync(own, JSON.stringify(identify()), { mode: 0o600 });
        try {
            // A hard link appears at once and whole, or fails because somebody holds the lock.
            linkSync(own, file);
            rmSync(own, { force: true });
            return () => {
                if (readOwner(file)?.pid === process.pid) {
                    rmSync(file, { force: true });
                }
            };
        } catch (error) {
            rmSync(own, { force: true });
            if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
                throw error;
            }
        }
        const owner = readOwner(file);
        if (owner !== undefined && isRunning(owner)) {
            onWait(owner);
            await sleep(1000);
            continue;
        }
        putAside(file, owner);
    }
}

/** Removes a lock whose owner is gone, and only that one: a lock that somebody took meanwhile is put back. */
function putAside(file: string, stale: Owner | undefined): void {
    const aside = `${file}.stale.${process.pid}`;
    try {
        renameSync(file, aside);
    } catch {
        return;
    }
    const taken = readOwner(aside);
    if (taken !== undefined && (taken.pid !== stale?.pid || taken.startTime !== stale.startTime) && isRunning(taken)) {
        try {
            linkSync(aside, file);
        } catch {
            // A third process was faster; whoever lost its lock only does work twice.
        }
    }
    rmSync(aside, { force: true });
}
