import { renderBird } from "../../../ipsec/bird.js";
import type { BgpTimers, Device, DeviceTunnel } from "../../../ipsec/device.js";
import { renderSwanctl } from "../../../ipsec/swanctl.js";
import { namespaceOf, siteAddresses } from "./addresses.js";
import type { PathSpec, SiteSpec, TunnelSpec, TunnelsSpec } from "./desired.js";

/** A path that has tunnels. */
export interface TunnelledPath extends PathSpec {
    readonly tunnels: TunnelsSpec;
}

/** A tunnel's name on its gateway: in strongSwan, BIRD and reports. */
export function tunnelName(peer: string, { key }: Pick<TunnelSpec, "key">): string {
    return `${peer}-${key}`;
}

/** How soon a silent neighbour is noticed in this lab: much sooner than clouds do. */
export function timersOf({ holdSeconds, bfdIntervalMs }: Pick<SiteSpec, "holdSeconds" | "bfdIntervalMs">): BgpTimers {
    return {
        keepalive: Math.max(1, Math.floor(holdSeconds / 3)),
        hold: holdSeconds,
        errorWait: [1, 5],
        ...(bfdIntervalMs === 0 ? {} : { bfd: { intervalMs: bfdIntervalMs, multiplier: 3 } }),
    };
}

/** One gateway of a site as a device, with the tunnels to some of its peers. */
function device(site: SiteSpec, gateway: 0 | 1, paths: readonly TunnelledPath[]): Device {
    const own = siteAddresses(site.siteNumber);
    return {
        site: site.name,
        asn: site.asn,
        ranges: [own.cidr],
        routerId: own.gateways[gateway].public,
        suite: paths[0]?.tunnels.suite ?? "aes-cbc",
        timers: timersOf(site),
        dataPath: "userspace",
        tunnels: paths.flatMap(({ peer, tunnels }) =>
            tunnels.tunnels
                .filter((tunnel) => tunnel.gateway === gateway)
                .map(
                    (tunnel): DeviceTunnel => ({
                        name: tunnelName(peer, tunnel),
                        localAddress: own.gateways[gateway].public,
                        remoteAddress: tunnel.remoteAddress,
                        localInside: tunnel.localInside,
                        remoteInside: tunnel.remoteInside,
                        presharedKey: tunnel.presharedKey,
                        remoteAsn: tunnels.remoteAsn,
                        remoteRanges: tunnels.remoteRanges,
                        initiates: tunnels.initiates,
                    }),
                ),
        ),
    };
}

/** strongSwan's configuration of a gateway. Secret. Sections of one name are one section, so that every pair may have its own suite. */
export function gatewaySwanctl(site: SiteSpec, gateway: 0 | 1, paths: readonly TunnelledPath[]): string {
    return paths.map((path) => renderSwanctl({ ...device(site, gateway, [path]), ranges: path.tunnels.localRanges })).join("\n");
}

/** A gateway's BGP: to its peers through the tunnels, to the site's own router inside. */
export function gatewayBird(site: SiteSpec, gateway: 0 | 1, paths: readonly TunnelledPath[]): string {
    const { router, gateway: own } = siteAddresses(site.siteNumber).gateways[gateway];
    return `${renderBird(device(site, gateway, paths))}${session("inside", site, own, {
        address: router,
        asn: site.asn,
        channel: "import none; export where source = RTS_BGP; next hop self;",
    })}`;
}

/** What a site's router needs to know to exchange routes. */
export interface RouterNeighbours {
    /** Ranges that the site's own VPN gateways may tell it; empty: it has none. */
    readonly byGateways: readonly string[];
    readonly lines: readonly PathSpec[];
}

/** The router's BGP: what its gateways have learnt, and what private lines tell, which are preferred. */
export function routerBird(site: SiteSpec, { byGateways, lines }: RouterNeighbours): string {
    const own = siteAddresses(site.siteNumber);
    const { bfd } = timersOf(site);
    const text = [
        `router id ${own.router};`,
        "log stderr { warning, error, fatal, bug };",
        "protocol device { scan time 5; }",
        "protocol kernel { merge paths on; ipv4 { import none; export where source = RTS_BGP; }; }",
        `protocol static own_ranges { ipv4; route ${own.cidr} blackhole; }`,
        'filter told { if proto = "own_ranges" then accept; reject; }',
        ...(bfd === undefined
            ? []
            : [`protocol bfd { interface "*" { interval ${bfd.intervalMs} ms; multiplier ${bfd.multiplier}; }; }`]),
        "",
    ].join("\n");
    const gateways = own.gateways.map((each, index) =>
        session(`gateway_${index}`, site, each.router, {
            address: each.gateway,
            asn: site.asn,
            channel: `import where net ~ [ ${byGateways.join(", ")} ]; export none;`,
        }),
    );
    const peers = lines.flatMap(({ peerNumber, line }) =>
        line === undefined
            ? []
            : [
                  session(`line_${peerNumber}`, site, line.localInside, {
                      address: line.remoteInside,
                      asn: line.remoteAsn,
                      // A line is preferred to tunnels: both exist while a pair changes its tier.
                      channel: `import filter { if net ~ [ ${line.remoteRanges.join(", ")} ] then { bgp_local_pref = 200; accept; } reject; }; export filter told; next hop self;`,
                  }),
              ],
    );
    return `${text}${byGateways.length === 0 ? "" : gateways.join("")}${peers.join("")}`;
}

function session(
    name: string,
    site: SiteSpec,
    localAddress: string,
    neighbour: { readonly address: string; readonly asn: number; readonly channel: string },
): string {
    const { keepalive, hold, bfd } = timersOf(site);
    return [
        `protocol bgp ${name} {`,
        "    direct;",
        `    local ${localAddress} as ${site.asn};`,
        `    neighbor ${neighbour.address} as ${neighbour.asn};`,
        `    keepalive time ${keepalive};`,
        `    hold time ${hold};`,
        "    connect delay time 1;",
        "    connect retry time 2;",
        "    error wait time 1, 5;",
        ...(bfd === undefined ? [] : ["    bfd on;"]),
        `    ipv4 { ${neighbour.channel} };`,
        "}",
        "",
    ].join("\n");
}

/** strongSwan's own settings for one gateway. OpenSSL's ciphers come first: the plugins of strongSwan's own are many times slower. */
export function charonSettings(logLevel = 1): string {
    return [
        "charon {",
        "    load = openssl random nonce kdf pem pkcs1 pubkey x509 kernel-libipsec kernel-netlink socket-default vici",
        // Behind the main table: routes are BGP's business.
        "    routing_table_prio = 50000",
        "    retransmit_timeout = 1.0",
        "    retransmit_base = 1.3",
        "    retransmit_tries = 12",
        "    plugins {",
        "        vici { socket = unix:///run/charon.vici }",
        "    }",
        "    filelog {",
        `        log { path = /run/charon.log, default = ${logLevel}, ike_name = yes, flush_line = yes }`.replaceAll(
            ", ",
            "\n            ",
        ),
        "    }",
        "}",
        "",
    ].join("\n");
}

/** Name of the namespace of a site's gateway. */
export function gatewayNamespace(site: SiteSpec, gateway: number): string {
    return namespaceOf.gateway(site.siteNumber, gateway);
}
