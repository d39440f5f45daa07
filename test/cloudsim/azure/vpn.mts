import { overlap, range, within } from "../addresses.mts";
import { itemsAt, textAt, textsAt } from "../paths.mts";
import { type AccountView, CloudError, type CloudObject, type Props, type ResourceType, type Scope } from "../types.mts";
import { byName, named, refuse } from "./naming.mts";
import { checkAddresses, networkLock, networkOfSubnet } from "./network.mts";
import { types } from "./tokens.mts";

/** Sizes that can still be made, with how many tunnels each takes. */
const sizes: Readonly<Record<string, number>> = { VpnGw1AZ: 30, VpnGw2AZ: 30, VpnGw3AZ: 30, VpnGw4AZ: 100, VpnGw5AZ: 100 };
const reservedAsns = [8_074, 8_075, 12_076, 23_456, 65_517, 65_518, 65_519, 65_520];
const bgpSpaces = ["169.254.21.0/24", "169.254.22.0/24"];

/** Azure changes a gateway by one operation at a time, making a connection on it included, and refuses the second. */
function gatewayLock(...ids: readonly string[]): { readonly key: readonly string[]; readonly busy: CloudError } | undefined {
    const keys = ids.filter((id) => id !== "").map((id) => `azure gateway ${id}`);
    return keys.length === 0
        ? undefined
        : {
              key: keys,
              busy: new CloudError(
                  "AnotherOperationInProgress",
                  `Another operation on this or dependent resource is in progress. Resource: ${ids.join(", ")}`,
              ),
          };
}

const virtualNetworkGateway = named(
    { kind: "Microsoft.Network/virtualNetworkGateways", property: "virtualNetworkGatewayName", max: 80 },
    {
        references: [
            { path: "ipConfigurations[].subnet.id", to: types.subnet },
            { path: "ipConfigurations[].publicIPAddress.id", to: types.publicAddress },
        ],
        verify: (scope) => {
            checkSize(scope);
            checkPlace(scope);
            checkBgp(scope);
        },
        // 45 minutes in the real one: longer than everything else together.
        timing: { create: 1_000, update: 200, remove: 300 },
    },
);

function checkSize({ inputs, object }: Scope): void {
    const size = textAt(inputs, "sku.name");
    refuse(
        sizes[size] === undefined,
        "NonAzSkusNotAllowedForVPNGateway",
        `VpnGw1-5 non-AZ SKUs are no longer supported for VPN gateway. Value provided: ${size}`,
    );
    refuse(
        size === "VpnGw1AZ" && inputs.vpnGatewayGeneration === "Generation2",
        "VpnGatewayGenerationInvalid",
        "SKU VpnGw1AZ is not supported in Generation2",
    );
    refuse(
        object !== undefined && object.inputs.vpnGatewayGeneration !== inputs.vpnGatewayGeneration,
        "VpnGatewayGenerationCannotBeChanged",
        "The generation of a VPN gateway cannot be changed",
    );
    refuse(
        inputs.gatewayType !== "Vpn" || inputs.vpnType !== "RouteBased",
        "GatewayTypeInvalid",
        "Two active instances and BGP need a route-based VPN gateway",
    );
}

function checkPlace({ inputs, account, object }: Scope): void {
    const configurations = itemsAt(inputs, "ipConfigurations");
    refuse(
        inputs.activeActive === true && configurations.length !== 2,
        "ActiveActiveGatewayMustHaveExactlyTwoIpConfigurations",
        "An active-active gateway must have exactly two IP configurations",
    );
    const subnet = account.find(types.subnet, textAt(inputs, "ipConfigurations[].subnet.id"));
    refuse(
        subnet?.inputs.subnetName !== "GatewaySubnet",
        "VirtualNetworkGatewaySubnetInvalid",
        "The subnet of a virtual network gateway must be named GatewaySubnet",
    );
    refuse(
        subnet?.inputs.natGateway !== undefined || subnet?.inputs.networkSecurityGroup !== undefined,
        "GatewaySubnetNotSupported",
        "A GatewaySubnet takes neither a NAT gateway nor a network security group",
    );
    const addresses = textsAt(inputs, "ipConfigurations[].publicIPAddress.id");
    refuse(
        new Set(addresses).size !== configurations.length,
        "PublicIpAddressMissing",
        "Each instance needs an address of its own",
    );
    checkAddresses(account, addresses, object);
    const other = account
        .list(types.virtualNetworkGateway)
        .find(
            (each) =>
                each.serial !== object?.serial &&
                networkOfSubnet(account, account.find(types.subnet, textAt(each.inputs, "ipConfigurations[].subnet.id"))) ===
                    networkOfSubnet(account, subnet),
        );
    refuse(other !== undefined, "GatewayAlreadyExists", `The virtual network has the VPN gateway ${other?.id ?? ""} already`);
}

