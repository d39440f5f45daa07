import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import type { MqttEndpoint } from "../../src/emqx/endpoint.ts";

const { connect } = createRequire(import.meta.url)("mqtt") as typeof import("mqtt");
const { role, endpoint, topic, count } = workerData as {
    role: "publish" | "subscribe";
    endpoint: MqttEndpoint;
    topic: string;
    count: number;
};
const payloadBytes = 256;
/** Unacknowledged publishes at a time. */
const window = 1000;
/** A burst is over when nothing has arrived for this long. */
const silenceMs = 5_000;

const client = connect({
    host: endpoint.host,
    port: endpoint.port,
    protocol: endpoint.tls ? "mqtts" : "mqtt",
    protocolVersion: 4,
    clientId: `bench-${role}-${process.pid}-${Math.random().toString(16).slice(2)}`,
    ...(endpoint.ca === undefined ? {} : { ca: endpoint.ca }),
    ...(endpoint.username === undefined ? {} : { username: endpoint.username }),
    ...(endpoint.password === undefined ? {} : { password: endpoint.password }),
});
client.on("connect", () => (client.stream as unknown as Socket).setNoDelay(true));
client.once("connect", () => (role === "publish" ? publish() : subscribe()));

function now(): number {
    return performance.timeOrigin + performance.now();
}

function publish(): void {
    const payload = Buffer.alloc(payloadBytes);
    const start = now();
    let sent = 0;
    let acknowledged = 0;
    const fill = () => {
        while (sent < count && sent - acknowledged < window) {
            sent++;
            client.publish(topic, payload, { qos: 1 }, () => {
                acknowledged++;
                if (acknowledged === count) {
                    parentPort?.postMessage({ kind: "published", start });
                } else {
                    fill();
                }
            });
        }
    };
    fill();
}

function subscribe(): void {
    let received = 0;
    let end = now();
    const finish = () => parentPort?.postMessage({ kind: "received", end, received });
    client.subscribe(topic, { qos: 1 }, () => {
        parentPort?.postMessage({ kind: "subscribed" });
        const timer = setInterval(() => {
            if (received > 0 && now() - end > silenceMs) {
                clearInterval(timer);
                finish();
            }
        }, 500);
        client.on("message", () => {
            received++;
            end = now();
            if (received === count) {
                clearInterval(timer);
                finish();
            }
        });
    });
}
