import { within } from "../addresses.mts";
import { itemsAt, textAt, textsAt } from "../paths.mts";
import { espProposal, ikeProposal } from "../proposals.mts";
import { rangeAround } from "../tunnels.mts";
import type { AccountView, CloudObject, HalfTunnel, Peering, PrivateNetwork, Props } from "../types.mts";
import { networkOf } from "./balancing.mts";
import { enter } from "./doors.mts";
import { nameIn } from "./naming.mts";
import { types } from "./tokens.mts";

/** Google's words for algorithms in strongSwan's. */
const words: Readonly<Record<string, string>> = {
    "AES-CBC-128": "aes128",
    "AES-CBC-256": "aes256",
    "AES-GCM-16-128": "aes128gcm16",
    "AES-GCM-16-256": "aes256gcm16",
    "HMAC-SHA1-96": "sha1",
    "HMAC-SHA2-256-128": "sha256",
    "HMAC-SHA2-384-192": "sha384",
    "HMAC-SHA2-512-256": "sha512",
    "PRF-HMAC-SHA1": "sha1",
    "PRF-HMAC-SHA2-256": "sha256",
    "PRF-HMAC-SHA2-384": "sha384",
    "PRF-HMAC-SHA2-512": "sha512",
};

/** The VPC networks, with their HA VPN tunnels, peerings and learned routes. */
export function networks(account: AccountView): readonly PrivateNetwork[] {
    return account.list(types.network).map((network) => {
        const halves = account
            .list(types.vpnTunnel)
            .filter(({ inputs }) => networkOfRouter(account, inputs.router) === network.id)
            .map((tunnel) => ({ tunnel, half: halfOf(account, network, tunnel) }));
        const peerings = peeringsOf(account, network);
        return {
            id: network.id,
            halves: halves.map(({ half }) => half),
            peerings,
            holds: (machine) => networkOf(account, account.find(types.instance, machine)) === network.id,
            owns: (address) => rangesOf(account, network).some((range) => within(address, range)),
            lead: (from, to, learned) => {
                const region = regionOfAddress(account, network, from);
                const here = halves.filter(
                    ({ tunnel }) => network.inputs.routingMode === "GLOBAL" || textAt(tunnel.outputs, "region") === region,
                );
                return {
                    halves: here.map(({ half }) => half).filter((half) => learned(half).some((told) => within(to, told))),
                    // Routes of subnetworks are exchanged by peering itself.
                    peerings: peerings.filter((peering) => {
                        const other = account.find(types.network, peering.to);
                        return other !== undefined && rangesOf(account, other).some((range) => within(to, range));
                    }),
                    none:
                        here.length < halves.length
                            ? `the routes of ${network.id} stay in their own regions`
                            : `no tunnel of ${network.id} that is up leads to ${to}`,
                };
            },
            enter: (connection, ready) => enter(account, network.id, connection, ready),
        };
    });
}

function rangesOf(account: AccountView, network: CloudObject): readonly string[] {
    return subnetworksOf(account, network).map(({ inputs }) => textAt(inputs, "ipCidrRange"));
}

function subnetworksOf(account: AccountView, network: CloudObject): readonly CloudObject[] {
    return account.list(types.subnetwork).filter(({ inputs }) => account.find(types.network, inputs.network) === network);
}

function regionOfAddress(account: AccountView, network: CloudObject, address: string): string {
    const subnetwork = subnetworksOf(account, network).find(({ inputs }) => within(address, inputs.ipCidrRange));
    return textAt(subnetwork?.outputs, "region");
}

function networkOfRouter(account: AccountView, router: unknown): string | undefined {
    return account.find(types.network, account.find(types.router, router)?.inputs.network)?.id;
}

