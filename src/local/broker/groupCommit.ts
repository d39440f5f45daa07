/** One change of the store on the disk. */
export type Operation =
    | { readonly type: "put"; readonly key: string; readonly value: Buffer }
    | { readonly type: "del"; readonly key: string };

/** Gathers changes while one batch is on its way to the disk and writes them as the next, in order. */
export class GroupCommit {
    readonly #write: (operations: readonly Operation[]) => Promise<void>;
    #pending: Operation[] = [];
    /** Who waits for the pending changes, and who for the batch that is on its way. */
    #waiting: (() => void)[] = [];
    #flying: (() => void)[] = [];
    #writing: Promise<void> | undefined;
    #failure: Error | undefined;
    /** Told of every batch that the disk refused; what was in it is in memory only. */
    onFailure: (error: Error) => void = () => {};

    constructor(write: (operations: readonly Operation[]) => Promise<void>) {
        this.#write = write;
    }

    add(...operations: Operation[]): void {
        this.#pending.push(...operations);
        this.#writing ??= this.#flush();
    }

    /** Calls back when everything up to now is written, or refused, in the order of the calls; at once when there is nothing to write. */
    whenWritten(resume: () => void): void {
        if (this.#writing === undefined) {
            resume();
        } else {
            // With nothing newer to write it is enough to wait for the batch that is on its way.
            (this.#pending.length === 0 ? this.#flying : this.#waiting).push(resume);
        }
    }

    /** Resolves when everything up to now is written. Rejects when the last batch was refused. */
    async written(): Promise<void> {
        await new Promise<void>((resolve) => this.whenWritten(resolve));
        if (this.#failure !== undefined) {
            throw this.#failure;
        }
    }

    /** Resolves when nothing is on its way any more. */
    async idle(): Promise<void> {
        await this.#writing;
    }

    async #flush(): Promise<void> {
        await Promise.resolve();
        while (this.#pending.length > 0) {
            const operations = this.#pending;
            this.#flying = this.#waiting;
            this.#pending = [];
            this.#waiting = [];
            try {
                await this.#write(operations);
                this.#failure = undefined;
            } catch (error) {
                this.#failure = error instanceof Error ? error : new Error(String(error));
                this.onFailure(this.#failure);
            }
            // Those who join while this runs come behind, in the same list.
            for (const resume of this.#flying) {
                resume();
            }
            this.#flying = [];
        }
        this.#writing = undefined;
    }
}
