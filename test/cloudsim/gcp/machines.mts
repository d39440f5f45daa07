import { textAt, textsAt } from "../paths.mts";
import type { AccountView, CloudObject, Machine } from "../types.mts";
import { networkOf } from "./balancing.mts";
import { subnetworkOf } from "./compute.mts";
import { admits, type Guarded } from "./firewall.mts";
import { namesIn } from "./names.mts";
import { instanceServices, itemOf } from "./services.mts";
import { types } from "./tokens.mts";

/** The machines that the account's instances are. */
export function machines(account: AccountView): readonly Machine[] {
    return account.list(types.instance).map((instance) => machineOf(account, instance));
}

/** A machine's key: another one for a machine that was made again under its name. */
export function keyOf(instance: CloudObject): string {
    return `${textAt(instance.outputs, "instanceId")}#${String(instance.outputs.boots)}`;
}

export function addressOf(instance: CloudObject): string {
    return textAt(instance.inputs, "networkInterfaces[].networkIp");
}

/** What firewall rules see of an instance. */
export function guardedOf(account: AccountView, instance: CloudObject): Guarded {
    return {
        network: networkOf(account, instance),
        account: textAt(instance.inputs, "serviceAccount.email"),
        tags: textsAt(instance.inputs, "tags[]"),
    };
}

/** An address of nobody, to ask whether something is let out to anywhere. */
const anywhere = { address: "203.0.113.254" };

function machineOf(account: AccountView, instance: CloudObject): Machine {
    const own = guardedOf(account, instance);
    const egress = egressOf(account, instance);
    const disk = account.find(types.disk, textAt(instance.inputs, "attachedDisks[].source"));
    const metadata = (instance.inputs.metadata ?? {}) as Readonly<Record<string, unknown>>;
    return {
        key: keyOf(instance),
        id: instance.id,
        address: addressOf(instance),
        userData: String(metadata["user-data"] ?? ""),
        halted: disk === undefined ? "no data disk is attached" : undefined,
        waitsFor:
            egress.length === 0
                ? "no NAT serves its subnetwork"
                : admits(account, own, false, 443, anywhere)
                  ? undefined
                  : "no rule lets it out on port 443",
        disk: disk?.id ?? "",
        egress,
        names: namesIn(account, own.network),
        blocked: (address, port) =>
            egress.length === 0
                ? `no NAT serves the subnetwork of ${instance.id}`
                : admits(account, own, false, port, { address })
                  ? undefined
                  : `no rule lets ${instance.id} out to ${address} on port ${port}`,
        ask: instanceServices(account, instance),
        item: itemOf(account, instance),
        meets: (address, port) => {
            const other = account
                .list(types.instance)
                .find((each) => addressOf(each) === address && networkOf(account, each) === own.network);
            if (other === undefined) {
                return false;
            }
            const theirs = guardedOf(account, other);
            return (
                admits(account, own, false, port, { address, account: theirs.account }) &&
                admits(account, theirs, true, port, { address: addressOf(instance), account: own.account })
            );
        },
    };
}

/** Public addresses that an instance comes from: its own, else those of the NAT of its subnetwork. */
function egressOf(account: AccountView, instance: CloudObject): readonly string[] {
    const subnet = subnetworkOf(account, instance);
    const nat = account
        .list(types.routerNat)
        .find(({ inputs }) =>
            textsAt(inputs, "subnetworks[].name").some((link) => account.find(types.subnetwork, link) === subnet),
        );
    return textsAt(nat?.inputs, "natIps[]").map((link) => textAt(account.find(types.address, link)?.outputs, "address"));
}
