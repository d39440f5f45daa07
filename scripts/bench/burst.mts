import { Worker } from "node:worker_threads";
import type { MqttEndpoint } from "../../src/emqx/endpoint.ts";

/** What a burst measured: messages per second from the first publish to the last arrival, and how many arrived. */
export interface Burst {
    readonly perSecond: number;
    readonly received: number;
}

/**
 * Publishes messages of 256 bytes at QoS 1 as fast as the broker acknowledges them and counts them behind the link. Publisher and
 * subscriber are threads of their own, so that neither slows the other.
 */
export async function burst(from: MqttEndpoint, to: MqttEndpoint, topic: string, count: number): Promise<Burst> {
    const subscriber = new Worker(new URL("./burstWorker.mts", import.meta.url), {
        workerData: { role: "subscribe", endpoint: to, topic, count },
    });
    await message(subscriber, "subscribed");
    // The subscription has to reach the other side of the link before the first message.
    await new Promise((done) => setTimeout(done, 500));
    const publisher = new Worker(new URL("./burstWorker.mts", import.meta.url), {
        workerData: { role: "publish", endpoint: from, topic, count },
    });
    const [{ start }, { end, received }] = (await Promise.all([
        message(publisher, "published"),
        message(subscriber, "received"),
    ])) as [{ start: number }, { end: number; received: number }];
    await Promise.all([publisher.terminate(), subscriber.terminate()]);
    return { perSecond: received / ((end - start) / 1000), received };
}

function message(worker: Worker, kind: string): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
        worker.on("message", (value: Record<string, unknown>) => {
            if (value.kind === kind) {
                resolve(value);
            }
        });
        worker.once("error", reject);
    });
}
