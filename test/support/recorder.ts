import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";

import { type Stored, storedFormOf, unpacked } from "../../src/dynamic/storedForm.js";
import { unknownValue } from "../../src/dynamic/unknown.js";

/** Marks a secret in what the SDK sends. */
const secretMark = "4dabf18193072939515e22adb298388d";

/** A resource as the engine would have seen it. */
export interface RecordedResource {
    readonly type: string;
    readonly name: string;
    readonly urn: string;
    /** Name of the parent; "" for the stack. */
    readonly parent: string;
    /** Names of the resources that must exist before, sorted. */
    readonly dependencies: readonly string[];
    /** The inputs, secrets unwrapped. */
    readonly inputs: Readonly<Record<string, unknown>>;
    /** Paths of the inputs that are secret, such as `tls.key`. */
    readonly secrets: readonly string[];
    readonly secretOutputs: readonly string[];
}

/** What a run of a program asked of the engine. */
export interface Recording {
    readonly resources: readonly RecordedResource[];
    named(name: string): RecordedResource;
    /** What the program returned. */
    readonly outputs: unknown;
}

export interface RecordOptions {
    /** Outputs of a resource beyond its inputs, as a provider would give them. */
    readonly outputs?: (type: string, name: string, inputs: Record<string, unknown>) => Record<string, unknown>;
    /** @default false */
    readonly preview?: boolean;
}

/**
 * Runs a program against a recording monitor. Pulumi's own mocks hide parents, dependencies and options, so the requests themselves
 * are read.
 */
export async function record(
    program: () => Promise<unknown> | unknown,
    { outputs = () => ({}), preview = false }: RecordOptions = {},
): Promise<Recording> {
    const requests: { request: Request; urn: string }[] = [];
    const original = MockMonitor.prototype.registerResource;
    MockMonitor.prototype.registerResource = async function (
        this: MockMonitor,
        request: Request,
        callback: (...answer: unknown[]) => void,
    ) {
        await original.call(this, request, (error: unknown, response: { getUrn(): string } | undefined) => {
            requests.push({ request, urn: response?.getUrn() ?? "" });
            callback(error, response);
        });
    } as unknown as typeof original;
    try {
        await pulumi.runtime.setMocks(
            {
                call: () => ({}),
                newResource: ({ type, name, inputs }) => {
                    const more = outputs(type, name, flat(type, inputs as Record<string, unknown>));
                    const made = storedFormOf(kindOf(type)) === undefined ? more : { made: more };
                    return { id: `${name}-id`, state: { ...inputs, ...made } };
                },
            },
            "project",
            "stack",
            preview,
        );
        // What the program throws is kept until every request is answered: thrown inside the stack it would reject that too.
        let thrown: { error: unknown } | undefined;
        const returned = await pulumi.runtime.runInPulumiStack(async () => {
            try {
                return await program();
            } catch (error) {
                thrown = { error };
                return {};
            }
        });
        // A program has returned long before its last resource is registered.
        await pulumi.runtime.disconnect();
        // What the program does with the last outputs comes a few promises later.
        await new Promise((resolve) => setImmediate(resolve));
        if (thrown !== undefined) {
            throw thrown.error;
        }
        const byUrn = new Map(requests.map(({ request, urn }) => [urn, request.getName()]));
        const resources = requests
            .filter(({ request }) => request.getType() !== "pulumi:pulumi:Stack")
            .map(({ request, urn }): RecordedResource => {
                const raw = request.getObject()?.toJavaScript() ?? {};
                return {
                    type: request.getType(),
                    name: request.getName(),
                    urn,
                    parent: request.getParent().includes("pulumi:pulumi:Stack::")
                        ? ""
                        : (byUrn.get(request.getParent()) ?? request.getParent()),
                    dependencies: request
                        .getDependenciesList()
                        .map((one) => byUrn.get(one) ?? one)
                        .sort(),
                    inputs: flat(request.getType(), raw),
                    secrets: secretPaths(raw).flatMap((path) =>
                        path === "secrets" ? secretNames(request.getType(), raw) : [path],
                    ),
                    secretOutputs: request.getAdditionalsecretoutputsList(),
                };
            });
        return {
            resources,
            outputs: returned,
            named: (name) => {
                const found = resources.find((one) => one.name === name);
                if (found === undefined) {
                    throw new Error(`no resource ${name}; there are ${resources.map((one) => one.name).join(", ")}`);
                }
                return found;
            },
        };
    } finally {
        MockMonitor.prototype.registerResource = original;
    }
}

/** `clusterLink` of `…:ClusterLink`. */
function kindOf(type: string): string {
    const name = type.split(":").at(-1) ?? "";
    return `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}

/** Inputs by argument, secrets unwrapped, whatever form the kind is stored in. */
function flat(type: string, raw: Record<string, unknown>): Record<string, unknown> {
    return { ...unpacked(storedFormOf(kindOf(type)), unwrapped(raw) as Stored, unknownValue) };
}

/** The arguments in the one secret of a kind. */
function secretNames(type: string, raw: Record<string, unknown>): string[] {
    const given = flat(type, raw);
    return (storedFormOf(kindOf(type))?.secrets ?? []).filter((name) => name in given);
}

/** The parts of the SDK's request that are read here. */
interface Request {
    getType(): string;
    getName(): string;
    getParent(): string;
    getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
    getDependenciesList(): string[];
    getAdditionalsecretoutputsList(): string[];
}

function isEnvelope(value: unknown): value is { value: unknown } {
    return typeof value === "object" && value !== null && secretMark in value;
}

function unwrapped(value: unknown): unknown {
    if (isEnvelope(value)) {
        return unwrapped(value.value);
    }
    if (Array.isArray(value)) {
        return value.map(unwrapped);
    }
    if (typeof value === "object" && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrapped(inner)]));
    }
    return value;
}

function secretPaths(value: unknown, path = ""): string[] {
    if (isEnvelope(value)) {
        return [path];
    }
    if (typeof value === "object" && value !== null) {
        return Object.entries(value)
            .flatMap(([key, inner]) => secretPaths(inner, path === "" ? key : `${path}.${key}`))
            .sort();
    }
    return [];
}
