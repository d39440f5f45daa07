import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { api, device, linkAll, localBrokers, type TestSite, type TestSites } from "../support/localBroker.js";
import { formsOf, PulumiProject, repository } from "../support/pulumiProject.js";

const program = `
const pulumi = require("@pulumi/pulumi");
const { DeliveryProbe } = require("linkspan");
const config = new pulumi.Config();
const side = (site) => config.requireObject(site);
const password = config.requireSecret("password");
const secret = config.requireSecret("apiSecret");
const complete = ({ mqtt, api, ...rest }) => ({ ...rest, mqtt: { ...mqtt, password }, api: { ...api, secret } });
const topics = ["fleet/#"];
const probe = new DeliveryProbe("proof", {
    pair: "aws-gcp",
    a: complete(side("aws")),
    b: complete(side("gcp")),
    directions: [{ from: "aws", to: "gcp", topics }, { from: "gcp", to: "aws", topics }],
    count: Number(config.get("count") ?? 25),
    timeoutSeconds: 2,
    prove: config.get("prove"),
});
exports.results = probe.results;
`;

interface Row {
    readonly from: string;
    readonly status: string;
    readonly delivered: number;
    readonly runId: string;
}

describe("a delivery probe in a real stack", () => {
    let mesh: TestSites<"aws" | "gcp">;
    let project: PulumiProject;

    beforeAll(async () => {
        mesh = await localBrokers(["aws", "gcp"]);
        project = await PulumiProject.create({
            "Pulumi.yaml": "name: proof\nruntime: nodejs\nmain: main.js\n",
            "main.js": program,
            "package.json": JSON.stringify({ name: "proof", private: true, main: "main.js" }),
        });
        const side = (site: TestSite) =>
            JSON.stringify({
                site: site.name,
                clusterName: site.clusterName,
                mqtt: { host: "127.0.0.1", port: site.ports.mqtts, tls: true, ca: site.authority.ca, username: device.username },
                api: { url: `https://127.0.0.1:${site.ports.api}`, key: api.key, ca: site.authority.ca },
            });
        const settings = [
            ["--plaintext", `aws=${side(mesh.sites.aws)}`],
            ["--plaintext", `gcp=${side(mesh.sites.gcp)}`],
            ["--secret", `password=${device.password}`],
            ["--secret", `apiSecret=${api.secret}`],
        ];
        await project.must("config", "set-all", ...settings.flat());
    });
    afterAll(async () => {
        await project?.dispose();
        await mesh?.close();
    });

    async function noSecretIn(text: string): Promise<void> {
        for (const form of [device.password, api.secret].flatMap(formsOf)) {
            expect(text).not.toContain(form);
        }
    }

    async function rows(): Promise<Row[]> {
        return (await project.outputs<{ results: Row[] }>()).results;
    }

    it("fails the up when nothing arrives, names the cause, and keeps the resource without a plain secret", async () => {
        await mesh.sites.aws.link(mesh.sites.gcp, ["fleet/#"]);
        const { code, output } = await project.run("up", "--yes", "--skip-preview");
        expect(code).not.toBe(0);
        expect(output).toMatch(/aws -> gcp: 0 of 25 messages arrived within 2 s/);
        expect(output).toMatch(/Most likely cause: .*\(gcp\).*unknown_cluster/);
        expect(output).not.toMatch(/^\s+at .*\.js:\d+/m);
        await noSecretIn(output);
        const [probe] = (await project.resources()).filter(({ type }) => type.endsWith(":DeliveryProbe"));
        expect(probe?.outputs).toMatchObject({ results: [{ status: "failed" }, { status: "failed" }] });
        await noSecretIn(await project.exported());
    });

    it("proves again in the next up, though no argument changed, and then stays as it is", async () => {
        await mesh.sites.aws.api("DELETE", `/api/v5/cluster/links/link/${mesh.sites.gcp.clusterName}`);
        await linkAll([mesh.sites.aws, mesh.sites.gcp], ["fleet/#"]);
        await project.up();
        expect(await rows()).toMatchObject([
            { from: "aws", status: "proven", delivered: 25 },
            { from: "gcp", status: "proven", delivered: 25 },
        ]);
        const [{ runId } = { runId: "" }] = await rows();
        await project.must("up", "--yes", "--expect-no-changes");
        await project.must("refresh", "--yes", "--expect-no-changes");
        expect((await rows())[0]?.runId).toBe(runId);
        await noSecretIn(await project.exported());
    });

    it("proves anew when asked: by a changed argument, and in every up with prove: always", async () => {
        const runs = new Set([(await rows())[0]?.runId]);
        await project.must("config", "set-all", "--plaintext", "count=30", "--plaintext", "prove=always");
        for (let again = 0; again < 2; again += 1) {
            await project.up();
            const [row] = await rows();
            expect(row).toMatchObject({ delivered: 30, status: "proven" });
            runs.add(row?.runId);
        }
        expect(runs.size).toBe(3);
    });

    it("refuses a wrong argument at preview, in one line", async () => {
        const { code, output } = await project.run("preview", "--config", "count=0");
        expect(code).not.toBe(0);
        expect(output).toContain("count: 0 is out of range; set a whole number from 1 to 1000000 messages");
    });

    it("shows up in the command line, which reads the stack through Pulumi", async () => {
        const cli = join(repository, "dist/cli/main.js");
        const verify = await project.exec(process.execPath, cli, "--stack", "test", "verify");
        expect(verify.output).toMatch(/aws -> gcp +proven +30\/30/);
        expect(verify.code).toBe(0);
        await noSecretIn(verify.output);
        const wrong = await project.exec(process.execPath, cli, "--stack", "other", "verify");
        expect(wrong.output).toMatch(/cannot read the stack: there is no stack "other"/);
        expect(wrong.code).toBe(3);
    });

    it("goes without a trace", async () => {
        await project.must("destroy", "--yes");
        expect((await project.resources()).filter(({ type }) => type.includes("linkspan"))).toEqual([]);
        for (const site of [mesh.sites.aws, mesh.sites.gcp]) {
            const { body } = await site.api("GET", "/api/v5/clients?like_clientid=linkspan_probe_");
            expect(body.data).toEqual([]);
        }
    });
});
