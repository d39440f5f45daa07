import type * as pulumi from "@pulumi/pulumi";
import { checkPublicAddress, checkSiteCidr, isWithin, parseCidr } from "../addressing/cidr.js";
import { checkShapes, cloudSiteShapes, type Shape } from "../cluster/argumentShapes.js";
import { type CloudSiteChoices, chooseCloudSite } from "../cluster/cloudSite.js";
import { privateAdminRanges } from "../cluster/privateReach.js";
import { InputError, quote } from "../errors.js";
import { checkSiteName, checkSiteNumber } from "../naming.js";
import type { AzureDnsArgs, AzureFlowLogArgs, AzureNetworkArgs, AzureSiteArgs } from "./args.js";
import { checkImageId } from "./images.js";
import { architectureOf, checkLocation, checkSize, chooseZones, defaultSizes } from "./regions.js";
import { type AzureVpnChoice, chooseVpn } from "./vpnArgs.js";

/** An Azure site's arguments, checked, and what was decided from them. */
export interface AzureSiteChoices extends CloudSiteChoices {
    readonly location: string;
    readonly network: AzureNetworkArgs | undefined;
    /** The virtual network's range. */
    readonly cidr: string;
    /** Range of the brokers' subnet. */
    readonly subnetCidr: string;
    /** Names that the client door's certificate carries: Azure DNS's first. */
    readonly clientNames: readonly string[];
    /** Administrators' ranges that reach the brokers past the load balancer. */
    readonly privateAdmins: readonly string[];
    readonly encryptionAtHost: boolean;
    readonly trustedLaunch: boolean;
    readonly diskEncryptionSetId: pulumi.Input<string> | undefined;
    /** `undefined`: none. */
    readonly flowLogs: (AzureFlowLogArgs & { readonly retentionDays: number }) | undefined;
    readonly vpn: AzureVpnChoice;
}

const flowLogShape = {
    fields: {
        storageAccountId: "input",
        networkWatcher: {
            fields: { name: "input", resourceGroupName: "input" },
            required: ["name", "resourceGroupName"],
        },
        retentionDays: "number",
    },
} as const;
const shapes = {
    ...cloudSiteShapes,
    location: "text",
    zones: "texts",
    resourceGroupName: "input",
    network: {
        fields: {
            virtualNetworkId: "input",
            cidr: "text",
            subnetId: "input",
            subnetCidr: "text",
            egressAddresses: "texts",
            gatewaySubnetId: "input",
        },
        required: ["virtualNetworkId", "cidr", "subnetId", "subnetCidr"],
    },
    dns: {
        fields: { zoneName: "text", resourceGroupName: "input", name: "text" },
        required: ["zoneName", "resourceGroupName", "name"],
    },
    diskEncryptionSetId: "input",
    encryptionAtHost: "flag",
    trustedLaunch: "flag",
    flowLogs: "checked",
    vpn: { fields: { asn: "number", sku: "text", plannedPeers: "checked" } },
} as const satisfies Readonly<Record<keyof AzureSiteArgs, Shape>>;

/** Smallest subnet of Azure. */
const longestPrefix = 29;

/**
 * Checks an Azure site's arguments and decides its cluster and network.
 *
 * @throws InputError naming the argument
 */
