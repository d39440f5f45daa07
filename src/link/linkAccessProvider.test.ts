import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeEmqx } from "../../test/support/fakeEmqx.js";
import { unknownValue } from "../dynamic/provider.js";
import { type Stored, storedForms, unpacked } from "../dynamic/storedForm.js";
import { linkAccess } from "../provider.js";
import type { AccessInputs, AccessOutputs } from "./linkAccessRules.js";

const password = "acc3ss/wörd+of&link";
const users = "/api/v5/authentication/password_based:built_in_database/users";
const rules = "/api/v5/authorization/sources/built_in_database/rules/users";
let fake: FakeEmqx;
let warnings: string[];

beforeEach(async () => {
    fake = await FakeEmqx.start("fleet-b");
    warnings = [];
    vi.spyOn(console, "warn").mockImplementation((text: string) => {
        warnings.push(text);
    });
});

afterEach(async () => {
    vi.restoreAllMocks();
    await fake.stop();
});

function inputs(more: Partial<AccessInputs> = {}): AccessInputs {
    return {
        api: fake.api,
        localCluster: "fleet-b",
        peer: "fleet-a",
        password,
        allowLoopback: true,
        timeouts: { requestSeconds: 2, deleteSeconds: 2 },
        ...more,
    };
}

const flat = (stored: object | undefined) =>
    unpacked(storedForms.linkAccess, (stored ?? {}) as Stored, unknownValue) as unknown as AccessOutputs;

async function create(given: AccessInputs): Promise<AccessOutputs> {
    return flat((await linkAccess.create(given)).outs);
}

async function failureOf(work: Promise<unknown>): Promise<string> {
    return work.then(
        () => "it did not fail",
        (error: Error) => error.message,
    );
}

const diff = (olds: object, news: object) => linkAccess.diff?.("id", olds, news);
const update = async (olds: AccessOutputs, news: AccessInputs) => flat((await linkAccess.update?.("id", olds, news))?.outs);
const read = async (olds: AccessOutputs): Promise<{ id?: string; props?: AccessOutputs }> => {
    const found = ((await linkAccess.read?.("id", olds)) ?? {}) as { id?: string; props?: object };
    return found.props === undefined ? {} : { ...found, props: flat(found.props) };
};
const remove = async (olds: AccessOutputs) => linkAccess.delete?.("id", olds);

