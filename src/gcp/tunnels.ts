import * as compute from "@pulumi/gcp/compute/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { SideTunnel, VpnPeer, VpnSide } from "../contracts/vpn.js";
import type { IpsecSuite } from "../ipsec/suite.js";
import { type GcpScope, ownProvider, place } from "./scope.js";

/** What tunnels of a site end at. */
export interface TunnelGateway {
    readonly gateway: compute.HaVpnGateway;
    readonly router: compute.Router;
}

/** A suite in GCP's words: one algorithm for each role, the same in both phases. With GCM there is no integrity algorithm. */
const cipherSuites = {
    "aes-cbc": {
        phase1: {
            encryptions: ["AES-CBC-256"],
            integrities: ["HMAC-SHA2-256-128"],
            prves: ["PRF-HMAC-SHA2-256"],
            dhs: ["Group-14"],
        },
        phase2: { encryptions: ["AES-CBC-256"], integrities: ["HMAC-SHA2-256-128"], pfs: ["Group-14"] },
    },
    "aes-gcm": {
        phase1: { encryptions: ["AES-GCM-16-256"], prves: ["PRF-HMAC-SHA2-384"], dhs: ["Group-20"] },
        phase2: { encryptions: ["AES-GCM-16-256"], pfs: ["Group-20"] },
    },
} satisfies Readonly<Record<IpsecSuite, NonNullable<compute.VPNTunnelArgs["cipherSuite"]>>>;

/** What GCP calls a peer with so many public addresses. */
const redundancyTypes: Readonly<Record<number, string>> = {
    1: "SINGLE_IP_INTERNALLY_REDUNDANT",
    2: "TWO_IPS_REDUNDANCY",
    4: "FOUR_IPS_REDUNDANCY",
};
/** The same on all tunnels of a pair: all of them are used at once. */
const routePriority = 100;

/** What of a tunnel says where it leads. */
type FarEnd = (
    tunnel: SideTunnel,
) => Pick<compute.VPNTunnelArgs, "peerExternalGateway" | "peerExternalGatewayInterface" | "peerGcpGateway">;

/**
 * This side of a pair's tunnels: what GCP must know of the peer's gateway, the tunnels, and a BGP session in each. They are made anew in one
 * go with whatever of them GCP does not change in place, the old ones before the new ones: an address of the peer, a range and a place on the
 * router serve one tunnel at a time. What the pair changes on the router is made one after the other; pairs do not wait for each other, the
 * provider queues what it changes on one router.
 *
 * @param gatewayInGcp the peer's gateway where it is of GCP too
 */
export function connectTunnels(
    scope: GcpScope,
    gateway: TunnelGateway,
    peer: VpnPeer,
    gatewayInGcp: compute.HaVpnGateway | undefined,
    opts: pulumi.CustomResourceOptions,
): Pick<VpnSide, "lookAt" | "ready"> {
    const here = { ...opts, ...ownProvider(scope) };
    const lookAt: Record<string, pulumi.Output<string>> = {};
    const sessions: compute.RouterPeer[] = [];
    const farEnd = gatewayInGcp === undefined ? elsewhere(scope, peer, here) : inGcp(gatewayInGcp);
    const policy = importPolicy(scope, gateway, peer, here);
    for (const planned of peer.tunnels) {
        const after = sessions.at(-1) ?? policy;
        const { tunnel, session } = connect(scope, gateway, peer, planned, { farEnd, policy, after }, here);
        sessions.push(session);
        lookAt[planned.key] =
            pulumi.interpolate`VPN tunnel ${tunnel.name} in ${scope.region}, BGP session ${session.name} of router ${gateway.router.name}`;
    }
    return { lookAt, ready: sessions };
}

/** Another gateway of GCP is named itself: its addresses would be refused. Interface 0 meets interface 0, and 1 meets 1. */
function inGcp({ selfLink }: compute.HaVpnGateway): FarEnd {
    return () => ({ peerGcpGateway: selfLink });
}

