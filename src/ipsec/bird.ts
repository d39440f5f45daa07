import { type Device, tunnelInterface, userspaceInterface } from "./device.js";

/** The device's BGP as `bird.conf` of BIRD 2. Takes and tells exactly the ranges of the plan: a peer cannot make this device a transit. */
export function renderBird(device: Device): string {
    const { bfd, errorWait } = device.timers;
    const lines = [
        `router id ${device.routerId};`,
        "log stderr { warning, error, fatal, bug };",
        "protocol device { scan time 5; }",
        "protocol direct { ipv4; }",
        "protocol kernel { merge paths on; ipv4 { import none; export where source = RTS_BGP; }; }",
        `protocol static own_ranges { ipv4; ${device.ranges.map((range) => `route ${range} blackhole;`).join(" ")} }`,
        `filter told { if proto = "own_ranges" then accept; reject; }`,
        ...(bfd === undefined
            ? []
            : [`protocol bfd { interface "*" { interval ${bfd.intervalMs} ms; multiplier ${bfd.multiplier}; }; }`]),
        ...device.tunnels.flatMap((tunnel, index) => [
            `filter from_${symbol(tunnel.name)} { if net ~ [ ${tunnel.remoteRanges.join(", ")} ] then accept; reject; }`,
            `protocol bgp tunnel_${symbol(tunnel.name)} {`,
            `    interface "${device.dataPath === "xfrm" ? tunnelInterface(index) : userspaceInterface}";`,
            "    direct;",
            `    local ${tunnel.localInside} as ${device.asn};`,
            `    neighbor ${tunnel.remoteInside} as ${tunnel.remoteAsn};`,
            `    keepalive time ${device.timers.keepalive};`,
            `    hold time ${device.timers.hold};`,
            "    connect delay time 1;",
            "    connect retry time 5;",
            ...(errorWait === undefined ? [] : [`    error wait time ${errorWait.join(", ")};`]),
            ...(bfd === undefined ? [] : ["    bfd on;"]),
            `    ipv4 { import filter from_${symbol(tunnel.name)}; export filter told; next hop self; };`,
            "}",
        ]),
    ];
    return `${lines.join("\n")}\n`;
}

/** BIRD's names have no hyphens, and short ones collide with its keywords; the prefixes above keep clear of them. */
function symbol(name: string): string {
    return name.replaceAll("-", "_");
}
