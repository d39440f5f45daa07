import { overlap, range, within } from "../addresses.mts";
import { itemsAt, textAt, textsAt } from "../paths.mts";
import { rangeAround } from "../tunnels.mts";
import { type AccountView, CloudError, type CloudObject, type Props, type ResourceType } from "../types.mts";
import { invalid, named, nameIn, projectOf, refuse, regionOf } from "./naming.mts";
import { types } from "./tokens.mts";

/** A network that was just made is not ready for what stands at its edge. */
const readyNetwork = {
    path: "network",
    to: types.network,
    patient: false,
    missing: (value: string) => new CloudError("resourceNotReady", `The resource '${value}' is not ready`),
} as const;

const haVpnGateway = named("regions", "vpnGateways", {
    required: ["network"],
    defaults: () => ({ stackType: "IPV4_ONLY", gatewayIpVersion: "IPV4" }),
    references: [readyNetwork],
    replaceOn: ["network", "stackType", "gatewayIpVersion", "description"],
    outputs: ({ account, object }) => ({
        vpnInterfaces:
            object?.outputs.vpnInterfaces ??
            [0, 1].map((id) => ({ id, ipAddress: `198.18.0.${((account.next("gateway address") - 1) % 254) + 1}` })),
    }),
});

/** How many addresses a gateway of a kind has. */
const redundancies: Readonly<Record<string, number>> = {
    SINGLE_IP_INTERNALLY_REDUNDANT: 1,
    TWO_IPS_REDUNDANCY: 2,
    FOUR_IPS_REDUNDANCY: 4,
};
const privateSpaces = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

const externalVpnGateway = named("global", "externalVpnGateways", {
    references: [],
    replaceOn: ["interfaces", "redundancyType", "description"],
    verify: ({ inputs, account }) => {
        const faces = itemsAt(inputs, "interfaces");
        const count = redundancies[textAt(inputs, "redundancyType")];
        invalid(count === undefined, "redundancyType", inputs.redundancyType, "Unknown redundancy type");
        refuse(
            faces.map(({ id }) => Number(id)).join() !== Array.from({ length: count ?? 0 }, (_, id) => id).join(),
            "400",
            `Redundancy type ${textAt(inputs, "redundancyType")} needs interfaces with the ids 0 to ${(count ?? 0) - 1}`,
        );
        const own = account.list(types.haVpnGateway).flatMap(({ outputs }) => textsAt(outputs, "vpnInterfaces[].ipAddress"));
        for (const { ipAddress } of faces) {
            invalid(range(ipAddress) === undefined, "interfaces[0].ipAddress", ipAddress, "Must be an IPv4 address");
            invalid(
                privateSpaces.some((space) => within(ipAddress, space)),
                "interfaces[0].ipAddress",
                ipAddress,
                "The peer_ip cannot be in an RFC1918 range",
            );
            invalid(
                own.includes(String(ipAddress)),
                "interfaces[0].ipAddress",
                ipAddress,
                "The address is owned by Google; use peerGcpGateway",
            );
        }
    },
});

/** What Google takes for each role of IKE and ESP. */
const algorithms: Readonly<Record<string, readonly string[]>> = {
    "phase1.encryptions": ["AES-CBC-128", "AES-CBC-192", "AES-CBC-256", "AES-GCM-16-128", "AES-GCM-16-192", "AES-GCM-16-256"],
    "phase1.integrities": ["HMAC-SHA1-96", "HMAC-SHA2-256-128", "HMAC-SHA2-384-192", "HMAC-SHA2-512-256"],
    "phase1.prves": ["PRF-HMAC-SHA1", "PRF-HMAC-SHA2-256", "PRF-HMAC-SHA2-384", "PRF-HMAC-SHA2-512"],
    "phase1.dhs": ["Group-2", "Group-5", "Group-14", "Group-15", "Group-16", "Group-19", "Group-20", "Group-21", "Group-24"],
    "phase2.encryptions": ["AES-CBC-128", "AES-CBC-192", "AES-CBC-256", "AES-GCM-16-128", "AES-GCM-16-192", "AES-GCM-16-256"],
    "phase2.integrities": ["HMAC-SHA1-96", "HMAC-SHA2-256-128", "HMAC-SHA2-384-192", "HMAC-SHA2-512-256"],
    "phase2.pfs": ["Group-2", "Group-5", "Group-14", "Group-15", "Group-16", "Group-19", "Group-20", "Group-21", "Group-24"],
};

