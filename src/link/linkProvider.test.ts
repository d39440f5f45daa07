import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeEmqx } from "../../test/support/fakeEmqx.js";
import { IncompleteError, unknownValue } from "../dynamic/provider.js";
import { createAuthority, issueCertificate } from "../identity/issue.js";
import { clusterLink } from "../provider.js";
import type { LinkInputs, LinkOutputs } from "./linkInputs.js";

const password = "p4ss/wörd+of&link";
const link = "/api/v5/cluster/links/link/fleet-b";
let fake: FakeEmqx;
let warnings: string[];

beforeEach(async () => {
    fake = await FakeEmqx.start("fleet-a");
    warnings = [];
    vi.spyOn(console, "warn").mockImplementation((text: string) => {
        warnings.push(text);
    });
});

afterEach(async () => {
    vi.restoreAllMocks();
    await fake.stop();
});

function inputs(more: Partial<LinkInputs> = {}): LinkInputs {
    return {
        api: fake.api,
        localCluster: "fleet-a",
        name: "fleet-b",
        server: "b.link.fleet.internal:8884",
        username: "link-fleet-a",
        password,
        topics: ["fleet/#", "alarms"],
        allowLoopback: true,
        timeouts: { requestSeconds: 2, settleSeconds: 2, deleteSeconds: 2 },
        ...more,
    };
}

async function create(given: LinkInputs): Promise<LinkOutputs> {
    return (await clusterLink.create(given)).outs as LinkOutputs;
}

async function update(olds: LinkOutputs, news: LinkInputs): Promise<LinkOutputs> {
    return (await clusterLink.update?.("id", olds, news))?.outs as LinkOutputs;
}

async function diff(olds: object, news: object) {
    return clusterLink.diff?.("id", olds, news);
}

async function read(olds: LinkOutputs) {
    return (await clusterLink.read?.("id", olds)) as { id?: string; props?: LinkOutputs; inputs?: LinkInputs };
}

async function remove(olds: LinkOutputs): Promise<void> {
    await clusterLink.delete?.("id", olds);
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
    return work.then(
        () => {
            throw new Error("it did not fail");
        },
        (error: Error) => error,
    );
}

/** No form of a secret may stand in a text. */
function expectNoSecret(text: string): void {
    for (const secret of [password, fake.secret]) {
        const bytes = Buffer.from(secret);
        for (const form of [
            secret,
            bytes.toString("base64"),
            bytes.toString("base64url"),
            bytes.toString("hex"),
            encodeURIComponent(secret),
        ]) {
            expect(text).not.toContain(form);
        }
    }
}