function checkBgp({ inputs, account, object }: Scope): void {
    const asn = Number(textOrNumber((inputs.bgpSettings as Props | undefined)?.asn) ?? 65_515);
    refuse(reservedAsns.includes(asn), "BgpAsnReserved", `The ASN ${asn} is reserved by Azure`);
    const own = `/virtualNetworkGateways/${textAt(inputs, "virtualNetworkGatewayName")}/ipConfigurations/`;
    const names = textsAt(inputs, "ipConfigurations[].name");
    const seen: string[] = [];
    for (const entry of itemsAt(inputs, "bgpSettings.bgpPeeringAddresses")) {
        const id = textAt(entry, "ipconfigurationId");
        refuse(
            !names.some((name) => id.endsWith(`${own}${name}`)),
            "InvalidResourceReference",
            `Resource ${id} referenced by the gateway's BGP settings was not found.`,
        );
        for (const address of textsAt(entry, "customBgpIpAddresses[]")) {
            refuse(
                !bgpSpaces.some((space) => within(address, space)),
                "CustomBgpIpAddressInvalid",
                `${address} is not within 169.254.21.0 to 169.254.22.255`,
            );
            refuse(seen.includes(address), "CustomBgpIpAddressDuplicate", `${address} is given twice`);
            seen.push(address);
        }
    }
    const user = account
        .list(types.gatewayConnection)
        .find(
            ({ inputs: connection }) =>
                object !== undefined &&
                textAt(connection, "virtualNetworkGateway1.id") === object.id &&
                textsAt(connection, "gatewayCustomBgpIpAddresses[].customBgpIpAddress").some((one) => !seen.includes(one)),
        );
    refuse(user !== undefined, "CustomBgpIpAddressInUse", `A BGP address that is taken away is in use by ${user?.id ?? ""}`);
}

function textOrNumber(value: unknown): string | number | undefined {
    return typeof value === "string" || typeof value === "number" ? value : undefined;
}

const privateSpaces = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"];

const localNetworkGateway = named(
    { kind: "Microsoft.Network/localNetworkGateways", property: "localNetworkGatewayName", max: 80 },
    {
        verify: ({ inputs }) => {
            const address = inputs.gatewayIpAddress;
            refuse(
                range(address)?.prefix !== 32 || privateSpaces.some((space) => within(address, space)),
                "InvalidGatewayIpAddress",
                `The gateway IP address ${String(address)} is no public IPv4 address`,
            );
            const bgp = inputs.bgpSettings as Props | undefined;
            refuse(
                bgp !== undefined && (reservedAsns.includes(Number(bgp.asn)) || Number(bgp.asn) === 65_515),
                "BgpAsnReserved",
                `The ASN ${String(bgp?.asn)} is reserved by Azure`,
            );
            refuse(
                bgp !== undefined && range(bgp.bgpPeeringAddress)?.prefix !== 32,
                "BgpPeeringAddressInvalid",
                `The BGP peering address ${String(bgp?.bgpPeeringAddress)} is no IPv4 address`,
            );
            refuse(
                textsAt(inputs, "localNetworkAddressSpace.addressPrefixes[]").some((space) => overlap(space, "169.254.0.0/16")),
                "AddressPrefixNotAllowed",
                "169.254.0.0/16 is not allowed as an address space",
            );
        },
    },
);

/** What Azure takes for each field of a policy. */
const policyFields: Readonly<Record<string, readonly string[]>> = {
    ikeEncryption: ["AES128", "AES192", "AES256", "GCMAES128", "GCMAES256"],
    ikeIntegrity: ["SHA1", "SHA256", "SHA384", "GCMAES128", "GCMAES256"],
    dhGroup: ["DHGroup14", "DHGroup2048", "ECP256", "ECP384", "DHGroup24", "DHGroup2", "DHGroup1"],
    ipsecEncryption: ["AES128", "AES192", "AES256", "GCMAES128", "GCMAES192", "GCMAES256"],
    ipsecIntegrity: ["SHA1", "SHA256", "GCMAES128", "GCMAES192", "GCMAES256"],
    pfsGroup: ["None", "PFS1", "PFS2", "PFS14", "PFS2048", "PFS24", "ECP256", "ECP384"],
};