const vpnTunnel = named("regions", "vpnTunnels", {
    required: ["sharedSecret"],
    defaults: () => ({ ikeVersion: 2 }),
    references: [
        { path: "vpnGateway", to: types.haVpnGateway },
        { path: "peerExternalGateway", to: types.externalVpnGateway },
        { path: "peerGcpGateway", to: types.haVpnGateway },
        { path: "router", to: types.router },
    ],
    // Labels are all that Google changes on a tunnel.
    replaceOn: [
        "vpnGateway",
        "vpnGatewayInterface",
        "peerExternalGateway",
        "peerExternalGatewayInterface",
        "peerGcpGateway",
        "ikeVersion",
        "cipherSuite",
        "sharedSecret",
        "router",
        "description",
    ],
    unique: ({ inputs }) => [placeOf(inputs)],
    duplicate: () =>
        new CloudError("400", "A tunnel with same peer external VPN gateway interface and VPN gateway interface already exists"),
    verify: (scope) => {
        const { inputs, account } = scope;
        const external = account.find(types.externalVpnGateway, inputs.peerExternalGateway);
        refuse(
            (inputs.peerExternalGateway === undefined) === (inputs.peerGcpGateway === undefined),
            "400",
            "Exactly one of peerExternalGateway and peerGcpGateway must be set",
        );
        invalid(
            ![0, 1].includes(Number(inputs.vpnGatewayInterface)),
            "vpnGatewayInterface",
            inputs.vpnGatewayInterface,
            "The gateway has the interfaces 0 and 1",
        );
        invalid(
            external !== undefined &&
                itemsAt(external.inputs, "interfaces").every(
                    ({ id }) => Number(id) !== Number(inputs.peerExternalGatewayInterface),
                ),
            "peerExternalGatewayInterface",
            inputs.peerExternalGatewayInterface,
            "The external gateway has no such interface",
        );
        const gateway = account.find(types.haVpnGateway, inputs.vpnGateway);
        const router = account.find(types.router, inputs.router);
        refuse(
            networkAt(account, gateway) !== networkAt(account, router) ||
                textAt(gateway?.outputs, "region") !== textAt(router?.outputs, "region") ||
                textAt(gateway?.outputs, "region") !== regionOf(scope),
            "400",
            "The tunnel, its gateway and its router must be in one network and region",
        );
        refuse(
            (router?.inputs.bgp as Props | undefined)?.asn === undefined,
            "400",
            `Router '${router?.id ?? ""}' of an HA VPN tunnel must have BGP`,
        );
        refuse(
            inputs.peerGcpGateway !== undefined &&
                networkAt(account, account.find(types.haVpnGateway, inputs.peerGcpGateway)) === networkAt(account, gateway),
            "400",
            "The peer gateway must be in another network",
        );
        invalid(Number(inputs.ikeVersion) !== 2, "ikeVersion", inputs.ikeVersion, "HA VPN needs IKEv2");
        checkCiphers(inputs);
    },
    outputs: ({ account, object }) => ({
        detailedStatus: "Allocating resources. VPN tunnel will start soon.",
        tunnelId: object?.outputs.tunnelId ?? String(account.next("tunnel")),
        sharedSecretHash: `hash-${account.next("secret hash")}`,
    }),
});

/** What two tunnels cannot share. */
function placeOf(inputs: Props): string {
    const peer = textAt(inputs, "peerGcpGateway") || textAt(inputs, "peerExternalGateway");
    return [
        textAt(inputs, "vpnGateway"),
        inputs.vpnGatewayInterface,
        peer,
        inputs.peerExternalGatewayInterface ?? inputs.vpnGatewayInterface,
    ].join(" ");
}

function checkCiphers(inputs: Props): void {
    if (inputs.cipherSuite === undefined) {
        return;
    }
    for (const [path, known] of Object.entries(algorithms)) {
        for (const word of textsAt(inputs, `cipherSuite.${path}[]`)) {
            invalid(!known.includes(word), `cipherSuite.${path}`, word, "Unknown algorithm");
        }
    }
    refuse(
        textsAt(inputs, "cipherSuite.phase2.encryptions[]").length > 0 &&
            textsAt(inputs, "cipherSuite.phase2.pfs[]").length === 0,
        "400",
        "Perfect forward secrecy is required: cipherSuite.phase2.pfs is missing",
    );
}

