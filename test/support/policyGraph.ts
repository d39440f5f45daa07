import { ResourceGraph } from "../../src/policy/rule.js";
import type { Recording } from "./recorder.js";

/** What a program made, as rules see it. */
export function policyGraph(recording: Recording): ResourceGraph {
    const urns = new Map(recording.resources.map(({ name, urn }) => [name, urn]));
    const urnOf = (name: string) => urns.get(name) ?? name;
    return new ResourceGraph(
        recording.resources.map(({ type, name, urn, parent, inputs, dependencies, propertyDependencies, secrets }) => ({
            type,
            name,
            urn,
            parent: urnOf(parent),
            props: inputs,
            dependencies: dependencies.map(urnOf),
            propertyDependencies: Object.fromEntries(
                Object.entries(propertyDependencies).map(([property, names]) => [property, names.map(urnOf)]),
            ),
            secrets,
        })),
    );
}
