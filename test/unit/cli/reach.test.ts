import { afterEach, describe, expect, it } from "vitest";
import { parseStackState } from "../../../src/cli/stackState.js";
import { status } from "../../../src/cli/statusCommand.js";
import { verify } from "../../../src/cli/verifyCommand.js";
import { runDelivery } from "../../../src/probe/deliveryRun.js";
import { startProxy } from "../../support/proxies.js";
import { json, ScriptedApi } from "../../support/scriptedApi.js";
import { testAuthority } from "../../support/testCertificates.js";
import { exportedStack, type FixtureSite, keptIo, secrets } from "./cliFixture.js";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
});

const sites = (way: object, api = "https://127.0.0.1:1"): FixtureSite[] =>
    ["aws", "gcp"].map((site) => ({ site, api, mqttPort: 1, way }));

describe("sites that are reached by another way", () => {
    it.each([{ proxy: "socks5://127.0.0.1:1080" }, { connect: { host: "127.0.0.1", port: 7 } }])(
        "are reached so from state too, API and client door: %j",
        (way) => {
            const state = parseStackState(exportedStack({ sites: sites(way) }));
            expect(state.links[0]?.api).toMatchObject(way);
            expect(state.probes[0]?.a).toMatchObject({ api: way, mqtt: way });
            expect(state.probes[0]?.b).toMatchObject({ api: way, mqtt: way });
        },
    );

    it("are asked by `status` through the proxy", async () => {
        const authority = await testAuthority();
        const api = await ScriptedApi.start(await authority.server());
        const proxy = await startProxy("socks5", { leads: { "localhost:18084": api.port } });
        ends.push(
            () => api.stop(),
            () => proxy.stop(),
        );
        api.always(json(404, { code: "NOT_FOUND", message: "Cluster link not found" }));
        const stack = exportedStack({ sites: sites({ proxy: proxy.url }, "https://localhost:18084"), ca: authority.ca });
        const io = keptIo();
        await status(parseStackState(stack), { json: false }, io);
        expect(new Set(proxy.asked)).toEqual(new Set(["name localhost:18084"]));
        expect(io.printed.out).toMatch(/aws -> gcp +missing +missing/);
        expect(api.requests.length).toBeGreaterThan(0);
    });

    it("are told by `status` and `verify` with what the proxy answered, without its login", async () => {
        const proxy = await startProxy("http", { login: { username: "u", password: "right" } });
        ends.push(() => proxy.stop());
        const way = { proxy: proxy.url.replace("://", "://u:wr0ng-S3cret@") };
        const state = parseStackState(exportedStack({ sites: sites(way, "https://h.example:18084") }));
        const io = keptIo();
        expect(await status(state, { json: true }, io)).not.toBe(0);
        expect(io.printed.out).toContain(`by way of the proxy ${proxy.url}`);
        const cause = async () => undefined;
        await verify(state, { json: true }, io, { run: runDelivery, cause });
        expect(io.printed.out).toMatch(
            /mqtt:\/\/127\.0\.0\.1:1 by way of the proxy http:\/\/127\.0\.0\.1:\d+: PROXY_AUTH the proxy answered 407/,
        );
        for (const secret of [...secrets, "wr0ng"]) {
            expect(io.printed.out + io.printed.err).not.toContain(secret);
        }
    });
});
