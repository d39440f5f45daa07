import { type Cidr, isWithin, parseCidr } from "../addressing/cidr.js";
import { at, isOn, listAt, numberAt, textAt, textsAt } from "./properties.js";
import type { PlainResource } from "./rule.js";

/** What one entry of a firewall lets through. */
export interface Opening {
    readonly direction: "in" | "out";
    /** `tcp`, `udp`, another protocol's name, or `all`. */
    readonly protocol: string;
    /** First and last port of each range. */
    readonly ports: readonly (readonly [number, number])[];
    /** The other side: ranges, the clouds' words for ranges, or `group:…` where members of a group are meant. */
    readonly peers: readonly string[];
}

export const awsSecurityGroup = "aws:ec2/securityGroup:SecurityGroup";
export const awsDefaultSecurityGroup = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup";
export const awsGroupRules = [
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:ec2/securityGroupRule:SecurityGroupRule",
] as const;
export const awsAclRule = "aws:ec2/networkAclRule:NetworkAclRule";
export const awsOpenings = [awsSecurityGroup, ...awsGroupRules] as const;
export const gcpFirewall = "gcp:compute/firewall:Firewall";
export const azureSecurityGroup = "azure-native:network:NetworkSecurityGroup";
export const azureSecurityRule = "azure-native:network:SecurityRule";
export const azureOpenings = [azureSecurityGroup, azureSecurityRule] as const;
/** Every resource that lets traffic through. */
export const openingTypes = [...awsOpenings, gcpFirewall, ...azureOpenings] as const;

const everyPort = [[0, 65_535]] as const;

/** What a resource lets through; nothing for one that is no firewall's. */
export function openingsOf({ type, props }: PlainResource): readonly Opening[] {
    switch (type) {
        case awsSecurityGroup:
        case awsDefaultSecurityGroup:
            return [
                ...listAt(props, "ingress").map((rule) => awsInline(rule, "in")),
                ...listAt(props, "egress").map((rule) => awsInline(rule, "out")),
            ];
        case awsGroupRules[0]:
            return [awsRule(props, "in")];
        case awsGroupRules[1]:
            return [awsRule(props, "out")];
        case awsGroupRules[2]:
            return [awsInline(props, textAt(props, "type") === "egress" ? "out" : "in")];
        case awsAclRule:
            return awsAclOpening(props);
        case gcpFirewall:
            return gcpOpenings(props);
        case azureSecurityGroup:
            return listAt(props, "securityRules").flatMap(azureOpening);
        case azureSecurityRule:
            return azureOpening(props);
        default:
            return [];
    }
}

/** Whether an opening includes a port. */
export function includesPort({ protocol, ports }: Opening, port: number, transport: "tcp" | "udp" = "tcp"): boolean {
    return (protocol === transport || protocol === "all") && ports.some(([first, last]) => first <= port && port <= last);
}

/** Whether the other side of an opening includes everybody on the internet. */
export function isForEverybody({ peers }: Opening): boolean {
    return peers.some(isEverybody);
}

/** Whether a range, or a cloud's word for one, includes everybody. A range shorter than /8 counts: two of /1 are everybody too. */
export function isEverybody(peer: string): boolean {
    if (/^(\*|any|internet|::\/0)$/i.test(peer)) {
        return true;
    }
    const length = /^[\d.]+\/(\d+)$/.exec(peer)?.[1];
    return length !== undefined && Number(length) < 8;
}

/** Whether a range is one host's, or private. */
export function isHostOrPrivate(peer: string): boolean {
    if (/^\d+(\.\d+){3}$/.test(peer)) {
        return true;
    }
    const length = /^\d+(\.\d+){3}\/(\d+)$/.exec(peer)?.[2];
    if (length === undefined) {
        return false;
    }
    return length === "32" || isPrivate(peer);
}

/** Whether a range is a private one. */
export function isPrivate(peer: string): boolean {
    const range = parsed(peer);
    return (
        range !== undefined &&
        ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].some((outer) => isWithin(range, parseCidr(outer)))
    );
}

/** Clouds also take ranges with bits behind the prefix, which our own arguments refuse: those are no range here. */
function parsed(peer: string): Cidr | undefined {
    try {
        return parseCidr(peer);
    } catch {
        return undefined;
    }
}

/** An opening in words. */
export function openingText({ protocol, ports, peers, direction }: Opening): string {
    const numbers = ports.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(", ");
    return `${protocol} ${numbers} ${direction === "in" ? "from" : "to"} ${peers.join(", ")}`;
}

function awsInline(rule: unknown, direction: "in" | "out"): Opening {
    const groups = [...textsAt(rule, "securityGroups"), textAt(rule, "sourceSecurityGroupId")].filter((one) => one !== "");
    return {
        direction,
        protocol: awsProtocol(textAt(rule, "protocol")),
        ports: awsPorts(rule, textAt(rule, "protocol")),
        peers: [
            ...textsAt(rule, "cidrBlocks"),
            ...textsAt(rule, "ipv6CidrBlocks"),
            ...groups.map((group) => `group:${group}`),
            ...(isOn(rule, "self") ? ["group:self"] : []),
        ],
    };
}

