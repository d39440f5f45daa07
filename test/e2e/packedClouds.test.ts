import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { install, packPackage } from "../support/packed.js";
import { PulumiProject } from "../support/pulumiProject.js";

const program = `
import { Mesh } from "linkspan";
import { AwsSite } from "linkspan/aws";
import { ExternalSite } from "linkspan/external";
export const aws = (name: string) => new AwsSite(name, { siteNumber: 1, region: "eu-central-1", adminCidrs: ["203.0.113.7/32"] });
export const mesh = (a: AwsSite, b: ExternalSite) => new Mesh("fleet", { sites: [a, b], topics: ["fleet/#"] }).endpoints;
`;
const strict = {
    compilerOptions: { strict: true, target: "es2022", module: "nodenext", types: ["node"], skipLibCheck: false, noEmit: true },
    files: ["index.ts"],
};

describe("the packed package with the SDK of one cloud only", () => {
    let folder: string;
    let project: PulumiProject;

    beforeAll(async () => {
        folder = await realpath(await mkdtemp(join(tmpdir(), "linkspan-pack-")));
        const tarball = await packPackage(folder);
        project = await PulumiProject.create(
            {
                "Pulumi.yaml": "name: one-cloud\nruntime: nodejs\n",
                "package.json": '{ "name": "one-cloud", "private": true, "main": "index.js" }',
                "tsconfig.json": JSON.stringify(strict),
                "index.ts": program,
            },
            { linked: false },
        );
        const sdks = ["@pulumi/pulumi@3.270.0", "@pulumi/aws@7.48.0"];
        await install(project, tarball, ...sdks, "typescript@6.0.3", "@types/node@22");
    });
    afterAll(async () => {
        await project?.dispose();
        await rm(folder, { recursive: true, force: true });
    });

    it("type-checks a program that names that cloud, without skipping libraries", async () => {
        const { code, output } = await project.exec("npx", "tsc", "-p", ".");
        expect(output.split("\n").filter((line) => line !== "" && !line.startsWith("npm warn"))).toEqual([]);
        expect(code).toBe(0);
    });

    it("says which package another cloud needs", async () => {
        const { code, output } = await project.exec("node", "-e", 'require("linkspan/gcp")');
        expect(code).not.toBe(0);
        expect(output).toContain("Cannot find module '@pulumi/gcp");
    });

    it("refuses bad input of a site in one line at preview, and makes nothing", async () => {
        await writeFile(
            join(project.folder, "index.js"),
            'const { AwsSite } = require("linkspan/aws");\nnew AwsSite("aws", { siteNumber: 1, region: "eu-central-1" });\n',
        );
        const { code, output } = await project.run("up", "--yes", "--skip-preview");
        expect(code).not.toBe(0);
        expect(output).toContain("adminCidrs: it is missing; list the IPv4 ranges that may use the REST API");
        expect(output).not.toMatch(/\n\s+at .*\(/);
        expect((await project.resources()).filter(({ type }) => type.startsWith("aws:"))).toEqual([]);
    });
});
