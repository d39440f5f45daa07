import { textAt, textsAt } from "../paths.mts";
import type { AccountView, CloudObject } from "../types.mts";
import { types } from "./tokens.mts";

/** The network interface of a machine. */
export function interfaceOf(account: AccountView, machine: CloudObject): CloudObject | undefined {
    return account.find(types.networkInterface, textAt(machine.inputs, "networkProfile.networkInterfaces[].id"));
}

export function addressOf(card: CloudObject): string {
    return textAt(card.inputs, "ipConfigurations[].privateIPAddress");
}

export function subnetOf(account: AccountView, card: CloudObject): CloudObject | undefined {
    return account.find(types.subnet, textAt(card.inputs, "ipConfigurations[].subnet.id"));
}

/** Public addresses that an interface comes from: those of its subnet's NAT gateway. There is no other way out. */
export function egressOf(account: AccountView, card: CloudObject): readonly string[] {
    const gateway = account.find(types.natGateway, textAt(subnetOf(account, card)?.inputs, "natGateway.id"));
    return textsAt(gateway?.inputs, "publicIpAddresses[].id").map((id) =>
        textAt(account.find(types.publicAddress, id)?.outputs, "ipAddress"),
    );
}
