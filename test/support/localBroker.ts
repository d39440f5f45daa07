import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { type Broker, startBroker } from "../../src/local/broker/broker.js";
import type { AclRule, BrokerLimits, BrokerPorts, LocalBrokerConfig } from "../../src/local/broker/config.js";
import type { Log } from "../../src/local/broker/log.js";
import { startTimeOf } from "../../src/local/broker/processIdentity.js";
import { builtBroker } from "./builtBroker.js";
import { type TestAuthority, type TestCertificate, testAuthority } from "./testCertificates.js";

const mesh = "lab";
const apiKey = "lab-key";
const apiSecret = "lab-secret";

/** The user that test devices log in as. */
export const device = { username: "device", password: "device-password" } as const;
/** An administrator's API key; `viewer` may only read. */
export const api = { key: apiKey, secret: apiSecret, viewer: "viewer-key" } as const;

export interface TestSiteOptions {
    readonly limits?: BrokerLimits;
    readonly acl?: readonly AclRule[];
    readonly noMatch?: "allow" | "deny";
    /** Open the plain MQTT listener too. @default false */
    readonly plain?: boolean;
    /** Run as a process of its own instead of inside the test. @default false */
    readonly process?: boolean;
    readonly log?: Log;
}

export interface ApiAnswer {
    readonly status: number;
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
    readonly body: any;
    readonly text: string;
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** Password of a site's link user on its peers. */
export const linkPassword = (site: string) => `link-password-${site}`;

/**
 * Ports on loopback that are free at the time of asking. They are below the range that the system gives to outgoing connections, so that a
 * broker which restarts finds its port free again.
 */
export async function freePorts(count: number): Promise<number[]> {
    const ports: number[] = [];
    while (ports.length < count) {
        const port = 12_000 + Math.floor(Math.random() * 20_000);
        const server = createServer();
        const free = await new Promise<boolean>((resolve) => {
            server.once("error", () => resolve(false));
            server.listen(port, "127.0.0.1", () => resolve(true));
        });
        if (free) {
            await new Promise((resolve) => server.close(resolve));
        }
        if (free && !ports.includes(port)) {
            ports.push(port);
        }
    }
    return ports;
}

/** One broker of a test, with its files in a folder of its own. */
export class TestSite {
    readonly name: string;
    readonly clusterName: string;
    readonly linkHost: string;
    readonly stateDir: string;
    readonly namesDir: string;
    readonly authority: TestAuthority;
    readonly linkCertificate: TestCertificate;
    config: LocalBrokerConfig;
    readonly #options: TestSiteOptions;
    #broker: Broker | undefined;
    #child: ChildProcess | undefined;
    readonly #clients = new Set<MqttClient>();

    constructor(
        name: string,
        stateDir: string,
        authority: TestAuthority,
        linkCertificate: TestCertificate,
        config: LocalBrokerConfig,
        options: TestSiteOptions,
    ) {
        this.name = name;
        this.clusterName = config.clusterName;
        this.linkHost = config.linkHost;
        this.stateDir = stateDir;
        this.namesDir = config.namesDir;
        this.authority = authority;
        this.linkCertificate = linkCertificate;
        this.config = config;
        this.#options = options;
    }

    get ports(): BrokerPorts {
        return this.config.ports;
    }

    /** The broker itself, when it runs inside the test. */
    get broker(): Broker {
        if (this.#broker === undefined) {
            throw new Error(`the broker of ${this.name} does not run in this process`);
        }
        return this.#broker;
    }

    get pid(): number {
        return this.#child?.pid ?? 0;
    }

    async start(): Promise<void> {
        if (this.#options.process !== true) {
            const { log } = this.#options;
            this.#broker = await startBroker(this.config, { stateDir: this.stateDir, ...(log === undefined ? {} : { log }) });
            return;
        }
        const ready = join(this.stateDir, "ready.json");
        rmSync(ready, { force: true });
        writeFileSync(join(this.stateDir, "config.json"), JSON.stringify(this.config), { mode: 0o600 });
        this.#child = spawn(process.execPath, [builtBroker(), this.stateDir], { stdio: ["ignore", "inherit", "inherit"] });
        const end = Date.now() + 20_000;
        while (!existsSync(ready)) {
            if (Date.now() > end || this.#child.exitCode !== null) {
                throw new Error(`the broker of ${this.name} did not become ready: ${this.logText()}`);
            }
            await new Promise((resolve) => setTimeout(resolve, 10));
        }
        const { error } = JSON.parse(readFileSync(ready, "utf8")) as { error?: string };
        if (error !== undefined) {
            throw new Error(`the broker of ${this.name} failed: ${error}`);
        }
    }