describe("create", () => {
    it("makes the link once, with everything that was asked for, and says what the broker says", async () => {
        const made = await clusterLink.create(inputs({ poolSize: 2, enable: true }));
        expect(made.id).toBe("fleet-a/fleet-b");
        expect(made.outs).toMatchObject({
            status: "connected",
            name: "fleet-b",
            changedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        });
        expect(fake.writes).toEqual(["POST /api/v5/cluster/links"]);
        expect(fake.links.get("fleet-b")).toMatchObject({
            name: "fleet-b",
            server: "b.link.fleet.internal:8884",
            clientid: "fleet-a-",
            username: "link-fleet-a",
            password,
            topics: ["alarms", "fleet/#"],
            enable: true,
            pool_size: 2,
            retry_interval: "1s",
            max_inflight: 100,
            resource_opts: { health_check_interval: "1s" },
        });
    });

    it("refuses before it writes: another cluster, a release without links, an expired licence", async () => {
        fake.clusterName = "emqxcl";
        expect((await failureOf(create(inputs()))).message).toMatch(
            /the cluster that answers is called "emqxcl", not "fleet-a"\. Set localCluster to/,
        );
        fake.clusterName = "fleet-a";
        fake.version = "5.8.1";
        expect((await failureOf(create(inputs()))).message).toMatch(/EMQX 5\.8\.1/);
        fake.version = "6.2.2";
        fake.licenseType = "community";
        expect((await failureOf(create(inputs()))).message).toMatch(/licence/);
        expect(fake.writes).toEqual([]);
    });

    it("takes over its own link, left by a run that was cut off (F34)", async () => {
        await create(inputs());
        fake.seen.length = 0;
        // The run died before it was written down; what is there may have another password.
        const again = await create(inputs({ password: "another one" }));
        expect(again.status).toBe("connected");
        expect(fake.writes).toEqual([`PUT ${link}`]);
        expect(fake.links.size).toBe(1);
        expect(fake.links.get("fleet-b")?.password).toBe("another one");
    });

    it("does not write at all when its own link is there and holds no secret", async () => {
        const { username: _user, password: _password, ...open } = inputs();
        await create(open);
        fake.seen.length = 0;
        await create(open);
        expect(fake.writes).toEqual([]);
    });

    it("refuses a stranger's link by its client id, and takes it over with adopt", async () => {
        fake.links.set("fleet-b", { name: "fleet-b", server: "x:1883", clientid: "their-", topics: [] });
        const error = await failureOf(create(inputs()));
        expect(error).not.toBeInstanceOf(IncompleteError);
        expect(error.message).toMatch(
            /carries the client id "their-", not "fleet-a-": it was made by somebody else\. Set adopt: true/,
        );
        expect(fake.writes).toEqual([]);
        await create(inputs({ adopt: true }));
        expect(fake.writes).toEqual([`PUT ${link}`]);
        expect(fake.links.get("fleet-b")).toMatchObject({ clientid: "fleet-a-", server: "b.link.fleet.internal:8884" });
    });

    it("finds out what became of a creation whose answer was lost (F34): exactly one link, one POST", async () => {
        fake.fail(/^POST .*links$/, "lose-answer");
        const outs = await create(inputs());
        expect(outs.status).toBe("connected");
        expect(fake.count(/^POST/)).toBe(1);
        expect(fake.links.size).toBe(1);
    });

    it("asks again when a creation was lost on its way", async () => {
        fake.fail(/^POST .*links$/, "cut");
        await create(inputs({ timeouts: { requestSeconds: 2, settleSeconds: 0.3, deleteSeconds: 1 } }));
        expect(fake.count(/^POST/)).toBe(2);
        expect(fake.links.size).toBe(1);
    });

    it("keeps in state what may have been made when the cluster is lost half-way", async () => {
        fake.fail(/^POST .*links$/, "lose-answer");
        fake.fail(/^GET .*link\/fleet-b$/, { status: 404, body: { code: "NOT_FOUND", message: "Cluster link not found" } });
        fake.fail(/^GET .*link\/fleet-b$/, "cut", 1000);
        const error = await failureOf(create(inputs({ timeouts: { requestSeconds: 1, settleSeconds: 0.5, deleteSeconds: 1 } })));
        expect(error).toBeInstanceOf(IncompleteError);
        const incomplete = error as IncompleteError;
        expect(incomplete.id).toBe("fleet-a/fleet-b");
        expect(incomplete.properties).toMatchObject({ status: "unknown", name: "fleet-b" });
        expectNoSecret(incomplete.message + incomplete.reasons.join());
        expect((await diff(incomplete.properties, inputs()))?.changes).toBe(true);
    });

    it("fails plainly when nothing was sent (F33): no state, no secret, the cause named", async () => {
        const free = await freePort();
        const dead = { ...fake.api, url: `http://127.0.0.1:${free}` };
        const error = await failureOf(create(inputs({ api: dead })));
        expect(error).not.toBeInstanceOf(IncompleteError);
        expect(error.message).toMatch(/ECONNREFUSED/);
        expectNoSecret(error.message);
    });

    it("reports what the API refuses, once, without a secret (F33, F40)", async () => {
        const table: [fault: Parameters<FakeEmqx["fail"]>[1], message: RegExp][] = [
            [
                { status: 400, body: { code: "BAD_REQUEST", message: `{"reason":"invalid","got":"${password}"}` } },
                /400 BAD_REQUEST/,
            ],
            [
                { status: 403, body: { code: "UNAUTHORIZED_ROLE", message: "This API Key don't have permission" } },
                /403 UNAUTHORIZED_ROLE/,
            ],
            [
                {
                    status: 400,
                    body: {
                        code: "BAD_REQUEST",
                        message:
                            "Cluster linking is not available under the community (single-node) license. Load a non-community license and retry.",
                    },
                },
                /licen[cs]e/,
            ],
        ];
        for (const [fault, message] of table) {
            fake.seen.length = 0;
            fake.fail(/^POST .*links$/, fault);
            const error = await failureOf(create(inputs()));
            expect(error).not.toBeInstanceOf(IncompleteError);
            expect(error.message).toMatch(message);
            expect(error.stack).toBe(error.message);
            expectNoSecret(error.message);
            expect(fake.count(/^POST/)).toBe(1);
        }
        const wrongKey = await failureOf(create(inputs({ api: { ...fake.api, secret: "wrong" } })));
        expect(wrongKey.message).toMatch(/401 BAD_API_KEY_OR_SECRET/);
    });

    it("lets one of two creators win and gives the other a clean error (F38)", async () => {
        const other = inputs({ clientIdPrefix: "other-", username: "link-other" });
        const [one, two] = await Promise.allSettled([create(inputs()), create(other)]);
        const failed = [one, two].filter((result) => result.status === "rejected");
        expect(failed).toHaveLength(1);
        expect(String((failed[0] as PromiseRejectedResult).reason)).toMatch(/it was made by somebody else/);
        expect(fake.links.size).toBe(1);
    });

    it("lets two creators of the same mesh both succeed, with one link (F38)", async () => {
        await Promise.all([create(inputs()), create(inputs())]);
        expect(fake.links.size).toBe(1);
    });

    it("never sends a value that is not known yet, however deep it is", async () => {
        for (const unknown of [
            { server: unknownValue },
            { topics: ["a", unknownValue] },
            { tls: { enable: true, ca: unknownValue } },
            { api: { ...fake.api, secret: unknownValue } },
        ]) {
            expect((await failureOf(create(inputs(unknown)))).message).toMatch(/not known yet/);
        }
        expect(fake.seen).toEqual([]);
    });
});

