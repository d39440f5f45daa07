/** An object outside Pulumi that a resource stands for, found by its own name and not by one that Pulumi gave. */
export interface OutsideObject {
    /** For messages: `the cluster link "b" on "a"`. */
    readonly what: string;
    /** Every way to tell it from others; two resources that share one stand for the same object. */
    readonly keys: readonly string[];
    /** Property of the resource that names it and is never secret. */
    readonly property: string;
}

/**
 * Who in this run stands for which object.
 *
 * A resource that is renamed, moved under another parent or replaced is to Pulumi a new one that is made and an old one that is
 * deleted afterwards. The new one takes over the object that is there already, so the old one's delete must leave it alone. Pulumi's
 * host of dynamic resources is one process for each run, which is how long this memory has to last.
 */
export class Claims {
    /** URN of the program's resource, by key. */
    readonly #described = new Map<string, string>();
    readonly #made = new Set<string>();

    /**
     * Notes that a resource of the program stands for an object.
     *
     * @returns the URN of another resource of the program that stands for it too
     */
    describe({ keys }: OutsideObject, urn: string): string | undefined {
        const other = keys.map((key) => this.#described.get(key)).find((owner) => owner !== undefined && owner !== urn);
        if (other === undefined) {
            for (const key of keys) {
                this.#described.set(key, urn);
            }
        }
        return other;
    }

    /** Notes that an object has been made or taken over in this run. */
    made({ keys }: OutsideObject): void {
        for (const key of keys) {
            this.#made.add(key);
        }
    }

    /** The URN of whatever stands for an object now, when it is not the resource that is being deleted or that is its own successor. */
    successor({ keys }: OutsideObject, urn: string): string | undefined {
        const owner = keys.map((key) => this.#described.get(key)).find((found) => found !== undefined && found !== urn);
        return owner ?? (keys.some((key) => this.#made.has(key)) ? urn : undefined);
    }
}

/** A resource's own name, the last part of its URN. */
export function nameInUrn(urn: string): string {
    return urn.split("::").at(-1) ?? urn;
}
