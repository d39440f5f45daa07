import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ensurePulumi, isNewEnough, parseVersion, pulumiEnv } from "../../../scripts/pulumi.mts";

const folders: string[] = [];
afterEach(() => {
    for (const folder of folders.splice(0)) {
        rmSync(folder, { recursive: true });
    }
});

function temp(): string {
    const folder = mkdtempSync(join(tmpdir(), "linkspan-pulumi-"));
    folders.push(folder);
    return folder;
}

/** A folder with programs that answer as given. */
function programs(folder: string, files: Record<string, string>): string {
    mkdirSync(folder, { recursive: true });
    for (const [name, body] of Object.entries(files)) {
        writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
        chmodSync(join(folder, name), 0o755);
    }
    return folder;
}

const good = { pulumi: "echo v3.261.1", "pulumi-language-nodejs": "exit 0" };

/** An environment that sees no other Pulumi than those that a test makes. */
function bare(path: string, home = temp()): NodeJS.ProcessEnv {
    return { PATH: path, PULUMI_HOME: home };
}

describe("finding Pulumi", () => {
    it("takes the one on PATH, and puts what its programs need before everything else", async () => {
        const folder = programs(temp(), good);
        const found = await ensurePulumi(() => {}, bare(`/nowhere:${folder}`));
        expect(found).toMatchObject({ binDir: folder, version: "3.261.1", origin: "PATH" });
        expect(found.env.PATH?.startsWith(`${folder}:`)).toBe(true);
        expect(found.env.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION).toBe("true");
    });

    it.each([
        ["is too old", { ...good, pulumi: "echo v3.199.0" }],
        ["has no language host beside it", { pulumi: good.pulumi }],
        ["does not start", { ...good, pulumi: "exit 1" }],
        ["does not say its version", { ...good, pulumi: "echo" }],
    ])("goes on to PULUMI_HOME where the one on PATH %s", async (_what, files) => {
        const home = temp();
        const kept = programs(join(home, "versions", "3.261.1", "bin"), good);
        const env = { ...bare(programs(temp(), files), home), PULUMI_VERSION: "v3.261.1" };
        expect(await ensurePulumi(() => {}, env)).toMatchObject({ binDir: kept, origin: "PULUMI_HOME" });
    });

    it("keeps every folder on PATH once", () => {
        const { PATH } = pulumiEnv("/a/bin", { PATH: "/usr/bin:/a/bin::/bin" });
        const parts = PATH?.split(":") ?? [];
        expect(parts[0]).toBe("/a/bin");
        expect(parts.slice(-2)).toEqual(["/usr/bin", "/bin"]);
        expect(new Set(parts).size).toBe(parts.length);
    });
});

describe("versions", () => {
    it.each([
        ["v3.259.0\n", "3.259.0"],
        ["3.265.0", "3.265.0"],
        ["v3.270.0-alpha.x1234567+dirty", "3.270.0-alpha.x1234567"],
        ["", undefined],
        ["error: no", undefined],
    ])("%j is %j", (text, version) => {
        expect(parseVersion(text)).toBe(version);
    });

    it.each([
        ["3.199.9", false],
        ["3.200.0", true],
        ["4.0.0", true],
        ["2.900.0", false],
    ])("%s is new enough: %s", (version, expected) => {
        expect(isNewEnough(version)).toBe(expected);
    });

    it("a build folder that does not exist is not made by looking for it", async () => {
        const home = temp();
        await ensurePulumi(() => {}, bare(programs(temp(), good), home));
        expect(existsSync(join(home, "versions"))).toBe(false);
    });
});