export function chooseAzureSite(name: string, args: AzureSiteArgs): AzureSiteChoices {
    checkShapes(args, shapes);
    checkSiteName(name);
    checkSiteNumber(args.siteNumber);
    const location = checkLocation(args.location);
    const { network, broker } = args;
    if (network !== undefined) {
        checkNetwork(args, network);
    }
    const zones = chooseZones(location, args.zones);
    const clientNames = [...(args.dns === undefined ? [] : [checkDns(args.dns)]), ...(args.clientNames ?? [])];
    const site = chooseCloudSite(
        name,
        { ...args, clientNames },
        {
            zones,
            subnets: "regional",
            ...(network === undefined ? {} : { brokerRanges: [network.subnetCidr] }),
            defaults: { size: defaultSizes, architecture: architectureOf(broker?.size) ?? "arm64" },
        },
    );
    checkTags(args.tags ?? {}, site.tags);
    checkSize(site.plan.size, site.plan.architecture);
    if (typeof broker?.imageId === "string") {
        checkImageId(broker.imageId);
    }
    if (typeof args.diskEncryptionSetId === "string") {
        checkArmId(args.diskEncryptionSetId, "Microsoft.Compute/diskEncryptionSets", "diskEncryptionSetId");
    }
    const cidr = network?.cidr ?? site.plan.ranges.cidr;
    return {
        ...site,
        location,
        network,
        cidr,
        subnetCidr: network?.subnetCidr ?? site.plan.brokerRanges[0] ?? "",
        clientNames,
        privateAdmins: privateAdminRanges(site.reach, site.plan.adminRanges),
        encryptionAtHost: args.encryptionAtHost ?? false,
        trustedLaunch: args.trustedLaunch ?? site.plan.architecture === "x86_64",
        diskEncryptionSetId: args.diskEncryptionSetId,
        flowLogs: chooseFlowLogs(args),
        vpn: chooseVpn(site.plan, args.vpn, cidr, network),
    };
}

/** Tags that Azure takes of a resource. */
const mostTags = 50;

/** Azure refuses wrong tags when half of the site is made. */
function checkTags(own: Readonly<Record<string, string>>, all: Readonly<Record<string, string>>): void {
    const added = Object.keys(all).length - Object.keys(own).length;
    if (Object.keys(all).length > mostTags) {
        throw new InputError(
            "tags",
            `${Object.keys(own).length} are too many; Azure takes ${mostTags}, ${added} of which are Linkspan's own`,
        );
    }
    const seen = new Map<string, string>();
    for (const [key, value] of Object.entries(own)) {
        const argument = `tags[${quote(key)}]`;
        if (/^(microsoft|azure|windows)/i.test(key)) {
            throw new InputError(
                argument,
                'names that begin with "microsoft", "azure" or "windows" are Azure\'s own; choose another one',
            );
        }
        // Storage accounts, which hold flow logs, take 128 characters of a name; everything else 512.
        if (key.length < 1 || key.length > 128 || typeof value !== "string" || value.length > 256) {
            throw new InputError(argument, "Azure takes names of 1 to 128 and values of up to 256 characters");
        }
        if (/[<>%&\\?/]/.test(key)) {
            throw new InputError(argument, "Azure refuses the characters < > % & \\ ? / in a tag's name; leave them out");
        }
        // The site's private zone takes the same tags as everything else, and zones take fewer names.
        if (/\s|^\d/.test(key)) {
            throw new InputError(
                argument,
                "zones of Azure DNS take no name with a blank or with a digit in front; write it otherwise",
            );
        }
        const twin = seen.get(key.toLowerCase());
        if (twin !== undefined) {
            throw new InputError(
                argument,
                `Azure does not tell it from ${quote(twin)}: names of tags differ in more than upper case`,
            );
        }
        seen.set(key.toLowerCase(), key);
    }
}

/** An id of Azure's, in its parts. */
export interface ArmId {
    readonly resourceGroupName: string;
    /** The names behind the types, such as that of the virtual network and that of the subnet. */
    readonly names: readonly string[];
}

/**
 * Reads an id of Azure's of one type, such as `Microsoft.Network/virtualNetworks/subnets`. Azure itself does not mind upper case.
 *
 * @throws InputError naming the argument
 */
