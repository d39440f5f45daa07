import { isIPv4 } from "node:net";
import { isWithin, parseCidr } from "../addressing/cidr.js";
import { InputError, quote } from "../errors.js";
import type { ApiInputs } from "./apiCalls.js";

/** What state holds of the arguments of a switch. */
export interface SwitchInputs extends ApiInputs {
    /** `cluster.name` of the cluster that the connections lead to, where they are ended. */
    readonly remoteCluster: string;
    /** Beginning of the MQTT client ids of the links whose connections move. */
    readonly clientIdPrefix: string;
    /** Where the stable name leads now: another text moves the connections. */
    readonly path: string;
    /** IPv4 addresses and ranges that the connections come from on this path; empty where that is not known. */
    readonly sources: readonly string[];
    /** Seconds for which an old answer of a name server may still be in use. */
    readonly nameSeconds: number;
    readonly progressUrn?: string;
}

/** What state holds of a switch. */
export interface SwitchOutputs extends SwitchInputs {
    /** When connections were last moved, ISO 8601; `never` before that. */
    readonly movedAt: string;
    /** How many connections were ended one by one. */
    readonly moved: number;
}

/** Whether a connection's address is one of a path's. */
export function comesFrom(address: string, sources: readonly string[]): boolean {
    if (!isIPv4(address)) {
        return false;
    }
    const one = parseCidr(`${address}/32`);
    return sources.some((source) => isWithin(one, parseCidr(source.includes("/") ? source : `${source}/32`)));
}

/**
 * Checks the arguments of a switch.
 *
 * @throws InputError naming the argument
 */
export function checkSwitch({ clientIdPrefix, sources }: Pick<SwitchInputs, "clientIdPrefix" | "sources">): void {
    // Other clients' ids could begin with it as well.
    if (typeof clientIdPrefix !== "string" || !/[^A-Za-z0-9]$/.test(clientIdPrefix)) {
        throw new InputError(
            "clientIdPrefix",
            `${quote(clientIdPrefix)} has no separator at its end; set the prefix of the links`,
        );
    }
    for (const [index, source] of sources.entries()) {
        parseCidr(source.includes("/") ? source : `${source}/32`, `sources[${index}]`);
    }
}
