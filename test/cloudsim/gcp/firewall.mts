import { range, within } from "../addresses.mts";
import { itemsAt, textAt, textsAt } from "../paths.mts";
import type { AccountView, CloudObject, ResourceType } from "../types.mts";
import { invalid, named, refuse } from "./naming.mts";
import { types } from "./tokens.mts";

const firewall = named("global", "firewalls", {
    required: ["network"],
    defaults: () => ({ priority: 1000 }),
    references: [{ path: "network", to: types.network }],
    replaceOn: ["network", "direction"],
    verify: ({ inputs, account }) => {
        const [allows, denies] = [itemsAt(inputs, "allows"), itemsAt(inputs, "denies")];
        refuse(allows.length > 0 === denies.length > 0, "400", "Exactly one of allow and deny must be set");
        const inward = isInward(inputs);
        const sources = ["sourceRanges[]", "sourceTags[]", "sourceServiceAccounts[]"].flatMap((path) => textsAt(inputs, path));
        const destinations = textsAt(inputs, "destinationRanges[]");
        refuse(
            inward && sources.length === 0,
            "400",
            "one of source_tags, source_ranges, or source_service_accounts must be defined",
        );
        refuse(!inward && sources.length > 0, "400", "Sources cannot be set on an egress firewall");
        refuse(inward && destinations.length > 0 && sources.length === 0, "400", "Destination ranges need source ranges");
        const tags = [...textsAt(inputs, "sourceTags[]"), ...textsAt(inputs, "targetTags[]")];
        const accounts = [...textsAt(inputs, "sourceServiceAccounts[]"), ...textsAt(inputs, "targetServiceAccounts[]")];
        refuse(tags.length > 0 && accounts.length > 0, "400", "Tags and service accounts cannot be used together");
        for (const cidr of [...textsAt(inputs, "sourceRanges[]"), ...destinations]) {
            invalid(range(cidr) === undefined, "sourceRanges[0]", cidr, "Must be a valid CIDR address range.");
        }
        for (const email of accounts) {
            invalid(
                account.find(types.account, email) === undefined,
                "targetServiceAccounts[0]",
                email,
                "The service account does not exist",
            );
        }
        const priority = Number(inputs.priority ?? 1000);
        invalid(!Number.isInteger(priority) || priority < 0 || priority > 65535, "priority", priority, "Must be from 0 to 65535");
        for (const { protocol, ports } of [...allows, ...denies]) {
            invalid(
                protocol === "all" && ports !== undefined,
                "allowed[0].ports",
                ports,
                "Ports cannot be set for all protocols",
            );
        }
    },
});

export const firewallTypes: Readonly<Record<string, ResourceType>> = { [types.firewall]: firewall };

function isInward(inputs: CloudObject["inputs"]): boolean {
    return inputs.direction !== "EGRESS";
}

/** The other end of a connection. */
export interface Other {
    readonly address: string;
    /** The service account of the machine there, where it is one of the same network. */
    readonly account?: string | undefined;
}

/** One end of a connection: a machine of a network. */
export interface Guarded {
    /** Id of its network. */
    readonly network: string | undefined;
    /** Email of its service account. */
    readonly account: string;
    readonly tags: readonly string[];
}

/** Whether the rules of a machine's network let a TCP connection in or out. Without a rule that fits, all goes out and nothing comes in. */
export function admits(account: AccountView, machine: Guarded, inward: boolean, port: number, other: Other): boolean {
    const fitting = account
        .list(types.firewall)
        .filter(({ inputs }) => account.find(types.network, inputs.network)?.id === machine.network)
        .filter(({ inputs }) => inputs.disabled !== true && isInward(inputs) === inward)
        .filter(({ inputs }) => targets(inputs, machine) && speaksOf(inputs, inward, other) && covers(inputs, port))
        .map(({ inputs }) => ({ priority: Number(inputs.priority ?? 1000), allows: itemsAt(inputs, "allows").length > 0 }))
        // The lowest number wins, and of two equal ones the denial.
        .sort((one, next) => one.priority - next.priority || Number(one.allows) - Number(next.allows));
    return fitting[0]?.allows ?? !inward;
}

function targets(inputs: CloudObject["inputs"], { account, tags }: Guarded): boolean {
    const [accounts, wanted] = [textsAt(inputs, "targetServiceAccounts[]"), textsAt(inputs, "targetTags[]")];
    return (
        (accounts.length === 0 && wanted.length === 0) || accounts.includes(account) || wanted.some((tag) => tags.includes(tag))
    );
}

function speaksOf(inputs: CloudObject["inputs"], inward: boolean, { address, account }: Other): boolean {
    const ranges = textsAt(inputs, inward ? "sourceRanges[]" : "destinationRanges[]");
    return (
        ranges.some((cidr) => within(address, cidr)) ||
        (inward && account !== undefined && textsAt(inputs, "sourceServiceAccounts[]").includes(account)) ||
        (!inward && ranges.length === 0)
    );
}

function covers(inputs: CloudObject["inputs"], port: number): boolean {
    return [...itemsAt(inputs, "allows"), ...itemsAt(inputs, "denies")].some((entry) => {
        const protocol = textAt(entry, "protocol");
        const ports = textsAt(entry, "ports[]");
        const fits = ports.some((text) => {
            const [from = 0, to = from] = text.split("-").map(Number);
            return from <= port && port <= to;
        });
        return protocol === "all" || ((protocol === "tcp" || protocol === "6") && (ports.length === 0 || fits));
    });
}
