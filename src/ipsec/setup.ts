import { type Device, interfaceId, tunnelInterface } from "./device.js";
import { clampedSegment, suites } from "./suite.js";

/**
 * A script that prepares a Linux device for its tunnels: an XFRM interface with its inside address for each, forwarding, loose reverse-path
 * checks (answers may come back through another tunnel) and the clamp of TCP segments. It may be run again at any time and at boot.
 */
export function renderSetup(device: Device): string {
    const lines = [
        "#!/bin/sh",
        "set -eu",
        "sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.default.rp_filter=2",
        "sysctl -q -w net.ipv4.fib_multipath_hash_policy=1",
        ...device.tunnels.flatMap((tunnel, index) => {
            const name = tunnelInterface(index);
            const { mtu } = suites[tunnel.suite ?? device.suite];
            return [
                `# ${tunnel.name}`,
                `ip link show ${name} >/dev/null 2>&1 || ip link add ${name} type xfrm if_id ${interfaceId(index)}`,
                `ip address replace ${tunnel.localInside}/30 dev ${name}`,
                `ip link set ${name} mtu ${mtu} up`,
            ];
        }),
        "nft -f - <<'RULES'",
        "table inet linkspan",
        "delete table inet linkspan",
        "table inet linkspan {",
        "    chain forward {",
        "        type filter hook forward priority mangle;",
        ...["oifname", "iifname"].map(
            (way) =>
                `        ${way} "lsvpn*" tcp flags syn tcp option maxseg size > ${clampedSegment} tcp option maxseg size set ${clampedSegment}`,
        ),
        "    }",
        "}",
        "RULES",
    ];
    return `${lines.join("\n")}\n`;
}
