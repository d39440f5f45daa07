import * as pulumi from "@pulumi/pulumi";
import { defaultAsn } from "../../addressing/asn.js";
import { interconnectPool, tunnelsOf } from "../../addressing/tunnels.js";
import type {
    EgressAddress,
    InterconnectEnd,
    LinkDoor,
    NameService,
    PublicEnd,
    SiteFacts,
    TierPeer,
    VpnEnd,
    VpnFacts,
} from "../../contracts/site.js";
import type { VpnGateway, VpnPeer, VpnSide } from "../../contracts/vpn.js";
import type { Tier } from "../../naming.js";
import { type LocalDoor, linkDoor } from "../door.js";
import { brokerPorts, namespaceOf, type SiteAddresses, siteAddresses } from "./holder/addresses.js";
import { defaultBgp, type LineSpec, type SiteSpec } from "./holder/desired.js";
import { LocalName } from "./localName.js";
import type { LocalNetwork } from "./localNetwork.js";
import { LocalPath, type LocalPathArgs } from "./localPath.js";

/** How a site's BGP notices silence. */
export interface LocalBgpArgs {
    /** Seconds of silence after which a neighbour is given up where BFD does not see it first, 3 to 180. @default 9 */
    readonly holdSeconds?: number | undefined;
    /**
     * Milliseconds between BFD's signs of life, 50 to 1000, or 0 for no BFD: three missing ones are silence. The default leaves a silent tunnel
     * well within 300 ms on a machine with processor time to spare; set more where it has none, or tunnels fall silent for want of it. This
     * is the local network's alone: clouds' managed VPNs have no BFD and notice silence after tens of seconds (the mesh's `paths` say how many).
     * @default 60
     */
    readonly bfdIntervalMs?: number | undefined;
}

/** What of a tier is not a cloud's own, at level `network`: everything else of it is real. */
const networkTiers: SiteFacts["tiers"] = {
    nat: {
        supported: true,
        standsFor:
            "Tier nat: the NAT gateways, load balancers and firewalls of clouds. Here this machine's kernel translated addresses and held the allow-lists.",
    },
    vpn: {
        supported: true,
        standsFor:
            "Tier vpn: the VPN gateways of clouds. Here strongSwan made the tunnels (IKEv2, IPsec) and BIRD exchanged the routes (BGP).",
    },
    interconnect: {
        supported: true,
        standsFor:
            "Tier interconnect: no line of a carrier was ordered. Here a private link of this machine joined the sites, with routes by BGP (BIRD).",
    },
};

/** The part of a local site that is its network, at level `network`. */
export class NetworkSite {
    readonly spec: SiteSpec;
    readonly addresses: SiteAddresses;
    readonly facts: Pick<SiteFacts, "tiers" | "cidr" | "vpn" | "filtersSources" | "fixedEgress" | "level">;
    readonly nameService: NameService;
    readonly stateDir: string;
    private readonly namesDir: string;
    private readonly network: LocalNetwork;
    private ready: readonly pulumi.Resource[] = [];

    constructor(
        name: string,
        siteNumber: number,
        parts: { network: LocalNetwork; namesDir: string; bgp?: LocalBgpArgs | undefined },
    ) {
        const asn = defaultAsn(siteNumber);
        this.network = parts.network;
        this.stateDir = parts.network.stateDir;
        this.namesDir = parts.namesDir;
        this.spec = {
            name,
            siteNumber,
            asn,
            holdSeconds: parts.bgp?.holdSeconds ?? defaultBgp.holdSeconds,
            bfdIntervalMs: parts.bgp?.bfdIntervalMs ?? defaultBgp.bfdIntervalMs,
        };
        this.addresses = siteAddresses(siteNumber);
        const vpn: VpnFacts = {
            asn,
            ranges: [this.addresses.cidr],
            end: { name, siteNumber, platform: "local", scope: `local site ${name}`, addresses: 2 },
        };
        this.facts = {
            tiers: networkTiers,
            cidr: this.addresses.cidr,
            vpn,
            filtersSources: true,
            fixedEgress: true,
            level: "network",
        };
        this.nameService = {
            point: ({ facts, host, address }, opts) => [
                new LocalName(
                    `${name}-name-of-${facts.name}`,
                    { namesDir: this.namesDir, host, address: address.value, port: address.port },
                    this.after(opts),
                ),
            ],
        };
    }

    /** Paths are made after these: the site's part of the network is made with its broker. */
    standsOn(ready: readonly pulumi.Resource[]): void {
        this.ready = [this.network, ...ready];
    }

    publicEnd(door: LocalDoor): PublicEnd {
        const { name } = this.spec;
        return {
            tier: "nat",
            door: doorAt(door, this.addresses.public),
            egress: this.egress(),
            admit: ({ facts, egress }, opts) => [
                new LocalPath(
                    `${name}-nat-from-${facts.name}`,
                    { ...this.half(facts, "nat"), part: "door", admits: pulumi.all(egress.map(({ address }) => address)) },
                    this.after(opts),
                ),
            ],
        };
    }

    vpnEnd(door: LocalDoor): VpnEnd {
        return {
            tier: "vpn",
            door: doorAt(door, this.addresses.linkDoor),
            egress: [],
            admit: (peer, opts) => this.admitPrivately("vpn", peer, opts),
            gateway: this.gateway(),
        };
    }

