import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { unknownValue } from "../../../src/dynamic/provider.js";
import { linkPathProvider } from "../../../src/link/linkPathProvider.js";
import type { PathInputs } from "../../../src/link/linkPathRules.js";
import { linkPath } from "../../../src/provider.js";
import { api, freePorts, linkPassword, localBrokers, type TestSite, type TestSites } from "../../support/localBroker.js";
import { json, ScriptedApi } from "../../support/scriptedApi.js";

describe("a path that brokers try themselves", () => {
    let made: TestSites<"a" | "b">;
    let a: TestSite;
    let b: TestSite;
    beforeAll(async () => {
        made = await localBrokers(["a", "b"]);
        ({ a, b } = made.sites);
    });
    afterAll(() => made?.close());

    const inputs = (more: Partial<PathInputs> = {}): PathInputs => ({
        api: { url: `https://127.0.0.1:${a.ports.api}`, key: api.key, secret: api.secret, ca: a.authority.ca },
        localCluster: a.clusterName,
        remoteCluster: b.clusterName,
        host: "127.0.0.1",
        port: b.ports.links,
        tier: "nat",
        tls: {
            enable: true,
            ca: a.authority.ca,
            cert: a.linkCertificate.cert,
            key: a.linkCertificate.key,
            serverName: b.linkHost,
        },
        username: `link-${a.clusterName}`,
        password: linkPassword("a"),
        timeouts: { pathSeconds: 0.5 },
        ...more,
    });

    it("is reached where the door answers, with the certificate of the stable name, and no client is left", async () => {
        const { outs } = await linkPath.create(inputs());
        expect(outs).toMatchObject({ reached: "127.0.0.1", verdict: "checked" });
        expect((await b.api("GET", "/api/v5/clients?limit=100")).body).toMatchObject({ data: [] });
    });

    it("is reached also where the user is not there yet: what counts is that the door asked for it", async () => {
        const { outs } = await linkPath.create(inputs({ username: "link-nobody", password: "none" }));
        expect(outs).toMatchObject({ verdict: "checked" });
    });

    it.each<[string, () => Promise<Partial<PathInputs>>, RegExp]>([
        ["nothing listens", async () => ({ port: (await freePorts(1))[0] ?? 1 }), /Connection refused/],
        [
            "the certificate is another name's",
            async () => ({ tls: { ...inputs().tls, enable: true, serverName: "c.link.fleet.internal" } }),
            /hostname_check_failed.*another name/s,
        ],
        ["the name does not exist", async () => ({ host: "nowhere.invalid" }), /nxdomain/],
    ])("fails with the brokers' own reason and what to do: %s", async (_what, more, message) => {
        const failure = linkPath.create(inputs(await more()));
        await expect(failure).rejects.toThrow(message);
        await expect(failure).rejects.toThrow("What was in use before is still in use");
        await expect(failure).rejects.not.toThrow(/PRIVATE KEY|link-secret/);
    });

    it("is tried again for another address or tier, not for another password or way to the API", async () => {
        const { outs } = await linkPath.create(inputs());
        const changes = async (more: Partial<PathInputs>) => (await linkPath.diff?.("", outs, inputs(more)))?.changes;
        expect(await changes({})).toBe(false);
        expect(await changes({ password: "another", api: { ...inputs().api, url: "https://192.0.2.1:18084" } })).toBe(false);
        expect(await changes({ host: "192.0.2.1" })).toBe(true);
        expect(await changes({ tier: "vpn" })).toBe(true);
        expect(await changes({ host: unknownValue })).toBe(true);
    });

    it.each<[string, Partial<PathInputs>, string]>([
        ["tier", { tier: "ipsec" as "vpn" }, 'tier: "ipsec" is no tier'],
        ["host", { host: "a,b" }, "host:"],
        ["port", { port: 0 }, "host:"],
        ["deadline", { timeouts: { pathSeconds: 0 } }, "timeouts.pathSeconds: 0 is out of range"],
    ])("refuses a wrong %s at preview", async (_what, more, message) => {
        expect((await linkPath.check?.({}, inputs(more)))?.failures?.[0]?.reason).toContain(message);
    });
});

