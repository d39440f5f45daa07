import type * as pulumi from "@pulumi/pulumi";
import { checkSiteCidr, isWithin, parseCidr } from "../addressing/cidr.js";
import { checkShapes, cloudSiteShapes, type Shape } from "../cluster/argumentShapes.js";
import { type CloudSiteChoices, chooseCloudSite, type VpnSupport } from "../cluster/cloudSite.js";
import { privateAdminRanges } from "../cluster/privateReach.js";
import { InputError, quote } from "../errors.js";
import type { GcpNetworkArgs, GcpSiteArgs } from "./args.js";
import { checkLabels } from "./labels.js";
import {
    architectureOf,
    checkRegion,
    checkSize,
    checkZones,
    defaultArchitecture,
    defaultSizes,
    defaultZones,
} from "./regions.js";
import { chooseVpn } from "./vpnArgs.js";

/** A GCP site's arguments, checked, and what was decided from them. */
export interface GcpSiteChoices extends CloudSiteChoices {
    readonly region: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly egressKeys: readonly string[];
    /** Names that the server certificate carries for devices. */
    readonly clientNames: readonly string[];
    /** The range that is the site's in the mesh. */
    readonly cidr: string;
    readonly vpn: VpnSupport;
}

const shapes = {
    ...cloudSiteShapes,
    region: "text",
    project: "input",
    zones: "texts",
    egressAddressCount: "number",
    network: {
        fields: { network: "input", subnetwork: "input", cidr: "text" },
        required: ["network", "subnetwork", "cidr"],
    },
    dns: { fields: { zone: "input", name: "text" }, required: ["zone", "name"] },
    kmsKey: "input",
    vpn: { fields: { asn: "number", tunnelPool: "text" } },
} as const satisfies Readonly<Record<keyof GcpSiteArgs, Shape>>;

/**
 * Checks a GCP site's arguments and decides its cluster.
 *
 * @throws InputError naming the argument
 */
export function chooseGcpSite(name: string, args: GcpSiteArgs): GcpSiteChoices {
    checkShapes(args, shapes);
    const region = checkRegion(args.region);
    const zones = checkZones(region, args.zones ?? defaultZones(region));
    const brokerRange = args.network === undefined ? undefined : checkNetwork(region, args.network, args.cidr);
    const clientNames = [...(args.dns === undefined ? [] : [args.dns.name]), ...(args.clientNames ?? [])];
    const size = args.broker?.size;
    const chosen = chooseCloudSite(
        name,
        { ...args, clientNames },
        {
            zones,
            subnets: "regional",
            brokerRanges: brokerRange === undefined ? undefined : [brokerRange],
            defaults: {
                size: defaultSizes,
                architecture: size === undefined ? defaultArchitecture(region) : architectureOf(size),
            },
        },
    );
    checkSize(chosen.plan.size, chosen.plan.architecture);
    privateAdminRanges(chosen.reach, chosen.plan.adminRanges);
    const cidr = args.cidr ?? brokerRange ?? chosen.plan.ranges.cidr;
    return {
        ...chosen,
        region,
        labels: checkLabels(chosen.tags),
        egressKeys: egressKeys(args.egressAddressCount ?? 1),
        clientNames,
        cidr,
        vpn: chooseVpn(chosen.plan, args.vpn, cidr, args.network?.network),
    };
}

function egressKeys(count: number): readonly string[] {
    if (!Number.isInteger(count) || count < 1 || count > 8) {
        throw new InputError("egressAddressCount", `${quote(count)} is out of range; set a whole number of 1 to 8 addresses`);
    }
    return Array.from({ length: count }, (_, index) => String(index + 1));
}

/** What can be checked of an existing network before GCP is asked. */
function checkNetwork(region: string, network: GcpNetworkArgs, siteCidr: string | undefined): string {
    // In a /29 nothing is left for brokers beside what GCP and the doors keep.
    const range = checkSiteCidr(network.cidr, { min: 8, max: 28 }, "network.cidr");
    if (siteCidr !== undefined && !isWithin(range, parseCidr(siteCidr))) {
        throw new InputError(
            "network.cidr",
            `${quote(network.cidr)} is not within cidr ${quote(siteCidr)}; leave cidr out, or set the range that holds the subnetwork`,
        );
    }
    const linked = checkSelfLink("network.network", network.network, /\/global\/networks\/[^/]+$/, "global/networks/<name>");
    const subnetwork = checkSelfLink(
        "network.subnetwork",
        network.subnetwork,
        /\/regions\/[^/]+\/subnetworks\/[^/]+$/,
        `regions/${region}/subnetworks/<name>`,
    );
    if (subnetwork !== undefined && !subnetwork.includes(`/regions/${region}/`)) {
        throw new InputError("network.subnetwork", `${quote(subnetwork)} is not in the site's region ${region}`);
    }
    if (linked !== undefined && subnetwork !== undefined && projectOf(linked) !== projectOf(subnetwork)) {
        throw new InputError("network.subnetwork", `${quote(subnetwork)} is in another project than ${quote(linked)}`);
    }
    return network.cidr;
}

/** A self link where it is known already. */
function checkSelfLink(argument: string, value: pulumi.Input<string>, form: RegExp, wanted: string): string | undefined {
    if (typeof value !== "string") {
        return undefined;
    }
    if (!/^(https:\/\/[^/]+\/compute\/[^/]+\/)?projects\/[^/]+\//.test(value) || !form.test(value)) {
        throw new InputError(argument, `${quote(value)} is no self link; set projects/<project>/${wanted}`);
    }
    return value;
}

/** The project in a self link. */
function projectOf(link: string): string | undefined {
    return /projects\/([^/]+)\//.exec(link)?.[1];
}
