import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AclRule, LocalBrokerConfig } from "../../src/local/broker/config.js";
import type { Member } from "../../src/local/broker/members.js";
import { built } from "./built.mts";

/** What a booted machine brings to its cluster. */
export interface NodeBoot {
    readonly clusterName: string;
    /** `node.name`, such as `emqx@10.1.0.4`. */
    readonly nodeName: string;
    readonly version: string;
    /** `emqx.conf` as rendered. */
    readonly nodeConfig: string;
    /** The rule file as rendered. */
    readonly acl: string;
    /** The boot items as fetched. */
    readonly items: ReadonlyMap<string, string>;
    /** The data disk's identity. */
    readonly disk: string;
}

/** What `emqx.conf` says, as far as a stand-in follows it. */
interface Conf {
    readonly cluster: { readonly name: string };
    readonly node: { readonly name: string };
    readonly dashboard: { readonly listeners: { readonly https: { readonly bind: string } } };
    readonly listeners: {
        readonly ssl: { readonly default: { readonly bind: string }; readonly links: { readonly bind: string } };
    };
    readonly authorization: { readonly no_match: "allow" | "deny" };
}

/** How long a broker may take to start or to end, ms. */
const patienceMs = 30_000;

/**
 * The local broker that stands for one cluster, however many nodes that has. It starts with the first node and ends with the last;
 * what it has stored lives as long as a data disk of the cluster does.
 */
export class BrokerProcess {
    readonly clusterName: string;
    readonly #folder: string;
    readonly #lease: string;
    #child: ChildProcess | undefined;
    #ports: LocalBrokerConfig["ports"] | undefined;
    /** Ports of the machines, by what is served there. */
    #doors = new Map<number, "mqtts" | "links" | "api">();
    #cookie = "";
    #gateway = 0;
    readonly #members = new Map<string, Member>();
    readonly #disks = new Set<string>();

    constructor(clusterName: string, folder: string, lease: string) {
        this.clusterName = clusterName;
        this.#folder = folder;
        this.#lease = lease;
        mkdirSync(folder, { recursive: true });
    }

    get pid(): number | undefined {
        return this.#child?.pid;
    }

    get running(): boolean {
        return this.#child !== undefined;
    }

    /** Names of the nodes that run. */
    get nodes(): readonly string[] {
        return [...this.#members.values()].filter(({ status }) => status === "running").map(({ node }) => node);
    }

    /** The port on loopback behind a port of the machines. */
    portOf(port: number): number | undefined {
        const door = this.#doors.get(port);
        return this.running && door !== undefined ? this.#ports?.[door] : undefined;
    }

    /** Whether whoever connects to a port of the machines says first for whom. */
    asksOrigin(port: number): boolean {
        return this.#doors.get(port) === "links";
    }

    /**
     * Starts a node. Throws with the reason where a real one would not come up or not join.
     *
     * @param gateway port of the SOCKS 5 server that stands for the nodes' network
     */
    async join(boot: NodeBoot, gateway: number): Promise<void> {
        const conf = JSON.parse(boot.nodeConfig) as Conf;
        if (conf.cluster.name !== this.clusterName || conf.node.name !== boot.nodeName) {
            throw new Error(`emqx.conf is of ${conf.node.name} in ${conf.cluster.name}, the machine of ${boot.nodeName}`);
        }
        const cookie = this.#item(boot, "cookie");
        if (this.nodes.length > 0 && cookie !== this.#cookie) {
            throw new Error("another cookie than the running nodes have");
        }
        if (this.nodes.length === 0 && !this.#disks.has(boot.disk)) {
            rmSync(join(this.#folder, "data"), { recursive: true, force: true });
            this.#disks.clear();
            this.#members.clear();
        }
        this.#disks.add(boot.disk);
        this.#cookie = cookie;
        this.#doors = new Map([
            [portOfBind(conf.listeners.ssl.default.bind), "mqtts"],
            [portOfBind(conf.listeners.ssl.links.bind), "links"],
            [portOfBind(conf.dashboard.listeners.https.bind), "api"],
        ]);
        this.#ports ??= await freePorts();
        this.#gateway = gateway;
        this.#writeConfig(boot, conf, this.#ports);
        this.#mark({ node: boot.nodeName, status: "running", startedAt: Date.now(), version: boot.version });
        if (this.#child === undefined) {
            await this.#start();
        } else {
            this.#child.kill("SIGHUP");
        }
    }

    /** Takes certificates that were renewed. */
    renew(boot: NodeBoot): void {
        if (this.#child !== undefined && this.#ports !== undefined) {
            this.#writeConfig(boot, JSON.parse(boot.nodeConfig) as Conf, this.#ports);
            this.#child.kill("SIGHUP");
        }
    }

    /** Ends a node. The cluster lists it as stopped until it leaves or comes back. */
    async leave(nodeName: string): Promise<void> {
        const member = this.#members.get(nodeName);
        if (member === undefined) {
            return;
        }
        this.#mark({ ...member, status: "stopped" });
        if (this.nodes.length === 0) {
            await this.stop();
        }
    }

    /** Ends the process. */
    async stop(): Promise<void> {
        const child = this.#child;
        this.#child = undefined;
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
            return;
        }
        const gone = new Promise<void>((done) => child.once("exit", () => done()));
        child.kill("SIGTERM");
        const late = setTimeout(() => child.kill("SIGKILL"), 5_000);
        await gone;
        clearTimeout(late);
    }