describe("diff", () => {
    it("sees no change in another spelling, another order, or where progress is shown", async () => {
        const outs = await create(inputs());
        fake.seen.length = 0;
        for (const same of [
            {},
            { topics: ["alarms", "fleet/#"] },
            {
                enable: true,
                poolSize: 4,
                retryInterval: "1000ms",
                maxInflight: 100,
                maxOutageSeconds: 20,
                clientIdPrefix: "fleet-a-",
                adopt: false,
            },
            { tls: { enable: false } },
            // The smallest buffer bridges this already.
            { maxOutageSeconds: 30 },
            { progressUrn: "urn:pulumi:other" },
        ]) {
            expect(await diff({ ...outs, __provider: "text" }, { ...inputs(same), __provider: "newer text" })).toEqual({
                changes: false,
            });
        }
        expect(fake.seen).toEqual([]);
    });

    it("sees every change, and replaces only for another remote or another cluster", async () => {
        const outs = await create(inputs());
        for (const [change, replaces] of [
            [{ topics: ["fleet/#"] }, undefined],
            [{ server: "c.link.fleet.internal:8884" }, undefined],
            [{ enable: false }, undefined],
            [{ poolSize: 8 }, undefined],
            [{ retryInterval: "2s" }, undefined],
            [{ maxInflight: 10 }, undefined],
            [{ username: "other" }, undefined],
            [{ password: "other" }, undefined],
            [{ clientIdPrefix: "other-" }, undefined],
            [{ api: { ...fake.api, url: "http://127.0.0.1:1" } }, undefined],
            [{ timeouts: { deleteSeconds: 5 } }, undefined],
            [{ topics: ["fleet/#", unknownValue] }, undefined],
            [{ api: { ...fake.api, secret: unknownValue } }, undefined],
            [{ name: unknownValue }, undefined],
            [{ name: "fleet-c" }, ["name"]],
            [{ localCluster: "fleet-x" }, ["localCluster"]],
        ] as const) {
            const answer = await diff(outs, inputs(change as Partial<LinkInputs>));
            expect(answer?.changes).toBe(true);
            expect(answer?.replaces).toEqual(replaces);
        }
    });
});

