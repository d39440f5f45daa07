import { InputError } from "../errors.js";
import { addressAt, type Cidr, formatCidr, overlaps, parseCidr, subrange } from "./cidr.js";

/** What takes part in a pair's tunnels. The order is the rank: of two ends the lower one takes the first host of each /30. */
const ranks = ["aws", "gcp", "azure", "external", "local"] as const;
export type TunnelPlatform = (typeof ranks)[number];

/** One end of a pair, as far as addresses go. */
export interface TunnelEnd {
    readonly name: string;
    readonly siteNumber: number;
    readonly platform: TunnelPlatform;
    /**
     * Within what the inside ranges must be unique: the gateway, VPC network or device. Two sites with the same scope share one.
     */
    readonly scope: string;
    /** Public addresses of the site's gateway: 2 for clouds, 1 or 2 for a device of the user's own. */
    readonly addresses: 1 | 2;
}

/** One tunnel of a pair. */
export interface TunnelRange {
    /** `0` to `3`: child names carry it. */
    readonly key: string;
    /** The /30 inside the tunnel. It and the two addresses are empty between two gateways of Azure, which choose them themselves. */
    readonly inside: string;
    readonly addressOfA: string;
    readonly addressOfB: string;
    /** Which public address of each end the tunnel uses, from 0. */
    readonly interfaceOfA: number;
    readonly interfaceOfB: number;
    /** Where one end is AWS: the connection (0 or 1) and the tunnel in it (1 or 2). */
    readonly aws?: { readonly connection: number; readonly tunnel: 1 | 2 } | undefined;
    /** Where one end is Azure: which instance, and its custom BGP addresses for this connection: one entry for each instance. */
    readonly azure?: { readonly instance: 0 | 1; readonly bgpAddresses: readonly [string, string] } | undefined;
}

/** Azure takes BGP addresses from 169.254.21.0 to 169.254.22.255 only. */
const azurePool = { octets: [21, 22], slots: 32 } as const;
/** Every other pair: 128 slots of four /30s, clear of what clouds keep for themselves in 169.254.0.0/16. */
export const defaultTunnelPool = "169.254.32.0/21";
/** The interconnect tier's own pool: both tiers of a pair exist at once during a switch. */
export const interconnectPool = "169.254.96.0/21";
const poolSlots = 128;
const tunnelsPerSlot = 4;
/** Beyond it the Azure pool repeats: peers p and p + 32 of one Azure site would share their ranges. */
export const mostAzureSiteNumber = 32;
/** Ranges in 169.254.0.0/16 that clouds use themselves: metadata, name and time servers, credentials, Azure's. */
const forbidden = [
    "169.254.0.0/21",
    "169.254.20.0/24",
    "169.254.123.0/24",
    "169.254.169.0/24",
    "169.254.170.0/24",
    "169.254.254.0/23",
];

/**
 * The tunnels of a pair, with their inside ranges. They follow from the two site numbers alone: slot (i + j) mod K is a Latin square, so
 * no two pairs of one site share a slot, whatever other sites come and go.
 *
 * @param pool base of the wide pool, a /21 in 169.254.0.0/16; Azure's is fixed
 * @throws InputError where a number does not fit
 */
export function tunnelsOf(a: TunnelEnd, b: TunnelEnd, pool = defaultTunnelPool): readonly TunnelRange[] {
    return a.platform === "azure" || b.platform === "azure" ? azureTunnels(a, b) : wideTunnels(a, b, checkTunnelPool(pool));
}

/**
 * Checks the base of the wide pool.
 *
 * @throws InputError naming the argument
 */
export function checkTunnelPool(text: string, argument = "tunnelPool"): Cidr {
    const pool = parseCidr(text, argument);
    if (pool.prefix !== 21 || !overlaps(pool, parseCidr("169.254.0.0/16"))) {
        throw new InputError(argument, `"${text}" does not fit; set a /21 within 169.254.0.0/16, such as ${defaultTunnelPool}`);
    }
    const taken = [...forbidden, "169.254.21.0/24", "169.254.22.0/24"].find((range) => overlaps(pool, parseCidr(range)));
    if (taken !== undefined) {
        throw new InputError(
            argument,
            `"${text}" overlaps ${taken}, which clouds use themselves; set another /21, such as ${defaultTunnelPool}`,
        );
    }
    return pool;
}

function wideTunnels(a: TunnelEnd, b: TunnelEnd, pool: Cidr): readonly TunnelRange[] {
    const slot = (a.siteNumber + b.siteNumber) % poolSlots;
    return layout(a, b).map(({ t, interfaceOfA, interfaceOfB, aws }): TunnelRange => {
        const inside = subrange(pool, 30, slot * tunnelsPerSlot + t);
        const [first, second] = [addressAt(inside, 1), addressAt(inside, 2)];
        return {
            key: String(t),
            inside: formatCidr(inside),
            addressOfA: isFirst(a, b) ? first : second,
            addressOfB: isFirst(a, b) ? second : first,
            interfaceOfA,
            interfaceOfB,
            ...(aws === undefined ? {} : { aws }),
        };
    });
}

/** Which tunnels there are between two ends, and which public address of each they use. */
function layout(a: TunnelEnd, b: TunnelEnd) {
    if (a.platform === "aws" || b.platform === "aws") {
        const peer = a.platform === "aws" ? b : a;
        // A connection of AWS has two tunnels to one address of the peer.
        return Array.from({ length: peer.addresses * 2 }, (_, t) => {
            const connection = t >> 1;
            const tunnel: 1 | 2 = t % 2 === 0 ? 1 : 2;
            // AWS gives each tunnel an address of its own; the peer numbers them in this order.
            const own = t;
            return {
                t,
                interfaceOfA: a.platform === "aws" ? own : connection,
                interfaceOfB: b.platform === "aws" ? own : connection,
                aws: { connection, tunnel },
            };
        });
    }
    return [0, 1].map((t) => ({
        t,
        interfaceOfA: Math.min(t, a.addresses - 1),
        interfaceOfB: Math.min(t, b.addresses - 1),
        aws: undefined,
    }));
}

