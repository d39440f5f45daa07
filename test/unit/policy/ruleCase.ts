import type { PlainResource } from "../../../src/policy/rule.js";

/** What a rule is tried on: the last resource of each list is the one that is looked at. */
export interface RuleCase {
    readonly rule: string;
    /** Lists of resources in which nothing is wrong. */
    readonly good: readonly (readonly PlainResource[])[];
    /** Lists of resources with what the rule says of the last one. */
    readonly bad: readonly (readonly [resources: readonly PlainResource[], message: string])[];
}

/** A resource as a rule sees it. Its URN is its name. */
export function resource(
    type: string,
    props: Record<string, unknown> = {},
    more: Partial<Omit<PlainResource, "type" | "props">> = {},
): PlainResource {
    const name = more.name ?? type.split(":").at(-1) ?? type;
    const propertyDependencies = more.propertyDependencies ?? {};
    return {
        type,
        name,
        urn: name,
        parent: "",
        props,
        dependencies: Object.values(propertyDependencies).flat(),
        ...more,
        propertyDependencies,
    };
}

/** Cases for a rule that looks at one resource of one type. */
export function oneResource(
    rule: string,
    type: string,
    good: readonly Record<string, unknown>[],
    bad: readonly (readonly [props: Record<string, unknown>, message: string])[],
): RuleCase {
    return {
        rule,
        good: good.map((props) => [resource(type, props)]),
        bad: bad.map(([props, message]) => [[resource(type, props)], message]),
    };
}
