import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CloudProject } from "../cloudsim/cloudProject.js";
import { nodejsProject } from "../cloudsim/program.js";

const program = `
const pulumi = require("@pulumi/pulumi");
const { AwsSite } = require("linkspan/aws");
const config = new pulumi.Config();
const site = new AwsSite("north", {
    siteNumber: 1,
    region: "eu-central-1",
    license: "evaluation",
    adminCidrs: ["203.0.113.7/32"],
    reach: { proxy: process.env.CLOUDSIM_PROXY },
    broker: {
        nodes: config.getNumber("nodes") ?? 3,
        size: config.get("size"),
        package: { url: "https://mirror.example.com/emqx.deb", sha256: "a".repeat(64) },
    },
});
exports.device = site.device;
`;

describe("the nodes of a site on AWS", () => {
    let project: CloudProject;
    /** Events of machines: `+node` when one runs, `-node` when one ends. */
    let events: () => readonly string[];

    beforeAll(async () => {
        project = await CloudProject.create(nodejsProject(program));
        const nodeOf = new Map<string, string>();
        events = () =>
            project.simulation.log.lines.flatMap((line) => {
                const [, id = "", what = ""] = /^\S+ (i-\w+): (.*)$/.exec(line) ?? [];
                const node = /^runs (\S+) of /.exec(what)?.[1];
                if (node !== undefined) {
                    nodeOf.set(id, node);
                    return [`+${node}`];
                }
                return what.startsWith("ends: ") ? [`-${nodeOf.get(id) ?? id}`] : [];
            });
    });
    afterAll(async () => await project?.dispose());

    const nodes = ["emqx@10.1.0.4", "emqx@10.1.1.4", "emqx@10.1.2.4"] as const;

    it("come up one after the other, in one cluster", async () => {
        await project.up();
        expect(events()).toEqual(nodes.map((node) => `+${node}`));
        expect(project.simulation.machines.processes().size).toBe(1);
        await project.up("--expect-no-changes");
    });

    it("another size replaces one at a time, each back before the next goes, and keeps the disks", async () => {
        const disks = () =>
            project.account
                .objects()
                .filter(({ type }) => type === "aws:ebs/volume:Volume")
                .map(({ id }) => id);
        const before = disks();
        const seen = events().length;
        await project.pulumi.must("config", "set", "size", "m7g.xlarge");
        await project.up();
        expect(events().slice(seen)).toEqual(nodes.flatMap((node) => [`-${node}`, `+${node}`]));
        expect(disks()).toEqual(before);
    });

    it("a machine that cannot read its secrets does not come up, and says so", async () => {
        const policy = project.account.objects().find(({ name }) => name === "north-broker-policy");
        if (policy === undefined) {
            throw new Error("no policy");
        }
        project.account.remove(policy);
        await project.pulumi.must("config", "set", "size", "m7g.large");
        const running = project.pulumi.start("up", "--yes", "--skip-preview");
        const ended = new Promise((done) => running.once("exit", done));
        await expect
            .poll(
                () =>
                    project.simulation.machines
                        .sights()
                        .map(({ reason }) => reason)
                        .join(),
                { timeout: 60_000 },
            )
            .toContain("FAILED: not in the secret store, or not to be read: cookie");
        project.account.add({ ...policy, usableAt: 0 });
        await ended;
        await project.up();
        expect(project.simulation.machines.sights().map(({ state }) => state)).toEqual(["running", "running", "running"]);
    });

    it("a fourth node comes and goes, and no other is touched", async () => {
        const fourth = "emqx@10.1.0.5";
        const seen = events().length;
        await project.pulumi.must("config", "set", "nodes", "4");
        await project.up();
        expect(events().slice(seen)).toEqual([`+${fourth}`]);
        await project.pulumi.must("config", "set", "nodes", "3");
        const said = await project.up();
        expect(said).not.toContain("stays listed in the cluster");
        expect(events().slice(seen)).toEqual([`+${fourth}`, `-${fourth}`]);
        expect(project.simulation.machines.sights().map(({ node }) => node)).toEqual(nodes);
    });

    it("nothing is left", async () => {
        await project.destroy();
        expect(project.account.objects(true)).toEqual([]);
        expect(project.simulation.machines.processes().size).toBe(0);
    });
});
