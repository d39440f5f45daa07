import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeEmqx } from "../../test/support/fakeEmqx.js";
import { OperationError } from "../errors.js";
import { linkAclRules } from "./acl.js";
import { EmqxClient } from "./client.js";
import { diagnosePair } from "./diagnosis.js";
import { type EmqxClientLike, gatherEnd } from "./gatherEnd.js";
import { linkSpec, toRequest } from "./linkSpec.js";

const about = { site: "aws", clusterName: "m-aws", linkName: "m-gcp", linkUserOfPeer: "link-m-gcp", clientIdPrefix: "m-aws-" };
const refused = (): Promise<never> =>
    Promise.reject(
        new OperationError({
            what: "read it",
            where: "https://aws:18084",
            code: "ECONNREFUSED",
            message: "nobody listens",
            todo: "Start it.",
        }),
    );
const silent: EmqxClientLike = {
    status: refused,
    nodes: refused,
    cluster: refused,
    license: refused,
    alarms: refused,
    listLinks: refused,
    linkMetrics: refused,
    getUser: refused,
    listAuthenticators: refused,
    authorizationSettings: refused,
    listAuthorizationSources: refused,
    getUserRules: refused,
    clients: refused,
};
const alarm = (name: string, message: string) => ({ name, message, details: {} });

describe("an end that cannot be read", () => {
    it("is a fact with the reason", async () => {
        const facts = await gatherEnd(silent, about);
        expect(facts).toMatchObject(about);
        expect(facts.identity).toEqual({ read: false, reason: "ECONNREFUSED nobody listens", todo: "Start it." });
        const readings = Object.values(facts).filter((value) => typeof value === "object");
        expect(readings).toHaveLength(12);
        expect(readings.every((value) => !value.read)).toBe(true);
        expect(diagnosePair(facts, facts).find(({ id }) => id === "api")).toMatchObject({
            level: "unknown",
            cause: "ECONNREFUSED nobody listens.",
        });
    });

    it("is a fact for errors of any kind", async () => {
        const odd: EmqxClientLike = { ...silent, license: () => Promise.reject(new TypeError("odd")) };
        expect((await gatherEnd(odd, about)).license).toEqual({ read: false, reason: "odd" });
    });
});

describe("an end", () => {
    it("takes its release from the nodes where the status is not open", async () => {
        const nodes = [
            { node: "n1", status: "stopped", version: "" },
            { node: "n2", status: "running", version: "5.10.3" },
        ];
        const client: EmqxClientLike = {
            ...silent,
            cluster: async () => ({ name: "m-aws", nodes: ["n1", "n2"], self: "n2" }),
            nodes: async () => nodes,
        };
        const facts = await gatherEnd(client, about);
        expect(facts.identity).toEqual({ read: true, value: { version: "5.10.3", clusterName: "m-aws" } });
        expect(facts.nodes).toEqual({
            read: true,
            value: [
                { node: "n1", running: false },
                { node: "n2", running: true },
            ],
        });
    });

    it("keeps its own link's alarms, active ones first", async () => {
        const client: EmqxClientLike = {
            ...silent,
            alarms: async (activated) =>
                activated === true
                    ? [
                          alarm("emqx_cluster_link_mqtt:msg:m-gcp", "down"),
                          alarm("emqx_cluster_link_mqtt:msg:m-gcp2", "other"),
                          alarm("high_memory", "x"),
                      ]
                    : [alarm("emqx_cluster_link_mqtt:msg:m-gcp", "earlier")],
        };
        expect((await gatherEnd(client, about)).alarms).toEqual({
            read: true,
            value: [
                { name: "emqx_cluster_link_mqtt:msg:m-gcp", message: "down", active: true },
                { name: "emqx_cluster_link_mqtt:msg:m-gcp", message: "earlier", active: false },
            ],
        });
    });

    it("asks for no user where none is named or no built-in database is in use", async () => {
        const asked: string[] = [];
        const client: EmqxClientLike = {
            ...silent,
            listAuthenticators: async () => [
                { id: "jwt", enable: true },
                { id: "password_based:built_in_database", enable: false },
            ],
            getUser: async (name) => {
                asked.push(name);
                return undefined;
            },
        };
        expect((await gatherEnd(client, about)).peerUser).toEqual({ read: true, value: undefined });
        const { linkUserOfPeer: _user, ...nobody } = about;
        const facts = await gatherEnd({ ...client, listAuthenticators: refused }, nobody);
        expect(facts.peerUser).toEqual({ read: true, value: undefined });
        expect(facts.peerRules).toEqual({ read: true, value: undefined });
        expect(asked).toEqual([]);
        expect((await gatherEnd({ ...client, listAuthenticators: refused }, about)).peerUser).toEqual({
            read: true,
            value: { exists: false, superuser: false },
        });
        expect(asked).toEqual(["link-m-gcp"]);
    });
});

describe("over HTTP", () => {
    let broker: FakeEmqx;
    let client: EmqxClient;
    beforeEach(async () => {
        broker = await FakeEmqx.start("m-aws");
        client = new EmqxClient(broker.api, { attempts: 1, requestSeconds: 5, name: "aws" });
    });
    afterEach(async () => {
        client.close();
        await broker.stop();
    });

    it("reads the link, the user, the rules and the sources", async () => {
        const spec = linkSpec({
            name: "m-gcp",
            server: "gcp.example.com:8884",
            clientIdPrefix: "m-aws-",
            username: "link-m-aws",
            password: "pw-that-nobody-sees",
            topics: ["fleet/#"],
        });
        await client.createLink(toRequest(spec));
        await client.addUser({ username: "link-m-gcp", password: "pw-of-gcp" });
        await client.putUserRules("link-m-gcp", linkAclRules("m-gcp"));
        const facts = await gatherEnd(client, about);
        expect(facts.identity).toEqual({ read: true, value: { version: "e5.10.3", clusterName: "m-aws" } });
        expect(facts.links).toMatchObject({
            read: true,
            value: [{ name: "m-gcp", clientId: "m-aws-", hasPassword: true, status: "connected" }],
        });
        expect(facts.peerUser).toEqual({ read: true, value: { exists: true, superuser: false } });
        expect(facts.peerRules).toMatchObject({ read: true, value: linkAclRules("m-gcp") });
        expect(facts.noMatch).toEqual({ read: true, value: "deny" });
        expect(broker.writes).toHaveLength(3);
        expect(JSON.stringify(facts)).not.toMatch(/pw-that-nobody-sees|pw-of-gcp/);
    });

    it("says what a wrong key means, without the key's secret", async () => {
        const stranger = new EmqxClient({ ...broker.api, secret: "wr0ng-secret" }, { attempts: 1, name: "aws" });
        const facts = await gatherEnd(stranger, about);
        stranger.close();
        const [api] = diagnosePair(facts, facts);
        expect(api).toMatchObject({ id: "api", level: "unknown", cause: expect.stringContaining("BAD_API_KEY_OR_SECRET") });
        expect(JSON.stringify(facts)).not.toContain("wr0ng-secret");
    });
});