function halfOf(account: AccountView, network: CloudObject, tunnel: CloudObject): HalfTunnel {
    const { inputs } = tunnel;
    const router = account.find(types.router, inputs.router);
    const number = Number(inputs.vpnGatewayInterface ?? 0);
    const face = account
        .list(types.routerInterface)
        .find((each) => account.find(types.vpnTunnel, each.inputs.vpnTunnel) === tunnel);
    const session = account
        .list(types.routerPeer)
        .find(
            (each) =>
                face !== undefined &&
                nameIn(textAt(each.inputs, "interface")) === textAt(face.inputs, "name") &&
                account.find(types.router, each.inputs.router) === router,
        );
    const inside = textAt(face?.inputs, "ipRange").split("/")[0] ?? "";
    const lacks =
        face === undefined
            ? "no interface of its router leads into it"
            : session === undefined
              ? "it has no BGP session"
              : undefined;
    const offered = (path: string) => textsAt(inputs, `cipherSuite.${path}[]`).map((word) => words[word] ?? word);
    const groups = (path: string) => offered(path).map((group) => group.replace("Group-", ""));
    return {
        name: `${tunnel.id.split("/").at(-1) ?? ""}`,
        network: network.id,
        outside: addressOfGateway(account, inputs.vpnGateway, number),
        peerOutside: peerAddressOf(account, inputs),
        inside,
        peerInside: textAt(session?.inputs, "peerIpAddress"),
        range: rangeAround(inside),
        key: textAt(inputs, "sharedSecret"),
        ike: ikeProposal({
            encryption: offered("phase1.encryptions"),
            integrity: offered("phase1.integrities"),
            prf: offered("phase1.prves"),
            groups: groups("phase1.dhs"),
        }),
        esp: espProposal({
            encryption: offered("phase2.encryptions"),
            integrity: offered("phase2.integrities"),
            groups: groups("phase2.pfs"),
        }),
        ikeVersion: Number(inputs.ikeVersion ?? 2),
        asn: Number((router?.inputs.bgp as Props | undefined)?.asn),
        peerAsn: Number(session?.inputs.peerAsn),
        tells: toldBy(account, network, router, session),
        takes: takenBy(account, router, session),
        ...(lacks === undefined ? {} : { lacks }),
    };
}

function addressOfGateway(account: AccountView, gateway: unknown, number: number): string {
    const found = itemsAt(account.find(types.haVpnGateway, gateway)?.outputs, "vpnInterfaces").find(({ id }) => id === number);
    return textAt(found, "ipAddress");
}

function peerAddressOf(account: AccountView, inputs: Props): string {
    if (inputs.peerGcpGateway !== undefined) {
        // Interfaces of two gateways of Google meet by their numbers.
        return addressOfGateway(account, inputs.peerGcpGateway, Number(inputs.vpnGatewayInterface ?? 0));
    }
    const gateway = account.find(types.externalVpnGateway, inputs.peerExternalGateway);
    return textAt(
        itemsAt(gateway?.inputs, "interfaces").find(({ id }) => Number(id) === Number(inputs.peerExternalGatewayInterface ?? 0)),
        "ipAddress",
    );
}

/** What a session tells: its own list, else its router's, else every subnetwork. */
function toldBy(
    account: AccountView,
    network: CloudObject,
    router: CloudObject | undefined,
    session: CloudObject | undefined,
): readonly string[] {
    const told = [session?.inputs, router?.inputs.bgp as Props | undefined].find((each) => each?.advertiseMode === "CUSTOM");
    const groups = textsAt(told, "advertisedGroups[]");
    return [
        ...textsAt(told, "advertisedIpRanges[].range"),
        ...(told === undefined || groups.includes("ALL_SUBNETS") ? rangesOf(account, network) : []),
    ];
}

/** The ranges that a session's import policies accept; everything where it has none. */
function takenBy(
    account: AccountView,
    router: CloudObject | undefined,
    session: CloudObject | undefined,
): readonly string[] | undefined {
    const named = textsAt(session?.inputs, "importPolicies[]");
    const terms = account
        .list(types.routePolicy)
        .filter(({ inputs }) => named.includes(textAt(inputs, "name")) && account.find(types.router, inputs.router) === router)
        .flatMap(({ inputs }) => itemsAt(inputs, "terms"))
        .filter((term) => textsAt(term, "actions[].expression").some((action) => action.startsWith("accept")));
    return named.length === 0
        ? undefined
        : terms.flatMap((term) =>
              [...textAt(term, "match.expression").matchAll(/prefix\('([^']+)'\)/g)].map(([, range = ""]) => range),
          );
}

function peeringsOf(account: AccountView, network: CloudObject): readonly Peering[] {
    return account
        .list(types.networkPeering)
        .filter(({ inputs }) => account.find(types.network, inputs.network) === network)
        .map(({ inputs }) => ({
            name: textAt(inputs, "name"),
            network: network.id,
            to: account.find(types.network, inputs.peerNetwork)?.id ?? textAt(inputs, "peerNetwork"),
        }));
}
