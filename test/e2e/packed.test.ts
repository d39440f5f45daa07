import { existsSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { install, packAs, packPackage } from "../support/packed.js";
import { PulumiProject, repository } from "../support/pulumiProject.js";

interface Outputs {
    readonly links: { from: string; to: string; status: string; delivered: number; lost: number }[];
}

const pulumi = "@pulumi/pulumi@3.270.0";

describe("the packed package in programs of users", () => {
    let folder: string;
    let tarball: string;

    beforeAll(async () => {
        folder = await realpath(await mkdtemp(join(tmpdir(), "linkspan-pack-")));
        tarball = await packPackage(join(folder, "now"));
    });
    afterAll(async () => {
        await rm(folder, { recursive: true, force: true });
    });

    it.each([
        ["TypeScript", "local-mesh", ["typescript@6.0.3", "@types/node@22"]],
        ["CommonJS", "local-mesh-cjs", []],
        ["ES modules", "local-mesh-esm", []],
    ])("%s: up, change, no change, destroy", async (_kind, example, more) => {
        const project = await PulumiProject.create(join(repository, "examples", example), { linked: false });
        try {
            await install(project, tarball, pulumi, ...more);
            if (existsSync(join(project.folder, "tsconfig.json"))) {
                const { code, output } = await project.exec("npx", "tsc", "-p", ".");
                expect(output.split("\n").filter((line) => line !== "" && !line.startsWith("npm warn"))).toEqual([]);
                expect(code).toBe(0);
            }
            await project.up();
            const { links } = await project.outputs<Outputs>();
            expect(links.map((link) => `${link.from}>${link.to} ${link.status} ${link.lost}`).sort()).toEqual([
                "office>plant proven 0",
                "plant>office proven 0",
            ]);
            await project.must("config", "set", "--path", "topics[0]", "orders/#");
            await project.up();
            const changed = (await project.resources()).filter((resource) => resource.type.endsWith(":ClusterLink"));
            expect(changed.map((link) => link.outputs?.topics)).toEqual([["orders/#"], ["orders/#"]]);
            await project.must("preview", "--expect-no-changes");
            await project.must("destroy", "--yes", "--skip-preview");
            expect(await project.brokers()).toEqual([]);
            expect(existsSync(join(project.folder, ".linkspan"))).toBe(false);
        } finally {
            await project.dispose();
        }
    });

    it("shows no diff after an upgrade of the package, and works on the old state (F49)", async () => {
        const project = await PulumiProject.create(join(repository, "examples", "local-mesh-cjs"), { linked: false });
        try {
            await install(project, tarball, pulumi);
            await project.up();
            await install(project, await packAs("0.1.1", tarball, join(folder, "next")));
            await project.must("preview", "--expect-no-changes");
            await project.must("refresh", "--yes", "--skip-preview", "--expect-no-changes");
            await project.must("destroy", "--yes", "--skip-preview");
            expect(await project.brokers()).toEqual([]);
        } finally {
            await project.dispose();
        }
    });
});