const gatewayConnection = named(
    { kind: "Microsoft.Network/connections", property: "virtualNetworkGatewayConnectionName", max: 80 },
    {
        required: ["connectionType", "virtualNetworkGateway1"],
        references: [
            { path: "virtualNetworkGateway1.id", to: types.virtualNetworkGateway },
            { path: "virtualNetworkGateway2.id", to: types.virtualNetworkGateway },
            { path: "localNetworkGateway2.id", to: types.localNetworkGateway },
        ],
        verify: (scope) => {
            checkEnds(scope);
            checkPolicy(scope.inputs);
            checkSession(scope);
        },
        outputs: () => ({ connectionStatus: "Unknown" }),
        lock: ({ inputs }) =>
            gatewayLock(textAt(inputs, "virtualNetworkGateway1.id"), textAt(inputs, "virtualNetworkGateway2.id")),
        timing: { create: 60, update: 40, remove: 40 },
    },
);

/** The gateway that a connection is on. */
function gatewayOf(account: AccountView, inputs: Props): CloudObject | undefined {
    return account.find(types.virtualNetworkGateway, textAt(inputs, "virtualNetworkGateway1.id"));
}

function checkEnds({ inputs, account, object }: Scope): void {
    const { connectionType } = inputs;
    const [local, remote] = [inputs.localNetworkGateway2, inputs.virtualNetworkGateway2].map((end) => end !== undefined);
    refuse(
        !(connectionType === "IPsec" && local && !remote) && !(connectionType === "Vnet2Vnet" && remote && !local),
        "ConnectionTypeInvalid",
        `A connection of type ${String(connectionType)} does not fit its two ends`,
    );
    const ends = ["virtualNetworkGateway1.id", "localNetworkGateway2.id", "virtualNetworkGateway2.id"];
    const endsOf = (props: Props) => ends.map((path) => textAt(props, path)).join(" ");
    refuse(
        object !== undefined &&
            (endsOf(object.inputs) !== endsOf(inputs) || object.inputs.connectionProtocol !== inputs.connectionProtocol),
        "ConnectionCannotBeChanged",
        "The ends and the protocol of a connection cannot be changed",
    );
    const gateway = gatewayOf(account, inputs);
    const others = account
        .list(types.gatewayConnection)
        .filter((each) => each.serial !== object?.serial && gatewayOf(account, each.inputs) === gateway);
    const twin = others.find(({ inputs: other }) => endsOf(other) === endsOf(inputs));
    refuse(twin !== undefined, "ConnectionAlreadyExists", `The connection ${twin?.id ?? ""} has the same two ends`);
    const most = sizes[textAt(gateway?.inputs, "sku.name")] ?? 0;
    refuse(
        object === undefined && others.length >= most,
        "VirtualNetworkGatewayConnectionLimitReached",
        `The gateway ${gateway?.id ?? ""} takes ${most} tunnels`,
    );
    refuse(
        !/^[\x21-\x7e]{1,128}$/.test(textAt(inputs, "sharedKey")) || /[-~]/.test(textAt(inputs, "sharedKey")),
        "InvalidSharedKey",
        "The shared key has characters that are not allowed",
    );
}

function checkPolicy(inputs: Props): void {
    const policies = itemsAt(inputs, "ipsecPolicies");
    refuse(policies.length > 1, "TooManyIpsecPolicies", "A connection takes one policy");
    for (const policy of policies) {
        for (const [field, known] of Object.entries(policyFields)) {
            refuse(
                !known.includes(textAt(policy, field)),
                "InvalidIpsecPolicy",
                `${String(policy[field])} is no ${field} of a policy`,
            );
        }
        const combined = textAt(policy, "ipsecEncryption").startsWith("GCM");
        refuse(
            combined !== textAt(policy, "ipsecIntegrity").startsWith("GCM") ||
                (combined && policy.ipsecEncryption !== policy.ipsecIntegrity),
            "InvalidIpsecPolicy",
            "With GCM, ipsecEncryption and ipsecIntegrity must be the same",
        );
        refuse(
            !(Number(policy.saLifeTimeSeconds) >= 300) || !(Number(policy.saDataSizeKilobytes) >= 1_024),
            "InvalidIpsecPolicy",
            "saLifeTimeSeconds is at least 300 and saDataSizeKilobytes at least 1024",
        );
    }
    const seconds = Number(inputs.dpdTimeoutSeconds ?? 45);
    refuse(seconds < 9 || seconds > 3_600, "InvalidDpdTimeout", `${seconds} is not from 9 to 3600 seconds`);
}

