import type * as pulumi from "@pulumi/pulumi";
import type { VpnPeer } from "../contracts/vpn.js";

/** What VPN connections of a site end at. */
export interface TunnelGateway {
    /** As a VPN connection names it. */
    readonly target: { readonly transitGatewayId: pulumi.Output<string> } | { readonly vpnGatewayId: pulumi.Output<string> };
    /** Leads what comes out of a VPN connection into the site's network, and takes the routes that come with it. */
    admitConnection(
        connection: { readonly what: string; readonly attachmentId: pulumi.Output<string> },
        opts: pulumi.CustomResourceOptions,
    ): readonly pulumi.Resource[];
    /** Leads a peer's ranges from the site's subnets into the tunnels. */
    leadTo(peer: VpnPeer, opts: pulumi.CustomResourceOptions): readonly pulumi.Resource[];
}
