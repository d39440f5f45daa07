import { within } from "../addresses.mts";
import { textAt, textsAt } from "../paths.mts";
import { espProposal, ikeProposal, type Offered } from "../proposals.mts";
import type { AccountView, CloudObject, HalfTunnel, Peering, PrivateNetwork, WaysOut } from "../types.mts";
import { subnetOf } from "./compute.mts";
import { enter } from "./doors.mts";
import { types } from "./tokens.mts";

/** AWS's words for algorithms in strongSwan's. */
const words: Readonly<Record<string, string>> = {
    AES128: "aes128",
    AES256: "aes256",
    "AES128-GCM-16": "aes128gcm16",
    "AES256-GCM-16": "aes256gcm16",
    SHA1: "sha1",
    "SHA2-256": "sha256",
    "SHA2-384": "sha384",
    "SHA2-512": "sha512",
};

const idOf = (vpc: unknown) => `aws ${String(vpc)}`;

/** The VPCs, with their VPN connections, peerings and routes. */
export function networks(account: AccountView): readonly PrivateNetwork[] {
    return account.list(types.vpc).map((vpc) => {
        const halves = account
            .list(types.vpnConnection)
            .filter((connection) => vpcOf(account, connection) === vpc.id)
            .flatMap((connection) => (["1", "2"] as const).map((number) => halfOf(account, vpc, connection, number)));
        const peerings = peeringsOf(account, vpc);
        const subnets = () => account.list(types.subnet).filter(({ inputs }) => inputs.vpcId === vpc.id);
        return {
            id: idOf(vpc.id),
            halves: halves.map(({ half }) => half),
            peerings: peerings.map(({ peering }) => peering),
            holds: (machine) => {
                const instance = account.find(types.instance, machine);
                return instance !== undefined && subnetOf(account, instance)?.inputs.vpcId === vpc.id;
            },
            owns: (address) => within(address, vpc.inputs.cidrBlock),
            lead: (from, to, learned) => {
                const subnet = subnets().find(({ inputs }) => within(from, inputs.cidrBlock));
                return leadOf(account, subnet, { to, halves, peerings, learned });
            },
            enter: (connection, ready) => enter(account, vpc.id, connection, ready),
        };
    });
}

/** The network that a connection's gateway is attached to. */
function vpcOf(account: AccountView, { inputs }: CloudObject): unknown {
    return inputs.transitGatewayId === undefined
        ? account.find(types.vpnGateway, inputs.vpnGatewayId)?.inputs.vpcId
        : account.list(types.transitAttachment).find((each) => each.inputs.transitGatewayId === inputs.transitGatewayId)?.inputs
              .vpcId;
}

interface OwnHalf {
    readonly half: HalfTunnel;
    readonly connection: CloudObject;
}

function halfOf(account: AccountView, vpc: CloudObject, connection: CloudObject, number: "1" | "2"): OwnHalf {
    const { inputs, outputs } = connection;
    const at = (what: string) => `tunnel${number}${what}`;
    const customer = account.find(types.customerGateway, inputs.customerGatewayId);
    const versions = textsAt(inputs, `${at("IkeVersions")}[]`);
    const offered = (phase: 1 | 2): Offered => ({
        encryption: textsAt(inputs, `${at(`Phase${phase}EncryptionAlgorithms`)}[]`).map(word),
        integrity: textsAt(inputs, `${at(`Phase${phase}IntegrityAlgorithms`)}[]`).map(word),
        groups: listAt(inputs[at(`Phase${phase}DhGroupNumbers`)]).map(String),
    });
    const half: HalfTunnel = {
        name: `${connection.id} tunnel ${number}`,
        network: idOf(vpc.id),
        outside: textAt(outputs, at("Address")),
        peerOutside: textAt(customer?.inputs, "ipAddress"),
        inside: textAt(outputs, at("VgwInsideAddress")),
        peerInside: textAt(outputs, at("CgwInsideAddress")),
        range: textAt(inputs, at("InsideCidr")),
        key: textAt(inputs, at("PresharedKey")),
        ike: ikeProposal(offered(1)),
        esp: espProposal(offered(2)),
        ikeVersion: versions.length === 1 && versions[0] === "ikev2" ? 2 : 1,
        asn: Number(outputs[at("BgpAsn")]),
        peerAsn: Number(customer?.inputs.bgpAsn ?? customer?.inputs.bgpAsnExtended),
        tells: toldBy(account, vpc, connection),
        ...(inputs.staticRoutesOnly === true ? { lacks: "it has static routes only and speaks no BGP" } : {}),
    };
    return { half, connection };
}

function word(text: string): string {
    return words[text] ?? text;
}

