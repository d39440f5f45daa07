import { spawn } from "node:child_process";
import { mkdtemp, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTimeOf } from "../../src/local/broker/processIdentity.js";
import { ask, HolderGone } from "../../src/local/network/client.js";
import type { TunnelsSpec } from "../../src/local/network/holder/desired.js";
import type { NetworkState, TunnelState } from "../../src/local/network/holder/protocol.js";
import { endHolder, startHolder } from "../../src/local/network/holderProcess.js";
import { localPathProvider as provider } from "../../src/local/network/localPathProvider.js";
import { until } from "../support/localBroker.js";
import { cannot, enter, processesOf } from "../support/localNetwork.js";
import { keyOfTunnel, siteSpec, tunnelHalf } from "../support/networkHalves.js";

const [a, b, c, d] = [siteSpec("a", 1), siteSpec("b", 2), siteSpec("c", 3), siteSpec("d", 4)];

describe("the holder of a local network", () => {
    let root: string;
    let stateDir: string;

    beforeAll(async () => {
        root = await mkdtemp(join(tmpdir(), "linkspan-network-"));
        // Longer than the path of a socket may be.
        stateDir = join(
            root,
            "a-folder-with-a-name-that-is-much-longer-than-what-fits-into-the-path-of-a-socket-which-is-107",
            "net",
        );
        if ((await cannot("ipsec")) === undefined) {
            await startHolder(stateDir);
            for (const site of [a, b, c, d]) {
                await ask(stateDir, { op: "putSite", site });
            }
        }
    });
    afterAll(async () => {
        await endHolder(stateDir);
        await rm(root, { recursive: true, force: true });
    });
    beforeEach(async ({ skip }) => {
        skip((await cannot("ipsec")) !== undefined, "this machine cannot");
    });

    const holder = async () => {
        const { processes } = await ask<NetworkState>(stateDir, { op: "state" });
        return processes.find(({ what }) => what === "holder")?.pid ?? 0;
    };
    /** Makes both halves of a pair, the one that begins last, as `up` does. */
    const join2 = async (first: typeof a, last: typeof a, wrong: Partial<TunnelsSpec> = {}) => {
        await provider.create({ ...tunnelHalf(first, last), stateDir });
        return provider.create({ ...tunnelHalf(last, first, wrong), stateDir, wait: true });
    };
    const wrongKeys = tunnelHalf(a, c).tunnels.tunnels.map((tunnel) => ({ ...tunnel, presharedKey: keyOfTunnel("9") }));

    it("brings tunnels up with one suite and with the other, side by side", async () => {
        await join2(b, a);
        await provider.create({ ...tunnelHalf(d, b, { suite: "aes-gcm" }), stateDir });
        await provider.create({ ...tunnelHalf(b, d, { suite: "aes-gcm" }), stateDir, wait: true });
        const inside = await holder();
        const sas = await enter(inside, "vpn-2-0", "swanctl", "--list-sas", "--uri", "unix:///run/linkspan/vpn-2-0/charon.vici");
        expect(sas.output).toMatch(/a-0: .*\n.*\n.*\n\s+AES_CBC-256\/HMAC_SHA2_256_128\/PRF_HMAC_SHA2_256\/MODP_2048/);
        expect(sas.output).toMatch(/d-0: .*\n.*\n.*\n\s+AES_GCM_16-256\/PRF_HMAC_SHA2_384\/ECP_384/);
    });

    it.each<[string, Partial<TunnelsSpec>, RegExp]>([
        ["key", { tunnels: wrongKeys }, /tunnel 0: the pre-shared keys of the two sides differ.*tunnel 1: the pre-shared keys/],
        ["suite", { suite: "aes-gcm" }, /the suites of the two sides differ/],
        ["range", { remoteRanges: ["10.99.0.0/16"] }, /the ranges of the two sides do not match/],
    ])("names a wrong %s, and leaves other pairs alone", async (_what, wrong, message) => {
        const error = await join2(c, a, wrong).then(
            () => undefined,
            (thrown: unknown) => String(thrown),
        );
        expect(error).toMatch(/cannot bring the tunnels of pair a-c up/);
        expect(error).toMatch(message);
        expect(error).not.toContain(keyOfTunnel("9"));
        const others = await ask<TunnelState[]>(stateDir, { op: "tunnels", site: "a", peer: "b" });
        expect(others.map(({ up }) => up)).toEqual([true, true]);
    });

    it("mends a pair that was wrong, and renews one key while the other tunnel carries on", async () => {
        await join2(c, a);
        const count = async () => {
            const args = ["swanctl", "--list-sas", "--uri", "unix:///run/linkspan/vpn-1-1/charon.vici", "--ike", "c-1"] as const;
            return /c-1: #(\d+)/.exec((await enter(await holder(), "vpn-1-1", ...args)).output)?.[1];
        };
        const before = await count();
        const renew = ({ tunnels }: { tunnels: TunnelsSpec }): Partial<TunnelsSpec> => ({
            tunnels: tunnels.tunnels.map((each) => (each.key === "0" ? { ...each, presharedKey: keyOfTunnel("7") } : each)),
        });
        await provider.create({ ...tunnelHalf(c, a, renew(tunnelHalf(c, a))), stateDir });
        await provider.create({ ...tunnelHalf(a, c, renew(tunnelHalf(a, c))), stateDir, wait: true });
        expect(before).toBeDefined();
        expect(await count()).toBe(before);
    });

    it("shows no key to others: not in arguments, logs or files outside", async () => {
        const inside = await holder();
        const namespace = await readlink(`/proc/${inside}/ns/pid`);
        const { readFile, readdir } = await import("node:fs/promises");
        const seen = await Promise.all(
            processesOf(namespace).map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
        );
        for (const name of await readdir(stateDir)) {
            seen.push(name === "control.sock" ? "" : await readFile(join(stateDir, name), "utf8"));
        }
        expect(seen.join("\n")).not.toMatch(/Key\dAaaa/);
        expect(seen.join("\n")).toContain("charon");
        const modes = await enter(inside, "vpn-1-0", "stat", "-c", "%a", "/run/linkspan/vpn-1-0/swanctl.conf", "/run/linkspan");
        expect(modes.output.trim().split("\n")).toEqual(["600", "700"]);
    });

    it.each<[string, (namespace: string) => boolean]>([
        ["one that only answers", (namespace) => namespace === "vpn-2-0"],
        ["all of them", () => true],
    ])("starts daemons again that have died (%s), and their tunnels come back", async (_what, which) => {
        const { processes } = await ask<NetworkState>(stateDir, { op: "state" });
        const inside = await holder();
        for (const { pid } of processes.filter(({ what }) => what === "charon")) {
            const { output } = await enter(inside, "vpn-2-0", "ip", "netns", "identify", String(pid));
            if (which(output.trim())) {
                process.kill(pid, "SIGKILL");
            }
        }
        const up = async () => {
            const tunnels = await ask<TunnelState[]>(stateDir, { op: "tunnels", site: "a", peer: "b" });
            return tunnels.every((tunnel) => tunnel.up);
        };
        await until(async () => !(await up()), "tunnels are down", 5_000);
        await until(up, "tunnels are up again", 30_000);
    });

    it("ends with whom it lives for, and leaves nothing", async () => {
        const owner = spawn("sleep", ["1000"]);
        const lease = join(root, "lease.json");
        await writeFile(lease, JSON.stringify({ pid: owner.pid, startTime: startTimeOf(owner.pid ?? 0) }));
        const before = process.env.LINKSPAN_LEASE_FILE;
        process.env.LINKSPAN_LEASE_FILE = lease;
        const folder = join(root, "leased");
        try {
            await startHolder(folder);
            await ask(folder, { op: "putSite", site: a });
            const { processes } = await ask<NetworkState>(folder, { op: "state" });
            const inside = processes.find(({ what }) => what === "holder")?.pid ?? 0;
            const namespace = await readlink(`/proc/${inside}/ns/pid`);
            owner.kill("SIGKILL");
            await until(() => processesOf(namespace).length === 0, "everything is gone", 5_000);
            await expect(ask(folder, { op: "hello" })).rejects.toThrow(HolderGone);
        } finally {
            owner.kill("SIGKILL");
            if (before === undefined) {
                delete process.env.LINKSPAN_LEASE_FILE;
            } else {
                process.env.LINKSPAN_LEASE_FILE = before;
            }
        }
    });
});
