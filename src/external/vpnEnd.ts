import * as pulumi from "@pulumi/pulumi";
import { defaultAsn } from "../addressing/asn.js";
import type { LinkDoor, VpnEnd, VpnFacts } from "../contracts/site.js";
import type { VpnGateway, VpnPeer, VpnSide } from "../contracts/vpn.js";
import { checkServerAddress } from "../emqx/serverAddress.js";
import { InputError } from "../errors.js";
import { renderBird } from "../ipsec/bird.js";
import { cloudTimers, type Device, type DeviceTunnel } from "../ipsec/device.js";
import { renderFrr } from "../ipsec/frr.js";
import { renderSetup } from "../ipsec/setup.js";
import { renderSwanctl } from "../ipsec/swanctl.js";
import type { ExternalVpnArgs } from "./vpnArgs.js";

/** Files for a VPN device: IPsec by strongSwan, BGP by BIRD or FRR (one of the two), and what prepares the machine for both. */
export interface DeviceConfiguration {
    readonly "swanctl.conf": string;
    readonly "bird.conf": string;
    readonly "frr.conf": string;
    readonly "setup.sh": string;
}

/** What the mesh's plan reads of a device. */
export function externalVpnFacts(name: string, siteNumber: number, vpn: ExternalVpnArgs): VpnFacts {
    return {
        asn: vpn.asn ?? defaultAsn(siteNumber),
        ranges: vpn.ranges,
        end: {
            name,
            siteNumber,
            platform: "external",
            scope: `device ${vpn.device ?? name}`,
            addresses: vpn.addresses.length === 1 ? 1 : 2,
        },
        tunnelPool: vpn.tunnelPool,
    };
}

/** The VPN device of an existing cluster. Linkspan changes nothing on it: it renders the configuration that matches the peers' halves. */
export class ExternalDevice implements VpnGateway {
    readonly facts: VpnFacts;
    readonly addresses: readonly pulumi.Output<string>[];
    private readonly site: string;
    private readonly vpn: ExternalVpnArgs;
    private readonly tunnels: pulumi.Output<DeviceTunnel>[] = [];

    constructor(site: string, facts: VpnFacts, vpn: ExternalVpnArgs) {
        this.site = site;
        this.facts = facts;
        this.vpn = vpn;
        this.addresses = vpn.addresses.map((address) => pulumi.output(address));
    }

    connect(peer: VpnPeer): VpnSide {
        const own = (index: number) => this.vpn.addresses[index] ?? this.vpn.addresses[0] ?? "";
        for (const tunnel of peer.tunnels) {
            this.tunnels.push(
                pulumi
                    .all([peer.presharedKeys[tunnel.key], peer.outsideAddresses[tunnel.key]])
                    .apply(([presharedKey = "", remoteAddress = ""]) => ({
                        name: `${peer.facts.name}-${tunnel.key}`,
                        localAddress: own(tunnel.ownInterface),
                        remoteAddress,
                        localInside: tunnel.ownAddress,
                        remoteInside: tunnel.peerAddress,
                        presharedKey,
                        suite: peer.suite,
                        remoteAsn: peer.vpn.asn,
                        remoteRanges: peer.vpn.ranges,
                    })),
            );
        }
        const by = <T>(value: (tunnel: VpnPeer["tunnels"][number]) => T) =>
            Object.fromEntries(peer.tunnels.map((tunnel) => [tunnel.key, value(tunnel)]));
        return {
            outsideAddresses: by(({ ownInterface }) => pulumi.output(own(ownInterface))),
            lookAt: by(({ key }) =>
                pulumi.output(`on the device: swanctl --list-sas --ike ${peer.facts.name}-${key}, birdc show protocols`),
            ),
            // Nothing waits for the device: it belongs to somebody else, and the proof says whether it works.
            ready: [],
        };
    }

    /**
     * The device's files, with the pre-shared keys: secret.
     *
     * @throws InputError before the site is in a mesh with a pair of tier `vpn`
     */
    configuration(): pulumi.Output<DeviceConfiguration> {
        if (this.tunnels.length === 0) {
            throw new InputError(
                "deviceConfiguration",
                `${this.site} has no pair of tier vpn; read it after the Mesh is made, and give a pair of ${this.site} that tier`,
            );
        }
        return pulumi.secret(
            pulumi.all(this.tunnels).apply((tunnels) => {
                const device: Device = {
                    site: this.site,
                    asn: this.facts.asn,
                    ranges: this.facts.ranges,
                    routerId: this.vpn.addresses[0] ?? "",
                    suite: "aes-cbc",
                    timers: cloudTimers,
                    dataPath: "xfrm",
                    tunnels,
                };
                return {
                    "swanctl.conf": renderSwanctl(device),
                    "bird.conf": renderBird(device),
                    "frr.conf": renderFrr(device),
                    "setup.sh": renderSetup(device),
                };
            }),
        );
    }
}

/** An existing cluster's half of tier `vpn`: its listener for links behind the device. */
export function externalVpnEnd(door: LinkDoor, vpn: ExternalVpnArgs, device: ExternalDevice): VpnEnd {
    return {
        tier: "vpn",
        door: {
            ...door,
            server: pulumi.output(checkServerAddress(vpn.linkServer, { argument: "vpn.linkServer" })),
            address: undefined,
            leadsTo: undefined,
        },
        // Peers see the brokers by their private addresses: the ranges are what their rules name.
        egress: [],
        admit: () => [],
        gateway: device,
    };
}
