import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FakeEmqx, type Fault } from "../support/fakeEmqx.js";
import { reportFault } from "../support/faultReport.js";
import { create, LinkFixture, remove } from "../support/linkFixture.js";
import { localBrokers, until } from "../support/localBroker.js";
import { apiOf } from "../support/meshState.js";
import { PulumiProject, type StateResource } from "../support/pulumiProject.js";

const program = `
const pulumi = require("@pulumi/pulumi");
const { ClusterLink, Mesh } = require("linkspan");
const { ExternalSite } = require("linkspan/external");
const config = new pulumi.Config();
const apis = config.requireObject("apis");
const secret = config.requireSecret("secret");
if (config.getBoolean("mesh")) {
    const sites = apis.map(({ cluster, ...api }, index) => new ExternalSite(cluster, {
        siteNumber: index + 1, clusterName: cluster, api: { ...api, secret }, allowLoopback: true,
        link: { server: "127.0.0.1:" + (1024 + index) }, clients: { host: "127.0.0.1", port: 2048 + index, tls: false },
    }));
    new Mesh("fleet", { sites, topics: ["x/#"] });
} else {
    const [{ cluster, ...api }] = apis;
    const link = new ClusterLink("link", {
        api: { ...api, secret }, localCluster: cluster, name: "fleet-b", server: "b.link.fleet.internal:8884", topics: ["x/#"],
        allowLoopback: true, clientIdPrefix: config.get("prefix"),
        timeouts: { requestSeconds: Number(config.get("requestSeconds") ?? 20), settleSeconds: 10, deleteSeconds: 10 },
    });
    exports.status = link.status;
}
`;

const projects: PulumiProject[] = [];

async function newProject(apis: readonly { cluster: string; url: string; key: string; ca?: string }[], secret: string) {
    const project = await PulumiProject.create({
        "Pulumi.yaml": "name: reconcile\nruntime: nodejs\nmain: main.js\n",
        "main.js": program,
        "package.json": JSON.stringify({ name: "reconcile", private: true, main: "main.js" }),
    });
    projects.push(project);
    await project.must("config", "set", "apis", JSON.stringify(apis));
    await project.must("config", "set", "--secret", "secret", "--", secret);
    return project;
}

afterEach(async () => {
    await Promise.all(projects.splice(0).map((project) => project.dispose()));
});

const linksIn = (resources: readonly StateResource[]) => resources.filter(({ type }) => type.endsWith(":ClusterLink"));
const posts = /^POST .*\/cluster\/links$/;

/** A row of what the API was asked and what exists. */
function report(id: string, name: string, fake: FakeEmqx, note: string): void {
    reportFault({ id, name, note: `${fake.count(posts)} POST, ${fake.links.size} link: ${note}` });
}

describe("up against an API that misbehaves", () => {
    let fake: FakeEmqx;
    let project: PulumiProject;
    beforeEach(async () => {
        fake = await FakeEmqx.start("fleet-a");
        project = await newProject([{ cluster: "fleet-a", url: fake.api.url, key: fake.key }], fake.secret);
    });
    afterEach(async () => {
        await fake.stop();
    });

    test("F34: the run dies between the creation and its answer: the next up takes the link over", async () => {
        fake.fail(posts, "hang-after");
        const run = project.start("up", "--yes", "--skip-preview");
        const ended = new Promise((done) => run.once("exit", done));
        await until(() => fake.links.size === 1, "the link is made", 60_000);
        run.kill("SIGKILL");
        await ended;
        await project.run("cancel", "--yes");
        expect(linksIn(await project.resources())).toEqual([]);
        await project.up();
        expect(fake.count(posts)).toBe(1);
        expect([...fake.links.keys()]).toEqual(["fleet-b"]);
        expect(linksIn(await project.resources())).toHaveLength(1);
        await project.must("preview", "--expect-no-changes");
        report("F34", "killed before the answer, then up", fake, "taken over");
        await project.must("destroy", "--yes", "--skip-preview");
        expect(fake.links.size).toBe(0);
    });

    test("F34: the answer of a creation is lost: the same up finds the link", async () => {
        fake.fail(posts, "lose-answer");
        await project.up();
        expect(fake.count(posts)).toBe(1);
        expect(fake.links.size).toBe(1);
        await project.must("preview", "--expect-no-changes");
        report("F34", "answer lost", fake, "found in the same up");
    });

    test("F39: an up that is interrupted while it creates: what exists stands in state", async () => {
        await project.must("config", "set", "requestSeconds", "3");
        fake.fail(posts, "hang-after");
        const run = project.start("up", "--yes", "--skip-preview");
        const ended = new Promise<number | null>((done) => run.once("exit", (code) => done(code)));
        await until(() => fake.links.size === 1, "the link is made", 60_000);
        run.kill("SIGINT");
        const code = await ended;
        const [link] = linksIn(await project.resources());
        expect(link).toMatchObject({ id: "fleet-a/fleet-b" });
        await project.run("cancel", "--yes");
        await project.up();
        expect(fake.count(posts)).toBe(1);
        await project.must("preview", "--expect-no-changes");
        report("F39", "SIGINT in the creation, then up", fake, `exit code ${code}, in state`);
        await project.must("destroy", "--yes", "--skip-preview");
        expect(fake.links.size).toBe(0);
    });

    test("F33: an up that the API refuses names endpoint and link, makes nothing, and the next up does", async () => {
        fake.fail(posts, { status: 502, html: "<html><title>502 Bad Gateway</title></html>" }, 1);
        fake.fail(posts, { status: 403, body: { code: "UNAUTHORIZED_ROLE", message: "no" } }, 1);
        const before = await project.run("up", "--yes", "--skip-preview");
        expect(before.code).not.toBe(0);
        expect(before.output).toMatch(/fleet-b.* at fleet-a \(http:\/\/127\.0\.0\.1:\d+\): 403 UNAUTHORIZED_ROLE/);
        expect(before.output).not.toContain(fake.secret);
        expect(fake.links.size).toBe(0);
        await project.up();
        expect(fake.links.size).toBe(1);
        report("F33", "502 page, then 403, then up", fake, "403 named, then made");
    });
});

