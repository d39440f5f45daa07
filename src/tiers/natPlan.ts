import type { SiteFacts } from "../contracts/site.js";
import { InputError } from "../errors.js";
import type { Tier } from "../naming.js";

/** A pair, as far as this is about it. */
interface PlannedPair {
    readonly key: string;
    readonly a: string;
    readonly b: string;
    readonly tier: Tier;
}

/**
 * Refuses peers that one AWS site would have to tell apart and cannot: a security group holds one rule for a range and a port, whichever
 * peer it is for, and refuses a second one (`InvalidPermission.Duplicate`) when half of the mesh is made. A rule that two peers share
 * would go with the first of them.
 *
 * @throws InputError naming both peers
 */
export function checkNatRules(sites: readonly SiteFacts[], pairs: readonly PlannedPair[]): void {
    const byName = new Map(sites.map((site) => [site.name, site]));
    for (const site of sites.filter(({ platform }) => platform === "aws")) {
        const peers = pairs
            .filter(({ tier, a, b }) => tier === "nat" && (a === site.name || b === site.name))
            .flatMap(({ a, b }) => byName.get(a === site.name ? b : a) ?? []);
        checkOwn(site, peers);
        checkOnce(site, peers, ({ egress }) => egress, sameEgress);
        checkOnce(site, peers, ({ doors }) => doors, sameDoor);
    }
}

/** Brokers may go to these ports anywhere already: for packages and the cloud's APIs. */
const webDoors = ["0.0.0.0/0:443", "0.0.0.0/0:80"];

function checkOwn(site: SiteFacts, peers: readonly SiteFacts[]): void {
    for (const { name, publicAddresses } of peers) {
        const door = publicAddresses?.doors.find((one) => webDoors.includes(one));
        if (door !== undefined) {
            throw new InputError(
                "sites",
                `the link door of ${name} is a name whose addresses are not known, at port ${portOf(door)}, which the brokers of ${site.name} may use anywhere already: ${rule}. Set link.addresses of ${name} to the fixed addresses of its link.server`,
            );
        }
    }
}

function checkOnce(
    site: SiteFacts,
    peers: readonly SiteFacts[],
    of: (addresses: NonNullable<SiteFacts["publicAddresses"]>) => readonly string[],
    problem: (site: string, one: string, other: string, address: string) => string,
): void {
    const owners = new Map<string, string>();
    for (const { name, publicAddresses } of peers) {
        for (const address of publicAddresses === undefined ? [] : of(publicAddresses)) {
            const owner = owners.get(address);
            if (owner !== undefined && owner !== name) {
                throw new InputError("sites", problem(site.name, owner, name, address));
            }
            owners.set(address, name);
        }
    }
}

function portOf(door: string): string {
    return door.slice(door.lastIndexOf(":") + 1);
}

const rule = "AWS takes one rule for an address and a port";

function sameEgress(site: string, one: string, other: string, address: string): string {
    return `${one} and ${other} both come from ${address}, and ${site} must admit each by itself: ${rule}. Give their brokers different ways out, and set link.egressAddresses of both`;
}

function sameDoor(site: string, one: string, other: string, address: string): string {
    return address.startsWith("0.0.0.0/0:")
        ? `the link doors of ${one} and ${other} are names whose addresses are not known, both at port ${portOf(address)}, and ${site} must let its brokers out to each: ${rule}. Set link.addresses of at least one of them to the fixed addresses of its link.server`
        : `the link doors of ${one} and ${other} are both ${address}, and ${site} must let its brokers out to each: ${rule}. Give one of them another address or port, in link.server and link.addresses`;
}
