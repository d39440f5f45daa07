import { InputError, quote } from "../errors.js";
import { addressAt, type Cidr, checkSiteCidr, formatCidr, sizeOf, subrange } from "./cidr.js";

/**
 * How a site's range is divided. A site of prefix p is cut into 256 units of prefix p + 8 (a /16 into /24): units 0 to 15 are the brokers'
 * subnets by zone number, 16 to 31 the public subnets by zone number; 32 to 47 hold the gateways' attachments; the last /27 of the range
 * is Azure's GatewaySubnet. Nothing depends on how many zones or peers there are.
 */
const units = { brokers: 0, public: 16, attachments: 32 } as const;
const unitBits = 8;
/** Number of zones that a site can be planned for. */
export const mostZones = 6;
/** Clouds keep the first four addresses of a subnet for themselves. */
const firstHost = 4;
/** Where the private link door of a subnet is, counted from its end: clouds keep the last one or two. */
const doorFromEnd = 4;
/** Sizes that fit: below /20 a unit would be smaller than the smallest subnet of AWS, /28. */
export const sitePrefixes = { min: 16, max: 20 } as const;

/** The subnets of one zone. Ranges as text. */
export interface ZoneRanges {
    readonly brokers: string;
    readonly public: string;
    /** /28 for the attachment of a transit gateway. */
    readonly attachment: string;
    /** Address of the private link door in this zone's brokers' subnet. */
    readonly linkDoor: string;
}

/** A site's range, divided. */
export interface SiteRanges {
    readonly cidr: string;
    /** By zone number, 0 to 5. */
    readonly zones: readonly ZoneRanges[];
    /** Azure's GatewaySubnet, /27. */
    readonly gateway: string;
}

/** The range of a site that sets none: `10.<siteNumber>.0.0/16`. */
export function defaultSiteCidr(siteNumber: number): string {
    return `10.${siteNumber}.0.0/16`;
}

/**
 * Divides a site's range.
 *
 * @throws InputError naming the argument
 */
export function siteRanges(cidr: string, argument = "cidr"): SiteRanges {
    const range = checkSiteCidr(cidr, sitePrefixes, argument);
    const unit = (number: number) => subrange(range, range.prefix + unitBits, number);
    const zones = Array.from({ length: mostZones }, (_, zone): ZoneRanges => {
        const brokers = unit(units.brokers + zone);
        return {
            brokers: formatCidr(brokers),
            public: formatCidr(unit(units.public + zone)),
            attachment: formatCidr(subrange(unit(units.attachments + zone), 28, 0)),
            linkDoor: linkDoorAddress(brokers),
        };
    });
    return { cidr, zones, gateway: formatCidr(subrange(range, 27, 2 ** (27 - range.prefix) - 1)) };
}

/** Address of the private link door in a brokers' subnet, behind the brokers' own. */
export function linkDoorAddress(subnet: Cidr): string {
    return addressAt(subnet, sizeOf(subnet) - doorFromEnd);
}

/** How many brokers fit into one subnet. */
export function brokersPerSubnet(subnet: Cidr): number {
    return Math.max(0, sizeOf(subnet) - doorFromEnd - firstHost);
}

/**
 * The fixed address of a broker: the `index`th of its subnet.
 *
 * @throws InputError when the subnet is full
 */
export function brokerAddress(subnet: Cidr, index: number, argument = "broker.nodes"): string {
    if (index >= brokersPerSubnet(subnet)) {
        throw new InputError(
            argument,
            `the subnet ${quote(formatCidr(subnet))} has room for ${brokersPerSubnet(subnet)} brokers; set fewer, or a larger cidr`,
        );
    }
    return addressAt(subnet, firstHost + index);
}
