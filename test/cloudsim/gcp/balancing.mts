import { itemsAt, textAt, textsAt } from "../paths.mts";
import type { AccountView, CloudObject, ResourceType, Scope } from "../types.mts";
import { subnetworkOf } from "./compute.mts";
import { invalid, named, projectOf, refuse, regionOf, regionOfZone, zoneOf } from "./naming.mts";
import { types } from "./tokens.mts";

const instanceGroup = named("zones", "instanceGroups", {
    references: [{ path: "network", to: types.network }],
    replaceOn: ["network", "description"],
    outputs: () => ({ size: 0 }),
});

/** The id of the network that an instance is in. */
export function networkOf(account: AccountView, instance: CloudObject | undefined): string | undefined {
    const subnet = instance === undefined ? undefined : subnetworkOf(account, instance);
    return account.find(types.network, subnet?.inputs.network)?.id;
}

const membership: ResourceType = {
    required: ["instance", "instanceGroup"],
    references: [
        // A machine that is deleted is taken out of its groups, and a group lets its machines go.
        { path: "instance", to: types.instance, holds: false },
        { path: "instanceGroup", to: types.instanceGroup, holds: false },
    ],
    replaceOn: "all",
    verify: (scope) => {
        const { inputs, account, object } = scope;
        const instance = account.find(types.instance, inputs.instance);
        const group = account.find(types.instanceGroup, inputs.instanceGroup);
        const zone = zoneOf(scope);
        refuse(
            textAt(instance?.outputs, "zone") !== zone || textAt(group?.outputs, "zone") !== zone,
            "400",
            `The instance '${instance?.id ?? ""}' and the group '${group?.id ?? ""}' must be in zone ${zone}`,
        );
        refuse(
            networkOf(account, instance) !== account.find(types.network, group?.inputs.network)?.id,
            "400",
            "The instance is not in the network of the instance group",
        );
        const other = account
            .list(types.instanceGroupMembership)
            .find((each) => each.serial !== object?.serial && account.find(types.instance, each.inputs.instance) === instance);
        refuse(
            other !== undefined,
            "INSTANCE_IN_MULTIPLE_LOAD_BALANCED_IGS",
            `Validation failed for instance '${instance?.id ?? ""}': instance may belong to at most one load-balanced instance group.`,
        );
    },
    id: (scope) => {
        const { account, inputs } = scope;
        const [instance, group] = [
            account.find(types.instance, inputs.instance),
            account.find(types.instanceGroup, inputs.instanceGroup),
        ];
        // The number keeps a machine that was made again under its name apart from the former one.
        return `projects/${projectOf(scope)}/zones/${zoneOf(scope)}/instanceGroups/${textAt(group?.inputs, "name")}/${textAt(instance?.inputs, "name")}`;
    },
    timing: { create: 20, remove: 20 },
};

const healthCheck = named("regions", "healthChecks", {
    verify: ({ inputs }) => {
        const kinds = Object.keys(inputs).filter((key) => /HealthCheck$/.test(key));
        refuse(kinds.length !== 1, "400", "Exactly one kind of health check must be set");
        const [interval, timeout] = [Number(inputs.checkIntervalSec ?? 5), Number(inputs.timeoutSec ?? 5)];
        invalid(timeout > interval, "timeoutSec", timeout, "The timeout cannot be longer than the interval");
    },
    defaults: () => ({ checkIntervalSec: 5, timeoutSec: 5, healthyThreshold: 2, unhealthyThreshold: 2 }),
});

const backendService = named("regions", "backendServices", {
    references: [
        { path: "healthChecks", to: types.healthCheck },
        { path: "backends[].group", to: types.instanceGroup },
        { path: "network", to: types.network },
    ],
    replaceOn: ["loadBalancingScheme", "network"],
    verify: (scope) => {
        const { inputs, account } = scope;
        const region = regionOf(scope);
        const groups = itemsAt(inputs, "backends").map((backend) => ({
            mode: textAt(backend, "balancingMode"),
            group: account.find(types.instanceGroup, backend.group),
        }));
        refuse(new Set(groups.map(({ group }) => group)).size !== groups.length, "400", "A group is listed twice");
        const networks = new Set<string | undefined>();
        for (const { mode, group } of groups) {
            refuse(
                mode !== "CONNECTION",
                "400",
                "Invalid value for field 'resource.backends[0].balancingMode': must be CONNECTION for a passthrough load balancer, invalid",
            );
            refuse(
                regionOfZone(textAt(group?.outputs, "zone")) !== region,
                "400",
                `The group '${group?.id ?? ""}' is not in region ${region}`,
            );
            const network = account.find(types.network, group?.inputs.network);
            refuse(
                network === undefined,
                "400",
                "Instance group must have a network to be attached to a backend service. Add an instance to give the instance group a network.",
            );
            networks.add(network?.id);
        }
        refuse(networks.size > 1, "400", "All instance groups of a backend service must be in one network");
        refuse(
            inputs.network !== undefined && inputs.loadBalancingScheme !== "INTERNAL",
            "400",
            "Network can only be set for internal load balancing",
        );
        refuse(
            inputs.network !== undefined && !networks.has(account.find(types.network, inputs.network)?.id),
            "400",
            "The instance groups must be in the network of the backend service",
        );
    },
    outputs: () => ({ generatedId: 1 }),
    timing: { create: 40, update: 20, remove: 20 },
});

