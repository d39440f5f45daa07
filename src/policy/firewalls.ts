import {
    awsAclRule,
    awsOpenings,
    azureOpenings,
    gcpFirewall,
    includesPort,
    isForEverybody,
    type Opening,
    openingsOf,
    openingText,
    openingTypes,
} from "./openings.js";
import type { Rule } from "./rule.js";

const ssh = 22;
const rdp = 3389;
/** FTP, Telnet, SMTP, POP3, NetBIOS, SMB, databases, caches: nothing that a broker has. */
const sensitivePorts = [20, 21, 23, 25, 80, 110, 137, 138, 139, 445, 1433, 1521, 2375, 3306, 5432, 6379, 9200, 11211, 27017];

/** A rule that refuses openings of a kind. */
function refusing(
    rule: Pick<Rule, "id" | "alsoKnownAs" | "title" | "severity" | "types">,
    refused: (opening: Opening) => boolean,
): Rule {
    return {
        ...rule,
        area: "network",
        needs: "resource",
        check: (resource) =>
            openingsOf(resource)
                .filter(refused)
                .map((opening) => `${openingText(opening)} is open`),
    };
}

const inFromEverybody = (port: number) => (opening: Opening) =>
    opening.direction === "in" && isForEverybody(opening) && includesPort(opening, port);
const outToEverybody = (opening: Opening) => opening.direction === "out" && isForEverybody(opening);
const anyInFromEverybody = (opening: Opening) => opening.direction === "in" && isForEverybody(opening);
const allPorts = ({ ports, protocol }: Opening) =>
    (protocol === "all" || protocol === "tcp" || protocol === "udp") && ports.some(([from, to]) => from <= 1 && to === 65_535);

const aws: readonly Rule[] = [
    refusing(
        {
            id: "AWS-0107",
            alsoKnownAs: ["CKV_AWS_24", "CKV_AWS_25"],
            title: "SSH and RDP are not open to everybody.",
            severity: "HIGH",
            types: awsOpenings,
        },
        (opening) => inFromEverybody(ssh)(opening) || inFromEverybody(rdp)(opening),
    ),
    refusing(
        {
            id: "AWS-0104",
            alsoKnownAs: ["CKV_AWS_382"],
            title: "Security groups do not let everything out to everywhere.",
            severity: "CRITICAL",
            types: awsOpenings,
        },
        outToEverybody,
    ),
    refusing(
        {
            id: "AWS-0105",
            alsoKnownAs: ["CKV2_AWS_1"],
            title: "Network ACLs do not open SSH and RDP to everybody.",
            severity: "MEDIUM",
            types: [awsAclRule],
        },
        (opening) => inFromEverybody(ssh)(opening) || inFromEverybody(rdp)(opening),
    ),
    refusing(
        {
            id: "AWS-0102",
            alsoKnownAs: ["CKV_AWS_352"],
            title: "Network ACLs do not open all ports to everybody.",
            severity: "CRITICAL",
            types: [awsAclRule],
        },
        (opening) => anyInFromEverybody(opening) && allPorts(opening),
    ),
];

const gcp: readonly Rule[] = [
    refusing(
        {
            id: "GCP-0027",
            alsoKnownAs: ["CKV_GCP_75", "CKV_GCP_77", "CKV_GCP_88", "CKV_GCP_106"],
            title: "Firewalls let nobody in from everywhere.",
            severity: "CRITICAL",
            types: [gcpFirewall],
        },
        anyInFromEverybody,
    ),
    refusing(
        {
            id: "GCP-0035",
            alsoKnownAs: [],
            title: "Firewalls do not let everything out to everywhere.",
            severity: "CRITICAL",
            types: [gcpFirewall],
        },
        outToEverybody,
    ),
    refusing(
        {
            id: "GCP-0070",
            alsoKnownAs: ["CKV_GCP_3"],
            title: "RDP is not open to everybody.",
            severity: "HIGH",
            types: [gcpFirewall],
        },
        inFromEverybody(rdp),
    ),
    refusing(
        {
            id: "GCP-0071",
            alsoKnownAs: ["CKV_GCP_2"],
            title: "SSH is not open to everybody.",
            severity: "MEDIUM",
            types: [gcpFirewall],
        },
        inFromEverybody(ssh),
    ),
    refusing(
        {
            id: "GCP-0072",
            alsoKnownAs: ["CKV2_GCP_12"],
            title: "Firewalls open named ports only.",
            severity: "MEDIUM",
            types: [gcpFirewall],
        },
        allPorts,
    ),
    refusing(
        {
            id: "GCP-0074",
            alsoKnownAs: [],
            title: "Firewalls open no long ranges of ports.",
            severity: "LOW",
            types: [gcpFirewall],
        },
        ({ ports, protocol, direction }) =>
            direction === "in" && protocol !== "icmp" && protocol !== "esp" && ports.some(([from, to]) => to - from > 30),
    ),
];

