import * as compute from "@pulumi/gcp/compute/index.js";
import type * as pulumi from "@pulumi/pulumi";
import { clusterPorts, doorPorts } from "../cluster/ports.js";
import { physicalName } from "./names.js";
import type { GcpNetwork } from "./network.js";
import { type GcpScope, ownProvider, place } from "./scope.js";

/**
 * Lower numbers win. What is not allowed is denied at the priority that rules have by default, and of two rules with the same priority the
 * denying one wins: in a network of the user's, no rule of a default kind opens a broker. The rules apply to the site's service account, so
 * that no tag, which anybody who may edit a machine can set, brings a machine under them.
 */
const priorities = { allow: 900, deny: 1000 } as const;
const everywhere = "0.0.0.0/0";

/** Where the health probes of Google's load balancers come from: external and internal passthrough ones. */
const probeRanges = ["35.191.0.0/16", "130.211.0.0/22", "209.85.152.0/22", "209.85.204.0/22"];

/** A site's rules for its brokers. */
export interface GcpFirewall {
    /** What a broker needs before it boots: the ways out, and to its own cluster. */
    readonly boot: readonly pulumi.Resource[];
    /** What must stay until links are deleted: the doors for administrators, devices and probes. */
    readonly doors: readonly pulumi.Resource[];
    /** Adds a rule of a peer. */
    allow(name: string, rule: GcpRule, opts: pulumi.CustomResourceOptions): compute.Firewall;
}

/** What a rule differs in. */
export interface GcpRule {
    readonly description: string;
    readonly sourceRanges?: pulumi.Input<string>[];
    readonly sourceServiceAccounts?: pulumi.Input<string>[];
    /** Set for a way out. */
    readonly destinationRanges?: pulumi.Input<string>[];
    /** TCP ports. */
    readonly ports: pulumi.Input<string>[];
    /** Whether ICMP passes too, which tells a sender that its packets are too large for a tunnel. @default false */
    readonly icmp?: boolean;
    /** Whether every connection is logged. @default false */
    readonly logged?: boolean;
}

const everyConnection = { metadata: "INCLUDE_ALL_METADATA" };

/** The rules that do not depend on peers, each a resource of its own. */
export function createFirewall(scope: GcpScope, network: GcpNetwork, account: pulumi.Output<string>): GcpFirewall {
    const { parent, plan, project } = scope;
    const target = { network: network.selfLink, targetServiceAccounts: [account] };
    const options = { parent, dependsOn: [...network.ready] };
    const deny = (what: string, args: Pick<compute.FirewallArgs, "description" | "sourceRanges" | "destinationRanges">) => {
        const { name, at } = place(scope, what);
        return new compute.Firewall(
            name,
            {
                ...at,
                ...target,
                ...args,
                direction: args.destinationRanges === undefined ? "INGRESS" : "EGRESS",
                priority: priorities.deny,
                denies: [{ protocol: "all" }],
                logConfig: everyConnection,
            },
            options,
        );
    };
    const allowed = ({ ports, icmp = false, logged = false, ...rule }: GcpRule) => ({
        ...target,
        ...rule,
        direction: rule.destinationRanges === undefined ? "INGRESS" : "EGRESS",
        priority: priorities.allow,
        allows: [{ protocol: "tcp", ports }, ...(icmp ? [{ protocol: "icmp" }] : [])],
        ...(logged ? { logConfig: everyConnection } : {}),
    });
    const allow = (what: string, rule: GcpRule) => {
        const { name, at } = place(scope, what);
        return new compute.Firewall(name, { ...at, ...allowed(rule) }, options);
    };

    const amongBrokers = { description: "Brokers of the site among themselves", ports: clusterPorts.map(String) };
    const boot = [
        deny("deny-in", { description: "Everything that no other rule lets in", sourceRanges: [everywhere] }),
        deny("deny-out", { description: "Everything that no other rule lets out", destinationRanges: [everywhere] }),
        allow("cluster-in", { ...amongBrokers, sourceServiceAccounts: [account] }),
        allow("cluster-out", { ...amongBrokers, destinationRanges: [network.brokerRange] }),
        // Name service, time and metadata come from 169.254.169.254, which firewall rules of GCP do not touch: 53 and 123 stay closed.
        allow("web-out", {
            description: "Packages of EMQX and Ubuntu, Google's APIs: they have no fixed addresses",
            destinationRanges: [everywhere],
            ports: ["80", "443"],
        }),
    ];
    const doors = [
        allow("clients-in", {
            description: "Devices",
            sourceRanges: [...plan.clientRanges],
            ports: [String(doorPorts.clients)],
        }),
        allow("admins-in", {
            description: "REST API for administrators",
            sourceRanges: [...plan.adminRanges],
            ports: [String(doorPorts.api)],
            logged: true,
        }),
        allow("probes-in", {
            description: "Health probes of the load balancer",
            sourceRanges: [...probeRanges],
            ports: [String(doorPorts.api)],
        }),
    ];
    return {
        boot,
        doors,
        allow: (name, rule, opts) =>
            new compute.Firewall(
                name,
                { name: physicalName(name), project, ...allowed(rule) },
                { ...opts, ...ownProvider(scope) },
            ),
    };
}
