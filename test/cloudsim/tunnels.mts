import type { Account } from "./account.mts";
import { addressAt, range, within } from "./addresses.mts";
import type { HalfTunnel, Peering, PrivateNetwork, Route } from "./types.mts";

/** A tunnel as both of its ends have it. */
export interface Tunnel {
    /** The names of its halves. */
    readonly name: string;
    readonly halves: readonly [HalfTunnel] | readonly [HalfTunnel, HalfTunnel];
    readonly up: boolean;
    /** What keeps it down: each thing in which the two ends differ. */
    readonly reasons: readonly string[];
}

/** Whether an address is one that the internet does not carry. */
export function isPrivate(address: string): boolean {
    return ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].some((space) => within(address, space));
}

/** What two halves do not agree in, each thing named. Keys are never shown. */
export function differences(a: HalfTunnel, b: HalfTunnel): readonly string[] {
    const lacking = [a, b].flatMap(({ name, lacks }) => (lacks === undefined ? [] : [`${name}: ${lacks}`]));
    if (lacking.length > 0) {
        return lacking;
    }
    const found: string[] = [];
    const mirrored = (what: string, own: (half: HalfTunnel) => string | number, told: (half: HalfTunnel) => string | number) => {
        for (const [one, other] of [
            [a, b],
            [b, a],
        ] as const) {
            if (told(one) !== own(other)) {
                found.push(`${what}: ${one.name} has ${told(one)} for ${other.name}, which is ${own(other)}`);
            }
        }
    };
    const same = (what: string, of: (half: HalfTunnel) => string | number) => {
        if (of(a) !== of(b)) {
            found.push(`${what}: ${of(a)} at ${a.name}, ${of(b)} at ${b.name}`);
        }
    };
    mirrored(
        "outside address",
        ({ outside }) => outside,
        ({ peerOutside }) => peerOutside,
    );
    same("inside range", ({ range: inside }) => inside);
    if (a.range === b.range) {
        mirrored(
            "inside host",
            ({ inside }) => inside,
            ({ peerInside }) => peerInside,
        );
    }
    if (a.key !== b.key) {
        found.push(`pre-shared key: ${a.name} and ${b.name} have different ones`);
    }
    same("IKE version", ({ ikeVersion }) => ikeVersion);
    same("suite of IKE", ({ ike }) => ike);
    same("suite of ESP", ({ esp }) => esp);
    mirrored(
        "ASN",
        ({ asn }) => asn,
        ({ peerAsn }) => peerAsn,
    );
    return found;
}

/** The /30 around an address. */
export function rangeAround(address: string): string {
    const first = range(address)?.first ?? 0;
    return `${addressAt("0.0.0.0/0", first - (first % 4))}/30`;
}

/** Whether two halves have enough in common to be meant for each other. */
function related(a: HalfTunnel, b: HalfTunnel): boolean {
    return a.peerOutside === b.outside || b.peerOutside === a.outside || a.range === b.range || a.key === b.key;
}

/** Joins halves to tunnels: those first that differ least, each half once. */
export function joinHalves(halves: readonly HalfTunnel[]): readonly Tunnel[] {
    const candidates = halves
        .flatMap((a, index) => halves.slice(index + 1).map((b) => ({ a, b })))
        .filter(({ a, b }) => a.network !== b.network && related(a, b))
        .map(({ a, b }) => ({ a, b, reasons: differences(a, b) }))
        .sort((one, other) => one.reasons.length - other.reasons.length);
    const taken = new Set<HalfTunnel>();
    const tunnels: Tunnel[] = [];
    const joined = new Set<string>();
    for (const { a, b, reasons } of candidates) {
        const spare = [a, b].some(({ group }) => group !== undefined && joined.has(group));
        if (taken.has(a) || taken.has(b) || spare) {
            continue;
        }
        taken.add(a).add(b);
        for (const { group } of [a, b]) {
            if (group !== undefined) {
                joined.add(group);
            }
        }
        tunnels.push({ name: `${a.name} - ${b.name}`, halves: [a, b], up: reasons.length === 0, reasons });
    }
    const alone = halves.filter((half) => !taken.has(half) && (half.group === undefined || !joined.has(half.group)));
    return [
        ...tunnels,
        ...alone.map((half) => ({
            name: half.name,
            halves: [half] as const,
            up: false,
            reasons: [`outside address: nobody at ${half.peerOutside} has the other half of ${half.name}`],
        })),
    ];
}

/** Why a connection does not get to where it is meant for. */
interface Nowhere {
    readonly dropped: string;
}

/** All private networks, and what leads from one to another: tunnels on which both ends agree, and peerings that both sides made. */
export class PrivateWorld {
    readonly #account: Account;
    readonly #devices = new Map<string, () => PrivateNetwork>();
    #known: { readonly networks: readonly PrivateNetwork[]; readonly tunnels: readonly Tunnel[] } | undefined;

