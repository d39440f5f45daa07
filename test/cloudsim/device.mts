import { isIPv4 } from "node:net";
import { within } from "./addresses.mts";
import { type Reached, SocksServer } from "./internet.mts";
import type { Machines } from "./machines.mts";
import { isPrivate, rangeAround } from "./tunnels.mts";
import type { HalfTunnel, PrivateNetwork } from "./types.mts";

/** The texts that a VPN device of the user's own is set up with. */
export interface DeviceTexts {
    readonly "swanctl.conf": string;
    readonly "bird.conf": string;
}

/** A place that no cloud has: a VPN device of the user's own, and one broker behind it. */
export interface PlaceParts {
    readonly machines: Machines;
    readonly name: string;
    /** What the device is set up with now; `undefined`: it is as it came. */
    readonly texts: () => DeviceTexts | undefined;
    /** The broker's private address, and the ports on loopback behind its ports. */
    readonly address: string;
    readonly ports: ReadonlyMap<number, number>;
    /** Whether connections are to begin with where they come from. @default false */
    readonly asksOrigin?: boolean;
}

/** A user's own place in the simulated world. */
export class OwnPlace {
    /** The way of its broker to other places. */
    readonly gateway: SocksServer;
    readonly #parts: PlaceParts;

    constructor(parts: PlaceParts) {
        this.#parts = parts;
        this.gateway = new SocksServer((host, port) => this.#leave(host, port));
    }

    async start(): Promise<void> {
        const { machines, name, ports, asksOrigin = false } = this.#parts;
        await this.gateway.start();
        machines.addHost(this.#id, { portOf: (port) => ports.get(port), asksOrigin, gateway: this.gateway });
        machines.world.add(name, () => this.network);
    }

    async stop(): Promise<void> {
        const { machines, name } = this.#parts;
        machines.world.remove(name);
        machines.removeHost(this.#id);
        await this.gateway.stop();
    }

    get #id(): string {
        return `place ${this.#parts.name}`;
    }

    /** What is behind the device. */
    get network(): PrivateNetwork {
        const { texts, address } = this.#parts;
        const id = this.#id;
        const now = texts();
        const halves = now === undefined ? [] : halvesOf(id, now);
        return {
            id,
            halves,
            peerings: [],
            holds: () => false,
            owns: (asked) => asked === address,
            lead: (_from, to, learned) => ({
                halves: halves.filter((half) => learned(half).some((told) => within(to, told))),
                peerings: [],
                none: `no tunnel of ${id} that is up leads to ${to}`,
            }),
            enter: ({ port }) => ({ machines: [id], port }),
        };
    }

    #leave(host: string, port: number): Reached {
        const { machines, address: source } = this.#parts;
        const [address] = isIPv4(host) ? [host] : machines.internet.lookup(host);
        if (address === undefined) {
            return { unknown: `nobody knows the name ${host}` };
        }
        if (!isPrivate(address)) {
            return { dropped: `${this.#id} has no way to ${address} but its tunnels` };
        }
        const route = () => machines.world.reach(this.network, { source, address, port }, (key) => machines.isReady(key));
        const reached = machines.internet.arrive(route(), { source, address, port });
        return "port" in reached ? { ...reached, lasts: () => "machines" in route() } : reached;
    }
}

/** The device's halves of tunnels, as its configuration has them. */
export function halvesOf(network: string, texts: DeviceTexts): readonly HalfTunnel[] {
    const swanctl = readBlocks(texts["swanctl.conf"]);
    const secrets = [...(swanctl.blocks.get("secrets")?.blocks.values() ?? [])];
    const bird = texts["bird.conf"];
    const told = [...bird.matchAll(/route (\S+) blackhole;/g)].map(([, range = ""]) => range);
    return [...(swanctl.blocks.get("connections")?.blocks ?? [])].map(([name, connection]) => {
        const text = (key: string) => connection.values.get(key) ?? "";
        const [outside, peerOutside] = [text("local_addrs"), text("remote_addrs")];
        const secret = secrets.find(
            ({ values }) => values.get("id-local") === outside && values.get("id-remote") === peerOutside,
        );
        const child = [...(connection.blocks.get("children")?.blocks.values() ?? [])][0];
        const symbol = name.replaceAll("-", "_");
        const session = new RegExp(
            `protocol bgp tunnel_${symbol} \\{[^}]*?local (\\S+) as (\\d+);\\s*neighbor (\\S+) as (\\d+);`,
        ).exec(bird);
        const taken = new RegExp(`filter from_${symbol} \\{ if net ~ \\[ ([^\\]]*) \\]`).exec(bird)?.[1] ?? "";
        const [, inside = "", asn = "", peerInside = "", peerAsn = ""] = session ?? [];
        return {
            name: `${network} ${name}`,
            network,
            outside,
            peerOutside,
            inside,
            peerInside,
            range: rangeAround(inside),
            key: (secret?.values.get("secret") ?? "").replaceAll('"', ""),
            ike: text("proposals"),
            esp: child?.values.get("esp_proposals") ?? "",
            ikeVersion: Number(text("version")),
            asn: Number(asn),
            peerAsn: Number(peerAsn),
            tells: told,
            takes: taken.split(",").map((each) => each.trim()),
            ...(session === null ? { lacks: "bird.conf has no session for it" } : {}),
        };
    });
}

/** A part of a configuration in strongSwan's form. */
interface Block {
    readonly values: Map<string, string>;
    readonly blocks: Map<string, Block>;
}

function readBlocks(text: string): Block {
    const root: Block = { values: new Map(), blocks: new Map() };
    const stack = [root];
    for (const line of text.split("\n").map((each) => each.trim())) {
        const top = stack.at(-1) ?? root;
        const [, opened] = /^(\S+) \{$/.exec(line) ?? [];
        const [, key, value] = /^(\S+) = (.*)$/.exec(line) ?? [];
        if (opened !== undefined) {
            const block: Block = { values: new Map(), blocks: new Map() };
            top.blocks.set(opened, block);
            stack.push(block);
        } else if (line === "}") {
            stack.pop();
        } else if (key !== undefined && value !== undefined) {
            top.values.set(key, value);
        }
    }
    return root;
}
