import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "./account.mts";
import type { FaultRule, Faults } from "./faults.mts";
import { changedKeys, same, textsAt, unknown, valuesAt } from "./paths.mts";
import { type Cloud, CloudError, type CloudObject, type Props, type ResourceType, type Scope } from "./types.mts";

/** A resource that an operation is about. */
export interface Subject {
    readonly type: string;
    /** Logical name. */
    readonly name: string;
    readonly config: Props;
}

export interface CheckFailure {
    readonly property: string;
    readonly reason: string;
}

/** The object was made or changed, but did not become ready: Pulumi keeps it and tries again. */
export class NotReady extends Error {
    readonly id: string;
    readonly properties: Props;

    constructor(message: string, id: string, properties: Props) {
        super(message);
        this.id = id;
        this.properties = properties;
    }
}

/** The plugin is to end instead of answering. */
export class PluginKilled extends Error {}

/** How the time of the simulated clouds passes. */
export interface Pace {
    /** Multiplies every duration; 0: nothing takes time. */
    factor: number;
}

/** How long a provider tries again where the cloud says that something is still in use or not there yet, ms before the pace. */
const patienceMs = 2_000;
const retryMs = 20;

/** What a provider does with its cloud: checks, plans, makes, reads, changes and removes objects of the account. */
export class Operations {
    readonly cloud: Cloud;
    readonly #account: Account;
    readonly #faults: Faults;
    readonly #pace: Pace;
    readonly #busy = new Map<string, Promise<void>>();

    constructor(cloud: Cloud, parts: { readonly account: Account; readonly faults: Faults; readonly pace: Pace }) {
        this.cloud = cloud;
        this.#account = parts.account;
        this.#faults = parts.faults;
        this.#pace = parts.pace;
    }

