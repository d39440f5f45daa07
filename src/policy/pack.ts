import {
    type EnforcementLevel,
    type Policies,
    PolicyPack,
    type PolicyResource,
    type ResourceValidationPolicy,
    type StackValidationPolicy,
} from "@pulumi/policy";
import { exceptions as documentedExceptions } from "./exceptions.js";
import { type PlainResource, ResourceGraph, type Rule, type RuleException, type Severity, violationsOf } from "./rule.js";
import { rules as allRules } from "./rules.js";

/** What happens on a violation, in the words of Pulumi's policies. */
export type Enforcement = Extract<EnforcementLevel, "advisory" | "mandatory" | "disabled">;

/** Options of {@link createPolicyPack}. */
export interface PolicyPackOptions {
    /** By severity. @default mandatory for CRITICAL and HIGH, advisory for MEDIUM and LOW */
    readonly enforcement?: Readonly<Partial<Record<Severity, Enforcement>>> | undefined;
    /** By rule, by its id; wins over `enforcement`. Ids that no rule has are refused. @default none */
    readonly rules?: Readonly<Record<string, Enforcement>> | undefined;
    /** Violations that are meant. @default what Linkspan's own sites do by design; your own are added to these */
    readonly exceptions?: readonly RuleException[] | undefined;
}

const defaults: Readonly<Record<Severity, Enforcement>> = {
    CRITICAL: "mandatory",
    HIGH: "mandatory",
    MEDIUM: "advisory",
    LOW: "advisory",
};

/** Pulumi's word for a severity. */
const pulumiSeverity = { CRITICAL: "critical", HIGH: "high", MEDIUM: "medium", LOW: "low" } as const;

/**
 * Linkspan's rules as policies of Pulumi: for a pack of your own that holds others too.
 *
 * @throws RangeError when `rules` names an id that there is not
 */
export function linkspanPolicies(options: PolicyPackOptions = {}): Policies {
    const known = new Set(allRules.map(({ id }) => id));
    for (const id of Object.keys(options.rules ?? {})) {
        if (!known.has(id)) {
            throw new RangeError(`rules: there is no rule ${JSON.stringify(id)}; linkspan/policy exports the list as "rules"`);
        }
    }
    const exceptions = [...documentedExceptions, ...(options.exceptions ?? [])];
    return allRules.map((rule) => {
        const common = {
            name: rule.id,
            description: rule.title,
            severity: pulumiSeverity[rule.severity],
            enforcementLevel: options.rules?.[rule.id] ?? options.enforcement?.[rule.severity] ?? defaults[rule.severity],
            tags: [rule.area, ...rule.alsoKnownAs],
        };
        return rule.needs === "resource"
            ? { ...common, validateResource: validatorOfResources(rule, exceptions) }
            : { ...common, validateStack: validatorOfStacks(rule, exceptions) };
    });
}

/**
 * Makes a policy pack of Linkspan's rules. A pack's program calls it once; see `examples/policy-pack`.
 *
 * @throws RangeError when `rules` names an id that there is not
 */
export function createPolicyPack(options: PolicyPackOptions = {}): PolicyPack {
    return new PolicyPack("linkspan", {
        description: "What a Linkspan site holds on AWS, Google Cloud and Azure, by the ids of Trivy's and Checkov's checks",
        policies: linkspanPolicies(options),
    });
}

function validatorOfResources(
    rule: Rule,
    exceptions: readonly RuleException[],
): NonNullable<ResourceValidationPolicy["validateResource"]> {
    return ({ type, name, urn, props, opts }, report) => {
        const resource: PlainResource = {
            type,
            name,
            urn,
            parent: opts.parent ?? "",
            props,
            dependencies: [],
            propertyDependencies: {},
        };
        for (const { message, exception } of violationsOf(new ResourceGraph([resource]), [rule], exceptions)) {
            if (exception === undefined) {
                report(`${name}: ${message}`);
            }
        }
    };
}

function validatorOfStacks(rule: Rule, exceptions: readonly RuleException[]): StackValidationPolicy["validateStack"] {
    return ({ resources }, report) => {
        for (const { resource, message, exception } of violationsOf(graphOf(resources), [rule], exceptions)) {
            if (exception === undefined) {
                report(`${resource.name}: ${message}`, resource.urn);
            }
        }
    };
}

/** The resources of a stack as Pulumi hands them to a policy. */
function graphOf(resources: readonly PolicyResource[]): ResourceGraph {
    return new ResourceGraph(
        resources.map(
            ({ type, name, urn, props, parent, dependencies, propertyDependencies }): PlainResource => ({
                type,
                name,
                urn,
                parent: parent?.urn ?? "",
                props,
                dependencies: dependencies.map((one) => one.urn),
                propertyDependencies: Object.fromEntries(
                    Object.entries(propertyDependencies).map(([property, others]) => [property, others.map((one) => one.urn)]),
                ),
            }),
        ),
    );
}
