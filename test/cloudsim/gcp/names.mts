import { range } from "../addresses.mts";
import { textAt, textsAt } from "../paths.mts";
import { type AccountView, CloudError, type ResourceType } from "../types.mts";
import { projectOf, refuse } from "./naming.mts";
import { types } from "./tokens.mts";

const managedZone: ResourceType = {
    required: ["dnsName"],
    autoName: { max: 63 },
    defaults: () => ({ visibility: "public", description: "Managed by Pulumi", forceDestroy: false }),
    references: [{ path: "privateVisibilityConfig.networks[].networkUrl", to: types.network }],
    replaceOn: ["name", "dnsName", "visibility", "project"],
    verify: ({ inputs, account, object }) => {
        const name = textAt(inputs, "dnsName");
        refuse(!name.endsWith("."), "400", `Invalid value for 'entity.managedZone.dnsName': '${name}', invalid`);
        const networks = networksOf(account, inputs);
        refuse(
            inputs.visibility === "private" && networks.length === 0,
            "400",
            "at least one of networks and gkeClusters must be specified",
        );
        const other = account
            .list(types.managedZone)
            .find(
                (each) =>
                    each.serial !== object?.serial &&
                    each.inputs.dnsName === name &&
                    networksOf(account, each.inputs).some((id) => networks.includes(id)),
            );
        refuse(
            other !== undefined,
            "dnsNameInUse",
            `The network already has a private zone named '${name}': '${textAt(other?.inputs, "name")}'`,
        );
    },
    id: (scope) => `projects/${projectOf(scope)}/managedZones/${textAt(scope.inputs, "name")}`,
    outputs: (scope) => ({ project: projectOf(scope), managedZoneId: 1, nameServers: ["ns-gcp-private.googledomains.com."] }),
    handles: ({ id, inputs }) => [id, textAt(inputs, "name")],
    inUse: (object) =>
        new CloudError(
            "containerNotEmpty",
            `The resource named '${textAt(object.inputs, "name")}' cannot be deleted because it is not empty`,
        ),
    timing: { create: 20, remove: 10 },
};

function networksOf(account: AccountView, inputs: Readonly<Record<string, unknown>>): readonly string[] {
    return textsAt(inputs, "privateVisibilityConfig.networks[].networkUrl").map(
        (url) => account.find(types.network, url)?.id ?? url,
    );
}

const recordSet: ResourceType = {
    required: ["managedZone", "name", "type"],
    references: [{ path: "managedZone", to: types.managedZone }],
    replaceOn: ["managedZone", "name", "type", "project"],
    verify: ({ inputs, account, object }) => {
        const name = textAt(inputs, "name");
        const zone = account.find(types.managedZone, inputs.managedZone);
        const data = textsAt(inputs, "rrdatas[]");
        refuse(
            !name.endsWith(".") || !`.${name}`.endsWith(`.${textAt(zone?.inputs, "dnsName")}`),
            "400",
            `Invalid value for 'entity.change.additions[0].name': '${name}', invalid`,
        );
        refuse(data.length === 0, "400", "rrdatas or routingPolicy must be set");
        refuse(
            inputs.type === "A" && data.some((value) => range(value)?.prefix !== 32),
            "400",
            `Invalid value for 'entity.change.additions[0].rrdata[0]': '${data[0] ?? ""}', invalid`,
        );
        refuse(
            inputs.type === "CNAME" && (data.length !== 1 || !data.every((value) => value.endsWith("."))),
            "400",
            `Invalid value for 'entity.change.additions[0].rrdata[0]': '${data[0] ?? ""}', invalid`,
        );
        const other = account
            .list(types.recordSet)
            .find(
                (each) =>
                    each.serial !== object?.serial &&
                    each.inputs.name === name &&
                    account.find(types.managedZone, each.inputs.managedZone) === zone &&
                    (each.inputs.type === inputs.type || each.inputs.type === "CNAME" || inputs.type === "CNAME"),
            );
        refuse(
            other !== undefined,
            "alreadyExists",
            `The resource 'entity.change.additions[0]' named '${name} (${String(inputs.type)})' already exists`,
        );
    },
    id: ({ account, inputs }) =>
        `${account.find(types.managedZone, inputs.managedZone)?.id ?? ""}/rrsets/${textAt(inputs, "name")}/${textAt(inputs, "type")}`,
    outputs: (scope) => ({ project: projectOf(scope) }),
    timing: { create: 10, update: 10, remove: 10 },
};

export const nameTypes: Readonly<Record<string, ResourceType>> = {
    [types.managedZone]: managedZone,
    [types.recordSet]: recordSet,
};

/** The names of a network's private zones, as its machines resolve them; without final dots. */
export function namesIn(account: AccountView, network: string | undefined): ReadonlyMap<string, string> {
    const zones = account
        .list(types.managedZone)
        .filter(({ inputs }) => inputs.visibility === "private" && networksOf(account, inputs).includes(network ?? ""));
    return new Map(
        account
            .list(types.recordSet)
            .filter(({ inputs }) => zones.some((zone) => account.find(types.managedZone, inputs.managedZone) === zone))
            .map(({ inputs }) => [unrooted(textAt(inputs, "name")), unrooted(textAt(inputs, "rrdatas[]"))]),
    );
}

/** Addresses of a name in a public zone; empty: none of Google's. */
export function lookup(account: AccountView, name: string): readonly string[] {
    const open = account.list(types.managedZone).filter(({ inputs }) => inputs.visibility !== "private");
    return account
        .list(types.recordSet)
        .filter(({ inputs }) => open.some((zone) => zone === account.find(types.managedZone, inputs.managedZone)))
        .filter(({ inputs }) => unrooted(textAt(inputs, "name")) === name && inputs.type === "A")
        .flatMap(({ inputs }) => textsAt(inputs, "rrdatas[]"));
}

function unrooted(name: string): string {
    return name.replace(/\.$/, "");
}