/** The id of the network that something at its edge names. */
function networkAt(account: AccountView, object: CloudObject | undefined): string | undefined {
    return account.find(types.network, object?.inputs.network)?.id;
}

/** Parts of a router have no self link, and are changed by writing the router: the provider queues them. */
function ofRouter(middle: string, type: Omit<ResourceType, "id">): ResourceType {
    return {
        ...named("regions", "routers", type),
        id: (scope) => {
            const router = nameIn(textAt(scope.inputs, "router"));
            return `projects/${projectOf(scope)}/regions/${regionOf(scope)}/routers/${router}/${middle}${textAt(scope.inputs, "name")}`;
        },
        outputs: (scope) => ({ region: regionOf(scope), project: projectOf(scope), ...type.outputs?.(scope) }),
        handles: ({ id, inputs }) => [id, textAt(inputs, "name")],
        lock: ({ inputs }) => ({ key: `gcp router ${nameIn(textAt(inputs, "router"))}`, busy: "queue" }),
    };
}

const routerInterface = ofRouter("interfaces/", {
    required: ["router"],
    references: [
        { path: "router", to: types.router },
        { path: "vpnTunnel", to: types.vpnTunnel },
    ],
    replaceOn: "all",
    unique: ({ inputs }) => [textAt(inputs, "vpnTunnel")],
    duplicate: () => new CloudError("400", "Cannot link multiple interfaces with the same IP version to the same VPN tunnel"),
    verify: ({ inputs, account, object }) => {
        const own = textAt(inputs, "ipRange");
        const [address = "", prefix] = own.split("/");
        const whole = rangeAround(address);
        invalid(
            prefix !== "30" || !within(address, "169.254.0.0/16") || !isHost(address, whole),
            "interfaces[0].ipRange",
            own,
            "Must be a host of a /30 in 169.254.0.0/16",
        );
        const router = account.find(types.router, inputs.router);
        refuse(
            account.find(types.router, account.find(types.vpnTunnel, inputs.vpnTunnel)?.inputs.router) !== router,
            "400",
            "The tunnel belongs to another router",
        );
        // In every region: the ranges of all routers of a network differ.
        const other = account
            .list(types.routerInterface)
            .find(
                (each) =>
                    each.serial !== object?.serial &&
                    networkAt(account, account.find(types.router, each.inputs.router)) === networkAt(account, router) &&
                    overlap(rangeAround(textAt(each.inputs, "ipRange").split("/")[0] ?? ""), whole),
            );
        invalid(other !== undefined, "interfaces[0].ipRange", own, `IP range overlaps that of '${other?.id ?? ""}'`);
    },
});

/** Whether an address is the first or second host of a /30. */
function isHost(address: string, whole: string): boolean {
    const offset = (range(address)?.first ?? 0) - (range(whole)?.first ?? 0);
    return offset === 1 || offset === 2;
}

const routerPeer = ofRouter("", {
    required: ["router", "interface", "peerAsn"],
    defaults: () => ({ enable: true, enableIpv6: false, advertiseMode: "DEFAULT", advertisedRoutePriority: 100 }),
    references: [
        { path: "router", to: types.router },
        { path: "interface", to: types.routerInterface },
        { path: "importPolicies[]", to: types.routePolicy },
        { path: "exportPolicies[]", to: types.routePolicy },
    ],
    // The provider changes the interface in place, so a session does not follow one by itself.
    replaceOn: ["router"],
    unique: ({ inputs }) => [textAt(inputs, "interface")],
    duplicate: (name) => new CloudError("400", `Interface '${name}' already has a BGP peer`),
    verify: ({ inputs, account }) => {
        const router = account.find(types.router, inputs.router);
        const face = account.find(types.routerInterface, inputs.interface);
        const own = textAt(face?.inputs, "ipRange").split("/")[0] ?? "";
        refuse(
            account.find(types.router, face?.inputs.router) !== router,
            "400",
            `Interface '${textAt(inputs, "interface")}' is none of the router's`,
        );
        invalid(textAt(inputs, "ipAddress") !== own, "bgpPeers[0].ipAddress", inputs.ipAddress, `The interface has ${own}`);
        const peer = textAt(inputs, "peerIpAddress");
        invalid(
            peer === own || !within(peer, rangeAround(own)) || !isHost(peer, rangeAround(own)),
            "bgpPeers[0].peerIpAddress",
            peer,
            "Must be the other host of the interface's range",
        );
        const asn = Number((router?.inputs.bgp as Props | undefined)?.asn);
        invalid(Number(inputs.peerAsn) === asn, "bgpPeers[0].peerAsn", inputs.peerAsn, "The router itself has this number");
    },
});

