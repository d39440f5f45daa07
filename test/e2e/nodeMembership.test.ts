import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeCluster } from "../support/fakeCluster.js";
import { PulumiProject, repository } from "../support/pulumiProject.js";

const from = (path: string) => JSON.stringify(join(repository, "dist", path));
const [one, two, three] = ["emqx@10.1.0.4", "emqx@10.1.1.4", "emqx@10.1.2.4"] as const;

/** A cluster of machines, each after the membership of the one before, steered by configuration. */
const program = `
const pulumi = require("@pulumi/pulumi");
const { NodeMembership } = require(${from("cluster/nodeMembership.js")});
const { NodeDeparture } = require(${from("cluster/nodeDeparture.js")});
const config = new pulumi.Config();
const size = config.get("size") ?? "small";
const members = config.require("members").split(",");
const url = config.require("url");

const call = async (url, verb, node) => {
    const { status } = await fetch(url + "/machine/" + verb + "/" + encodeURIComponent(node), { method: "POST" });
    if (status !== 204) {
        throw new Error("the machine's " + verb + " was answered " + status);
    }
};
const machines = {
    diff: async (_id, olds, news) =>
        olds.size === news.size
            ? { changes: false }
            : { changes: true, replaces: ["size"], deleteBeforeReplace: true },
    create: async (inputs) => {
        await call(inputs.url, "start", inputs.node);
        const serial = Math.random().toString(16).slice(2);
        return { id: serial, outs: { ...inputs, serial } };
    },
    delete: async (_id, { url, node }) => call(url, "stop", node),
};
class Machine extends pulumi.dynamic.Resource {
    constructor(name, args, opts) {
        super(machines, name, { ...args, serial: undefined }, opts);
    }
}

const api = pulumi.secret(pulumi.output({ url, key: "k", secret: "s3cret-value" }));
const clusterName = "m-aws";
let before = [];
for (const nodeName of members) {
    const departure = new NodeDeparture("departure-" + nodeName, { api, clusterName, nodeName });
    const machine = new Machine("machine-" + nodeName, { url, node: nodeName, size }, { dependsOn: [departure, ...before] });
    const gate = { serial: machine.serial, size };
    const membership = new NodeMembership("membership-" + nodeName, { api, clusterName, nodeName, members, gate });
    before = [membership];
}
`;

describe("nodes of a cluster under the real engine", () => {
    let project: PulumiProject;
    let fake: FakeCluster;

    beforeAll(async () => {
        fake = await FakeCluster.start();
        project = await PulumiProject.create({
            "Pulumi.yaml": "name: nodes\nruntime: nodejs\n",
            "index.js": program,
            "package.json": JSON.stringify({ name: "nodes", private: true, main: "index.js" }),
        });
        await project.must("config", "set", "url", fake.api.url);
    });
    afterAll(async () => {
        await project?.dispose();
        await fake?.stop();
    });

    async function up(settings: Readonly<Record<string, string>>): Promise<string[]> {
        fake.writes.length = 0;
        const pairs = Object.entries(settings).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]);
        await project.must("config", "set-all", ...pairs);
        await project.up();
        return [...fake.writes];
    }

    /** Every node has clients and has been up for an hour. */
    function busy(): void {
        for (const node of fake.nodes.values()) {
            Object.assign(node, { connected: 5, sessions: 8, startedAt: Date.now() - 3_600_000 });
        }
    }

    it("come one after the other, each after the one before is in the cluster; a second up is empty", async () => {
        expect(await up({ members: [one, two, three].join(",") })).toEqual([`start ${one}`, `start ${two}`, `start ${three}`]);
        await project.must("up", "--yes", "--skip-preview", "--expect-no-changes");
        expect(JSON.stringify(await project.must("stack", "export"))).not.toContain("s3cret-value");
    });

    it("are replaced one after the other: drained, replaced, back and taking clients before the next is touched", async () => {
        busy();
        const cycle = (node: string) => [
            `POST /load_rebalance/${node}/evacuation/start`,
            `stop ${node}`,
            `start ${node}`,
            `POST /load_rebalance/${node}/evacuation/stop`,
        ];
        expect(await up({ size: "large" })).toEqual([one, two, three].flatMap(cycle));
        expect(fake.bodies).toContainEqual(expect.objectContaining({ wait_health_check: "30s" }));
        await project.must("up", "--yes", "--skip-preview", "--expect-no-changes");
    });

    it("leave when they are removed, after their machine is gone; a second up is empty", async () => {
        busy();
        expect(await up({ members: [one, two].join(",") })).toEqual([
            `POST /load_rebalance/${three}/evacuation/start`,
            `stop ${three}`,
            `DELETE /cluster/${three}/force_leave`,
        ]);
        expect([...fake.nodes.keys()]).toEqual([one, two]);
        await project.must("up", "--yes", "--skip-preview", "--expect-no-changes");
    });

    it("come back when they are wanted again", async () => {
        expect(await up({ members: [one, two, three].join(",") })).toEqual([`start ${three}`]);
    });

    it("go with their cluster without waiting for sessions, and nobody is asked to forget them", async () => {
        busy();
        fake.writes.length = 0;
        await project.must("destroy", "--yes", "--skip-preview");
        expect(fake.writes).toEqual([
            `POST /load_rebalance/${three}/evacuation/start`,
            `stop ${three}`,
            `POST /load_rebalance/${two}/evacuation/start`,
            `stop ${two}`,
            `stop ${one}`,
        ]);
        expect(fake.bodies.at(-1)).toMatchObject({ wait_health_check: "1s" });
    });
});