describe("update", () => {
    it("changes in place by one PUT and moves the moment of change", async () => {
        const outs = await create(inputs());
        fake.seen.length = 0;
        const changed = await update({ ...outs, changedAt: "2020-01-01T00:00:00.000Z" }, inputs({ topics: ["new/#"] }));
        expect(fake.writes).toEqual([`PUT ${link}`]);
        expect(fake.links.get("fleet-b")).toMatchObject({ topics: ["new/#"], password });
        expect(changed.changedAt > "2020-01-01T00:00:00.000Z").toBe(true);
    });

    it("writes a password that only differs from the last one", async () => {
        const outs = await create(inputs());
        fake.seen.length = 0;
        await update(outs, inputs({ password: "rotated" }));
        expect(fake.writes).toEqual([`PUT ${link}`]);
        expect(fake.links.get("fleet-b")?.password).toBe("rotated");
    });

    it("does not disturb the link when only the way to the API or a deadline changes", async () => {
        const outs = await create(inputs());
        fake.seen.length = 0;
        const same = await update(
            { ...outs, api: { ...fake.api, url: "http://127.0.0.1:1" } },
            inputs({ timeouts: { deleteSeconds: 9 } }),
        );
        expect(fake.writes).toEqual([]);
        expect(same).toMatchObject({ changedAt: outs.changedAt, status: outs.status, timeouts: { deleteSeconds: 9 } });
    });

    it("makes the link again when it is gone, and refuses a stranger in its place", async () => {
        const outs = await create(inputs());
        fake.links.clear();
        await update(outs, inputs({ topics: ["new/#"] }));
        expect(fake.links.get("fleet-b")).toMatchObject({ topics: ["new/#"] });
        fake.links.set("fleet-b", { name: "fleet-b", server: "x:1883", topics: [] });
        expect((await failureOf(update(outs, inputs()))).message).toMatch(/carries no client id/);
    });

    it("accepts a new client-id prefix for its own link", async () => {
        const outs = await create(inputs());
        await update(outs, inputs({ clientIdPrefix: "renamed-" }));
        expect(fake.links.get("fleet-b")?.clientid).toBe("renamed-");
    });

    it("finds out what became of a change without an answer", async () => {
        const outs = await create(inputs());
        fake.seen.length = 0;
        fake.fail(/^PUT/, "lose-answer");
        await update(outs, inputs({ enable: false }));
        expect(fake.count(/^PUT/)).toBe(1);
        expect(fake.links.get("fleet-b")?.enable).toBe(false);
    });

    it("writes once more when a lost change cannot be seen from outside, as with a password", async () => {
        const outs = await create(inputs());
        fake.seen.length = 0;
        fake.fail(/^PUT/, "cut");
        await update(outs, inputs({ password: "rotated" }));
        expect(fake.count(/^PUT/)).toBe(2);
        expect(fake.links.get("fleet-b")?.password).toBe("rotated");
    });

    it("writes everything after a run whose end is unknown", async () => {
        const outs = await create(inputs());
        fake.seen.length = 0;
        await update({ ...outs, status: "unknown" }, inputs());
        expect(fake.writes).toEqual([`PUT ${link}`]);
    });
});

