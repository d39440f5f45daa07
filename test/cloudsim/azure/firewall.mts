import { overlap, range, within } from "../addresses.mts";
import { textAt, textsAt } from "../paths.mts";
import { type AccountView, CloudError, type CloudObject, type Props, type ResourceType } from "../types.mts";
import { byName, named, refuse } from "./naming.mts";
import { networkOfSubnet } from "./network.mts";
import { types } from "./tokens.mts";

const securityGroup = named(
    { kind: "Microsoft.Network/networkSecurityGroups", property: "networkSecurityGroupName", max: 80 },
    {
        verify: ({ inputs, object, account }) => {
            // Writing the group with rules of its own takes away every rule that is not among them.
            refuse(
                object !== undefined && inputs.securityRules !== undefined && rulesOf(account, object).length > 0,
                "SecurityRuleConflict",
                "The group's own rules would replace those that are resources of their own",
            );
        },
        inUse: (object, by) =>
            new CloudError(
                "InUseNetworkSecurityGroupCannotBeDeleted",
                `Network security group ${object.id} cannot be deleted because it is in use by the following resources: ${by.id}.`,
            ),
    },
);

const directions = ["Inbound", "Outbound"];

const securityRule = named(
    {
        kind: "Microsoft.Network/networkSecurityGroups/securityRules",
        property: "securityRuleName",
        max: 80,
        within: ({ account, inputs }) => groupNamed(account, inputs),
    },
    {
        required: ["access", "direction", "networkSecurityGroupName", "priority", "protocol"],
        // A group that is deleted takes its rules along.
        references: [{ path: "networkSecurityGroupName", to: types.securityGroup, holds: false }],
        replaceOn: ["networkSecurityGroupName"],
        verify: ({ inputs, account, object }) => {
            const { direction, priority } = inputs;
            refuse(!directions.includes(String(direction)), "InvalidRequestFormat", `Direction ${String(direction)}`);
            refuse(
                !Number.isInteger(priority) || Number(priority) < 100 || Number(priority) > 4096,
                "SecurityRuleInvalidPriority",
                `Security rule has invalid Priority. Value provided: ${String(priority)} Allowed range 100-4096.`,
            );
            checkEnd(inputs, "source");
            checkEnd(inputs, "destination");
            const group = groupNamed(account, inputs);
            const other = rulesOf(account, group).find(
                (each) =>
                    each.serial !== object?.serial && each.inputs.direction === direction && each.inputs.priority === priority,
            );
            refuse(
                other !== undefined,
                "SecurityRuleConflict",
                `Security rule ${textAt(inputs, "securityRuleName")} conflicts with rule ${textAt(other?.inputs, "securityRuleName")}. Rules cannot have the same Priority and Direction.`,
            );
        },
        // All rules of a group are changed by writing the group: Azure asks the second to come again (429), and the provider does.
        lock: ({ inputs }) => {
            const group = textAt(inputs, "networkSecurityGroupName");
            return group === "" ? undefined : { key: `azure security group ${group}`, busy: "queue" };
        },
        timing: { create: 10, update: 10, remove: 10 },
    },
);

function checkEnd(inputs: Props, end: "source" | "destination"): void {
    const [one, several] = [textAt(inputs, `${end}AddressPrefix`), textsAt(inputs, `${end}AddressPrefixes[]`)];
    const [port, ports] = [textAt(inputs, `${end}PortRange`), textsAt(inputs, `${end}PortRanges[]`)];
    refuse(
        (one === "") === (several.length === 0),
        "SecurityRuleParameterContainsConflictingValues",
        `Security rule must specify either ${end}AddressPrefix or ${end}AddressPrefixes`,
    );
    refuse(
        (port === "") === (ports.length === 0),
        "SecurityRuleParameterContainsConflictingValues",
        `Security rule must specify either ${end}PortRange or ${end}PortRanges`,
    );
    for (const [index, prefix] of several.entries()) {
        refuse(
            range(prefix) === undefined,
            "SecurityRuleInvalidAddressPrefix",
            `Security rule has invalid Address prefix. Value provided: ${prefix}`,
        );
        refuse(
            several.slice(index + 1).some((other) => overlap(prefix, other)),
            "SecurityRuleParameterContainsDuplicateValue",
            `Security rule parameter ${end}AddressPrefixes has overlapping values: ${prefix}`,
        );
    }
    refuse(
        one !== "" && range(one) === undefined && !["*", "Internet", "VirtualNetwork", "AzureLoadBalancer"].includes(one),
        "SecurityRuleInvalidAddressPrefix",
        `Security rule has invalid Address prefix. Value provided: ${one}`,
    );
}

function groupNamed(account: AccountView, inputs: Props): CloudObject | undefined {
    return byName(
        account,
        types.securityGroup,
        inputs.resourceGroupName,
        "networkSecurityGroupName",
        inputs.networkSecurityGroupName,
    );
}

function rulesOf(account: AccountView, group: CloudObject | undefined): readonly CloudObject[] {
    return account.list(types.securityRule).filter((each) => groupNamed(account, each.inputs) === group);
}

