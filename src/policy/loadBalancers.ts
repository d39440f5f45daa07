import { isOff, isOn, isSet, listAt, numberAt, textAt } from "./properties.js";
import type { Rule } from "./rule.js";

const balancer = "aws:lb/loadBalancer:LoadBalancer";

function balancerRule(rule: Omit<Rule, "area" | "needs" | "check">, faults: (props: unknown) => readonly string[]): Rule {
    return { ...rule, area: "loadBalancers", needs: "resource", check: ({ props }) => faults(props) };
}

const when = (fault: boolean, text: string): readonly string[] => (fault ? [text] : []);

/** What load balancers must hold. */
export const loadBalancerRules: readonly Rule[] = [
    balancerRule(
        {
            id: "AWS-0053",
            alsoKnownAs: [],
            title: "Load balancers are not public.",
            severity: "HIGH",
            types: [balancer],
        },
        (props) => when(!isOn(props, "internal") && textAt(props, "loadBalancerType") !== "gateway", "internal is not on"),
    ),
    balancerRule(
        {
            id: "AWS-0047",
            alsoKnownAs: ["CKV_AWS_103"],
            title: "Listeners that end TLS take TLS 1.2 and nothing older.",
            severity: "CRITICAL",
            types: ["aws:lb/listener:Listener"],
        },
        (props) =>
            when(
                ["TLS", "HTTPS"].includes(textAt(props, "protocol")) &&
                    !/TLS13-1-[23]|TLS-1-2|FS-1-2/.test(textAt(props, "sslPolicy")),
                "sslPolicy allows less than TLS 1.2",
            ),
    ),
    balancerRule(
        {
            id: "CKV_AWS_150",
            alsoKnownAs: [],
            title: "Load balancers are not deleted by mistake.",
            severity: "LOW",
            types: [balancer],
        },
        (props) => when(!isOn(props, "enableDeletionProtection"), "enableDeletionProtection is not on"),
    ),
    balancerRule(
        {
            id: "CKV_AWS_152",
            alsoKnownAs: [],
            title: "Load balancers send to every zone.",
            severity: "LOW",
            types: [balancer],
        },
        (props) =>
            when(
                textAt(props, "loadBalancerType") !== "application" && !isOn(props, "enableCrossZoneLoadBalancing"),
                "enableCrossZoneLoadBalancing is not on",
            ),
    ),
    balancerRule(
        {
            id: "CKV_AWS_91",
            alsoKnownAs: [],
            title: "Load balancers log accesses.",
            severity: "LOW",
            types: [balancer],
        },
        (props) => when(!isOn(props, "accessLogs.enabled"), "accessLogs.enabled is not on"),
    ),
    balancerRule(
        {
            id: "GCP-0039",
            alsoKnownAs: ["CKV_GCP_4"],
            title: "Load balancers that end TLS take TLS 1.2 and nothing older.",
            severity: "CRITICAL",
            types: ["gcp:compute/sSLPolicy:SSLPolicy"],
        },
        (props) =>
            when(
                !["TLS_1_2", "TLS_1_3"].includes(textAt(props, "minTlsVersion")) || textAt(props, "profile") === "COMPATIBLE",
                "minTlsVersion is not TLS_1_2 or newer with a profile stricter than COMPATIBLE",
            ),
    ),
    balancerRule(
        {
            id: "LINKSPAN-0018",
            alsoKnownAs: [],
            title: "Network load balancers have a security group: without one they let everybody in.",
            severity: "CRITICAL",
            types: [balancer],
        },
        (props) =>
            when(textAt(props, "loadBalancerType") === "network" && !isSet(props, "securityGroups"), "securityGroups is not set"),
    ),
    balancerRule(
        {
            id: "LINKSPAN-0019",
            alsoKnownAs: [],
            title: "Load balancers keep the addresses of who connects: the allow-lists behind them need those.",
            severity: "HIGH",
            types: ["aws:lb/targetGroup:TargetGroup"],
        },
        (props) =>
            when(
                isOff(props, "preserveClientIp") ||
                    (textAt(props, "targetType") === "ip" && !isOn(props, "preserveClientIp")) ||
                    isOn(props, "proxyProtocolV2"),
                "preserveClientIp is off, or the proxy protocol is on",
            ),
    ),
    balancerRule(
        {
            id: "LINKSPAN-0020",
            alsoKnownAs: [],
            title: "Load balancers give machines no way out: brokers come from fixed addresses only.",
            severity: "MEDIUM",
            types: ["azure-native:network:LoadBalancer"],
        },
        (props) =>
            listAt(props, "loadBalancingRules")
                .filter((rule) => !isOn(rule, "disableOutboundSnat"))
                .map((rule) => `disableOutboundSnat of the rule for port ${numberAt(rule, "frontendPort")} is not on`),
    ),
];
