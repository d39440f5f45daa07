import * as compute from "@pulumi/gcp/compute/index.js";
import type * as pulumi from "@pulumi/pulumi";
import type { VpnFacts } from "../contracts/facts.js";
import type { NativeNetwork, VpnGateway, VpnPeer, VpnSide } from "../contracts/vpn.js";
import type { GcpNetwork } from "./network.js";
import { GcpPeerableNetwork, peerNetworks } from "./peering.js";
import { type GcpScope, place } from "./scope.js";
import { connectTunnels, type TunnelGateway } from "./tunnels.js";

/** Public addresses of an HA VPN gateway: one for each of its two interfaces. */
const interfaceNumbers = [0, 1] as const;
/** Seconds between signs of life in BGP; a peer is given up after three. The least that GCP takes. */
const keepaliveSeconds = 20;

/**
 * A site's VPN gateway. It is made with the first tunnels, as a child of the site; pairs within GCP need none, their networks are peered. Its
 * two public addresses exist before any tunnel.
 */
export class GcpVpnGateway implements VpnGateway {
    readonly facts: VpnFacts;
    readonly network: GcpPeerableNetwork;
    private readonly scope: GcpScope;
    private made: TunnelGateway | undefined;

    constructor(scope: GcpScope, facts: VpnFacts, network: GcpNetwork) {
        this.scope = scope;
        this.facts = facts;
        this.network = new GcpPeerableNetwork(scope, network, facts.ranges);
    }

    /** Asking for them makes the gateway. */
    get addresses(): readonly pulumi.Output<string>[] {
        const { gateway } = this.create();
        return interfaceNumbers.map((number) => gateway.vpnInterfaces.apply((found) => addressOf(found, number)));
    }

    connect(peer: VpnPeer, opts: pulumi.CustomResourceOptions): VpnSide {
        const { addresses } = this;
        return {
            ...connectTunnels(this.scope, this.create(), peer, ofGcp(peer)?.create().gateway, opts),
            outsideAddresses: Object.fromEntries(
                peer.tunnels.map(({ key, ownInterface }) => [key, addressAt(addresses, ownInterface, peer.pair)]),
            ),
        };
    }

    peer(pair: string, other: NativeNetwork, opts: pulumi.CustomResourceOptions): readonly pulumi.Resource[] {
        return peerNetworks(pair, this.network, other, opts);
    }

    private create(): TunnelGateway {
        this.made ??= createGateway(this.scope, this.facts, this.network.network);
        return this.made;
    }
}

/** A peer's gateway where it is of GCP too: tunnels name it itself. */
function ofGcp({ pair, facts, gateway }: VpnPeer): GcpVpnGateway | undefined {
    if (facts.platform !== "gcp") {
        return undefined;
    }
    if (!(gateway instanceof GcpVpnGateway)) {
        throw new Error(`the gateway of ${facts.name} (pair ${pair}) is none of GCP`);
    }
    return gateway;
}

/**
 * The gateway with a router of its own: the NAT's router has no BGP, and stays as it is when the first tunnels come. The router announces the
 * site's ranges, never all subnetworks: in a network of the user's these are not the site's.
 */
function createGateway(scope: GcpScope, { asn, ranges }: VpnFacts, network: GcpNetwork): TunnelGateway {
    const { parent, plan, region, labels } = scope;
    // After the subnetwork: a network that was just made is "not ready" for some seconds.
    const options = { parent, dependsOn: [...network.ready] };
    const entrance = place(scope, "vpn-gateway");
    const gateway = new compute.HaVpnGateway(
        entrance.name,
        {
            ...entrance.at,
            region,
            labels,
            network: network.selfLink,
            stackType: "IPV4_ONLY",
            description: `VPN gateway of ${plan.clusterName}`,
        },
        options,
    );
    const routing = place(scope, "vpn-router");
    const router = new compute.Router(
        routing.name,
        {
            ...routing.at,
            region,
            network: network.selfLink,
            description: `Routes of the VPN gateway of ${plan.clusterName}`,
            bgp: {
                asn,
                advertiseMode: "CUSTOM",
                advertisedIpRanges: ranges.map((range) => ({ range, description: `Site ${plan.name}` })),
                keepaliveInterval: keepaliveSeconds,
            },
        },
        options,
    );
    return { gateway, router };
}

function addressAt(addresses: readonly pulumi.Output<string>[], number: number, pair: string): pulumi.Output<string> {
    const address = addresses[number];
    if (address === undefined) {
        throw new Error(`pair ${pair} is planned with interface ${number}; an HA VPN gateway has ${addresses.length}`);
    }
    return address;
}

function addressOf(
    interfaces: readonly { readonly id?: number | undefined; readonly ipAddress?: string | undefined }[],
    number: number,
): string {
    const address = interfaces.find(({ id }) => id === number)?.ipAddress;
    if (address === undefined) {
        throw new Error(`the HA VPN gateway has no address for interface ${number}`);
    }
    return address;
}
