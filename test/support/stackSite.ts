import { request } from "node:https";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import type { TrafficSite } from "./numberedTraffic.js";

/** What a test program exports of a local site. */
export interface ExportedSite {
    readonly name: string;
    readonly clusterName: string;
    readonly port: number;
    readonly ca: string;
    readonly device: { readonly username: string; readonly password: string };
    readonly api: { readonly url: string; readonly key: string; readonly secret: string; readonly ca: string };
}

/** Text of a program's export that {@link ExportedSite} describes; `site` is a `LocalSite`. */
export const exportOfSite = `
const exported = (site) => pulumi.all([site.cluster.clientDoor, site.device, site.cluster.api]).apply(([door, device, api]) => ({
    name: site.facts.name, clusterName: site.facts.clusterName, port: door.port, ca: door.ca, device, api,
}));
`;

/** A local site of a stack, for traffic through its doors. */
export class StackSite implements TrafficSite {
    readonly #site: ExportedSite;
    readonly #clients: MqttClient[] = [];

    constructor(site: ExportedSite) {
        this.#site = site;
    }

    get name(): string {
        return this.#site.name;
    }

    get clusterName(): string {
        return this.#site.clusterName;
    }

    /** Connects a device that reconnects by itself until {@link close}. */
    async connect(options: IClientOptions): Promise<MqttClient> {
        const { port, ca, device } = this.#site;
        const client = mqtt.connect({
            protocol: "mqtts",
            host: "127.0.0.1",
            port,
            ca,
            reconnectPeriod: 100,
            ...device,
            ...options,
        });
        this.#clients.push(client);
        client.on("error", () => {});
        await new Promise<void>((resolve) => client.once("connect", () => resolve()));
        return client;
    }

    async linkMetrics(peer: { readonly clusterName: string }): Promise<{ router: { routes: number } }> {
        const { metrics } = (await this.get(`cluster/links/link/${peer.clusterName}/metrics`)) as {
            metrics: { router: { routes: number } };
        };
        return metrics;
    }

    /** Reads from the REST API. */
    async get(path: string): Promise<unknown> {
        const { url, key, secret, ca } = this.#site.api;
        return new Promise((resolve, reject) => {
            const call = request(`${url}/api/v5/${path}`, { ca, auth: `${key}:${secret}`, agent: false }, (response) => {
                let text = "";
                response.setEncoding("utf8").on("data", (part: string) => {
                    text += part;
                });
                response.on("end", () => resolve(JSON.parse(text)));
            });
            call.on("error", reject).end();
        });
    }

    async close(): Promise<void> {
        await Promise.all(this.#clients.splice(0).map((client) => client.endAsync(true)));
    }
}
