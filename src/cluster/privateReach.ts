import { isWithin, parseCidr } from "../addressing/cidr.js";
import { InputError, quote } from "../errors.js";
import type { Reach } from "./args.js";

const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].map((range) => parseCidr(range));

/** Whether this machine, or its proxy, asks the first broker's private address instead of the public doors. */
export function reachesPrivately(reach: Reach): boolean {
    return reach === "direct" || (typeof reach === "object" && "proxy" in reach && reach.to === "private");
}

/**
 * Administrators' ranges that brokers must let in themselves, past the load balancer: the private ones, where this machine comes that way.
 *
 * @throws InputError when it does and no range is private
 */
export function privateAdminRanges(reach: Reach, adminRanges: readonly string[]): readonly string[] {
    if (!reachesPrivately(reach)) {
        return [];
    }
    const found = adminRanges.filter((range) => privateRanges.some((outer) => isWithin(parseCidr(range), outer)));
    if (found.length === 0) {
        throw new InputError(
            "adminCidrs",
            `${quote(adminRanges)} are public, and reach asks the brokers' private addresses; add the private range that this machine or its proxy comes from`,
        );
    }
    return found;
}
