import { overlap, range, within } from "../addresses.mts";
import { textAt, textsAt } from "../paths.mts";
import { CloudError, type ResourceType } from "../types.mts";
import { invalid, named, nameIn, refuse, regionIn, regionOf } from "./naming.mts";
import { types } from "./tokens.mts";

const network = named("global", "networks", {
    defaults: () => ({ autoCreateSubnetworks: true, routingMode: "REGIONAL" }),
    replaceOn: ["autoCreateSubnetworks", "description"],
    verify: ({ account, object }) => {
        refuse(
            object === undefined && account.list(types.network).length >= account.setting("gcp/networks", 15),
            "quotaExceeded",
            "Quota 'NETWORKS' exceeded. Limit: 15.0 globally.",
        );
    },
    outputs: ({ id }) => ({ numericId: `7${id.length}` }),
    // A router made at once after its network finds it "not ready".
    timing: { create: 20, remove: 20, usableAfter: 30 },
});

const subnetwork = named("regions", "subnetworks", {
    required: ["network"],
    defaults: () => ({ purpose: "PRIVATE", stackType: "IPV4_ONLY", privateIpGoogleAccess: false }),
    references: [{ path: "network", to: types.network }],
    replaceOn: ["network", "purpose"],
    verify: (scope) => {
        const { inputs, account, object } = scope;
        const cidr = inputs.ipCidrRange;
        const size = range(cidr);
        invalid(size === undefined || size.prefix > 29 || size.prefix < 4, "ipCidrRange", cidr, "The range is not valid");
        const owner = account.find(types.network, inputs.network);
        refuse(
            owner?.inputs.autoCreateSubnetworks === true,
            "400",
            "Cannot create subnetworks in a network of auto mode with this range",
        );
        const other = account
            .list(types.subnetwork)
            .find(
                (each) =>
                    each.serial !== object?.serial &&
                    account.find(types.network, each.inputs.network) === owner &&
                    overlap(each.inputs.ipCidrRange, cidr),
            );
        invalid(
            other !== undefined,
            "ipCidrRange",
            cidr,
            `Invalid IPCidrRange: ${String(cidr)} conflicts with existing subnetwork '${textAt(other?.inputs, "name")}' in region '${textAt(other?.outputs, "region")}'.`,
        );
    },
});

const router = named("regions", "routers", {
    required: ["network"],
    references: [
        {
            path: "network",
            to: types.network,
            patient: false,
            missing: (value) => new CloudError("resourceNotReady", `The resource '${value}' is not ready`),
        },
    ],
    replaceOn: ["network"],
    lock: ({ inputs }) => ({ key: `gcp router ${textAt(inputs, "name")}`, busy: "queue" }),
});

const routerNat = named("regions", "routers", {
    required: ["router", "sourceSubnetworkIpRangesToNat"],
    references: [
        { path: "router", to: types.router },
        {
            path: "natIps[]",
            to: types.address,
        },
        { path: "subnetworks[].name", to: types.subnetwork },
    ],
    replaceOn: ["router"],
    verify: (scope) => {
        const { inputs, account, object } = scope;
        const region = regionOf(scope);
        const ips = textsAt(inputs, "natIps[]");
        refuse(
            inputs.natIpAllocateOption === "MANUAL_ONLY" && ips.length === 0,
            "400",
            "natIps must be set when natIpAllocateOption is MANUAL_ONLY",
        );
        for (const link of ips) {
            const address = account.find(types.address, link);
            invalid(
                address?.inputs.addressType === "INTERNAL" || textAt(address?.outputs, "region") !== region,
                "nats[0].natIps[0]",
                link,
                "The address must be external and in the router's region",
            );
        }
        const others = account.list(types.routerNat).filter((each) => each.serial !== object?.serial);
        const same = (path: string) =>
            others.some((each) => textsAt(each.inputs, path).some((link) => textsAt(inputs, path).includes(link)));
        refuse(same("natIps[]"), "resourceInUseByAnotherResource", "An address of the NAT is already being used by another NAT");
        refuse(
            same("subnetworks[].name"),
            "400",
            "A subnetwork can be served by one NAT only: its primary range is configured in another NAT of the region",
        );
        const ports = Number(inputs.minPortsPerVm ?? 64);
        invalid(ports < 2 || ports > 65536, "nats[0].minPortsPerVm", ports, "must be from 2 to 65536");
    },
    // All parts of a router are changed by writing the router: the provider queues them.
    lock: ({ inputs }) => ({ key: `gcp router ${nameIn(textAt(inputs, "router"))}`, busy: "queue" }),
    timing: { create: 40, update: 20, remove: 30 },
});