const azure: readonly Rule[] = [
    refusing(
        {
            id: "AZU-0047",
            alsoKnownAs: [],
            title: "Security groups let nobody in from everywhere.",
            severity: "CRITICAL",
            types: azureOpenings,
        },
        anyInFromEverybody,
    ),
    refusing(
        {
            id: "AZU-0048",
            alsoKnownAs: ["CKV_AZURE_9"],
            title: "RDP is not open to everybody.",
            severity: "CRITICAL",
            types: azureOpenings,
        },
        inFromEverybody(rdp),
    ),
    refusing(
        {
            id: "AZU-0050",
            alsoKnownAs: ["CKV_AZURE_10"],
            title: "SSH is not open to everybody.",
            severity: "CRITICAL",
            types: azureOpenings,
        },
        inFromEverybody(ssh),
    ),
    refusing(
        {
            id: "AZU-0051",
            alsoKnownAs: [],
            title: "Security groups do not let everything out to everywhere.",
            severity: "CRITICAL",
            types: azureOpenings,
        },
        outToEverybody,
    ),
    refusing(
        {
            id: "AZU-0074",
            alsoKnownAs: ["CKV_AZURE_160"],
            title: "Ports of unencrypted and database protocols are not open to networks.",
            severity: "HIGH",
            types: azureOpenings,
        },
        (opening) =>
            opening.direction === "in" &&
            (isForEverybody(opening) || opening.peers.includes("VirtualNetwork")) &&
            sensitivePorts.some((port) => includesPort(opening, port)),
    ),
    refusing(
        {
            id: "CKV_AZURE_77",
            alsoKnownAs: [],
            title: "Nothing by UDP is open to everybody.",
            severity: "HIGH",
            types: azureOpenings,
        },
        (opening) => anyInFromEverybody(opening) && (opening.protocol === "udp" || opening.protocol === "all"),
    ),
];

const own: readonly Rule[] = [
    refusing(
        {
            id: "LINKSPAN-0001",
            alsoKnownAs: [],
            title: "The ports of the REST API are never open to everybody.",
            severity: "CRITICAL",
            types: openingTypes,
        },
        (opening) => [18_083, 18_084, 8_081].some((port) => inFromEverybody(port)(opening)),
    ),
    refusing(
        {
            id: "LINKSPAN-0002",
            alsoKnownAs: [],
            title: "The unencrypted ports 18083, 8081 and 1883 are in no entry of a firewall.",
            severity: "HIGH",
            types: openingTypes,
        },
        (opening) =>
            opening.direction === "in" &&
            opening.ports.every(([from, to]) => to - from < 65_000) &&
            [18_083, 8_081, 1_883].some((port) => includesPort(opening, port)),
    ),
    refusing(
        {
            id: "LINKSPAN-0023",
            alsoKnownAs: [],
            title: "Security groups let nobody in from everywhere.",
            severity: "CRITICAL",
            types: awsOpenings,
        },
        anyInFromEverybody,
    ),
];

/** What entries of firewalls must not let through. */
export const firewallRules: readonly Rule[] = [...aws, ...gcp, ...azure, ...own];