    /** Stops the broker in an orderly way. */
    async stop(): Promise<void> {
        const broker = this.#broker;
        this.#broker = undefined;
        await broker?.stop();
        await this.#signal("SIGTERM");
    }

    /** Kills a broker that runs as a process. */
    async kill(): Promise<void> {
        await this.#signal("SIGKILL");
    }

    /** Sends a signal that does not end the process. */
    freeze(signal: "SIGSTOP" | "SIGCONT"): void {
        this.#child?.kill(signal);
    }

    async #signal(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
        const child = this.#child;
        this.#child = undefined;
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
            return;
        }
        const gone = new Promise((resolve) => child.once("exit", resolve));
        child.kill(signal);
        if (signal === "SIGTERM") {
            child.kill("SIGCONT");
        }
        await gone;
    }

    /** Resolves when the process has ended by itself. */
    async ended(): Promise<number | null> {
        const child = this.#child;
        if (child === undefined || child.exitCode !== null) {
            return child?.exitCode ?? null;
        }
        return await new Promise((resolve) => child.once("exit", resolve));
    }

    logText(): string {
        try {
            return readFileSync(join(this.stateDir, "broker.log"), "utf8");
        } catch {
            return "";
        }
    }

    /** Calls the REST API. */
    async api(
        method: string,
        path: string,
        body?: unknown,
        auth: string | undefined = `${apiKey}:${apiSecret}`,
    ): Promise<ApiAnswer> {
        const payload = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
        return await new Promise((resolve, reject) => {
            const call = request(
                {
                    host: "127.0.0.1",
                    port: this.ports.api,
                    method,
                    path,
                    ca: this.authority.ca,
                    agent: false,
                    headers: {
                        ...(auth === undefined || auth === ""
                            ? {}
                            : { authorization: `Basic ${Buffer.from(auth).toString("base64")}` }),
                        ...(payload === undefined
                            ? {}
                            : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
                    },
                },
                (response) => {
                    const parts: Buffer[] = [];
                    response.on("data", (part: Buffer) => parts.push(part));
                    response.on("end", () => {
                        const text = Buffer.concat(parts).toString("utf8");
                        const json = response.headers["content-type"]?.includes("json") === true;
                        resolve({ status: response.statusCode ?? 0, body: json ? JSON.parse(text) : undefined, text });
                    });
                },
            );
            call.on("error", reject);
            call.end(payload);
        });
    }

    /** Connects a device over TLS. It reconnects by itself until the test ends. */
    async connect(options: IClientOptions = {}): Promise<MqttClient> {
        const client = mqtt.connect(this.#address(options));
        this.#clients.add(client);
        client.on("connect", () => (client.stream as unknown as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true));
        client.on("error", () => {});
        await new Promise<void>((resolve, reject) => {
            client.once("connect", () => resolve());
            client.once("error", (error) => (options.reconnectPeriod === 0 ? reject(error) : undefined));
            client.once("close", () => (options.reconnectPeriod === 0 ? reject(new Error("connection closed")) : undefined));
        });
        return client;
    }

    #address(options: IClientOptions): IClientOptions {
        return {
            protocol: "mqtts",
            host: "127.0.0.1",
            port: this.ports.mqtts,
            protocolVersion: 4,
            ca: this.authority.ca,
            reconnectPeriod: 100,
            ...device,
            ...options,
        };
    }

    /** Body of the link that makes this site receive a peer's messages. */
    linkBody(peer: TestSite, topics: readonly string[], more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
        return {
            name: peer.clusterName,
            server: `${peer.linkHost}:8884`,
            clientid: `${this.clusterName}-`,
            username: `link-${this.clusterName}`,
            password: linkPassword(this.name),
            topics,
            pool_size: 2,
            retry_interval: "1s",
            resource_opts: { health_check_interval: "1s" },
            ssl: {
                enable: true,
                verify: "verify_peer",
                cacertfile: this.authority.ca,
                certfile: this.linkCertificate.cert,
                keyfile: this.linkCertificate.key,
                server_name_indication: peer.linkHost,
            },
            ...more,
        };
    }

    async link(peer: TestSite, topics: readonly string[], more: Readonly<Record<string, unknown>> = {}): Promise<void> {
        const answer = await this.api("POST", "/api/v5/cluster/links", this.linkBody(peer, topics, more));
        if (answer.status !== 201) {
            throw new Error(`link ${this.name} -> ${peer.name}: ${answer.status} ${answer.text}`);
        }
    }

    /** Points this site's name of a peer's link door at another port, for example of a relay. */
    nameTo(peer: TestSite, port: number): void {
        writeFileSync(join(this.namesDir, peer.linkHost), JSON.stringify({ host: "127.0.0.1", port }));
    }

    async linkStatus(peer: TestSite): Promise<string> {
        return (await this.api("GET", `/api/v5/cluster/links/link/${peer.clusterName}`)).body?.status;
    }

    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
    async linkMetrics(peer: TestSite): Promise<any> {
        return (await this.api("GET", `/api/v5/cluster/links/link/${peer.clusterName}/metrics`)).body?.metrics;
    }

    /** Ends the devices and the broker. */
    async close(): Promise<void> {
        await Promise.all([...this.#clients].map((client) => client.endAsync(true)));
        this.#clients.clear();
        await this.stop();
    }
}

export interface TestSites<Name extends string> {
    readonly sites: Readonly<Record<Name, TestSite>>;
    readonly folder: string;
    /** Stops everything and removes all files. */
    close(): Promise<void>;
}

/** Makes ready brokers with a common test CA, not linked yet. Every site knows the link users of all others. */
export async function localBrokers<Name extends string>(
    names: readonly Name[],
    options: TestSiteOptions = {},
): Promise<TestSites<Name>> {
    const folder = mkdtempSync(join(tmpdir(), "linkspan-broker-"));
    const authority = await testAuthority();
    const server = await authority.server();
    const sites: [Name, TestSite][] = [];
    for (const name of names) {
        const stateDir = join(folder, name);
        const namesDir = join(folder, `names-${name}`);
        mkdirSync(stateDir, { recursive: true });
        mkdirSync(namesDir, { recursive: true });
        const linkHost = `${name}.link.${mesh}.internal`;
        const link = await authority.link(linkHost);
        const [mqtt = 0, mqtts = 0, links = 0, apiPort = 0] = await freePorts(4);
        const user = (username: string, password: string) => ({
            username,
            passwordHash: sha256(`${password}salt`),
            salt: "salt",
            superuser: false,
        });
        const config: LocalBrokerConfig = {
            version: 1,
            siteName: name,
            clusterName: `${mesh}-${name}`,
            nodeName: `${mesh}-${name}@127.0.0.1`,
            reportedVersion: "5.10.3",
            bind: "127.0.0.1",
            ports: { mqtt: options.plain === true ? mqtt : 0, mqtts, links, api: apiPort },
            tls: {
                ca: authority.ca,
                serverCert: server.cert,
                serverKey: server.key,
                linkCert: link.cert,
                linkKey: link.key,
            },
            api: [
                { key: apiKey, secretHash: sha256(apiSecret), role: "administrator" },
                { key: api.viewer, secretHash: sha256(apiSecret), role: "viewer" },
            ],
            users: [
                user(device.username, device.password),
                ...names.filter((peer) => peer !== name).map((peer) => user(`link-${mesh}-${peer}`, linkPassword(peer))),
            ],
            acl: options.acl ?? [],
            noMatch: options.noMatch ?? "allow",
            namesDir,
            linkHost,
            // A test that is killed leaves no broker behind.
            ...(options.process === true ? { lease: { pid: process.pid, startTime: startTimeOf(process.pid) ?? "" } } : {}),
            ...(options.limits === undefined ? {} : { limits: options.limits }),
        };
        sites.push([name, new TestSite(name, stateDir, authority, link, config, options)]);
    }
    // Every site has its own names, so that a test can lead one direction through a relay.
    for (const [, site] of sites) {
        for (const [, peer] of sites) {
            if (peer !== site) {
                writeFileSync(join(site.namesDir, peer.linkHost), JSON.stringify({ host: "127.0.0.1", port: peer.ports.links }));
            }
        }
    }
    const close = async () => {
        await Promise.all(sites.map(([, site]) => site.close()));
        rmSync(folder, { recursive: true, force: true });
    };
    try {
        await Promise.all(sites.map(([, site]) => site.start()));
    } catch (error) {
        await close();
        throw error;
    }
    return { sites: Object.fromEntries(sites) as Record<Name, TestSite>, folder, close };
}

/** Links every site with every other in both directions. */
export async function linkAll(
    sites: readonly TestSite[],
    topics: readonly string[],
    more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
    for (const site of sites) {
        for (const peer of sites) {
            if (site !== peer) {
                await site.link(peer, topics, more);
            }
        }
    }
    await until(async () => {
        for (const site of sites) {
            for (const peer of sites) {
                if (site !== peer && (await site.linkStatus(peer)) !== "connected") {
                    return false;
                }
            }
        }
        return true;
    }, "all links connected");
}

/** Waits until something holds; fails with its name after `ms`. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, ms = 15_000): Promise<void> {
    const end = Date.now() + ms;
    while (!(await holds())) {
        if (Date.now() > end) {
            throw new Error(`waited ${ms} ms in vain for: ${what}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}
