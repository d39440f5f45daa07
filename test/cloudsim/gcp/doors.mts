import { itemsAt, textAt, textsAt } from "../paths.mts";
import type { AccountView, Cloud, CloudObject, Route } from "../types.mts";
import { admits } from "./firewall.mts";
import { addressOf, guardedOf, keyOf } from "./machines.mts";
import { types } from "./tokens.mts";

/** An address from which Google probes the backends of passthrough load balancers, internal ones too. */
const prober = { address: "35.191.0.1" };

/** Where a connection to a public address leads: through the forwarding rule to a machine's own firewall rules, with its source as it is. */
export const route: Cloud["route"] = (account, { source, address, port }, ready) => {
    const reserved = account
        .list(types.address)
        .find(({ inputs, outputs }) => inputs.addressType !== "INTERNAL" && outputs.address === address);
    if (reserved === undefined) {
        return undefined;
    }
    const rule = account
        .list(types.forwardingRule)
        .find(({ inputs }) => account.find(types.address, inputs.ipAddress) === reserved);
    if (rule === undefined || !textsAt(rule.inputs, "ports[]").includes(String(port))) {
        return { dropped: `${address} is reserved, but no forwarding rule takes connections to port ${port}` };
    }
    return through(account, rule, { source, address, port }, ready);
};

/** Where a connection leads that has come into a network privately: to an internal forwarding rule, or to a machine itself. */
export function enter(
    account: AccountView,
    network: string,
    connection: { readonly source: string; readonly address: string; readonly port: number },
    ready: (key: string) => boolean,
): Route {
    const { source, address, port } = connection;
    const rule = account
        .list(types.forwardingRule)
        .find(
            ({ inputs }) =>
                inputs.loadBalancingScheme === "INTERNAL" &&
                account.find(types.network, inputs.network)?.id === network &&
                (inputs.ipAddress === address ||
                    textAt(account.find(types.address, inputs.ipAddress)?.inputs, "address") === address),
        );
    if (rule !== undefined) {
        return textsAt(rule.inputs, "ports[]").includes(String(port))
            ? through(account, rule, connection, ready)
            : { dropped: `no forwarding rule takes connections to port ${port} of ${address}` };
    }
    const machine = account
        .list(types.instance)
        .find((each) => addressOf(each) === address && guardedOf(account, each).network === network);
    if (machine === undefined) {
        return { dropped: `nothing in ${network} has the address ${address}` };
    }
    return admits(account, guardedOf(account, machine), true, port, { address: source })
        ? { machines: [keyOf(machine)].filter(ready), port }
        : { dropped: `no rule admits ${source} on port ${port} of ${machine.id}` };
}

/** Through a forwarding rule to the machines behind it, by their own firewall rules. */
function through(
    account: AccountView,
    rule: CloudObject,
    { source, address, port }: { readonly source: string; readonly address: string; readonly port: number },
    ready: (key: string) => boolean,
): Route {
    const backend = account.find(types.backendService, rule.inputs.backendService);
    const members = membersOf(account, backend);
    const open = members.filter((each) => admits(account, guardedOf(account, each), true, port, { address: source }));
    if (open.length === 0) {
        return {
            dropped:
                members.length === 0
                    ? `no machine stands behind ${address}`
                    : `no rule admits ${source} on port ${port} behind ${address}`,
        };
    }
    const probe = probePort(account, backend);
    const healthy = open
        .filter((each) => admits(account, guardedOf(account, each), true, probe, prober))
        .map(keyOf)
        .filter(ready);
    return healthy.length === 0 ? { refused: `no healthy machine behind ${address}` } : { machines: healthy, port };
}

function membersOf(account: AccountView, backend: CloudObject | undefined): readonly CloudObject[] {
    const groups = itemsAt(backend?.inputs, "backends").map(({ group }) => account.find(types.instanceGroup, group));
    return account
        .list(types.instanceGroupMembership)
        .filter(({ inputs }) => groups.includes(account.find(types.instanceGroup, inputs.instanceGroup)))
        .map(({ inputs }) => account.find(types.instance, inputs.instance))
        .filter((each): each is CloudObject => each !== undefined);
}

function probePort(account: AccountView, backend: CloudObject | undefined): number {
    const check = account.find(types.healthCheck, textAt(backend?.inputs, "healthChecks"));
    const [, settings] = Object.entries(check?.inputs ?? {}).find(([key]) => /HealthCheck$/.test(key)) ?? [];
    return Number((settings as { port?: number } | undefined)?.port ?? 0);
}
