import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { api, linkPassword, localBrokers, type TestSite, type TestSites, until } from "../../test/support/localBroker.js";
import { linkAclRules } from "./acl.js";
import { EmqxClient } from "./client.js";
import { diagnosePair, type Finding, likelyCause } from "./diagnosis.js";
import { gatherEnd } from "./gatherEnd.js";
import { diffLink, type LinkSpec, type LinkSpecInput, linkSpec, toRequest } from "./linkSpec.js";

/** One broker with its client. */
interface Side {
    readonly site: TestSite;
    readonly client: EmqxClient;
}

let brokers: TestSites<"a" | "b">;
let a: Side;
let b: Side;

beforeAll(async () => {
    brokers = await localBrokers(["a", "b"]);
    a = sideOf(brokers.sites.a);
    b = sideOf(brokers.sites.b);
});

afterAll(async () => {
    a.client.close();
    b.client.close();
    await brokers.close();
});

function sideOf(site: TestSite): Side {
    const endpoint = { url: `https://127.0.0.1:${site.ports.api}`, key: api.key, secret: api.secret, ca: site.authority.ca };
    return { site, client: new EmqxClient(endpoint, { attempts: 1, name: site.name }) };
}

function specFor(own: Side, peer: Side, more: Partial<LinkSpecInput> = {}): LinkSpec {
    const { ca } = own.site.authority;
    return linkSpec({
        name: peer.site.clusterName,
        server: `${peer.site.linkHost}:8884`,
        clientIdPrefix: `${own.site.clusterName}-`,
        username: `link-${own.site.clusterName}`,
        password: linkPassword(own.site.name),
        topics: ["x/#", "a/+"],
        tls: { enable: true, ca, ...own.site.linkCertificate },
        ...more,
    });
}

async function link(own: Side, peer: Side, more: Partial<LinkSpecInput> = {}): Promise<LinkSpec> {
    const spec = specFor(own, peer, more);
    await own.client.createLink(toRequest(spec));
    return spec;
}

async function diagnose(): Promise<Finding[]> {
    const facts = (own: Side, peer: Side) =>
        gatherEnd(own.client, {
            site: own.site.name,
            clusterName: own.site.clusterName,
            linkName: peer.site.clusterName,
            linkUserOfPeer: `link-${peer.site.clusterName}`,
            clientIdPrefix: `${own.site.clusterName}-`,
        });
    return diagnosePair(await facts(a, b), await facts(b, a));
}

/** Findings that are not in order, as soon as one with this id is among them. */
async function found(id: string, site: string): Promise<Finding[]> {
    let wrong: Finding[] = [];
    await until(
        async () => {
            wrong = (await diagnose()).filter(({ level }) => level === "fail" || level === "unknown");
            return wrong.some((one) => one.id === id && one.site === site);
        },
        `${id} at ${site}`,
        10_000,
    );
    return wrong;
}

async function connected(): Promise<void> {
    await until(
        async () => (await a.site.linkStatus(b.site)) === "connected" && (await b.site.linkStatus(a.site)) === "connected",
        "both links",
    );
}

describe("two linked brokers", () => {
    beforeEach(async () => {
        for (const [own, peer] of [
            [a, b],
            [b, a],
        ] as const) {
            await own.client.putUserRules(`link-${peer.site.clusterName}`, linkAclRules(peer.site.clusterName));
        }
    });
    afterEach(async () => {
        await Promise.all([a.client.deleteLink(b.site.clusterName), b.client.deleteLink(a.site.clusterName)]);
    });

    it("show no difference from what was written, and nothing wrong", async () => {
        const [onA, onB] = [await link(a, b), await link(b, a)];
        await connected();
        for (const [side, spec] of [
            [a, onA],
            [b, onB],
        ] as const) {
            const remote = await side.client.getLink(spec.name);
            expect(remote && diffLink(spec, remote)).toEqual([]);
        }
        const findings = await diagnose();
        expect(findings.filter(({ level }) => level !== "ok")).toEqual([]);
        expect(findings.filter(({ id }) => id === "link-status" || id === "acl")).toHaveLength(4);
    });

    it("show what was changed by hand, key by key", async () => {
        const spec = await link(a, b);
        const change = { topics: ["a/+"], poolSize: 2, retryInterval: "3s" };
        await a.client.updateLink(spec.name, toRequest(specFor(a, b, change)));
        const remote = await a.client.getLink(spec.name);
        expect(remote && diffLink(spec, remote)).toEqual(["topics", "poolSize", "retryInterval"]);
    });

    it("F43: name the side that has the link disabled", async () => {
        await link(a, b);
        await link(b, a, { enable: false });
        const wrong = await found("link-disabled", "b");
        expect(wrong.map(({ id }) => id)).toEqual(["link-disabled"]);
        expect(likelyCause(wrong)).toMatch(/is disabled \(b\): .*cluster_link_disabled/);
    });

    it("name the side that has no link", async () => {
        await link(a, b);
        expect(likelyCause(await found("link-missing", "b"))).toMatch(/no link named lab-a \(b\): .*unknown_cluster/);
    });

    it("F20: name a wrong password and never show it", async () => {
        await link(a, b, { password: "wrong-pass-word" });
        await link(b, a);
        const wrong = await found("authentication", "a");
        expect(likelyCause(wrong)).toMatch(/is (?:dis)?connect\w+ \(a\): The remote refuses the link's user or password/);
        expect(JSON.stringify(await diagnose())).not.toContain("wrong-pass-word");
    });

    it("F20: name a missing client certificate", async () => {
        await link(a, b, { tls: { enable: true, ca: a.site.authority.ca } });
        await link(b, a);
        expect((await found("tls", "a")).map(({ cause }) => cause)).toEqual([expect.stringMatching(/certificate/)]);
    });

    it("F20: name a certificate for another name", async () => {
        await link(a, b, {
            tls: { enable: true, ca: a.site.authority.ca, ...a.site.linkCertificate, serverName: "other.example.com" },
        });
        await link(b, a);
        expect((await found("tls", "a")).map(({ cause }) => cause)).toEqual([expect.stringMatching(/another name/)]);
    });

    it("F19: name the rule that stops messages", async () => {
        await b.client.putUserRules("link-lab-a", [
            { topic: "$LINK/cluster/msg/+", permission: "deny", action: "publish" },
            ...linkAclRules("lab-a"),
        ]);
        await link(a, b);
        await link(b, a);
        await connected();
        expect(likelyCause(await found("acl", "b"))).toMatch(
            /the user link-lab-a may not publish \$LINK\/cluster\/msg\/lab-a \(b\)/,
        );
    });
});
