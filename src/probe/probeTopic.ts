/** One test topic: the linked filter that it proves and the topic itself. */
export interface ProbeTopic {
    readonly filter: string;
    readonly topic: string;
}

/**
 * A topic that a filter covers and that nothing but this run uses.
 * `+` becomes a level of the run's own, `#` two or more; a filter without either is its own topic, and the payload alone tells the run.
 *
 * @param from the publishing site: the two directions of a pair never share a topic where the filter leaves room
 */
export function probeTopicFor(filter: string, runId: string, from: string): string {
    const own = `linkspan-${runId}-${from}`;
    const levels = filter
        .split("/")
        .map((level) => (level === "+" ? own : level === "#" ? `linkspan-probe/${runId}/${from}` : level));
    return levels.join("/");
}

/** One test topic for each linked filter, without repetition. */
export function probeTopics(filters: readonly string[], runId: string, from: string): ProbeTopic[] {
    return [...new Set(filters)].map((filter) => ({ filter, topic: probeTopicFor(filter, runId, from) }));
}