/**
 * The BGP addresses of Azure for a pair, whatever the peer: those of its first instance, then those of its second. A peer on AWS uses two of
 * each, any other the first of each.
 */
export function azureBgpAddresses(
    siteNumber: number,
    peerNumber: number,
): readonly [readonly [string, string], readonly [string, string]] {
    const slot = (siteNumber + peerNumber) % azurePool.slots;
    const own = (instance: number, c: number) => `169.254.${azurePool.octets[c] ?? 0}.${8 * slot + 4 * instance + 2}`;
    return [
        [own(0, 0), own(0, 1)],
        [own(1, 0), own(1, 1)],
    ];
}

function azureTunnels(a: TunnelEnd, b: TunnelEnd): readonly TunnelRange[] {
    if (a.platform === b.platform) {
        // Azure joins two of its gateways by their names: one connection on each side, BGP between addresses of the gateways' subnets.
        return [{ key: "0", inside: "", addressOfA: "", addressOfB: "", interfaceOfA: 0, interfaceOfB: 0 }];
    }
    for (const end of [a, b]) {
        if (end.siteNumber > mostAzureSiteNumber) {
            throw new InputError(
                "siteNumber",
                `${end.siteNumber} of ${end.name} is beyond ${mostAzureSiteNumber}, which is as far as Azure's range for BGP addresses reaches (pair ${a.name}, ${b.name}); give both sites of a VPN pair with Azure numbers up to ${mostAzureSiteNumber}`,
            );
        }
    }
    const azureIsA = a.platform === "azure";
    const peer = azureIsA ? b : a;
    const slot = (a.siteNumber + b.siteNumber) % azurePool.slots;
    const base = (instance: number) => 8 * slot + 4 * instance;
    const addresses = azureBgpAddresses(a.siteNumber, b.siteNumber);
    const own = (instance: 0 | 1, c: number) => addresses[instance][c === 0 ? 0 : 1];
    // AWS has two tunnels for each instance of Azure, everybody else one.
    const rows = peer.platform === "aws" ? [0, 1, 2, 3].map((t) => ({ instance: bit(t >> 1), c: t % 2 })) : instances(peer);
    return rows.map(({ instance, c }, t): TunnelRange => {
        const prefix = `169.254.${azurePool.octets[c] ?? 0}`;
        const azureAddress = own(instance, c);
        const peerAddress = `${prefix}.${base(instance) + 1}`;
        // A connection names an address for both instances; the other one's is that of its own first tunnel, which costs no range.
        const bgpAddresses: readonly [string, string] = instance === 0 ? [azureAddress, own(1, 0)] : [own(0, 0), azureAddress];
        const peerInterface = peer.platform === "aws" ? t : Math.min(instance, peer.addresses - 1);
        return {
            key: String(t),
            inside: `${prefix}.${base(instance)}/30`,
            addressOfA: azureIsA ? azureAddress : peerAddress,
            addressOfB: azureIsA ? peerAddress : azureAddress,
            interfaceOfA: azureIsA ? instance : peerInterface,
            interfaceOfB: azureIsA ? peerInterface : instance,
            ...(peer.platform === "aws" ? { aws: { connection: instance, tunnel: c === 0 ? (1 as const) : (2 as const) } } : {}),
            azure: { instance, bgpAddresses },
        };
    });
}

/** Two tunnels, one for each instance of Azure; a device with one address has one. */
function instances(peer: TunnelEnd): readonly { readonly instance: 0 | 1; readonly c: number }[] {
    const count = peer.platform === "external" || peer.platform === "local" ? peer.addresses : 2;
    return Array.from({ length: count }, (_, instance) => ({ instance: bit(instance), c: 0 }));
}

function bit(value: number): 0 | 1 {
    return value === 0 ? 0 : 1;
}

/** Whether `a` takes the first host of each /30. */
function isFirst(a: TunnelEnd, b: TunnelEnd): boolean {
    const [rankOfA, rankOfB] = [ranks.indexOf(a.platform), ranks.indexOf(b.platform)];
    return rankOfA === rankOfB ? a.siteNumber < b.siteNumber : rankOfA < rankOfB;
}

/** The tunnels of one pair, for {@link checkScopes}. */
export interface PairTunnels {
    readonly pair: string;
    readonly scopes: readonly string[];
    readonly tunnels: readonly TunnelRange[];
}

/**
 * Checks that within each gateway, network or device no two tunnels have the same inside range. Numbers alone guarantee it for one gateway
 * per site; sites that share one do not have that.
 *
 * @throws InputError naming both pairs and the scope
 */
export function checkScopes(pairs: readonly PairTunnels[]): void {
    const used = new Map<string, string>();
    for (const { pair, scopes, tunnels } of pairs) {
        for (const scope of new Set(scopes)) {
            for (const { inside } of tunnels.filter((tunnel) => tunnel.inside !== "")) {
                const place = `${scope} ${inside}`;
                const other = used.get(place);
                if (other !== undefined) {
                    throw new InputError(
                        "tunnelPool",
                        `the pairs ${other} and ${pair} would both use ${inside} within ${scope}; sites that share a gateway, network or device need different tunnelPools`,
                    );
                }
                used.set(place, pair);
            }
        }
    }
}
