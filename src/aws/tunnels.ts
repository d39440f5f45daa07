import * as ec2 from "@pulumi/aws/ec2/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { SideTunnel, VpnPeer, VpnSide } from "../contracts/vpn.js";
import type { IpsecSuite } from "../ipsec/suite.js";
import { type AwsScope, ownProvider, place } from "./scope.js";
import type { TunnelGateway } from "./tunnelGateway.js";

/** A suite in AWS's words: one algorithm for each role, the same in both phases. */
interface Proposal {
    readonly encryption: string;
    /** With GCM it is the pseudo-random function of phase 1; phase 2 has no use for it, yet AWS wants one. */
    readonly integrity: string;
    readonly group: number;
}

const proposals: Readonly<Record<IpsecSuite, Proposal>> = {
    "aes-cbc": { encryption: "AES256", integrity: "SHA2-256", group: 14 },
    "aes-gcm": { encryption: "AES256-GCM-16", integrity: "SHA2-384", group: 20 },
};
/** Seconds of silence until AWS takes a tunnel for dead and starts it anew: the least that it takes. */
const deadAfterSeconds = 30;
/** Beyond it a customer gateway has its number in a field of its own. */
const largestPlainAsn = 2_147_483_647;

/** This side of a pair's tunnels: for each address of the peer a customer gateway and a VPN connection with two tunnels. */
export function connectTunnels(
    scope: AwsScope,
    gateway: TunnelGateway,
    peer: VpnPeer,
    opts: pulumi.CustomResourceOptions,
): VpnSide {
    const here = { ...opts, ...ownProvider(scope) };
    const outsideAddresses: Record<string, pulumi.Output<string>> = {};
    const lookAt: Record<string, pulumi.Output<string>> = {};
    const ready: pulumi.Resource[] = [...gateway.leadTo(peer, opts)];
    for (const [number, tunnels] of connectionsOf(peer)) {
        const what = `${peer.facts.name}-${number}`;
        const connection = connect(scope, gateway, peer, what, tunnels, here);
        const routes = gateway.admitConnection(
            { what: `vpn-${what}`, attachmentId: connection.transitGatewayAttachmentId },
            here,
        );
        ready.push(connection, ...routes);
        for (const [index, { key }] of tunnels.entries()) {
            outsideAddresses[key] = index === 0 ? connection.tunnel1Address : connection.tunnel2Address;
            lookAt[key] = pulumi.interpolate`VPN connection ${connection.id}, tunnel ${index + 1}`;
        }
    }
    return { outsideAddresses, lookAt, ready };
}

type TwoTunnels = readonly [SideTunnel, SideTunnel];

/** The tunnels by the VPN connection that they are in: each has two to one address of the peer. */
function connectionsOf({ pair, tunnels }: VpnPeer): readonly (readonly [number: number, tunnels: TwoTunnels])[] {
    const numbers = [...new Set(tunnels.map(({ aws }) => aws?.connection))];
    return numbers.map((number) => {
        const inIt = tunnels.filter(({ aws }) => aws?.connection === number);
        const [first, second] = ([1, 2] as const).map((tunnel) => inIt.find(({ aws }) => aws?.tunnel === tunnel));
        if (number === undefined || first === undefined || second === undefined) {
            throw new Error(`the plan of pair ${pair} does not fill its VPN connections of AWS with two tunnels each`);
        }
        return [number, [first, second]];
    });
}

function connect(
    scope: AwsScope,
    { target }: TunnelGateway,
    peer: VpnPeer,
    what: string,
    tunnels: TwoTunnels,
    opts: pulumi.CustomResourceOptions,
): ec2.VpnConnection {
    const { region, plan } = scope;
    const customerPlace = place(scope, `customer-gateway-${what}`);
    const { asn } = peer.vpn;
    const customerGateway = new ec2.CustomerGateway(
        customerPlace.name,
        {
            region,
            type: "ipsec.1",
            ipAddress: known(peer, peer.outsideAddresses, tunnels[0]),
            ...(asn > largestPlainAsn ? { bgpAsnExtended: String(asn) } : { bgpAsn: String(asn) }),
            // Without a name of its own AWS gives every site of the account that has this peer one and the same customer gateway.
            deviceName: `${plan.meshId}-${peer.pair}-${tunnels[0].aws?.connection ?? 0}`,
            tags: customerPlace.tags,
        },
        // AWS answers with the old one where a second has the same address and number.
        { ...opts, deleteBeforeReplace: true },
    );
    const [first, second] = tunnels;
    const { encryption, integrity, group } = proposals[peer.suite];
    const at = place(scope, `vpn-connection-${what}`);
    return new ec2.VpnConnection(
        at.name,
        {
            region,
            type: "ipsec.1",
            customerGatewayId: customerGateway.id,
            ...target,
            staticRoutesOnly: false,
            tunnelInsideIpVersion: "ipv4",
            tunnel1InsideCidr: first.inside,
            tunnel2InsideCidr: second.inside,
            // Two different keys, by which the provider also knows the two tunnels apart.
            tunnel1PresharedKey: known(peer, peer.presharedKeys, first),
            tunnel2PresharedKey: known(peer, peer.presharedKeys, second),
            tunnel1IkeVersions: ["ikev2"],
            tunnel2IkeVersions: ["ikev2"],
            tunnel1Phase1EncryptionAlgorithms: [encryption],
            tunnel2Phase1EncryptionAlgorithms: [encryption],
            tunnel1Phase1IntegrityAlgorithms: [integrity],
            tunnel2Phase1IntegrityAlgorithms: [integrity],
            tunnel1Phase1DhGroupNumbers: [group],
            tunnel2Phase1DhGroupNumbers: [group],
            tunnel1Phase2EncryptionAlgorithms: [encryption],
            tunnel2Phase2EncryptionAlgorithms: [encryption],
            tunnel1Phase2IntegrityAlgorithms: [integrity],
            tunnel2Phase2IntegrityAlgorithms: [integrity],
            tunnel1Phase2DhGroupNumbers: [group],
            tunnel2Phase2DhGroupNumbers: [group],
            tunnel1StartupAction: "start",
            tunnel2StartupAction: "start",
            tunnel1DpdTimeoutAction: "restart",
            tunnel2DpdTimeoutAction: "restart",
            tunnel1DpdTimeoutSeconds: deadAfterSeconds,
            tunnel2DpdTimeoutSeconds: deadAfterSeconds,
            tags: at.tags,
        },
        {
            ...opts,
            // Two connections of a gateway cannot have the same inside ranges.
            deleteBeforeReplace: true,
            // AWS deletes no customer gateway that a connection still names: the connection, and what holds it, goes first. `replaceWith` would
            // not see to that order.
            replaceOnChanges: ["customerGatewayId"],
            additionalSecretOutputs: ["customerGatewayConfiguration", "tunnel1PresharedKey", "tunnel2PresharedKey"],
        },
    );
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
