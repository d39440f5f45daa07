import { includesPort, isHostOrPrivate, isPrivate, type Opening, openingsOf, openingText, openingTypes } from "./openings.js";
import { isOn, isSet, textAt } from "./properties.js";
import type { Rule } from "./rule.js";

const linkPort = 8_884;
const clusterPorts = [4_369, 4_370, 5_369, 5_370];
const clusterLink = "pulumi-nodejs:dynamic/linkspan:ClusterLink";
/** Where brokers' traffic leaves a site. */
const gateways = ["aws:ec2/natGateway:NatGateway", "gcp:compute/routerNat:RouterNat", "azure-native:network:NatGateway"];
const machines = ["aws:ec2/instance:Instance", "gcp:compute/instance:Instance", "azure-native:compute:VirtualMachine"];

/** Pre-shared keys of tunnels, by type. */
const sharedKeys: Readonly<Record<string, readonly string[]>> = {
    "aws:ec2/vpnConnection:VpnConnection": ["tunnel1PresharedKey", "tunnel2PresharedKey"],
    "gcp:compute/vPNTunnel:VPNTunnel": ["sharedSecret"],
    "azure-native:network:VirtualNetworkGatewayConnection": ["sharedKey"],
};

const inward = (port: number) => (opening: Opening) => opening.direction === "in" && includesPort(opening, port);

/** What links, the paths below them and the traffic between brokers must hold. */
export const linkRules: readonly Rule[] = [
    {
        id: "LINKSPAN-0003",
        alsoKnownAs: [],
        area: "links",
        title: "The port of links admits single addresses and private ranges only.",
        severity: "HIGH",
        types: openingTypes,
        needs: "resource",
        check: (resource) =>
            openingsOf(resource)
                .filter(inward(linkPort))
                .filter(({ peers }) => !peers.every((peer) => /^(group|list):/.test(peer) || isHostOrPrivate(peer)))
                .map((opening) => `${openingText(opening)} is open`),
    },
    {
        id: "LINKSPAN-0004",
        alsoKnownAs: [],
        area: "links",
        title: "The ports between the nodes of a cluster are open to the site's own network only.",
        severity: "CRITICAL",
        types: openingTypes,
        needs: "resource",
        check: (resource) =>
            openingsOf(resource)
                .filter((opening) => clusterPorts.some((port) => inward(port)(opening)))
                .filter(({ peers }) => !peers.every((peer) => peer.startsWith("group:") || isPrivate(peer)))
                .map((opening) => `${openingText(opening)} is open`),
    },
    {
        id: "LINKSPAN-0008",
        alsoKnownAs: [],
        area: "links",
        title: "Machines wait for a way out, and links for every address that their traffic may come from.",
        severity: "MEDIUM",
        types: [...machines, clusterLink],
        needs: "stack",
        check: (resource, graph) => {
            const isLink = resource.type === clusterLink;
            const brokers = isLink ? graph.ofTypes(...machines).filter((one) => graph.reaches(resource, one)) : [resource];
            const sites = new Set(brokers.map(({ parent }) => parent));
            const ways = graph.ofTypes(...gateways).filter(({ parent }) => sites.has(parent));
            const missed = ways.filter((gateway) => !graph.reaches(resource, gateway));
            return (isLink || missed.length === ways.length ? missed : []).map(({ name }) => `it does not wait for ${name}`);
        },
    },
    {
        id: "LINKSPAN-0009",
        alsoKnownAs: [],
        area: "links",
        title: "NAT gateways use addresses that are reserved: peers list them.",
        severity: "HIGH",
        types: gateways,
        needs: "resource",
        check: ({ type, props }) =>
            hasFixedAddresses(type, props) ? [] : ["its addresses are the cloud's to choose and to change"],
    },
    {
        id: "LINKSPAN-0010",
        alsoKnownAs: [],
        area: "links",
        title: "Links use TLS and verify the other side.",
        severity: "CRITICAL",
        types: [clusterLink],
        needs: "resource",
        check: ({ props }) => {
            if (!isOn(props, "tls.enable")) {
                return ["tls.enable is not on: the link's user and everything it carries could be read on the way"];
            }
            return textAt(props, "tls.verify") === "verify_none"
                ? ["tls.verify is verify_none: anybody could answer in the peer's place"]
                : [];
        },
    },
    {
        id: "LINKSPAN-0011",
        alsoKnownAs: [],
        area: "links",
        title: "Pre-shared keys of tunnels are secret, long, and the library's or yours: never a cloud's default.",
        severity: "CRITICAL",
        types: Object.keys(sharedKeys),
        needs: "resource",
        check: ({ type, props, secrets }) =>
            (sharedKeys[type] ?? []).flatMap((property) => {
                const key = textAt(props, property);
                return [
                    ...(isSet(props, property) ? [] : [`${property} is not set`]),
                    ...(key !== "" && (key.length < 24 || key.startsWith("0"))
                        ? [`${property} is shorter than 24 characters, or begins with 0`]
                        : []),
                    ...(isSet(props, property) && secrets !== undefined && !secrets.includes(property)
                        ? [`${property} is no secret`]
                        : []),
                ];
            }),
    },
];

function hasFixedAddresses(type: string, props: unknown): boolean {
    switch (type) {
        case "aws:ec2/natGateway:NatGateway":
            return textAt(props, "availabilityMode") === "regional"
                ? isSet(props, "availabilityZoneAddresses")
                : textAt(props, "connectivityType") === "private" || isSet(props, "allocationId");
        case "gcp:compute/routerNat:RouterNat":
            return (
                textAt(props, "natIpAllocateOption") === "MANUAL_ONLY" &&
                (isSet(props, "natIps") || isSet(props, "initialNatIps"))
            );
        default:
            return isSet(props, "publicIpAddresses") || isSet(props, "publicIpPrefixes");
    }
}
