import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";

const repository = resolve(__dirname, "../../..");
const folders: string[] = [];

afterEach(() => {
    for (const folder of folders.splice(0)) {
        rmSync(folder, { recursive: true });
    }
});

/** A tree of sources with the repository's own rules and packages. */
function tree(files: Record<string, string>): string {
    const folder = mkdtempSync(join(tmpdir(), "linkspan-layers-"));
    folders.push(folder);
    for (const file of [".dependency-cruiser.cjs", "tsconfig.json", "package.json"]) {
        writeFileSync(join(folder, file), readFileSync(join(repository, file)));
    }
    symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
    for (const [file, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        writeFileSync(join(folder, file), text);
    }
    return folder;
}

/** What breaks the rules in a tree, as `file: rule`, each once. */
function findings(folder: string): Promise<string[]> {
    const tool = join(repository, "node_modules/.bin/depcruise");
    return new Promise((done, fail) => {
        const args = [tool, "src", "--config", ".dependency-cruiser.cjs", "--output-type", "json"];
        execFile(process.execPath, args, { cwd: folder, maxBuffer: 64e6 }, (_error, stdout, stderr) => {
            try {
                const { summary } = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } };
                done([...new Set(summary.violations.map(({ from, rule }) => `${from}: ${rule.name}`))].sort());
            } catch {
                fail(new Error(`dependency-cruiser gave no answer: ${stderr}`));
            }
        });
    });
}

describe("the rules of the layers", () => {
    it("catch each kind of violation, and name the file and the rule", async () => {
        const wrong: readonly (readonly [file: string, text: string, rule: string])[] = [
            ["src/errors.ts", 'import "./input.js";', "no-import-upward-from-L0"],
            [
                "src/naming.ts",
                'import type { Output } from "@pulumi/pulumi"; export type X = Output<string>;',
                "no-pulumi-below-contracts",
            ],
            ["src/emqx/upward.ts", 'import "../contracts/fine.js";', "no-import-upward-from-L1"],
            ["src/emqx/pulumi.ts", 'import "@pulumi/pulumi";', "no-pulumi-below-contracts"],
            ["src/emqx/one.ts", 'import "./two.js"; export const a = 1;', "no-circular"],
            ["src/contracts/upward.ts", 'import "../link/fine.js";', "no-import-upward-from-L2"],
            ["src/tiers/upward.ts", 'import "../local/fine.js";', "no-import-upward-from-L3"],
            ["src/link/mqtt.ts", 'import "mqtt";', "mqtt-only-in-probe-and-broker"],
            ["src/link/built.ts", 'import "../../dist/index.js";', "no-import-of-dist"],
            ["src/link/tested.ts", 'import "../../test/support/fake.js";', "no-test-in-source"],
            ["src/link/undeclared.ts", 'import "fast-check";', "no-undeclared-package"],
            ["src/link/gone.ts", 'import "./nowhere.js";', "no-unresolvable"],
            ["src/link/utils.ts", "export const x = 1;", "no-catch-all-names"],
            ["src/link/common/thing.ts", "export const x = 1;", "no-catch-all-names"],
            ["src/local/upward.ts", 'import "../mesh.js";', "no-import-upward-from-L4"],
            ["src/local/broker/pulumi.ts", 'void import("@pulumi/pulumi");', "no-pulumi-in-broker-and-command-line"],
            ["src/local/broker/library.ts", 'import "../fine.js";', "no-site-code-in-broker"],
            ["src/aws/other.ts", 'import "../gcp/fine.js";', "no-other-site-from-aws"],
            ["src/gcp/cloud.ts", 'import "@pulumi/aws";', "cloud-sdk-aws-only-under-aws"],
            ["src/stack/upward.ts", 'import "../index.js";', "no-import-upward-from-L5"],
            ["src/mesh.ts", 'import "@pulumi/policy";', "policy-sdk-only-under-policy"],
            ["src/policy/site.ts", 'import "../local/fine.js";', "no-sites-in-policy"],
            ["src/cli/pulumi.ts", 'import "@pulumi/pulumi";', "no-pulumi-in-broker-and-command-line"],
            ["src/odds/ends.ts", "export const x = 1;", "not-placed-in-a-layer"],
        ];
        const folder = tree({
            ...Object.fromEntries(wrong),
            ...Object.fromEntries(
                ["src/input.ts", "src/contracts/fine.ts", "src/link/fine.ts", "src/local/fine.ts", "src/gcp/fine.ts"].map(
                    (file) => [file, "export const x = 1;"],
                ),
            ),
            "src/emqx/two.ts": 'import "./one.js"; export const b = 1;',
            "src/index.ts": "export const x = 1;",
            "dist/index.js": "",
            "test/support/fake.ts": "export const x = 1;",
        });
        expect(await findings(folder)).toEqual(wrong.map(([file, , rule]) => `${file}: ${rule}`).sort());
    });

    it("have nothing against imports that point down, and against Pulumi and MQTT where they belong", async () => {
        const folder = tree({
            "src/errors.ts": "export const x = 1;",
            "src/emqx/client.ts": 'import "../errors.js"; export const x = 1;',
            "src/contracts/site.ts": 'import "@pulumi/pulumi"; import "../emqx/client.js"; export const x = 1;',
            "src/probe/deliveryRun.ts": 'import "mqtt"; import "../contracts/site.js"; export const x = 1;',
            "src/local/broker/main.ts": 'import "aedes"; import "../../emqx/client.js"; export const x = 1;',
            "src/mesh.ts": 'import "./probe/deliveryRun.js"; import "./link/x.js"; export const x = 1;',
            "src/link/x.ts": "export const x = 1;",
            "src/cli/main.ts": 'import "../probe/deliveryRun.js"; export const x = 1;',
            "src/index.ts": 'import "./mesh.js"; export const x = 1;',
            "src/policy/pack.ts": 'import "@pulumi/policy"; import "../errors.js"; export const x = 1;',
            "src/mesh.test.ts": 'import "fast-check"; import "./mesh.js";',
        });
        expect(await findings(folder)).toEqual([]);
    });
});
