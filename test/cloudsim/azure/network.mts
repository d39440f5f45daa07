import { overlap, range, within } from "../addresses.mts";
import { textAt, textsAt } from "../paths.mts";
import { type AccountView, CloudError, type CloudObject, type ResourceType } from "../types.mts";
import { byName, named, publicAddress, refuse, uuid } from "./naming.mts";
import { types } from "./tokens.mts";

const resourceGroup: ResourceType = {
    autoName: { property: "resourceGroupName", max: 90, separator: "" },
    required: ["location"],
    replaceOn: ["resourceGroupName", "location"],
    id: ({ inputs }) =>
        `/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/${textAt(inputs, "resourceGroupName")}`,
    outputs: ({ inputs }) => ({ name: textAt(inputs, "resourceGroupName"), type: "Microsoft.Resources/resourceGroups" }),
    handles: ({ id, inputs }) => [id, textAt(inputs, "resourceGroupName")],
    timing: { create: 20, remove: 30 },
};

/** Azure changes a network by one operation at a time and refuses the second, which the provider does not try again. */
function networkLock(key: string): { readonly key: string; readonly busy: CloudError } | undefined {
    return key === ""
        ? undefined
        : {
              key: `azure network ${key}`,
              busy: new CloudError(
                  "AnotherOperationInProgress",
                  `Another operation on this or dependent resource is in progress. Resource: ${key}`,
              ),
          };
}

const virtualNetwork = named(
    { kind: "Microsoft.Network/virtualNetworks", property: "virtualNetworkName", max: 64 },
    {
        verify: ({ inputs, account, object }) => {
            const spaces = textsAt(inputs, "addressSpace.addressPrefixes[]");
            refuse(spaces.length === 0, "InvalidRequestFormat", "A virtual network needs an address space");
            for (const space of spaces) {
                const size = range(space);
                refuse(
                    size === undefined || size.prefix > 29 || size.prefix < 8,
                    "InvalidCIDRNotation",
                    `The address prefix ${space} in resource has an invalid CIDR notation.`,
                );
            }
            refuse(
                object === undefined && account.list(types.virtualNetwork).length >= account.setting("azure/networks", 1000),
                "VirtualNetworkCountLimitReached",
                "Cannot create more virtual networks for this subscription in this region",
            );
        },
        outputs: ({ inputs }) => ({ resourceGuid: uuid(textAt(inputs, "virtualNetworkName")), subnets: [] }),
        // The first network of a region makes its network watcher.
        parts: (object, { inputs }) => {
            const location = textAt(inputs, "location");
            const name = `NetworkWatcher_${location}`;
            return [
                {
                    type: types.networkWatcher,
                    id: `${object.id.split("/resourceGroups/")[0] ?? ""}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/${name}`,
                    inputs: { networkWatcherName: name, resourceGroupName: "NetworkWatcherRG", location },
                    outputs: { name },
                },
            ];
        },
        lock: ({ inputs }) => networkLock(textAt(inputs, "virtualNetworkName")),
        timing: { create: 30, update: 20, remove: 30 },
    },
);

/** The network that a subnet's inputs name. */
function networkNamed(account: AccountView, inputs: CloudObject["inputs"]): CloudObject | undefined {
    return byName(account, types.virtualNetwork, inputs.resourceGroupName, "virtualNetworkName", inputs.virtualNetworkName);
}

/** Where a subnet is: its network. */
export function networkOfSubnet(account: AccountView, subnet: CloudObject | undefined): CloudObject | undefined {
    return subnet === undefined ? undefined : networkNamed(account, subnet.inputs);
}

