import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hang, json, ScriptedApi } from "../../test/support/scriptedApi.js";
import { findNodeGaps } from "./linkNodes.js";

let fakeA: ScriptedApi;
let fakeB: ScriptedApi;
const said: string[] = [];

beforeEach(async () => {
    [fakeA, fakeB] = await Promise.all([ScriptedApi.start(), ScriptedApi.start()]);
    said.length = 0;
    vi.spyOn(console, "warn").mockImplementation((text: string) => void said.push(text));
});
afterEach(async () => {
    vi.restoreAllMocks();
    await Promise.all([fakeA.stop(), fakeB.stop()]);
});

/** A link whose nodes have these statuses. */
const link = (statuses: readonly string[], more: object = {}) =>
    json(200, {
        name: "x",
        server: "x:1",
        topics: [],
        enable: true,
        status: "inconsistent",
        node_status: statuses.map((status, index) => ({ node: `emqx@10.0.0.${index + 4}`, status })),
        ...more,
    });

const find = (seconds = 0.1, onProgress?: (text: string) => void) =>
    findNodeGaps(
        { site: "a", clusterName: "m-a", api: fakeA.endpoint() },
        { site: "b", clusterName: "m-b", api: fakeB.endpoint() },
        { seconds, pauseMs: 20, ...(onProgress === undefined ? {} : { onProgress }) },
    );

describe("the nodes of linked clusters", () => {
    it("have no gap when all are connected, asked once for the link to the other side", async () => {
        fakeA.always(link(["connected", "connected", "connected"]));
        fakeB.always(link(["connected", "connected"]));
        expect(await find()).toEqual([]);
        expect(fakeA.asked).toEqual(["GET /api/v5/cluster/links/link/m-b"]);
        expect(fakeB.asked).toEqual(["GET /api/v5/cluster/links/link/m-a"]);
    });

    it("are named with their status when they stay without a connection", async () => {
        fakeA.always(link(["connected", "disconnected", "connecting"]));
        fakeB.always(link(["connected", "connected"]));
        expect(await find()).toEqual([
            { site: "a", peer: "b", nodes: ["emqx@10.0.0.5 (disconnected)", "emqx@10.0.0.6 (connecting)"] },
        ]);
        expect(fakeA.requests.length).toBeGreaterThan(1);
    });

    it("are waited for while they connect", async () => {
        const progress: string[] = [];
        fakeA.script(link(["connected", "connecting"])).always(link(["connected", "connected"]));
        fakeB.always(link(["connected", "connected"]));
        expect(await find(10, (text) => progress.push(text))).toEqual([]);
        expect(progress).toEqual(["waiting for emqx@10.0.0.5 (connecting) of a -> b"]);
    });

    it.each<[string, () => void]>([
        ["one node, whose connection the proof has used", () => fakeA.always(link(["connecting"]))],
        ["a link that is disabled", () => fakeA.always(link(["disconnected", "disconnected"], { enable: false }))],
        ["no link", () => fakeA.always(json(404, { code: "NOT_FOUND", message: "Cluster link not found" }))],
    ])("are not looked at with %s", async (_what, set) => {
        set();
        fakeB.always(link(["connected", "connected"]));
        expect(await find(10)).toEqual([]);
        expect(fakeA.requests).toHaveLength(1);
        expect(said).toEqual([]);
    });

    it("are not known where the API refuses, which is said, and not asked for where none is given", async () => {
        fakeA.always(json(401, { code: "BAD_API_KEY_OR_SECRET", message: "Check api_key/api_secret" }));
        fakeB.always(hang);
        const sideB = { site: "b", clusterName: "m-b" };
        expect(
            await findNodeGaps({ site: "a", clusterName: "m-a", api: fakeA.endpoint() }, sideB, { seconds: 1, pauseMs: 20 }),
        ).toEqual([]);
        expect(said).toEqual([expect.stringContaining("whether every node of a is connected to b could not be read.")]);
        expect(fakeB.requests).toEqual([]);
    });
});
