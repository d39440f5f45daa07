import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exportProblem, exportStack } from "../../../src/cli/stackExport.js";

let folder: string;
beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "linkspan-cli-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A stand-in for the Pulumi CLI. */
async function pulumi(script: string): Promise<NodeJS.ProcessEnv> {
    const path = join(folder, "pulumi");
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return { PATH: `${folder}:/usr/bin:/bin` };
}

describe("the export of a stack", () => {
    it("asks Pulumi for the stack with its secrets, in the project's folder", async () => {
        const env = await pulumi('echo "$PWD $@"');
        expect(await exportStack({ stack: "org/dev", cwd: folder, env })).toMatch(
            /\/linkspan-cli-\w+ stack export --show-secrets --non-interactive --stack org\/dev\n$/,
        );
        expect(await exportStack({ cwd: folder, env })).not.toContain("--stack");
    });

    it("reads a file instead", async () => {
        const path = join(folder, "state.json");
        await writeFile(path, "the state");
        expect(await exportStack({ cwd: folder, env: { PATH: "" }, state: path })).toBe("the state");
        await expect(exportStack({ cwd: folder, env: {}, state: join(folder, "none") })).rejects.toThrow(
            /cannot read the exported stack .*none/,
        );
    });

    it("says what to do without the Pulumi CLI", async () => {
        await expect(exportStack({ cwd: folder, env: { PATH: folder } })).rejects.toMatchObject({
            exitCode: 3,
            message: expect.stringMatching(/Pulumi CLI is not on PATH.*--state FILE/),
        });
    });

    it("passes on what Pulumi says, with exit code 3", async () => {
        const env = await pulumi('echo "error: something new" >&2; exit 255');
        await expect(exportStack({ cwd: folder, env })).rejects.toMatchObject({
            exitCode: 3,
            message: "cannot read the stack: (Pulumi: error: something new)",
        });
    });

    it.each([
        ["error: no Pulumi.yaml project file found (searching upwards from /x)", /not in a Pulumi project/],
        ["error: no stack named 'dev' found", /there is no stack "dev"/],
        ["error: no stack selected; please use `pulumi stack select`", /no stack is selected; set --stack/],
        [
            'error: constructing secrets manager of type "passphrase": incorrect passphrase',
            /passphrase is wrong; set PULUMI_CONFIG_PASSPHRASE/,
        ],
        [
            "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables",
            /passphrase is not set/,
        ],
        [
            "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
            /not logged in; run `pulumi login`/,
        ],
    ])("explains %s", (stderr, message) => {
        const text = exportProblem(`warning: a new version is there\n${stderr}\n`, { stack: "dev", cwd: "/x" });
        expect(text).toMatch(message);
        expect(text).toContain(`(Pulumi: ${stderr})`);
    });
});