const subnet = named(
    {
        kind: "Microsoft.Network/virtualNetworks/subnets",
        property: "subnetName",
        max: 80,
        within: ({ account, inputs }) => networkNamed(account, inputs),
    },
    {
        required: ["virtualNetworkName"],
        references: [
            { path: "virtualNetworkName", to: types.virtualNetwork },
            { path: "natGateway.id", to: types.natGateway },
            { path: "networkSecurityGroup.id", to: types.securityGroup },
        ],
        replaceOn: ["virtualNetworkName"],
        verify: ({ inputs, account, object }) => {
            const cidr = textAt(inputs, "addressPrefix");
            const size = range(cidr);
            refuse(
                size === undefined || size.prefix > 29,
                "InvalidCIDRNotation",
                `The address prefix ${cidr} in resource has an invalid CIDR notation.`,
            );
            const owner = networkNamed(account, inputs);
            refuse(
                !textsAt(owner?.inputs, "addressSpace.addressPrefixes[]").some((space) => within(cidr, space)),
                "NetcfgInvalidSubnet",
                `Subnet '${textAt(inputs, "subnetName")}' is not valid because its IP address range is outside the IP address range of virtual network '${textAt(owner?.inputs, "virtualNetworkName")}'.`,
            );
            const other = account
                .list(types.subnet)
                .find(
                    (each) =>
                        each.serial !== object?.serial &&
                        networkOfSubnet(account, each) === owner &&
                        overlap(each.inputs.addressPrefix, cidr),
                );
            refuse(
                other !== undefined,
                "NetcfgSubnetRangesOverlap",
                `Subnet '${textAt(inputs, "subnetName")}' is not valid because its IP address range overlaps with that of an existing subnet`,
            );
        },
        lock: ({ inputs }) => networkLock(textAt(inputs, "virtualNetworkName")),
        timing: { create: 40, update: 30, remove: 40 },
    },
);

/** Who uses a public address. */
function userOf(account: AccountView, address: CloudObject | undefined, except: number | undefined): CloudObject | undefined {
    const uses = [
        ...account.list(types.natGateway).map((each) => [each, textsAt(each.inputs, "publicIpAddresses[].id")] as const),
        ...account
            .list(types.loadBalancer)
            .map((each) => [each, textsAt(each.inputs, "frontendIPConfigurations[].publicIPAddress.id")] as const),
        ...account
            .list(types.virtualNetworkGateway)
            .map((each) => [each, textsAt(each.inputs, "ipConfigurations[].publicIPAddress.id")] as const),
    ];
    return uses.find(
        ([each, ids]) => each.serial !== except && ids.some((id) => account.find(types.publicAddress, id) === address),
    )?.[0];
}

/** Refuses public addresses that another resource has, or of a kind that does not fit. */
export function checkAddresses(account: AccountView, ids: readonly string[], object: CloudObject | undefined): void {
    for (const id of ids) {
        const address = account.find(types.publicAddress, id);
        const other = userOf(account, address, object?.serial);
        refuse(
            other !== undefined,
            "PublicIPAddressInUse",
            `Resource ${other?.id ?? ""} is referencing public IP address ${id} that is already allocated to it.`,
        );
        refuse(
            textAt(address?.inputs, "sku.name") !== "Standard",
            "PublicIPAndLBSkuDoNotMatch",
            `Standard sku resource cannot reference Basic sku publicIP ${id}.`,
        );
    }
}

const publicIpAddress = named(
    { kind: "Microsoft.Network/publicIPAddresses", property: "publicIpAddressName", max: 80 },
    {
        replaceOn: ["sku.name", "zones", "publicIPAddressVersion"],
        verify: ({ inputs, account, object }) => {
            refuse(
                textAt(inputs, "sku.name") === "Standard" && inputs.publicIPAllocationMethod !== "Static",
                "PublicIPAllocationMethodInvalid",
                "Standard sku publicIp must have AllocationMethod set to Static",
            );
            const zones = textsAt(inputs, "zones[]");
            refuse(
                zones.length === 2 || zones.some((zone) => !["1", "2", "3"].includes(zone)),
                "ResourceHasInvalidZonesArray",
                "The zones of a public IP address are one or all three",
            );
            refuse(
                object === undefined && account.list(types.publicAddress).length >= account.setting("azure/publicAddresses", 40),
                "PublicIPCountLimitReached",
                "Cannot create more than 20 public IP addresses for this subscription in this region.",
            );
        },
        outputs: ({ account, object }) => ({ ipAddress: textAt(object?.outputs, "ipAddress") || publicAddress(account) }),
    },
);

