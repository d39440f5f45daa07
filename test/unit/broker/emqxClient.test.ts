import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { linkAclRules } from "../../../src/emqx/acl.js";
import { EmqxClient } from "../../../src/emqx/client.js";
import { diffLink, linkSpec, toRequest } from "../../../src/emqx/linkSpec.js";
import { settleAfterUnknown } from "../../../src/emqx/settle.js";
import { api, linkPassword, localBrokers, type TestSite, type TestSites } from "../../support/localBroker.js";

let made: TestSites<"a" | "b">;
let a: TestSite;
let b: TestSite;
let client: EmqxClient;

function clientFor(site: TestSite, key: string = api.key, secret: string = api.secret): EmqxClient {
    const url = `https://127.0.0.1:${site.ports.api}`;
    return new EmqxClient({ url, key, secret, ca: site.authority.ca }, { name: site.name });
}

beforeAll(async () => {
    made = await localBrokers(["a", "b"]);
    ({ a, b } = made.sites);
    client = clientFor(a);
});

afterAll(async () => {
    client?.close();
    await made?.close();
});

describe("the client and the local broker agree on the REST API", () => {
    test("what the broker says of itself", async () => {
        expect(await client.status()).toEqual({
            brokerStatus: "started",
            appStatus: "running",
            relVsn: "e5.10.3",
            cluster: "lab-a",
            nodeName: "lab-a@127.0.0.1",
        });
        expect(await client.cluster()).toEqual({ name: "lab-a", nodes: ["lab-a@127.0.0.1"], self: "lab-a@127.0.0.1" });
        expect(await client.nodes()).toMatchObject([{ node: "lab-a@127.0.0.1", status: "running", version: "5.10.3" }]);
        expect(await client.license()).toMatchObject({ type: "community", expired: false });
        expect((await client.listeners()).map(({ id, running }) => [id, running])).toContainEqual(["ssl:default", true]);
        expect(await client.monitorCurrent()).toHaveProperty("live_connections");
        expect(await client.alarms()).toEqual([]);
        expect(await client.alarms(false)).toEqual([]);
        expect(await client.topics()).toEqual([]);
        expect(await client.authorizationSettings()).toMatchObject({ noMatch: "allow" });
        expect((await client.listAuthenticators()).map(({ id }) => id)).toEqual(["password_based:built_in_database"]);
        expect((await client.listAuthorizationSources()).map(({ type }) => type)).toContain("built_in_database");
    });

    test("another licence is loaded, nonsense is not", async () => {
        await expect(client.setLicense("no licence")).rejects.toThrow(/400 BAD_REQUEST Bad license key/);
        expect(await client.license()).toMatchObject({ type: "community" });
        const key = "bGljZW5jZSBvZiBhIHRlc3Q=.c2lnbmF0dXJl";
        expect(await client.setLicense(key)).toMatchObject({ type: "official", expired: false, maxSessions: 100_000 });
        expect(await client.license()).toMatchObject({ type: "official" });
        expect(await client.setLicense("evaluation")).toMatchObject({ type: "trial", maxSessions: 25 });
        expect((await client.monitorCurrent()).license_quota).toBe(25);
        expect(await client.setLicense("default")).toMatchObject({ type: "community" });
    });

    test("a link from its making to its end", async () => {
        const spec = linkSpec(
            {
                name: b.clusterName,
                server: `${b.linkHost}:${b.ports.links}`,
                clientIdPrefix: "lab-a-",
                username: "link-lab-a",
                password: linkPassword("a"),
                topics: ["x/#", "a/+"],
                tls: { enable: true, ca: a.authority.ca, cert: a.linkCertificate.cert, key: a.linkCertificate.key },
            },
            { localCluster: a.clusterName },
        );
        expect(await client.getLink(spec.name)).toBeUndefined();
        expect(await client.linkMetrics(spec.name)).toBeUndefined();
        expect(diffLink(spec, await client.createLink(toRequest(spec)))).toEqual([]);
        await expect(client.createLink(toRequest(spec))).rejects.toMatchObject({
            detail: { status: 400, code: "ALREADY_EXISTS" },
        });
        const changed = { ...spec, topics: ["y/#"] };
        expect(diffLink(spec, await client.updateLink(spec.name, toRequest(changed)))).toEqual(["topics"]);
        expect((await client.listLinks()).map(({ name, topics }) => [name, topics])).toEqual([[spec.name, ["y/#"]]]);
        expect(await client.linkMetrics(spec.name)).toMatchObject({ matched: 0, dropped: 0, queuing: 0 });

        const peer = clientFor(b);
        const logins = await settleAfterUnknown({
            read: () => peer.clients({ likeClientId: "lab-a-" }),
            done: (found) => (found ?? []).length > 0,
            deadlineSeconds: 10,
        });
        const [login] = logins ?? [];
        expect(login).toMatchObject({ username: "link-lab-a", connected: true });
        expect(await peer.kickClient(login?.clientId ?? "")).toBe(true);
        expect(await peer.kickClient("nobody")).toBe(false);
        peer.close();

        expect(await client.deleteLink(spec.name)).toBe(true);
        expect(await client.deleteLink(spec.name)).toBe(false);
        await expect(client.updateLink(spec.name, toRequest(spec))).rejects.toMatchObject({
            detail: { status: 404, code: "NOT_FOUND" },
        });
    });

    test("a user and its rules", async () => {
        const rules = linkAclRules("lab-c");
        const name = "link-lab-c";
        expect(await client.getUser(name)).toBeUndefined();
        await expect(client.updateUser(name, { password: "first-password" })).rejects.toMatchObject({ detail: { status: 404 } });
        await client.addUser({ username: name, password: "first-password" });
        await expect(client.addUser({ username: name, password: "other-password" })).rejects.toMatchObject({
            detail: { code: "ALREADY_EXISTS" },
        });
        await client.updateUser(name, { password: "second-password" });
        expect(await client.getUser(name)).toEqual({ username: name, superuser: false });
        expect(await client.getUserRules(name)).toBeUndefined();
        await client.putUserRules(name, rules);
        await client.putUserRules(name, rules);
        expect(await client.getUserRules(name)).toEqual(rules);
        expect(await client.deleteUserRules(name)).toBe(true);
        expect(await client.deleteUserRules(name)).toBe(false);
        expect(await client.deleteUser(name)).toBe(true);
        expect(await client.deleteUser(name)).toBe(false);
    });

    test("a wrong secret and a key that may only read", async () => {
        const wrong = clientFor(a, api.key, "wrong-secret");
        await expect(wrong.cluster()).rejects.toThrow(/401 BAD_API_KEY_OR_SECRET .*Set api\.key/);
        wrong.close();
        const viewer = clientFor(a, api.viewer);
        expect((await viewer.cluster()).name).toBe("lab-a");
        await expect(viewer.deleteLink("x")).rejects.toThrow(/403 UNAUTHORIZED_ROLE .*administrator/);
        viewer.close();
    });
});
