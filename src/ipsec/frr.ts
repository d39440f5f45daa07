import type { Device } from "./device.js";

/** The device's BGP as `frr.conf` (bgpd) of FRR 8 and later. The same routes as `renderBird`'s. */
export function renderFrr(device: Device): string {
    const { bfd, keepalive, hold } = device.timers;
    const lines = [
        "frr defaults traditional",
        // Clouds' BGP has no policy of ours; ours is written out below for every neighbour.
        `router bgp ${device.asn}`,
        ` bgp router-id ${device.routerId}`,
        ` timers bgp ${keepalive} ${hold}`,
        " bgp bestpath as-path multipath-relax",
        ...device.tunnels.flatMap((tunnel) => [
            ` neighbor ${tunnel.remoteInside} remote-as ${tunnel.remoteAsn}`,
            ` neighbor ${tunnel.remoteInside} description ${tunnel.name}`,
            ` neighbor ${tunnel.remoteInside} update-source ${tunnel.localInside}`,
            ` neighbor ${tunnel.remoteInside} ebgp-multihop 2`,
            ...(bfd === undefined
                ? []
                : [` neighbor ${tunnel.remoteInside} bfd ${bfd.multiplier} ${bfd.intervalMs} ${bfd.intervalMs}`]),
        ]),
        " address-family ipv4 unicast",
        ...device.ranges.map((range) => `  network ${range}`),
        ...device.tunnels.flatMap((tunnel) => [
            `  neighbor ${tunnel.remoteInside} activate`,
            `  neighbor ${tunnel.remoteInside} prefix-list from-${tunnel.name} in`,
            `  neighbor ${tunnel.remoteInside} prefix-list told out`,
            `  neighbor ${tunnel.remoteInside} soft-reconfiguration inbound`,
        ]),
        " exit-address-family",
        "exit",
        // A network statement is announced only while the route exists.
        ...device.ranges.map((range) => `ip route ${range} blackhole`),
        ...device.ranges.map((range, index) => `ip prefix-list told seq ${5 * (index + 1)} permit ${range}`),
        ...device.tunnels.flatMap((tunnel) =>
            tunnel.remoteRanges.map(
                (range, index) => `ip prefix-list from-${tunnel.name} seq ${5 * (index + 1)} permit ${range}`,
            ),
        ),
    ];
    return `${lines.join("\n")}\n`;
}
