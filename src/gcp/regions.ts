import type { Architecture } from "../cluster/args.js";
import { InputError, quote } from "../errors.js";

/**
 * Last letters of the zones of regions that have no zone `a`. Every other region has `a`, `b` and `c`. Source: Google's page "Regions and
 * zones", as of 2026-11.
 */
const zoneLetters: Readonly<Record<string, string>> = { "europe-west1": "bcd", "us-east1": "bcd" };

/**
 * Regions in which sites run on arm64 (C4A) unless told otherwise, as known in 2026-11 without a page of Google's that lists zones; regions
 * of which one zone may lack the series are left out. Every zone is asked at preview whether it has the machine type, so a wrong row costs
 * an error that names the choices, never half a site.
 */
const armRegions: ReadonlySet<string> = new Set([
    "asia-southeast1",
    "europe-west1",
    "europe-west4",
    "us-central1",
    "us-east1",
    "us-east4",
]);

/** Machine types of a site that sets none: 2 virtual processors, 8 GiB. */
export const defaultSizes: Readonly<Record<Architecture, string>> = { arm64: "c4a-standard-2", x86_64: "n2-standard-2" };

/** Series with Arm processors. */
const armSeries: ReadonlySet<string> = new Set(["c4a", "n4a", "t2a"]);
/** Series that take Hyperdisk only; the older ones take persistent disks. Source: Google's pages of the machine series, as of 2026-11. */
const hyperdiskSeries: ReadonlySet<string> = new Set(["c4", "c4a", "c4d", "n4", "n4a", "n4d"]);

/** @throws InputError when it is no region's name */
export function checkRegion(region: string): string {
    if (typeof region !== "string" || !/^[a-z]+-[a-z]+\d{1,2}$/.test(region)) {
        throw new InputError("region", `${quote(region)} is no region; set one such as "europe-west3"`);
    }
    return region;
}

/** Zones of a region that a site spans when the user names none. */
export function defaultZones(region: string): readonly string[] {
    return [...(zoneLetters[region] ?? "abc")].map((letter) => `${region}-${letter}`);
}

/** @throws InputError when one is no zone of the region */
export function checkZones(region: string, zones: readonly string[]): readonly string[] {
    for (const [index, zone] of zones.entries()) {
        if (typeof zone !== "string" || !zone.startsWith(`${region}-`) || !/^[a-z]$/.test(zone.slice(region.length + 1))) {
            throw new InputError(
                `zones[${index}]`,
                `${quote(zone)} is no zone of ${region}; set zones such as ${quote(defaultZones(region)[0])}`,
            );
        }
    }
    return zones;
}

/** The series of a machine type: `c4a` of `c4a-standard-2`. */
function seriesOf(size: string): string {
    return size.split("-", 1)[0] ?? "";
}

/** Processor architecture of a machine type. */
export function architectureOf(size: string): Architecture {
    return armSeries.has(seriesOf(size)) ? "arm64" : "x86_64";
}

/** Architecture of a site that sets neither machine type nor architecture. */
export function defaultArchitecture(region: string): Architecture {
    return armRegions.has(region) ? "arm64" : "x86_64";
}

/** @throws InputError when a machine type has another processor than was asked for: an image of the other one does not boot */
export function checkSize(size: string, architecture: Architecture): void {
    if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(size)) {
        throw new InputError("broker.size", `${quote(size)} is no machine type; write it as in ${quote(defaultSizes.x86_64)}`);
    }
    const own = architectureOf(size);
    if (own !== architecture) {
        throw new InputError(
            "broker.size",
            `${quote(size)} has ${own} processors and broker.architecture is ${quote(architecture)}; set a type such as ${quote(defaultSizes[architecture])}, or leave broker.architecture out`,
        );
    }
}

/** The disk type that a machine type takes. Both are kept on solid-state storage and encrypted by Google or by a key of the user's. */
export function diskTypeOf(size: string): "hyperdisk-balanced" | "pd-balanced" {
    return hyperdiskSeries.has(seriesOf(size)) ? "hyperdisk-balanced" : "pd-balanced";
}
