import { type LinkRecord, type StackState, siteName } from "./stackState.js";

/** Something about the mesh as a whole that the links of one pair cannot show. */
export interface MeshFinding {
    readonly id: "missing-pair" | "missing-direction" | "prefix-clash";
    readonly level: "warn" | "fail";
    readonly title: string;
    readonly cause: string;
    readonly fix: string;
}

/** Two clusters that links join, and what the stack has of either direction. */
export interface LinkedPair {
    readonly one: string;
    readonly other: string;
    /** Link on `one` that receives from `other`. */
    readonly onOne: LinkRecord | undefined;
    /** Link on `other` that receives from `one`. */
    readonly onOther: LinkRecord | undefined;
}

/** The pairs that the stack's links make, each once, in the order of cluster names. */
export function linkedPairs(links: readonly LinkRecord[]): LinkedPair[] {
    const pairs = new Map<string, LinkedPair>();
    for (const link of links) {
        const [one = "", other = ""] = [link.localCluster, link.remoteCluster].sort();
        const key = JSON.stringify([one, other]);
        const known = pairs.get(key) ?? { one, other, onOne: undefined, onOther: undefined };
        pairs.set(key, link.localCluster === one ? { ...known, onOne: link } : { ...known, onOther: link });
    }
    return [...pairs.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, pair]) => pair);
}

/** All that is wrong with the mesh as the stack describes it. Pure: no cluster is asked. */
export function checkMesh(state: StackState): MeshFinding[] {
    return [...missingPairs(state), ...missingDirections(state), ...prefixClashes(state)];
}

/** Links do not pass messages on: two clusters without a link of their own never hear each other, whatever lies between. */
function missingPairs(state: StackState): MeshFinding[] {
    const clusters = [...new Set(state.links.flatMap(({ localCluster, remoteCluster }) => [localCluster, remoteCluster]))].sort();
    const linked = new Set(linkedPairs(state.links).map(({ one, other }) => `${one} ${other}`));
    const found: MeshFinding[] = [];
    for (const [index, one] of clusters.entries()) {
        for (const other of clusters.slice(index + 1)) {
            if (!linked.has(`${one} ${other}`)) {
                const [a, b] = [siteName(state, one), siteName(state, other)];
                found.push({
                    id: "missing-pair",
                    level: "warn",
                    title: `${a} and ${b} are not linked`,
                    cause: "A cluster link does not pass on what it received, so messages never travel over a third site.",
                    fix: `Link ${a} and ${b} too, unless nobody at one of them needs the other's messages.`,
                });
            }
        }
    }
    return found;
}

/** The broker refuses a handshake while the other side has no link back (unknown_cluster), though it says connected. */
function missingDirections(state: StackState): MeshFinding[] {
    return linkedPairs(state.links).flatMap(({ one, other, onOne, onOther }) => {
        if (onOne !== undefined && onOther !== undefined) {
            return [];
        }
        const [has, lacks] = onOne === undefined ? [other, one] : [one, other];
        return [
            {
                id: "missing-direction" as const,
                level: "fail" as const,
                title: `${siteName(state, lacks)} has no link to ${siteName(state, has)}`,
                cause: `Only ${siteName(state, has)} has a link. EMQX then answers unknown_cluster and no message flows either way, though the status says connected.`,
                fix: `Add the link named "${has}" on ${siteName(state, lacks)}; its topics may be empty.`,
            },
        ];
    });
}

/** Two installations whose client ids begin alike on one cluster throw each other out, again and again. */
function prefixClashes(state: StackState): MeshFinding[] {
    const found: MeshFinding[] = [];
    for (const [index, link] of state.links.entries()) {
        for (const next of state.links.slice(index + 1)) {
            const clash =
                link.remoteCluster === next.remoteCluster &&
                link.localCluster !== next.localCluster &&
                (link.clientIdPrefix.startsWith(next.clientIdPrefix) || next.clientIdPrefix.startsWith(link.clientIdPrefix));
            if (clash) {
                const [a, b] = [siteName(state, link.localCluster), siteName(state, next.localCluster)];
                found.push({
                    id: "prefix-clash",
                    level: "fail",
                    title: `the links of ${a} and ${b} use client ids that begin alike on ${siteName(state, link.remoteCluster)}`,
                    cause: `"${link.clientIdPrefix}" and "${next.clientIdPrefix}": one begins with the other, so one takes over the other's sessions.`,
                    fix: "Give each link a clientIdPrefix of its own that ends in a separator.",
                });
            }
        }
    }
    return found;
}
