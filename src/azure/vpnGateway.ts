import * as network from "@pulumi/azure-native/network/index.js";
import type * as pulumi from "@pulumi/pulumi";
import type { VpnFacts } from "../contracts/facts.js";
import type { NativeNetwork, PlannedVpnPeer, VpnGateway, VpnPeer, VpnSide } from "../contracts/vpn.js";
import type { AzureSiteChoices } from "./choices.js";
import { addressOf, staticAddress } from "./egress.js";
import { type AzurePeerableNetwork, peerNetworks } from "./peering.js";
import { type AzureScope, place } from "./scope.js";
import { type ConnectingGateway, connectTunnels, type TunnelGateway } from "./tunnels.js";
import { bgpAddresses } from "./vpnArgs.js";

/** What a site's gateway is made from. */
export interface VpnGatewayParts {
    readonly choices: AzureSiteChoices;
    readonly facts: VpnFacts;
    readonly network: AzurePeerableNetwork;
    /** All pairs of the site: the gateway lists the BGP addresses of every one. */
    readonly peers: readonly PlannedVpnPeer[];
}

/** By these names the gateway speaks of its two instances. */
const instanceNames = ["instance-0", "instance-1"] as const;

/**
 * A site's VPN gateway. It is made with the first tunnels, as a child of the site; pairs within Azure need none, their networks are peered.
 * Azure takes 45 minutes or more for it, so nothing depends on it but connections: peers are told its two addresses at once.
 */
export class AzureVpnGateway implements VpnGateway, ConnectingGateway {
    readonly facts: VpnFacts;
    readonly network: AzurePeerableNetwork;
    latest: network.VirtualNetworkGatewayConnection | undefined;
    private readonly scope: AzureScope;
    private readonly vpnParts: VpnGatewayParts;
    private made: TunnelGateway | undefined;

    constructor(scope: AzureScope, parts: VpnGatewayParts) {
        this.scope = scope;
        this.facts = parts.facts;
        this.network = parts.network;
        this.vpnParts = parts;
    }

    /** The gateway and its addresses. Asking for them makes them. */
    get parts(): TunnelGateway {
        this.made ??= createGateway(this.scope, this.vpnParts);
        return this.made;
    }

    /** Asking for them makes the gateway. */
    get addresses(): readonly pulumi.Output<string>[] {
        return this.parts.addresses;
    }

    connect(peer: VpnPeer, opts: pulumi.CustomResourceOptions): VpnSide {
        const other = peer.gateway instanceof AzureVpnGateway ? peer.gateway.parts.gateway : undefined;
        return connectTunnels(this.scope, this, peer, other, opts);
    }

    peer(pair: string, other: NativeNetwork, opts: pulumi.CustomResourceOptions): readonly pulumi.Resource[] {
        return peerNetworks(pair, this.network, other, opts);
    }
}

/**
 * The gateway with two active instances, each with a reserved address. It learns and tells routes by BGP; it tells every peer of the others
 * too, which cannot be switched off: that peers do not reach each other through it is left to firewalls, all of which admit ranges of their own
 * pairs only.
 */
function createGateway(scope: AzureScope, { choices, facts, network: net, peers }: VpnGatewayParts): TunnelGateway {
    const { parent, plan } = scope;
    const { sku, plannedPeers } = choices.vpn;
    const reserve = (index: 0 | 1) => {
        const { name, at } = place(scope, `vpn-address-${index}`);
        return new network.PublicIPAddress(name, { ...at, ...staticAddress }, { parent });
    };
    const reserved = [reserve(0), reserve(1)] as const;
    const subnetId = gatewaySubnet(scope, choices, net);
    // The gateway names its own parts by id, so its name must be known. 69 characters at most; Azure takes 80.
    const gatewayName = `${plan.clusterName}-vpn`;
    const instanceId = (index: 0 | 1) =>
        reserved[0].id.apply(
            (id) =>
                `${id.split("/publicIPAddresses/")[0]}/virtualNetworkGateways/${gatewayName}/ipConfigurations/${instanceNames[index]}`,
        );
    const instances = [instanceId(0), instanceId(1)] as const;
    const own = bgpAddresses(plan.siteNumber, { plannedPeers }, peers);
    const { name, at } = place(scope, "vpn-gateway");
    const gateway = new network.VirtualNetworkGateway(
        name,
        {
            ...at,
            virtualNetworkGatewayName: gatewayName,
            gatewayType: "Vpn",
            vpnType: "RouteBased",
            sku: { name: sku, tier: sku },
            // The smallest size is of the first generation alone, the others are of the second too.
            ...(sku === "VpnGw1AZ" ? {} : { vpnGatewayGeneration: "Generation2" }),
            activeActive: true,
            enableBgp: true,
            ipConfigurations: [0, 1].map((index) => ({
                name: instanceNames[index === 0 ? 0 : 1],
                privateIPAllocationMethod: "Dynamic",
                subnet: { id: subnetId },
                publicIPAddress: { id: reserved[index === 0 ? 0 : 1].id },
            })),
            bgpSettings: {
                asn: facts.asn,
                ...(own[0].length === 0
                    ? {}
                    : {
                          bgpPeeringAddresses: ([0, 1] as const).map((index) => ({
                              ipconfigurationId: instances[index],
                              customBgpIpAddresses: [...own[index]],
                          })),
                      }),
            },
        },
        {
            parent,
            // A virtual network has one.
            deleteBeforeReplace: true,
            // Azure changes a gateway's size within its generation only.
            replaceOnChanges: ["vpnGatewayGeneration"],
            customTimeouts: { create: "90m", update: "90m", delete: "60m" },
        },
    );
    return { gateway, addresses: [addressOf(reserved[0]), addressOf(reserved[1])], instances };
}

/** The gateway's subnet, by the one name that Azure takes. It has neither a NAT gateway nor a security group, which Azure forbids there. */
function gatewaySubnet(
    { parent, plan }: AzureScope,
    choices: AzureSiteChoices,
    net: AzurePeerableNetwork,
): pulumi.Output<string> {
    const { gatewaySubnetId, resourceGroupName, name } = net.network;
    if (choices.network !== undefined) {
        if (gatewaySubnetId === undefined) {
            throw new Error(`${plan.name} has no subnet for a gateway`);
        }
        return gatewaySubnetId;
    }
    const subnet = new network.Subnet(
        `${plan.name}-gateway-subnet`,
        {
            resourceGroupName,
            virtualNetworkName: name,
            subnetName: "GatewaySubnet",
            addressPrefix: plan.ranges.gateway,
        },
        {
            parent,
            dependsOn: [...net.latest],
            deleteBeforeReplace: true,
            customTimeouts: { create: "20m", update: "20m", delete: "20m" },
        },
    );
    net.latest = [subnet];
    return subnet.id;
}