    #mark(member: Member): void {
        const file = this.#membersFile;
        // The broker itself takes out stopped nodes that were made to leave.
        if (existsSync(file)) {
            const { nodes } = JSON.parse(readFileSync(file, "utf8")) as { nodes: readonly Member[] };
            for (const [node, { status }] of this.#members) {
                if (status === "stopped" && !nodes.some((each) => each.node === node)) {
                    this.#members.delete(node);
                }
            }
        }
        this.#members.set(member.node, member);
        this.#write(file, { nodes: [...this.#members.values()] });
    }

    get #membersFile(): string {
        return join(this.#folder, "members.json");
    }

    #item({ items }: NodeBoot, name: string): string {
        const value = items.get(name);
        if (value === undefined || value === "") {
            throw new Error(`the boot item ${name} is missing`);
        }
        return value;
    }

    #writeConfig(boot: NodeBoot, conf: Conf, ports: LocalBrokerConfig["ports"]): void {
        const item = (name: string) => this.#item(boot, name);
        const linkCert = item("link-cert");
        const config: LocalBrokerConfig = {
            version: 1,
            siteName: this.clusterName,
            clusterName: this.clusterName,
            nodeName: boot.nodeName,
            reportedVersion: boot.version,
            bind: "127.0.0.1",
            ports,
            tls: {
                ca: item("ca"),
                serverCert: item("server-cert"),
                serverKey: item("server-key"),
                linkCert,
                linkKey: item("link-key"),
            },
            api: item("api-keys")
                .split("\n")
                .filter((line) => line !== "")
                .map((line) => {
                    const [key = "", secret = ""] = line.split(":");
                    return { key, secretHash: sha256(secret), role: "administrator" as const };
                }),
            users: readUsers(item("users")),
            acl: readAcl(boot.acl),
            noMatch: conf.authorization.no_match,
            // Nobody looks there: peers find this door by their own clouds' records, and by the gateway.
            namesDir: join(this.#folder, "names"),
            linkHost: "own-link-door",
            gateway: { host: "127.0.0.1", port: this.#gateway },
            // Peers come from addresses of the simulated world, which are seen in the list of clients.
            proxyProtocol: true,
            leaseFile: this.#lease,
            membersFile: this.#membersFile,
            limits: { evacuationWaitMs: 500 },
        };
        this.#write(join(this.#folder, "config.json"), config);
    }

    #write(path: string, value: unknown): void {
        writeFileSync(`${path}.new`, JSON.stringify(value), { mode: 0o600 });
        renameSync(`${path}.new`, path);
    }

    async #start(): Promise<void> {
        const ready = join(this.#folder, "ready.json");
        rmSync(ready, { force: true });
        const child = spawn(process.execPath, [built.broker, this.#folder], {
            stdio: "ignore",
            env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "" },
        });
        this.#child = child;
        child.once("exit", () => {
            if (this.#child === child) {
                this.#child = undefined;
            }
        });
        const deadline = Date.now() + patienceMs;
        while (!existsSync(ready)) {
            if (Date.now() > deadline || this.#child !== child) {
                await this.stop();
                throw new Error("the broker's process did not start");
            }
            await sleep(10);
        }
        const { error } = JSON.parse(readFileSync(ready, "utf8")) as { error?: string };
        if (error !== undefined) {
            await this.stop();
            throw new Error(error);
        }
    }
}

function portOfBind(bind: string): number {
    return Number(bind.slice(bind.lastIndexOf(":") + 1));
}

/** Users of EMQX's bootstrap file; fields with quotes as CSV has them. */
function readUsers(csv: string): LocalBrokerConfig["users"] {
    const [header = "", ...lines] = csv.trim().split("\n");
    if (header.trim() !== "user_id,password,is_superuser") {
        throw new Error("the users' file has another header than EMQX takes");
    }
    return lines.map((line) => {
        const fields = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
            quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'),
        );
        const [username = "", password = "", superuser = "false"] = fields;
        const salt = sha256(username).slice(0, 16);
        return { username, passwordHash: sha256(password + salt), salt, superuser: superuser.trim() === "true" };
    });
}

/** EMQX's rule file as the stand-in's rules. */
function readAcl(text: string): readonly AclRule[] {
    const rules = built.aclFile().parseAclFile(text);
    if (rules === undefined) {
        throw new Error("the rule file has a form that is not understood");
    }
    return rules.flatMap(({ permission, who, action, topics }): AclRule[] => {
        const filters = topics?.map(({ filter, exact }) => (exact ? `eq ${filter}` : filter)) ?? ["#"];
        if (who.kind === "atom" && who.value === "all") {
            return [{ permission, action, topics: filters }];
        }
        const [kind, name] = who.kind === "tuple" ? who.items : [];
        if (kind?.kind === "atom" && ["user", "username"].includes(kind.value) && name?.kind === "text") {
            return [{ permission, action, topics: filters, username: name.value }];
        }
        throw new Error("the rule file speaks of somebody whom the stand-in does not know");
    });
}

function sha256(text: string): string {
    return createHash("sha256").update(text).digest("hex");
}

/** Free ports below the range that the system gives to outgoing connections: a broker that restarts finds its own free again. */
async function freePorts(): Promise<LocalBrokerConfig["ports"]> {
    const found: number[] = [];
    while (found.length < 3) {
        const port = 12_000 + Math.floor(Math.random() * 20_000);
        const server = createServer();
        const free = await new Promise<boolean>((done) => {
            server.once("error", () => done(false));
            server.listen(port, "127.0.0.1", () => done(true));
        });
        if (free) {
            await new Promise((done) => server.close(done));
            found.push(port);
        }
    }
    const [mqtts = 0, links = 0, api = 0] = [...new Set(found)];
    return { mqtt: 0, mqtts, links, api };
}