describe("read", () => {
    it("shows nothing where nothing but EMQX's own additions differ (F37)", async () => {
        const authority = await createAuthority("fleet mesh", 100);
        const issued = await issueCertificate(
            { commonName: "a", dnsNames: ["a"], ipAddresses: [], usage: ["client"], validityDays: 90 },
            authority,
        );
        const outs = await create(
            inputs({
                tls: {
                    enable: true,
                    ca: authority.certPem,
                    cert: issued.certPem,
                    key: issued.keyPem,
                    serverName: "b.link.fleet.internal",
                },
            }),
        );
        const found = await read(outs);
        expect(found.props).toEqual(outs);
        expect((await diff(found.props ?? {}, found.inputs ?? {}))?.changes).toBe(false);
    });

    it("shows drift for the changed keys only, and up restores it (F36)", async () => {
        const outs = await create(inputs());
        const stored = fake.links.get("fleet-b") ?? {};
        fake.links.set("fleet-b", { ...stored, topics: ["hand/#"], server: "else.example:1883", enable: false, pool_size: 9 });
        const found = await read(outs);
        const drifted = { topics: ["hand/#"], server: "else.example:1883", enable: false, poolSize: 9 };
        expect(found.props).toEqual({ ...outs, ...drifted });
        const { status: _status, changedAt: _changedAt, ...plain } = outs;
        expect(found.inputs).toEqual({ ...plain, ...drifted });
        expect((await diff(found.props ?? {}, inputs()))?.changes).toBe(true);
        await update(found.props as LinkOutputs, inputs());
        expect(fake.links.get("fleet-b")).toMatchObject({
            topics: ["alarms", "fleet/#"],
            server: "b.link.fleet.internal:8884",
            enable: true,
            pool_size: 4,
        });
    });

    it("names drift that no argument can say, and up restores that too", async () => {
        const outs = await create(inputs());
        const { password: _gone, ...stored } = fake.links.get("fleet-b") ?? {};
        fake.links.set("fleet-b", { ...stored, resource_opts: { request_ttl: "1s", health_check_interval: "15s" } });
        const found = await read(outs);
        expect(found.props?.drift).toEqual(["password", "resourceOptions"]);
        expect(Object.keys(found.inputs ?? {})).not.toContain("drift");
        expect((await diff(found.props ?? {}, inputs()))?.changes).toBe(true);
        const restored = await update(found.props as LinkOutputs, inputs());
        expect(restored.drift).toBeUndefined();
        expect(fake.links.get("fleet-b")).toMatchObject({ password, resource_opts: { health_check_interval: "1s" } });
    });

    it("says that a link is gone (F35)", async () => {
        const outs = await create(inputs());
        fake.links.clear();
        expect(await read(outs)).toEqual({});
    });

    it("keeps the last state of a cluster that does not answer, and says so in one line", async () => {
        const outs = await create(inputs());
        fake.fail(/./, "hang", 1000);
        const found = await read({ ...outs, timeouts: { deleteSeconds: 0.3 } });
        expect(found.props).toMatchObject({ status: "connected", topics: outs.topics });
        expect(found.inputs).toBeUndefined();
        expect(warnings).toHaveLength(1);
        expect(warnings[0]).toMatch(/^linkspan: the cluster link "fleet-b" on "fleet-a" could not be read/);
        expectNoSecret(warnings.join());
    });
});

