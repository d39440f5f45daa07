import { mkdirSync } from "node:fs";
import { isIPv4 } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "./account.mts";
import { type FetchPlan, MachineNetwork } from "./bootItems.mts";
import { BrokerProcess, type NodeBoot } from "./brokerProcess.mts";
import { built } from "./built.mts";
import { type Doors, Internet, type Reached, SocksServer } from "./internet.mts";
import type { WorldLog } from "./log.mts";
import type { Pace } from "./operations.mts";
import { isPrivate, PrivateWorld } from "./tunnels.mts";
import type { Machine } from "./types.mts";

/** How machines get their boot items: by their boot data's own script, or straight from the account. */
export type BootMode = "script" | "quick";

/** Ports on which nodes of one cluster meet. */
const clusterPorts = [4370, 5370];
/** How long the operating system takes to start, ms before the pace. */
const bootMs = 150;
/** Between two attempts of a step that fails, ms. */
const retryMs = 200;

interface Booted {
    machine: Machine;
    state: "waiting" | "booting" | "running" | "gone";
    /** Why it is not running. */
    reason: string;
    boot?: NodeBoot;
    cluster?: BrokerProcess;
}

/** What can be seen of a machine, as its cloud's serial console shows it. */
export interface MachineSight {
    readonly id: string;
    readonly state: Booted["state"];
    readonly reason: string;
    readonly node?: string | undefined;
}

/** Somebody in the world who is no machine of a cloud. */
export interface Host {
    /** The port on loopback behind one of its ports. */
    portOf(port: number): number | undefined;
    readonly asksOrigin: boolean;
    /** Its way to other places. */
    readonly gateway: SocksServer;
}

/** Boots the machines that the account describes, and ends them when it no longer does. */
export class Machines implements Doors {
    readonly internet: Internet;
    readonly world: PrivateWorld;
    readonly #account: Account;
    readonly #folder: string;
    readonly #lease: string;
    readonly #pace: Pace;
    readonly #log: WorldLog;
    readonly #mode: BootMode;
    readonly #network: MachineNetwork;
    readonly #machines = new Map<string, Booted>();
    readonly #clusters = new Map<string, BrokerProcess>();
    readonly #hosts = new Map<string, Host>();
    /** The way of each cluster's nodes to other places. */
    readonly #gateways = new Map<string, Promise<SocksServer>>();
    readonly #work = new Set<Promise<void>>();
    readonly #stopListening: () => void;
    /** Work on one cluster, one after the other. */
    readonly #turns = new Map<string, Promise<void>>();
    #planned: NodeJS.Immediate | undefined;
    #renewals = false;
    #turn = 0;
    #closed = false;