    /** What was told last of every tunnel. */
    #told: ReadonlyMap<string, string> = new Map();

    constructor(account: Account) {
        this.#account = account;
        account.onChange(() => {
            this.#known = undefined;
        });
    }

    /** Puts a network into the world that no cloud has: what is behind a device of the user's own. */
    add(id: string, network: () => PrivateNetwork): void {
        this.#devices.set(id, network);
        this.#known = undefined;
    }

    /** Takes it out again. */
    remove(id: string): void {
        this.#devices.delete(id);
        this.#known = undefined;
    }

    get networks(): readonly PrivateNetwork[] {
        return this.#now().networks;
    }

    get tunnels(): readonly Tunnel[] {
        return this.#now().tunnels;
    }

    /** Tunnels that have come up, gone down for another reason, or gone altogether since this was asked last. */
    news(): readonly { readonly name: string; readonly state: string }[] {
        const now = new Map(
            this.tunnels.map(({ name, up, reasons }) => [name, up ? "up" : `down: ${reasons.join("; ")}`] as const),
        );
        const told = this.#told;
        this.#told = now;
        return [
            ...[...now].filter(([name, state]) => told.get(name) !== state),
            ...[...told.keys()].filter((name) => !now.has(name)).map((name) => [name, "gone"] as const),
        ].map(([name, state]) => ({ name, state }));
    }

    /** Where a connection out of a network arrives: over tunnels or peerings, if packets find there and back. */
    reach(
        from: PrivateNetwork,
        connection: { readonly source: string; readonly address: string; readonly port: number },
        ready: (key: string) => boolean,
    ): Route {
        const { source, address } = connection;
        const there = this.#ways(from, source, address);
        if (!Array.isArray(there)) {
            return there;
        }
        const [other] = there;
        if (other === undefined) {
            return { dropped: `no network that ${from.id} leads to has ${address}` };
        }
        const back = this.#ways(other, address, source);
        if (!Array.isArray(back)) {
            return { dropped: `no way back: ${back.dropped}` };
        }
        return back.some(({ id }) => id === from.id)
            ? other.enter(connection, ready)
            : { dropped: `no way back from ${other.id} to ${from.id}` };
    }

    /** The networks that have an address and to which packets may go. */
    #ways(from: PrivateNetwork, source: string, address: string): PrivateNetwork[] | Nowhere {
        const { networks, tunnels } = this.#now();
        const ways = from.lead(source, address, (half) => learned(tunnels, half));
        const found = [
            ...ways.halves.map((half) => peerOf(tunnels, half)?.network),
            ...ways.peerings.filter((peering) => this.#isActive(peering)).map(({ to }) => to),
        ];
        if (found.length === 0) {
            const idle = ways.peerings.map((peering) => this.#idle(peering)).join("; ");
            return { dropped: idle === "" ? ways.none : idle };
        }
        return networks.filter((network) => found.includes(network.id) && network.owns(address));
    }

    #isActive(peering: Peering): boolean {
        return this.#idle(peering) === "";
    }

    /** Why a peering carries nothing; "" where it does. */
    #idle(peering: Peering): string {
        const back = this.networks
            .find(({ id }) => id === peering.to)
            ?.peerings.find((each) => each.to === peering.network && each.lacks === undefined);
        return (
            peering.lacks ??
            (back === undefined ? `${peering.name} waits for its other side, which ${peering.to} does not have` : "")
        );
    }

    #now() {
        // Devices are set up without a word to the account.
        if (this.#known === undefined || this.#devices.size > 0) {
            const networks = [
                ...this.#account.clouds.flatMap((cloud) => cloud.networks?.(this.#account.view(cloud.name)) ?? []),
                ...[...this.#devices.values()].map((network) => network()),
            ];
            this.#known = { networks, tunnels: joinHalves(networks.flatMap(({ halves }) => halves)) };
        }
        return this.#known;
    }
}

/** The other half of a tunnel that is up. */
function peerOf(tunnels: readonly Tunnel[], half: HalfTunnel): HalfTunnel | undefined {
    const own = (each: HalfTunnel) => each.name === half.name && each.network === half.network;
    const tunnel = tunnels.find(({ halves, up }) => up && halves.some(own));
    return tunnel?.halves.find((each) => !own(each));
}

/** The ranges whose routes came by a half. */
function learned(tunnels: readonly Tunnel[], half: HalfTunnel): readonly string[] {
    return (peerOf(tunnels, half)?.tells ?? []).filter(
        (told) => half.takes === undefined || half.takes.some((taken) => within(told, taken)),
    );
}
