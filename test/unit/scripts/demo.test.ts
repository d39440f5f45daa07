import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkpointFile, mendCheckpoint } from "../../../scripts/demo/checkpoint.mts";
import { EngineView } from "../../../scripts/demo/engineView.mts";
import { brokerFolders, runningBrokers } from "../../../scripts/demo/leftovers.mts";
import { readOptions, siteNames } from "../../../scripts/demo/options.mts";
import { pendingOperations } from "../../../scripts/demo/stackRun.mts";
import { demoEnv, demoState, prepare, saltOf, writeConfig, writeShellSettings } from "../../../scripts/demo/state.mts";
import { cell, linkTable, milliseconds, readOutputs, siteTable, unprovenLinks } from "../../../scripts/demo/tables.mts";
import { identify } from "../../../scripts/processLock.mts";

describe("the command line", () => {
    it("brings up three sites by nat unless told otherwise", () => {
        expect(readOptions([], "/x")).toMatchObject({
            verb: "up",
            tier: "nat",
            sites: 3,
            verbose: false,
            force: false,
            network: false,
        });
        expect(readOptions(["--tier", "vpn", "--network"], "/x")).toMatchObject({ tier: "vpn", network: true });
        expect(readOptions(["destroy", "--state", "s", "--force"], "/x")).toMatchObject({
            verb: "destroy",
            state: "/x/s",
            force: true,
        });
        expect(readOptions(["logs", "north"], "/x")).toMatchObject({ verb: "logs", site: "north" });
    });

    it.each([
        [["start"], "start is no verb"],
        [["up", "more"], "more is one argument too many"],
        [["logs", "a", "b"], "b is one argument too many"],
        [["--sites", "1"], "--sites 1: set a whole number from 2 to 20"],
        [["--sites", "2.5"], "--sites 2.5"],
        [["--sites", "21"], "--sites 21"],
        [["--tier", "wire"], "--tier wire: set one of nat, vpn, interconnect"],
        [["--state", ""], "--state is empty"],
        [["--unknown"], "--unknown"],
    ])("%j is refused with exit code 2", (args, text) => {
        expect(() => readOptions(args, "/x")).toThrow(
            expect.objectContaining({ message: expect.stringContaining(text), exitCode: 2 }),
        );
    });

    it("gives every site its own name", () => {
        expect(siteNames(5)).toEqual(["north", "south", "west", "east", "site5"]);
        expect(new Set(siteNames(20)).size).toBe(20);
    });
});

describe("the state folder", () => {
    let folder = "";
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "linkspan-demo-"));
    });
    afterEach(() => {
        rmSync(folder, { recursive: true });
    });

    it("keeps its passphrase, readable by its owner only", () => {
        const state = demoState(join(folder, "demo"));
        prepare(state);
        const passphrase = readFileSync(state.passphraseFile, "utf8");
        expect(passphrase.trim().length).toBeGreaterThanOrEqual(32);
        expect(statSync(state.passphraseFile).mode & 0o777).toBe(0o600);
        prepare(state);
        expect(readFileSync(state.passphraseFile, "utf8")).toBe(passphrase);
    });

    it("is never a folder that holds other things", () => {
        writeFileSync(join(folder, "letter.txt"), "");
        expect(() => prepare(demoState(folder))).toThrow("holds other things");
        expect(existsSync(join(folder, "passphrase"))).toBe(false);
    });

    it("holds the configuration of the sites, and keeps the salt of the secrets", () => {
        const state = demoState(join(folder, "demo"));
        prepare(state);
        expect(saltOf(state)).toBeUndefined();
        expect(() => writeConfig(state, { tier: "nat", sites: 2, network: false })).toThrow("salt");
        writeFileSync(state.configFile, "encryptionsalt: v1:abc=:v1:def\n");
        writeConfig(state, { tier: "vpn", sites: 2, network: false });
        expect(saltOf(state)).toBe("v1:abc=:v1:def");
        expect(readFileSync(state.configFile, "utf8")).toBe(
            `encryptionsalt: v1:abc=:v1:def\nconfig: {"linkspan:sites":[${["north", "south"]
                .map(
                    (name, index) => `{"name":"${name}","siteNumber":${index + 1},"type":"local","stateRoot":"${state.brokers}"}`,
                )
                .join(",")}],"linkspan:tier":"vpn"}\n`,
        );
        writeConfig(state, { tier: "vpn", sites: 2, network: true });
        expect(readFileSync(state.configFile, "utf8").match(/"level":"network"/g)).toHaveLength(2);
    });

    it("shuts the user's own Pulumi settings out, and writes no secret into the shell's settings", () => {
        const state = demoState(join(folder, "it's a demo"));
        prepare(state);
        const env = demoEnv(state, {
            PATH: "/bin",
            PULUMI_ACCESS_TOKEN: "t",
            PULUMI_CONFIG_PASSPHRASE: "p",
            PULUMI_STACK: "prod",
        });
        expect(env).toMatchObject({ PATH: "/bin", PULUMI_STACK: "demo", PULUMI_HOME: join(state.folder, "home") });
        expect(env.PULUMI_ACCESS_TOKEN).toBeUndefined();
        expect(env.PULUMI_CONFIG_PASSPHRASE).toBeUndefined();
        writeShellSettings(state, "/a:/b");
        const text = readFileSync(state.shell, "utf8");
        expect(text).toContain(`export PULUMI_HOME='${state.folder.replace("'", "'\\''")}/home'`);
        expect(text).not.toContain(readFileSync(state.passphraseFile, "utf8").trim());
    });

    it("finds the brokers that run, by their records", () => {
        const state = demoState(folder);
        const broker = (site: string, record: unknown) => {
            mkdirSync(join(state.brokers, "mesh", site), { recursive: true });
            writeFileSync(join(state.brokers, "mesh", site, "config.json"), "{}");
            writeFileSync(join(state.brokers, "mesh", site, "ready.json"), JSON.stringify(record));
        };
        expect(runningBrokers(state)).toEqual([]);
        broker("north", { ...identify(), ports: {} });
        broker("south", { pid: process.pid, startTime: "1" });
        broker("west", null);
        expect(brokerFolders(state)).toHaveLength(3);
        expect(runningBrokers(state)).toEqual([{ ...identify(), site: "north" }]);
    });
});

