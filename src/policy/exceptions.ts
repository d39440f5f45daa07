import { isForEverybody, type Opening, openingsOf } from "./openings.js";
import { isSet, textAt } from "./properties.js";
import type { PlainResource, RuleException } from "./rule.js";

const clientPort = 8_883;
/** Packages of EMQX and Ubuntu, the cloud's own interfaces. */
const webPorts = [80, 443];
/** Azure's machines have no time server but the internet's; those of AWS and Google Cloud ask an address of the cloud's own. */
const timePort = 123;

/** Whether a resource is a part of one of Linkspan's components: their types stand in the URNs of what is below them. */
function isLinkspans({ urn }: PlainResource): boolean {
    const [, , types = ""] = urn.split("::");
    return types
        .split("$")
        .slice(0, -1)
        .some((type) => type.startsWith("linkspan:"));
}

/**
 * Whether a resource is the rule that lets a site's brokers out to the link door of one named peer, at whatever port that is: the mesh makes
 * one for each pair of tier nat.
 */
function isWayToPeer({ urn }: PlainResource): boolean {
    const [, , types = "", name = ""] = urn.split("::");
    return types.split("$").at(-2) === "linkspan:index:Mesh" && /^[a-z][a-z0-9-]*-nat-to-[a-z]/.test(name);
}

/** Excepts what openings to everybody a resource of Linkspan's has, when all of them are of one kind. */
function openings(
    rule: string,
    what: string,
    reason: string,
    meant: (opening: Opening, resource: PlainResource) => boolean,
): RuleException {
    return {
        rule,
        what,
        reason,
        applies: (resource) =>
            isLinkspans(resource) &&
            openingsOf(resource)
                .filter(isForEverybody)
                .every((opening) => meant(opening, resource)),
    };
}

/** Excepts Linkspan's resources from a rule, or those of them that a condition names. */
function linkspans(
    rules: readonly string[],
    what: string,
    reason: string,
    meant: (resource: PlainResource) => boolean = () => true,
): readonly RuleException[] {
    return rules.map((rule) => ({ rule, what, reason, applies: (resource) => isLinkspans(resource) && meant(resource) }));
}

const only = (direction: Opening["direction"], protocol: string, ports: readonly number[]) => (opening: Opening) =>
    opening.direction === direction &&
    opening.protocol === protocol &&
    opening.ports.every(([from, to]) => from === to && ports.includes(from));

/** Out, over TCP, to a single port. */
const isOnePort = ({ direction, protocol, ports }: Opening) =>
    direction === "out" && protocol === "tcp" && ports.length === 1 && ports.every(([from, to]) => from === to);

/** What Linkspan's sites do against a rule, and why that is right. Resources that are not Linkspan's are never excepted. */
export const exceptions: readonly RuleException[] = [
    ...["GCP-0027", "AZU-0047", "LINKSPAN-0023"].map((rule) =>
        openings(
            rule,
            "the client door, TCP 8883",
            "devices connect from anywhere unless clientCidrs says from where: every connection is TLS with a login, and no other port is open",
            only("in", "tcp", [clientPort]),
        ),
    ),
    ...["AWS-0104", "GCP-0035", "AZU-0051"].map((rule) =>
        openings(
            rule,
            "TCP 80 and 443, one port to a named peer's link door, and on Azure UDP 123, outbound",
            "packages, time servers and the cloud's own interfaces have no addresses that could be listed, and a peer behind a name is bound by its certificate (link.addresses closes this too); all other ways out are closed",
            (opening, resource) =>
                only("out", "tcp", webPorts)(opening) ||
                (isWayToPeer(resource) && isOnePort(opening)) ||
                (rule === "AZU-0051" && only("out", "udp", [timePort])(opening)),
        ),
    ),
    ...linkspans(
        ["AWS-0053"],
        "the load balancer of the NAT tier",
        "tier nat is the public one; its security group admits devices, listed peers and administrators, each to a port of their own",
        ({ props }) => textAt(props, "loadBalancerType") === "network" && isSet(props, "securityGroups"),
    ),
    ...linkspans(
        ["CKV_AWS_150"],
        "the load balancer",
        "pulumi destroy has to be able to remove a site; what must not be lost, the data disks, has protectData",
    ),
    ...linkspans(
        ["CKV_AWS_91"],
        "the load balancer",
        "a network load balancer logs connections of TLS listeners only, and these doors pass TLS through to the brokers; flow logs record the connections",
        ({ props }) => textAt(props, "loadBalancerType") === "network",
    ),
    ...linkspans(
        ["AWS-0027", "AWS-0017", "CKV_AWS_337", "GCP-0033", "GCP-0034", "CKV_AZURE_93"],
        "disks, logs and parameters",
        "the cloud encrypts them with its own keys; a key of your own is a choice of your organisation's, made for the account (AWS, Google Cloud) or with a policy (Azure)",
    ),
    ...linkspans(
        ["CKV_AZURE_97"],
        "caches and temporary disks of machines",
        "a subscription has to be registered for encryption at the host before a machine may ask for it; where yours is, set encryptionAtHost",
    ),
    ...linkspans(
        ["AZU-0017"],
        "boot secrets",
        "they are valid as long as the site: certificates carry their own end and are renewed by the program, and a secret that expires would stop a broker from starting again",
    ),
];

/** Where an exception's text is shown: rule, what and reason in one line. */
export function exceptionText({ rule, what, reason }: RuleException): string {
    return `${rule}: ${what}: ${reason}`;
}
