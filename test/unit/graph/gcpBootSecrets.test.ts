import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bootItemNames } from "../../../src/emqx/boot/bootItems.js";
import { bootSecretsScript, itemVariable } from "../../../src/gcp/bootSecrets.js";

let folder: string;

/** What Google's metadata server and Secret Manager answer, by the end of the address; "" for a refusal. */
async function answer(answers: { readonly token: string; readonly secret: string }): Promise<void> {
    const curl = `#!/bin/bash
printf '%s\\n' "$*" >>"$0.calls"
for last; do :; done
case "$last" in
    *metadata.google.internal*) answer=${quoted(answers.token)} ;;
    *) cat >"$0.config"; answer=${quoted(answers.secret)} ;;
esac
[ -n "$answer" ] || exit 22
printf '%s' "$answer"
`;
    await writeFile(join(folder, "curl"), curl);
    await chmod(join(folder, "curl"), 0o755);
}

function quoted(text: string): string {
    return `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** Runs `fetch_item` as the boot script does. */
function fetchItem(name: string, settings: Record<string, string>): Promise<{ code: number; output: Buffer; errors: string }> {
    const script = `set -euo pipefail\n${bootSecretsScript}\nfetch_item "$1"\n`;
    const env = { PATH: `${folder}:${process.env.PATH}`, ...settings };
    return new Promise((resolve) => {
        execFile("bash", ["-c", script, "bash", name], { env, encoding: "buffer" }, (error, output, errors) => {
            resolve({ code: error === null ? 0 : Number(error.code), output, errors: errors.toString() });
        });
    });
}

const payload = (value: string) => JSON.stringify({ payload: { data: Buffer.from(value).toString("base64") } });
const token = JSON.stringify({ access_token: "ya29-S3cret", expires_in: 3599 });
const settings = { SECRET_SERVER_CERT: "projects/acme/secrets/gcp-secret-server-cert-1" };

beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "linkspan-gcp-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("fetch_item of a machine in GCP", () => {
    it("prints an item byte by byte, with the machine's own identity", async () => {
        const value = "-----BEGIN CERTIFICATE-----\nMIIä\n\n";
        await answer({ token, secret: payload(value) });
        const { code, output } = await fetchItem("server-cert", settings);
        expect([code, output.toString()]).toEqual([0, value]);
        const calls = await readFile(join(folder, "curl.calls"), "utf8");
        expect(calls).toContain("Metadata-Flavor: Google");
        expect(calls).toContain(
            "https://secretmanager.googleapis.com/v1/projects/acme/secrets/gcp-secret-server-cert-1/versions/latest:access",
        );
        // Arguments of a process are seen by every user of the machine.
        expect(calls).not.toContain("S3cret");
        expect(await readFile(join(folder, "curl.config"), "utf8")).toBe('header = "Authorization: Bearer ya29-S3cret"\n');
    });

    it.each<[string, { readonly token: string; readonly secret: string }]>([
        ["the metadata server refuses", { token: "", secret: payload("x") }],
        ["the metadata server answers with another document", { token: "{}", secret: payload("x") }],
        ["Secret Manager refuses", { token, secret: "" }],
        ["Secret Manager answers with a page", { token, secret: "<html>" }],
    ])("fails and prints nothing when %s", async (_what, answers) => {
        await answer(answers);
        const { code, output } = await fetchItem("server-cert", settings);
        expect(code).not.toBe(0);
        expect(output.toString()).toBe("");
    });

    it("fails for an item that no secret is named for", async () => {
        await answer({ token, secret: payload("x") });
        const { code, errors } = await fetchItem("cookie", settings);
        expect(code).not.toBe(0);
        expect(errors).toContain("no secret is named for cookie");
    });

    it("names a variable that a shell takes for every item", () => {
        for (const item of bootItemNames) {
            expect(itemVariable(item)).toMatch(/^SECRET_[A-Z_]+$/);
        }
    });
});
