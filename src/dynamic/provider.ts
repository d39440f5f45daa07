import type * as pulumi from "@pulumi/pulumi";
import { messageOf } from "../errors.js";
import { Claims, type OutsideObject } from "./claims.js";
import { watchEngine } from "./orphanWatch.js";
import { RunMemory } from "./runMemory.js";
import type { Stored, StoredForm } from "./storedForm.js";
import { unknownValue } from "./unknown.js";

export { hasUnknown, unknownValue } from "./unknown.js";

/** What a dynamic resource's implementation provides. Inputs and outputs are plain data; `undefined` in outputs is dropped. */
export interface Lifecycle<Inputs extends object, Outputs extends object> {
    /** Wrong arguments, each with the name of a property that is not secret. Not called with unknown values in what it may read. */
    check?(news: Inputs, olds: Partial<Inputs>): Promise<{ inputs: Inputs; failures?: { property: string; reason: string }[] }>;
    /** Secret arguments that have several spellings, in one; of kinds with a stored form. Must not fail. */
    canonical?(inputs: Inputs | Outputs): Stored;
    /** The object that the resource stands for, where another resource could stand for it too; `undefined` while it is not known. */
    outside?(inputs: Inputs | Outputs): OutsideObject | undefined;
    /**
     * Compares the stored outputs with the new inputs. For kinds with a stored form both carry `sealed`, which differs when a secret
     * argument does; the secrets themselves may be missing.
     */
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
    properties: object;
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
 *
 * @param form how the kind stands in state, where that is not one property per argument
 */
export function lazyProvider<I extends object, O extends object>(
    load: () => Promise<Lifecycle<I, O>>,
    form?: StoredForm,
): pulumi.dynamic.ResourceProvider {
    watchEngine();
    const claims = new Claims();
    const run = new RunMemory(form);
    const call = async <T>(work: (lifecycle: Lifecycle<I, O>) => Promise<T>): Promise<T> => {
        try {
            return await work(await load());
        } catch (error) {
            if (error instanceof IncompleteError) {
                error.properties = plain(run.outputs(error.properties));
            }
            throw withoutStack(error);
        }
    };
    const withClaim = <T>({ outside }: Lifecycle<I, O>, inputs: I | O, work: (object: OutsideObject, owner: string) => T) => {
        const { progressUrn: urn } = inputs as { readonly progressUrn?: unknown };
        const object = typeof urn === "string" && urn !== "" && urn !== unknownValue ? outside?.(inputs) : undefined;
        return object === undefined ? undefined : work(object, run.ownerOf(String(urn)));
    };
    /** Two resources of one program that stand for the same object would undo each other's settings in every run. */
    const describedTwice = (lifecycle: Lifecycle<I, O>, news: I): { property: string; reason: string }[] => {
        const failure = withClaim(lifecycle, news, (object, owner) => {
            const other = claims.describe(object, owner);
            return other === undefined
                ? undefined
                : {
                      property: object.property,
                      reason: `${object.what} is described by the resource ${run.nameOf(other)} as well; leave one of the two out`,
                  };
        });
        return failure === undefined ? [] : [failure];
    };
    return {
        check: (olds, stored) =>
            call(async (lifecycle) => {
                const news = run.opened<I>(stored);
                const answer = await lifecycle.check?.(news, run.opened<Partial<I>>(olds ?? {}));
                const failures = [...(answer?.failures ?? []), ...describedTwice(lifecycle, news)];
                const inputs = answer === undefined ? news : plain(answer.inputs);
                return {
                    inputs: run.inputs(stored, inputs, () => lifecycle.canonical?.(inputs)),
                    // Without a property the engine shows the reason alone; all arguments at once would bury it.
                    failures: form === undefined ? failures : failures.map(({ reason }) => ({ property: "", reason })),
                };
            }),
        diff: (id, olds, stored) =>
            call((lifecycle) =>
                lifecycle.diff(
                    id,
                    run.sealed<O>(olds, (flat) => lifecycle.canonical?.(flat)),
                    run.sealed<I>(stored, (flat) => lifecycle.canonical?.(flat)),
                ),
            ),
        create: (stored) =>
            call(async (lifecycle) => {
                const inputs = run.sealed<I>(stored, (flat) => lifecycle.canonical?.(flat));
                const made = () => withClaim(lifecycle, inputs, (object) => claims.made(object));
                try {
                    const { id, outs } = await lifecycle.create(inputs);
                    made();
                    return { id, outs: plain(run.outputs(outs)) };
                } catch (error) {
                    if (error instanceof IncompleteError) {
                        made();
                    }
                    throw error;
                }
            }),
        read: (id, stored) =>
            call(async (lifecycle) => {
                if (lifecycle.read === undefined) {
                    return { id, props: stored };
                }
                const found = await lifecycle.read(id, run.opened<O>(stored));
                if (found === undefined) {
                    return {};
                }
                const props = plain(run.outputs(found.outs));
                return found.inputs === undefined ? { id, props } : { id, props, inputs: plain(run.foundInputs(found.inputs)) };
            }),
        update: (id, olds, stored) =>
            call(async (lifecycle) => {
                if (lifecycle.update === undefined) {
                    throw new Error("this resource is replaced, never updated; this is a fault in its diff");
                }
                const before = run.sealed<O>(olds, (flat) => lifecycle.canonical?.(flat));
                const news = run.sealed<I>(stored, (flat) => lifecycle.canonical?.(flat));
                return { outs: plain(run.outputs(await lifecycle.update(id, before, news))) };
            }),
        delete: (id, stored) =>
            call(async (lifecycle) => {
                const olds = run.opened<O>(stored);
                const kept = withClaim(lifecycle, olds, (object, owner) => {
                    const successor = claims.successor(object, owner);
                    return successor === undefined ? undefined : { object, successor };
                });
                if (kept === undefined) {
                    await lifecycle.delete?.(id, olds);
                } else {
                    console.warn(`linkspan: ${kept.object.what} is kept: it is now that of ${run.nameOf(kept.successor)}`);
                }
            }),
    };
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