    interconnectEnd(door: LocalDoor): InterconnectEnd {
        return {
            tier: "interconnect",
            door: doorAt(door, this.addresses.linkDoor),
            egress: [],
            admit: (peer, opts) => this.orderLine(peer, opts),
        };
    }

    private egress(): readonly EgressAddress[] {
        return [{ key: "router", address: pulumi.output(this.addresses.public) }];
    }

    private admitPrivately(
        tier: "vpn" | "interconnect",
        { facts }: TierPeer,
        opts: pulumi.CustomResourceOptions,
        line?: LineSpec | undefined,
    ): readonly pulumi.Resource[] {
        const args: LocalPathArgs = { ...this.half(facts, tier), part: "door", admits: facts.vpn?.ranges ?? [], line };
        return [new LocalPath(`${this.spec.name}-${tier}-from-${facts.name}`, args, this.after(opts))];
    }

    private orderLine(peer: TierPeer, opts: pulumi.CustomResourceOptions): readonly pulumi.Resource[] {
        const { name } = this.spec;
        const halves = this.admitPrivately("interconnect", peer, opts, this.lineTo(peer.facts));
        if (name > peer.facts.name) {
            return halves;
        }
        // Without it a pair that comes from tunnels would lose them while the line has no routes yet: both lead to the same address.
        const check: LocalPathArgs = { ...this.half(peer.facts, "interconnect"), part: "check", admits: [], wait: true };
        const after = this.after(opts);
        return [
            ...halves,
            new LocalPath(`${name}-line-to-${peer.facts.name}`, check, { ...after, dependsOn: [...this.ready, ...halves] }),
        ];
    }

    private gateway(): VpnGateway {
        const { gateways } = this.addresses;
        return {
            facts: this.vpnFacts(),
            addresses: gateways.map((each) => pulumi.output(each.public)),
            connect: (peer, opts) => this.connect(peer, opts),
        };
    }

    private connect(peer: VpnPeer, opts: pulumi.CustomResourceOptions): VpnSide {
        const { name, siteNumber } = this.spec;
        // One end begins, the other one answers. The half that begins is made last: the addresses that it is told come from the other half.
        const initiates = name < peer.facts.name;
        const tunnels = pulumi.all(
            peer.tunnels.map(({ key, ownAddress, peerAddress, ownInterface }) =>
                pulumi
                    .all([peer.presharedKeys[key], peer.outsideAddresses[key]])
                    .apply(([presharedKey = "", remoteAddress = ""]) => ({
                        key,
                        gateway: ownInterface === 0 ? (0 as const) : (1 as const),
                        localInside: ownAddress,
                        remoteInside: peerAddress,
                        remoteAddress,
                        presharedKey,
                    })),
            ),
        );
        const path = new LocalPath(
            `${name}-tunnels-${peer.facts.name}`,
            {
                ...this.half(peer.facts, "vpn"),
                part: "tunnels",
                admits: [],
                tunnels: {
                    suite: peer.suite,
                    remoteAsn: peer.vpn.asn,
                    remoteRanges: peer.vpn.ranges,
                    localRanges: this.vpnFacts().ranges,
                    initiates,
                    tunnels,
                },
                wait: initiates,
            },
            this.after(opts),
        );
        const by = <T>(value: (tunnel: VpnPeer["tunnels"][number]) => T) =>
            Object.fromEntries(peer.tunnels.map((tunnel) => [tunnel.key, value(tunnel)]));
        return {
            outsideAddresses: by(({ ownInterface }) =>
                path.digest.apply(() => this.addresses.gateways[ownInterface === 0 ? 0 : 1].public),
            ),
            lookAt: by(({ key, ownInterface }) =>
                pulumi.output(
                    `in namespace ${namespaceOf.gateway(siteNumber, ownInterface)} of the local network (${this.stateDir}/holder.log): swanctl --list-sas --ike ${peer.facts.name}-${key}, birdc show protocols`,
                ),
            ),
            ready: [path],
        };
    }

    private lineTo(peer: SiteFacts): LineSpec | undefined {
        const [own, far] = [this.facts.vpn, peer.vpn];
        if (own === undefined || far === undefined) {
            return undefined;
        }
        const [line] = tunnelsOf(own.end, far.end, interconnectPool);
        return line === undefined
            ? undefined
            : {
                  localInside: line.addressOfA,
                  remoteInside: line.addressOfB,
                  remoteAsn: far.asn,
                  remoteRanges: far.ranges,
              };
    }

    private half(peer: SiteFacts, tier: Tier) {
        return { stateDir: this.stateDir, site: this.spec.name, peer: peer.name, peerNumber: peer.siteNumber, tier };
    }

    private vpnFacts(): VpnFacts {
        if (this.facts.vpn === undefined) {
            throw new Error(`${this.spec.name} has no VPN facts`);
        }
        return this.facts.vpn;
    }

    private after(opts: pulumi.CustomResourceOptions): pulumi.CustomResourceOptions {
        return { ...opts, dependsOn: [...this.ready] };
    }
}

/** The site's link door where a tier finds it. */
function doorAt(local: LocalDoor, address: string): LinkDoor {
    return {
        ...linkDoor(local),
        address: { host: local.host, recordType: "A", value: pulumi.output(address), port: brokerPorts.links },
    };
}
