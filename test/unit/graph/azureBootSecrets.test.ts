import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bootSecretsScript, bootSecretsSettings } from "../../../src/azure/bootSecrets.js";

let folder: string;

/** What Azure's metadata server and Key Vault answer, by the address; "" for a refusal. */
async function answer(answers: { readonly token: string; readonly secret: string }): Promise<void> {
    await writeFile(join(folder, "token"), answers.token);
    await writeFile(join(folder, "secret"), answers.secret);
    const curl = `#!/bin/bash
printf '%s\\n' "$*" >>"$0.calls"
case "$*" in
    *169.254.169.254*) answer="\${0%/*}/token" ;;
    *) cat >"$0.config"; answer="\${0%/*}/secret" ;;
esac
[ -s "$answer" ] || exit 22
cat "$answer"
`;
    await writeFile(join(folder, "curl"), curl);
    await chmod(join(folder, "curl"), 0o755);
}

/** Runs `fetch_item` as the boot script does. */
function fetchItem(name: string): Promise<{ readonly code: number; readonly output: string }> {
    const script = `set -euo pipefail\n${bootSecretsScript}\nfetch_item "$1"\n`;
    const settings = bootSecretsSettings("https://edge-0123abcd.vault.azure.net/", "11111111-2222-3333-4444-555555555555");
    const env = { PATH: `${folder}:${process.env.PATH}`, ...settings };
    return new Promise((resolve) => {
        execFile("bash", ["-c", script, "bash", name], { env }, (error, output) => {
            resolve({ code: error === null ? 0 : Number(error.code), output });
        });
    });
}

const token = JSON.stringify({ access_token: "eyJ-S3cret", expires_in: "86399" });
const secret = (value: string) => JSON.stringify({ value, id: "https://edge-0123abcd.vault.azure.net/secrets/ca/1" });

beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "linkspan-azure-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("fetch_item of a machine in Azure", () => {
    it("prints an item as it was stored, with the machine's own identity", async () => {
        const value = "-----BEGIN CERTIFICATE-----\nMIIä\n\n";
        await answer({ token, secret: secret(value) });
        expect(await fetchItem("server-cert")).toEqual({ code: 0, output: value });
        const calls = await readFile(join(folder, "curl.calls"), "utf8");
        expect(calls).toContain("Metadata: true");
        expect(calls).toContain("resource=https://vault.azure.net");
        expect(calls).toContain("client_id=11111111-2222-3333-4444-555555555555");
        expect(calls).toContain("https://edge-0123abcd.vault.azure.net/secrets/server-cert?api-version=7.4");
        // Arguments of a process are seen by every user of the machine.
        expect(calls).not.toContain("S3cret");
        expect(await readFile(join(folder, "curl.config"), "utf8")).toBe('header = "Authorization: Bearer eyJ-S3cret"\n');
    });

    it.each<[string, { readonly token: string; readonly secret: string }]>([
        ["the metadata server refuses", { token: "", secret: secret("x") }],
        ["the metadata server answers with another document", { token: "{}", secret: secret("x") }],
        ["the role has not reached the vault yet", { token, secret: "" }],
        ["the vault answers with a page", { token, secret: "<html>" }],
    ])("fails and prints nothing when %s", async (_what, answers) => {
        await answer(answers);
        const { code, output } = await fetchItem("server-cert");
        expect(code).not.toBe(0);
        expect(output).toBe("");
    });

    it("asks for a token of the cloud that the vault is in", () => {
        expect(bootSecretsSettings("https://edge.vault.usgovcloudapi.net/", "id")).toEqual({
            VAULT_URI: "https://edge.vault.usgovcloudapi.net",
            VAULT_AUDIENCE: "https://vault.usgovcloudapi.net",
            CLIENT_ID: "id",
        });
    });
});
