import { range } from "../addresses.mts";
import { textAt, textsAt } from "../paths.mts";
import { type AccountView, CloudError, type CloudObject, type Props, type ResourceType } from "../types.mts";
import { byName, inGroup, named, refuse } from "./naming.mts";
import { networkLock } from "./network.mts";
import { types } from "./tokens.mts";

const domain = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const privateZone = named(
    { kind: "Microsoft.Network/privateDnsZones", property: "privateZoneName", max: 253, form: domain, auto: false },
    {
        required: ["location"],
        verify: ({ inputs }) =>
            refuse(inputs.location !== "global", "LocationNotAvailableForResourceType", "Private zones are in location global"),
        guard: (object, account) => {
            const link = account.list(types.zoneLink).find((each) => zoneNamed(account, each.inputs) === object);
            refuse(
                link !== undefined,
                "CannotDeleteResource",
                `Cannot delete resource while nested resources exist. Some existing nested resource IDs include: '${link?.id ?? ""}'.`,
            );
        },
        timing: { create: 30, remove: 20 },
    },
);

function zoneNamed(account: AccountView, inputs: Props): CloudObject | undefined {
    return byName(account, types.privateZone, inputs.resourceGroupName, "privateZoneName", inputs.privateZoneName);
}

/** The zone that a link's or a record's inputs name: the same name may be in several groups. */
function checkedZone(account: AccountView, inputs: Props): CloudObject {
    const zone = zoneNamed(account, inputs);
    if (zone === undefined) {
        throw new CloudError("ParentResourceNotFound", `The private zone ${textAt(inputs, "privateZoneName")} was not found.`);
    }
    return zone;
}

const zoneLink = named(
    {
        kind: "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        property: "virtualNetworkLinkName",
        max: 80,
        within: ({ account, inputs }) => zoneNamed(account, inputs),
    },
    {
        required: ["privateZoneName", "virtualNetwork"],
        references: [{ path: "virtualNetwork.id", to: types.virtualNetwork }],
        replaceOn: ["privateZoneName", "virtualNetwork"],
        verify: ({ inputs, account, object }) => {
            const zone = checkedZone(account, inputs);
            const network = account.find(types.virtualNetwork, textAt(inputs, "virtualNetwork.id"));
            const other = account
                .list(types.zoneLink)
                .find(
                    (each) =>
                        each.serial !== object?.serial &&
                        account.find(types.virtualNetwork, textAt(each.inputs, "virtualNetwork.id")) === network &&
                        each.inputs.privateZoneName === zone.inputs.privateZoneName,
                );
            refuse(
                other !== undefined,
                "Conflict",
                "A virtual network cannot be linked to multiple zones with overlapping namespaces.",
            );
        },
        lock: ({ inputs }) => networkLock(textAt(inputs, "virtualNetwork.id").split("/").at(-1) ?? ""),
        timing: { create: 30, remove: 30 },
    },
);

const privateRecord = named(
    {
        kind: "Microsoft.Network/privateDnsZones/records",
        property: "relativeRecordSetName",
        max: 253,
        form: /^(@|[a-z0-9_*]([a-z0-9_.-]*[a-z0-9_])?)$/i,
        within: ({ account, inputs }) => zoneNamed(account, inputs),
        auto: false,
    },
    {
        required: ["privateZoneName", "recordType"],
        replaceOn: ["privateZoneName", "recordType"],
        verify: ({ inputs, account, object }) => {
            const zone = checkedZone(account, inputs);
            checkRecord(inputs);
            const other = account
                .list(types.privateRecord)
                .find(
                    (each) =>
                        each.serial !== object?.serial &&
                        zoneNamed(account, each.inputs) === zone &&
                        each.inputs.relativeRecordSetName === inputs.relativeRecordSetName,
                );
            refuse(
                other !== undefined,
                "CannotCoexistWithOthers",
                `The record ${textAt(inputs, "relativeRecordSetName")} exists in the zone.`,
            );
        },
        timing: { create: 10, update: 10, remove: 10 },
    },
);

function checkRecord(inputs: Props): void {
    const addresses = textsAt(inputs, "aRecords[].ipv4Address");
    const alias = textAt(inputs, "cnameRecord.cname");
    refuse(
        inputs.recordType === "A" && (addresses.length === 0 || addresses.some((each) => range(each)?.prefix !== 32)),
        "BadRequest",
        "An A record needs IPv4 addresses.",
    );
    refuse(inputs.recordType === "CNAME" && !domain.test(alias.toLowerCase()), "BadRequest", `'${alias}' is no host name.`);
    refuse(inputs.ttl === undefined, "BadRequest", "The TTL is missing.");
}

const zone = named(
    { kind: "Microsoft.Network/dnsZones", property: "zoneName", max: 253, form: domain, auto: false },
    { required: ["location"] },
);

const record = named(
    {
        kind: "Microsoft.Network/dnsZones/records",
        property: "relativeRecordSetName",
        max: 253,
        form: /^(@|[a-z0-9_*]([a-z0-9_.-]*[a-z0-9_])?)$/i,
        within: ({ account, inputs }) => byName(account, types.zone, inputs.resourceGroupName, "zoneName", inputs.zoneName),
        auto: false,
    },
    {
        required: ["zoneName", "recordType"],
        references: [{ path: "zoneName", to: types.zone }],
        replaceOn: ["zoneName", "recordType"],
        verify: ({ inputs }) => checkRecord(inputs),
    },
);

export const nameTypes: Readonly<Record<string, ResourceType>> = {
    [types.privateZone]: privateZone,
    [types.zoneLink]: zoneLink,
    [types.privateRecord]: privateRecord,
    [types.zone]: zone,
    [types.record]: record,
};

/** The names of the private zones that a network is linked to. Custom name servers do not see them. */
export function namesIn(account: AccountView, network: CloudObject | undefined): ReadonlyMap<string, string> {
    if (network === undefined || textsAt(network.inputs, "dhcpOptions.dnsServers[]").length > 0) {
        return new Map();
    }
    const zones = account
        .list(types.zoneLink)
        .filter(({ inputs }) => account.find(types.virtualNetwork, textAt(inputs, "virtualNetwork.id")) === network)
        .map(({ inputs }) => zoneNamed(account, inputs));
    return new Map(
        account
            .list(types.privateRecord)
            .filter(({ inputs }) => zones.includes(zoneNamed(account, inputs)))
            .map(({ inputs }) => [
                `${textAt(inputs, "relativeRecordSetName")}.${textAt(inputs, "privateZoneName")}`,
                textAt(inputs, "aRecords[].ipv4Address") || textAt(inputs, "cnameRecord.cname"),
            ]),
    );
}

/** Addresses of a name in a public zone; empty: none of Azure's. */
export function lookup(account: AccountView, name: string): readonly string[] {
    return account
        .list(types.record)
        .filter(({ inputs }) => account.list(types.zone).some((each) => inGroup(each, inputs.resourceGroupName)))
        .filter(({ inputs }) => {
            const relative = textAt(inputs, "relativeRecordSetName");
            return (relative === "@" ? textAt(inputs, "zoneName") : `${relative}.${textAt(inputs, "zoneName")}`) === name;
        })
        .flatMap(({ inputs }) => textsAt(inputs, "aRecords[].ipv4Address"));
}