/** A gateway outside of GCP, with its public addresses in the order of its interfaces. */
function elsewhere(scope: GcpScope, peer: VpnPeer, opts: pulumi.CustomResourceOptions): FarEnd {
    const addresses = new Map(peer.tunnels.map((tunnel) => [tunnel.peerInterface, known(peer, peer.outsideAddresses, tunnel)]));
    const redundancyType = redundancyTypes[addresses.size];
    if (redundancyType === undefined) {
        throw new Error(
            `pair ${peer.pair} is planned with ${addresses.size} addresses of ${peer.facts.name}; GCP takes 1, 2 or 4`,
        );
    }
    const { name, at } = place(scope, `vpn-peer-gateway-${peer.facts.name}`);
    const gateway = new compute.ExternalVpnGateway(
        name,
        {
            ...at,
            labels: scope.labels,
            description: `VPN gateway of ${peer.facts.name}`,
            redundancyType,
            interfaces: [...addresses].sort(([one], [other]) => one - other).map(([id, ipAddress]) => ({ id, ipAddress })),
        },
        { ...opts, deleteBeforeReplace: true },
    );
    return ({ peerInterface }) => ({ peerExternalGateway: gateway.selfLink, peerExternalGatewayInterface: peerInterface });
}

/**
 * What is taken from a peer: routes to its ranges, or to parts of them. Without it a peer could tell of ranges of its own peers, and the
 * site's packets would go through it to sites that it has no tunnel to.
 */
function importPolicy(
    scope: GcpScope,
    { router }: TunnelGateway,
    { facts, vpn }: VpnPeer,
    opts: pulumi.CustomResourceOptions,
): compute.RouterRoutePolicy {
    const { name, at } = place(scope, `vpn-routes-from-${facts.name}`);
    const ofPeer = `destination.inAnyRange([${vpn.ranges.map((range) => `prefix('${range}').orLonger()`).join(", ")}])`;
    const term = (priority: number, expression: string, action: string) => ({
        priority,
        match: { expression },
        actions: [{ expression: action }],
    });
    return new compute.RouterRoutePolicy(
        name,
        {
            ...at,
            region: scope.region,
            router: router.name,
            type: "ROUTE_POLICY_TYPE_IMPORT",
            // Both said, so that what GCP does with routes that no term fits does not matter.
            terms: [term(1, ofPeer, "accept()"), term(2, `!${ofPeer}`, "drop()")],
        },
        { ...opts, deleteBeforeReplace: true },
    );
}

/** What the tunnels of a pair share. */
interface Shared {
    readonly farEnd: FarEnd;
    readonly policy: compute.RouterRoutePolicy;
    /** What was changed on the router before. */
    readonly after: pulumi.Resource;
}

function connect(
    scope: GcpScope,
    { gateway, router }: TunnelGateway,
    peer: VpnPeer,
    planned: SideTunnel,
    { farEnd, policy, after }: Shared,
    opts: pulumi.CustomResourceOptions,
): { readonly tunnel: compute.VPNTunnel; readonly session: compute.RouterPeer } {
    const { region, labels } = scope;
    const { facts, vpn, suite } = peer;
    const what = `${facts.name}-${planned.key}`;
    const tunnelPlace = place(scope, `vpn-tunnel-${what}`);
    const tunnel = new compute.VPNTunnel(
        tunnelPlace.name,
        {
            ...tunnelPlace.at,
            region,
            labels,
            description: `Tunnel ${planned.key} of pair ${peer.pair}`,
            vpnGateway: gateway.selfLink,
            vpnGatewayInterface: planned.ownInterface,
            ...farEnd(planned),
            ikeVersion: 2,
            cipherSuite: cipherSuites[suite],
            sharedSecret: known(peer, peer.presharedKeys, planned),
            router: router.selfLink,
        },
        { ...opts, deleteBeforeReplace: true, additionalSecretOutputs: ["sharedSecret", "sharedSecretHash"] },
    );
    const interfacePlace = place(scope, `vpn-interface-${what}`);
    const routerInterface = new compute.RouterInterface(
        interfacePlace.name,
        {
            ...interfacePlace.at,
            region,
            router: router.name,
            ipRange: `${planned.ownAddress}/30`,
            // By its link, which is not known while the tunnel is made anew: the interface then goes before it.
            vpnTunnel: tunnel.selfLink,
        },
        { ...opts, deleteBeforeReplace: true, dependsOn: [after] },
    );
    const session = new compute.RouterPeer(
        place(scope, `vpn-session-${what}`).name,
        {
            // GCP takes no interface away that a session still uses, and a session would change its interface in place. With its interface's
            // name, which cannot be changed, it goes before the interface does.
            name: routerInterface.name,
            project: scope.project,
            region,
            router: router.name,
            interface: routerInterface.name,
            ipAddress: planned.ownAddress,
            peerIpAddress: planned.peerAddress,
            peerAsn: vpn.asn,
            advertisedRoutePriority: routePriority,
            importPolicies: [policy.name],
        },
        { ...opts, deleteBeforeReplace: true },
    );
    return { tunnel, session };
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
