import { checkAsn } from "../addressing/asn.js";
import { checkDisjoint, checkPublicAddress, parseCidr, reservedRanges } from "../addressing/cidr.js";
import { checkTunnelPool } from "../addressing/tunnels.js";
import { checkServerAddress } from "../emqx/serverAddress.js";
import { InputError, quote } from "../errors.js";

/** A VPN device of yours before the cluster's network, for tier `vpn`. Plain values: they shape the graph. */
export interface ExternalVpnArgs {
    /** The device's public IPv4 addresses: one, or two for a tunnel to survive the loss of one. Clouds refuse private ones. */
    readonly addresses: readonly string[];
    /** Private IPv4 ranges behind the device: what peers may reach, and nothing else is told to them. */
    readonly ranges: readonly string[];
    /** `host:port` of the cluster's listener for links as peers reach it through the tunnels: an address within `ranges`. */
    readonly linkServer: string;
    /** The device's autonomous system number, unique in the mesh. @default 64520 + siteNumber */
    readonly asn?: number | undefined;
    /** Base of the ranges inside the tunnels, where others are in use already: a /21. @default 169.254.32.0/21 */
    readonly tunnelPool?: string | undefined;
    /** Name of the device, the same for sites behind one and the same. @default the site's name */
    readonly device?: string | undefined;
}

/**
 * Checks a device's arguments.
 *
 * @throws InputError naming the argument
 */
export function checkVpnArgs(vpn: ExternalVpnArgs): void {
    const { addresses, ranges } = vpn;
    if (
        !Array.isArray(addresses) ||
        addresses.length < 1 ||
        addresses.length > 2 ||
        new Set(addresses).size !== addresses.length
    ) {
        throw new InputError(
            "vpn.addresses",
            `${quote(addresses)} is not possible; set the device's one or two public addresses`,
        );
    }
    for (const [index, address] of addresses.entries()) {
        checkPublicAddress(address, `vpn.addresses[${index}]`);
    }
    if (!Array.isArray(ranges) || ranges.length === 0) {
        throw new InputError("vpn.ranges", `${quote(ranges)} is not possible; list the private ranges behind the device`);
    }
    for (const [index, range] of ranges.entries()) {
        if (parseCidr(range, `vpn.ranges[${index}]`).prefix < 8) {
            throw new InputError(
                `vpn.ranges[${index}]`,
                `${quote(range)} would draw nearly everything into the tunnels; set the private ranges`,
            );
        }
    }
    checkDisjoint([...ranges.map((cidr) => ({ cidr, what: "a range behind the device" })), ...reservedRanges], "vpn.ranges");
    checkServerAddress(vpn.linkServer, { argument: "vpn.linkServer" });
    if (vpn.asn !== undefined) {
        checkAsn(vpn.asn, "vpn.asn");
    }
    if (vpn.tunnelPool !== undefined) {
        checkTunnelPool(vpn.tunnelPool, "vpn.tunnelPool");
    }
}
