import type { IClientOptions, MqttClient } from "mqtt";
import { reportFault } from "./faultReport.js";
import { until } from "./localBroker.js";

/** What traffic needs of a site: devices can connect, and the routes of a peer can be counted. */
export interface TrafficSite {
    readonly name: string;
    readonly clusterName: string;
    connect(options: IClientOptions): Promise<MqttClient>;
    linkMetrics(peer: { readonly clusterName: string }): Promise<{ router: { routes: number } }>;
}

/** What became of a run of numbered messages. */
export interface Counts {
    readonly sent: number;
    readonly acknowledged: number;
    readonly delivered: number;
    readonly lost: number;
    readonly duplicated: number;
    /** Deliveries whose number was lower than one before; repeats not counted. */
    readonly outOfOrder: number;
    /** Longest pause between two deliveries, ms. */
    readonly longestGapMs: number;
    readonly p50: number;
    readonly p99: number;
    /** QoS of the deliveries and how many of each. */
    readonly qos: Readonly<Record<number, number>>;
}

export interface TrafficOptions {
    readonly topic: string;
    readonly count: number;
    /** Messages per second; 0: as fast as the client takes them. */
    readonly rate: number;
    readonly qos?: 0 | 1 | 2;
    /** Filter of the subscriber. @default the topic */
    readonly filter?: string;
    /** Drain time after the last publish, ms. @default 10000 */
    readonly drainMs?: number;
    readonly payloadBytes?: number;
    /** The subscriber keeps its session over reconnects. @default true */
    readonly keep?: boolean;
    readonly protocolVersion?: 3 | 4;
}

let runs = 0;

/** Publishes numbered messages on one site while a subscriber on another counts them. */
export class NumberedTraffic {
    readonly #options: TrafficOptions;
    readonly #seen = new Map<number, number>();
    readonly #latencies: number[] = [];
    readonly #qos: Record<number, number> = {};
    readonly #publisher: MqttClient;
    readonly subscriber: MqttClient;
    #sent = 0;
    #acknowledged = 0;
    #outOfOrder = 0;
    #highest = -1;
    #lastAt = 0;
    #longestGap = 0;
    #done: Promise<void> | undefined;
    #stopped = false;

    private constructor(publisher: MqttClient, subscriber: MqttClient, options: TrafficOptions) {
        this.#publisher = publisher;
        this.subscriber = subscriber;
        this.#options = options;
    }

    /** Connects both ends and waits until the far side's subscription is known on the near side. */
    static async between(from: TrafficSite, to: TrafficSite, options: TrafficOptions): Promise<NumberedTraffic> {
        const run = ++runs;
        const subscriber = await to.connect({ clientId: `counter-${run}`, clean: options.keep === false });
        const publisher = await from.connect({ clientId: `publisher-${run}`, clean: options.keep === false });
        const traffic = new NumberedTraffic(publisher, subscriber, options);
        subscriber.on("message", (topic, payload, packet) => {
            if (topic === options.topic) {
                traffic.#take(payload, packet.qos);
            }
        });
        const before = from === to ? 0 : (await from.linkMetrics(to)).router.routes;
        await subscriber.subscribeAsync(options.filter ?? options.topic, { qos: 2 });
        if (from !== to) {
            await until(
                async () => (await from.linkMetrics(to)).router.routes > before,
                `${from.name} knows the route of ${to.name}`,
            ).catch(() => {});
        }
        return traffic;
    }

