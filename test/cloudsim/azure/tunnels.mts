import { within } from "../addresses.mts";
import { itemsAt, textAt, textsAt } from "../paths.mts";
import { espProposal, ikeProposal } from "../proposals.mts";
import { rangeAround } from "../tunnels.mts";
import type { AccountView, CloudObject, HalfTunnel, Peering, PrivateNetwork, Props } from "../types.mts";
import { enter } from "./doors.mts";
import { interfaceOf, subnetOf } from "./interfaces.mts";
import { byName } from "./naming.mts";
import { networkOfSubnet } from "./network.mts";
import { types } from "./tokens.mts";

/** Azure's words for algorithms in strongSwan's. */
const words: Readonly<Record<string, string>> = {
    AES128: "aes128",
    AES256: "aes256",
    GCMAES128: "aes128gcm16",
    GCMAES256: "aes256gcm16",
    SHA1: "sha1",
    SHA256: "sha256",
    SHA384: "sha384",
};

/** Azure's words for Diffie-Hellman groups, by their numbers. */
const groups: Readonly<Record<string, string>> = {
    DHGroup2: "2",
    DHGroup14: "14",
    DHGroup2048: "14",
    DHGroup24: "24",
    PFS2: "2",
    PFS14: "14",
    PFS2048: "14",
    PFS24: "24",
    ECP256: "19",
    ECP384: "20",
};

/** The virtual networks, with their gateways' connections and their peerings. */
export function networks(account: AccountView): readonly PrivateNetwork[] {
    return account.list(types.virtualNetwork).map((network) => {
        const halves = account.list(types.gatewayConnection).flatMap((connection) => halvesOf(account, network, connection));
        const peerings = peeringsOf(account, network);
        return {
            id: network.id,
            halves,
            peerings,
            holds: (id) => {
                const machine = account.find(types.virtualMachine, id);
                const card = machine === undefined ? undefined : interfaceOf(account, machine);
                return card !== undefined && networkOfSubnet(account, subnetOf(account, card)) === network;
            },
            owns: (address) => spacesOf(network).some((space) => within(address, space)),
            // What a gateway learns and what peered networks have is in every subnet's routes by itself.
            lead: (_from, to, learned) => ({
                halves: halves.filter((half) => learned(half).some((told) => within(to, told))),
                peerings: peerings.filter((peering) =>
                    spacesOf(account.find(types.virtualNetwork, peering.to)).some((space) => within(to, space)),
                ),
                none: `no tunnel of ${network.id} that is up leads to ${to}`,
            }),
            enter: (connection, ready) => enter(account, network, connection, ready),
        };
    });
}

function spacesOf(network: CloudObject | undefined): readonly string[] {
    return textsAt(network?.inputs, "addressSpace.addressPrefixes[]");
}

/** One instance of a gateway. */
interface Instance {
    readonly configuration: string;
    readonly outside: string;
    /** The BGP addresses that the gateway has for it. */
    readonly own: readonly string[];
}

function instancesOf(account: AccountView, gateway: CloudObject | undefined): readonly Instance[] {
    const sessions = itemsAt(gateway?.inputs, "bgpSettings.bgpPeeringAddresses");
    return itemsAt(gateway?.inputs, "ipConfigurations").map((each) => {
        const configuration = `${gateway?.id ?? ""}/ipConfigurations/${textAt(each, "name")}`;
        return {
            configuration,
            outside: textAt(account.find(types.publicAddress, textAt(each, "publicIPAddress.id"))?.outputs, "ipAddress"),
            own: sessions
                .filter(({ ipconfigurationId }) => ipconfigurationId === configuration)
                .flatMap((session) => textsAt(session, "customBgpIpAddresses[]")),
        };
    });
}

/** The network whose subnet a gateway is in. */
function networkOfGateway(account: AccountView, gateway: CloudObject | undefined): CloudObject | undefined {
    return networkOfSubnet(account, account.find(types.subnet, textAt(gateway?.inputs, "ipConfigurations[].subnet.id")));
}

