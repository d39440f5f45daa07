import type * as pulumi from "@pulumi/pulumi";
import { messageOf } from "../errors.js";
import { Claims, nameInUrn, type OutsideObject } from "./claims.js";
import { watchEngine } from "./orphanWatch.js";

/** What the engine sends for a value that is not known yet, at any depth. Nothing that contains it may reach the network. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value, at any depth, is not known yet (preview of something that depends on a resource still to be made). */
export function hasUnknown(value: unknown): boolean {
    if (value === unknownValue) {
        return true;
    }
    if (Array.isArray(value)) {
        return value.some(hasUnknown);
    }
    return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}

/** What a dynamic resource's implementation provides. Inputs and outputs are plain data; `undefined` in outputs is dropped. */
export interface Lifecycle<Inputs extends object, Outputs extends Inputs> {
    /** Wrong arguments, each with the name of a property that is not secret. Not called with unknown values in what it may read. */
    check?(news: Inputs, olds: Partial<Inputs>): Promise<{ inputs: Inputs; failures?: { property: string; reason: string }[] }>;
    /** The object that the resource stands for, where another resource could stand for it too; `undefined` while it is not known. */
    outside?(inputs: Inputs): OutsideObject | undefined;
    /** Compares the stored outputs with the new inputs. */
    diff(id: string, olds: Outputs, news: Inputs): Promise<DiffAnswer>;
    create(inputs: Inputs): Promise<{ id: string; outs: Outputs }>;
    /** Reads the object as it is now: `undefined` when it is gone. `inputs` are the input keys as they are now, so that drift shows. */
    read?(id: string, olds: Outputs): Promise<{ outs: Outputs; inputs?: Partial<Inputs> } | undefined>;
    update?(id: string, olds: Outputs, news: Inputs): Promise<Outputs>;
    delete?(id: string, olds: Outputs): Promise<void>;
}

/** What a diff found. `replaces` lists the properties that cannot change in place. */
export interface DiffAnswer {
    readonly changes: boolean;
    readonly replaces?: string[];
    readonly deleteBeforeReplace?: boolean;
}

/**
 * A failure after the object exists: the engine keeps it in state with the reasons, and the next `up` calls update even where the
 * inputs are equal. Without this the object would be orphaned.
 */
export class IncompleteError extends Error {
    readonly id: string;
    readonly properties: object;
    readonly reasons: string[];

    constructor(message: string, id: string, properties: object) {
        super(message);
        this.name = "IncompleteError";
        this.id = id;
        this.properties = plain(properties);
        this.reasons = [message];
    }
}

/**
 * Turns an implementation that is loaded on first use into what Pulumi's dynamic provider host calls. The host needs the object at
 * once; the code behind it, and all that it imports, is loaded only by the kinds that a stack really has.
 */
export function lazyProvider<I extends object, O extends I>(
    load: () => Promise<Lifecycle<I, O>>,
): pulumi.dynamic.ResourceProvider {
    watchEngine();
    const claims = new Claims();
    const call = async <T>(work: (lifecycle: Lifecycle<I, O>) => Promise<T>): Promise<T> => {
        try {
            return await work(await load());
        } catch (error) {
            throw withoutStack(error);
        }
    };
    return {
        check: (olds, news) =>
            call(async (lifecycle) => {
                const answer = await lifecycle.check?.(news, olds ?? {});
                const failures = [...(answer?.failures ?? []), ...describedTwice(claims, lifecycle, news)];
                return { inputs: answer === undefined ? news : plain(answer.inputs), failures };
            }),
        diff: (id, olds, news) => call((lifecycle) => lifecycle.diff(id, olds, news)),
        create: (inputs) =>
            call(async (lifecycle) => {
                const made = () => withClaim(lifecycle, inputs, (object) => claims.made(object));
                try {
                    const { id, outs } = await lifecycle.create(inputs);
                    made();
                    return { id, outs: plain(outs) };
                } catch (error) {
                    if (error instanceof IncompleteError) {
                        made();
                    }
                    throw error;
                }
            }),
        read: (id, olds) =>
            call(async (lifecycle) => {
                if (lifecycle.read === undefined) {
                    return { id, props: olds };
                }
                const found = await lifecycle.read(id, olds);
                if (found === undefined) {
                    return {};
                }
                return found.inputs === undefined
                    ? { id, props: plain(found.outs) }
                    : { id, props: plain(found.outs), inputs: plain(found.inputs) };
            }),
        update: (id, olds, news) =>
            call(async (lifecycle) => {
                if (lifecycle.update === undefined) {
                    throw new Error("this resource is replaced, never updated; this is a fault in its diff");
                }
                return { outs: plain(await lifecycle.update(id, olds, news)) };
            }),
        delete: (id, olds) =>
            call(async (lifecycle) => {
                const kept = withClaim(lifecycle, olds, (object, urn) => {
                    const successor = claims.successor(object, urn);
                    return successor === undefined ? undefined : { object, successor };
                });
                if (kept === undefined) {
                    await lifecycle.delete?.(id, olds);
                } else {
                    console.warn(`linkspan: ${kept.object.what} is kept: it is now that of ${nameInUrn(kept.successor)}`);
                }
            }),
    };
}

/** Does something with the object of a resource, where it has one and its URN is known. */
function withClaim<I extends object, O extends I, T>(
    { outside }: Lifecycle<I, O>,
    inputs: I,
    work: (object: OutsideObject, urn: string) => T,
): T | undefined {
    const { progressUrn: urn } = inputs as { readonly progressUrn?: unknown };
    const object = typeof urn === "string" && urn !== "" && urn !== unknownValue ? outside?.(inputs) : undefined;
    return object === undefined ? undefined : work(object, String(urn));
}

/** Two resources of one program that stand for the same object would undo each other's settings in every run. */
function describedTwice<I extends object, O extends I>(
    claims: Claims,
    lifecycle: Lifecycle<I, O>,
    news: I,
): { property: string; reason: string }[] {
    const failure = withClaim(lifecycle, news, (object, urn) => {
        const other = claims.describe(object, urn);
        return other === undefined
            ? undefined
            : {
                  property: object.property,
                  reason: `${object.what} is described by the resource ${nameInUrn(other)} as well; leave one of the two out`,
              };
    });
    return failure === undefined ? [] : [failure];
}

/** A copy without `undefined`: the host cannot send it, and fails only after the object has been created. */
function plain<T extends object>(value: T): T {
    return JSON.parse(JSON.stringify(value)) as T;
}

/** The host prints stacks of errors; a reader needs the message alone. Ids and properties of an {@link IncompleteError} stay. */
function withoutStack(error: unknown): Error {
    const shown = error instanceof Error ? error : new Error(messageOf(error));
    shown.stack = shown.message;
    return shown;
}
