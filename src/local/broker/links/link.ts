import type { Alarms } from "../alarms.js";
import { type Log, throttled } from "../log.js";
import type { ConnectionTarget } from "./connection.js";
import { Forwarder } from "./forwarder.js";
import { findWay, type LinkWay } from "./names.js";
import { RouteSync } from "./routeSync.js";
import { bytesOf, durationMs, type LinkSettings, splitServer } from "./settings.js";
import { targetOf } from "./target.js";

/** What a link needs to know of its broker. */
export interface LinkHome extends LinkWay {
    readonly clusterName: string;
    readonly nodeName: string;
    readonly alarms: Alarms;
    readonly log: Log;
    /** Eight hex digits that name this run of the broker in its links' client ids. */
    readonly run: string;
    /** The filters subscribed in this cluster. */
    filters(): Iterable<string>;
}

/** A link at work: asks the peer for messages and forwards what the peer asked for. */
export class Link {
    settings: LinkSettings;
    readonly forwarder: Forwarder;
    readonly routes: RouteSync;
    readonly #home: LinkHome;
    readonly #alarm: string;
    readonly #often: ReturnType<typeof throttled>;
    #running = false;
    #alarmTimer: NodeJS.Timeout | undefined;

    constructor(settings: LinkSettings, home: LinkHome) {
        this.settings = settings;
        this.#home = home;
        this.#alarm = `emqx_cluster_link_mqtt:msg:${settings.name}`;
        this.#often = throttled(home.log, 5000);
        const target = () => this.#target();
        this.forwarder = new Forwarder(home.clusterName, target, home.log);
        this.routes = new RouteSync(home.clusterName, home.nodeName, settings.name, target, home.log);
        this.forwarder.onChange = () => this.#watch();
    }

    get status(): "connected" | "connecting" | "disconnected" {
        return this.settings.enable ? this.forwarder.status : "disconnected";
    }

    start(): void {
        if (!this.settings.enable) {
            return;
        }
        const { settings } = this;
        const options = settings.resource_opts;
        const healthMs = Math.max(100, durationMs(options.health_check_interval) ?? 15_000);
        const common = {
            // However long the user's interval is: a repaired path is to be in use within two seconds.
            retryMs: Math.max(20, Math.min(600, durationMs(settings.retry_interval) ?? 600)),
            healthMs,
            // An attempt into a black hole must not outlast the hole for long.
            startMs: Math.max(100, Math.min(5000, Math.max(2000, healthMs * 2), durationMs(options.start_timeout) ?? 5000)),
        };
        const prefix = settings.clientid ?? `emqx_link_${this.#home.clusterName}`;
        this.#running = true;
        this.routes.start(
            { ...common, clientId: `${prefix}:routesync:${this.#home.run}`, topics: settings.topics },
            this.#home.filters(),
        );
        this.forwarder.start({
            ...common,
            clientId: `${prefix}:msg:${this.#home.run}`,
            poolSize: settings.pool_size,
            maxInflight: settings.max_inflight,
            ttlMs: durationMs(options.request_ttl) ?? 45_000,
            maxBytes: bytesOf(options.max_buffer_bytes) ?? 256 * 1024 ** 2,
        });
    }

    /** Takes other settings. Only what they concern is touched; what waits in the queue stays unless the link gets disabled. */
    change(settings: LinkSettings): void {
        const before = this.settings;
        this.settings = settings;
        this.#home.alarms.clear(this.#alarm);
        if (!settings.enable) {
            this.stop();
            return;
        }
        const { topics: _old, ...restBefore } = before;
        const { topics: _new, ...restAfter } = settings;
        if (this.#running && JSON.stringify(restBefore) === JSON.stringify(restAfter)) {
            this.routes.setTopics(settings.topics);
            this.forwarder.resetMetrics();
        } else {
            this.start();
        }
    }

    stop(): void {
        this.#running = false;
        clearTimeout(this.#alarmTimer);
        this.#home.alarms.clear(this.#alarm);
        this.routes.stop();
        this.forwarder.stop();
    }

    /** Waits until every connection has come to an answer, at most `ms`. */
    async settled(ms: number): Promise<void> {
        const end = Date.now() + ms;
        while (this.settings.enable && !this.forwarder.settled && Date.now() < end) {
            await new Promise((resolve) => setTimeout(resolve, 5));
        }
    }

    #watch(): void {
        const { status, reason } = this.forwarder;
        if (status === "connected") {
            clearTimeout(this.#alarmTimer);
            this.#alarmTimer = undefined;
            this.#home.alarms.clear(this.#alarm);
        } else if (reason !== "") {
            this.#often(reason, "cluster_link_connection_down", {
                link: this.settings.name,
                server: this.settings.server,
                reason,
            });
            // A connection that is back at once is no alarm.
            this.#alarmTimer ??= setTimeout(() => {
                this.#alarmTimer = undefined;
                const now = this.forwarder.reason;
                if (this.forwarder.status !== "connected" && now !== "") {
                    this.#home.alarms.raise(this.#alarm, `resource down: ${now}`, {
                        reason: "resource_down",
                        resource_id: this.#alarm,
                    });
                }
            }, 200).unref();
        }
    }

    async #target(): Promise<ConnectionTarget> {
        const { server } = this.settings;
        if (server.includes(",")) {
            throw new Error("expecting_one_host_but_got: 2");
        }
        const { host, port } = splitServer(server);
        return targetOf(this.settings, await findWay(this.#home, host, port), host);
    }
}
