import { addressAt, range, within } from "../addresses.mts";
import { itemsAt, textAt, textsAt } from "../paths.mts";
import { type AccountView, CloudError, type CloudObject, type Props, type ResourceType } from "../types.mts";
import { named, refuse, subscription } from "./naming.mts";
import { checkAddresses } from "./network.mts";
import { types } from "./tokens.mts";

const loadBalancer = named(
    { kind: "Microsoft.Network/loadBalancers", property: "loadBalancerName", max: 80 },
    {
        references: [
            { path: "frontendIPConfigurations[].publicIPAddress.id", to: types.publicAddress },
            { path: "frontendIPConfigurations[].subnet.id", to: types.subnet },
            {
                path: "backendAddressPools[].loadBalancerBackendAddresses[].virtualNetwork.id",
                to: types.virtualNetwork,
                holds: false,
            },
        ],
        replaceOn: ["sku.name"],
        verify: ({ inputs, account, object }) => {
            checkAddresses(account, textsAt(inputs, "frontendIPConfigurations[].publicIPAddress.id"), object);
            for (const front of itemsAt(inputs, "frontendIPConfigurations")) {
                const address = textAt(front, "privateIPAddress");
                if (address !== "") {
                    checkPrivateAddress(account, account.find(types.subnet, textAt(front, "subnet.id")), address, object);
                }
            }
            const self = `${subscription}/resourceGroups/${textAt(inputs, "resourceGroupName")}/providers/Microsoft.Network/loadBalancers/${textAt(inputs, "loadBalancerName")}`;
            const seen = new Set<string>();
            for (const rule of itemsAt(inputs, "loadBalancingRules")) {
                checkRule(inputs, self, rule);
                const front = `${textAt(rule, "frontendIPConfiguration.id")} ${textAt(rule, "protocol")} ${String(rule.frontendPort)}`;
                refuse(
                    seen.has(front),
                    "RulesUseSameFrontendPortProtocolAndVIP",
                    `Two rules use the frontend port ${String(rule.frontendPort)}`,
                );
                seen.add(front);
            }
            for (const probe of itemsAt(inputs, "probes")) {
                refuse(
                    Number(probe.intervalInSeconds ?? 15) < 5,
                    "InvalidProbeInterval",
                    "The probe's interval is shorter than 5 seconds",
                );
                refuse(
                    (probe.protocol === "Tcp") === (probe.requestPath !== undefined),
                    "InvalidRequestPath",
                    "A request path is for HTTP probes, which need one",
                );
            }
        },
        handles: ({ id, inputs }) =>
            textsAt(inputs, "backendAddressPools[].name").map((name) => `${id}/backendAddressPools/${name}`),
        timing: { create: 40, update: 20, remove: 30 },
    },
);

function checkRule(inputs: Props, self: string, rule: Props): void {
    for (const [path, part] of [
        ["frontendIPConfiguration.id", "frontendIPConfigurations"],
        ["backendAddressPool.id", "backendAddressPools"],
        ["probe.id", "probes"],
    ] as const) {
        const named = textsAt(inputs, `${part}[].name`).map((name) => `${self}/${part}/${name}`);
        const id = textAt(rule, path);
        refuse(
            !named.includes(id),
            "InvalidResourceReference",
            `Resource ${id} referenced by resource ${self}/loadBalancingRules/${textAt(rule, "name")} was not found.`,
        );
    }
    const minutes = Number(rule.idleTimeoutInMinutes ?? 4);
    refuse(minutes < 4 || minutes > 100, "InvalidIdleTimeout", `The idle timeout ${minutes} is not from 4 to 100 minutes`);
}

const networkInterface = named(
    { kind: "Microsoft.Network/networkInterfaces", property: "networkInterfaceName", max: 80 },
    {
        references: [
            { path: "ipConfigurations[].subnet.id", to: types.subnet },
            { path: "ipConfigurations[].loadBalancerBackendAddressPools[].id", to: types.loadBalancer },
            { path: "ipConfigurations[].publicIPAddress.id", to: types.publicAddress },
            { path: "networkSecurityGroup.id", to: types.securityGroup },
        ],
        verify: ({ inputs, account, object }) => {
            const subnet = account.find(types.subnet, textAt(inputs, "ipConfigurations[].subnet.id"));
            for (const configuration of itemsAt(inputs, "ipConfigurations")) {
                const address = textAt(configuration, "privateIPAddress");
                refuse(
                    configuration.privateIPAllocationMethod === "Static" && address === "",
                    "PrivateIPAddressNotSpecified",
                    "A static private address must be given",
                );
                if (address !== "") {
                    checkPrivateAddress(account, subnet, address, object);
                }
            }
            const machine = object === undefined ? undefined : machineOf(account, object);
            refuse(
                machine !== undefined &&
                    object !== undefined &&
                    object.inputs.enableAcceleratedNetworking !== inputs.enableAcceleratedNetworking,
                "OperationNotAllowed",
                `Accelerated networking of ${object?.id ?? ""} cannot be changed while its machine runs.`,
            );
        },
        outputs: ({ inputs }) => ({
            ipConfigurations: itemsAt(inputs, "ipConfigurations"),
            macAddress: "00-0D-3A-00-00-01",
        }),
        inUse: (object, by) =>
            new CloudError(
                "NicInUse",
                `Network Interface ${object.id} is used by existing resource ${by.id}. In order to delete the network interface, it must be dissociated from the resource.`,
            ),
        timing: { create: 20, update: 20, remove: 20 },
    },
);

/** Azure keeps the first four addresses of a subnet and the last one. */
function checkPrivateAddress(
    account: AccountView,
    subnet: CloudObject | undefined,
    address: string,
    object: CloudObject | undefined,
): void {
    const cidr = textAt(subnet?.inputs, "addressPrefix");
    const size = range(cidr);
    const last = size === undefined ? 0 : size.last - size.first;
    refuse(
        !within(address, cidr) || [0, 1, 2, 3, last].some((place) => addressAt(cidr, place) === address),
        "PrivateIPAddressInReservedRange",
        `Private static IP address ${address} falls outside the usable range of the subnet ${cidr}.`,
    );
    const other = [
        ...account.list(types.networkInterface).map((each) => [each, "ipConfigurations[]"] as const),
        ...account.list(types.loadBalancer).map((each) => [each, "frontendIPConfigurations[]"] as const),
    ].find(
        ([each, path]) =>
            each.serial !== object?.serial &&
            textsAt(each.inputs, `${path}.subnet.id`).some((id) => account.find(types.subnet, id) === subnet) &&
            textsAt(each.inputs, `${path}.privateIPAddress`).includes(address),
    )?.[0];
    refuse(
        other !== undefined,
        "PrivateIPAddressIsAllocated",
        `IP configuration is using the private IP address ${address} which is already allocated to resource ${other?.id ?? ""}.`,
    );
}

/** The machine that an interface is attached to. */
export function machineOf(account: AccountView, card: CloudObject): CloudObject | undefined {
    return account
        .list(types.virtualMachine)
        .find(({ inputs }) =>
            textsAt(inputs, "networkProfile.networkInterfaces[].id").some(
                (id) => account.find(types.networkInterface, id) === card,
            ),
        );
}

export const balancingTypes: Readonly<Record<string, ResourceType>> = {
    [types.loadBalancer]: loadBalancer,
    [types.networkInterface]: networkInterface,
};