    /** Inputs with what the provider adds, or why they cannot be. */
    check(subject: Subject, olds: Props, news: Props): { readonly inputs: Props; readonly failures: readonly CheckFailure[] } {
        const type = this.#type(subject);
        const failures: CheckFailure[] = (type.required ?? [])
            .filter((path) => valuesAt(news, path).length === 0)
            .map((path) => ({ property: path, reason: `Missing required property '${path}'` }));
        let inputs = { ...type.defaults?.(this.#scope(subject, news)), ...withoutEmpty(news) };
        if (type.autoName !== undefined) {
            const { property = "name", max, separator = "-", shape = (name: string) => name } = type.autoName;
            if (inputs[property] === undefined) {
                const old = olds[property];
                const prefix = `${shape(subject.name)}${separator}`;
                const fits = typeof old === "string" && old.startsWith(prefix);
                inputs = { ...inputs, [property]: fits ? old : `${prefix}${randomDigits()}` };
                if (prefix.length + 7 > max) {
                    failures.push({
                        property,
                        reason: `name '${prefix}' plus 7 random chars is longer than maximum length ${max}`,
                    });
                }
            }
        }
        return { inputs, failures };
    }

    /** What a change of inputs means. */
    diff(
        subject: Subject,
        oldInputs: Props,
        news: Props,
    ): { readonly changed: readonly string[]; readonly replaces: readonly string[]; readonly deleteBeforeReplace: boolean } {
        const type = this.#type(subject);
        const changed = changedKeys(oldInputs, news);
        const { replaceOn = [] } = type;
        const moved = (path: string) => changed.includes(rootOf(path)) && !same(valuesAt(oldInputs, path), valuesAt(news, path));
        const replaces =
            replaceOn === "all"
                ? changed
                : typeof replaceOn === "function"
                  ? replaceOn(oldInputs, news)
                  : replaceOn.filter(moved);
        return { changed, replaces, deleteBeforeReplace: replaces.length > 0 && type.deleteBeforeReplace === true };
    }

    /** What is known of an object before it is changed. */
    previewUpdate(subject: Subject, olds: Props, news: Props): Props {
        const volatile = this.#type(subject).volatile?.(this.#scope(subject, news)) ?? [];
        return { ...olds, ...news, ...Object.fromEntries(volatile.map((key) => [key, unknown])) };
    }

    async create(subject: Subject, inputs: Props): Promise<{ readonly id: string; readonly properties: Props }> {
        const type = this.#type(subject);
        return this.#guarded(subject, "create", inputs, async (fault) => {
            await this.#referred(type, inputs);
            // From here to the object's birth nothing waits: what was verified still holds.
            const scope = this.#scope(subject, inputs);
            this.#verify(type, subject, scope);
            const existing = type.existing?.(scope);
            if (existing !== undefined) {
                return { id: existing.id, properties: shown(existing) };
            }
            const adopted = type.adopts?.(scope);
            const id = type.id({ ...scope, object: adopted });
            if (this.#account.known(this.cloud.name, subject.type, id) !== undefined) {
                throw this.cloud.duplicate(subject.type, id);
            }
            const outputs = type.outputs?.({ ...scope, id, object: adopted }) ?? {};
            const object = this.#account.add({
                cloud: this.cloud.name,
                type: subject.type,
                id,
                name: subject.name,
                inputs,
                outputs,
                usableAt: Date.now() + (type.timing?.usableAfter ?? 0) * this.#pace.factor,
            });
            for (const part of type.parts?.(object, scope) ?? []) {
                this.#account.add({ ...part, cloud: this.cloud.name, name: subject.name, usableAt: 0, partOf: object.serial });
            }
            await this.#pass(type.timing?.create);
            this.#afterwards(fault, object);
            return { id, properties: shown(object) };
        });
    }

    /** The object as it is now; `undefined` when it is gone. */
    async read(
        subject: Subject,
        id: string,
    ): Promise<{ readonly id: string; readonly properties: Props; readonly inputs: Props } | undefined> {
        this.#type(subject);
        return this.#guarded(subject, "read", {}, async () => {
            const object = this.#account.known(this.cloud.name, subject.type, id);
            return object === undefined ? undefined : { id, properties: shown(object), inputs: object.inputs };
        });
    }

    async update(subject: Subject, id: string, news: Props): Promise<Props> {
        const type = this.#type(subject);
        return this.#guarded(subject, "update", news, async (fault) => {
            await this.#referred(type, news);
            const object = this.#account.known(this.cloud.name, subject.type, id);
            if (object === undefined) {
                throw this.cloud.missing(subject.type, id);
            }
            const scope = this.#scope(subject, news, object);
            this.#verify(type, subject, scope);
            this.#account.change(object, news, { ...object.outputs, ...type.outputs?.({ ...scope, id }) });
            await this.#pass(type.timing?.update);
            this.#afterwards(fault, object);
            return shown(object);
        });
    }

    async remove(subject: Subject, id: string): Promise<void> {
        const type = this.#type(subject);
        await this.#guarded(subject, "delete", {}, async (fault) => {
            const object = this.#account.known(this.cloud.name, subject.type, id);
            if (object === undefined) {
                return;
            }
            await this.#patiently(() => {
                type.guard?.(object, this.#account.view(this.cloud.name));
                const holder = type.adopts === undefined ? this.#account.holderOf(object) : undefined;
                if (holder !== undefined) {
                    throw (type.inUse ?? this.cloud.inUse)(object, holder);
                }
                this.#account.remove(object);
                for (const other of this.#account.view(this.cloud.name).list()) {
                    if (this.cloud.types[other.type]?.goesWith?.(other, object) === true) {
                        this.#account.remove(other);
                    }
                }
            });
            await this.#pass(type.timing?.remove);
            this.#afterwards(fault, object);
        });
    }

    invoke(token: string, args: Props, config: Props): Props {
        const answer = this.cloud.functions[token];
        if (answer === undefined) {
            throw new Error(`the simulated cloud ${this.cloud.name} knows no function ${token}; add it to test/cloudsim`);
        }
        try {
            return answer(args, { account: this.#account.view(this.cloud.name), config });
        } catch (error) {
            throw error instanceof CloudError ? new Error(this.cloud.say(error, "read", token)) : error;
        }
    }

    /** Faults, one operation at a time where the type asks for it, and refusals in the provider's words. */
    async #guarded<T>(
        subject: Subject,
        operation: FaultRule["operation"],
        inputs: Props,
        work: (fault: FaultRule | undefined) => Promise<T>,
    ): Promise<T> {
        const fault = this.#faults.next({ operation, cloud: this.cloud.name, type: subject.type, name: subject.name });
        try {
            if (fault?.what === "before") {
                throw internalError(fault);
            }
            if (fault?.what === "kill") {
                throw new PluginKilled();
            }
            if (fault?.what === "slow") {
                await sleep(fault.delayMs ?? 1_000);
            }
            return await this.#alone(subject, inputs, operation, () => work(fault));
        } catch (error) {
            throw error instanceof CloudError ? new Error(this.cloud.say(error, operation, subject.type)) : error;
        }
    }

    async #alone<T>(subject: Subject, inputs: Props, operation: string, work: () => Promise<T>): Promise<T> {
        const lock = operation === "read" ? undefined : this.#type(subject).lock?.(this.#scope(subject, inputs));
        if (lock === undefined) {
            return work();
        }
        const keys = [lock.key].flat();
        const running = () => keys.map((key) => this.#busy.get(key)).find((each) => each !== undefined);
        for (let other = running(); other !== undefined; other = running()) {
            if (lock.busy !== "queue") {
                throw lock.busy;
            }
            await other;
        }
        const done = Promise.withResolvers<void>();
        for (const key of keys) {
            this.#busy.set(key, done.promise);
        }
        try {
            return await work();
        } finally {
            for (const key of keys) {
                this.#busy.delete(key);
            }
            done.resolve();
        }
    }

    #afterwards(fault: FaultRule | undefined, object: CloudObject): void {
        if (fault?.what === "after") {
            throw new NotReady(internalError(fault).message, object.id, shown(object));
        }
        if (fault?.what === "lost") {
            throw internalError(fault);
        }
        if (fault?.what === "kill-after") {
            throw new PluginKilled();
        }
    }

    /** Waits for the objects that inputs name, as far as the provider does. */
    async #referred(type: ResourceType, inputs: Props): Promise<void> {
        for (const reference of type.references ?? []) {
            for (const value of textsAt(inputs, reference.path)) {
                if (reference.foreign?.(value) === true) {
                    continue;
                }
                const missing = () =>
                    reference.missing?.(value) ??
                    this.cloud.missing(typeof reference.to === "string" ? reference.to : (reference.to[0] ?? ""), value);
                const look = () => {
                    const found = this.#account.find(this.cloud.name, reference.to, value);
                    if (found === undefined || found.usableAt > Date.now()) {
                        throw missing();
                    }
                };
                const found = this.#account.find(this.cloud.name, reference.to, value);
                // What is not there at all will not come by waiting.
                await (found === undefined || reference.patient === false ? look() : this.#patiently(look));
            }
        }
    }

    #verify(type: ResourceType, subject: Subject, scope: Scope): void {
        for (const text of type.unique?.(scope) ?? []) {
            const taken = (other: CloudObject) =>
                other.serial !== scope.object?.serial &&
                (type.unique?.({ ...scope, inputs: other.inputs, object: other }) ?? []).includes(text);
            if (text !== undefined && this.#account.view(this.cloud.name).list(subject.type).some(taken)) {
                throw type.duplicate?.(text) ?? this.cloud.duplicate(subject.type, text);
            }
        }
        type.verify?.(scope);
    }

    /** Tries again while the cloud refuses, as long as providers do. */
    async #patiently(attempt: () => void): Promise<void> {
        const deadline = Date.now() + patienceMs * Math.min(1, this.#pace.factor);
        for (;;) {
            try {
                return attempt();
            } catch (error) {
                if (!(error instanceof CloudError) || Date.now() >= deadline) {
                    throw error;
                }
            }
            await sleep(retryMs);
        }
    }

    async #pass(milliseconds = 0): Promise<void> {
        if (milliseconds * this.#pace.factor > 0) {
            await sleep(milliseconds * this.#pace.factor);
        }
    }

    #type({ type }: Subject): ResourceType {
        return this.#account.type(this.cloud.name, type);
    }

    #scope(subject: Subject, inputs: Props, object?: CloudObject): Scope {
        return {
            account: this.#account.view(this.cloud.name),
            config: subject.config,
            name: subject.name,
            inputs,
            ...(object === undefined ? {} : { object }),
        };
    }
}

/** What Pulumi keeps of an object: inputs and what the cloud added; never `null`s. */
function shown(object: CloudObject): Props {
    return withoutEmpty({ ...object.inputs, ...object.outputs });
}

function withoutEmpty(props: Props): Props {
    return Object.fromEntries(Object.entries(props).filter(([, value]) => value !== undefined && value !== null));
}

function rootOf(path: string): string {
    return path.split(/[.[]/)[0] ?? path;
}

function internalError({ message }: FaultRule): Error {
    return new Error(message ?? "InternalError: An internal error has occurred");
}

/** Seven hexadecimal digits, as providers append to names. */
function randomDigits(): string {
    return randomBytes(4).toString("hex").slice(0, 7);
}
