import type { Message } from "./message.js";
import { FilterTree, splitShared } from "./topics.js";

/** Hands a message to one subscription; calls back once when it has been written. */
export type Deliver = (message: Message, done: () => void) => void;

interface SharedGroup {
    readonly members: Deliver[];
    next: number;
}

/**
 * The broker's subscriptions: what aedes calls its message queue. A message goes to every matching subscription at once, in the order in which
 * messages come, and to one member of every matching `$share` group in turn.
 */
export class Dispatcher {
    readonly #plain = new FilterTree<Deliver>();
    readonly #shared = new FilterTree<SharedGroup>();
    readonly #groups = new Map<string, SharedGroup>();
    readonly #count = new Map<string, number>();
    #subscriptions = 0;
    /** Told when a filter gets its first or loses its last subscription here. Shared filters come without `$share/<group>/`. */
    onFilter: ((filter: string, present: boolean) => void) | undefined;
    /** aedes reads this. */
    current = 0;

    get subscriptions(): number {
        return this.#subscriptions;
    }

    get sharedSubscriptions(): number {
        return [...this.#groups.values()].reduce((sum, group) => sum + group.members.length, 0);
    }

    /** The subscribed filters, shared ones with their `$share/<group>/`. */
    filters(): string[] {
        return [...this.#count.keys()];
    }

    on(subscription: string, deliver: Deliver, done?: () => void): this {
        const split = splitShared(subscription);
        if (split !== undefined) {
            if (split.group === undefined) {
                this.#plain.add(split.filter, deliver);
            } else {
                let group = this.#groups.get(subscription);
                if (group === undefined) {
                    group = { members: [], next: 0 };
                    this.#groups.set(subscription, group);
                    this.#shared.add(split.filter, group);
                }
                group.members.push(deliver);
            }
            this.#subscriptions++;
            const before = this.#count.get(subscription) ?? 0;
            this.#count.set(subscription, before + 1);
            if (before === 0) {
                this.onFilter?.(split.filter, true);
            }
        }
        if (done !== undefined) {
            setImmediate(done);
        }
        return this;
    }

    removeListener(subscription: string, deliver: Deliver, done?: () => void): this {
        const split = splitShared(subscription);
        const count = this.#count.get(subscription) ?? 0;
        if (split !== undefined && count > 0) {
            if (split.group === undefined) {
                this.#plain.remove(split.filter, deliver);
            } else {
                this.#leave(subscription, split.filter, deliver);
            }
            this.#subscriptions--;
            if (count === 1) {
                this.#count.delete(subscription);
                this.onFilter?.(split.filter, false);
            } else {
                this.#count.set(subscription, count - 1);
            }
        }
        if (done !== undefined) {
            setImmediate(done);
        }
        return this;
    }

    #leave(subscription: string, filter: string, deliver: Deliver): void {
        const group = this.#groups.get(subscription);
        const index = group?.members.indexOf(deliver) ?? -1;
        if (group === undefined || index < 0) {
            return;
        }
        group.members.splice(index, 1);
        if (group.members.length === 0) {
            this.#groups.delete(subscription);
            this.#shared.remove(filter, group);
        }
    }

    /** Delivers to everyone who matches; calls back when all of it has been written. Returns how many took it. */
    emit(message: Message, done: () => void = () => {}): number {
        const targets: Deliver[] = [];
        this.#plain.match(message.topic, (deliver) => {
            targets.push(deliver);
        });
        if (this.#shared.size > 0) {
            this.#shared.match(message.topic, (group) => {
                const member = group.members[group.next++ % group.members.length];
                if (member !== undefined) {
                    targets.push(member);
                }
            });
        }
        let open = targets.length;
        if (open === 0) {
            done();
            return 0;
        }
        const one = () => {
            if (--open === 0) {
                done();
            }
        };
        for (const deliver of targets) {
            deliver(message, one);
        }
        return targets.length;
    }

    close(done: () => void): this {
        setImmediate(done);
        return this;
    }
}
