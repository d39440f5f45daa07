/** One numbered message as it arrived. */
export interface Arrival {
    readonly sequence: number;
    /** Index of the test topic: order is kept per topic, not across topics. */
    readonly topic: number;
    /** Publish to arrival, milliseconds. */
    readonly latencyMs: number;
    /** Quality of service that it arrived with. */
    readonly qos: number;
}

/** What the arrivals of one direction add up to. Percentiles are absent where nothing arrived. */
export interface ArrivalTotals {
    readonly delivered: number;
    readonly duplicated: number;
    readonly outOfOrder: number;
    readonly qosDowngraded: number;
    readonly p50Ms?: number;
    readonly p99Ms?: number;
    readonly maxMs?: number;
}

/**
 * Counts the numbered messages of one direction as they arrive.
 *
 * A message is delivered when its first copy arrives; each further copy is a duplicate and nothing else. A first copy that comes after
 * the first copy of a later message of the same topic is out of order.
 */
export class ArrivalCount {
    private readonly seen: Uint8Array;
    private readonly latencies: Float64Array;
    private readonly highest = new Map<number, number>();
    private readonly qos: number;
    private found = 0;
    private copies = 0;
    private disordered = 0;
    private downgraded = 0;

    /** @param count how many are published; @param qos the quality of service they are published with */
    constructor(count: number, qos: number) {
        this.seen = new Uint8Array(count);
        this.latencies = new Float64Array(count);
        this.qos = qos;
    }

    /** Messages that arrived at least once so far. */
    get delivered(): number {
        return this.found;
    }

    /** Takes one arrival. Numbers that were never published are ignored. */
    add({ sequence, topic, latencyMs, qos }: Arrival): void {
        const before = this.seen[sequence];
        if (before === undefined) {
            return;
        }
        if (before > 0) {
            this.copies += 1;
            return;
        }
        this.seen[sequence] = 1;
        this.latencies[this.found] = latencyMs;
        this.found += 1;
        const highest = this.highest.get(topic) ?? -1;
        if (sequence < highest) {
            this.disordered += 1;
        } else {
            this.highest.set(topic, sequence);
        }
        if (qos < this.qos) {
            this.downgraded += 1;
        }
    }

    /** The sums so far. */
    totals(): ArrivalTotals {
        const sorted = this.latencies.slice(0, this.found).sort();
        return {
            delivered: this.found,
            duplicated: this.copies,
            outOfOrder: this.disordered,
            qosDowngraded: this.downgraded,
            ...percentiles(sorted),
        };
    }

    /** The numbers up to `sent` that never arrived, as ranges such as `3-7`, at most `limit` of them. */
    missing(sent: number, limit: number): string[] {
        const ranges: string[] = [];
        for (let at = 0; at < sent && ranges.length < limit; at += 1) {
            if (this.seen[at] !== 0) {
                continue;
            }
            const first = at;
            while (at + 1 < sent && this.seen[at + 1] === 0) {
                at += 1;
            }
            ranges.push(first === at ? `${first}` : `${first}-${at}`);
        }
        return ranges;
    }
}

function percentiles(sorted: Float64Array): Pick<ArrivalTotals, "p50Ms" | "p99Ms" | "maxMs"> {
    const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    const [p50, p99, max] = [at(0.5), at(0.99), at(1)];
    if (p50 === undefined || p99 === undefined || max === undefined) {
        return {};
    }
    return { p50Ms: rounded(p50), p99Ms: rounded(p99), maxMs: rounded(max) };
}

/** Microseconds are what the clock can tell; more digits would be noise. */
function rounded(ms: number): number {
    return Math.round(ms * 1000) / 1000;
}
