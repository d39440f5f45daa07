/** A filter with `$share/<group>/` taken off. */
export interface SplitFilter {
    readonly group?: string;
    readonly filter: string;
}

/** Takes `$share/<group>/` off a subscription's filter. Undefined for a shared filter without group or topic. */
export function splitShared(subscription: string): SplitFilter | undefined {
    if (!subscription.startsWith("$share/")) {
        return { filter: subscription };
    }
    const slash = subscription.indexOf("/", 7);
    const group = slash < 0 ? "" : subscription.slice(7, slash);
    const filter = slash < 0 ? "" : subscription.slice(slash + 1);
    return group === "" || filter === "" || /[+#]/.test(group) ? undefined : { group, filter };
}

/** The filter that fits exactly the topics that fit both; undefined where there are none. */
export function intersection(one: string, other: string): string | undefined {
    const left = one.split("/");
    const right = other.split("/");
    const dollar = one.startsWith("$") || other.startsWith("$");
    const levels: string[] = [];
    for (let index = 0; ; index++) {
        const a = left[index];
        const b = right[index];
        if (a === undefined && b === undefined) {
            return levels.join("/");
        }
        if (index === 0 && dollar && a !== b) {
            return undefined;
        }
        if (a === "#") {
            return [...levels, ...right.slice(index)].join("/");
        }
        if (b === "#") {
            return [...levels, ...left.slice(index)].join("/");
        }
        if (a === undefined || b === undefined) {
            return undefined;
        }
        if (a === "+") {
            levels.push(b);
        } else if (b === "+" || a === b) {
            levels.push(a);
        } else {
            return undefined;
        }
    }
}

interface Node<V> {
    readonly children: Map<string, Node<V>>;
    values: Set<V> | undefined;
}

/** Filters with values, searched by topic name in time that does not grow with the number of filters. */
export class FilterTree<V> {
    readonly #root: Node<V> = { children: new Map(), values: undefined };
    #size = 0;

    /** Number of (filter, value) entries. */
    get size(): number {
        return this.#size;
    }

    add(filter: string, value: V): void {
        let node = this.#root;
        for (const level of filter.split("/")) {
            let next = node.children.get(level);
            if (next === undefined) {
                next = { children: new Map(), values: undefined };
                node.children.set(level, next);
            }
            node = next;
        }
        node.values ??= new Set();
        if (!node.values.has(value)) {
            node.values.add(value);
            this.#size++;
        }
    }

    remove(filter: string, value: V): void {
        const path: [Node<V>, string][] = [];
        let node = this.#root;
        for (const level of filter.split("/")) {
            const next = node.children.get(level);
            if (next === undefined) {
                return;
            }
            path.push([node, level]);
            node = next;
        }
        if (node.values?.delete(value)) {
            this.#size--;
        }
        if (node.values?.size === 0) {
            node.values = undefined;
        }
        for (const [parent, level] of path.reverse()) {
            const child = parent.children.get(level);
            if (child === undefined || child.values !== undefined || child.children.size > 0) {
                return;
            }
            parent.children.delete(level);
        }
    }

    /** Calls `visit` for every value whose filter fits the topic name; stops as soon as it returns true. */
    match(topic: string, visit: (value: V) => unknown): boolean {
        return descend(this.#root, topic.split("/"), 0, topic.charCodeAt(0) === 36, visit);
    }

    /** Whether any filter fits the topic name. */
    has(topic: string): boolean {
        return this.#size > 0 && this.match(topic, () => true);
    }
}

function visitAll<V>(node: Node<V> | undefined, visit: (value: V) => unknown): boolean {
    for (const value of node?.values ?? []) {
        if (visit(value) === true) {
            return true;
        }
    }
    return false;
}

function descend<V>(
    node: Node<V>,
    levels: readonly string[],
    index: number,
    dollar: boolean,
    visit: (value: V) => unknown,
): boolean {
    const wildcards = !(dollar && index === 0);
    if (wildcards && visitAll(node.children.get("#"), visit)) {
        return true;
    }
    const level = levels[index];
    if (level === undefined) {
        return visitAll(node, visit);
    }
    const exact = node.children.get(level);
    if (exact !== undefined && descend(exact, levels, index + 1, dollar, visit)) {
        return true;
    }
    const plus = wildcards ? node.children.get("+") : undefined;
    return plus !== undefined && descend(plus, levels, index + 1, dollar, visit);
}
