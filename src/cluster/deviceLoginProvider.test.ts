import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeEmqx } from "../../test/support/fakeEmqx.js";
import { unknownValue } from "../dynamic/provider.js";
import { deviceUser } from "../provider.js";
import type { DeviceUserInputs, DeviceUserOutputs } from "./deviceLoginRules.js";

const password = "d3vice/wörd+of&plant";
const users = "/api/v5/authentication/password_based:built_in_database/users";
let fake: FakeEmqx;
let said: string[];

beforeEach(async () => {
    fake = await FakeEmqx.start("fleet-aws");
    said = [];
    vi.spyOn(console, "warn").mockImplementation((text: string) => void said.push(text));
});
afterEach(async () => {
    vi.restoreAllMocks();
    await fake.stop();
});

const inputs = (more: Partial<DeviceUserInputs> = {}): DeviceUserInputs => ({
    api: fake.api,
    clusterName: "fleet-aws",
    username: "pump-7@plant",
    password,
    timeouts: { requestSeconds: 2, deleteSeconds: 0.3 },
    ...more,
});

const create = async (given: DeviceUserInputs) => (await deviceUser.create(given)).outs as DeviceUserOutputs;
const update = async (olds: DeviceUserOutputs, news: DeviceUserInputs) =>
    (await deviceUser.update?.("id", olds, news))?.outs as DeviceUserOutputs;
const diff = (olds: object, news: object) => deviceUser.diff?.("id", olds, news);
const read = async (olds: DeviceUserOutputs) => (await deviceUser.read?.("id", olds)) as { props?: DeviceUserOutputs };
const remove = async (olds: DeviceUserOutputs) => deviceUser.delete?.("id", olds);
const failureOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
        () => "it did not fail",
        (error: Error) => error.message,
    );

describe("DeviceLogin", () => {
    it("makes the user", async () => {
        const made = await deviceUser.create(inputs());
        expect(made.id).toBe("fleet-aws/pump-7@plant");
        expect(fake.writes).toEqual([`POST ${users}`]);
        expect(fake.users.get("pump-7@plant")).toEqual({ user_id: "pump-7@plant", password, is_superuser: false });
    });

    it("takes over the user that the brokers know from their first boot, and leaves no superuser", async () => {
        fake.users.set("pump-7@plant", { user_id: "pump-7@plant", password: "old", is_superuser: true });
        await create(inputs());
        expect(fake.users.get("pump-7@plant")).toMatchObject({ password, is_superuser: false });
        expect(fake.count(/^POST/)).toBe(0);
    });

    it("sets a new password in place, and replaces for another name or cluster", async () => {
        const outs = await create(inputs());
        expect(await diff({ ...outs, __provider: "a" }, { ...inputs({ progressUrn: "x" }), __provider: "b" })).toEqual({
            changes: false,
        });
        const news = inputs({ password: "rotated" });
        expect(await diff(outs, news)).toEqual({ changes: true });
        expect(await update(outs, news)).toMatchObject({ password: "rotated" });
        expect(fake.users.get("pump-7@plant")).toMatchObject({ password: "rotated" });
        expect(await diff(outs, inputs({ username: "pump-8" }))).toEqual({ changes: true, replaces: ["username"] });
        expect(await diff(outs, inputs({ clusterName: "b" }))).toEqual({ changes: true, replaces: ["clusterName"] });
    });

    it("sends no password to another cluster, and says what the API refused without it", async () => {
        fake.clusterName = "emqxcl";
        expect(await failureOf(create(inputs()))).toMatch(/is called "emqxcl", not "fleet-aws"/);
        expect(fake.writes).toEqual([]);
        fake.clusterName = "fleet-aws";
        fake.fail(/^POST .*users$/, { status: 400, body: { code: "BAD_REQUEST", message: `bad: ${password}` } });
        const message = await failureOf(create(inputs()));
        expect(message).toContain("400 BAD_REQUEST");
        expect(message).not.toContain(password);
    });

    it("notices a user that is gone or has become a superuser", async () => {
        const outs = await create(inputs());
        expect((await read(outs)).props).toEqual(outs);
        fake.users.set("pump-7@plant", { user_id: "pump-7@plant", is_superuser: true });
        const found = (await read(outs)).props as DeviceUserOutputs;
        expect(found).toEqual({ ...outs, drift: ["superuser"] });
        expect(await diff(found, inputs())).toEqual({ changes: true });
        expect(await update(found, inputs())).toEqual(outs);
        fake.users.clear();
        expect(await read(outs)).toEqual({});
    });

    it("is removed; absence is done, and a dead cluster is left after a bounded time with what is left", async () => {
        const outs = await create(inputs());
        await Promise.all([remove(outs), remove(outs), remove(outs)]);
        expect(fake.users.size).toBe(0);
        expect(said).toEqual([]);
        fake.fail(/./, "hang", 100);
        await remove(outs);
        expect(said).toEqual([
            expect.stringMatching(
                /^linkspan: the device user "pump-7@plant" on "fleet-aws" is left behind: .* DELETE http:\/\/\S+\/users\/pump-7%40plant$/,
            ),
        ]);
        expect((await read(outs)).props).toEqual(outs);
        expect(said.join()).not.toContain(password);
    });

    it.each<[string, Partial<DeviceUserInputs>, RegExp]>([
        ["no name", { username: "" }, /^username: "" is empty/],
        ["a name of 257", { username: "u".repeat(257) }, /^username: .* too long/],
        ["a line break in the name", { username: "a\nb" }, /^username: "a\\nb" .* control characters/],
        ["no password", { password: "" }, /^password: it is empty/],
        ["no cluster", { clusterName: "" }, /^clusterName: it is empty/],
    ])("refuses %s at preview", async (_what, more, message) => {
        const [failure] = (await deviceUser.check?.({}, inputs(more)))?.failures ?? [];
        expect(failure?.property).toBe("username");
        expect(failure?.reason).toMatch(message);
    });

    it("never sends what is unknown", async () => {
        for (const part of ["api", "clusterName", "username", "password"]) {
            const news = { ...inputs(), [part]: unknownValue };
            expect((await deviceUser.check?.({}, news))?.failures).toEqual([]);
            expect(await failureOf(deviceUser.create(news))).toContain("not known yet");
        }
        expect(fake.seen).toEqual([]);
    });
});