export function checkArmId(text: string, type: string, argument: string): ArmId {
    const [provider = "", ...types] = type.split("/");
    const tail = types.map((one) => `/${one}/([^/]+)`).join("");
    const pattern = new RegExp(
        `^/subscriptions/[^/]+/resourceGroups/([^/]+)/providers/${provider.replaceAll(".", "[.]")}${tail}$`,
        "i",
    );
    const [, resourceGroupName, ...names] = pattern.exec(typeof text === "string" ? text : "") ?? [];
    if (resourceGroupName === undefined) {
        throw new InputError(
            argument,
            `${quote(text)} is no id of ${type}; write it as in "/subscriptions/…/resourceGroups/…/providers/${provider}${types.map((one) => `/${one}/…`).join("")}"`,
        );
    }
    return { resourceGroupName, names };
}

function checkDns({ zoneName, name }: AzureDnsArgs): string {
    if (typeof zoneName !== "string" || typeof name !== "string" || !(name === zoneName || name.endsWith(`.${zoneName}`))) {
        throw new InputError(
            "dns.name",
            `${quote(name)} does not lie in the zone ${quote(zoneName)}; set a name that ends in the zone's`,
        );
    }
    return name;
}

function checkNetwork(args: AzureSiteArgs, network: AzureNetworkArgs): void {
    if (args.cidr !== undefined) {
        throw new InputError("cidr", "the network is yours, and network.cidr says it; leave cidr out");
    }
    for (const [argument, value, type] of [
        ["network.virtualNetworkId", network.virtualNetworkId, "Microsoft.Network/virtualNetworks"],
        ["network.subnetId", network.subnetId, "Microsoft.Network/virtualNetworks/subnets"],
    ] as const) {
        if (value === undefined || typeof value === "string") {
            checkArmId(value ?? "", type, argument);
        }
    }
    if (typeof network.gatewaySubnetId === "string") {
        checkGatewaySubnetId(network.gatewaySubnetId);
    }
    const whole = checkSiteCidr(network.cidr, { min: 8, max: longestPrefix }, "network.cidr");
    const subnet = parseCidr(network.subnetCidr, "network.subnetCidr");
    if (!isWithin(subnet, whole)) {
        throw new InputError(
            "network.subnetCidr",
            `${quote(network.subnetCidr)} is not within network.cidr ${quote(network.cidr)}; set the range that Azure shows for the subnet`,
        );
    }
    if (subnet.prefix > longestPrefix) {
        throw new InputError(
            "network.subnetCidr",
            `a /${subnet.prefix} is smaller than any subnet of Azure; set /${longestPrefix} or larger`,
        );
    }
    if (!Array.isArray(network.egressAddresses) || network.egressAddresses.length === 0) {
        throw new InputError(
            "network.egressAddresses",
            "it is missing; list the public addresses of the NAT gateway that the subnet uses: peers admit no others",
        );
    }
    for (const [index, address] of network.egressAddresses.entries()) {
        checkPublicAddress(address, `network.egressAddresses[${index}]`);
    }
}

/**
 * Checks the id of a subnet for gateways, which has one name everywhere.
 *
 * @throws InputError naming the argument
 */
export function checkGatewaySubnetId(id: string): string {
    const argument = "network.gatewaySubnetId";
    const { names } = checkArmId(id, "Microsoft.Network/virtualNetworks/subnets", argument);
    if (names[1]?.toLowerCase() !== "gatewaysubnet") {
        throw new InputError(argument, `${quote(id)} is not named GatewaySubnet, and Azure takes no other subnet for gateways`);
    }
    return id;
}

function chooseFlowLogs({ flowLogs, network }: AzureSiteArgs): AzureSiteChoices["flowLogs"] {
    if (flowLogs === false || (flowLogs === undefined && network !== undefined)) {
        return undefined;
    }
    checkShapes({ flowLogs }, { flowLogs: flowLogShape });
    const retentionDays = flowLogs?.retentionDays ?? 90;
    if (!Number.isInteger(retentionDays) || retentionDays < 1 || retentionDays > 365) {
        throw new InputError("flowLogs.retentionDays", `${quote(retentionDays)} is out of range; set 1 to 365 days`);
    }
    return { ...flowLogs, retentionDays };
}
