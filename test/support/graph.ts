import type { RecordedResource, Recording } from "./recorder.js";

/** How many resources of each type a program makes, by type. */
export function countByType(recording: Recording): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { type } of recording.resources) {
        counts[type] = (counts[type] ?? 0) + 1;
    }
    return counts;
}

/** The resources of a type, by its token or by the token's end, such as `:Instance`. */
export function ofType(recording: Recording, type: string): readonly RecordedResource[] {
    return recording.resources.filter((resource) => resource.type === type || resource.type.endsWith(type));
}

/**
 * Whether `from` is made after `to`: whether it depends on it, directly or by way of others. Both must exist; no resource reaches itself.
 */
export function reaches(recording: Recording, from: string, to: string): boolean {
    recording.named(to);
    const edges = new Map(recording.resources.map(({ name, dependencies }) => [name, dependencies]));
    const seen = new Set<string>();
    const open = [...recording.named(from).dependencies];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
        if (name === to) {
            return true;
        }
        if (!seen.has(name)) {
            seen.add(name);
            open.push(...(edges.get(name) ?? []));
        }
    }
    return false;
}

/**
 * Throws when resources wait for each other in a circle, or for one that the program never made.
 * @throws Error with the circle, or the missing name
 */
export function assertNoCycle(recording: Recording): void {
    const edges = new Map(
        recording.resources.map(({ name, parent, dependencies }) => [
            name,
            parent === "" ? dependencies : [...dependencies, parent],
        ]),
    );
    for (const { name } of recording.reads) {
        edges.set(name, []);
    }
    const done = new Set<string>();
    const visit = (name: string, path: readonly string[]): void => {
        if (path.includes(name)) {
            throw new Error(`resources wait for each other: ${[...path.slice(path.indexOf(name)), name].join(" > ")}`);
        }
        if (done.has(name)) {
            return;
        }
        const next = edges.get(name);
        if (next === undefined) {
            throw new Error(`${path.at(-1)} waits for ${name}, which the program does not make`);
        }
        for (const one of next) {
            visit(one, [...path, name]);
        }
        done.add(name);
    };
    for (const name of edges.keys()) {
        visit(name, []);
    }
}

/**
 * Names of the resources of the first recording that the second has changed or lost: another type, parent, input, option, secret or dependency.
 * What the second adds is no change. Sorted.
 */
export function changedBetween(before: Recording, after: Recording): readonly string[] {
    const later = new Map(after.resources.map((resource) => [resource.name, resource]));
    return before.resources
        .filter((resource) => stable(resource) !== stable(later.get(resource.name)))
        .map(({ name }) => name)
        .sort();
}

/** Names of the resources that the second recording has and the first has not. Sorted. */
export function addedBetween(before: Recording, after: Recording): readonly string[] {
    const earlier = new Set(before.resources.map(({ name }) => name));
    return after.resources
        .map(({ name }) => name)
        .filter((name) => !earlier.has(name))
        .sort();
}

/** Tags or labels of a resource, whatever the cloud calls them; empty where it has none. */
export function tagsOf({ inputs }: RecordedResource): Readonly<Record<string, string>> {
    return Object.fromEntries(
        [inputs.tags, inputs.labels, inputs.userLabels]
            .flatMap((found) => (typeof found === "object" && found !== null ? Object.entries(found) : []))
            .map(([key, value]) => [key, String(value)]),
    );
}

/** The same text for the same content, whatever the order of keys. */
function stable(value: unknown): string {
    return JSON.stringify(value, (_key, inner: unknown) =>
        typeof inner === "object" && inner !== null && !Array.isArray(inner)
            ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
            : inner,
    );
}
