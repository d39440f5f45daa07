import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../../errors.js";
import { BirdDaemon } from "./birdDaemon.js";
import { CharonDaemon } from "./charonDaemon.js";
import { must, run, script } from "./commands.js";
import type { CableEnd, CablePlan, NetworkPlan } from "./plan.js";

const empty: NetworkPlan = { namespaces: {}, cables: {}, rules: {}, charons: {}, birds: {} };

/** Where the daemons' files are: the holder's own tmpfs, which goes with it. */
const runFolder = "/run/linkspan";

/** Brings the kernel and the daemons from one plan to the next. One step at a time; what fails is tried again with the next plan. */
export class Reconciler {
    #now: NetworkPlan = empty;
    readonly #charons = new Map<string, CharonDaemon>();
    readonly #birds = new Map<string, BirdDaemon>();
    #queue: Promise<unknown> = Promise.resolve();
    readonly #charon: () => Promise<string>;
    readonly #log: (event: string, detail: Record<string, unknown>) => void;

    constructor(charon: () => Promise<string>, log: (event: string, detail: Record<string, unknown>) => void) {
        this.#charon = charon;
        this.#log = log;
        mkdirSync(runFolder, { recursive: true, mode: 0o700 });
    }

    get plan(): NetworkPlan {
        return this.#now;
    }

    charon(namespace: string): CharonDaemon | undefined {
        return this.#charons.get(namespace);
    }

    bird(namespace: string): BirdDaemon | undefined {
        return this.#birds.get(namespace);
    }

