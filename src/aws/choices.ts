import type * as pulumi from "@pulumi/pulumi";
import {
    type Cidr,
    checkDisjoint,
    checkPublicAddress,
    checkSiteCidr,
    isWithin,
    type NamedRange,
    parseCidr,
} from "../addressing/cidr.js";
import { defaultSiteCidr, linkDoorAddress, siteRanges } from "../addressing/siteRanges.js";
import { checkShapes, cloudSiteShapes, type Shape } from "../cluster/argumentShapes.js";
import { type CloudSiteChoices, chooseCloudSite } from "../cluster/cloudSite.js";
import { privateAdminRanges } from "../cluster/privateReach.js";
import { InputError, quote } from "../errors.js";
import { checkSiteName, checkSiteNumber } from "../naming.js";
import type { AwsNetworkArgs, AwsSiteArgs } from "./args.js";
import { architectureOf, checkSize, checkZones, chooseRegion, defaultSizes, defaultZones, zoneNumber } from "./regions.js";
import { type AwsVpnChoice, chooseVpn } from "./vpnArgs.js";

/** An AWS site's arguments, checked, and what was decided from them. */
export interface AwsSiteChoices extends CloudSiteChoices {
    readonly region: string;
    /** Zones that have a NAT gateway of the site's own; empty with a network of the user's. */
    readonly natZones: readonly string[];
    /** By zone. */
    readonly subnets: Readonly<Record<string, ZoneSubnets>>;
    readonly network: AwsNetworkArgs | undefined;
    /** The VPC's range. */
    readonly cidr: string;
    /** Names that the client door's certificate carries: Route 53's first. */
    readonly clientNames: readonly string[];
    /** Administrators' ranges that brokers let in themselves, past the load balancer. */
    readonly privateAdminRanges: readonly string[];
    readonly vpn: AwsVpnChoice;
}

/** The subnets of one zone, and the address of the private link door in the brokers'. */
export interface ZoneSubnets {
    readonly brokers: string;
    readonly public: string;
    /** Of the transit gateway's attachment; absent in a network of the user's. */
    readonly attachment?: string | undefined;
    readonly linkDoor: string;
}

const subnetShape = { fields: { id: "input", cidr: "text" }, required: ["id", "cidr"] } as const;
const shapes = {
    ...cloudSiteShapes,
    region: "text",
    zones: "texts",
    egress: "text",
    network: {
        fields: {
            vpcId: "input",
            cidr: "text",
            zones: { byKey: { fields: { brokers: subnetShape, public: subnetShape }, required: ["brokers", "public"] } },
            egressAddresses: "texts",
        },
        required: ["vpcId", "cidr", "zones"],
    },
    kmsKeyId: "input",
    dns: { fields: { zoneId: "input", name: "text" }, required: ["zoneId", "name"] },
    permissionsBoundary: "input",
    vpn: "checked",
} as const satisfies Readonly<Record<keyof AwsSiteArgs, Shape>>;

/** Tags of one resource. The name that AWS's console shows is one of them. */
const mostTags = 50;
/** AWS's smallest subnet. */
const longestPrefix = 28;

/**
 * Checks an AWS site's arguments and decides its cluster and network.
 *
 * @throws InputError naming the argument
 */
export function chooseAwsSite(name: string, args: AwsSiteArgs): AwsSiteChoices {
    checkShapes(args, shapes);
    checkSiteName(name);
    checkSiteNumber(args.siteNumber);
    const { network } = args;
    if (network !== undefined) {
        checkNetwork(args, network);
    }
    const given = network === undefined ? args.zones : Object.keys(network.zones);
    const region = chooseRegion(args.region, given);
    const zones = given ?? defaultZones(region);
    checkZones(region, zones, network === undefined ? "zones" : "network.zones");
    const egress = checkEgress(args);
    const subnets = network === undefined ? ownSubnets(args, zones) : givenSubnets(network);
    const clientNames = [...(args.dns === undefined ? [] : [args.dns.name]), ...(args.clientNames ?? [])];
    const site = chooseCloudSite(
        name,
        { ...args, clientNames },
        {
            zones,
            subnets: "perZone",
            brokerRanges: zones.map((zone) => subnets[zone]?.brokers ?? ""),
            defaults: { size: defaultSizes, architecture: architectureOf(args.broker?.size) ?? "arm64" },
        },
    );
    checkSize(site.plan.size, site.plan.architecture);
    checkKey(args.kmsKeyId);
    checkTags(args.tags ?? {}, site.tags);
    const cidr = network?.cidr ?? site.plan.ranges.cidr;
    return {
        ...site,
        region,
        natZones: network !== undefined ? [] : egress === "single" ? zones.slice(0, 1) : zones,
        subnets,
        network,
        cidr,
        clientNames,
        privateAdminRanges: privateAdminRanges(site.reach, site.plan.adminRanges),
        vpn: chooseVpn(site.plan, args.vpn, cidr, network),
    };
}