describe("F33: one creation per fault of the API, by the provider", () => {
    const never: Fault = "hang";
    test.each<[string, string, Fault, RegExp | undefined]>([
        ["400", "POST", { status: 400, body: { code: "BAD_REQUEST", message: "bad" } }, /400 BAD_REQUEST/],
        [
            "400 ALREADY_EXISTS",
            "POST",
            { status: 400, body: { code: "ALREADY_EXISTS", message: "Cluster link already exists" } },
            undefined,
        ],
        [
            "401",
            "GET",
            { status: 401, body: { code: "BAD_API_KEY_OR_SECRET", message: "Check api_key/api_secret" } },
            /401 BAD_API_KEY_OR_SECRET/,
        ],
        ["403", "POST", { status: 403, body: { code: "UNAUTHORIZED_ROLE", message: "no" } }, /403 UNAUTHORIZED_ROLE/],
        ["404 page", "POST", { status: 404, html: "<html><title>Not Found</title></html>" }, /404/],
        ["409", "POST", { status: 409, body: { code: "CONFLICT", message: "busy" } }, /409 CONFLICT/],
        ["429", "GET", { status: 429, body: { code: "TOO_MANY_REQUESTS", message: "slow down" } }, undefined],
        ["500", "GET", { status: 500, body: { code: "INTERNAL_ERROR", message: "oops" } }, undefined],
        ["502 page", "GET", { status: 502, html: "<html><title>Bad Gateway</title></html>" }, undefined],
        ["502 page", "POST", { status: 502, html: "<html><title>Bad Gateway</title></html>" }, undefined],
        ["redirect", "POST", { status: 302, html: "" }, /302/],
        ["connection cut", "GET", "cut", undefined],
        ["connection cut", "POST", "cut", undefined],
        ["answer lost", "POST", "lose-answer", undefined],
        ["no answer", "POST", never, undefined],
        ["answer that never comes", "POST", "hang-after", undefined],
    ])("%s on %s", async (what, method, fault, refusal) => {
        const link = await LinkFixture.start();
        try {
            const inputs = link.inputs({ timeouts: { requestSeconds: 1, settleSeconds: 1, deleteSeconds: 2 } });
            const at = method === "POST" ? posts : /^GET .*\/cluster\/links\/link\//;
            link.fake.fail(at, fault);
            const outcome = await create(inputs).then(
                () => "made",
                (error: Error) => error.message,
            );
            link.expectNoSecret(outcome + link.warnings.join());
            if (refusal === undefined) {
                expect(outcome).toBe("made");
            } else {
                expect(outcome).toMatch(refusal);
                expect(outcome).toContain(link.fake.api.url);
                expect(link.fake.count(at)).toBe(1);
            }
            const calls = link.fake.count(at);
            expect(calls).toBeLessThanOrEqual(4);
            expect((await create(inputs)).status).toBe("connected");
            expect(link.fake.links.size).toBe(1);
            reportFault({
                id: "F33",
                name: `${what} on ${method}`,
                note: `${calls} calls, ${refusal === undefined ? "made in the same run" : "refused, made by the next run"}, 1 link`,
            });
        } finally {
            await link.stop();
        }
    });
});

