/**
 * What a proof says of one direction.
 * `proven`: enough messages arrived. `failed`: too many did not. `unproven`: this machine could not take part, so nothing is known.
 */
export type DeliveryStatus = "proven" | "failed" | "unproven";

/**
 * One direction of a pair as it was last measured. A figure that was not measured is absent, never 0.
 */
export interface DeliveryResult {
    /** Site that published. */
    readonly from: string;
    /** Site that subscribed, behind the link. */
    readonly to: string;
    readonly status: DeliveryStatus;
    /** Why the status is not `proven`, in one or more sentences. Absent when it is. */
    readonly reason?: string;
    /** Numbered messages published. */
    readonly sent?: number;
    /** Numbered messages that arrived at least once. */
    readonly delivered?: number;
    /** Numbered messages that never arrived: `sent - delivered`. */
    readonly lost?: number;
    /** Copies beyond the first of a message. */
    readonly duplicated?: number;
    /** Messages that arrived after a later one of the same topic. */
    readonly outOfOrder?: number;
    /** Messages that arrived with a lower quality of service than they were published with. */
    readonly qosDowngraded?: number;
    /** Publish to arrival, milliseconds, half of the messages were at least as fast. */
    readonly p50Ms?: number;
    /** Publish to arrival, milliseconds, 99 of 100 messages were at least as fast. */
    readonly p99Ms?: number;
    /** Publish to arrival of the slowest message, milliseconds. */
    readonly maxMs?: number;
    /** From the first publish until anything arrived, milliseconds: how long the link took to come up. */
    readonly firstArrivalMs?: number;
    /** Messages per second that were really published; below what was asked for where this machine could not keep up. */
    readonly rate?: number;
    /** When the run ended, ISO 8601 in UTC. Absent where nothing could be measured. */
    readonly provenAt?: string;
    /** The run's id, as it stands in the topics and payloads of its messages. */
    readonly runId: string;
}
