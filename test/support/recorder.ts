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
    /** Names of the resources that each input waits for, sorted; inputs that wait for none are absent. */
    readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
    /** Reference of an explicit provider, `<urn>::<id>`; "" for the default one. */
    readonly provider: string;
    readonly protect: boolean;
    readonly deleteBeforeReplace: boolean;
    readonly retainOnDelete: boolean;
    /** Name of the resource whose deletion takes this one with it; "" for none. */
    readonly deletedWith: string;
    readonly ignoreChanges: readonly string[];
    readonly replaceOnChanges: readonly string[];
    /** Resources with which it is made anew. */
    readonly replaceWith: readonly string[];
    /** A URN, or `<type>::<name>` with what the alias leaves out left empty. */
    readonly aliases: readonly string[];
    /** As Pulumi takes them, such as `{ create: "10m" }`; only what is set. */
    readonly customTimeouts: Readonly<Partial<Record<"create" | "update" | "delete", string>>>;
}

/** A provider's function as the program called it. */
export interface RecordedCall {
    /** Such as `aws:index/getAvailabilityZones:getAvailabilityZones`. */
    readonly token: string;
    readonly args: Readonly<Record<string, unknown>>;
}

/** What a run of a program asked of the engine. */
export interface Recording {
    readonly resources: readonly RecordedResource[];
    named(name: string): RecordedResource;
    /** Resources that the program looked up by their id (`X.get`) and does not make. */
    readonly reads: readonly { readonly type: string; readonly name: string; readonly id: string }[];
    /** Calls of providers' functions, in the order in which they were made. */
    readonly calls: readonly RecordedCall[];
    /** What the program returned. */
    readonly outputs: unknown;
}

export interface RecordOptions {
    /** Outputs of a resource beyond its inputs, as a provider would give them. */
    readonly outputs?: (type: string, name: string, inputs: Record<string, unknown>) => Record<string, unknown>;
    /** Answer of a provider's function. @default `{}` to every call */
    readonly calls?: (token: string, args: Record<string, unknown>) => Record<string, unknown>;
    /** @default false */
    readonly preview?: boolean;
}

/**
 * Runs a program against a recording monitor. Pulumi's own mocks hide parents, dependencies and options, so the requests themselves
 * are read.
 */
export async function record(
    program: () => Promise<unknown> | unknown,
    { outputs = () => ({}), calls = () => ({}), preview = false }: RecordOptions = {},
): Promise<Recording> {
    const requests: { request: Request; urn: string }[] = [];
    const reads: { request: ReadRequest; urn: string }[] = [];
    const called: RecordedCall[] = [];
    const original = MockMonitor.prototype.registerResource;
    const originalRead = MockMonitor.prototype.readResource;
    MockMonitor.prototype.readResource = async function (
        this: MockMonitor,
        request: ReadRequest,
        callback: (...answer: unknown[]) => void,
    ) {
        await originalRead.call(this, request, (error: unknown, response: { getUrn(): string } | undefined) => {
            reads.push({ request, urn: response?.getUrn() ?? "" });
            callback(error, response);
        });
    } as unknown as typeof original;
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
                call: ({ token, inputs }) => {
                    const args = inputs as Record<string, unknown>;
                    called.push({ token, args });
                    return calls(token, args);
                },
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
        const byUrn = new Map([...requests, ...reads].map(({ request, urn }) => [urn, request.getName()]));
        const namesOf = (urns: readonly string[]) => [...new Set(urns.map((urn) => byUrn.get(urn) ?? urn))].sort();
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
                    dependencies: namesOf(request.getDependenciesList()),
                    inputs: flat(request.getType(), raw),
                    secrets: secretPaths(raw).flatMap((path) =>
                        path === "secrets" ? secretNames(request.getType(), raw) : [path],
                    ),
                    secretOutputs: request.getAdditionalsecretoutputsList(),
                    propertyDependencies: propertyDependencies(request, namesOf),
                    provider: request.getProvider(),
                    protect: request.getProtect() ?? false,
                    deleteBeforeReplace: request.getDeletebeforereplace(),
                    retainOnDelete: request.getRetainondelete() ?? false,
                    deletedWith: byUrn.get(request.getDeletedwith()) ?? request.getDeletedwith(),
                    ignoreChanges: request.getIgnorechangesList(),
                    replaceOnChanges: request.getReplaceonchangesList(),
                    replaceWith: namesOf(request.getReplaceWithList()),
                    aliases: request.getAliasesList().map(aliasText),
                    customTimeouts: timeouts(request),
                };
            });
        return {
            resources,
            reads: reads.map(({ request }) => ({ type: request.getType(), name: request.getName(), id: request.getId() })),
            calls: called,
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
        MockMonitor.prototype.readResource = originalRead;
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
    getPropertydependenciesMap(): {
        forEach(visit: (value: { getUrnsList(): string[] }, key: string) => void): void;
    };
    getProvider(): string;
    getProtect(): boolean | undefined;
    getDeletebeforereplace(): boolean;
    getRetainondelete(): boolean | undefined;
    getDeletedwith(): string;
    getIgnorechangesList(): string[];
    getReplaceonchangesList(): string[];
    getReplaceWithList(): string[];
    getAliasesList(): Alias[];
    getCustomtimeouts(): { getCreate(): string; getUpdate(): string; getDelete(): string } | undefined;
}

interface ReadRequest {
    getType(): string;
    getName(): string;
    getId(): string;
}

interface Alias {
    getUrn(): string;
    getSpec(): { getType(): string; getName(): string } | undefined;
}

function propertyDependencies(
    request: Request,
    namesOf: (urns: readonly string[]) => readonly string[],
): Record<string, readonly string[]> {
    const found: Record<string, readonly string[]> = {};
    request.getPropertydependenciesMap().forEach((value, key) => {
        const names = namesOf(value.getUrnsList());
        if (names.length > 0) {
            found[key] = names;
        }
    });
    return found;
}

function aliasText(alias: Alias): string {
    const spec = alias.getSpec();
    return spec === undefined ? alias.getUrn() : `${spec.getType()}::${spec.getName()}`;
}

function timeouts(request: Request): RecordedResource["customTimeouts"] {
    const set = request.getCustomtimeouts();
    const given = { create: set?.getCreate(), update: set?.getUpdate(), delete: set?.getDelete() };
    return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== ""));
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