function checkSession({ inputs, account }: Scope): void {
    const gateway = gatewayOf(account, inputs);
    refuse(
        inputs.enableBgp === true && gateway?.inputs.enableBgp !== true,
        "BgpNotEnabledOnGateway",
        "The gateway of a connection with BGP must have it too",
    );
    const far =
        account.find(types.localNetworkGateway, textAt(inputs, "localNetworkGateway2.id")) ??
        account.find(types.virtualNetworkGateway, textAt(inputs, "virtualNetworkGateway2.id"));
    const asnOf = (end: CloudObject | undefined) => (end?.inputs.bgpSettings as Props | undefined)?.asn;
    refuse(
        inputs.enableBgp === true && (asnOf(far) === undefined || asnOf(far) === asnOf(gateway)),
        "BgpAsnConflict",
        "Both ends of a connection with BGP need an ASN, each another",
    );
    const entries = itemsAt(inputs, "gatewayCustomBgpIpAddresses");
    const instances = textsAt(gateway?.inputs, "ipConfigurations[].name").map(
        (name) => `${gateway?.id ?? ""}/ipConfigurations/${name}`,
    );
    refuse(
        entries.length > 0 && entries.map((entry) => textAt(entry, "ipConfigurationId")).join() !== instances.join(),
        "GatewayCustomBgpIpAddressesInvalid",
        "A connection of an active-active gateway names an address for each of its instances",
    );
    for (const entry of entries) {
        const owned = itemsAt(gateway?.inputs, "bgpSettings.bgpPeeringAddresses")
            .filter(({ ipconfigurationId }) => ipconfigurationId === entry.ipConfigurationId)
            .flatMap((each) => textsAt(each, "customBgpIpAddresses[]"));
        refuse(
            !owned.includes(textAt(entry, "customBgpIpAddress")),
            "GatewayCustomBgpIpAddressesInvalid",
            `${textAt(entry, "customBgpIpAddress")} is no BGP address of ${textAt(entry, "ipConfigurationId")}`,
        );
    }
}

const networkPeering = named(
    {
        kind: "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
        property: "virtualNetworkPeeringName",
        max: 80,
        within: ({ account, inputs }) => networkNamed(account, inputs),
    },
    {
        required: ["virtualNetworkName"],
        references: [
            { path: "virtualNetworkName", to: types.virtualNetwork },
            { path: "remoteVirtualNetwork.id", to: types.virtualNetwork },
        ],
        replaceOn: ["virtualNetworkName", "remoteVirtualNetwork"],
        unique: ({ account, inputs }) => [`${networkNamed(account, inputs)?.id} ${textAt(inputs, "remoteVirtualNetwork.id")}`],
        duplicate: (text) =>
            new CloudError("AnotherPeeringAlreadyReferencesRemoteVnet", `A peering of the same two networks exists: ${text}`),
        verify: ({ account, inputs }) => {
            const spacesOf = (network: CloudObject | undefined) => textsAt(network?.inputs, "addressSpace.addressPrefixes[]");
            const [own, other] = [
                networkNamed(account, inputs),
                account.find(types.virtualNetwork, textAt(inputs, "remoteVirtualNetwork.id")),
            ];
            refuse(own === other, "InvalidRemoteVirtualNetwork", "A virtual network is not peered with itself");
            refuse(
                spacesOf(own).some((one) => spacesOf(other).some((each) => overlap(one, each))),
                "VnetAddressSpacesOverlap",
                "The address spaces of the two networks overlap",
            );
        },
        lock: ({ inputs }) => {
            const lock = networkLock(textAt(inputs, "virtualNetworkName"));
            const remote = networkLock(textAt(inputs, "remoteVirtualNetwork.id").split("/").at(-1) ?? "");
            return lock === undefined || remote === undefined ? lock : { ...lock, key: [lock.key, remote.key] };
        },
        timing: { create: 40, update: 20, remove: 30 },
    },
);

function networkNamed(account: AccountView, inputs: Props): CloudObject | undefined {
    return byName(account, types.virtualNetwork, inputs.resourceGroupName, "virtualNetworkName", inputs.virtualNetworkName);
}

export const vpnTypes: Readonly<Record<string, ResourceType>> = {
    [types.virtualNetworkGateway]: virtualNetworkGateway,
    [types.localNetworkGateway]: localNetworkGateway,
    [types.gatewayConnection]: gatewayConnection,
    [types.networkPeering]: networkPeering,
};
