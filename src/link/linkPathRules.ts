import { checkServerAddress } from "../emqx/serverAddress.js";
import { InputError, quote } from "../errors.js";
import { type Tier, tiers } from "../naming.js";
import type { ApiInputs } from "./apiCalls.js";
import type { StoredTls } from "./linkInputs.js";

/** Deadlines of a path's check, in seconds. */
export interface PathTimeouts {
    /**
     * How long the check is repeated until it passes: a new address translation is used within 5 minutes, a new tunnel within 15.
     * @default 300 in tier `nat`, else 900
     */
    readonly pathSeconds?: number | undefined;
    /** For one call to the API. @default 65 */
    readonly requestSeconds?: number | undefined;
}

/** What state holds of a path's arguments. */
export interface PathInputs extends Omit<ApiInputs, "timeouts"> {
    /** `cluster.name` of the cluster whose brokers use the path. */
    readonly localCluster: string;
    /** `cluster.name` of the one that they connect to. */
    readonly remoteCluster: string;
    /** IPv4 address or host name of the remote's link door on this path. */
    readonly host: string;
    readonly port: number;
    readonly tier: Tier;
    readonly tls?: StoredTls;
    readonly username?: string;
    readonly password?: string;
    readonly timeouts?: PathTimeouts;
    readonly progressUrn?: string;
}

/** What state holds of a path that was checked. */
export interface PathOutputs extends PathInputs {
    /** `host`, once the path was checked: what the stable name may lead to. */
    readonly reached: string;
    /** `checked`, or `unchecked` where the brokers' release cannot try a connection. */
    readonly verdict: "checked" | "unchecked";
}

/** How long a check is repeated. */
export function pathSeconds({ tier, timeouts }: Pick<PathInputs, "tier" | "timeouts">): number {
    return timeouts?.pathSeconds ?? (tier === "nat" ? 300 : 900);
}

/**
 * Checks a path's arguments as far as they are known.
 *
 * @throws InputError naming the argument
 */
export function checkPath(given: Readonly<Record<string, unknown>>, isKnown: (value: unknown) => boolean): void {
    const { tier, host, port, timeouts } = given;
    if (isKnown(tier) && !(tiers as readonly unknown[]).includes(tier)) {
        throw new InputError("tier", `${quote(tier)} is no tier; set one of ${tiers.join(", ")}`);
    }
    if (isKnown(host) && isKnown(port)) {
        checkServerAddress(`${String(host)}:${String(port)}`, { allowLoopback: true, argument: "host" });
    }
    for (const [key, value] of Object.entries((timeouts ?? {}) as Record<string, unknown>)) {
        if (isKnown(value)) {
            checkPathDeadline(value, `timeouts.${key}`);
        }
    }
}

/**
 * Checks one deadline of a path, in seconds.
 *
 * @throws InputError naming the argument
 */
export function checkPathDeadline(value: unknown, argument: string): void {
    if (value !== undefined && !(typeof value === "number" && value > 0 && value <= 3_600)) {
        throw new InputError(argument, `${quote(value)} is out of range; set more than 0 and at most 3600 seconds`);
    }
}
