import * as network from "@pulumi/azure-native/network/index.js";
import type * as inputs from "@pulumi/azure-native/types/input.js";
import * as pulumi from "@pulumi/pulumi";
import type { SideTunnel, VpnPeer, VpnSide } from "../contracts/vpn.js";
import { type IpsecSuite, lifetimes } from "../ipsec/suite.js";
import { type AzureScope, ownProvider, place } from "./scope.js";

/** What tunnels of a site end at. */
export interface TunnelGateway {
    readonly gateway: network.VirtualNetworkGateway;
    /** Public addresses of the two instances. They exist long before the gateway and depend on nothing of it. */
    readonly addresses: readonly [pulumi.Output<string>, pulumi.Output<string>];
    /** Ids of the two instances' configurations. */
    readonly instances: readonly [pulumi.Output<string>, pulumi.Output<string>];
}

/** A gateway that makes connections. */
export interface ConnectingGateway {
    /** Asking for them makes the gateway. */
    readonly parts: TunnelGateway;
    /** The connection that was asked for last: Azure fails where many are made on one gateway at once, so the next one waits for it. */
    latest: network.VirtualNetworkGatewayConnection | undefined;
}

/** A suite in Azure's words: one algorithm for each role. With GCM, Azure wants the same name for both roles of ESP. */
const algorithms = {
    "aes-cbc": {
        ikeEncryption: "AES256",
        ikeIntegrity: "SHA256",
        dhGroup: "DHGroup14",
        ipsecEncryption: "AES256",
        ipsecIntegrity: "SHA256",
        pfsGroup: "PFS2048",
    },
    "aes-gcm": {
        ikeEncryption: "GCMAES256",
        ikeIntegrity: "SHA384",
        dhGroup: "ECP384",
        ipsecEncryption: "GCMAES256",
        ipsecIntegrity: "GCMAES256",
        pfsGroup: "ECP384",
    },
} as const satisfies Readonly<Record<IpsecSuite, Partial<inputs.network.IpsecPolicyArgs>>>;
/** Keys of ESP live by the clock; the volume is Azure's own default, about 100 GB. */
const volumeKilobytes = 102_400_000;
/** Seconds of silence until Azure takes a tunnel for dead: its default, and the upper end of what it advises. */
const deadAfterSeconds = 45;

/**
 * This side of a pair's tunnels: for each, what Azure must know of the peer's gateway, and a connection.
 *
 * @param other the peer's gateway, where it is one of Azure too
 */
export function connectTunnels(
    scope: AzureScope,
    own: ConnectingGateway,
    peer: VpnPeer,
    other: network.VirtualNetworkGateway | undefined,
    opts: pulumi.CustomResourceOptions,
): VpnSide {
    const here = { ...opts, ...ownProvider(scope) };
    const { addresses, gateway } = own.parts;
    const outsideAddresses: Record<string, pulumi.Output<string>> = {};
    const lookAt: Record<string, pulumi.Output<string>> = {};
    const ready: pulumi.Resource[] = [];
    for (const tunnel of peer.tunnels) {
        const farEnd = other === undefined ? elsewhere(scope, own, peer, tunnel, here) : ofAzure(other);
        const connection = connect(scope, own, peer, tunnel, farEnd, here);
        ready.push(connection);
        lookAt[tunnel.key] = pulumi.interpolate`connection ${lastPart(connection)} of VPN gateway ${lastPart(gateway)}`;
        outsideAddresses[tunnel.key] =
            // Both instances of both gateways take part in the one connection of two gateways of Azure.
            other === undefined
                ? addresses[tunnel.ownInterface === 0 ? 0 : 1]
                : pulumi.interpolate`${addresses[0]}, ${addresses[1]}`;
    }
    return { outsideAddresses, lookAt, ready };
}

/** What of a connection says where it leads. */
interface FarEnd {
    readonly args: Pick<
        network.VirtualNetworkGatewayConnectionArgs,
        "connectionType" | "localNetworkGateway2" | "virtualNetworkGateway2" | "gatewayCustomBgpIpAddresses"
    >;
    /** The connection is made anew with it. */
    readonly itself: pulumi.Resource;
}

