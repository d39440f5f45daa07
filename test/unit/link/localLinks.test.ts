import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AccessInputs, AccessOutputs } from "../../../src/link/linkAccessRules.js";
import type { LinkInputs, LinkOutputs } from "../../../src/link/linkInputs.js";
import { clusterLink, clusterPreflight, linkAccess } from "../../../src/provider.js";
import { api, localBrokers, type TestSite, type TestSites, until } from "../../support/localBroker.js";

let made: TestSites<"a" | "b">;
let sites: readonly [TestSite, TestSite];

beforeAll(async () => {
    made = await localBrokers(["a", "b"]);
    sites = [made.sites.a, made.sites.b];
});

afterAll(async () => {
    await made?.close();
});

const endpoint = (site: TestSite) => ({
    url: `https://127.0.0.1:${site.ports.api}`,
    key: api.key,
    secret: api.secret,
    ca: site.authority.ca,
});

/** What lets the links of `of` log in at `at`. */
function accessInputs(at: TestSite, of: TestSite, password = `secret of ${of.name}`): AccessInputs {
    return {
        api: endpoint(at),
        localCluster: at.clusterName,
        peer: of.clusterName,

        password,
        allowLoopback: true,
    };
}

/** The link on `on` that receives from `from`. */
function linkInputs(on: TestSite, from: TestSite, more: Partial<LinkInputs> = {}): LinkInputs {
    return {
        api: endpoint(on),
        localCluster: on.clusterName,
        name: from.clusterName,
        server: `${from.linkHost}:8884`,
        username: `link-${on.clusterName}`,
        password: `secret of ${on.name}`,
        topics: ["fleet/#"],
        tls: {
            enable: true,
            ca: on.authority.ca,
            cert: on.linkCertificate.cert,
            key: on.linkCertificate.key,
            serverName: from.linkHost,
        },
        allowLoopback: true,
        ...more,
    };
}

/** Publishes until a message of this text arrives on the other side. */
async function arrives(from: TestSite, to: TestSite, text: string): Promise<void> {
    const [publisher, subscriber] = await Promise.all([from.connect(), to.connect()]);
    let seen = false;
    subscriber.on("message", (_topic, payload) => {
        seen ||= payload.toString() === text;
    });
    await subscriber.subscribeAsync("fleet/test", { qos: 1 });
    await until(async () => {
        await publisher.publishAsync("fleet/test", text, { qos: 1 });
        return seen;
    }, `"${text}" from ${from.name} at ${to.name}`);
    await Promise.all([publisher.endAsync(), subscriber.endAsync()]);
}

describe("the providers against local brokers", () => {
    let accesses: AccessOutputs[];
    let links: LinkOutputs[];

    it("make a pair over which messages pass both ways", async () => {
        const [a, b] = sites;
        const preflight = await clusterPreflight.create({
            api: endpoint(a),
            expectedClusterName: a.clusterName,
            allowLoopback: true,
        });
        expect(preflight.outs).toMatchObject({ version: "5.10.3", nodes: 1 });
        accesses = (await Promise.all([linkAccess.create(accessInputs(a, b)), linkAccess.create(accessInputs(b, a))])).map(
            ({ outs }) => outs,
        );
        links = (await Promise.all([clusterLink.create(linkInputs(a, b)), clusterLink.create(linkInputs(b, a))])).map(
            ({ outs }) => outs,
        );
        await arrives(a, b, "from a to b");
        await arrives(b, a, "from b to a");
    });

    it("show no change after a refresh (F37)", async () => {
        const [a, b] = sites;
        for (const [outs, inputs] of [
            [links[0], linkInputs(a, b)],
            [links[1], linkInputs(b, a)],
        ] as const) {
            const found = await clusterLink.read?.("id", outs);
            expect(found?.props).toEqual(outs);
            expect(await clusterLink.diff?.("id", found?.props, inputs)).toEqual({ changes: false });
        }
        for (const outs of accesses) {
            expect((await linkAccess.read?.("id", outs))?.props).toEqual(outs);
        }
    });

    it("change topics in place, and rotate the password of a link", async () => {
        const [a, b] = sites;
        const topics = linkInputs(a, b, { topics: ["fleet/#", "more/+"] });
        const changed = (await clusterLink.update?.("id", links[0], topics))?.outs as LinkOutputs;
        expect(changed).toMatchObject({ args: { topics: ["fleet/#", "more/+"] } });
        await linkAccess.update?.("id", accesses[1], accessInputs(b, a, "rotated"));
        links[0] = (await clusterLink.update?.("id", changed, linkInputs(a, b, { password: "rotated" })))?.outs as LinkOutputs;
        await arrives(b, a, "after the rotation");
    });

    it("are removed, eight times at once, and leave nothing", async () => {
        const [a, b] = sites;
        await Promise.all(Array.from({ length: 8 }, (_, index) => clusterLink.delete?.("id", links[index % 2])));
        await Promise.all(accesses.map((outs) => linkAccess.delete?.("id", outs)));
        for (const site of [a, b]) {
            expect((await site.api("GET", "/api/v5/cluster/links")).body).toEqual([]);
            const users = await site.api(
                "GET",
                "/api/v5/authentication/password_based:built_in_database/users?like_user_id=link-",
            );
            expect(users.body.data).toEqual([]);
        }
        expect(await clusterLink.read?.("id", links[0])).toEqual({});
    });
});
