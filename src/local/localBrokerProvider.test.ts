import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { unknownValue } from "../dynamic/provider.js";
import { startTimeOf } from "./broker/processIdentity.js";
import { type LocalBrokerInputs, type LocalBrokerOutputs, localBrokerProvider } from "./localBrokerProvider.js";

let root: string;
let running: ChildProcess;
let outs: LocalBrokerOutputs;

const inputs = (): LocalBrokerInputs => ({
    siteName: "plant",
    clusterName: "fleet-plant",
    linkHost: "plant.link.fleet.internal",
    stateDir: join(root, "fleet", "plant"),
    namesDir: join(root, "fleet", ".names"),
    bind: "127.0.0.1",
    ports: { mqtts: 0, links: 0, api: 0 },
    version: "5.10.3",
    tls: { ca: "ca", serverCert: "cert", serverKey: "key", linkCert: "cert", linkKey: "key" },
    apiKey: "linkspan",
    apiSecret: "api secret",
    users: [{ username: "device", password: "device password" }],
});

beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "linkspan-broker-"));
    running = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    const startTime = startTimeOf(running.pid ?? 0) ?? "";
    outs = {
        ...inputs(),
        pid: running.pid ?? 0,
        startTime,
        boundPorts: { mqtts: 20_001, links: 20_002, api: 20_003 },
        folder: inputs().stateDir,
    };
});
afterEach(async () => {
    running.kill("SIGKILL");
    await rm(root, { recursive: true, force: true });
});

describe("diff of a local broker", () => {
    const changes = async (news: object) => (await localBrokerProvider.diff("id", outs, news as LocalBrokerInputs)).changes;

    it("shows none while the same broker runs, and one when it has died", async () => {
        expect(await changes(inputs())).toBe(false);
        expect(await changes({ ...inputs(), progressUrn: "urn:other" })).toBe(false);
        outs = { ...outs, startTime: "another process" };
        expect(await changes(inputs())).toBe(true);
    });

    it.each(["users", "tls", "apiSecret"])("takes %s that are not known yet for a change", async (key) => {
        expect(await changes({ ...inputs(), [key]: unknownValue })).toBe(true);
    });

    it("takes a password inside the list that is not known yet for a change", async () => {
        expect(await changes({ ...inputs(), users: [{ username: "device", password: unknownValue }] })).toBe(true);
    });
});

describe("create of a local broker", () => {
    it("leaves the running broker of another stack alone and says what to set", async () => {
        const { stateDir } = inputs();
        await mkdir(stateDir, { recursive: true });
        await writeFile(join(stateDir, "ready.json"), JSON.stringify({ pid: outs.pid, startTime: outs.startTime }));
        await writeFile(join(stateDir, "stack"), "project/blue");
        const progressUrn = "urn:pulumi:green::project::pulumi-nodejs:dynamic/linkspan:LocalBroker::plant-broker";
        await expect(localBrokerProvider.create({ ...inputs(), progressUrn })).rejects.toThrow(
            `cannot start the local broker of site plant at ${stateDir}: the broker of the stack "project/blue" runs in this folder`,
        );
        expect(startTimeOf(outs.pid)).toBe(outs.startTime);
    });
});