function awsRule(props: unknown, direction: "in" | "out"): Opening {
    const protocol = textAt(props, "ipProtocol");
    return {
        direction,
        protocol: awsProtocol(protocol),
        ports: awsPorts(props, protocol),
        peers: [
            textAt(props, "cidrIpv4"),
            textAt(props, "cidrIpv6"),
            prefixed("group:", textAt(props, "referencedSecurityGroupId")),
            prefixed("list:", textAt(props, "prefixListId")),
        ].filter((one) => one !== ""),
    };
}

function awsAclOpening(props: unknown): readonly Opening[] {
    const protocol = textAt(props, "protocol") || String(numberAt(props, "protocol") ?? "");
    const opening: Opening = {
        direction: isOn(props, "egress") ? "out" : "in",
        protocol: awsProtocol(protocol),
        ports: awsPorts(props, protocol),
        peers: [textAt(props, "cidrBlock"), textAt(props, "ipv6CidrBlock")].filter((one) => one !== ""),
    };
    return textAt(props, "ruleAction") === "allow" ? [opening] : [];
}

function awsProtocol(protocol: string): string {
    return protocol === "-1" || protocol === "all"
        ? "all"
        : protocol === "6"
          ? "tcp"
          : protocol === "17"
            ? "udp"
            : protocol.toLowerCase();
}

function awsPorts(rule: unknown, protocol: string): Opening["ports"] {
    const from = numberAt(rule, "fromPort");
    const to = numberAt(rule, "toPort");
    return awsProtocol(protocol) === "all" || from === undefined || from === -1 ? everyPort : [[from, to ?? from]];
}

function gcpOpenings(props: unknown): readonly Opening[] {
    const direction = textAt(props, "direction") === "EGRESS" ? "out" : "in";
    const groups = [...textsAt(props, "sourceTags"), ...textsAt(props, "sourceServiceAccounts")].map((one) => `group:${one}`);
    const ranges = textsAt(props, direction === "in" ? "sourceRanges" : "destinationRanges");
    // Google takes an entry that names nobody for one that names everybody.
    const peers = ranges.length + groups.length === 0 ? ["0.0.0.0/0"] : [...ranges, ...groups];
    if (isOn(props, "disabled")) {
        return [];
    }
    return listAt(props, "allows").map((allow) => {
        const ports = textsAt(allow, "ports");
        return {
            direction,
            protocol: textAt(allow, "protocol").toLowerCase(),
            ports: ports.length === 0 ? everyPort : ports.map(portRange),
            peers,
        };
    });
}

function azureOpening(rule: unknown): readonly Opening[] {
    if (textAt(rule, "access").toLowerCase() !== "allow") {
        return [];
    }
    const direction = textAt(rule, "direction").toLowerCase() === "outbound" ? "out" : "in";
    const side = direction === "in" ? "source" : "destination";
    const protocol = textAt(rule, "protocol").toLowerCase();
    const ports = [textAt(rule, "destinationPortRange"), ...textsAt(rule, "destinationPortRanges")].filter((one) => one !== "");
    return [
        {
            direction,
            protocol: protocol === "*" ? "all" : protocol,
            ports: ports.length === 0 ? everyPort : ports.map((port) => (port === "*" ? everyPort[0] : portRange(port))),
            peers: [
                textAt(rule, `${side}AddressPrefix`),
                ...textsAt(rule, `${side}AddressPrefixes`),
                ...listAt(rule, `${side}ApplicationSecurityGroups`).map((group) => `group:${textAt(group, "id")}`),
            ].filter((one) => one !== ""),
        },
    ];
}

function portRange(text: string): readonly [number, number] {
    const [first = 0, last = first] = text.split("-").map(Number);
    return [first, last];
}

function prefixed(prefix: string, text: string): string {
    return text === "" ? "" : `${prefix}${text}`;
}

/** Priority of an Azure entry that denies everything inbound; `undefined` for any other. */
export function denyAllPriority(rule: unknown): number | undefined {
    const everything =
        textAt(rule, "access").toLowerCase() === "deny" &&
        textAt(rule, "direction").toLowerCase() === "inbound" &&
        textAt(rule, "protocol") === "*" &&
        textAt(rule, "sourceAddressPrefix") === "*" &&
        textAt(rule, "destinationPortRange") === "*" &&
        ["*", "VirtualNetwork", ""].includes(textAt(rule, "destinationAddressPrefix")) &&
        at(rule, "sourceAddressPrefixes") === undefined;
    return everything ? numberAt(rule, "priority") : undefined;
}