describe("what an earlier run left", () => {
    it.each([
        ["a whole record stays", '{"a":1}', '{"b":2}', "{}", undefined, '{"a":1}'],
        ["a half one gives way to the one before", '{"a":1,"b', '{"b":2}', "{}", "mended", '{"b":2}'],
        ["an empty one as well", "", '{"b":2}', "{}", "mended", '{"b":2}'],
        ["or to nothing", "", "", "{}", "lost", undefined],
        ["attributes that are cut short are dropped", '{"a":1}', "", "", "mended", '{"a":1}'],
    ] as const)("%s", (_what, record, before, attributes, result, after) => {
        const folder = mkdtempSync(join(tmpdir(), "linkspan-demo-"));
        try {
            const state = demoState(folder);
            const file = checkpointFile(state);
            mkdirSync(dirname(file), { recursive: true });
            writeFileSync(file, record);
            writeFileSync(`${file}.bak`, before);
            writeFileSync(`${file}.attrs`, attributes);
            expect(mendCheckpoint(state)).toBe(result);
            expect(existsSync(file) ? readFileSync(file, "utf8") : undefined).toBe(after);
            expect(existsSync(`${file}.attrs`)).toBe(attributes !== "");
        } finally {
            rmSync(folder, { recursive: true });
        }
    });

    it.each([
        ['{"deployment":{"pending_operations":[{},{}]}}', 2],
        ['{"deployment":{"resources":[]}}', 0],
        ['{"deployment":null}', 0],
        ["", 0],
    ])("%j has %i operations without an end", (text, count) => {
        expect(pendingOperations(text)).toBe(count);
    });
});

describe("the tables", () => {
    it("show what is known, and a question mark for what is not", () => {
        const text = linkTable([
            { from: "a", to: "b", tier: "nat", status: "proven", delivered: 100, lost: 0, p50Ms: 0.5, p99Ms: null },
        ]);
        expect(text).toMatch(/a -> b\s+│ nat\s+│ proven\s+│\s+100 │\s+0 │\s+\? │\s+0\.50 │\s+\? │\s+\? │/);
        expect(siteTable([{ name: "a", platform: "local", endpoint: { host: "h", port: 1 } }], new Map([["a", true]]))).toMatch(
            /a\s+│ local\s+│ h:1\s+│ \?\s+│ runs/,
        );
    });

    it.each([
        [0, "0", "0.00"],
        [12.345, "12.345", "12.3"],
        [812.4, "812.4", "812"],
        [Number.NaN, "?", "?"],
        [undefined, "?", "?"],
        ["[secret]", "[secret]", "?"],
        ["", "?", "?"],
    ])("%j as a cell is %s, as milliseconds %s", (value, text, time) => {
        expect(cell(value)).toBe(text);
        expect(milliseconds(value)).toBe(time);
    });

    it.each([
        [
            '{"sites":[{"name":"a"},7],"links":{"a-b":{"lost":0}},"notProven":["x",1]}',
            { sites: [{ name: "a" }], links: [{ name: "a-b", lost: 0 }], notProven: ["x"] },
        ],
        ['{"sites":"[secret]"}', { sites: [], links: [], notProven: [] }],
        ["null", { sites: [], links: [], notProven: [] }],
        ["no JSON", { sites: [], links: [], notProven: [] }],
    ])("take outputs as they come: %s", (json, outputs) => {
        expect(readOutputs(json)).toEqual(outputs);
    });

    it("call a direction proven only where the count says so", () => {
        const links = [
            { from: "a", to: "b", status: "proven", lost: 0 },
            { from: "b", to: "a", status: "proven", lost: 3 },
            { from: "a", to: "c", status: "unproven", lost: 0 },
            { from: "c", to: "a", status: "proven" },
        ];
        expect(unprovenLinks(links)).toEqual(["b -> a: proven, 3 lost", "a -> c: unproven, 0 lost", "c -> a: proven, ? lost"]);
    });
});

