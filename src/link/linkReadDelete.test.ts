import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeEmqx } from "../../test/support/fakeEmqx.js";
import {
    create,
    diff,
    failureOf,
    freePort,
    LinkFixture,
    password,
    read,
    remove,
    update,
} from "../../test/support/linkFixture.js";
import { createAuthority, issueCertificate } from "../identity/issue.js";
import { clusterLink } from "../provider.js";
import type { LinkInputs, LinkOutputs } from "./linkInputs.js";

let link: LinkFixture;
let fake: FakeEmqx;
const inputs = (more: Partial<LinkInputs> = {}) => link.inputs(more);

beforeEach(async () => {
    link = await LinkFixture.start();
    fake = link.fake;
});

afterEach(() => link.stop());

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
        // Nothing is said of the inputs, so that the engine keeps those of the program.
        expect(found.inputs).toBeUndefined();
    });

    it("shows drift for the changed keys only, and up restores it (F36)", async () => {
        const outs = await create(inputs());
        const stored = fake.links.get("fleet-b") ?? {};
        fake.links.set("fleet-b", { ...stored, topics: ["hand/#"], server: "else.example:1883", enable: false, pool_size: 9 });
        const found = await read(outs);
        const drifted = { topics: ["hand/#"], server: "else.example:1883", enable: false, poolSize: 9 };
        expect(found.props).toEqual({ ...outs, ...drifted });
        const { status: _status, changedAt: _changedAt, tlsShape: _tls, hasPassword: _password, api: _api, ...plain } = outs;
        // The secrets among them by their digests, as they stood before.
        expect(found.inputs).toEqual({ ...plain, ...drifted });
        expect(found.inputs?.sealed).toBe(outs.sealed);
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
        expect(found.inputs).toBeUndefined();
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
        expect(link.warnings).toHaveLength(1);
        expect(link.warnings[0]).toMatch(/^linkspan: the cluster link "fleet-b" on "fleet-a" could not be read/);
        link.expectNoSecret(link.warnings.join());
    });
});

describe("delete", () => {
    it("removes the link, and treats absence as done", async () => {
        const outs = await create(inputs());
        await remove(outs);
        expect(fake.links.size).toBe(0);
        await remove(outs);
        expect(link.warnings).toEqual([]);
        expect(fake.count(/^DELETE/)).toBe(1);
    });

    it("may be called eight times at once (F38)", async () => {
        const outs = await create(inputs());
        await Promise.all(Array.from({ length: 8 }, () => remove(outs)));
        expect(fake.links.size).toBe(0);
        expect(link.warnings).toEqual([]);
    });

    it("leaves a stranger's link that has taken its place", async () => {
        const outs = await create(inputs());
        fake.links.set("fleet-b", { name: "fleet-b", server: "x:1883", clientid: "their-", topics: [] });
        await remove(outs);
        expect(fake.links.size).toBe(1);
    });

    it("leaves the link to a resource of another name that has taken it over, also when that has the cluster's new name", async () => {
        const renamed = (name: string) => ({
            progressUrn: `urn:pulumi:s::p::pulumi-nodejs:dynamic/linkspan:ClusterLink::${name}`,
        });
        const outs = await create(inputs(renamed("old-name")));
        await clusterLink.check?.({}, inputs(renamed("new-name")));
        await create(inputs(renamed("new-name")));
        await remove(outs);
        await remove({ ...outs, localCluster: "fleet-before" });
        expect(fake.links.size).toBe(1);
        expect(link.warnings[0]).toBe('linkspan: the cluster link "fleet-b" on "fleet-a" is kept: it is now that of new-name');
    });

    it("ends when the cluster is gone or silent, and says what is left and how to remove it (F30, F50)", async () => {
        const outs = await create(inputs());
        fake.fail(/./, "hang", 1000);
        await remove({ ...outs, timeouts: { deleteSeconds: 0.3 } });
        const free = await freePort();
        await remove({ ...outs, api: { ...outs.api, url: `http://127.0.0.1:${free}` } });
        expect(link.warnings).toHaveLength(2);
        for (const text of link.warnings) {
            expect(text).toMatch(/^linkspan: the cluster link "fleet-b" on "fleet-a" is left behind/);
            expect(text).toMatch(/DELETE http:\/\/127\.0\.0\.1:\d+\/api\/v5\/cluster\/links\/link\/fleet-b$/);
            link.expectNoSecret(text);
        }
    });

    it("follows up a removal without an answer", async () => {
        const outs = await create(inputs());
        fake.fail(/^DELETE/, "lose-answer");
        await remove(outs);
        expect(fake.links.size).toBe(0);
        expect(link.warnings).toEqual([]);
    });

    it("fails when the cluster is there and refuses", async () => {
        const outs = await create(inputs());
        fake.fail(/^DELETE/, { status: 403, body: { code: "UNAUTHORIZED_ROLE", message: "no" } });
        expect((await failureOf(remove(outs))).message).toMatch(/403 UNAUTHORIZED_ROLE/);
    });
});
