import { itemsAt, textAt, textsAt } from "../paths.mts";
import type { AccountView, Cloud, CloudObject, Props, Route } from "../types.mts";
import { machineOf } from "./balancing.mts";
import { admits, prober } from "./firewall.mts";
import { addressOf, subnetOf } from "./interfaces.mts";
import { keyOf } from "./machines.mts";
import { networkOfSubnet } from "./network.mts";
import { types } from "./tokens.mts";

/** Where a connection to a public address leads: through the load balancer to a machine's own rules, with its source as it is. */
export const route: Cloud["route"] = (account, { source, address, port }, ready) => {
    const reserved = account.list(types.publicAddress).find(({ outputs }) => outputs.ipAddress === address);
    if (reserved === undefined) {
        return undefined;
    }
    const found = ruleAt(
        account,
        (front) => account.find(types.publicAddress, textAt(front, "publicIPAddress.id")) === reserved,
        port,
    );
    if (found === undefined) {
        return { dropped: `${address} is reserved, but no load balancer takes connections to port ${port}` };
    }
    return through(account, found, { source, address, port }, ready);
};

/** Where a connection leads that has come into a network privately: to an internal load balancer, or to a machine itself. */
export function enter(
    account: AccountView,
    network: CloudObject,
    connection: { readonly source: string; readonly address: string; readonly port: number },
    ready: (key: string) => boolean,
): Route {
    const { source, address, port } = connection;
    const inside = (id: string) => networkOfSubnet(account, account.find(types.subnet, id)) === network;
    const isFront = (front: Props) => front.privateIPAddress === address && inside(textAt(front, "subnet.id"));
    const found = ruleAt(account, isFront, port);
    if (found !== undefined) {
        return through(account, found, connection, ready);
    }
    const card = account
        .list(types.networkInterface)
        .find((each) => addressOf(each) === address && networkOfSubnet(account, subnetOf(account, each)) === network);
    const machine = card === undefined ? undefined : machineOf(account, card);
    if (card === undefined || machine === undefined) {
        return { dropped: `nothing in ${network.id} takes connections to port ${port} of ${address}` };
    }
    return admits(account, card, { direction: "Inbound", from: source, to: address, port })
        ? { machines: [keyOf(machine)].filter(ready), port }
        : { dropped: `no rule admits ${source} on port ${port} of ${machine.id}` };
}

/** The interfaces behind a rule: those that say so themselves, and those whose addresses the pool names. */
function membersOf(account: AccountView, { balancer, rule }: Found): readonly CloudObject[] {
    const pool = textAt(rule, "backendAddressPool.id");
    const named = itemsAt(balancer.inputs, "backendAddressPools")
        .filter(({ name }) => pool.endsWith(`/backendAddressPools/${String(name)}`))
        .flatMap((each) => itemsAt(each, "loadBalancerBackendAddresses"));
    return account
        .list(types.networkInterface)
        .filter(
            (card) =>
                textsAt(card.inputs, "ipConfigurations[].loadBalancerBackendAddressPools[].id").includes(pool) ||
                named.some(
                    (each) =>
                        each.ipAddress === addressOf(card) &&
                        textAt(each, "virtualNetwork.id") === networkOfSubnet(account, subnetOf(account, card))?.id,
                ),
        );
}

/** Through a load balancer's rule to a machine's own rules, with its source as it is. */
function through(
    account: AccountView,
    found: Found,
    { source, address, port }: { readonly source: string; readonly address: string; readonly port: number },
    ready: (key: string) => boolean,
): Route {
    const { balancer, rule } = found;
    const cards = membersOf(account, found);
    const backend = Number(rule.backendPort);
    const inward = (card: CloudObject, from: string, to: number) =>
        admits(account, card, { direction: "Inbound", from, to: addressOf(card), port: to });
    const open = cards.filter((card) => inward(card, source, backend));
    if (open.length === 0) {
        return {
            dropped:
                cards.length === 0
                    ? `no machine stands behind ${address}`
                    : `no rule admits ${source} on port ${port} behind ${address}`,
        };
    }
    const probe = itemsAt(balancer.inputs, "probes").find(({ name }) =>
        textAt(rule, "probe.id").endsWith(`/probes/${String(name)}`),
    );
    const healthy = open
        .filter((card) => inward(card, prober, Number(probe?.port ?? 0)))
        .map((card) => machineOf(account, card))
        .filter((machine): machine is CloudObject => machine !== undefined)
        .map(keyOf)
        .filter(ready);
    return healthy.length === 0 ? { refused: `no healthy machine behind ${address}` } : { machines: healthy, port: backend };
}

/** A load balancer and the rule of it that takes a connection. */
interface Found {
    readonly balancer: CloudObject;
    readonly rule: Props;
}

function ruleAt(account: AccountView, isFront: (front: Props) => boolean, port: number): Found | undefined {
    for (const balancer of account.list(types.loadBalancer)) {
        const fronts = itemsAt(balancer.inputs, "frontendIPConfigurations")
            .filter(isFront)
            .map((front) => `${balancer.id}/frontendIPConfigurations/${textAt(front, "name")}`);
        const rule = itemsAt(balancer.inputs, "loadBalancingRules").find(
            (each) => each.frontendPort === port && fronts.includes(textAt(each, "frontendIPConfiguration.id")),
        );
        if (rule !== undefined) {
            return { balancer, rule };
        }
    }
    return undefined;
}