describe("two stacks on one broker", () => {
    let sites: Awaited<ReturnType<typeof localBrokers<"a" | "b">>>;
    beforeAll(async () => {
        sites = await localBrokers(["a", "b"] as const);
    });
    afterAll(async () => {
        await sites.close();
    });

    test("F38: of two stacks that make one link at once, one wins and the other is told so", async () => {
        const { a } = sites.sites;
        const { secret, ...api } = apiOf(a);
        const both = await Promise.all([0, 1].map(() => newProject([{ cluster: a.clusterName, ...api }], secret)));
        await both[1]?.must("config", "set", "prefix", "lab-other-");
        const runs = await Promise.all(both.map((project) => project.run("up", "--yes", "--skip-preview")));
        expect(runs.map(({ code }) => code === 0).sort()).toEqual([false, true]);
        const lost = runs.find(({ code }) => code !== 0);
        expect(lost?.output).toMatch(/a link of this name exists already and carries the client id "lab-(?:a|other)-"/);
        expect(runs.map(({ output }) => output).join()).not.toMatch(/\b500\b|INTERNAL/);
        expect((await a.api("GET", "/api/v5/cluster/links")).body).toHaveLength(1);
        reportFault({
            id: "F38",
            name: "two ups at once, two client-id prefixes",
            note: "1 link, the other stack is told whose it is",
        });
        const winner = both[runs.findIndex(({ code }) => code === 0)];
        const loser = both[runs.findIndex(({ code }) => code !== 0)];
        expect(linksIn((await loser?.resources()) ?? [])).toEqual([]);
        // The one that lost has nothing there, and its destroy leaves the winner's link alone.
        await loser?.must("destroy", "--yes", "--skip-preview");
        expect((await a.api("GET", "/api/v5/cluster/links")).body).toHaveLength(1);
        await winner?.must("destroy", "--yes", "--skip-preview");
        expect((await a.api("GET", "/api/v5/cluster/links")).body).toEqual([]);
    });

    test("F38: eight deletions of one link at once: the link is gone, nobody fails", async () => {
        const { a } = sites.sites;
        const link = await LinkFixture.start();
        try {
            const inputs = link.inputs({ api: apiOf(a), localCluster: a.clusterName, clientIdPrefix: "lab-a-" });
            const outs = await create(inputs);
            expect((await a.api("GET", "/api/v5/cluster/links")).body).toHaveLength(1);
            await Promise.all(Array.from({ length: 8 }, () => remove(outs)));
            expect((await a.api("GET", "/api/v5/cluster/links")).body).toEqual([]);
            expect(link.warnings).toEqual([]);
            reportFault({ id: "F38", name: "eight deletions at once", note: "0 links, 0 failures" });
        } finally {
            await link.stop();
        }
    });
});

describe("clusters that cannot be linked are refused before anything is made", () => {
    test.each<[string, string, Partial<FakeEmqx>, string, RegExp]>([
        ["F40", "a licence without links", { version: "6.2.2", licenseType: "community" }, "", /EMQX 6\.2\.2: .*licence/],
        ["F40", "an expired licence", { licenseType: "official" }, "expired", /its licence \(official\) has expired/],
        [
            "F41",
            "a release whose TLS links break",
            { version: "6.1.2", licenseType: "official" },
            "",
            /EMQX 6\.1\.2: cluster links over TLS/,
        ],
        ["F41", "a release without the REST API", { version: "5.8.2" }, "", /EMQX 5\.8\.2/],
    ])("%s: %s", async (id, what, change, licence, message) => {
        const [fine, bad] = [await FakeEmqx.start("fleet-a"), await FakeEmqx.start("fleet-b")];
        try {
            Object.assign(bad, change);
            if (licence === "expired") {
                const body = { type: "official", expiry: true, expiry_at: "2020-01-01", max_sessions: 10 };
                bad.fail(/^GET .*license$/, { status: 200, body }, 100);
            }
            const apis = [fine, bad].map(({ clusterName, api, key }) => ({ cluster: clusterName, url: api.url, key }));
            const project = await newProject(apis, fine.secret);
            await project.must("config", "set", "mesh", "true");
            const { code, output } = await project.run("up", "--yes", "--skip-preview");
            expect(code).not.toBe(0);
            expect(output).toMatch(message);
            expect(output).toContain("Nothing was changed");
            await sleep(0);
            expect([...fine.writes, ...bad.writes]).toEqual([]);
            const made = (await project.resources()).filter(({ type }) => /:(ClusterLink|LinkAccess|DeliveryProbe)$/.test(type));
            expect(made).toEqual([]);
            reportFault({
                id,
                name: what,
                sent: 0,
                delivered: 0,
                lost: 0,
                duplicated: 0,
                note: "refused by the preflight, 0 writes on either cluster",
            });
        } finally {
            await Promise.all([fine.stop(), bad.stop()]);
        }
    });

    test("F41: releases of different major versions are linked with a warning", async () => {
        const [five, six] = [await FakeEmqx.start("fleet-a"), await FakeEmqx.start("fleet-b")];
        try {
            Object.assign(six, { version: "6.0.2", licenseType: "official" });
            const apis = [five, six].map(({ clusterName, api, key }) => ({ cluster: clusterName, url: api.url, key }));
            const project = await newProject(apis, five.secret);
            await project.must("config", "set", "mesh", "true");
            await project.must("preview");
            // A preview asks no cluster anything.
            expect([...five.seen, ...six.seen]).toEqual([]);
            // Nobody speaks MQTT here, so the proof fails; until then the warning has been given.
            const { output } = await project.run("up", "--yes", "--skip-preview");
            expect(output).toMatch(/fleet-b at http:.*EMQX 6\.0\.2: its cluster links were never measured/);
            expect(five.links.size + six.links.size, output).toBe(2);
            reportFault({ id: "F41", name: "5.10 with 6.0", note: "warned of, 2 links made" });
        } finally {
            await Promise.all([five.stop(), six.stop()]);
        }
    });
});
