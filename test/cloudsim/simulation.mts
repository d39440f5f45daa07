import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { identify } from "../../scripts/processLock.mts";
import { Account } from "./account.mts";
import { aws } from "./aws/index.mts";
import { azure } from "./azure/index.mts";
import { Faults } from "./faults.mts";
import { gcp } from "./gcp/index.mts";
import { SocksServer } from "./internet.mts";
import { WorldLog } from "./log.mts";
import { type BootMode, Machines } from "./machines.mts";
import { Operations, type Pace } from "./operations.mts";
import { writePlugins, writePort } from "./plugins.mts";
import { ProviderServer } from "./providerServer.mts";
import type { Cloud } from "./types.mts";

export interface SimulationOptions {
    /** Where the account, the plugins and the machines' files are. A folder that an earlier simulation left is gone on with. */
    readonly folder: string;
    /** @default all */
    readonly clouds?: readonly Cloud[];
    /** Multiplies every duration of the clouds; 0: nothing takes time. @default 1 */
    readonly pace?: number;
    /** Public address that the machine which runs Pulumi has. @default "203.0.113.7" */
    readonly deployer?: string;
    /** How machines get their boot items: `script` runs what the boot data brings, `quick` asks the account. @default "script" */
    readonly boot?: BootMode;
}

/** Simulated clouds in this process: an account, its provider plugins, its machines and the internet between them. */
export class Simulation {
    readonly folder: string;
    readonly account: Account;
    readonly faults = new Faults();
    readonly pace: Pace;
    readonly log: WorldLog;
    readonly machines: Machines;
    /** The way of this machine into the simulated internet. */
    readonly internet: SocksServer;
    /** The public address that this machine comes from. */
    deployer: string;
    readonly #bin: string;
    readonly #servers: readonly ProviderServer[];

    private constructor(options: SimulationOptions) {
        this.folder = resolve(options.folder);
        mkdirSync(this.folder, { recursive: true, mode: 0o700 });
        const clouds = options.clouds ?? allClouds;
        this.account = new Account(join(this.folder, "account.json"), clouds);
        this.pace = { factor: options.pace ?? 1 };
        this.#bin = writePlugins(
            this.folder,
            clouds.map(({ name }) => name),
        );
        this.#servers = clouds.map(
            (cloud) => new ProviderServer(new Operations(cloud, this), (port) => writePort(this.folder, cloud.name, port)),
        );
        // Whatever it starts ends with this process.
        writeFileSync(this.lease, JSON.stringify(identify()));
        this.log = new WorldLog(join(this.folder, "world.log"));
        this.machines = new Machines({
            account: this.account,
            folder: join(this.folder, "machines"),
            lease: this.lease,
            pace: this.pace,
            log: this.log,
            mode: options.boot ?? "script",
        });
        this.deployer = options.deployer ?? "203.0.113.7";
        this.internet = new SocksServer((host, port) => this.machines.internet.reach(this.deployer, host, port));
    }

    /** Starts it. It ends with {@link close}, and what it has started ends with this process at the latest. */
    static async open(options: SimulationOptions): Promise<Simulation> {
        const simulation = new Simulation(options);
        await Promise.all([simulation.internet.start(), ...simulation.#servers.map((server) => server.start())]);
        return simulation;
    }

    /** File that names this process; brokers end when it is gone. */
    get lease(): string {
        return join(this.folder, "lease.json");
    }

    /** Address for `reach: { proxy }`. */
    get proxy(): string {
        return `socks5://127.0.0.1:${this.internet.port}`;
    }

    /** The environment in which the Pulumi CLI finds the simulated clouds instead of the real ones. */
    env(base: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
        return {
            ...base,
            PATH: [this.#bin, base.PATH ?? ""].join(delimiter),
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
            PULUMI_IGNORE_AMBIENT_PLUGINS: undefined,
            CLOUDSIM_PROXY: this.proxy,
        };
    }

    /** Ends everything; the account's file stays. */
    async close(): Promise<void> {
        for (const server of this.#servers) {
            server.stop();
        }
        await this.internet.stop();
        await this.machines.close();
        this.account.save();
        rmSync(this.lease, { force: true });
    }
}

const allClouds: readonly Cloud[] = [aws, gcp, azure];
