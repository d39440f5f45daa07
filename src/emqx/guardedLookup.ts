import { lookup as dnsLookup, type LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import { checkHost } from "./host.js";

/** Resolves a name and refuses what it must not lead to: whoever answers for the name must not point the deployer at a cloud's credentials. */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
        const [first] = addresses ?? [];
        const problem = error ?? problemOf(addresses);
        if (problem !== undefined || first === undefined) {
            callback(problem ?? null, "", 0);
        } else if (options.all === true) {
            callback(null, addresses);
        } else {
            callback(null, first.address, first.family);
        }
    });
};

function problemOf(addresses: readonly LookupAddress[]): NodeJS.ErrnoException | undefined {
    if (addresses.length === 0) {
        return Object.assign(new Error("the name has no address"), { code: "ENOTFOUND" });
    }
    try {
        for (const { address } of addresses) {
            checkHost(address, { allowLoopback: true, argument: "address" });
        }
        return undefined;
    } catch {
        return Object.assign(new Error("the name leads to a link-local or metadata address"), { code: "ADDRESS_REFUSED" });
    }
}