    #take(payload: Buffer, qos: number): void {
        const [number = "", time = ""] = payload.toString("latin1", 0, 60).split(" ");
        const sequence = Number(number);
        const now = performance.now();
        this.#latencies.push(now - Number(time));
        this.#longestGap = this.#lastAt === 0 ? 0 : Math.max(this.#longestGap, now - this.#lastAt);
        this.#lastAt = now;
        const before = this.#seen.get(sequence) ?? 0;
        this.#seen.set(sequence, before + 1);
        this.#qos[qos] = (this.#qos[qos] ?? 0) + 1;
        if (before === 0) {
            if (sequence < this.#highest) {
                this.#outOfOrder++;
            }
            this.#highest = Math.max(this.#highest, sequence);
        }
    }

    get sent(): number {
        return this.#sent;
    }

    get delivered(): number {
        return this.#seen.size;
    }

    /** Starts publishing; goes on until the count is reached or {@link stop}. */
    start(): this {
        this.#done = this.#publish();
        return this;
    }

    stop(): void {
        this.#stopped = true;
    }

    async #publish(): Promise<void> {
        const { count, rate, topic, qos = 1, payloadBytes = 64 } = this.#options;
        const began = performance.now();
        const pending: Promise<unknown>[] = [];
        while (this.#sent < count && !this.#stopped) {
            const due = rate === 0 ? count : Math.min(count, Math.floor(((performance.now() - began) / 1000) * rate) + 1);
            while (this.#sent < due) {
                const payload = `${this.#sent++} ${performance.now()} `.padEnd(payloadBytes, ".");
                pending.push(
                    this.#publisher.publishAsync(topic, payload, { qos }).then(
                        () => this.#acknowledged++,
                        () => undefined,
                    ),
                );
            }
            await new Promise((resolve) => setTimeout(resolve, rate === 0 ? 0 : Math.min(5, 1000 / rate)));
        }
        await Promise.race([
            Promise.all(pending),
            new Promise((resolve) => setTimeout(resolve, this.#options.drainMs ?? 10_000)),
        ]);
    }

    /** Waits for the publisher, drains and counts. Prints the counts with a name; one that begins with a fault's number, as `F5 …`, is its row. */
    async finish(name: string): Promise<Counts> {
        await this.#done;
        await until(() => this.#seen.size >= this.#sent, "", this.#options.drainMs ?? 10_000).catch(() => {});
        // A late duplicate would come right behind.
        await new Promise((resolve) => setTimeout(resolve, 100));
        const sorted = [...this.#latencies].sort((a, b) => a - b);
        const at = (share: number) => Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 100) / 100;
        const counts: Counts = {
            sent: this.#sent,
            acknowledged: this.#acknowledged,
            delivered: this.#seen.size,
            lost: this.#sent - this.#seen.size,
            duplicated: [...this.#seen.values()].reduce((sum, times) => sum + times - 1, 0),
            outOfOrder: this.#outOfOrder,
            longestGapMs: Math.round(this.#longestGap),
            p50: at(0.5),
            p99: at(0.99),
            qos: this.#qos,
        };
        process.stdout.write(`${name}: ${JSON.stringify(counts)}\n`);
        const [, id, what = "under traffic"] = /^(F\d+)(?:\s+(.*))?$/.exec(name) ?? [];
        if (id !== undefined) {
            const { sent, delivered, lost, duplicated, outOfOrder, longestGapMs } = counts;
            const order = outOfOrder === 0 ? "" : `${outOfOrder} out of order, `;
            reportFault({ id, name: what, sent, delivered, lost, duplicated, note: `${order}longest gap ${longestGapMs} ms` });
        }
        return counts;
    }
}

/** Runs traffic in both directions while something happens, and counts both. */
export async function bothWays(
    name: string,
    one: TrafficSite,
    other: TrafficSite,
    options: TrafficOptions,
    meanwhile: () => Promise<void> = async () => {},
): Promise<readonly [Counts, Counts]> {
    const there = await NumberedTraffic.between(one, other, { ...options, topic: `${options.topic}/${other.name}` });
    const back = await NumberedTraffic.between(other, one, { ...options, topic: `${options.topic}/${one.name}` });
    there.start();
    back.start();
    await meanwhile();
    return [await there.finish(`${name} ${one.name}->${other.name}`), await back.finish(`${name} ${other.name}->${one.name}`)];
}
