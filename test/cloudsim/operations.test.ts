import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Account } from "./account.mts";
import { DirectCloud } from "./directCloud.js";
import { NotReady, PluginKilled } from "./operations.mts";
import { itemsAt, same, textsAt, valuesAt } from "./paths.mts";
import { tinyCloud } from "./tinyCloud.js";
import type { Props } from "./types.mts";

const net = "aws:t/net:Net";
const host = "aws:t/host:Host";
const door = "aws:t/door:Door";

describe("a simulated cloud", () => {
    let cloud: DirectCloud;
    beforeEach(() => {
        cloud = new DirectCloud(tinyCloud, { region: "north" });
    });
    afterEach(() => cloud.dispose());

    test("fills in defaults and a name that stays, and refuses what is missing or too long", () => {
        const { operations } = cloud;
        const first = operations.check(cloud.subject(net, "n"), {}, { range: "r" });
        expect(first).toMatchObject({ inputs: { range: "r", name: expect.stringMatching(/^n-[0-9a-f]{7}$/) }, failures: [] });
        expect(operations.check(cloud.subject(net, "n"), first.inputs, { range: "r" }).inputs).toEqual(first.inputs);
        expect(operations.check(cloud.subject(net, "n"), {}, { range: "r", name: "own" }).inputs.name).toBe("own");
        expect(operations.check(cloud.subject(host), {}, {}).inputs).toEqual({ region: "north" });
        expect(operations.check(cloud.subject(net, "a-long-logical-name"), {}, {}).failures).toEqual([
            { property: "range", reason: "Missing required property 'range'" },
            { property: "name", reason: "name 'a-long-logical-name-' plus 7 random chars is longer than maximum length 20" },
        ]);
    });

    test("tells changes from replacements", () => {
        const diff = (type: string, olds: Props, news: Props) => cloud.operations.diff(cloud.subject(type), olds, news);
        expect(diff(net, { range: "a" }, { range: "a" })).toMatchObject({ changed: [], replaces: [] });
        expect(diff(net, { range: "a", tags: { a: 1 } }, { range: "a", tags: { a: 2 } })).toEqual({
            changed: ["tags"],
            replaces: [],
            deleteBeforeReplace: false,
        });
        expect(diff(net, { range: "a" }, { range: "b" }).replaces).toEqual(["range"]);
        expect(diff(net, { options: { zone: 1, x: 1 } }, { options: { zone: 1, x: 2 } }).replaces).toEqual([]);
        expect(diff(net, { options: { zone: 1 } }, { options: { zone: 2 } }).replaces).toEqual(["options.zone"]);
        expect(diff(host, { a: 1 }, { a: 2 })).toMatchObject({ replaces: ["a"], deleteBeforeReplace: true });
        expect(diff(net, { a: undefined }, { a: null })).toMatchObject({ changed: [] });
    });

    test("makes, reads, changes and removes objects", async () => {
        const made = await cloud.create(net, { range: "r", name: "n" });
        expect(made).toEqual({ id: "net-1", range: "r", name: "n", arn: "arn:net-1", updates: 0 });
        expect(await cloud.update(net, made.id, { range: "r", name: "m" })).toMatchObject({ name: "m", updates: 1 });
        expect(await cloud.operations.read(cloud.subject(net), made.id)).toEqual({
            id: "net-1",
            inputs: { range: "r", name: "m" },
            properties: { range: "r", name: "m", arn: "arn:net-1", updates: 1 },
        });
        await cloud.remove(net, made.id);
        await cloud.remove(net, made.id);
        expect(await cloud.operations.read(cloud.subject(net), made.id)).toBeUndefined();
        await expect(cloud.update(net, made.id, { range: "r" })).rejects.toThrow("update: NotFound: no aws:t/net:Net net-1");
    });

    test("holds that references exist, by any of an object's handles, and that nothing in use goes", async () => {
        const made = await cloud.create(net, { range: "r" });
        await expect(cloud.create(host, { nets: [{ id: made.id }, { id: "net-9" }] })).rejects.toThrow(
            "create: NotFound: no aws:t/net:Net net-9",
        );
        const user = await cloud.create(host, { nets: [{ id: made.arn }, { id: "default" }] });
        await expect(cloud.remove(net, made.id)).rejects.toThrow("delete: InUse: net-1 is in use by host-1");
        await cloud.remove(host, user.id);
        await cloud.remove(net, made.id);
        expect(cloud.account.objects(true)).toEqual([]);
    });

    test("claims are unique, also through an update", async () => {
        await cloud.create(net, { range: "r" });
        const other = await cloud.create(net, { range: "s" });
        await expect(cloud.create(net, { range: "r" })).rejects.toThrow("create: Exists: r exists");
        await expect(cloud.update(net, other.id, { range: "r" })).rejects.toThrow("update: Exists: r exists");
        await cloud.update(net, other.id, { range: "s", tags: {} });
    });

    test("quotas can be switched, and guards keep objects", async () => {
        cloud.account.set("hosts", 1);
        const made = await cloud.create(host, { locked: true });
        await expect(cloud.create(host, {})).rejects.toThrow("create: LimitExceeded: no more hosts");
        await expect(cloud.remove(host, made.id)).rejects.toThrow("delete: Locked: the host is locked");
        await cloud.update(host, made.id, { locked: false });
        await cloud.remove(host, made.id);
    });

    test("parts come and go with their object; a resource may take one over and leaves it", async () => {
        const made = await cloud.create(net, { range: "r" });
        expect(cloud.view.list(door).map(({ id }) => id)).toEqual(["net-1-door"]);
        expect(cloud.account.objects()).toHaveLength(1);
        const own = await cloud.create("aws:t/ownDoor:OwnDoor", { net: made.id });
        expect(own.id).toBe("net-1-door");
        await cloud.remove("aws:t/ownDoor:OwnDoor", own.id);
        expect(cloud.view.list(door)).toHaveLength(1);
        await cloud.remove(net, made.id);
        expect(cloud.view.list()).toEqual([]);
    });

    test("functions answer with the provider's configuration, or fail in the provider's words", () => {
        const call = (args: Props) => cloud.operations.invoke("aws:t/getZone:getZone", args, { region: "north" });
        expect(call({})).toEqual({ zone: "northa" });
        expect(() => call({ fail: true })).toThrow("read: NoSuchZone: there is none");
        expect(() => cloud.operations.invoke("aws:t/getX:getX", {}, {})).toThrow("knows no function aws:t/getX:getX");
        expect(() => cloud.operations.check(cloud.subject("aws:t/x:X"), {}, {})).toThrow("knows no type aws:t/x:X");
    });

    test("a later process goes on with the account's file", async () => {
        const made = await cloud.create(net, { range: "r" });
        cloud.account.save();
        const later = new Account(join(cloud.folder, "account.json"), [tinyCloud]);
        expect(later.objects(true)).toEqual(cloud.account.objects(true));
        expect(later.find("aws", net, made.id)).toMatchObject({ inputs: { range: "r" } });
        expect(later.view("aws").next("net")).toBe(2);
    });
});

