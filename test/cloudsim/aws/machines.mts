import { gunzipSync } from "node:zlib";
import { textAt, textsAt } from "../paths.mts";
import type { AccountView, CloudObject, Machine } from "../types.mts";
import { interfaceOf, subnetOf, userDataOf } from "./compute.mts";
import { admits } from "./firewall.mts";
import { instanceServices, itemOf } from "./services.mts";
import { types } from "./tokens.mts";

/** The machines that the account's instances are. */
export function machines(account: AccountView): readonly Machine[] {
    return account.list(types.instance).map((instance) => machineOf(account, instance));
}

function machineOf(account: AccountView, instance: CloudObject): Machine {
    const subnet = subnetOf(account, instance);
    const groups = groupsOf(account, instance);
    const disk = account.list(types.volumeAttachment).find(({ inputs }) => inputs.instanceId === instance.id);
    const nat = natOf(account, subnet);
    const data = userDataOf(instance.inputs);
    const needed = textAt(disk?.inputs, "volumeId").replace("-", "");
    const userData = (data[0] === 0x1f && data[1] === 0x8b ? gunzipSync(data) : data).toString("utf8");
    const open = admits(account, groups, "egress", 443, { address: "192.0.2.1" });
    return {
        key: `${instance.id}#${String(instance.outputs.boots)}`,
        id: instance.id,
        address: addressOf(account, instance),
        userData,
        halted:
            disk === undefined
                ? "no data disk is attached"
                : userData.includes(needed)
                  ? undefined
                  : "the attached disk is not the one that the boot data names",
        waitsFor:
            nat === undefined
                ? "its subnet has no route to the internet"
                : open
                  ? undefined
                  : "its security groups let nothing out on port 443",
        disk: textAt(disk?.inputs, "volumeId"),
        egress: nat === undefined ? [] : [nat],
        names: namesIn(account, subnet?.inputs.vpcId),
        blocked: (address, port) =>
            nat === undefined
                ? `${instance.id} has no route to the internet`
                : admits(account, groups, "egress", port, { address })
                  ? undefined
                  : `no rule of ${groups.join(", ")} lets port ${port} out to ${address}`,
        ask: instanceServices(account, instance),
        item: itemOf(account, instance),
        meets: (address, port) => {
            const other = account
                .list(types.instance)
                .find(
                    (each) =>
                        addressOf(account, each) === address && subnetOf(account, each)?.inputs.vpcId === subnet?.inputs.vpcId,
                );
            const theirs = other === undefined ? [] : groupsOf(account, other);
            return (
                other !== undefined &&
                admits(account, groups, "egress", port, { address, groups: theirs }) &&
                admits(account, theirs, "ingress", port, { address: addressOf(account, instance), groups })
            );
        },
    };
}

/** The private address of an instance. */
export function addressOf(account: AccountView, instance: CloudObject): string {
    return textAt(interfaceOf(account, instance)?.outputs, "privateIp") || textAt(instance.outputs, "privateIp");
}

/** The security groups of an instance. */
export function groupsOf(account: AccountView, instance: CloudObject): readonly string[] {
    const card = interfaceOf(account, instance);
    return card === undefined ? textsAt(instance.inputs, "vpcSecurityGroupIds[]") : textsAt(card.inputs, "securityGroups[]");
}

/** The default route of a subnet: its own table's, else the network's main one, which has none. */
function defaultRoute(account: AccountView, subnet: CloudObject | undefined): CloudObject["inputs"] | undefined {
    const table = account.list(types.routeTableAssociation).find(({ inputs }) => inputs.subnetId === subnet?.id)
        ?.inputs.routeTableId;
    const standalone = account
        .list(types.route)
        .find(({ inputs }) => inputs.routeTableId === table && inputs.destinationCidrBlock === "0.0.0.0/0");
    return table === undefined ? undefined : standalone?.inputs;
}

/** Whether a subnet is open to the internet. */
export function isPublic(account: AccountView, subnet: CloudObject | undefined): boolean {
    return account.find(types.internetGateway, defaultRoute(account, subnet)?.gatewayId) !== undefined;
}

/** The public address that a private subnet's machines come from; `undefined`: they reach nothing. */
function natOf(account: AccountView, subnet: CloudObject | undefined): string | undefined {
    const gateway = account.find(types.natGateway, defaultRoute(account, subnet)?.natGatewayId);
    const outside = account.find(types.subnet, gateway?.inputs.subnetId);
    return gateway === undefined || !isPublic(account, outside)
        ? undefined
        : textAt(account.find(types.eip, gateway.inputs.allocationId)?.outputs, "publicIp");
}

/** The names of a network's private zones. Amazon's name server answers them only with both of the network's switches on. */
function namesIn(account: AccountView, vpcId: unknown): ReadonlyMap<string, string> {
    const network = account.find(types.vpc, vpcId);
    if (network?.inputs.enableDnsSupport !== true || network.inputs.enableDnsHostnames !== true) {
        return new Map();
    }
    const zones = account.list(types.zone).filter(({ inputs }) => textsAt(inputs, "vpcs[].vpcId").includes(network.id));
    return new Map(
        account
            .list(types.record)
            .filter(({ inputs }) => zones.some(({ id }) => id === inputs.zoneId))
            .map(({ inputs }) => [textAt(inputs, "name"), textAt(inputs, "records[]")]),
    );
}
