import type { Architecture } from "../cluster/args.js";
import { InputError, quote } from "../errors.js";

/** Machine types of a site that sets none: 2 virtual processors, 8 GiB. */
export const defaultSizes: Readonly<Record<Architecture, string>> = { arm64: "Standard_D2ps_v6", x86_64: "Standard_D2s_v5" };

const allZones: readonly string[] = ["1", "2", "3"];

/**
 * Regions of Azure's public cloud without availability zones, as of 2025-11. Asked only where `zones` is not set: a region that has got
 * zones since is used by naming them.
 */
const regionsWithoutZones: ReadonlySet<string> = new Set([
    "australiacentral",
    "australiacentral2",
    "australiasoutheast",
    "brazilsoutheast",
    "canadaeast",
    "francesouth",
    "germanynorth",
    "jioindiacentral",
    "jioindiawest",
    "koreasouth",
    "northcentralus",
    "norwaywest",
    "southafricawest",
    "southindia",
    "swedensouth",
    "switzerlandwest",
    "uaecentral",
    "ukwest",
    "westcentralus",
    "westindia",
    "westus",
]);

/** @throws InputError when it is missing or no region's name */
export function checkLocation(location: string): string {
    if (typeof location !== "string" || location === "") {
        throw new InputError("location", 'it is missing; set the region by its name, as in "westeurope"');
    }
    if (!/^[a-z]+\d*$/.test(location)) {
        throw new InputError(
            "location",
            `${quote(location)} is no region's name; write it in lower case without spaces, as in "westeurope"`,
        );
    }
    return location;
}

/**
 * Zones of a site.
 *
 * @throws InputError when the region has none, or one is no zone
 */
export function chooseZones(location: string, given: readonly string[] | undefined): readonly string[] {
    if (given === undefined && regionsWithoutZones.has(location)) {
        throw new InputError(
            "location",
            `${quote(location)} has no availability zones; choose a region that has some, or set zones if it has got them since`,
        );
    }
    for (const [index, zone] of (given ?? []).entries()) {
        if (!allZones.includes(zone)) {
            throw new InputError(`zones[${index}]`, `${quote(zone)} is no availability zone; set "1", "2" or "3"`);
        }
    }
    return given ?? allZones;
}

/** Zones of a public address: all three, whichever of them hold brokers. Azure takes one or all. */
export const addressZones = allZones;

/** A machine type's processor by its name: the letter p behind the number of processors says ARM, as in `Standard_D2ps_v6`. */
export function architectureOf(size: string | undefined): Architecture | undefined {
    const [, features] = /^Standard_[A-Z]+\d+(?:-\d+)?([a-z]*)(?:_\w+)?$/.exec(size ?? "") ?? [];
    return features === undefined ? undefined : features.startsWith("p") ? "arm64" : "x86_64";
}

/** @throws InputError when a machine type has another processor than was asked for: an image of the other one does not boot */
export function checkSize(size: string, architecture: Architecture): void {
    const own = architectureOf(size);
    if (own === undefined) {
        throw new InputError("broker.size", `${quote(size)} is no size of Azure's; write it as in ${quote(defaultSizes.arm64)}`);
    }
    if (own !== architecture) {
        throw new InputError(
            "broker.size",
            `${quote(size)} has ${own} processors and broker.architecture is ${quote(architecture)}; set a size such as ${quote(defaultSizes[architecture])}, or leave broker.architecture out`,
        );
    }
}

/** Whether a size takes accelerated networking: all of today's do but the oldest A and B series. */
export function acceleratesNetworking(size: string): boolean {
    return !/^Standard_(A\d|B\d+(ls|s|ms)?$)/.test(size);
}
