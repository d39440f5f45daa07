import * as network from "@pulumi/azure-native/network/index.js";
import type * as pulumi from "@pulumi/pulumi";
import { isWithin, parseCidr } from "../addressing/cidr.js";
import { clusterPorts, doorPorts } from "../cluster/ports.js";
import type { AzureSiteChoices } from "./choices.js";
import { type AzureScope, place } from "./scope.js";

/**
 * Lower numbers win; a direction has each number once. A network security group ends with rules of Azure's own that let everything of the
 * virtual network in and out, and with it all that is peered or reached by a gateway: the denying rules stand before them.
 */
export const priorities = {
    cluster: 100,
    probes: 110,
    clients: 120,
    privateClients: 121,
    admins: 130,
    web: 140,
    time: 150,
    /** Plus the peer's site number, 1 to 120. */
    natPeers: 1000,
    /** Plus the peer's site number too: a pair has rules of both tiers while it changes from one to the other. */
    vpnPeers: 1200,
    deny: 4096,
} as const;
const anything = "*";

/** A site's rules for its brokers. */
export interface AzureFirewall {
    readonly id: pulumi.Output<string>;
    /** What a broker needs before it boots: all of the site's own rules. */
    readonly rules: readonly pulumi.Resource[];
    /** What must stay until links are deleted: the doors for administrators, devices and probes, and the ways out. */
    readonly ready: readonly pulumi.Resource[];
    /** Adds one rule for one peer. */
    rule(name: string, rule: Rule, opts: pulumi.CustomResourceOptions): network.SecurityRule;
}

/** What a rule differs in. */
export interface Rule {
    readonly description: string;
    readonly direction: "Inbound" | "Outbound";
    readonly priority: number;
    /** A range, a list of ranges, or a name of Azure's for some. Whom an inbound rule lets in, whom an outbound one lets brokers talk to. */
    readonly who: string | readonly pulumi.Input<string>[];
    /** None: everything is denied. */
    readonly ports?: readonly pulumi.Input<string>[];
    /** @default Tcp */
    readonly protocol?: "Tcp" | "Udp";
}

/**
 * The site's network security group without any rule of its own, and every rule as a resource of its own: a rule that comes or goes with a
 * peer never rewrites the group or another rule.
 */
export function createFirewall(scope: AzureScope, { privateAdmins, subnetCidr }: AzureSiteChoices): AzureFirewall {
    const { parent, plan, resourceGroupName } = scope;
    const { name, at } = place(scope, "brokers-firewall");
    const group = new network.NetworkSecurityGroup(name, at, { parent });
    const add = (name: string, rule: Rule, opts: pulumi.CustomResourceOptions) =>
        new network.SecurityRule(name, { resourceGroupName, networkSecurityGroupName: group.name, ...ruleArgs(rule) }, opts);
    const own = (what: string, rule: Rule) => add(`${plan.name}-${what}`, rule, { parent });

    const deny = [
        own("deny-in", {
            description: "Everything that no other rule lets in",
            direction: "Inbound",
            priority: priorities.deny,
            who: anything,
        }),
        own("deny-out", {
            description: "Everything that no other rule lets out",
            direction: "Outbound",
            priority: priorities.deny,
            who: anything,
        }),
    ];
    const cluster = (["Inbound", "Outbound"] as const).map((direction) =>
        own(direction === "Inbound" ? "cluster-in" : "cluster-out", {
            description: "Brokers of the site among themselves",
            direction,
            priority: priorities.cluster,
            who: [subnetCidr],
            ports: clusterPorts.map(String),
        }),
    );
    const out = [
        // Packages and Azure's APIs have no addresses that could be listed. Name service and metadata come from the host itself, which
        // rules do not touch unless they name it, so port 53 stays closed.
        own("web-out", {
            description: "Packages of EMQX and Ubuntu, Azure's APIs; they have no fixed addresses",
            direction: "Outbound",
            priority: priorities.web,
            who: "Internet",
            ports: ["80", "443"],
        }),
        own("time-out", {
            description: "Ubuntu's time servers",
            direction: "Outbound",
            priority: priorities.time,
            who: "Internet",
            ports: ["123"],
            protocol: "Udp",
        }),
    ];
    const doors = [
        own("probes-in", {
            description: "Health probes of the load balancer",
            direction: "Inbound",
            priority: priorities.probes,
            who: "AzureLoadBalancer",
            ports: [String(doorPorts.api)],
        }),
        own("clients-in", {
            description: "Devices",
            direction: "Inbound",
            priority: priorities.clients,
            who: plan.clientRanges.includes("0.0.0.0/0") ? "Internet" : withoutContained(plan.clientRanges),
            ports: [String(doorPorts.clients)],
        }),
        own("admins-in", {
            description: "REST API for administrators",
            direction: "Inbound",
            priority: priorities.admins,
            who: withoutContained(plan.adminRanges),
            ports: [String(doorPorts.api)],
        }),
        ...(privateAdmins.length === 0
            ? []
            : [
                  own("private-clients-in", {
                      description: "Delivery proof from within the network",
                      direction: "Inbound",
                      priority: priorities.privateClients,
                      who: withoutContained(privateAdmins),
                      ports: [String(doorPorts.clients)],
                  }),
              ]),
    ];
    return {
        id: group.id,
        rules: [...deny, ...cluster, ...out, ...doors],
        ready: [...doors, ...out],
        rule: add,
    };
}

/** Azure refuses a rule whose ranges overlap. */
export function withoutContained(ranges: readonly string[]): readonly string[] {
    return ranges.filter((range) => !ranges.some((other) => other !== range && isWithin(parseCidr(range), parseCidr(other))));
}

function ruleArgs({ description, direction, priority, who, ports, protocol = "Tcp" }: Rule) {
    const inbound = direction === "Inbound";
    const named =
        typeof who === "string"
            ? inbound
                ? { sourceAddressPrefix: who }
                : { destinationAddressPrefix: who }
            : inbound
              ? { sourceAddressPrefixes: [...who] }
              : { destinationAddressPrefixes: [...who] };
    return {
        description,
        direction,
        priority,
        access: ports === undefined ? "Deny" : "Allow",
        protocol: ports === undefined ? anything : protocol,
        sourcePortRange: anything,
        ...(inbound ? { destinationAddressPrefix: anything } : { sourceAddressPrefix: anything }),
        ...named,
        ...(ports === undefined ? { destinationPortRange: anything } : { destinationPortRanges: [...ports] }),
    };
}