describe("the engine's events", () => {
    const urn = (kind: string, name: string) =>
        `urn:pulumi:demo::linkspan::linkspan:x:Y$pulumi-nodejs:dynamic/linkspan:${kind}::${name}`;
    const step = (event: string, op: string, kind: string, name: string) =>
        JSON.stringify({ [event]: { metadata: { op, urn: urn(kind, name), type: `pulumi-nodejs:dynamic/linkspan:${kind}` } } });
    const message = (severity: string, text: string, extra = {}) =>
        JSON.stringify({ diagnosticEvent: { severity, message: text, ...extra } });

    it("become one line per broker, link and proof; the rest is counted", () => {
        const view = new EngineView(0);
        view.read(step("resourcePreEvent", "create", "LocalBroker", "north-broker"), 1000);
        view.read(step("resourcePreEvent", "create", "Secrets", "north-secrets"), 1000);
        expect(view.read(step("resOutputsEvent", "create", "Secrets", "north-secrets"), 1500)).toEqual([]);
        expect(view.read(step("resOutputsEvent", "create", "LocalBroker", "north-broker"), 2500)).toEqual([
            "[   2.5 s] broker    north-broker                         runs",
        ]);
        expect(view.rest()).toBe("and 1 more resources (certificates, passwords, access rules)");
    });

    it("say nothing of what stays, of components and of noise", () => {
        const view = new EngineView(0);
        const lines = [
            step("resourcePreEvent", "same", "LocalBroker", "a"),
            step("resOutputsEvent", "same", "LocalBroker", "a"),
            message("warning", "using pulumi-resource-pulumi-nodejs from $PATH at /x"),
            message("debug", "something"),
            message("error", "update failed"),
            "{",
        ];
        expect(lines.flatMap((line) => view.read(line, 10))).toEqual([]);
        expect(view.rest()).toBeUndefined();
        expect(view.errors).toEqual([]);
    });

    it("show errors once per resource, without colour marks, and failed steps", () => {
        const view = new EngineView(0);
        view.read(step("resourcePreEvent", "create", "DeliveryProbe", "a-b-proof"), 0);
        const error = message("error", "<{%reset%}>3 of 100 lost\u001b[0m\n", { urn: urn("DeliveryProbe", "a-b-proof") });
        expect(view.read(error, 10)).toEqual(["error: a-b-proof: 3 of 100 lost"]);
        expect(view.read(error, 20)).toEqual([]);
        expect(view.read(step("resOpFailedEvent", "create", "DeliveryProbe", "a-b-proof"), 30)).toEqual([
            "[   0.0 s] proof a-b-proof FAILED",
        ]);
        expect(view.errors).toEqual(["a-b-proof: 3 of 100 lost"]);
    });

    it("give a sign of life with what the resource itself says", () => {
        const view = new EngineView(0);
        expect(view.heartbeat(5000)).toEqual(["[   5.0 s] waiting for Pulumi"]);
        view.read(step("resourcePreEvent", "create", "DeliveryProbe", "a-b-proof"), 6000);
        view.read(
            message("info", "waiting for the first message", { urn: urn("DeliveryProbe", "a-b-proof"), ephemeral: true }),
            7000,
        );
        expect(view.heartbeat(9000)).toEqual([]);
        expect(view.heartbeat(11_000)).toEqual(["[  11.0 s] working on proof a-b-proof (5 s: waiting for the first message)"]);
        expect(view.heartbeat(12_000)).toEqual([]);
    });
});
