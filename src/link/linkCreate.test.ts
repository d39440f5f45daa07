import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeEmqx } from "../../test/support/fakeEmqx.js";
import { create, diff, failureOf, flat, freePort, LinkFixture, linkPath, password } from "../../test/support/linkFixture.js";
import { IncompleteError, unknownValue } from "../dynamic/provider.js";
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

describe("create", () => {
    it("makes the link once, with everything that was asked for, and says what the broker says", async () => {
        const made = await clusterLink.create(inputs({ poolSize: 2, enable: true }));
        expect(made.id).toBe("fleet-a/fleet-b");
        expect(flat(made.outs)).toMatchObject({
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
        expect(fake.writes).toEqual([`PUT ${linkPath}`]);
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
        expect(fake.writes).toEqual([`PUT ${linkPath}`]);
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
        expect(flat(incomplete.properties)).toMatchObject({ status: "unknown", name: "fleet-b" });
        link.expectNoSecret(incomplete.message + incomplete.reasons.join());
        expect((await diff(incomplete.properties, inputs()))?.changes).toBe(true);
    });

    it("fails plainly when nothing was sent (F33): no state, no secret, the cause named", async () => {
        const free = await freePort();
        const dead = { ...fake.api, url: `http://127.0.0.1:${free}` };
        const error = await failureOf(create(inputs({ api: dead })));
        expect(error).not.toBeInstanceOf(IncompleteError);
        expect(error.message).toMatch(/ECONNREFUSED/);
        link.expectNoSecret(error.message);
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
            link.expectNoSecret(error.message);
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