/** How many Elastic IPs the site takes of the region's quota. */
export function elasticIpCount({ plan, natZones }: Pick<AwsSiteChoices, "plan" | "natZones">): number {
    return plan.zones.length + natZones.length;
}

function ownSubnets(args: AwsSiteArgs, zones: readonly string[]): AwsSiteChoices["subnets"] {
    const ranges = siteRanges(args.cidr ?? defaultSiteCidr(args.siteNumber));
    return Object.fromEntries(
        zones.map((zone) => {
            const unit = ranges.zones[zoneNumber(zone)];
            if (unit === undefined) {
                throw new InputError(
                    "zones",
                    `${quote(zone)} is beyond the ${ranges.zones.length} zones that a range is divided for`,
                );
            }
            return [zone, unit] as const;
        }),
    );
}

function givenSubnets(network: AwsNetworkArgs): AwsSiteChoices["subnets"] {
    return Object.fromEntries(
        Object.entries(network.zones).map(([zone, { brokers, public: open }]) => [
            zone,
            {
                brokers: brokers.cidr,
                public: open.cidr,
                linkDoor: linkDoorAddress(parseCidr(brokers.cidr, `network.zones[${quote(zone)}].brokers.cidr`)),
            },
        ]),
    );
}

function checkEgress({ egress, network }: AwsSiteArgs): "single" | "perZone" {
    if (egress !== undefined && egress !== "single" && egress !== "perZone") {
        throw new InputError("egress", `${quote(egress)} is not known; set "single" or "perZone"`);
    }
    if (egress !== undefined && network !== undefined) {
        throw new InputError("egress", "the network is yours and so are its NAT gateways; leave egress out");
    }
    return egress ?? "single";
}

function checkNetwork(args: AwsSiteArgs, network: AwsNetworkArgs): void {
    for (const [argument, value, where] of [
        ["cidr", args.cidr, "network.cidr"],
        ["zones", args.zones, "network.zones"],
    ] as const) {
        if (value !== undefined) {
            throw new InputError(argument, `the network is yours, and ${where} says it; leave ${argument} out`);
        }
    }
    const whole = checkSiteCidr(network.cidr, { min: 8, max: longestPrefix }, "network.cidr");
    const ranges: NamedRange[] = [];
    for (const [zone, subnets] of Object.entries(network.zones ?? {})) {
        for (const [kind, what] of [
            ["brokers", "the brokers' subnet"],
            ["public", "the public subnet"],
        ] as const) {
            const argument = `network.zones[${quote(zone)}].${kind}.cidr`;
            checkSubnet(parseCidr(subnets[kind]?.cidr, argument), whole, network.cidr, argument);
            ranges.push({ cidr: subnets[kind].cidr, what: `${what} of ${zone}` });
        }
    }
    checkDisjoint(ranges, "network.zones");
    if (!Array.isArray(network.egressAddresses) || network.egressAddresses.length === 0) {
        throw new InputError(
            "network.egressAddresses",
            "it is missing; list the public addresses of the NAT gateways that the brokers' subnets use: peers admit no others",
        );
    }
    for (const [index, address] of network.egressAddresses.entries()) {
        checkPublicAddress(address, `network.egressAddresses[${index}]`);
    }
}

function checkSubnet(range: Cidr, whole: Cidr, cidr: string, argument: string): void {
    if (!isWithin(range, whole)) {
        throw new InputError(
            argument,
            `it is not within network.cidr ${quote(cidr)}; set the range that AWS shows for the subnet`,
        );
    }
    if (range.prefix > longestPrefix) {
        throw new InputError(argument, `a /${range.prefix} is smaller than any subnet of AWS; set /${longestPrefix} or larger`);
    }
}

function checkKey(key: pulumi.Input<string> | undefined): void {
    if (typeof key === "string" && !/^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/.test(key)) {
        throw new InputError(
            "kmsKeyId",
            `${quote(key)} is no key's ARN; write it as in "arn:aws:kms:eu-central-1:111122223333:key/…": aliases and bare ids do not fit policies`,
        );
    }
}

/** What AWS would refuse at the first resource. */
function checkTags(own: Readonly<Record<string, string>>, all: Readonly<Record<string, string>>): void {
    const count = Object.keys(own).length;
    if (Object.keys(all).length + 1 > mostTags) {
        throw new InputError("tags", `${count} are too many; AWS takes ${mostTags}, three of which are Linkspan's own`);
    }
    for (const [key, value] of Object.entries(own)) {
        const argument = `tags[${quote(key)}]`;
        if (/^aws:/i.test(key)) {
            throw new InputError(argument, 'keys that begin with "aws:" are AWS\'s own; choose another one');
        }
        if (key.length < 1 || key.length > 128 || typeof value !== "string" || value.length > 256) {
            throw new InputError(argument, "AWS takes keys of 1 to 128 and values of up to 256 characters");
        }
        for (const text of [key, value]) {
            if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(text)) {
                throw new InputError(
                    argument,
                    `${quote(text)} has characters that AWS refuses; use letters, digits, spaces and _ . : / = + - @`,
                );
            }
        }
    }
}
