import { itemsAt, textAt, textsAt } from "../paths.mts";
import type { AccountView, Cloud, CloudObject, Props } from "../types.mts";
import { machineOf } from "./balancing.mts";
import { admits, prober } from "./firewall.mts";
import { addressOf } from "./interfaces.mts";
import { keyOf } from "./machines.mts";
import { types } from "./tokens.mts";

/** Where a connection to a public address leads: through the load balancer to a machine's own rules, with its source as it is. */
export const route: Cloud["route"] = (account, { source, address, port }, ready) => {
    const reserved = account.list(types.publicAddress).find(({ outputs }) => outputs.ipAddress === address);
    if (reserved === undefined) {
        return undefined;
    }
    const found = ruleFor(account, reserved, port);
    if (found === undefined) {
        return { dropped: `${address} is reserved, but no load balancer takes connections to port ${port}` };
    }
    const { balancer, rule } = found;
    const cards = account
        .list(types.networkInterface)
        .filter(({ inputs }) =>
            textsAt(inputs, "ipConfigurations[].loadBalancerBackendAddressPools[].id").includes(
                textAt(rule, "backendAddressPool.id"),
            ),
        );
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
};

function ruleFor(
    account: AccountView,
    reserved: CloudObject,
    port: number,
): { readonly balancer: CloudObject; readonly rule: Props } | undefined {
    for (const balancer of account.list(types.loadBalancer)) {
        const fronts = itemsAt(balancer.inputs, "frontendIPConfigurations")
            .filter((front) => account.find(types.publicAddress, textAt(front, "publicIPAddress.id")) === reserved)
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
