import { spawnSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";

/**
 * When a process started, as text that differs between two processes with the same pid. Undefined when there is no such process.
 * On Linux the clock ticks since boot from /proc, elsewhere what `ps` prints.
 */
export function startTimeOf(pid: number): string | undefined {
    if (process.platform === "linux") {
        try {
            const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
            // The command's name is in parentheses and may hold spaces and parentheses itself.
            const rest = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
            return rest[0] === "Z" || rest[0] === "X" ? undefined : rest[19];
        } catch {
            return undefined;
        }
    }
    try {
        process.kill(pid, 0);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EPERM") {
            return undefined;
        }
    }
    // In one fixed zone and language: the same process must give the same text whoever asks.
    const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
    const text = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", env }).stdout?.trim();
    return text === "" || text === undefined ? undefined : text;
}

/** Whether the process that had this pid and start time still runs. */
export function isSameProcess(pid: number, startTime: string): boolean {
    return startTimeOf(pid) === startTime;
}

/** This process's number as /proc and everybody outside know it: in a pid namespace of its own a process believes in another one. */
export function ownPid(): number {
    try {
        return Number(readlinkSync("/proc/self")) || process.pid;
    } catch {
        return process.pid;
    }
}