const routePolicy = ofRouter("routePolicies/", {
    required: ["router", "terms"],
    references: [{ path: "router", to: types.router }],
    replaceOn: ["router", "type"],
    verify: ({ inputs }) => {
        const terms = itemsAt(inputs, "terms");
        invalid(
            !["ROUTE_POLICY_TYPE_IMPORT", "ROUTE_POLICY_TYPE_EXPORT"].includes(textAt(inputs, "type")),
            "type",
            inputs.type,
            "Unknown type of policy",
        );
        refuse(new Set(terms.map(({ priority }) => priority)).size !== terms.length, "400", "Priorities of terms must differ");
        for (const term of terms) {
            const match = textAt(term, "match.expression");
            const prefix = "prefix\\('([0-9.]+/\\d+)'\\)(\\.orLonger\\(\\))?";
            invalid(
                !new RegExp(`^!?destination\\.inAnyRange\\(\\[${prefix}(, ${prefix})*\\]\\)$`).test(match),
                "terms[0].match",
                match,
                "Not an expression that this simulation knows",
            );
            for (const action of textsAt(term, "actions[].expression")) {
                invalid(!["accept()", "drop()"].includes(action), "terms[0].actions", action, "Unknown action");
            }
        }
    },
});

const networkPeering: ResourceType = {
    required: ["network", "peerNetwork"],
    autoName: { max: 63 },
    defaults: () => ({ exportSubnetRoutesWithPublicIp: true, stackType: "IPV4_ONLY" }),
    references: [
        { path: "network", to: types.network },
        { path: "peerNetwork", to: types.network, holds: false },
    ],
    replaceOn: ["name", "network", "peerNetwork", "exportSubnetRoutesWithPublicIp", "importSubnetRoutesWithPublicIp"],
    unique: ({ inputs, account }) => [
        ["network", "peerNetwork"].map((key) => account.find(types.network, inputs[key])?.id ?? "").join(" "),
    ],
    duplicate: (text) => new CloudError("400", `There is already a peering of ${text.replace(" ", " with ")}`),
    verify: ({ inputs, account }) => {
        const [own, other] = ["network", "peerNetwork"].map((key) => account.find(types.network, inputs[key]));
        refuse(own === other, "400", "A network cannot be peered with itself");
        const rangesOf = (network: CloudObject | undefined) =>
            account
                .list(types.subnetwork)
                .filter((each) => account.find(types.network, each.inputs.network) === network)
                .map((each) => each.inputs.ipCidrRange);
        const clash = rangesOf(own).find((one) => rangesOf(other).some((two) => overlap(one, two)));
        refuse(
            clash !== undefined,
            "400",
            `An IP range in the peer network (${String(clash)}) overlaps with an IP range in the local network`,
        );
    },
    id: (scope) => `${nameIn(textAt(scope.inputs, "network"))}/${textAt(scope.inputs, "name")}`,
    outputs: () => ({ state: "INACTIVE" }),
    lock: ({ inputs }) => ({
        key: ["network", "peerNetwork"].map((key) => `gcp peering of ${nameIn(textAt(inputs, key))}`),
        busy: new CloudError(
            "400",
            "There is a peering operation in progress on the local or peer network. Try again later., badRequest",
        ),
    }),
    timing: { create: 60, remove: 60 },
};

export const vpnTypes: Readonly<Record<string, ResourceType>> = {
    [types.haVpnGateway]: haVpnGateway,
    [types.externalVpnGateway]: externalVpnGateway,
    [types.vpnTunnel]: vpnTunnel,
    [types.routerInterface]: routerInterface,
    [types.routerPeer]: routerPeer,
    [types.routePolicy]: routePolicy,
    [types.networkPeering]: networkPeering,
};
