import * as pulumi from "@pulumi/pulumi";
import type { Architecture } from "../cluster/args.js";
import { InputError, quote } from "../errors.js";

/**
 * Letters of the first three zones of regions whose accounts do not all see a, b and c. Others are found at preview, where every zone is
 * compared with those that the account sees.
 */
const zoneLetters: Readonly<Record<string, string>> = { "ap-northeast-1": "acd", "ca-central-1": "abd" };

/** Machine types of a site that sets none: 2 virtual processors, 8 GiB. */
export const defaultSizes: Readonly<Record<Architecture, string>> = { arm64: "m7g.large", x86_64: "m7i.large" };

/**
 * The region of a site: what is given, else what its zones name, else what the stack or the environment sets for all.
 *
 * @throws InputError when none is set, or it is no region's name
 */
export function chooseRegion(given: string | undefined, zones: readonly string[] | undefined): string {
    const ofZones = /^(.*\d)[a-f]$/.exec(String(zones?.[0] ?? ""))?.[1];
    const region =
        given ?? ofZones ?? new pulumi.Config("aws").get("region") ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
    if (region === undefined || region === "") {
        throw new InputError(
            "region",
            'it is missing; set it as in "eu-central-1", or once for all: pulumi config set aws:region eu-central-1',
        );
    }
    if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) {
        throw new InputError("region", `${quote(region)} is no region of AWS; write it as in "eu-central-1"`);
    }
    return region;
}

/** Zones that a site spans when the user names none. */
export function defaultZones(region: string): readonly string[] {
    return [...(zoneLetters[region] ?? "abc")].map((letter) => `${region}${letter}`);
}

/** @throws InputError when one is no zone of the region */
export function checkZones(region: string, zones: readonly string[], argument: string): void {
    for (const [index, zone] of zones.entries()) {
        if (typeof zone !== "string" || !zone.startsWith(region) || !/^[a-f]$/.test(zone.slice(region.length))) {
            throw new InputError(
                argument === "zones" ? `zones[${index}]` : argument,
                `${quote(zone)} is no zone of ${region}; write it as in ${quote(`${region}a`)}, or set region`,
            );
        }
    }
}

/** Number of a zone by its letter, 0 to 5: a zone keeps its addresses in whatever order the zones stand. */
export function zoneNumber(zone: string): number {
    return zone.charCodeAt(zone.length - 1) - "a".charCodeAt(0);
}

/** A machine type's processor by its name: the letter g behind the generation's digit says Graviton, as in `m7g`, `t4g`, `c7gn`. */
export function architectureOf(size: string | undefined): Architecture | undefined {
    const [, family = "", attributes = ""] = /^([a-z]+\d+)([a-z-]*)[\w-]*\.[\w-]+$/.exec(size ?? "") ?? [];
    return family === "" ? undefined : attributes.includes("g") || family === "a1" ? "arm64" : "x86_64";
}

/** @throws InputError when a machine type has another processor than was asked for: an image of the other one does not boot */
export function checkSize(size: string, architecture: Architecture): void {
    const own = architectureOf(size);
    if (own === undefined) {
        throw new InputError("broker.size", `${quote(size)} is no instance type; write it as in ${quote(defaultSizes.arm64)}`);
    }
    if (own !== architecture) {
        throw new InputError(
            "broker.size",
            `${quote(size)} has ${own} processors and broker.architecture is ${quote(architecture)}; set a type such as ${quote(defaultSizes[architecture])}, or leave broker.architecture out`,
        );
    }
}

/** What the host names of AWS's services end in. */
export function dnsSuffix(region: string): string {
    return region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}
