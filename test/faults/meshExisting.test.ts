import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DeliveryResult } from "../../src/probe/deliveryResult.js";
import { configure, described } from "../support/existingClusters.js";
import { reportFault } from "../support/faultReport.js";
import { localBrokers, type TestSites, until } from "../support/localBroker.js";
import { reportResults } from "../support/meshState.js";
import { NumberedTraffic } from "../support/numberedTraffic.js";
import { PulumiProject, repository } from "../support/pulumiProject.js";

let sites: TestSites<"plant" | "office">;
let project: PulumiProject;

beforeAll(async () => {
    sites = await localBrokers(["plant", "office"] as const);
    project = await PulumiProject.create(join(repository, "examples", "existing-clusters"));
    await configure(project, [described(sites.sites.plant, 1), described(sites.sites.office, 2)]);
});
afterAll(async () => {
    await project?.dispose();
    await sites?.close();
});

/** Path of the link on plant that receives from office. */
const linkPath = () => `/api/v5/cluster/links/link/${sites.sites.office.clusterName}`;

async function upAndReport(id: string, what: string): Promise<void> {
    await project.up();
    const { links } = await project.outputs<{ links: readonly DeliveryResult[] }>();
    expect(links).toHaveLength(2);
    for (const link of links) {
        expect(link).toMatchObject({ status: "proven", lost: 0, duplicated: 0 });
    }
    reportResults(id, what, links);
}

async function ofType(type: string) {
    return (await project.resources()).filter((resource) => resource.type.endsWith(`:${type}`));
}

describe("what happens to links of existing clusters between two ups", () => {
    test("F37: server-added defaults, the hidden password and certificates as paths are no difference", async () => {
        await upAndReport("F37", "first up");
        const { body } = await sites.sites.plant.api("GET", linkPath());
        // The control: the broker does answer as EMQX does.
        expect(body).toMatchObject({ password: "******", ssl: { cacertfile: expect.stringMatching(/^(?!-----)/) } });
        expect(Object.keys(body.resource_opts).length).toBeGreaterThan(3);
        await project.must("preview", "--expect-no-changes");
        await project.must("refresh", "--yes", "--skip-preview", "--expect-no-changes");
        await project.must("up", "--yes", "--skip-preview", "--expect-no-changes");
    });

    test("F35: a link that somebody deleted: refresh shows it, up makes it again", async () => {
        const { plant } = sites.sites;
        expect((await plant.api("DELETE", linkPath())).status).toBe(204);
        expect(await project.must("refresh", "--yes", "--skip-preview")).toMatch(
            /ClusterLink fleet-office-plant-office-to-plant deleted/,
        );
        expect(await ofType("ClusterLink")).toHaveLength(1);
        await upAndReport("F35", "deleted by hand, then up");
        expect((await plant.api("GET", linkPath())).status).toBe(200);
        await project.must("preview", "--expect-no-changes");
    });

    test("F36: what somebody changed by hand is shown key by key, and up restores it", async () => {
        const { plant } = sites.sites;
        const { status: _, node_status: __, ...body } = (await plant.api("GET", linkPath())).body;
        const changed = { ...body, topics: ["other/#"], pool_size: 9, enable: false, server: "127.0.0.1:9" };
        expect((await plant.api("PUT", linkPath(), changed)).status).toBe(200);
        await project.must("refresh", "--yes", "--skip-preview");
        const preview = await project.must("preview", "--diff");
        const sections = preview.split(/^\s+[~+-] (?=pulumi-nodejs:dynamic)/m).filter((part) => part.includes(":ClusterLink:"));
        expect(sections).toHaveLength(1);
        const keys = [...(sections[0] ?? "").matchAll(/^\s+[~+-] (\w+)\s*: /gm)].map(([, key]) => key);
        // The arguments stand together under `args`.
        expect([...new Set(keys)].sort()).toEqual(["args", "enable", "poolSize", "server", "topics"]);
        expect(preview).not.toMatch(/replace/);
        await upAndReport("F36", "changed by hand, then up");
        expect((await plant.api("GET", linkPath())).body).toMatchObject({ topics: ["fleet/#"], pool_size: 4, enable: true });
        await project.must("preview", "--expect-no-changes");
    });

    test("F49: state of another version, with keys less and keys more, is neither replaced nor changed", async () => {
        const exported = JSON.parse(await project.exported()) as {
            deployment: { resources: { type: string; inputs?: Record<string, unknown>; outputs?: Record<string, unknown> }[] };
        };
        let touched = 0;
        for (const { type, inputs, outputs } of exported.deployment.resources) {
            for (const kept of type.includes("dynamic/linkspan:") ? [inputs, inputs?.args, outputs, outputs?.args] : []) {
                if (typeof kept === "object" && kept !== null && "progressUrn" in kept) {
                    delete kept.progressUrn;
                    touched++;
                }
            }
            if (type.endsWith(":ClusterLink") && outputs !== undefined) {
                outputs.keyOfALaterVersion = true;
                Object.assign(outputs.args as object, { keyOfALaterVersion: true });
            }
        }
        expect(touched).toBeGreaterThan(10);
        const file = join(project.folder, "other.json");
        await writeFile(file, JSON.stringify(exported));
        await project.must("stack", "import", "--file", file);
        await project.must("preview", "--expect-no-changes");
        expect((await project.resources()).length).toBe(exported.deployment.resources.length);
        const before = await linksOnBrokers();
        await upAndReport("F49", "up on state of another version");
        expect(await linksOnBrokers()).toEqual(before);
        await project.must("preview", "--expect-no-changes");
    });
});

