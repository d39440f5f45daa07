import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PulumiProject } from "../support/pulumiProject.js";

const program = `
const { ComponentResource } = require("@pulumi/pulumi");
const { Mesh } = require("linkspan");
const { LocalSite } = require("linkspan/local");
const { MESH = "fleet", HOLDER, SECOND } = process.env;
const opts = HOLDER === undefined ? {} : { parent: new ComponentResource("test:index:Holder", HOLDER) };
const sites = [new LocalSite("plant", { siteNumber: 1 }, opts), new LocalSite("office", { siteNumber: 2 })];
new Mesh(MESH, { sites, topics: ["fleet/#"], proof: { count: 20 } });
if (SECOND !== undefined) {
    new Mesh(SECOND, { sites, topics: ["other/#"] });
}
`;

describe("a program whose resources get other names", () => {
    let project: PulumiProject;
    /** Exit code of a proof of what really stands, whatever the state says. */
    const verify = async () => (await project.exec("npx", "--no-install", "linkspan", "verify", "--count", "5")).code;

    beforeAll(async () => {
        project = await PulumiProject.create({
            "Pulumi.yaml": "name: renamed\nruntime: { name: nodejs, options: { typescript: false } }\nmain: index.js\n",
            "package.json": JSON.stringify({ name: "renamed", private: true, main: "index.js" }),
            "index.js": program,
        });
        await project.up();
    });
    afterAll(async () => {
        await project.dispose();
    });

    const renamings: [string, Record<string, string>, string[]][] = [
        ["a mesh of another name", { MESH: "other" }, []],
        ["a changed configuration on top", { MESH: "third" }, ["-c", "linkspan:unused=1"]],
        ["a site under a parent", { MESH: "third", HOLDER: "holder" }, []],
    ];
    it.each(renamings)("keeps links, users and brokers: %s", async (_what, env, flags) => {
        const { code, output } = await project.runWith(env, "up", "--yes", "--skip-preview", ...flags);
        expect(code, output).toBe(0);
        expect(await project.brokers()).toHaveLength(2);
        expect(await verify()).toBe(0);
    });

    it("keeps them when a resource is replaced for no reason of its own", async () => {
        const env = { MESH: "third", HOLDER: "holder" };
        for (const type of ["LocalBroker", "LinkAccess", "ClusterLink"]) {
            const urn = (await project.resources()).find((resource) => resource.type.endsWith(`:${type}`))?.urn ?? "";
            const { code, output } = await project.runWith(env, "up", "--yes", "--skip-preview", "--replace", urn);
            expect(code, output).toBe(0);
            expect(await verify()).toBe(0);
        }
    });

    it("refuses two descriptions of one link at preview", async () => {
        const { code, output } = await project.runWith({ MESH: "third", HOLDER: "holder", SECOND: "second" }, "preview");
        expect(code).not.toBe(0);
        expect(output).toMatch(/is described by the resource \S+ as well; leave one of the two out/);
    });

    it("still ends everything in destroy", async () => {
        await project.must("destroy", "--yes", "--skip-preview");
        expect(await project.brokers()).toEqual([]);
    });
});
