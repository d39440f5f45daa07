import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Access, type Person } from "./access.js";
import type { LocalBrokerConfig } from "./config.js";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const user = (username: string) => ({ username, passwordHash: sha256("pwsalt"), salt: "salt", superuser: username === "root" });
const config = {
    noMatch: "deny",
    users: [user("device"), user("root"), user("link-peer")],
    api: [{ key: "k", secretHash: sha256("s"), role: "viewer" }],
    acl: [
        { permission: "deny", action: "publish", topics: ["fleet/secret"] },
        // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders of the rules, not of this text
        { permission: "allow", action: "all", topics: ["fleet/#", "eq exact/+", "own/${username}/#", "own/${clientid}"] },
        { permission: "allow", action: "subscribe", topics: ["only/#"], username: "device" },
    ],
} as unknown as LocalBrokerConfig;

let folder: string;
let access: Access;
const device: Person = { username: "device", clientId: "c1", superuser: false, link: undefined };
const peer: Person = { username: "link-peer", clientId: "peer-1", superuser: false, link: "peer" };

beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "linkspan-access-"));
    access = new Access(config, join(folder, "access.json"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("rights", () => {
    test.each([
        [device, "publish", "fleet/1", true],
        [device, "publish", "fleet/secret", false],
        [device, "subscribe", "fleet/#", true],
        [device, "subscribe", "#", false],
        [device, "subscribe", "+/#", false],
        [device, "subscribe", "$SYS/brokers", false],
        [device, "subscribe", "exact/+", true],
        [device, "subscribe", "exact/1", false],
        [device, "publish", "own/device/x", true],
        [device, "publish", "own/other/x", false],
        [device, "publish", "own/c1", true],
        [{ ...device, clientId: "+" }, "subscribe", "own/+", false],
        [device, "subscribe", "only/1", true],
        [device, "publish", "only/1", false],
        [{ ...device, username: "root" }, "subscribe", "only/1", false],
        [device, "publish", "other", false],
        [{ ...device, superuser: true }, "subscribe", "#", true],
        [{ ...device, superuser: true }, "publish", "$LINK/cluster/msg/peer", false],
        [device, "publish", "$LINK/cluster/msg/peer", false],
        [device, "subscribe", "$LINK/#", false],
        [peer, "publish", "$LINK/cluster/msg/peer", true],
        [peer, "publish", "$LINK/cluster/route/peer", true],
        [peer, "publish", "$LINK/cluster/msg/other", false],
        [peer, "publish", "fleet/1", false],
        [peer, "subscribe", "$LINK/cluster/resp/peer/n", true],
        [peer, "subscribe", "$LINK/cluster/resp/peer/+", true],
        [peer, "subscribe", "$LINK/cluster/resp/peer/#", false],
        [peer, "subscribe", "$LINK/cluster/resp/other/n", false],
        [peer, "subscribe", "fleet/#", false],
    ] as const)("%o may %s %s: %o", (person, action, topic, expected) => {
        expect(action === "publish" ? access.mayPublish(person, topic) : access.maySubscribe(person, topic)).toBe(expected);
    });

    test("rules by REST come before the configuration's: client, then user, then all", () => {
        access.state.allRules = [{ topic: "fleet/#", permission: "deny", action: "all" }];
        expect(access.mayPublish(device, "fleet/1")).toBe(false);
        access.state.userRules.device = [{ topic: "fleet/+", permission: "allow", action: "publish" }];
        expect(access.mayPublish(device, "fleet/1")).toBe(true);
        expect(access.maySubscribe(device, "fleet/1")).toBe(false);
        access.state.clientRules.c1 = [{ topic: "fleet/1", permission: "deny", action: "all" }];
        expect(access.mayPublish(device, "fleet/1")).toBe(false);
        access.state.databaseEnabled = false;
        expect(access.mayPublish(device, "fleet/1")).toBe(true);
    });

    test("REST can take rights from a peer's link but give it none", () => {
        access.state.allRules = [{ topic: "#", permission: "allow", action: "all" }];
        expect(access.mayPublish(peer, "fleet/1")).toBe(false);
        access.state.userRules["link-peer"] = [{ topic: "$LINK/cluster/msg/+", permission: "deny", action: "publish" }];
        expect(access.mayPublish(peer, "$LINK/cluster/msg/peer")).toBe(false);
        expect(access.mayPublish(peer, "$LINK/cluster/route/peer")).toBe(true);
    });
});

describe("login", () => {
    const login = (name: string | undefined, password: string | undefined, door = false) =>
        access.login(name, password === undefined ? undefined : Buffer.from(password), "c", door);

    test("takes the right password only, and link users only at the link door", () => {
        expect(login("device", "pw")).toMatchObject({ username: "device", link: undefined });
        expect(login("link-peer", "pw", true)).toMatchObject({ link: "peer" });
        expect(login("device", "pw", true)).toBe("not_authorized");
        for (const [name, password] of [
            ["device", "no"],
            ["device", undefined],
            ["nobody", "pw"],
            [undefined, undefined],
            ["__proto__", "pw"],
            ["", ""],
        ] as const) {
            expect(login(name, password)).toBe("bad_username_or_password");
        }
    });

    test("users that REST adds, changes and removes stay so after a restart, in a private file", () => {
        access.setUser("new", "first", false);
        access.setUser("device", "changed", undefined);
        access.removeUser("root");
        access.setUser("short", "x", false);
        access.removeUser("short");
        access = new Access(config, join(folder, "access.json"));
        expect(login("new", "first")).toMatchObject({ username: "new" });
        expect(login("device", "pw")).toBe("bad_username_or_password");
        expect(login("device", "changed")).toMatchObject({ username: "device" });
        expect(login("root", "pw")).toBe("bad_username_or_password");
        expect(access.users().map(({ username }) => username)).toEqual(["device", "link-peer", "new"]);
        expect(statSync(join(folder, "access.json")).mode & 0o077).toBe(0);
    });
});

test("a configuration that changes a user wins over what REST had changed before", () => {
    access.setUser("device", "by REST", false);
    access.reload({ ...config, users: [{ ...user("device"), passwordHash: sha256("nextsalt") }] });
    expect(access.login("device", Buffer.from("next"), "c", false)).toMatchObject({ username: "device" });
    expect(access.login("device", Buffer.from("by REST"), "c", false)).toBe("bad_username_or_password");
});

test("names that mean something to JavaScript are names like others", () => {
    for (const name of ["__proto__", "constructor"]) {
        expect(access.user(name)).toBeUndefined();
        access.setUser(name, "p", false);
    }
    access = new Access(config, join(folder, "access.json"));
    expect(access.login("__proto__", Buffer.from("p"), "c", false)).toMatchObject({ username: "__proto__" });
    expect(access.login("constructor", Buffer.from("p"), "c", false)).toMatchObject({ username: "constructor" });
});

test("a damaged file stops the start instead of dropping rules", () => {
    writeFileSync(join(folder, "access.json"), "{");
    expect(() => new Access(config, join(folder, "access.json"))).toThrow(/cannot read users and rules at .*access\.json/);
});

test("an API key needs its own secret", () => {
    expect(access.apiRole("k", "s")).toBe("viewer");
    expect(access.apiRole("k", "t")).toBeUndefined();
    expect(access.apiRole("x", "s")).toBeUndefined();
    access.reload({ ...config, api: [] });
    expect(access.apiRole("k", "s")).toBeUndefined();
});