/** Another gateway of Azure is named itself; both tell each other their routes between addresses of their subnets. */
function ofAzure(itself: network.VirtualNetworkGateway): FarEnd {
    return { args: { connectionType: "Vnet2Vnet", virtualNetworkGateway2: { id: itself.id } }, itself };
}

/** A gateway outside of Azure: its public address for this tunnel, and its BGP address in it, by which Azure routes to nothing else. */
function elsewhere(
    scope: AzureScope,
    { parts }: ConnectingGateway,
    peer: VpnPeer,
    tunnel: SideTunnel,
    opts: pulumi.CustomResourceOptions,
): FarEnd {
    const { azure } = tunnel;
    if (azure === undefined) {
        throw new Error(`the plan of pair ${peer.pair} has no addresses of Azure for tunnel ${tunnel.key}`);
    }
    const { name, at } = place(scope, `vpn-peer-gateway-${peer.facts.name}-${tunnel.key}`);
    const itself = new network.LocalNetworkGateway(
        name,
        {
            ...at,
            gatewayIpAddress: known(peer, peer.outsideAddresses, tunnel),
            bgpSettings: { asn: peer.vpn.asn, bgpPeeringAddress: tunnel.peerAddress },
            // Routes come by BGP.
            localNetworkAddressSpace: { addressPrefixes: [] },
        },
        opts,
    );
    return {
        args: {
            connectionType: "IPsec",
            localNetworkGateway2: { id: itself.id },
            // One entry for each instance, also for the one that this tunnel does not meet: without it Azure would take its first address.
            gatewayCustomBgpIpAddresses: ([0, 1] as const).map((instance) => ({
                ipConfigurationId: parts.instances[instance],
                customBgpIpAddress: azure.bgpAddresses[instance],
            })),
        },
        itself,
    };
}

function connect(
    scope: AzureScope,
    own: ConnectingGateway,
    peer: VpnPeer,
    tunnel: SideTunnel,
    farEnd: FarEnd,
    opts: pulumi.CustomResourceOptions,
): network.VirtualNetworkGatewayConnection {
    const { gateway } = own.parts;
    const { name, at } = place(scope, `vpn-connection-${peer.facts.name}-${tunnel.key}`);
    const connection = new network.VirtualNetworkGatewayConnection(
        name,
        {
            ...at,
            ...farEnd.args,
            connectionProtocol: "IKEv2",
            connectionMode: "Default",
            virtualNetworkGateway1: { id: gateway.id },
            sharedKey: known(peer, peer.presharedKeys, tunnel),
            enableBgp: true,
            usePolicyBasedTrafficSelectors: false,
            dpdTimeoutSeconds: deadAfterSeconds,
            ipsecPolicies: [
                { ...algorithms[peer.suite], saLifeTimeSeconds: lifetimes.esp, saDataSizeKilobytes: volumeKilobytes },
            ],
        },
        {
            ...opts,
            ...(own.latest === undefined ? {} : { dependsOn: [own.latest] }),
            // A gateway has one connection to a peer's address.
            deleteBeforeReplace: true,
            // Azure has been seen to change a key without an end; the pair's other tunnels carry on meanwhile.
            replaceOnChanges: ["sharedKey", "connectionType"],
            // Azure deletes neither gateway while a connection names it.
            replaceWith: [gateway, farEnd.itself],
            additionalSecretOutputs: ["sharedKey"],
            customTimeouts: { create: "30m", update: "30m", delete: "30m" },
        },
    );
    own.latest = connection;
    return connection;
}

/** A resource's own name, as Azure shows it. */
function lastPart({ id }: pulumi.CustomResource): pulumi.Output<string> {
    return id.apply((text) => text.slice(text.lastIndexOf("/") + 1));
}

/** What the pair knows of a tunnel. */
function known(
    { pair }: VpnPeer,
    by: Readonly<Record<string, pulumi.Output<string>>>,
    { key }: SideTunnel,
): pulumi.Output<string> {
    const found = by[key];
    if (found === undefined) {
        throw new Error(`nothing is known of tunnel ${key} of pair ${pair}`);
    }
    return found;
}
