import { siteRanges } from "../../../addressing/siteRanges.js";

/** Where the parts of a site are. A site's own range is divided as every cloud site's is. */
export interface SiteAddresses {
    /** The site's private range, `10.<siteNumber>.0.0/16`. */
    readonly cidr: string;
    readonly broker: string;
    /** The router's address in the brokers' subnet. */
    readonly router: string;
    /** Private link door: the router leads it to the broker, as an internal load balancer does. */
    readonly linkDoor: string;
    /** Public address of the router: what the site's connections come from, and its public link door. */
    readonly public: string;
    readonly publicNextHop: string;
    readonly gateways: readonly [GatewayAddresses, GatewayAddresses];
    /** A management line from the holder to the broker alone; nothing is forwarded over it. */
    readonly management: { readonly holder: string; readonly broker: string };
}

/** One of a site's two VPN gateways. */
export interface GatewayAddresses {
    readonly public: string;
    readonly publicNextHop: string;
    /** Both ends of the line between the site's router and the gateway. */
    readonly router: string;
    readonly gateway: string;
}

/** Ports of a site's broker, those of EMQX. */
export const brokerPorts = { mqtt: 1_883, mqtts: 8_883, links: 8_884, api: 18_084 } as const;

/** The addresses of a site. The public ones are of 198.18.0.0/15, which RFC 2544 keeps for tests of networks. */
export function siteAddresses(siteNumber: number): SiteAddresses {
    const { cidr, zones } = siteRanges(`10.${siteNumber}.0.0/16`);
    const prefix = `10.${siteNumber}`;
    const outside = `198.18.${siteNumber}`;
    const gateway = (index: 0 | 1): GatewayAddresses => ({
        public: `${outside}.${4 * index + 6}`,
        publicNextHop: `${outside}.${4 * index + 5}`,
        router: `${prefix}.${32 + index}.1`,
        gateway: `${prefix}.${32 + index}.2`,
    });
    return {
        cidr,
        broker: `${prefix}.0.4`,
        router: `${prefix}.0.1`,
        linkDoor: zones[0]?.linkDoor ?? `${prefix}.0.252`,
        public: `${outside}.2`,
        publicNextHop: `${outside}.1`,
        gateways: [gateway(0), gateway(1)],
        management: { holder: `100.64.${siteNumber}.1`, broker: `100.64.${siteNumber}.2` },
    };
}

/** Namespaces by what they are. */
export const namespaceOf = {
    internet: "internet",
    router: (siteNumber: number) => `router-${siteNumber}`,
    broker: (siteNumber: number) => `broker-${siteNumber}`,
    gateway: (siteNumber: number, index: number) => `vpn-${siteNumber}-${index}`,
} as const;
