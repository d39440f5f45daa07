import { setTimeout as sleep } from "node:timers/promises";
import { isSameProcess } from "./broker/processIdentity.js";

/** A process that stays the same across reuse of its number: the pid and when it started. */
export interface ProcessIdentity {
    readonly pid: number;
    /** Opaque text that differs for every process that ever had the pid. */
    readonly startTime: string;
}

/** Whether exactly this process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
    return identity.pid > 0 && isSameProcess(identity.pid, identity.startTime);
}

/** Ends exactly this process: politely, then by force after `graceMs`. Returns when it is gone; absence is success. */
export async function endProcess(identity: ProcessIdentity, graceMs = 10_000): Promise<void> {
    for (const [signal, patienceMs] of [
        ["SIGTERM", graceMs],
        ["SIGKILL", 5_000],
    ] as const) {
        if (!isAlive(identity)) {
            return;
        }
        try {
            process.kill(identity.pid, signal);
        } catch {
            return;
        }
        const deadline = Date.now() + patienceMs;
        while (Date.now() < deadline) {
            if (!isAlive(identity)) {
                return;
            }
            await sleep(25);
        }
    }
}