describe("time", () => {
    test("what is new cannot be referred to at once: a patient provider waits, another fails", async () => {
        const cloud = new DirectCloud(tinyCloud, {}, 1);
        const made = await cloud.create(net, { range: "r" });
        await expect(cloud.create(host, { nets: [{ id: made.id }] })).rejects.toThrow("create: NotFound");
        await cloud.create(host, { later: made.id });
        await cloud.create(host, { nets: [{ id: made.id }] });
        cloud.dispose();
    });

    test("one operation at a time where a lock says so", async () => {
        const cloud = new DirectCloud(tinyCloud, {}, 1);
        const both = await Promise.allSettled([cloud.create(host, { lock: "l" }), cloud.create(host, { lock: "l" })]);
        expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
        expect(both[1]).toMatchObject({ reason: new Error("create: Busy: another operation is in progress") });
        const queued = await Promise.all([cloud.create(host, { queue: "q" }), cloud.create(host, { queue: "q" })]);
        expect(queued.map(({ id }) => id)).toEqual(["host-2", "host-3"]);
        cloud.dispose();
    });
});

describe("faults", () => {
    let cloud: DirectCloud;
    beforeEach(() => {
        cloud = new DirectCloud(tinyCloud);
        mkdirSync(cloud.folder, { recursive: true });
    });
    afterEach(() => cloud.dispose());

    test("before: nothing is done, the second time it works", async () => {
        cloud.faults.add({ operation: "create", type: "Net", what: "before" });
        await expect(cloud.create(net, { range: "r" })).rejects.toThrow("InternalError: An internal error has occurred");
        expect(cloud.account.objects()).toEqual([]);
        await cloud.create(net, { range: "r" });
        expect(cloud.faults.happened).toEqual([{ operation: "create", cloud: "aws", type: net, name: "it", what: "before" }]);
    });

    test("after: it is there and known; lost: it is there and not known", async () => {
        cloud.faults.add({ operation: "create", what: "after", message: "not ready" });
        const failed: unknown = await cloud.create(net, { range: "r" }).catch((error: unknown) => error);
        expect(failed).toBeInstanceOf(NotReady);
        expect(failed).toMatchObject({ message: "not ready", id: "net-1", properties: { range: "r" } });
        cloud.faults.clear();
        cloud.faults.add({ operation: "create", what: "lost" });
        const lost: unknown = await cloud.create(net, { range: "s" }).catch((error: unknown) => error);
        expect(lost).not.toBeInstanceOf(NotReady);
        expect(cloud.account.objects().map(({ id }) => id)).toEqual(["net-1", "net-2"]);
    });

    test("a killed plugin has done it or not", async () => {
        cloud.faults.add({ operation: "create", what: "kill" });
        cloud.faults.add({ operation: "delete", what: "kill-after" });
        await expect(cloud.create(net, { range: "r" })).rejects.toBeInstanceOf(PluginKilled);
        expect(cloud.account.objects()).toEqual([]);
        const made = await cloud.create(net, { range: "r" });
        await expect(cloud.remove(net, made.id)).rejects.toBeInstanceOf(PluginKilled);
        expect(cloud.account.objects()).toEqual([]);
    });

    test("only the operations that fit are counted", async () => {
        cloud.faults.add({ operation: "create", type: net, name: /^b/, nth: 2, times: 2, what: "before" });
        const outcome: boolean[] = [];
        for (const name of ["a", "b1", "b2", "c", "b3", "b4"]) {
            outcome.push(
                await cloud.create(net, { range: name }, name).then(
                    () => true,
                    () => false,
                ),
            );
        }
        expect(outcome).toEqual([true, true, false, true, false, true]);
    });

    test("slow: it takes longer and works", async () => {
        cloud.faults.add({ operation: "create", name: "it", what: "slow", delayMs: 1 });
        await cloud.create(net, { range: "r" });
        expect(cloud.faults.happened).toHaveLength(1);
    });
});

test("paths lead to values, through lists and past what is absent", () => {
    const value = { a: { b: [{ id: "x" }, { id: null }, {}, { id: "y" }] }, list: ["p", 1, ""] };
    expect(valuesAt(value, "a.b[].id")).toEqual(["x", "y"]);
    expect(textsAt(value, "list[]")).toEqual(["p"]);
    expect(itemsAt(value, "a.b")).toHaveLength(4);
    expect(valuesAt(value, "no.such[].thing")).toEqual([]);
    expect(same({ a: [1, { b: undefined }] }, { a: [1, {}] })).toBe(true);
    expect(same({ a: [1] }, { a: { 0: 1 } })).toBe(false);
});