export const firewallTypes: Readonly<Record<string, ResourceType>> = {
    [types.securityGroup]: securityGroup,
    [types.securityRule]: securityRule,
};

/** Where the probes of load balancers come from. */
export const prober = "168.63.129.16";

/** The rules that every group ends with. */
const defaults: readonly Props[] = [
    rule("Inbound", 65_000, "Allow", "VirtualNetwork", "VirtualNetwork"),
    rule("Inbound", 65_001, "Allow", "AzureLoadBalancer", "*"),
    rule("Inbound", 65_500, "Deny", "*", "*"),
    rule("Outbound", 65_000, "Allow", "VirtualNetwork", "VirtualNetwork"),
    rule("Outbound", 65_001, "Allow", "*", "Internet"),
    rule("Outbound", 65_500, "Deny", "*", "*"),
];

function rule(direction: string, priority: number, access: string, from: string, to: string): Props {
    return {
        direction,
        priority,
        access,
        protocol: "*",
        sourceAddressPrefix: from,
        destinationAddressPrefix: to,
        sourcePortRange: "*",
        destinationPortRange: "*",
    };
}

/** One TCP connection as a machine's rules see it. */
export interface Attempt {
    readonly direction: "Inbound" | "Outbound";
    readonly from: string;
    readonly to: string;
    readonly port: number;
}

/**
 * Whether a network interface's rules let a connection pass: those of its subnet's group and those of its own, both where there are two.
 * Without any group a Standard load balancer's connections do not come in; others pass.
 */
export function admits(account: AccountView, card: CloudObject, attempt: Attempt): boolean {
    const subnet = account.find(types.subnet, textAt(card.inputs, "ipConfigurations[].subnet.id"));
    const network = networkOfSubnet(account, subnet);
    const groups = [textAt(subnet?.inputs, "networkSecurityGroup.id"), textAt(card.inputs, "networkSecurityGroup.id")]
        .filter((id) => id !== "")
        .map((id) => account.find(types.securityGroup, id));
    return groups.length === 0
        ? attempt.direction === "Outbound"
        : groups.every((group) =>
              allows(account, [...rulesOf(account, group).map(({ inputs }) => inputs), ...defaults], network, attempt),
          );
}

function allows(account: AccountView, rules: readonly Props[], network: CloudObject | undefined, attempt: Attempt): boolean {
    const fitting = rules
        .filter(({ direction, protocol }) => direction === attempt.direction && ["*", "Tcp"].includes(String(protocol)))
        .filter((each) => speaksOf(account, each, "source", attempt.from, network))
        .filter((each) => speaksOf(account, each, "destination", attempt.to, network))
        .filter((each) => covers(each, attempt.port))
        .sort((one, other) => Number(one.priority) - Number(other.priority));
    return fitting[0]?.access === "Allow";
}

/** What the name "VirtualNetwork" covers besides a network itself: networks that are peered with it, and all that a gateway may learn. */
function joinedSpaces(account: AccountView, network: CloudObject | undefined): readonly string[] {
    const peered = account
        .list(types.networkPeering)
        .filter(({ id }) => network !== undefined && id.startsWith(`${network.id}/`))
        .map(({ inputs }) => account.find(types.virtualNetwork, textAt(inputs, "remoteVirtualNetwork.id")));
    const hasGateway = account
        .list(types.virtualNetworkGateway)
        .some(({ inputs }) => textAt(inputs, "ipConfigurations[].subnet.id").startsWith(`${network?.id}/`));
    return [
        ...peered.flatMap((each) => textsAt(each?.inputs, "addressSpace.addressPrefixes[]")),
        ...(hasGateway ? privateRanges : []),
    ];
}

function speaksOf(
    account: AccountView,
    inputs: Props,
    end: "source" | "destination",
    address: string,
    network: CloudObject | undefined,
): boolean {
    const spaces = textsAt(network?.inputs, "addressSpace.addressPrefixes[]");
    const inside = [...spaces, ...joinedSpaces(account, network)].some((space) => within(address, space));
    const named = [textAt(inputs, `${end}AddressPrefix`), ...textsAt(inputs, `${end}AddressPrefixes[]`)].filter(
        (each) => each !== "",
    );
    return named.some((each) => {
        switch (each) {
            case "*":
                return true;
            case "VirtualNetwork":
                return inside;
            case "AzureLoadBalancer":
                return address === prober;
            case "Internet":
                return !inside && address !== prober && !privateRanges.some((space) => within(address, space));
            default:
                return within(address, each);
        }
    });
}

const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

function covers(inputs: Props, port: number): boolean {
    const named = [textAt(inputs, "destinationPortRange"), ...textsAt(inputs, "destinationPortRanges[]")].filter(
        (each) => each !== "",
    );
    return named.some((text) => {
        const [from = 0, to = from] = text.split("-").map(Number);
        return text === "*" || (from <= port && port <= to);
    });
}
