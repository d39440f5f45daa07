/** How bad a violation is, in the words of the scanners whose ids the rules carry. */
export const severities = ["LOW", "MEDIUM", "HIGH", "CRITICAL"] as const;
export type Severity = (typeof severities)[number];

/** A resource as rules see it. Plain data, whether it comes from an engine, a state or a test. */
export interface PlainResource {
    /** Pulumi's type token, such as `aws:ec2/instance:Instance`. */
    readonly type: string;
    readonly name: string;
    readonly urn: string;
    /** URN of the parent; "" for none. */
    readonly parent: string;
    readonly props: Readonly<Record<string, unknown>>;
    /** URNs of the resources that were made before it, because it depends on them. */
    readonly dependencies: readonly string[];
    /** URNs of the resources that each property was made of. */
    readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
    /** Paths of the secret properties, such as `properties.value`; absent where nobody can tell. */
    readonly secrets?: readonly string[] | undefined;
}

/** The parts of a stack that belong together in the code: one file of rules each. */
export type Area = "network" | "machines" | "secrets" | "loadBalancers" | "identity" | "logs" | "links";

/** One thing that must hold. */
export interface Rule {
    /** The id of the scanner's check that this rule stands for, such as `AWS-0104`; `LINKSPAN-…` where no scanner has one. */
    readonly id: string;
    /** Ids of the same check elsewhere, such as `CKV_AWS_24`. */
    readonly alsoKnownAs: readonly string[];
    readonly area: Area;
    /** What must hold, as a sentence. */
    readonly title: string;
    readonly severity: Severity;
    /** Type tokens of the resources that it is asked of; Azure's without the version of its interface. */
    readonly types: readonly string[];
    /** `resource`: one resource is enough to decide; `stack`: others must be looked at. */
    readonly needs: "resource" | "stack";
    /** Says what is wrong with a resource, one sentence for each fault; empty where nothing is. Shows no secret. */
    check(resource: PlainResource, graph: ResourceGraph): readonly string[];
}

/** A violation that is meant. */
export interface RuleException {
    /** Id of the rule. */
    readonly rule: string;
    /** What is excepted, as a noun phrase. */
    readonly what: string;
    /** Why this is right here. */
    readonly reason: string;
    applies(resource: PlainResource, graph: ResourceGraph): boolean;
}

/** One rule broken by one resource. */
export interface Violation {
    readonly rule: Rule;
    readonly resource: PlainResource;
    /** What is wrong, without the resource's name. */
    readonly message: string;
    /** Set where it is meant. */
    readonly exception?: RuleException | undefined;
}

/** The resources of a stack, or the one that is looked at. */
export class ResourceGraph {
    readonly resources: readonly PlainResource[];
    readonly #byUrn: ReadonlyMap<string, PlainResource>;

    constructor(resources: readonly PlainResource[]) {
        this.resources = resources.map((resource) => ({ ...resource, type: typeWithoutVersion(resource.type) }));
        this.#byUrn = new Map(this.resources.map((resource) => [resource.urn, resource]));
    }

    /** The resources of the given types. */
    ofTypes(...types: readonly string[]): readonly PlainResource[] {
        return this.resources.filter(({ type }) => types.includes(type));
    }

    get(urn: string): PlainResource | undefined {
        return this.#byUrn.get(urn);
    }

    /** Whether a property of one resource was made of another one. */
    refers(from: PlainResource, property: string, to: PlainResource): boolean {
        return (from.propertyDependencies[property] ?? []).includes(to.urn);
    }

    /** Whether one resource is made after another one because it depends on it, directly or by way of others. */
    reaches(from: PlainResource, to: PlainResource): boolean {
        const seen = new Set<string>();
        const open = [...from.dependencies];
        for (let urn = open.pop(); urn !== undefined; urn = open.pop()) {
            if (urn === to.urn) {
                return true;
            }
            if (!seen.has(urn)) {
                seen.add(urn);
                open.push(...(this.get(urn)?.dependencies ?? []));
            }
        }
        return false;
    }
}

/** Asks rules of every resource that they are about. */
export function violationsOf(
    graph: ResourceGraph,
    rules: readonly Rule[],
    exceptions: readonly RuleException[] = [],
): readonly Violation[] {
    return rules.flatMap((rule) =>
        graph.ofTypes(...rule.types).flatMap((resource) =>
            rule.check(resource, graph).map((message) => ({
                rule,
                resource,
                message,
                exception: exceptions.find((one) => one.rule === rule.id && one.applies(resource, graph)),
            })),
        ),
    );
}

/** `azure-native:network/v20240501:Subnet` is `azure-native:network:Subnet` for a rule. */
function typeWithoutVersion(type: string): string {
    return type.replace(/^(azure-native:[a-z0-9]+)\/v\d+[a-z0-9]*:/i, "$1:");
}
