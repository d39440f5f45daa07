import { itemsAt, textAt, textsAt } from "../paths.mts";
import type { AccountView, Cloud, CloudObject, Route } from "../types.mts";
import { subnetsOf } from "./balancing.mts";
import { interfaceOf, subnetOf } from "./compute.mts";
import { admits } from "./firewall.mts";
import { addressOf, groupsOf, isPublic, machines } from "./machines.mts";
import { types } from "./tokens.mts";

/** Addresses of a load balancer's name, of an Elastic IP's, or of a name in a public zone. */
export const lookup: Cloud["lookup"] = (account, name) => {
    const balancer = account.list(types.loadBalancer).find(({ outputs }) => outputs.dnsName === name);
    if (balancer?.inputs.internal === true) {
        return textsAt(balancer.inputs, "subnetMappings[].privateIpv4Address");
    }
    if (balancer !== undefined) {
        return textsAt(balancer.inputs, "subnetMappings[].allocationId").map((id) =>
            textAt(account.find(types.eip, id)?.outputs, "publicIp"),
        );
    }
    const open = account.list(types.zone).filter(({ inputs }) => itemsAt(inputs, "vpcs").length === 0);
    const record = account
        .list(types.record)
        .find(({ inputs }) => inputs.name === name && open.some(({ id }) => id === inputs.zoneId));
    return record === undefined
        ? []
        : [
              ...textsAt(record.inputs, "aliases[].name").flatMap((alias) => lookup(account, alias)),
              ...textsAt(record.inputs, "records[]"),
          ];
};

/** Where a connection to a public address leads: through the load balancer's groups, its listener and the targets' groups. */
export const route: Cloud["route"] = (account, { source, address, port }, ready) => {
    const allocation = account.list(types.eip).find(({ outputs }) => outputs.publicIp === address);
    if (allocation === undefined) {
        return undefined;
    }
    const balancer = account
        .list(types.loadBalancer)
        .find(({ inputs }) => textsAt(inputs, "subnetMappings[].allocationId").includes(allocation.id));
    if (balancer === undefined) {
        return { dropped: `${address} is reserved, but nothing takes connections there` };
    }
    const subnet = account.find(
        types.subnet,
        itemsAt(balancer.inputs, "subnetMappings").find((each) => each.allocationId === allocation.id)?.subnetId,
    );
    return isPublic(account, subnet)
        ? through(account, balancer, { source, port }, ready)
        : { dropped: `the subnet of ${address} has no route to an internet gateway` };
};

/** Where a connection leads that has come into a network privately: to an internal load balancer, or to a machine itself. */
export function enter(
    account: AccountView,
    vpc: string,
    { source, address, port }: { readonly source: string; readonly address: string; readonly port: number },
    ready: (key: string) => boolean,
): Route {
    const inside = (id: unknown) => account.find(types.subnet, id)?.inputs.vpcId === vpc;
    const balancer = account
        .list(types.loadBalancer)
        .find(({ inputs }) =>
            itemsAt(inputs, "subnetMappings").some((each) => each.privateIpv4Address === address && inside(each.subnetId)),
        );
    if (balancer !== undefined) {
        return through(account, balancer, { source, port }, ready);
    }
    const instance = account
        .list(types.instance)
        .find((each) => addressOf(account, each) === address && inside(subnetOf(account, each)?.id));
    const key = machines(account).find(({ id }) => id === instance?.id)?.key;
    if (instance === undefined || key === undefined) {
        return { dropped: `nothing in ${vpc} has the address ${address}` };
    }
    return admits(account, groupsOf(account, instance), "ingress", port, { address: source })
        ? { machines: [key].filter(ready), port }
        : { dropped: `no rule of ${groupsOf(account, instance).join(", ")} admits ${source} on port ${port}` };
}

/** Through a load balancer's groups, its listener and the targets' groups. */
function through(
    account: AccountView,
    balancer: CloudObject,
    { source, port }: { readonly source: string; readonly port: number },
    ready: (key: string) => boolean,
): Route {
    const groups = textsAt(balancer.inputs, "securityGroups[]");
    if (groups.length > 0 && !admits(account, groups, "ingress", port, { address: source })) {
        return { dropped: `no rule of ${groups.join(", ")} admits ${source} on port ${port}` };
    }
    const listener = account
        .list(types.listener)
        .find(({ inputs }) => inputs.loadBalancerArn === balancer.id && inputs.port === port);
    const group = account.find(types.targetGroup, textAt(listener?.inputs, "defaultActions[].targetGroupArn"));
    if (group === undefined) {
        return { refused: `no listener of ${textAt(balancer.inputs, "name")} on port ${port}` };
    }
    const own = Number(group.inputs.port);
    const probe = Number(textAt(group.inputs, "healthCheck.port")) || own;
    const all = machines(account);
    const healthy = account
        .list(types.targetGroupAttachment)
        .filter(({ inputs }) => inputs.targetGroupArn === group.id)
        .map(({ inputs }) => account.find(types.instance, inputs.targetId))
        .filter((each): each is CloudObject => each !== undefined)
        .filter((each) => reaches(account, groups, each, own, source) && reaches(account, groups, each, probe, source))
        .filter((each) => sameZoneOrCross(account, balancer, each))
        .map(({ id }) => all.find((machine) => machine.id === id)?.key ?? "")
        .filter(ready);
    return healthy.length === 0
        ? { refused: `no healthy target of ${textAt(group.inputs, "name")}` }
        : { machines: healthy, port: own };
}

/** Whether a load balancer's connections reach a target: out of its own groups and into the target's. */
function reaches(account: AccountView, groups: readonly string[], target: CloudObject, port: number, source: string): boolean {
    const own = groupsOf(account, target);
    const address = textAt(interfaceOf(account, target)?.outputs, "privateIp");
    return (
        (groups.length === 0 || admits(account, groups, "egress", port, { groups: own, address })) &&
        admits(account, own, "ingress", port, { groups, address: source })
    );
}

/** Without cross-zone balancing a zone's address leads to its own zone's targets only; the name's addresses are tried in turn. */
function sameZoneOrCross(account: AccountView, balancer: CloudObject, target: CloudObject): boolean {
    return (
        balancer.inputs.enableCrossZoneLoadBalancing === true ||
        subnetsOf(balancer.inputs).some(
            (id) => textAt(account.find(types.subnet, id)?.inputs, "availabilityZone") === target.outputs.availabilityZone,
        )
    );
}