/** A connection's halves in a network: both instances dial its peer, and one of the two finds somebody there. */
function halvesOf(account: AccountView, network: CloudObject, connection: CloudObject): readonly HalfTunnel[] {
    const { inputs } = connection;
    const gateway = account.find(types.virtualNetworkGateway, textAt(inputs, "virtualNetworkGateway1.id"));
    if (networkOfGateway(account, gateway) !== network) {
        return [];
    }
    const local = account.find(types.localNetworkGateway, textAt(inputs, "localNetworkGateway2.id"));
    const remote = account.find(types.virtualNetworkGateway, textAt(inputs, "virtualNetworkGateway2.id"));
    const far = instancesOf(account, remote);
    const policy = itemsAt(inputs, "ipsecPolicies")[0];
    const told = itemsAt(inputs, "gatewayCustomBgpIpAddresses");
    return instancesOf(account, gateway).map((instance, index): HalfTunnel => {
        const chosen = textAt(
            told.find(({ ipConfigurationId }) => ipConfigurationId === instance.configuration),
            "customBgpIpAddress",
        );
        const peerOutside = remote === undefined ? textAt(local?.inputs, "gatewayIpAddress") : (far[index]?.outside ?? "");
        const lacks =
            inputs.enableBgp !== true
                ? "it speaks no BGP"
                : remote === undefined && !instance.own.includes(chosen)
                  ? `its gateway does not have the BGP address ${chosen === "" ? "that it should use" : chosen} on instance ${index}`
                  : undefined;
        return {
            name: `${connection.id.split("/").at(-1) ?? ""} instance ${index}`,
            network: network.id,
            group: connection.id,
            outside: instance.outside,
            peerOutside,
            // Two gateways of Azure use addresses of their own subnets, which is left out here.
            inside: remote === undefined ? chosen : instance.outside,
            peerInside: remote === undefined ? textAt(local?.inputs, "bgpSettings.bgpPeeringAddress") : peerOutside,
            range: remote === undefined ? rangeAround(chosen) : "the gateways' subnets",
            key: textAt(inputs, "sharedKey"),
            ...proposals(policy),
            ikeVersion: inputs.connectionProtocol === "IKEv1" ? 1 : 2,
            asn: asnOf(gateway),
            peerAsn: asnOf(remote ?? local),
            tells: spacesOf(network),
            ...(lacks === undefined ? {} : { lacks }),
        };
    });
}

function asnOf(gateway: CloudObject | undefined): number {
    return Number((gateway?.inputs.bgpSettings as Props | undefined)?.asn);
}

function proposals(policy: Props | undefined): Pick<HalfTunnel, "ike" | "esp"> {
    const word = (key: string) => textsAt(policy, key).map((text) => words[text] ?? text);
    const group = (key: string) => textsAt(policy, key).map((text) => groups[text] ?? text);
    return {
        ike: ikeProposal({ encryption: word("ikeEncryption"), integrity: word("ikeIntegrity"), groups: group("dhGroup") }),
        esp: espProposal({ encryption: word("ipsecEncryption"), integrity: word("ipsecIntegrity"), groups: group("pfsGroup") }),
    };
}

function peeringsOf(account: AccountView, network: CloudObject): readonly Peering[] {
    return account
        .list(types.networkPeering)
        .filter(
            ({ inputs }) =>
                byName(
                    account,
                    types.virtualNetwork,
                    inputs.resourceGroupName,
                    "virtualNetworkName",
                    inputs.virtualNetworkName,
                ) === network,
        )
        .map(({ id, inputs }) => ({
            name: id.split("/").at(-1) ?? "",
            network: network.id,
            to: textAt(inputs, "remoteVirtualNetwork.id"),
            ...(inputs.allowVirtualNetworkAccess === false ? { lacks: `${id} lets nobody through` } : {}),
        }));
}