function listAt(value: unknown): readonly unknown[] {
    return Array.isArray(value) ? value : [];
}

/** What a connection's peer is told: the network, where the table that the connection is under knows of it. */
function toldBy(account: AccountView, vpc: CloudObject, { inputs, outputs }: CloudObject): readonly string[] {
    const network = [textAt(vpc.inputs, "cidrBlock")];
    if (inputs.transitGatewayId === undefined) {
        return network;
    }
    const table = tableOver(account, outputs.transitGatewayAttachmentId);
    const attachment = attachmentOf(account, vpc.id);
    return table !== undefined && knows(account, table, attachment?.id) ? network : [];
}

function attachmentOf(account: AccountView, vpc: unknown): CloudObject | undefined {
    return account.list(types.transitAttachment).find(({ inputs }) => inputs.vpcId === vpc);
}

/** The transit gateway's route table that an attachment is under. */
function tableOver(account: AccountView, attachment: unknown): unknown {
    return account.list(types.transitAssociation).find(({ inputs }) => inputs.transitGatewayAttachmentId === attachment)?.inputs
        .transitGatewayRouteTableId;
}

/** Whether an attachment's routes are in a table. */
function knows(account: AccountView, table: unknown, attachment: unknown): boolean {
    return account
        .list(types.transitPropagation)
        .some(({ inputs }) => inputs.transitGatewayRouteTableId === table && inputs.transitGatewayAttachmentId === attachment);
}

interface OwnPeering {
    readonly peering: Peering;
    readonly id: string;
}

/** One object is both sides, once the other side has accepted it. */
function peeringsOf(account: AccountView, vpc: CloudObject): readonly OwnPeering[] {
    return account.list(types.peering).flatMap(({ id, inputs }) => {
        const to = [inputs.vpcId, inputs.peerVpcId].find((each) => each !== vpc.id);
        if (inputs.vpcId !== vpc.id && inputs.peerVpcId !== vpc.id) {
            return [];
        }
        const accepted = inputs.autoAccept === true || account.find(types.accepter, id)?.inputs.autoAccept === true;
        return [
            {
                id,
                peering: {
                    name: id,
                    network: idOf(vpc.id),
                    to: idOf(to),
                    ...(accepted ? {} : { lacks: `${id} was not accepted` }),
                },
            },
        ];
    });
}

interface Sought {
    readonly to: string;
    readonly halves: readonly OwnHalf[];
    readonly peerings: readonly OwnPeering[];
    readonly learned: (half: HalfTunnel) => readonly string[];
}

/** Where a subnet's route table leads: static routes of exactly a range that was learned, and what a virtual private gateway puts into it. */
function leadOf(account: AccountView, subnet: CloudObject | undefined, { to, halves, peerings, learned }: Sought): WaysOut {
    const table = account.list(types.routeTableAssociation).find(({ inputs }) => inputs.subnetId === subnet?.id)
        ?.inputs.routeTableId;
    const routes = account
        .list(types.route)
        .filter(({ inputs }) => inputs.routeTableId === table && inputs.destinationCidrBlock !== "0.0.0.0/0")
        .filter(({ inputs }) => within(to, inputs.destinationCidrBlock));
    const covering = halves.filter(({ half }) => learned(half).some((told) => within(to, told)));
    const byTransit = covering.filter(({ half, connection: { inputs, outputs } }) => {
        const under = tableOver(account, attachmentOf(account, subnet?.inputs.vpcId)?.id);
        return (
            under !== undefined &&
            knows(account, under, outputs.transitGatewayAttachmentId) &&
            routes.some(
                (route) =>
                    route.inputs.transitGatewayId === inputs.transitGatewayId &&
                    learned(half).includes(textAt(route.inputs, "destinationCidrBlock")),
            )
        );
    });
    const byVirtual = covering.filter(
        ({ connection: { inputs } }) =>
            inputs.vpnGatewayId !== undefined &&
            account
                .list(types.vpnPropagation)
                .some((each) => each.inputs.vpnGatewayId === inputs.vpnGatewayId && each.inputs.routeTableId === table),
    );
    return {
        halves: [...byTransit, ...byVirtual].map(({ half }) => half),
        peerings: peerings
            .filter(({ id }) => routes.some(({ inputs }) => inputs.vpcPeeringConnectionId === id))
            .map(({ peering }) => peering),
        none:
            halves.length > 0 && covering.length === 0
                ? `no tunnel of ${idOf(subnet?.inputs.vpcId)} that is up leads to ${to}`
                : `the route table of ${subnet?.id ?? "no subnet"} has no route to the range of ${to}`,
    };
}
