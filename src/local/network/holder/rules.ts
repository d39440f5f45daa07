import { clampedSegment } from "../../../ipsec/suite.js";
import { brokerPorts, type SiteAddresses } from "./addresses.js";

const privateRanges = "{ 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, 100.64.0.0/10 }";

/** A table that takes the place of the one before it in one step: connections that are let through stay so. */
function table(lines: readonly string[]): string {
    return [
        "table ip linkspan",
        "delete table ip linkspan",
        "table ip linkspan {",
        ...lines.map((line) => `    ${line}`),
        "}",
        "",
    ].join("\n");
}

function set(name: string, elements: readonly string[]): string {
    const all = [...new Set(elements)].sort();
    return `set ${name} { type ipv4_addr; flags interval; auto-merge; ${all.length === 0 ? "" : `elements = { ${all.join(", ")} }; `}}`;
}

/** The internet between the sites: it carries no private address, and nothing from or to an address that is cut off. */
export function internetRules(cut: readonly string[]): string {
    return table([
        set("cut", cut),
        "chain pass {",
        "    type filter hook forward priority filter; policy accept;",
        "    ip saddr @cut counter drop",
        "    ip daddr @cut counter drop",
        `    ip saddr ${privateRanges} counter drop`,
        `    ip daddr ${privateRanges} counter drop`,
        "}",
    ]);
}

/** What a site's router lets through. */
export interface RouterAdmission {
    /** Public addresses of peers whose links come over the internet. */
    readonly publicPeers: readonly string[];
    /** Private ranges of peers whose links come by tunnels or a private line. */
    readonly privatePeers: readonly string[];
    /** Interfaces of private lines that are silently cut. */
    readonly cutLines: readonly string[];
}

/** A site's router: translation in both directions, and a list of who may come in. */
export function routerRules(at: SiteAddresses, { publicPeers, privatePeers, cutLines }: RouterAdmission): string {
    const port = brokerPorts.links;
    return table([
        set("public_peers", publicPeers),
        set("private_peers", privatePeers),
        "counter refused { }",
        ...(cutLines.length === 0
            ? []
            : [
                  "chain cut {",
                  "    type filter hook prerouting priority raw;",
                  ...cutLines.map((name) => `    iifname "${name}" drop`),
                  "}",
              ]),
        "chain come {",
        "    type nat hook prerouting priority dstnat;",
        `    iifname "wan" ip daddr ${at.public} tcp dport ${port} dnat to ${at.broker}:${port}`,
        `    iifname != { "wan", "lan" } ip daddr ${at.linkDoor} tcp dport ${port} dnat to ${at.broker}:${port}`,
        "}",
        "chain leave {",
        "    type nat hook postrouting priority srcnat;",
        `    oifname "wan" snat to ${at.public}`,
        "}",
        "chain pass {",
        "    type filter hook forward priority filter; policy drop;",
        `    tcp flags syn tcp option maxseg size > ${clampedSegment} tcp option maxseg size set ${clampedSegment}`,
        "    ct state established,related accept",
        `    iifname "lan" oifname "wan" ip daddr != ${privateRanges} accept`,
        `    iifname "lan" oifname != { "wan", "lan" } accept`,
        `    iifname "wan" oifname "lan" ip saddr @public_peers ip daddr ${at.broker} tcp dport ${port} accept`,
        `    iifname != { "wan", "lan" } oifname "lan" ip saddr @private_peers ip daddr ${at.broker} tcp dport ${port} accept`,
        '    counter name "refused"',
        "}",
        "chain own {",
        "    type filter hook input priority filter; policy drop;",
        "    ct state established,related accept",
        '    iifname != { "wan", "lan" } accept',
        "}",
    ]);
}

/** A VPN gateway: from outside it takes IKE and ESP in UDP of its peers alone. */
export function gatewayRules(peers: readonly string[]): string {
    return table([
        set("peers", peers),
        "chain own {",
        "    type filter hook input priority filter; policy accept;",
        '    iifname "wan" ip saddr @peers udp dport { 500, 4500 } accept',
        '    iifname "wan" ct state established,related accept',
        '    iifname "wan" drop',
        "}",
        "chain pass {",
        "    type filter hook forward priority filter; policy drop;",
        '    iifname "lan" oifname "ipsec0" accept',
        '    iifname "ipsec0" oifname "lan" accept',
        "}",
    ]);
}

/** A broker's own network: the management line reaches its API and its clients' door, and nothing goes out over it. */
export function brokerRules(): string {
    const { api, mqtt, mqtts } = brokerPorts;
    return table([
        "chain own {",
        "    type filter hook input priority filter; policy accept;",
        `    iifname "mgmt" tcp dport { ${api}, ${mqtts}, ${mqtt} } accept`,
        '    iifname "mgmt" ct state established,related accept',
        '    iifname "mgmt" drop',
        "}",
        "chain out {",
        "    type filter hook output priority filter; policy accept;",
        '    oifname "mgmt" ct state established,related accept',
        '    oifname "mgmt" drop',
        "}",
    ]);
}
