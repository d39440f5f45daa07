import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CloudProject } from "../cloudsim/cloudProject.js";
import { gcp } from "../cloudsim/gcp/index.mts";
import { formsOf } from "../support/pulumiProject.js";

const firstKey = "bGljZW5jZSBvZiB0aGlzIHRlc3Q=.c2lnbmF0dXJlIG9mIGl0";
const secondKey = "YW5vdGhlciBsaWNlbmNl.YW5vdGhlciBzaWduYXR1cmU=";

describe("a site in the simulated Google Cloud, while it runs", () => {
    let project: CloudProject;
    const machineEvents: string[] = [];

    beforeAll(async () => {
        project = await CloudProject.create(
            {
                "Pulumi.yaml": "name: t\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: main.js\n",
                "package.json": '{"name":"t","main":"main.js"}',
                "main.js": `
const pulumi = require("@pulumi/pulumi");
const { GcpSite } = require("linkspan/gcp");
const config = new pulumi.Config();
new GcpSite("gcp", {
    siteNumber: 2, region: "europe-west4", meshId: "fleet", adminCidrs: ["203.0.113.7/32"],
    reach: { proxy: process.env.CLOUDSIM_PROXY },
    license: config.requireSecret("license"),
    users: config.requireObject("users").map((username) => ({ username, password: config.requireSecret("password") })),
    broker: { nodes: 1, package: { url: "https://mirror.example.com/emqx.deb", sha256: "${"a".repeat(64)}" } },
});
`,
            },
            { clouds: [gcp] },
        );
        project.account.onChange(({ what, object }) => {
            if (/:(Instance|Disk)$/.test(object.type)) {
                machineEvents.push(`${what} ${object.name}`);
            }
        });
        await project.pulumi.must("config", "set", "gcp:project", "acme");
        await set({ license: firstKey, password: "first-S3cret" }, ["pump", "gate"]);
        await project.up();
    });
    afterAll(() => project?.dispose());

    async function set(secrets: Readonly<Record<string, string>>, users?: readonly string[]): Promise<void> {
        for (const [key, value] of Object.entries(secrets)) {
            await project.pulumi.must("config", "set", "--secret", key, "--", value);
        }
        if (users !== undefined) {
            await project.pulumi.must("config", "set", "users", "--", JSON.stringify(users));
        }
    }

    const ofType = async (type: string) => (await project.pulumi.resources()).filter((one) => one.type.endsWith(`:${type}`));
    const userIds = async () => (await ofType("DeviceUser")).map(({ id }) => id).sort();

    it("has its licence and users, with neither in state as plain text", async () => {
        const [license] = await ofType("ClusterLicense");
        expect(license?.outputs).toMatchObject({ licenseType: "official", maxSessions: 100_000, expiresAt: "2036-01-01" });
        expect(await userIds()).toEqual(["fleet-gcp/gate", "fleet-gcp/pump"]);
        const state = await project.pulumi.exported();
        for (const secret of [firstKey, "first-S3cret"]) {
            expect(formsOf(secret).filter((form) => state.includes(form))).toEqual([]);
        }
        await project.up("--expect-no-changes");
        await project.refresh("--expect-no-changes");
    });

    it("takes another licence, other users and another password, and no machine is touched", async () => {
        const before = (await ofType("ClusterLicense"))[0]?.outputs?.keyDigest;
        machineEvents.length = 0;
        await set({ license: secondKey, password: "second-S3cret" }, ["gate", "yard"]);
        await project.up();
        expect((await ofType("ClusterLicense"))[0]?.outputs?.keyDigest).not.toBe(before);
        expect(await userIds()).toEqual(["fleet-gcp/gate", "fleet-gcp/yard"]);
        expect(machineEvents).toEqual([]);
        await project.up("--expect-no-changes");
        // The cluster itself knows them.
        await project.refresh("--expect-no-changes");
    });

    it("keeps its licence where the next one is none, and says what EMQX answered without the key", async () => {
        await set({ license: "S3cret-but-no-licence" });
        const { code, output } = await project.tryUp();
        expect(code).not.toBe(0);
        expect(output).toMatch(/cannot load the licence on "fleet-gcp" at .*: 400 BAD_REQUEST Bad license key/);
        expect(output).not.toContain("S3cret-but-no-licence");
        await set({ license: secondKey });
        await project.up();
        expect(machineEvents).toEqual([]);
    });

    it("goes without a trace", async () => {
        await project.destroy();
        expect(project.counts()).toEqual({});
    });
});