describe("a path whose brokers", () => {
    let fake: ScriptedApi;
    const said: string[] = [];
    beforeEach(async () => {
        fake = await ScriptedApi.start();
        said.length = 0;
        vi.spyOn(console, "warn").mockImplementation((text: string) => void said.push(text));
    });
    afterEach(async () => {
        await fake.stop();
        vi.restoreAllMocks();
    });

    const inputs = (): PathInputs => ({
        api: fake.endpoint(),
        localCluster: "fleet-a",
        remoteCluster: "fleet-b",
        host: "192.0.2.7",
        port: 8884,
        tier: "vpn",
        tls: { enable: true, serverName: "b.link.fleet.internal" },
        timeouts: { pathSeconds: 0.2 },
    });

    it("cannot try a connection is used unchecked, and a line says so", async () => {
        fake.always(json(404, { code: "NOT_FOUND", message: "Request Path Not Found" }));
        const { outs } = await linkPathProvider.create(inputs());
        expect(outs).toMatchObject({ reached: "192.0.2.7", verdict: "unchecked" });
        expect(said).toEqual([
            'linkspan: the brokers of "fleet-a" cannot try a connection; the path to 192.0.2.7:8884 is used unchecked',
        ]);
    });

    it.each<[string, number, string, string]>([
        [
            "the address",
            400,
            "BAD_REQUEST",
            "Address resolves to a denied range: 192.0.2.7 -> 192.0.2.7 (matches 192.0.0.0/16). Adjust rule_engine.ssrf.deny_cidrs.",
        ],
        ["the address, found while trying", 400, "TEST_FAILED", "Host is on the SSRF denylist: b.internal."],
        ["a forbidden address", 403, "FORBIDDEN", "forbidden address"],
    ])("deny %s to connectors is used unchecked, and a line says why", async (_what, status, code, message) => {
        fake.always(json(status, { code, message }));
        const { outs } = await linkPathProvider.create(inputs());
        expect(outs).toMatchObject({ reached: "192.0.2.7", verdict: "unchecked" });
        expect(said).toHaveLength(1);
        expect(said[0]).toContain(`may not (${message.replace(/\.$/, "")}) try a connection`);
        expect(fake.requests).toHaveLength(1);
    });

    it("know of no right to try fails: a key that may only read is no rule about addresses", async () => {
        const message = "This API Key don't have permission to access this resource, denied address";
        fake.always(json(403, { code: "UNAUTHORIZED_ROLE", message }));
        await expect(linkPathProvider.create(inputs())).rejects.toThrow("UNAUTHORIZED_ROLE");
        expect(said).toEqual([]);
    });

    it("say who they are to the door, each cluster by its own name", async () => {
        fake.always(json(204, undefined));
        expect((await linkPathProvider.create(inputs())).outs.verdict).toBe("checked");
        expect(JSON.parse(fake.requests[0]?.body ?? "{}")).toMatchObject({ clientid_prefix: "linkspan_path_fleet-a" });
    });

    it("meet silence fails with what to look at in this tier", async () => {
        fake.always(json(400, { code: "TEST_FAILED", message: "timeout" }));
        await expect(linkPathProvider.create(inputs())).rejects.toThrow(
            /could not connect within 0\.2 s: timeout.*tunnels are up.*routes to each other's range/s,
        );
        expect(JSON.parse(fake.requests[0]?.body ?? "{}")).toMatchObject({
            type: "mqtt",
            server: "192.0.2.7:8884",
            ssl: { enable: true, verify: "verify_peer", server_name_indication: "b.link.fleet.internal" },
        });
    });

    it("refuse the API key fails at once", async () => {
        fake.always(json(401, { code: "BAD_API_KEY_OR_SECRET", message: "Check api_key/api_secret" }));
        await expect(linkPathProvider.create(inputs())).rejects.toThrow("BAD_API_KEY_OR_SECRET");
        expect(fake.requests).toHaveLength(1);
    });
});
