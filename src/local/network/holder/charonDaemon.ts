import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../../../errors.js";
import { userspaceInterface } from "../../../ipsec/device.js";
import { routesChild } from "../../../ipsec/swanctl.js";
import { type CommandResult, must, run } from "./commands.js";
import { Daemon } from "./daemon.js";
import type { CharonPlan } from "./plan.js";
import { readSas } from "./sas.js";

const startMs = 10_000;
const answerFirstMs = 1_500;
/** When it is looked first whether all tunnels are there, and how far apart later looks come to be. */
const firstLookMs = 1_500;
const lastLookMs = 60_000;

/** strongSwan's daemon at one end of tunnels. Every one has a namespace, a TUN device and a `/run` of its own. */
export class CharonDaemon {
    readonly #namespace: string;
    readonly #folder: string;
    readonly #daemon: Daemon;
    #now: CharonPlan | undefined;
    /** Where the log was when the tunnels last changed: what is older is of no interest. */
    #logStart = 0;
    #look: NodeJS.Timeout | undefined;
    #stopped = false;

    constructor(
        namespace: string,
        folder: string,
        program: string,
        log: (event: string, detail: Record<string, unknown>) => void,
    ) {
        this.#namespace = namespace;
        this.#folder = folder;
        this.#daemon = new Daemon(
            `charon of ${namespace}`,
            () => {
                // A socket of an earlier daemon would be taken for the new one's.
                rmSync(join(folder, "charon.vici"), { force: true });
                rmSync(join(folder, "charon.pid"), { force: true });
                return {
                    command: "ip",
                    args: ["netns", "exec", namespace, "sh", "-c", 'mount --bind "$0" /run && exec "$1"', folder, program],
                    env: { STRONGSWAN_CONF: "/run/strongswan.conf" },
                };
            },
            () => this.#resume(),
            log,
        );
    }

    get pid(): number | undefined {
        return this.#daemon.pid;
    }

    /** Starts the daemon, or changes what has changed: tunnels that stay the same carry on. */
    async set(next: CharonPlan): Promise<void> {
        const before = this.#now;
        mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
        this.#write("strongswan.conf", next.settings);
        this.#write("swanctl.conf", next.swanctl);
        this.#now = next;
        if (!this.#daemon.running) {
            this.#daemon.start();
            await this.#load(next);
            this.#watch();
            return;
        }
        const changed = Object.entries(before?.tunnels ?? {})
            .filter(([name, { fingerprint }]) => next.tunnels[name]?.fingerprint !== fingerprint)
            .map(([name]) => name);
        this.#logStart = this.log(0).length;
        const stale = before?.inside.filter((address) => !next.inside.includes(address)) ?? [];
        for (const name of changed) {
            await this.swanctl("--terminate", "--ike", name, "--timeout", "2");
        }
        for (const address of stale) {
            await run("ip", ["-n", this.#namespace, "address", "del", address, "dev", userspaceInterface]);
        }
        await this.#load(next);
        // Where only the key is another one, loading it begins nothing.
        await this.#begin(changed.filter((name) => next.tunnels[name]?.initiates === true));
        this.#watch();
    }

    /** After a start by itself. The far ends take their tunnels for alive: also an end that only answers has to begin now. */
    async #resume(): Promise<void> {
        const plan = this.#now;
        if (plan !== undefined) {
            await this.#load(plan);
            // The end that begins may have been started anew as well: it comes first.
            await sleep(answerFirstMs);
            await this.#begin(Object.keys(plan.tunnels));
        }
    }

    /** Begins what of some tunnels is missing. */
    async #begin(names: readonly string[]): Promise<void> {
        const { stdout } = await this.swanctl("--list-sas");
        for (const name of names) {
            const { connecting, present } = readSas(stdout, name);
            for (const child of connecting ? [] : [name, routesChild(name)].filter((each) => !present.includes(each))) {
                await this.swanctl("--initiate", "--ike", name, "--child", child, "--timeout", "2");
            }
        }
    }

    /** Looks, ever more seldom, whether all that this end begins is there: what was refused once may be welcome now. */
    #watch(pauseMs = firstLookMs): void {
        clearTimeout(this.#look);
        this.#look = setTimeout(() => {
            const begun = Object.entries(this.#now?.tunnels ?? {}).filter(([, { initiates }]) => initiates);
            void this.#begin(begun.map(([name]) => name)).finally(() => {
                if (!this.#stopped) {
                    this.#watch(Math.min(pauseMs * 2, lastLookMs));
                }
            });
        }, pauseMs);
    }

    async #load(plan: CharonPlan): Promise<void> {
        const deadline = Date.now() + startMs;
        const late = async (work: () => Promise<CommandResult>) => {
            for (;;) {
                const result = await work();
                if (result.code === 0) {
                    return;
                }
                if (Date.now() > deadline) {
                    throw new OperationError({
                        what: `start strongSwan in ${this.#namespace}`,
                        where: "the local network",
                        message: `${result.stderr.trim()} ${this.log(0).trim().split("\n").slice(-3).join(" | ")}`.slice(-500),
                        todo: "It needs the plugins openssl, kernel-libipsec, socket-default and vici (Debian: libcharon-extra-plugins, libstrongswan-standard-plugins)",
                    });
                }
                await sleep(25);
            }
        };
        // The selectors' own addresses must be there before the first tunnel is.
        await late(() => run("ip", ["-n", this.#namespace, "link", "show", userspaceInterface]));
        for (const address of plan.inside) {
            await run("ip", ["-n", this.#namespace, "address", "replace", address, "dev", userspaceInterface]);
        }
        await late(() => this.swanctl("--load-all", "--noprompt", "--file", join(this.#folder, "swanctl.conf")));
    }

    swanctl(...args: string[]): Promise<CommandResult> {
        return run("swanctl", [...args, "--uri", `unix://${join(this.#folder, "charon.vici")}`]);
    }

    /** What the daemon has said since a place in its log. */
    log(from = this.#logStart): string {
        const path = join(this.#folder, "charon.log");
        return existsSync(path) ? readFileSync(path, "utf8").slice(from) : "";
    }

    stop(): Promise<void> {
        this.#stopped = true;
        clearTimeout(this.#look);
        return this.#daemon.stop();
    }

    #write(name: string, text: string): void {
        writeFileSync(join(this.#folder, name), text, { mode: 0o600 });
    }
}

/** Where distributions keep strongSwan's daemon, which is on nobody's search path. */
export const charonPlaces = [
    "/usr/lib/ipsec/charon",
    "/usr/libexec/ipsec/charon",
    "/usr/libexec/strongswan/charon",
    "/usr/lib/strongswan/charon",
    "/usr/local/libexec/ipsec/charon",
];

/** The first one that runs. */
export async function findCharon(): Promise<string> {
    for (const place of charonPlaces) {
        if (existsSync(place)) {
            return place;
        }
    }
    return must("find strongSwan's charon", charonPlaces[0] ?? "charon", ["--version"]);
}
