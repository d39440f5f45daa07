import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configure, described } from "../support/existingClusters.js";
import { api, device, localBrokers, type TestSites } from "../support/localBroker.js";
import { formsOf, PulumiProject, repository } from "../support/pulumiProject.js";

describe("two clusters that exist already", () => {
    let sites: TestSites<"plant" | "office">;
    let project: PulumiProject;

    beforeAll(async () => {
        sites = await localBrokers(["plant", "office"] as const);
        project = await PulumiProject.create(join(repository, "examples", "existing-clusters"));
        await configure(project, [described(sites.sites.plant, 1), described(sites.sites.office, 2)]);
    });
    afterAll(async () => {
        await project.dispose();
        await sites.close();
    });

    it("are linked both ways and proven; nothing is provisioned", async () => {
        await project.up();
        const { links } = await project.outputs<{
            links: { from: string; to: string; status: string; delivered: number; lost: number }[];
        }>();
        expect(links).toHaveLength(2);
        expect(links.every((link) => link.status === "proven" && link.delivered === 100 && link.lost === 0)).toBe(true);
        const plant = await sites.sites.plant.api("GET", "/api/v5/cluster/links");
        expect(plant.body).toMatchObject([{ name: sites.sites.office.clusterName, topics: ["fleet/#"], password: "******" }]);
        await project.must("preview", "--expect-no-changes");
        await project.must("refresh", "--yes", "--skip-preview", "--expect-no-changes");
    });

    it("keeps the keys that it was given out of state", async () => {
        const state = await project.exported();
        for (const secret of [api.secret, device.password, sites.sites.plant.linkCertificate.key.split("\n")[1] ?? ""]) {
            expect(formsOf(secret).filter((form) => state.includes(form))).toEqual([]);
        }
        expect(state).toContain(sites.sites.plant.clusterName);
    });

    it("shows what somebody changed by hand, and restores it", async () => {
        const { plant, office } = sites.sites;
        const path = `/api/v5/cluster/links/link/${office.clusterName}`;
        const link = (await plant.api("GET", path)).body;
        const { status: _, node_status: __, ...body } = link;
        await plant.api("PUT", path, { ...body, topics: ["other/#"] });
        await project.must("refresh", "--yes", "--skip-preview");
        expect(await project.must("preview", "--diff")).toMatch(/topics/);
        await project.up();
        expect((await plant.api("GET", path)).body.topics).toEqual(["fleet/#"]);
        await project.must("preview", "--expect-no-changes");
    });

    it("makes a link again that somebody deleted", async () => {
        const { plant, office } = sites.sites;
        const path = `/api/v5/cluster/links/link/${office.clusterName}`;
        await plant.api("DELETE", path);
        await project.must("refresh", "--yes", "--skip-preview");
        await project.up();
        expect((await plant.api("GET", path)).status).toBe(200);
    });

    it("refuses a cluster with another name before anything is made", async () => {
        const other = await PulumiProject.create(join(repository, "examples", "existing-clusters"));
        try {
            await configure(other, [
                { ...described(sites.sites.plant, 1), clusterName: "not-its-name" },
                described(sites.sites.office, 2),
            ]);
            const { code, output } = await other.run("up", "--yes", "--skip-preview");
            expect(code).not.toBe(0);
            expect(output).toContain("not-its-name");
            expect(
                (await other.resources()).filter((resource) => /:(ClusterLink|LinkAccess|DeliveryProbe)$/.test(resource.type)),
            ).toEqual([]);
        } finally {
            await other.dispose();
        }
    });

    it("names a wrong API key without showing it", async () => {
        const other = await PulumiProject.create(join(repository, "examples", "existing-clusters"));
        try {
            await configure(other, [
                { ...described(sites.sites.plant, 1), apiSecret: "a-wrong-secret-of-this-test" },
                described(sites.sites.office, 2),
            ]);
            const { code, output } = await other.run("up", "--yes", "--skip-preview");
            expect(code).not.toBe(0);
            expect(output).toContain("BAD_API_KEY_OR_SECRET");
            expect(output).not.toContain("a-wrong-secret-of-this-test");
        } finally {
            await other.dispose();
        }
    });

    it("leaves the clusters without links after destroy, even when one of them is gone", async () => {
        await sites.sites.office.stop();
        const output = await project.must("destroy", "--yes", "--skip-preview");
        expect(output).toMatch(/left behind|cannot be reached|not reach/i);
        expect((await sites.sites.plant.api("GET", "/api/v5/cluster/links")).body).toEqual([]);
        expect(await project.resources()).toEqual([]);
    });
});
