import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkMembers } from "../../../src/local/broker/members.js";
import { localBrokers, type TestSite, type TestSites, until } from "../../support/localBroker.js";

const [one, two] = ["emqx@10.1.0.4", "emqx@10.1.1.4"] as const;
const api = "/api/v5";

describe("a broker that stands for a cluster of several nodes", () => {
    let open: TestSites<"a">;
    let a: TestSite;
    let file: string;

    const members = (...nodes: { node: string; status: string; startedAt: number }[]) =>
        writeFileSync(file, JSON.stringify({ nodes }));
    const nodes = async () => {
        const { body } = await a.api("GET", `${api}/nodes`);
        return (body as { node: string; node_status: string; live_connections?: number }[]).map(
            ({ node, node_status, live_connections }) => [node, node_status, live_connections],
        );
    };
    const evacuate = (node: string, action: "start" | "stop") =>
        a.api(
            "POST",
            `${api}/load_rebalance/${encodeURIComponent(node)}/evacuation/${action}`,
            action === "start" ? { wait_health_check: "1h", wait_takeover: "1h", conn_evict_rate: 10 } : undefined,
        );

    beforeEach(async () => {
        open = await localBrokers(["a"], { limits: { evacuationWaitMs: 1 } });
        a = open.sites.a;
        file = join(open.folder, "members.json");
        await a.stop();
        a.config = { ...a.config, membersFile: file };
        members(
            { node: one, status: "running", startedAt: Date.now() - 60_000 },
            { node: two, status: "running", startedAt: Date.now() },
        );
        await a.start();
    });

    afterEach(async () => await open.close());

    test("lists them as they are in the file, with the age that each has", async () => {
        const { body } = await a.api("GET", `${api}/nodes`);
        expect(body).toMatchObject([
            { node: one, node_status: "running", role: "core", version: "5.10.3" },
            { node: two, node_status: "running" },
        ]);
        expect(body[0].uptime).toBeGreaterThanOrEqual(60_000);
        expect(body[1].uptime).toBeLessThan(60_000);
        expect((await a.api("GET", `${api}/cluster`)).body).toEqual({ name: "lab-a", nodes: [one, two], self: one });
        members({ node: one, status: "stopped", startedAt: 0 }, { node: two, status: "running", startedAt: Date.now() });
        expect((await a.api("GET", `${api}/nodes`)).body[0]).toEqual({ node: one, node_status: "stopped", role: "core" });
        expect((await a.api("GET", `${api}/cluster`)).body).toEqual({ name: "lab-a", nodes: [two], self: two });
        expect((await a.api("GET", `${api}/status`)).text).toContain(`Node ${two} is started`);
        expect((await a.api("GET", `${api}/nodes/emqx@10.9.9.9`)).status).toBe(404);
    });

    test("a file that is gone or broken changes nothing", async () => {
        expect(await nodes()).toHaveLength(2);
        writeFileSync(file, "{");
        expect(await nodes()).toHaveLength(2);
        rmSync(file);
        expect(await nodes()).toHaveLength(2);
    });

    test("draining one node moves its clients to the other; draining both refuses new ones", async () => {
        for (let number = 0; number < 6; number += 1) {
            await a.connect({ clientId: `device-${number}` });
        }
        const spread = await nodes();
        expect(spread.map(([, , count]) => Number(count))).toEqual([3, 3]);
        expect((await evacuate(one, "start")).status).toBe(200);
        expect((await evacuate(one, "start")).body).toMatchObject({ code: "BAD_REQUEST" });
        await until(async () => (await nodes()).map(([, , count]) => count).join() === "0,6", "all clients on the second node");
        expect((await a.api("GET", `${api}/load_rebalance/availability_check`)).status).toBe(200);
        expect((await a.api("GET", `${api}/load_rebalance/global_status`)).body.evacuations).toMatchObject([
            { node: one, state: expect.stringMatching(/evicting_conns|waiting_takeover|evicting_sessions/) },
        ]);
        await evacuate(two, "start");
        expect((await a.api("GET", `${api}/load_rebalance/availability_check`)).status).toBe(503);
        await evacuate(one, "stop");
        expect((await a.api("GET", `${api}/load_rebalance/availability_check`)).status).toBe(200);
        expect((await evacuate("emqx@10.9.9.9", "start")).status).toBe(404);
    });

    test("a stopped node leaves for good, a running one does not", async () => {
        const leave = (node: string) => a.api("DELETE", `${api}/cluster/${node}/force_leave`);
        expect((await leave(two)).status).toBe(204);
        expect(await nodes()).toHaveLength(2);
        expect((await leave(one)).status).toBe(400);
        members({ node: one, status: "running", startedAt: Date.now() }, { node: two, status: "stopped", startedAt: Date.now() });
        expect((await leave(two)).status).toBe(204);
        expect(await nodes()).toEqual([[one, "running", 0]]);
        expect((await leave(two)).body).toMatchObject({ message: "node_not_in_cluster" });
    });
});

test.each([
    ["no list", { nodes: {} }],
    ["an empty list", { nodes: [] }],
    ["a node without a name", { nodes: [{ status: "running", startedAt: 1 }] }],
    ["a state that is none", { nodes: [{ node: one, status: "ill", startedAt: 1 }] }],
    ["a node without a start", { nodes: [{ node: one, status: "running" }] }],
    ["a node that is nothing", { nodes: [null] }],
])("%s is no file of members", (_what, value) => {
    expect(() => checkMembers(value)).toThrow("no list of members");
});