    /** Applies a plan after those that were asked for before. */
    apply(next: () => NetworkPlan): Promise<void> {
        const done = this.#queue.then(async () => {
            const started = performance.now();
            await this.#to(next());
            this.#log("applied", { ms: Math.round(performance.now() - started) });
        });
        this.#queue = done.catch((error: unknown) => this.#log("apply_failed", { reason: messageOf(error) }));
        return done;
    }

    async #to(next: NetworkPlan): Promise<void> {
        const before = this.#now;
        // While it is under way nothing is certain but what both have: after a failure the rest is made anew.
        this.#now = common(before, next);
        await Promise.all([
            ...gone(before.birds, next.birds).map((name) => this.#end(this.#birds, name)),
            ...gone(before.charons, next.charons).map((name) => this.#end(this.#charons, name)),
        ]);
        const cables = changed(before.cables, next.cables);
        for (const name of [...gone(before.cables, next.cables), ...cables.filter((each) => each in before.cables)]) {
            await removeCable(before.cables[name]);
        }
        const lost = gone(before.namespaces, next.namespaces);
        if (lost.length > 0) {
            await run("ip", ["-batch", "-", "-force"], lost.map((name) => `netns del ${name}\n`).join(""));
        }
        await addNamespaces(changed(before.namespaces, next.namespaces), next);
        await addCables(cables.map((name) => next.cables[name]).filter((each) => each !== undefined));
        await Promise.all(
            changed(before.rules, next.rules).map((name) =>
                must(`set the rules of ${name}`, "ip", ["netns", "exec", name, "nft", "-f", "-"], next.rules[name]),
            ),
        );
        await Promise.all(changed(before.charons, next.charons).map((name) => this.#setCharon(name, next)));
        await Promise.all(changed(before.birds, next.birds).map((name) => this.#setBird(name, next)));
        this.#now = next;
    }

    async #setCharon(name: string, { charons }: NetworkPlan): Promise<void> {
        const wanted = charons[name];
        if (wanted === undefined) {
            return;
        }
        let daemon = this.#charons.get(name);
        if (daemon === undefined) {
            daemon = new CharonDaemon(name, join(runFolder, name), await this.#charon(), this.#log);
            this.#charons.set(name, daemon);
        }
        await daemon.set(wanted);
    }

    async #setBird(name: string, { birds }: NetworkPlan): Promise<void> {
        let daemon = this.#birds.get(name);
        if (daemon === undefined) {
            daemon = new BirdDaemon(name, join(runFolder, name), this.#log);
            this.#birds.set(name, daemon);
        }
        await daemon.set(birds[name] ?? "");
    }

    async #end<T extends { stop(): Promise<void> }>(daemons: Map<string, T>, name: string): Promise<void> {
        await daemons.get(name)?.stop();
        daemons.delete(name);
        if (!this.#charons.has(name) && !this.#birds.has(name)) {
            rmSync(join(runFolder, name), { recursive: true, force: true });
        }
    }
}

type Items = Readonly<Record<string, unknown>>;

function gone(before: Items, next: Items): string[] {
    return Object.keys(before).filter((name) => !(name in next));
}

/** Names of what is new or different. */
function changed(before: Items, next: Items): string[] {
    return Object.keys(next).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(next[name]));
}

/** What two plans have in common. */
function common(one: NetworkPlan, other: NetworkPlan): NetworkPlan {
    const same = <T>(before: Readonly<Record<string, T>>, next: Readonly<Record<string, T>>) => {
        const different = new Set(changed(before, next));
        return Object.fromEntries(Object.entries(before).filter(([name]) => name in next && !different.has(name)));
    };
    return {
        namespaces: same(one.namespaces, other.namespaces),
        cables: same(one.cables, other.cables),
        rules: same(one.rules, other.rules),
        charons: same(one.charons, other.charons),
        birds: same(one.birds, other.birds),
    };
}

async function addNamespaces(names: readonly string[], { namespaces }: NetworkPlan): Promise<void> {
    if (names.length === 0) {
        return;
    }
    await run("ip", ["-batch", "-", "-force"], names.map((name) => `netns add ${name}\n`).join(""));
    await Promise.all(
        names.map((name) =>
            script(`prepare ${name}`, name, [
                "ip link set lo up",
                "cd /proc/sys/net",
                "for f in ipv6/conf/all/disable_ipv6 ipv6/conf/default/disable_ipv6; do if [ -e $f ]; then echo 1 > $f; fi; done",
                // Answers may come back through another tunnel.
                "for f in all default; do echo 2 > ipv4/conf/$f/rp_filter; done",
                ...(namespaces[name]?.forwards === true
                    ? ["echo 1 > ipv4/ip_forward", "echo 1 > ipv4/fib_multipath_hash_policy"]
                    : []),
            ]),
        ),
    );
}

async function addCables(cables: readonly CablePlan[]): Promise<void> {
    if (cables.length === 0) {
        return;
    }
    const place = ({ namespace, interface: name }: CableEnd) => `name ${name}${namespace === "" ? "" : ` netns ${namespace}`}`;
    const lines = cables.map(({ ends: [one, other] }) => `link add ${place(one)} type veth peer ${place(other)}\n`);
    await must("lay cables", "ip", ["-batch", "-"], lines.join(""));
    const ends = new Map<string, CableEnd[]>();
    for (const end of cables.flatMap((cable) => cable.ends)) {
        ends.set(end.namespace, [...(ends.get(end.namespace) ?? []), end]);
    }
    const configure = [...ends].map(([namespace, all]) => {
        const commands = [
            ...all.flatMap(({ interface: name, address }) => [`address add ${address} dev ${name}`, `link set ${name} up`]),
            ...all.flatMap(({ routes }) => routes.map((route) => `route replace ${route}`)),
        ];
        return must(
            `set the addresses of ${namespace || "the holder"}`,
            "ip",
            [...(namespace === "" ? [] : ["-n", namespace]), "-batch", "-"],
            `${commands.join("\n")}\n`,
        );
    });
    await Promise.all(configure);
}

async function removeCable(cable: CablePlan | undefined): Promise<void> {
    const [one] = cable?.ends ?? [];
    if (one !== undefined) {
        await run("ip", [...(one.namespace === "" ? [] : ["-n", one.namespace]), "link", "del", one.interface]);
    }
}
