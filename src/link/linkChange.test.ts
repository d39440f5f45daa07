import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeEmqx } from "../../test/support/fakeEmqx.js";
import { create, diff, failureOf, LinkFixture, linkPath, password, update } from "../../test/support/linkFixture.js";
import { unknownValue } from "../dynamic/provider.js";
import { clusterLink } from "../provider.js";
import type { LinkInputs } from "./linkInputs.js";

let link: LinkFixture;
let fake: FakeEmqx;
const inputs = (more: Partial<LinkInputs> = {}) => link.inputs(more);

beforeEach(async () => {
    link = await LinkFixture.start();
    fake = link.fake;
});

afterEach(() => link.stop());

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
        expect(fake.writes).toEqual([`PUT ${linkPath}`]);
        expect(fake.links.get("fleet-b")).toMatchObject({ topics: ["new/#"], password });
        expect(changed.changedAt > "2020-01-01T00:00:00.000Z").toBe(true);
    });

    it("writes a password that only differs from the last one", async () => {
        const outs = await create(inputs());
        fake.seen.length = 0;
        await update(outs, inputs({ password: "rotated" }));
        expect(fake.writes).toEqual([`PUT ${linkPath}`]);
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

    it("looks again, and makes the link where it is gone, when the cluster has lost what it stored", async () => {
        const outs = await create(inputs({ storeId: "first" }));
        expect((await diff(outs, inputs({ storeId: "first" })))?.changes).toBe(false);
        expect((await diff(outs, inputs({ storeId: "second" })))?.changes).toBe(true);
        const kept = await update(outs, inputs({ storeId: "second" }));
        expect(kept.changedAt).toBe(outs.changedAt);
        fake.links.clear();
        await update(kept, inputs({ storeId: "third" }));
        expect(fake.links.size).toBe(1);
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
        expect(fake.writes).toEqual([`PUT ${linkPath}`]);
    });
});

describe("check", () => {
    const failures = async (news: object) =>
        ((await clusterLink.check?.({}, news))?.failures ?? []).map(({ property, reason }) => `${property}| ${reason}`);

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
            expect(found[0]).toMatch(new RegExp(`^\\| ${reason.source}`));
            expect(found[0]).not.toContain("PRIVATE-PEM");
            link.expectNoSecret(found.join());
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