const nat: ResourceType = {
    ...routerNat,
    // A NAT is a part of its router and has no self link.
    id: (scope) => {
        const router = scope.account.find(types.router, scope.inputs.router);
        return `${
            router?.id
                .replace(/^projects\//, "")
                .replace(/\/regions\//, "/")
                .replace(/\/routers\//, "/") ?? ""
        }/${textAt(scope.inputs, "name")}`;
    },
    outputs: (scope) => ({ region: regionOf(scope) }),
    handles: ({ id }) => [id],
};

const external = (value: unknown) => value === undefined || value === "EXTERNAL";

const address = named("regions", "addresses", {
    // Forwarding rules and machines name an address by its digits.
    handles: ({ id, inputs, outputs }) => [id, textAt(outputs, "selfLink"), textAt(inputs, "name"), textAt(outputs, "address")],
    defaults: () => ({ addressType: "EXTERNAL", ipVersion: "IPV4" }),
    references: [{ path: "subnetwork", to: types.subnetwork }],
    replaceOn: ["address", "addressType", "networkTier", "purpose", "subnetwork", "network", "description"],
    verify: (scope) => {
        const { inputs, account, object } = scope;
        if (external(inputs.addressType)) {
            const used = account.list(types.address).filter((each) => external(each.inputs.addressType)).length;
            refuse(
                object === undefined && used >= account.setting("gcp/addresses", 8 * 12),
                "quotaExceeded",
                `Quota 'STATIC_ADDRESSES' exceeded. Limit: 8.0 in region ${regionOf(scope)}.`,
            );
            return;
        }
        refuse(inputs.networkTier !== undefined, "400", "networkTier cannot be set for internal addresses");
        const subnet = account.find(types.subnetwork, inputs.subnetwork);
        invalid(subnet === undefined, "subnetwork", inputs.subnetwork, "An internal address needs a subnetwork");
        checkInside(textAt(inputs, "address"), subnet?.inputs.ipCidrRange);
        refuse(
            account
                .list(types.address)
                .some(
                    (each) =>
                        each.serial !== object?.serial &&
                        account.find(types.subnetwork, each.inputs.subnetwork) === subnet &&
                        each.inputs.address === inputs.address,
                ),
            "400",
            `IP '${textAt(inputs, "address")}' is already being used by another resource.`,
        );
    },
    outputs: ({ account, inputs, object }) => ({
        address:
            textAt(object?.outputs, "address") ||
            textAt(inputs, "address") ||
            `192.0.2.${((account.next("address") - 1) % 254) + 1}`,
        creationTimestamp: "2026-01-01T00:00:00.000-08:00",
    }),
});

/** Google keeps the first two and the last two addresses of a subnetwork. */
export function checkInside(address: string, cidr: unknown): void {
    const whole = range(cidr);
    const place = (range(address)?.first ?? -1) - (whole?.first ?? 0);
    const size = (whole?.last ?? 0) - (whole?.first ?? 0) + 1;
    invalid(!within(address, cidr), "address", address, "IP address is not within the subnetwork's range");
    invalid(place < 2 || place >= size - 2, "address", address, "IP address is reserved");
}

export const networkTypes: Readonly<Record<string, ResourceType>> = {
    [types.network]: network,
    [types.subnetwork]: subnetwork,
    [types.router]: router,
    [types.routerNat]: nat,
    [types.address]: address,
};

/** Whether two links mean something in the same region. */
export function sameRegion(one: string, other: string): boolean {
    return regionIn(one) === regionIn(other);
}
