import { readFileSync } from "node:fs";
import { isSameProcess } from "./processIdentity.js";

/** Who a broker lives for. */
export interface Lease {
    readonly pid: number;
    readonly startTime: string;
}

/**
 * Whether the lease of a file still holds: the process that it names runs, or its owner has released the broker on purpose by writing
 * `{"released": true}`. A file that is gone or cannot be read holds nothing: its owner's folder has been removed.
 */
export function leaseFileHolds(path: string): boolean {
    try {
        const lease = JSON.parse(readFileSync(path, "utf8")) as Partial<Lease> & { released?: boolean };
        return (
            lease.released === true ||
            (typeof lease.pid === "number" && typeof lease.startTime === "string" && isSameProcess(lease.pid, lease.startTime))
        );
    } catch {
        return false;
    }
}