const natGateway = named(
    { kind: "Microsoft.Network/natGateways", property: "natGatewayName", max: 80 },
    {
        references: [{ path: "publicIpAddresses[].id", to: types.publicAddress }],
        replaceOn: ["sku", "zones"],
        verify: ({ inputs, account, object }) => {
            const minutes = Number(inputs.idleTimeoutInMinutes ?? 4);
            refuse(
                minutes < 4 || minutes > 120,
                "InvalidIdleTimeout",
                `The idle timeout ${minutes} is not from 4 to 120 minutes`,
            );
            checkAddresses(account, textsAt(inputs, "publicIpAddresses[].id"), object);
        },
        timing: { create: 60, update: 20, remove: 40 },
    },
);

const networkWatcher = named({ kind: "Microsoft.Network/networkWatchers", property: "networkWatcherName", max: 80 }, {});

const flowLog: ResourceType = {
    ...named(
        {
            kind: "Microsoft.Network/networkWatchers/flowLogs",
            property: "flowLogName",
            max: 80,
            within: ({ account, inputs }) => watcherOf(account, inputs),
        },
        {},
    ),
    required: ["networkWatcherName", "resourceGroupName", "storageId", "targetResourceId"],
    // Its group is the watcher's, which Azure itself makes and nobody deletes.
    references: [
        { path: "storageId", to: types.storageAccount },
        { path: "targetResourceId", to: types.virtualNetwork },
    ],
    verify: ({ inputs, account }) => {
        refuse(
            watcherOf(account, inputs) === undefined,
            "ResourceNotFound",
            `The Resource 'Microsoft.Network/networkWatchers/${textAt(inputs, "networkWatcherName")}' under resource group '${textAt(inputs, "resourceGroupName")}' was not found.`,
        );
        const storage = account.find(types.storageAccount, inputs.storageId);
        refuse(
            textAt(storage?.inputs, "location") !== textAt(inputs, "location"),
            "StorageAccountInDifferentRegion",
            "The storage account must be in the region of the flow log",
        );
        const rules = storage?.inputs.networkRuleSet as { readonly bypass?: string; readonly defaultAction?: string } | undefined;
        refuse(
            rules?.defaultAction === "Deny" && !(rules.bypass ?? "AzureServices").includes("AzureServices"),
            "StorageAccountNotAccessible",
            "Azure's services do not reach the storage account",
        );
    },
    lock: ({ inputs }) => networkLock(textAt(inputs, "targetResourceId").split("/").at(-1) ?? ""),
};

function watcherOf(account: AccountView, inputs: CloudObject["inputs"]): CloudObject | undefined {
    return byName(account, types.networkWatcher, inputs.resourceGroupName, "networkWatcherName", inputs.networkWatcherName);
}

const storageAccount = named(
    { kind: "Microsoft.Storage/storageAccounts", property: "accountName", max: 24, form: /^[a-z0-9]{3,24}$/ },
    {
        required: ["kind", "sku"],
        unique: ({ inputs }) => [textAt(inputs, "accountName")],
        duplicate: (name) => new CloudError("StorageAccountAlreadyTaken", `The storage account named ${name} is already taken.`),
        timing: { create: 30, remove: 20 },
    },
);

export const networkTypes: Readonly<Record<string, ResourceType>> = {
    [types.resourceGroup]: resourceGroup,
    [types.virtualNetwork]: virtualNetwork,
    [types.subnet]: subnet,
    [types.publicAddress]: publicIpAddress,
    [types.natGateway]: natGateway,
    [types.networkWatcher]: networkWatcher,
    [types.flowLog]: flowLog,
    [types.storageAccount]: storageAccount,
};
export { networkLock };
