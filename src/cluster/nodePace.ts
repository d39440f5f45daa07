/** How often a cluster is looked at and how patient its watch is; tests are quicker. */
export interface NodePace {
    readonly firstPauseMs: number;
    readonly longestPauseMs: number;
    /** Seconds of the same lasting refusal after which no more is waited. */
    readonly patienceSeconds: number;
    /** Seconds for load balancers to notice a drained node before its clients are sent away. */
    readonly healthCheckSeconds: number;
    /** Seconds that a stopped machine's node may still be listed as running. */
    readonly leaveSeconds: number;
    /** Seconds that a node may answer with the start it had before its machine went, until it counts as not restarted. */
    readonly sameProcessSeconds: number;
}

export const nodePace: NodePace = {
    firstPauseMs: 500,
    longestPauseMs: 5_000,
    patienceSeconds: 120,
    healthCheckSeconds: 30,
    // Erlang notices a node that vanished without a word after at most 75 s.
    leaveSeconds: 120,
    sameProcessSeconds: 60,
};
