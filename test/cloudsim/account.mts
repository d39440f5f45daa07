import { EventEmitter } from "node:events";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { textsAt } from "./paths.mts";
import type { AccountView, Cloud, CloudName, CloudObject, Props, Reference, ResourceType } from "./types.mts";

interface Stored {
    readonly objects: readonly CloudObject[];
    readonly sequences: Readonly<Record<string, number>>;
}

/** What is new in an account: an object that came, changed or went. */
export interface AccountChange {
    readonly what: "created" | "updated" | "deleted";
    readonly object: CloudObject;
}

/**
 * Everything that exists in the simulated clouds, as one consistent state. One process holds it; every change is written to a file, so
 * that a later process can go on with it.
 */
export class Account {
    readonly #file: string;
    readonly #clouds: ReadonlyMap<CloudName, Cloud>;
    readonly #objects = new Map<number, CloudObject>();
    readonly #sequences = new Map<string, number>();
    readonly #settings = new Map<string, number>();
    readonly #events = new EventEmitter().setMaxListeners(0);
    #saving: NodeJS.Timeout | undefined;

    constructor(file: string, clouds: readonly Cloud[]) {
        this.#file = file;
        this.#clouds = new Map(clouds.map((cloud) => [cloud.name, cloud]));
        if (existsSync(file)) {
            const stored = JSON.parse(readFileSync(file, "utf8")) as Stored;
            for (const object of stored.objects) {
                this.#objects.set(object.serial, object);
            }
            for (const [name, value] of Object.entries(stored.sequences)) {
                this.#sequences.set(name, value);
            }
        }
    }

    get clouds(): readonly Cloud[] {
        return [...this.#clouds.values()];
    }

    cloud(name: CloudName): Cloud {
        const cloud = this.#clouds.get(name);
        if (cloud === undefined) {
            throw new Error(`no simulated cloud ${name}; there are ${[...this.#clouds.keys()].join(", ")}`);
        }
        return cloud;
    }

    /** The definition of a type. @throws Error naming it when the simulation does not know it */
    type(cloud: CloudName, token: string): ResourceType {
        const type = this.cloud(cloud).types[token];
        if (type === undefined) {
            throw new Error(`the simulated cloud ${cloud} knows no type ${token}; add it to test/cloudsim/${cloud}`);
        }
        return type;
    }

    /** All objects, oldest first; those that clouds made by themselves only with `all`. */
    objects(all = false): readonly CloudObject[] {
        return [...this.#objects.values()].filter((object) => all || object.partOf === undefined);
    }

    /** Calls back on every change, at once. */
    onChange(listener: (change: AccountChange) => void): () => void {
        this.#events.on("change", listener);
        return () => this.#events.off("change", listener);
    }

    /** Sets a switchable figure, such as a quota. */
    set(name: string, value: number): void {
        this.#settings.set(name, value);
    }

    /** One cloud's part, as its functions see it. */
    view(cloud: CloudName): AccountView {
        return {
            list: (type) =>
                [...this.#objects.values()].filter((each) => each.cloud === cloud && (type === undefined || each.type === type)),
            find: (type, handle) => this.find(cloud, type, handle),
            setting: (name, otherwise) => this.#settings.get(name) ?? otherwise,
            next: (sequence) => this.#next(`${cloud}/${sequence}`),
        };
    }

    find(cloud: CloudName, type: string | readonly string[], handle: unknown): CloudObject | undefined {
        const types = typeof type === "string" ? [type] : type;
        if (typeof handle !== "string" || handle === "") {
            return undefined;
        }
        for (const object of this.#objects.values()) {
            if (object.cloud === cloud && types.includes(object.type) && this.#handles(object).includes(handle)) {
                return object;
            }
        }
        return undefined;
    }

    /** The object of a resource that Pulumi knows by this id. */
    known(cloud: CloudName, type: string, id: string): CloudObject | undefined {
        return [...this.#objects.values()].find((each) => each.cloud === cloud && each.type === type && each.id === id);
    }

    add(object: Omit<CloudObject, "serial" | "revision">): CloudObject {
        const added: CloudObject = { ...object, serial: this.#next("serial"), revision: 1 };
        this.#objects.set(added.serial, added);
        this.#changed({ what: "created", object: added });
        return added;
    }

    change(object: CloudObject, inputs: Props, outputs: Props): void {
        object.inputs = inputs;
        object.outputs = outputs;
        object.revision += 1;
        this.#changed({ what: "updated", object });
    }

    /** Removes an object and what the cloud had made with it. */
    remove(object: CloudObject): void {
        for (const part of [...this.#objects.values()].filter(({ partOf }) => partOf === object.serial)) {
            this.remove(part);
        }
        if (this.#objects.delete(object.serial)) {
            this.#changed({ what: "deleted", object });
        }
    }

    /** An object that refers to this one and holds it; objects of the cloud's own making that go with it do not count. */
    holderOf(object: CloudObject): CloudObject | undefined {
        const handles = this.#handles(object);
        const parts = [...this.#objects.values()].filter(({ partOf }) => partOf === object.serial);
        const held = [object, ...parts];
        for (const other of this.#objects.values()) {
            if (other.cloud !== object.cloud || held.includes(other)) {
                continue;
            }
            for (const reference of this.#references(other)) {
                const types = typeof reference.to === "string" ? [reference.to] : reference.to;
                const named = textsAt(other.inputs, reference.path);
                const holds = held.some(
                    (one) =>
                        types.includes(one.type) &&
                        named.some((text) => (one === object ? handles : this.#handles(one)).includes(text)),
                );
                if (holds && reference.holds !== false) {
                    return other;
                }
            }
        }
        return undefined;
    }

    /** Writes everything now. */
    save(): void {
        clearTimeout(this.#saving);
        this.#saving = undefined;
        const stored: Stored = { objects: this.objects(true), sequences: Object.fromEntries(this.#sequences) };
        writeFileSync(`${this.#file}.new`, JSON.stringify(stored), { mode: 0o600 });
        renameSync(`${this.#file}.new`, this.#file);
    }

    #references(object: CloudObject): readonly Reference[] {
        return this.#clouds.get(object.cloud)?.types[object.type]?.references ?? [];
    }

    #handles(object: CloudObject): readonly (string | undefined)[] {
        return this.#clouds.get(object.cloud)?.types[object.type]?.handles?.(object) ?? [object.id];
    }

    #next(sequence: string): number {
        const value = (this.#sequences.get(sequence) ?? 0) + 1;
        this.#sequences.set(sequence, value);
        return value;
    }

    #changed(change: AccountChange): void {
        // Many changes come at once; the file is for a later process, so a moment late is soon enough.
        this.#saving ??= setTimeout(() => this.save(), 1_000).unref();
        this.#events.emit("change", change);
    }
}