const forwardingRule = named("regions", "forwardingRules", {
    references: [
        { path: "backendService", to: types.backendService },
        { path: "ipAddress", to: types.address },
        { path: "network", to: types.network },
        { path: "subnetwork", to: types.subnetwork },
    ],
    replaceOn: ["ipAddress", "ipProtocol", "ports", "portRange", "loadBalancingScheme", "networkTier", "network", "subnetwork"],
    verify: (scope) => {
        const { inputs, account, object } = scope;
        const ports = textsAt(inputs, "ports[]");
        invalid(ports.length > 5, "ports", ports, "At most 5 ports can be listed");
        const address = account.find(types.address, inputs.ipAddress);
        const backend = account.find(types.backendService, inputs.backendService);
        checkInternal(scope, address);
        for (const used of [address, backend]) {
            refuse(
                used !== undefined && textAt(used.outputs, "region") !== regionOf(scope),
                "400",
                `'${used?.id ?? ""}' is not in the region of the forwarding rule`,
            );
        }
        refuse(
            textAt(backend?.inputs, "loadBalancingScheme") !== textAt(inputs, "loadBalancingScheme") ||
                textAt(backend?.inputs, "protocol") !== textAt(inputs, "ipProtocol"),
            "400",
            "Scheme and protocol of the forwarding rule and of its backend service must be the same",
        );
        const clash = account
            .list(types.forwardingRule)
            .find(
                (each) =>
                    each.serial !== object?.serial &&
                    each.inputs.ipAddress === inputs.ipAddress &&
                    textsAt(each.inputs, "ports[]").some((port) => ports.includes(port)),
            );
        refuse(
            clash !== undefined,
            "400",
            `Invalid value for field 'resource.IPAddress': '${textAt(inputs, "ipAddress")}'. Specified IP address is in-use and would result in a conflict., invalid`,
        );
    },
    outputs: () => ({ pscConnectionId: "" }),
    timing: { create: 40, update: 20, remove: 30 },
});

/** An internal rule has a reserved address of its subnetwork; an external one has none of that. */
function checkInternal({ inputs, account }: Scope, address: CloudObject | undefined): void {
    if (inputs.loadBalancingScheme !== "INTERNAL") {
        refuse(
            inputs.allowGlobalAccess === true || inputs.subnetwork !== undefined || address?.inputs.addressType === "INTERNAL",
            "400",
            "Global access, a subnetwork and an internal address are for internal load balancing only",
        );
        return;
    }
    refuse(inputs.networkTier === "STANDARD", "400", "An internal forwarding rule has no network tier");
    const subnetwork = account.find(types.subnetwork, inputs.subnetwork);
    refuse(
        account.find(types.network, subnetwork?.inputs.network) !== account.find(types.network, inputs.network),
        "400",
        "The subnetwork of an internal forwarding rule must be in its network",
    );
    refuse(
        address?.inputs.addressType !== "INTERNAL" || account.find(types.subnetwork, address.inputs.subnetwork) !== subnetwork,
        "400",
        `Invalid value for field 'resource.IPAddress': '${textAt(inputs, "ipAddress")}'. Must be a reserved address of the rule's subnetwork, invalid`,
    );
}

export const balancingTypes: Readonly<Record<string, ResourceType>> = {
    [types.instanceGroup]: instanceGroup,
    [types.instanceGroupMembership]: membership,
    [types.healthCheck]: healthCheck,
    [types.backendService]: backendService,
    [types.forwardingRule]: forwardingRule,
};
