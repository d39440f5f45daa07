import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formsOf, PulumiProject, repository } from "../support/pulumiProject.js";

interface Outputs {
    readonly ca: string;
    readonly server: { readonly cert: string; readonly key: string };
    readonly client: { readonly cert: string; readonly key: string };
    readonly values: Readonly<Record<string, string>>;
}

const from = (path: string) => JSON.stringify(join(repository, "dist", path));

/** A program with an authority, two certificates of it and generated secrets, steered by configuration. */
const program = `
const pulumi = require("@pulumi/pulumi");
const { MeshIdentity } = require(${from("identity/meshIdentity.js")});
const { Secrets } = require(${from("identity/secrets.js")});
const config = new pulumi.Config();
const number = (key) => config.getNumber(key) ?? 0;
const identity = new MeshIdentity("fleet", { meshId: "fleet", rotation: number("caRotation") });
const dnsNames = (config.get("names") ?? "a.example,b.example").split(",");
const server = identity.issue("server", { commonName: "edge", dnsNames, usage: ["server"] }, { parent: identity });
const client = identity.issue("client", { commonName: "edge", usage: ["client"], rotation: number("clientRotation") }, { parent: identity });
const secrets = new Secrets("secrets", {
    names: (config.get("list") ?? "api,link").split(","),
    rotation: { api: number("apiRotation") },
});
exports.ca = identity.caPem;
exports.server = { cert: server.certPem, key: server.keyPem };
exports.client = { cert: client.certPem, key: client.keyPem };
exports.values = secrets.values;
`;

describe("identities under the real engine", () => {
    let project: PulumiProject;
    let first: Outputs;

    beforeAll(async () => {
        project = await PulumiProject.create({
            "Pulumi.yaml": "name: identities\nruntime: nodejs\n",
            "index.js": program,
            "package.json": JSON.stringify({ name: "identities", private: true, main: "index.js" }),
        });
        await project.up();
        first = await project.outputs<Outputs>();
    });

    afterAll(async () => {
        await project?.dispose();
    });

    /** Changes the configuration, applies it, and returns the outputs. */
    async function change(settings: Readonly<Record<string, string>>): Promise<Outputs> {
        await project.must(
            "config",
            "set-all",
            ...Object.entries(settings).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]),
        );
        await project.up();
        return project.outputs<Outputs>();
    }

    it("issues what chains to the authority", () => {
        const authority = new X509Certificate(first.ca);
        for (const { cert } of [first.server, first.client]) {
            expect(new X509Certificate(cert).checkIssued(authority)).toBe(true);
        }
        expect(new X509Certificate(first.server.cert).subjectAltName).toBe("DNS:a.example, DNS:b.example");
    });

    it("shows no change in a second up, a preview and a refresh", async () => {
        await project.must("up", "--yes", "--skip-preview", "--expect-no-changes");
        await project.must("preview", "--expect-no-changes");
        await project.must("refresh", "--yes", "--skip-preview", "--expect-no-changes");
        expect(await project.outputs<Outputs>()).toEqual(first);
    });

    it("keeps no secret readable in state or in what it prints, in no form", async () => {
        const state = await project.exported();
        const printed = await project.must("stack", "output", "--json");
        const keyBody = (pem: string) => pem.split("\n")[1] ?? "";
        const resources = await project.resources();
        const shown = resources.find(({ type }) => type.endsWith(":MeshCa"))?.outputs?.keyPem as { plaintext: string };
        const caKey: unknown = JSON.parse(shown.plaintext);
        expect(caKey).toMatch(/^-----BEGIN PRIVATE KEY-----/);
        const secrets = [
            ...Object.values(first.values),
            keyBody(first.server.key),
            keyBody(first.client.key),
            keyBody(String(caKey)),
        ];
        expect(new Set(secrets).size).toBe(5);
        for (const secret of secrets) {
            expect(secret.length).toBeGreaterThan(20);
            for (const form of formsOf(secret)) {
                expect(state).not.toContain(form);
                expect(printed).not.toContain(form);
            }
        }
        expect(state).toContain(JSON.stringify(first.server.cert).slice(1, 60));
    });

    it("changes exactly what is rotated or added", async () => {
        const next = await change({ apiRotation: "1", list: "api,link,probe", clientRotation: "1" });
        expect([next.ca, next.server]).toEqual([first.ca, first.server]);
        expect(next.client.key).not.toBe(first.client.key);
        expect(Object.keys(next.values).sort()).toEqual(["api", "link", "probe"]);
        expect(next.values.link).toBe(first.values.link);
        expect(next.values.api).not.toBe(first.values.api);
    });

    it("issues everything anew, in the same up, when the authority is rotated", async () => {
        const before = await project.outputs<Outputs>();
        const after = await change({ caRotation: "1", names: "c.example" });
        expect(after.ca).not.toBe(before.ca);
        for (const side of ["server", "client"] as const) {
            expect(new X509Certificate(after[side].cert).verify(new X509Certificate(after.ca).publicKey)).toBe(true);
        }
        expect(new X509Certificate(after.server.cert).subjectAltName).toBe("DNS:c.example");
        expect(after.values).toEqual(before.values);
        await project.must("up", "--yes", "--skip-preview", "--expect-no-changes");
    });

    it("refuses bad input at preview, in one line, and changes nothing", async () => {
        await project.must("config", "set", "names", "no spaces");
        const { code, output } = await project.run("preview");
        expect(code).not.toBe(0);
        expect(output).toMatch(/dnsNames\[0\]: "no spaces" is no host name/);
        expect(output).not.toMatch(/^\s+at .*\.js:\d+/m);
    });

    it("destroys without a trace", async () => {
        await project.must("destroy", "--yes", "--skip-preview");
        expect(await project.resources()).toEqual([]);
    });
});