    constructor(parts: {
        readonly account: Account;
        readonly folder: string;
        readonly lease: string;
        readonly pace: Pace;
        readonly log: WorldLog;
        readonly mode: BootMode;
    }) {
        this.#account = parts.account;
        this.#folder = parts.folder;
        this.#lease = parts.lease;
        this.#pace = parts.pace;
        this.#log = parts.log;
        this.#mode = parts.mode;
        mkdirSync(parts.folder, { recursive: true });
        this.#network = new MachineNetwork(parts.folder);
        this.internet = new Internet({ account: parts.account, doors: this, log: parts.log });
        this.world = new PrivateWorld(parts.account);
        this.#stopListening = this.#account.onChange(({ what, object }) => {
            this.#plan();
            if (what === "updated" && /parameter|secret/i.test(object.type)) {
                this.#plan(true);
            }
        });
        this.#plan();
    }

    /** All machines as their consoles show them. */
    sights(): readonly MachineSight[] {
        return [...this.#machines.values()].map(({ machine, state, reason, boot }) => ({
            id: machine.id,
            state,
            reason,
            ...(boot === undefined ? {} : { node: boot.nodeName }),
        }));
    }

    /** Processes that run, by cluster. */
    processes(): ReadonlyMap<string, number> {
        return new Map([...this.#clusters].flatMap(([name, { pid }]) => (pid === undefined ? [] : [[name, pid] as const])));
    }

    /** Puts somebody into the world. */
    addHost(key: string, host: Host): void {
        this.#hosts.set(key, host);
    }

    removeHost(key: string): void {
        this.#hosts.delete(key);
    }

    isReady(key: string): boolean {
        return this.#machines.get(key)?.state === "running";
    }

    portOf(key: string, port: number): number | undefined {
        const booted = this.#machines.get(key);
        return booted?.state === "running" ? booted.cluster?.portOf(port) : this.#hosts.get(key)?.portOf(port);
    }

    asksOrigin(key: string, port: number): boolean {
        return this.#machines.get(key)?.cluster?.asksOrigin(port) ?? this.#hosts.get(key)?.asksOrigin ?? false;
    }

    /** Cuts every connection that nodes have opened: the next ones are decided by the rules as they are then. */
    async cutLinks(): Promise<void> {
        for (const gateway of this.#gateways.values()) {
            (await gateway).cut();
        }
    }

    /** Ends all machines. */
    async close(): Promise<void> {
        this.#closed = true;
        this.#stopListening();
        if (this.#planned !== undefined) {
            clearImmediate(this.#planned);
        }
        for (const booted of this.#machines.values()) {
            booted.state = "gone";
        }
        await Promise.all([...this.#clusters.values()].map((cluster) => cluster.stop()));
        await Promise.all([...this.#gateways.values()].map(async (gateway) => (await gateway).stop()));
        this.#network.stop();
        await Promise.all(this.#work);
    }

    #plan(renew = false): void {
        this.#renewals ||= renew;
        this.#planned ??= setImmediate(() => {
            this.#planned = undefined;
            this.#reconcile();
        });
    }

    #reconcile(): void {
        if (this.#closed) {
            return;
        }
        const now = new Map(
            this.#account.clouds.flatMap((cloud) =>
                cloud.machines(this.#account.view(cloud.name)).map((machine) => [machine.key, machine] as const),
            ),
        );
        for (const [key, booted] of this.#machines) {
            const machine = now.get(key);
            if (machine === undefined) {
                this.#machines.delete(key);
                this.#end(booted, "its instance is gone");
            } else {
                booted.machine = machine;
                if (machine.halted !== undefined && booted.state === "running") {
                    this.#end(booted, machine.halted);
                    this.#machines.delete(key);
                }
            }
        }
        for (const [key, machine] of now) {
            if (!this.#machines.has(key)) {
                const booted: Booted = { machine, state: "waiting", reason: "just made" };
                this.#machines.set(key, booted);
                this.#track(this.#boot(booted));
            }
        }
        if (this.#renewals) {
            this.#renewals = false;
            this.#track(this.#renew());
        }
        for (const { name, state } of this.world.news()) {
            this.#log.say(`tunnel ${name}`, state);
        }
        for (const gateway of this.#gateways.values()) {
            void gateway.then((made) => made.check());
        }
        for (const { gateway } of this.#hosts.values()) {
            gateway.check();
        }
    }

    #track(work: Promise<void>): void {
        const safe = work.catch((error: unknown) => this.#log.say("world", `fault of the simulation: ${String(error)}`));
        this.#work.add(safe);
        void safe.finally(() => this.#work.delete(safe));
    }

    #end(booted: Booted, reason: string): void {
        const { boot, cluster, machine } = booted;
        const wasRunning = booted.state === "running";
        booted.state = "gone";
        // A machine that has lost its disk has ended already, and only now its instance goes.
        if (wasRunning) {
            this.#log.say(machine.id, `ends: ${reason}`);
        }
        const node = boot?.nodeName;
        const replaced = [...this.#machines.values()].some((other) => other.state === "running" && other.boot?.nodeName === node);
        if (wasRunning && node !== undefined && cluster !== undefined && !replaced) {
            this.#track(cluster.leave(node));
        }
    }

    async #boot(booted: Booted): Promise<void> {
        const tell = (reason: string) => {
            if (reason !== booted.reason) {
                booted.reason = reason;
                this.#log.say(booted.machine.id, reason);
            }
        };
        let started = false;
        while (booted.state !== "gone") {
            const { machine } = booted;
            const hindrance = machine.halted ?? machine.waitsFor;
            if (hindrance !== undefined) {
                tell(`waits: ${hindrance}`);
                await sleep(Math.min(retryMs, 50));
                continue;
            }
            booted.state = "booting";
            if (!started) {
                started = true;
                tell("boots");
                await sleep(bootMs * this.#pace.factor);
            }
            try {
                await this.#come(booted);
                return;
            } catch (error) {
                tell(`FAILED: ${error instanceof Error ? error.message : String(error)}`);
                await sleep(retryMs);
            }
        }
    }

    /** One attempt to bring a machine's node up. */
    async #come(booted: Booted): Promise<void> {
        const { machine } = booted;
        const { settings, nodeConfig, acl, files } = built.userData().readUserData(machine.userData);
        const script = files["/etc/linkspan/fetch-item.sh"]?.content ?? "";
        const items = await this.#fetch(machine, { script, settings, items: built.bootItems().bootItemNames });
        const clusterName = settings.LINKSPAN_CLUSTER ?? "";
        const nodeName = settings.LINKSPAN_NODE ?? "";
        if (nodeName.split("@")[1] !== machine.address) {
            throw new Error(`node name ${nodeName}, but the machine's address is ${machine.address}`);
        }
        const cluster = this.#cluster(clusterName);
        const companions = [...this.#machines.values()].filter((other) => other.state === "running" && other.cluster === cluster);
        for (const { machine: other, boot } of companions) {
            for (const port of clusterPorts) {
                if (!machine.meets(other.address, port) || !other.meets(machine.address, port)) {
                    throw new Error(`${nodeName} and ${boot?.nodeName ?? ""} do not reach each other on port ${port}`);
                }
            }
        }
        const boot: NodeBoot = {
            clusterName,
            nodeName,
            version: settings.LINKSPAN_EMQX_VERSION ?? "",
            nodeConfig,
            acl,
            items,
            disk: machine.disk,
        };
        await this.#inTurn(clusterName, async () => {
            if (booted.state === "gone") {
                return;
            }
            await cluster.join(boot, (await this.#gateway(cluster)).port);
            booted.boot = boot;
            booted.cluster = cluster;
            booted.state = "running";
            booted.reason = "";
            this.#log.say(machine.id, `runs ${nodeName} of ${clusterName}`);
        });
    }

    /** One after the other for each cluster. */
    async #inTurn(clusterName: string, work: () => Promise<void>): Promise<void> {
        const before = this.#turns.get(clusterName) ?? Promise.resolve();
        const own = before.catch(() => {}).then(work);
        this.#turns.set(clusterName, own);
        await own;
    }

    async #fetch(machine: Machine, plan: FetchPlan): Promise<ReadonlyMap<string, string>> {
        if (this.#mode === "quick") {
            const found = new Map(
                plan.items.flatMap((item) => {
                    const value = machine.item(plan.settings, item);
                    return value === undefined ? [] : [[item, value] as const];
                }),
            );
            const missing = plan.items.filter((item) => !found.has(item));
            if (missing.length > 0) {
                throw new Error(`not in the secret store, or not to be read: ${missing.join(" ")}`);
            }
            return found;
        }
        const { items, missing, said } = await this.#network.fetch(machine, plan);
        if (missing.length > 0) {
            throw new Error(`not in the secret store, or not to be read: ${missing.join(" ")}${said === "" ? "" : ` (${said})`}`);
        }
        return items;
    }

    /** Certificates that have changed reach the brokers, as the machines' timer does it. */
    async #renew(): Promise<void> {
        await sleep(20);
        for (const booted of this.#machines.values()) {
            const { machine, boot, cluster } = booted;
            if (booted.state !== "running" || boot === undefined) {
                continue;
            }
            const names = built.bootItems().bootItemNames.filter((name) => /^ca$|-(cert|key)$/.test(name));
            const { settings, files } = built.userData().readUserData(machine.userData);
            const script = files["/etc/linkspan/fetch-item.sh"]?.content ?? "";
            const fresh = await this.#fetch(machine, { script, settings, items: names }).catch(() => new Map<string, string>());
            const items = new Map([...boot.items, ...fresh]);
            if (names.some((name) => items.get(name) !== boot.items.get(name)) && booted.boot === boot) {
                booted.boot = { ...boot, items };
                cluster?.renew(booted.boot);
                this.#log.say(machine.id, "takes renewed certificates");
            }
        }
    }

    #cluster(name: string): BrokerProcess {
        const known = this.#clusters.get(name) ?? new BrokerProcess(name, join(this.#folder, name), this.#lease);
        this.#clusters.set(name, known);
        return known;
    }

    #gateway(cluster: BrokerProcess): Promise<SocksServer> {
        const known =
            this.#gateways.get(cluster.clusterName) ??
            (async () => {
                const made = new SocksServer((host, port) => this.#leave(cluster, host, port));
                await made.start();
                return made;
            })();
        this.#gateways.set(cluster.clusterName, known);
        return known;
    }

    /** A connection of one of a cluster's nodes: out of its own network, over the internet, into the other's door. */
    #leave(cluster: BrokerProcess, host: string, port: number): Reached {
        const nodes = [...this.#machines.values()].filter((each) => each.state === "running" && each.cluster === cluster);
        this.#turn += 1;
        const from = nodes[this.#turn % Math.max(1, nodes.length)]?.machine;
        if (from === undefined) {
            return { dropped: "no node runs" };
        }
        const target = from.names.get(host) ?? host;
        const addresses = isIPv4(target) ? [target] : this.internet.lookup(target);
        const [address] = addresses;
        if (address === undefined) {
            return this.#told(from, host, { unknown: `${from.id} finds no address of ${target}` });
        }
        if (isPrivate(address)) {
            const reached = addresses.map((each) => this.#goPrivately(from, each, port));
            const arrived = reached.find((each) => "port" in each);
            return arrived ?? this.#told(from, `${host} (${address})`, reached[0] ?? { dropped: `${host} has no address` });
        }
        const blocked = from.blocked(address, port);
        const source = from.egress[this.#turn % Math.max(1, from.egress.length)];
        return blocked !== undefined || source === undefined
            ? this.#told(from, host, { dropped: blocked ?? `${from.id} has no public address` })
            : this.internet.reach(source, target, port);
    }

    /** A connection to another network's private address, with the machine's own as its source: over whatever joins the two networks. */
    #goPrivately(from: Machine, address: string, port: number): Reached {
        const route = () => {
            const blocked = from.blocked(address, port);
            const network = this.world.networks.find(({ holds }) => holds(from.id));
            return blocked !== undefined || network === undefined
                ? { dropped: blocked ?? `${from.id} is in no network` }
                : this.world.reach(network, { source: from.address, address, port }, (key) => this.isReady(key));
        };
        const reached = this.internet.arrive(route(), { source: from.address, address, port });
        return "port" in reached ? { ...reached, lasts: () => "machines" in route() } : reached;
    }

    #told(from: Machine, host: string, reached: Reached): Reached {
        this.#log.say("internet", `${from.id} does not reach ${host}: ${JSON.stringify(reached)}`);
        return reached;
    }
}