describe("delete", () => {
    it("removes the link, and treats absence as done", async () => {
        const outs = await create(inputs());
        await remove(outs);
        expect(fake.links.size).toBe(0);
        await remove(outs);
        expect(warnings).toEqual([]);
        expect(fake.count(/^DELETE/)).toBe(1);
    });

    it("may be called eight times at once (F38)", async () => {
        const outs = await create(inputs());
        await Promise.all(Array.from({ length: 8 }, () => remove(outs)));
        expect(fake.links.size).toBe(0);
        expect(warnings).toEqual([]);
    });

    it("leaves a stranger's link that has taken its place", async () => {
        const outs = await create(inputs());
        fake.links.set("fleet-b", { name: "fleet-b", server: "x:1883", clientid: "their-", topics: [] });
        await remove(outs);
        expect(fake.links.size).toBe(1);
    });

    it("ends when the cluster is gone or silent, and says what is left and how to remove it (F30, F50)", async () => {
        const outs = await create(inputs());
        fake.fail(/./, "hang", 1000);
        await remove({ ...outs, timeouts: { deleteSeconds: 0.3 } });
        const free = await freePort();
        await remove({ ...outs, api: { ...outs.api, url: `http://127.0.0.1:${free}` } });
        expect(warnings).toHaveLength(2);
        for (const text of warnings) {
            expect(text).toMatch(/^linkspan: the cluster link "fleet-b" on "fleet-a" is left behind/);
            expect(text).toMatch(/DELETE http:\/\/127\.0\.0\.1:\d+\/api\/v5\/cluster\/links\/link\/fleet-b$/);
            expectNoSecret(text);
        }
    });

    it("follows up a removal without an answer", async () => {
        const outs = await create(inputs());
        fake.fail(/^DELETE/, "lose-answer");
        await remove(outs);
        expect(fake.links.size).toBe(0);
        expect(warnings).toEqual([]);
    });

    it("fails when the cluster is there and refuses", async () => {
        const outs = await create(inputs());
        fake.fail(/^DELETE/, { status: 403, body: { code: "UNAUTHORIZED_ROLE", message: "no" } });
        expect((await failureOf(remove(outs))).message).toMatch(/403 UNAUTHORIZED_ROLE/);
    });
});

describe("check", () => {
    const failures = async (news: object) =>
        ((await clusterLink.check?.({}, news))?.failures ?? []).map(({ property, reason }) => `${property} | ${reason}`);

    it("refuses bad input under a property that is not secret", async () => {
        for (const [bad, reason] of [
            [{ server: "a:1883,b:1883" }, /server: .*more than one host/],
            [{ server: "mqtt://b.example:1883" }, /server: .*scheme/],
            [{ server: "b.example:0" }, /server: /],
            [
                {
                    server: "127.0.0.1:1883",
                    allowLoopback: false,
                    api: { url: "https://a.example:18084", key: "k", secret: "s" },
                },
                /server: .*machine itself/,
            ],
            [{ api: { url: "http://a.example:18083", key: "k", secret: "s3cret" } }, /api\.url: .*not encrypted/],
            [{ name: "fleet-a" }, /name: "fleet-a" is this cluster's own name/],
            [{ topics: ["a/#", "a/b"] }, /topics\[1\]: "a\/b" is covered by "a\/#"/],
            [{ topics: ["$LINK/#"] }, /topics\[0\]: /],
            [{ clientIdPrefix: "noseparator" }, /clientIdPrefix: .*no separator/],
            [{ maxOutageSeconds: 60 }, /maxOutageSeconds: 60 cannot be kept/],
            [{ poolSize: 0 }, /poolSize: 0 is out of range/],
            [{ tls: { enable: true, cert: "PRIVATE-PEM", key: "PRIVATE-PEM" } }, /tls\./],
            [{ timeouts: { deleteSeconds: 0 } }, /timeouts\.deleteSeconds: 0 is out of range/],
        ] as const) {
            const found = await failures(inputs(bad as Partial<LinkInputs>));
            expect(found).toHaveLength(1);
            expect(found[0]).toMatch(new RegExp(`^topics \\| ${reason.source}`));
            expect(found[0]).not.toContain("PRIVATE-PEM");
            expectNoSecret(found.join());
        }
        expect(fake.seen).toEqual([]);
    });

    it("accepts what is right, and what is not known yet", async () => {
        expect(await failures(inputs())).toEqual([]);
        const { allowLoopback: _plain, ...may } = inputs();
        for (const key of Object.keys(may)) {
            expect(await failures({ ...inputs(), [key]: unknownValue })).toEqual([]);
        }
        expect(
            await failures(
                inputs({
                    topics: [unknownValue, "a"],
                    api: { ...fake.api, url: unknownValue },
                    tls: { enable: true, key: unknownValue },
                }),
            ),
        ).toEqual([]);
    });
});

async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    return typeof address === "object" && address !== null ? address.port : 0;
}