describe("LinkAccess", () => {
    it("makes the rules, then the user, and nothing else", async () => {
        const made = await linkAccess.create(inputs());
        expect(made.id).toBe("fleet-b/link-fleet-a");
        expect(flat(made.outs).login).toBe("link-fleet-a");
        expect(fake.writes).toEqual([`PUT ${rules}/link-fleet-a`, `POST ${users}`]);
        expect(fake.users.get("link-fleet-a")).toEqual({ user_id: "link-fleet-a", password, is_superuser: false });
        expect(fake.rules.get("link-fleet-a")).toEqual([
            { topic: "$LINK/cluster/route/fleet-a", permission: "allow", action: "publish" },
            { topic: "$LINK/cluster/msg/fleet-a", permission: "allow", action: "publish" },
            { topic: "$LINK/cluster/resp/fleet-a/+", permission: "allow", action: "subscribe" },
            { topic: "$LINK/#", permission: "deny", action: "all" },
            { topic: "#", permission: "deny", action: "all" },
        ]);
    });

    it("takes over a user of its name, and never leaves it a superuser", async () => {
        fake.users.set("link-fleet-a", { user_id: "link-fleet-a", password: "old", is_superuser: true });
        await create(inputs());
        expect(fake.users.get("link-fleet-a")).toMatchObject({ password, is_superuser: false });
        expect(fake.count(/^POST/)).toBe(0);
    });

    it("survives a user that appears in between, and an answer that is lost", async () => {
        fake.fail(/^POST .*users$/, { status: 409, body: { code: "ALREADY_EXISTS", message: "User already exists" } });
        fake.users.set("link-x", { user_id: "link-x" });
        fake.fail(/^GET .*users\/link-x$/, { status: 404, body: { code: "NOT_FOUND", message: "User not found" } });
        await create(inputs({ username: "link-x" }));
        expect(fake.users.get("link-x")).toMatchObject({ password });
        fake.fail(/^POST .*users$/, "lose-answer");
        await create(inputs({ username: "link-y" }));
        expect(fake.users.get("link-y")).toMatchObject({ password });
        fake.fail(/^PUT .*rules/, "cut");
        await create(inputs({ username: "link-z" }));
        expect(fake.rules.get("link-z")).toHaveLength(5);
    });

    it("does not touch a cluster that has no built-in database, unless told so", async () => {
        fake.authenticators = [];
        fake.sources = ["file"];
        expect(await failureOf(create(inputs()))).toMatch(
            /the cluster has no built-in database for authentication and authorization\. Add it there/,
        );
        expect(fake.writes).toEqual([]);
        fake.authenticators = ["password_based:built_in_database"];
        expect(await failureOf(create(inputs()))).toMatch(/no built-in database for authorization\./);
        fake.authenticators = [];
        await create(inputs({ manageSources: true }));
        expect(fake.authenticators).toEqual(["password_based:built_in_database"]);
        expect(fake.sources).toContain("built_in_database");
        expect(fake.users.has("link-fleet-a")).toBe(true);
    });

    it("refuses a cluster of another name before it writes", async () => {
        fake.clusterName = "emqxcl";
        expect(await failureOf(create(inputs()))).toMatch(/is called "emqxcl", not "fleet-b"\. Set localCluster/);
        expect(fake.writes).toEqual([]);
    });

    it("sets a new password in place", async () => {
        const outs = await create(inputs());
        const news = inputs({ password: "rotated" });
        expect(await diff(outs, news)).toEqual({ changes: true });
        const changed = await update(outs, news);
        expect(changed).toMatchObject({ login: "link-fleet-a" });
        expect((await diff(changed, news))?.changes).toBe(false);
        expect(fake.users.get("link-fleet-a")).toMatchObject({ password: "rotated" });
    });

    it("shows no change where there is none, and replaces for another peer, cluster or user", async () => {
        const outs = await create(inputs());
        expect(await diff({ ...outs, __provider: "a" }, { ...inputs({ progressUrn: "x" }), __provider: "b" })).toEqual({
            changes: false,
        });
        expect(await diff(outs, inputs({ peer: "fleet-c" }))).toEqual({ changes: true, replaces: ["peer"] });
        expect(await diff(outs, inputs({ localCluster: "fleet-c" }))).toEqual({ changes: true, replaces: ["localCluster"] });
        expect(await diff(outs, inputs({ username: "other" }))).toEqual({ changes: true, replaces: ["username"] });
        expect(await diff(outs, inputs({ username: unknownValue }))).toEqual({ changes: true });
        expect(await diff(outs, inputs({ peer: unknownValue }))).toEqual({ changes: true });
    });

    it("notices a user that is gone and rules that were changed", async () => {
        const outs = await create(inputs());
        expect((await read(outs)).props).toEqual(outs);
        fake.rules.set("link-fleet-a", [{ topic: "#", permission: "allow", action: "all" }]);
        const found = (await read(outs)).props as AccessOutputs;
        expect(found).toEqual({ ...outs, drift: ["rules"] });
        expect(await diff(found, inputs())).toEqual({ changes: true });
        expect(await update(found, inputs())).toEqual(outs);
        expect(fake.rules.get("link-fleet-a")).toHaveLength(5);
        fake.users.clear();
        expect(await read(outs)).toEqual({});
    });

    it("removes user and rules; absence is done, a dead cluster is named with what is left", async () => {
        const outs = await create(inputs());
        await Promise.all(Array.from({ length: 8 }, () => remove(outs)));
        expect([fake.users.size, fake.rules.size]).toEqual([0, 0]);
        expect(warnings).toEqual([]);
        fake.fail(/./, "hang", 1000);
        await remove({ ...outs, timeouts: { deleteSeconds: 0.3 } });
        expect((await read({ ...outs, timeouts: { deleteSeconds: 0.3 } })).props?.login).toBe("link-fleet-a");
        expect(warnings).toEqual([
            expect.stringMatching(
                /^linkspan: the user "link-fleet-a" for the links of "fleet-a" on "fleet-b" is left behind: .* DELETE http:\/\/\S+\/users\/link-fleet-a and DELETE http:\/\/\S+\/rules\/users\/link-fleet-a$/,
            ),
            expect.stringMatching(/^linkspan: the user "link-fleet-a" .* could not be read/),
        ]);
        expect(warnings.join()).not.toContain(password);
    });

    it("refuses bad input under a property that is not secret, and never sends what is unknown", async () => {
        const failures = async (news: object) =>
            ((await linkAccess.check?.({}, news))?.failures ?? []).map(({ property, reason }) => `${property}| ${reason}`);
        expect(await failures(inputs())).toEqual([]);
        expect(await failures(inputs({ peer: "fleet-b" }))).toEqual([
            expect.stringMatching(/^\| peer: "fleet-b" is this cluster's own name/),
        ]);
        expect(await failures(inputs({ username: "" }))).toEqual([expect.stringMatching(/^\| username: "" is empty/)]);
        expect(await failures(inputs({ password: "" }))).toEqual([expect.stringMatching(/^\| password: it is empty/)]);
        expect(await failures(inputs({ api: { ...fake.api, url: "http://x.example:1" } }))).toEqual([
            expect.stringMatching(/^\| api\.url: /),
        ]);
        for (const key of ["api", "localCluster", "peer", "username", "password"]) {
            expect(await failures({ ...inputs(), [key]: unknownValue })).toEqual([]);
            expect(await failureOf(create({ ...inputs(), [key]: unknownValue }))).toMatch(/not known yet/);
        }
        expect(await failureOf(create(inputs({ api: { ...fake.api, secret: unknownValue } })))).toMatch(/not known yet/);
        expect(fake.seen).toEqual([]);
    });
});