/** The links of both brokers by name. */
async function linksOnBrokers(): Promise<unknown> {
    const { plant, office } = sites.sites;
    const list = async (site: typeof plant) => (await site.api("GET", "/api/v5/cluster/links")).body;
    return [await list(plant), await list(office)];
}

describe("runs that do not come to their end", () => {
    test("F39: an up that is interrupted while it proves leaves no client, no message and no orphan", async () => {
        const { plant, office } = sites.sites;
        await project.must("destroy", "--yes", "--skip-preview");
        const program = join(project.folder, "index.js");
        const { readFile } = await import("node:fs/promises");
        const text = await readFile(program, "utf8");
        await writeFile(
            program,
            text.replace('topics: config.requireObject("topics")', "$&, proof: { count: 20000, rate: 200 }"),
        );
        const probes = async () =>
            (
                await Promise.all(
                    [plant, office].map(
                        async (site) => (await site.api("GET", "/api/v5/clients?like_clientid=linkspan_probe_")).body.data,
                    ),
                )
            ).flat();
        const run = project.start("up", "--yes", "--skip-preview");
        const ended = new Promise<number | null>((done) => run.once("exit", (code) => done(code)));
        let said = "";
        for (const stream of [run.stdout, run.stderr]) {
            stream.on("data", (part: Buffer) => {
                said += part.toString();
            });
        }
        try {
            await until(async () => (await probes()).length === 2, "the proof runs", 60_000);
            await until(async () => (await plant.linkMetrics(office)).forwarding.success > 100, "messages flow");
            run.kill("SIGINT");
            await sleep(1000);
            // The second one is what an impatient user sends.
            run.kill("SIGINT");
            await until(() => run.exitCode !== null || run.signalCode !== null, "the run ends", 60_000);
        } finally {
            run.kill("SIGKILL");
        }
        expect(await ended).not.toBe(0);
        expect(said).not.toMatch(/proven/);
        await until(async () => (await probes()).length === 0, "the proof's clients are gone", 30_000);
        for (const site of [plant, office]) {
            expect((await site.api("GET", "/api/v5/mqtt/retainer/messages")).body.data).toEqual([]);
            // Link and state agree: what exists on the broker stands in state, as an object or as a pending creation.
            expect((await site.api("GET", "/api/v5/cluster/links")).body).toHaveLength(1);
        }
        await writeFile(program, text);
        await project.run("cancel", "--yes");
        await upAndReport("F39", "SIGINT in the proof, then up");
        expect(await ofType("ClusterLink")).toHaveLength(2);
        for (const site of [plant, office]) {
            expect((await site.api("GET", "/api/v5/cluster/links")).body).toHaveLength(1);
        }
        await project.must("preview", "--expect-no-changes");
    });

    test("F50: destroy with the key of one cluster revoked names what is left; with that cluster gone it finishes", async () => {
        const { plant, office } = sites.sites;
        const traffic = await NumberedTraffic.between(plant, office, { topic: "fleet/f50", count: 200, rate: 0 });
        expect(await traffic.start().finish("F50 before the destroy plant->office")).toMatchObject({ lost: 0 });
        office.broker.reload({ ...office.config, api: [] });
        const refused = await project.run("destroy", "--yes", "--skip-preview", "--continue-on-error");
        expect(refused.code).not.toBe(0);
        expect(refused.output).toMatch(new RegExp(`https://127\\.0\\.0\\.1:${office.ports.api}.*401`));
        expect(refused.output).toContain("Set api.key and api.secret to an API key of this cluster");
        expect((await plant.api("GET", "/api/v5/cluster/links")).body).toEqual([]);
        const left = await ofType("ClusterLink");
        expect(left.map(({ outputs }) => outputs?.localCluster)).toEqual([office.clusterName]);
        reportFault({
            id: "F50",
            name: "destroy with one key revoked",
            note: "exit code 1: 1 of 2 links left, in state, named with 401",
        });

        await office.stop();
        const gone = await project.run("destroy", "--yes", "--skip-preview");
        expect(gone.code).toBe(0);
        const byHand = [...gone.output.matchAll(/(DELETE https:\/\/127\.0\.0\.1:\d+\/api\/v5\/\S+)/g)].map(([, text]) => text);
        const base = `https://127.0.0.1:${office.ports.api}/api/v5`;
        expect([...new Set(byHand)].sort()).toEqual([
            `DELETE ${base}/authentication/password_based:built_in_database/users/link-lab-plant`,
            `DELETE ${base}/authorization/sources/built_in_database/rules/users/link-lab-plant`,
            `DELETE ${base}/cluster/links/link/lab-plant`,
        ]);
        expect((await project.resources()).filter(({ type }) => type.includes("linkspan"))).toEqual([]);
        reportFault({
            id: "F50",
            name: "destroy with one cluster gone",
            note: `exit code 0, ${new Set(byHand).size} commands say how to remove what is left`,
        });
    });
});
