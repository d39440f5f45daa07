import type * as pulumi from "@pulumi/pulumi";
import type { VpnFacts } from "../contracts/facts.js";
import type { NativeNetwork, VpnGateway, VpnPeer, VpnSide } from "../contracts/vpn.js";
import type { AwsSiteChoices } from "./choices.js";
import { AwsPeerableNetwork, peerNetworks } from "./peering.js";
import type { AwsScope } from "./scope.js";
import { createTransitGateway } from "./transitGateway.js";
import type { TunnelGateway } from "./tunnelGateway.js";
import { connectTunnels } from "./tunnels.js";
import { createVirtualGateway } from "./virtualGateway.js";
import type { AwsNetwork } from "./zones.js";

/**
 * A site's VPN gateway. It is made with the first tunnels, as a child of the site; pairs within AWS need none, their networks are peered.
 * Each tunnel has a public address of its own, which AWS gives when it is made.
 */
export class AwsVpnGateway implements VpnGateway {
    readonly facts: VpnFacts;
    readonly network: AwsPeerableNetwork;
    private readonly create: () => TunnelGateway;
    private readonly scope: AwsScope;
    private made: TunnelGateway | undefined;

    constructor(scope: AwsScope, choices: AwsSiteChoices, facts: VpnFacts, network: AwsNetwork) {
        const create = choices.vpn.gateway === "transit" ? createTransitGateway : createVirtualGateway;
        this.facts = facts;
        this.scope = scope;
        this.network = new AwsPeerableNetwork(scope, network, facts.ranges);
        this.create = () => create(scope, choices, facts, network);
    }

    connect(peer: VpnPeer, opts: pulumi.CustomResourceOptions): VpnSide {
        this.made ??= this.create();
        return connectTunnels(this.scope, this.made, peer, opts);
    }

    peer(pair: string, other: NativeNetwork, opts: pulumi.CustomResourceOptions): readonly pulumi.Resource[] {
        return peerNetworks(pair, this.network, other, opts);
    }
}
