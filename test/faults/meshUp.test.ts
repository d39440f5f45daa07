import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { DeliveryResult } from "../../src/probe/deliveryResult.js";
import { reportFault } from "../support/faultReport.js";
import { until } from "../support/localBroker.js";
import { reportResults } from "../support/meshState.js";
import { type Counts, NumberedTraffic } from "../support/numberedTraffic.js";
import { PulumiProject } from "../support/pulumiProject.js";
import { type ExportedSite, exportOfSite, StackSite } from "../support/stackSite.js";

const program = `
const pulumi = require("@pulumi/pulumi");
const { Mesh } = require("linkspan");
const { LocalSite } = require("linkspan/local");
const { ExternalSite } = require("linkspan/external");
const config = new pulumi.Config();
${exportOfSite}
const secret = pulumi.secret("s");
const twin = (name, siteNumber) => new ExternalSite(name, {
    siteNumber, clusterName: "emqxcl", api: { url: "https://" + name + ".example.com:18084", key: "k", secret },
    link: { server: name + ".example.com:8884" }, clients: { host: name + ".example.com" },
});
const names = config.requireObject("sites");
const sites = config.getBoolean("twins")
    ? names.map((name, index) => twin(name, index + 1))
    : names.map((name, index) => new LocalSite(name, { siteNumber: index + 1 }));
const mesh = new Mesh("fleet", { sites, topics: config.requireObject("topics"), pairs: config.getObject("pairs") });
exports.links = mesh.links;
exports.sites = config.getBoolean("twins") ? [] : sites.map(exported);
`;

let project: PulumiProject;
let sites: StackSite[] = [];

beforeAll(async () => {
    project = await PulumiProject.create({
        "Pulumi.yaml": "name: faults\nruntime: nodejs\nmain: main.js\n",
        "main.js": program,
        "package.json": JSON.stringify({ name: "faults", private: true, main: "main.js" }),
    });
    await configure("sites", ["plant", "office"]);
    await configure("topics", ["x/#"]);
});
afterEach(async () => {
    await Promise.all(sites.splice(0).map((site) => site.close()));
});
afterAll(async () => {
    await project.dispose();
});

async function configure(key: string, value: unknown): Promise<void> {
    await project.must("config", "set", key, JSON.stringify(value));
}

interface Outputs {
    readonly links: readonly DeliveryResult[];
    readonly sites: readonly ExportedSite[];
}

/** Runs `up` and returns what it proved. */
async function up(): Promise<readonly DeliveryResult[]> {
    await project.up();
    return (await project.outputs<Outputs>()).links;
}

/** Traffic both ways between plant and office for as long as something takes, and a little longer. */
async function under(id: string, what: string, topic: string, work: () => Promise<void>): Promise<readonly Counts[]> {
    sites = (await project.outputs<Outputs>()).sites.map((site) => new StackSite(site));
    const [plant, office] = sites;
    if (plant === undefined || office === undefined) {
        throw new Error("two sites are needed");
    }
    const both = [
        await NumberedTraffic.between(plant, office, { topic: `${topic}/office`, count: 60_000, rate: 200, drainMs: 15_000 }),
        await NumberedTraffic.between(office, plant, { topic: `${topic}/plant`, count: 60_000, rate: 200, drainMs: 15_000 }),
    ] as const;
    for (const traffic of both) {
        traffic.start();
    }
    await until(() => both.every(({ delivered }) => delivered > 100), "traffic flows");
    await work();
    const before = both.map(({ delivered }) => delivered);
    await until(
        () => both.every(({ delivered }, index) => delivered > (before[index] ?? 0) + 200),
        "traffic flows again",
        30_000,
    );
    for (const traffic of both) {
        traffic.stop();
    }
    return [await both[0].finish(`${id} ${what} plant->office`), await both[1].finish(`${id} ${what} office->plant`)];
}

async function brokerOf(site: string): Promise<number> {
    const found = (await project.brokers()).find((broker) => broker.site === site);
    if (found === undefined) {
        throw new Error(`no broker of ${site} runs`);
    }
    return found.pid;
}

/** Ends a broker and waits until it is gone. */
async function end(site: string, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    process.kill(await brokerOf(site), signal);
    await until(async () => (await project.brokers()).every((broker) => broker.site !== site), `${site} is gone`);
}

describe("what preview refuses or warns of", () => {
    test.each<[string, string, Record<string, unknown>, number, RegExp]>([
        [
            "F4",
            "a chain: the missing pair is named",
            { sites: ["plant", "office", "yard"], pairs: { "office-yard": { linked: false } } },
            0,
            /pair office-yard is not linked: links do not pass messages on, so office and yard exchange nothing/,
        ],
        [
            "F18, F44",
            "two clusters with one name, and so with one client-id prefix",
            { twins: true },
            1,
            /sites\[1\]\.clusterName: "emqxcl" is the cluster\.name of plant too; EMQX tells links apart by it, so each cluster needs its own/,
        ],
    ])("%s: %s, and nothing is made", async (ids, what, settings, code, message) => {
        const flags = Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${JSON.stringify(value)}`]);
        try {
            const preview = await project.run("preview", ...flags);
            expect(preview.output).toMatch(message);
            expect(preview.code).toBe(code);
            expect(await project.brokers()).toEqual([]);
            expect(await project.resources()).toEqual([]);
            const note = `preview ${code === 0 ? "warns" : "refuses"}, nothing is made`;
            for (const id of ids.split(", ")) {
                reportFault({ id, name: what, sent: 0, delivered: 0, lost: 0, duplicated: 0, note });
            }
        } finally {
            await configure("sites", ["plant", "office"]);
            await project.run("config", "rm", "twins");
            await project.run("config", "rm", "pairs");
        }
    });
});

describe("up over brokers that die, under traffic", () => {
    test("F12: a broker is killed, the next up starts it again: nothing is lost", async () => {
        await up();
        let proven: readonly DeliveryResult[] = [];
        const counts = await under("F12", "kill -9, then up,", "x/f12", async () => {
            await end("office", "SIGKILL");
            proven = await up();
        });
        for (const one of counts) {
            expect(one).toMatchObject({ lost: 0, outOfOrder: 0 });
            expect(one.longestGapMs).toBeGreaterThan(300);
        }
        expect(proven).toMatchObject([
            { status: "proven", lost: 0 },
            { status: "proven", lost: 0 },
        ]);
        reportResults("F12", "proof of that up", proven);
        await project.must("preview", "--expect-no-changes");
    });

    test("F15: both brokers restart one after the other, each by an up: nothing is lost", async () => {
        const counts = await under("F15", "rolling restart by up", "x/f15", async () => {
            for (const site of ["plant", "office"]) {
                await end(site, "SIGTERM");
                await up();
            }
        });
        for (const one of counts) {
            expect(one).toMatchObject({ lost: 0, outOfOrder: 0 });
        }
        expect(await project.brokers()).toHaveLength(2);
        await project.must("preview", "--expect-no-changes");
    });

    test("F42: an up changes the topics: those that stay lose nothing", async () => {
        await configure("topics", ["x/#", "y/+"]);
        const counts = await under("F42", "topics changed by up", "x/f42", async () => {
            expect(await up()).toMatchObject([{ status: "proven" }, { status: "proven" }]);
        });
        for (const one of counts) {
            expect(one).toMatchObject({ lost: 0, duplicated: 0, outOfOrder: 0 });
        }
        await project.must("preview", "--expect-no-changes");
        await project.must("destroy", "--yes", "--skip-preview");
        expect(await project.brokers()).toEqual([]);
    });
});
