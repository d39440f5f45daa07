import { range, within } from "../addresses.mts";
import { itemsAt, textAt, textsAt } from "../paths.mts";
import { type AccountView, CloudError, type Props, type ResourceType, type Scope } from "../types.mts";
import { accountId, arn, freshId, refuse, regional, regionOf } from "./naming.mts";
import { types } from "./tokens.mts";

const securityGroup: ResourceType = {
    autoName: { max: 255 },
    defaults: (scope) => ({ ...regional(scope), description: "Managed by Pulumi" }),
    references: [
        { path: "vpcId", to: types.vpc },
        { path: "ingress[].securityGroups[]", to: types.securityGroup },
        { path: "egress[].securityGroups[]", to: types.securityGroup },
    ],
    replaceOn: ["name", "namePrefix", "description", "vpcId", "region"],
    unique: ({ inputs }) => [`${textAt(inputs, "vpcId")} ${textAt(inputs, "name")}`],
    duplicate: (text) =>
        new CloudError(
            "InvalidGroup.Duplicate",
            `The security group '${text.split(" ")[1] ?? ""}' already exists for VPC '${text.split(" ")[0] ?? ""}'`,
        ),
    verify: ({ inputs }) => {
        // The characters that EC2 takes; a description with others was the finding of many a user.
        refuse(
            !/^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{0,255}$/.test(textAt(inputs, "description")),
            "InvalidParameterValue",
            "Invalid security group description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
        );
        refuse(
            textAt(inputs, "name").startsWith("sg-"),
            "InvalidParameterValue",
            `Invalid group name: ${textAt(inputs, "name")}`,
        );
    },
    id: ({ account }) => freshId(account, "sg"),
    outputs: (scope) => ({ arn: arn("ec2", regionOf(scope), `security-group/${scope.id}`), ownerId: accountId }),
    inUse: (object) => new CloudError("DependencyViolation", `resource ${object.id} has a dependent object`),
    timing: { create: 15, remove: 10 },
};

const defaultSecurityGroup: ResourceType = {
    defaults: regional,
    references: [{ path: "vpcId", to: types.vpc, holds: false }],
    replaceOn: ["vpcId", "region"],
    adopts: ({ inputs, account }) =>
        account.list(types.securityGroup).find((each) => each.partOf !== undefined && each.inputs.vpcId === inputs.vpcId),
    verify: ({ inputs, account }) =>
        refuse(
            account.list(types.vpc).every(({ id }) => id !== inputs.vpcId),
            "InvalidGroup.NotFound",
            "There is no default security group",
        ),
    id: ({ object }) => object?.id ?? "",
    outputs: (scope) => ({ arn: arn("ec2", regionOf(scope), `security-group/${scope.id}`), ownerId: accountId, name: "default" }),
};

/** Who a rule speaks of, as EC2's messages show it. */
function peerOf(inputs: Props): string {
    return (
        textAt(inputs, "cidrIpv4") ||
        textAt(inputs, "referencedSecurityGroupId") ||
        textAt(inputs, "cidrIpv6") ||
        textAt(inputs, "prefixListId")
    );
}

function rule(type: string, prefix: string): ResourceType {
    const unique = ({ inputs }: Scope) => [
        [inputs.securityGroupId, inputs.ipProtocol, inputs.fromPort ?? "", inputs.toPort ?? "", peerOf(inputs)]
            .map(String)
            .join(" "),
    ];
    return {
        required: ["securityGroupId", "ipProtocol"],
        defaults: regional,
        references: [
            { path: "securityGroupId", to: types.securityGroup, holds: false },
            { path: "referencedSecurityGroupId", to: types.securityGroup },
        ],
        replaceOn: ["securityGroupId", "region"],
        unique,
        duplicate: (text) => {
            const [, protocol = "", from = "", to = "", peer = ""] = text.split(" ");
            return new CloudError(
                "InvalidPermission.Duplicate",
                `the specified rule "peer: ${peer}, ${protocol.toUpperCase()}, from port: ${from}, to port: ${to}, ALLOW" already exists`,
            );
        },
        verify: ({ inputs, account, object }) => {
            const peers = ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"];
            refuse(
                peers.filter((peer) => inputs[peer] !== undefined).length !== 1,
                "InvalidParameterCombination",
                `Exactly one of ${peers.join(", ")} must be specified`,
            );
            refuse(
                inputs.cidrIpv4 !== undefined && range(inputs.cidrIpv4) === undefined,
                "InvalidParameterValue",
                `CIDR block ${String(inputs.cidrIpv4)} is malformed`,
            );
            refuse(
                ["tcp", "udp"].includes(textAt(inputs, "ipProtocol")) &&
                    (typeof inputs.fromPort !== "number" || typeof inputs.toPort !== "number" || inputs.fromPort > inputs.toPort),
                "InvalidParameterValue",
                "Invalid port range",
            );
            const taken = account.list(type).filter((each) => each.inputs.securityGroupId === inputs.securityGroupId).length;
            refuse(
                object === undefined && taken >= account.setting("aws/rulesPerGroup", 60),
                "RulesPerSecurityGroupLimitExceeded",
                "The maximum number of rules per security group has been reached.",
            );
        },
        id: ({ account }) => freshId(account, prefix),
        outputs: (scope) => ({
            securityGroupRuleId: scope.id,
            arn: arn("ec2", regionOf(scope), `security-group-rule/${scope.id}`),
        }),
        timing: { create: 10, remove: 5 },
    };
}

export const firewallTypes: Readonly<Record<string, ResourceType>> = {
    [types.securityGroup]: securityGroup,
    [types.defaultSecurityGroup]: defaultSecurityGroup,
    [types.ingressRule]: rule(types.ingressRule, "sgr"),
    [types.egressRule]: rule(types.egressRule, "sgr"),
};

/** The other end of a connection, as security groups see it. */
export interface Other {
    /** Its address, where it has one that rules may name. */
    readonly address?: string;
    /** Its security groups. */
    readonly groups?: readonly string[];
}

/** Whether some of these groups let TCP connections through. */
export function admits(
    account: AccountView,
    groups: readonly string[],
    direction: "ingress" | "egress",
    port: number,
    other: Other,
): boolean {
    const standalone = account
        .list(direction === "ingress" ? types.ingressRule : types.egressRule)
        .filter(({ inputs }) => groups.includes(textAt(inputs, "securityGroupId")))
        .map(({ inputs }) => ({
            protocol: textAt(inputs, "ipProtocol"),
            from: inputs.fromPort,
            to: inputs.toPort,
            cidrs: textsAt(inputs, "cidrIpv4"),
            peers: textsAt(inputs, "referencedSecurityGroupId"),
        }));
    const inline = account
        .list(types.securityGroup)
        .filter(({ id }) => groups.includes(id))
        .flatMap(({ id, inputs }) =>
            itemsAt(inputs, direction).map((entry) => ({
                protocol: textAt(entry, "protocol"),
                from: entry.fromPort,
                to: entry.toPort,
                cidrs: textsAt(entry, "cidrBlocks[]"),
                peers: [...textsAt(entry, "securityGroups[]"), ...(entry.self === true ? [id] : [])],
            })),
        );
    return [...standalone, ...inline].some(
        ({ protocol, from, to, cidrs, peers }) =>
            (protocol === "-1" || ((protocol === "tcp" || protocol === "6") && Number(from) <= port && port <= Number(to))) &&
            ((other.address !== undefined && cidrs.some((cidr) => within(other.address, cidr))) ||
                peers.some((peer) => other.groups?.includes(peer) === true)),
    );
}
