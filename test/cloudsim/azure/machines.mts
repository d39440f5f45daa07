import { textAt } from "../paths.mts";
import type { AccountView, CloudObject, Machine } from "../types.mts";
import { admits } from "./firewall.mts";
import { addressOf, egressOf, interfaceOf, subnetOf } from "./interfaces.mts";
import { namesIn } from "./names.mts";
import { networkOfSubnet } from "./network.mts";
import { instanceServices, itemOf } from "./services.mts";
import { types } from "./tokens.mts";

/** The machines that the account's virtual machines are. */
export function machines(account: AccountView): readonly Machine[] {
    return account.list(types.virtualMachine).flatMap((machine) => {
        const card = interfaceOf(account, machine);
        return card === undefined ? [] : [machineOf(account, machine, card)];
    });
}

/** A machine's key: another one for a machine that was made again under its name, or restarted. */
export function keyOf(machine: CloudObject): string {
    return `${textAt(machine.outputs, "vmId")}#${String(machine.outputs.boots)}`;
}

/** An address of nobody, to ask whether something is let out to anywhere. */
const anywhere = "203.0.113.254";

function machineOf(account: AccountView, machine: CloudObject, card: CloudObject): Machine {
    const address = addressOf(card);
    const egress = egressOf(account, card);
    const network = networkOfSubnet(account, subnetOf(account, card));
    const disk = account.find(types.disk, textAt(machine.inputs, "storageProfile.dataDisks[].managedDisk.id"));
    const out = (to: string, port: number) => admits(account, card, { direction: "Outbound", from: address, to, port });
    return {
        key: keyOf(machine),
        id: machine.id,
        address,
        userData: Buffer.from(textAt(machine.inputs, "osProfile.customData"), "base64").toString("utf8"),
        halted: disk === undefined ? "no data disk is attached" : undefined,
        waitsFor:
            egress.length === 0
                ? "its subnet has no NAT gateway"
                : out(anywhere, 443)
                  ? undefined
                  : "no rule lets it out on port 443",
        disk: disk?.id ?? "",
        egress,
        names: namesIn(account, network),
        blocked: (to, port) =>
            egress.length === 0
                ? `the subnet of ${machine.id} has no NAT gateway`
                : out(to, port)
                  ? undefined
                  : `no rule lets ${machine.id} out to ${to} on port ${port}`,
        ask: instanceServices(account, machine, card),
        item: itemOf(account, machine, card),
        meets: (to, port) => {
            const other = account
                .list(types.networkInterface)
                .find((each) => addressOf(each) === to && networkOfSubnet(account, subnetOf(account, each)) === network);
            return (
                other !== undefined && out(to, port) && admits(account, other, { direction: "Inbound", from: address, to, port })
            );
        },
    };
}
