import type { FaultRow } from "../../scripts/faultTable.mts";

/** Prints a row for the table of `npm run test:faults`. */
export function reportFault(row: FaultRow): void {
    process.stdout.write(`FAULT ${JSON.stringify(row)}\n`);
}
