import { afterEach, describe, expect, test } from "vitest";
import { linkAll, linkPassword, localBrokers, type TestSite, type TestSites, until } from "../../support/localBroker.js";
import { NumberedTraffic } from "../../support/numberedTraffic.js";
import { Relay } from "../../support/relay.js";
import { testAuthority } from "../../support/testCertificates.js";

let open: TestSites<string> | undefined;
const relays: Relay[] = [];
let events: { event: string; detail: Record<string, unknown> }[] = [];

async function pair(options: Parameters<typeof localBrokers>[1] = {}) {
    const made = await localBrokers(["a", "b"], {
        ...options,
        log: (event, detail = {}) => events.push({ event, detail }),
    });
    open = made;
    return made.sites;
}

/** Leads a site's link to its peer through a relay. */
async function _relayed(site: TestSite, peer: TestSite): Promise<Relay> {
    const relay = await Relay.open(peer.ports.links);
    relays.push(relay);
    site.nameTo(peer, relay.port);
    return relay;
}

const logged = (event: string, reason: string | RegExp) =>
    events.some(
        (entry) =>
            entry.event === event &&
            (typeof reason === "string" ? entry.detail.reason === reason : reason.test(String(entry.detail.reason))),
    );

afterEach(async () => {
    await open?.close();
    await Promise.all(relays.splice(0).map((relay) => relay.close()));
    open = undefined;
    events = [];
});

const _seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1000));

describe("identity and rights", () => {
    test.each(["ignore", "disconnect"] as const)(
        "F19: a rule that denies the link's messages with %s makes them fail, not succeed",
        async (action) => {
            const { a, b } = await pair();
            await linkAll([a, b], ["x/#"]);
            const traffic = await NumberedTraffic.between(a, b, { topic: "x/f19", count: 20, rate: 0, drainMs: 800 });
            expect((await b.api("PUT", "/api/v5/authorization/settings", { deny_action: action })).status).toBe(200);
            const rule = { topic: "$LINK/cluster/msg/+", permission: "deny", action: "publish" };
            await b.api("POST", "/api/v5/authorization/sources/built_in_database/rules/users", [
                { username: "link-lab-a", rules: [rule] },
            ]);
            const counts = await traffic.start().finish(`F19 ${action}`);
            expect(counts).toMatchObject({ lost: 20, delivered: 0 });
            const { success, failed } = (await a.linkMetrics(b)).forwarding;
            expect(success).toBe(0);
            expect(failed).toBe(action === "ignore" ? 20 : 0);
            expect(events).toContainEqual({
                event: "cannot_publish_to_topic_due_to_not_authorized",
                detail: expect.objectContaining({ username: "link-lab-a", topic: "$LINK/cluster/msg/lab-a" }),
            });
        },
    );

    test("F20: every wrong identity is refused with its own reason, and none falls back", async () => {
        const { a, b } = await pair();
        await b.link(a, ["x/#"]);
        const stranger = await testAuthority("Another CA");
        const body = a.linkBody(b, ["x/#"]);
        const ssl = body.ssl as Record<string, unknown>;
        const foreign = await stranger.link("a.link.lab.internal");
        const expired = await a.authority.link("a.link.lab.internal", 10);
        const cases: [string, Record<string, unknown>, RegExp][] = [
            ["wrong password", { password: "wrong" }, /bad_username_or_password/],
            ["unknown CA here", { ssl: { ...ssl, cacertfile: stranger.ca } }, /unknown_ca/],
            ["another name", { ssl: { ...ssl, server_name_indication: "c.link.lab.internal" } }, /hostname_check_failed/],
            [
                "no client certificate",
                { ssl: { enable: true, verify: "verify_peer", cacertfile: a.authority.ca } },
                /certificate_required/,
            ],
            ["certificate of another CA", { ssl: { ...ssl, certfile: foreign.cert, keyfile: foreign.key } }, /unknown_ca/],
            [
                "expired client certificate",
                { ssl: { ...ssl, certfile: expired.cert, keyfile: expired.key } },
                /certificate_expired/,
            ],
        ];
        for (const [name, change, reason] of cases) {
            events = [];
            const settings: Record<string, unknown> = { ...body, ...change };
            if (name === "no client certificate") {
                (settings.ssl as Record<string, unknown>).server_name_indication = b.linkHost;
            }
            const answer = await a.api("POST", "/api/v5/cluster/links", settings);
            expect(answer.status, name).toBe(201);
            await until(
                () => logged("cluster_link_connection_down", reason),
                `${name}: ${reason} in ${JSON.stringify(events)}`,
                5000,
            );
            await until(async () => (await a.api("GET", "/api/v5/alarms")).body.data.length > 0, `${name}: alarm`);
            const [alarm] = (await a.api("GET", "/api/v5/alarms")).body.data;
            expect(alarm.message, name).toMatch(reason);
            expect(JSON.stringify([alarm, events]), name).not.toContain("PRIVATE KEY");
            expect(await a.linkStatus(b), name).not.toBe("connected");
            expect((await b.api("GET", "/api/v5/clients?like_clientid=lab-a-")).body.data, name).toEqual([]);
            expect((await a.api("DELETE", "/api/v5/cluster/links/link/lab-b")).status).toBe(204);
            process.stdout.write(`F20 ${name}: ${alarm.message}\n`);
        }
    });

    test("F20: an expired server certificate is refused by the dialling side", async () => {
        const { a, b } = await pair();
        const expired = await b.authority.link(b.linkHost, 10);
        b.broker.reload({ ...b.config, tls: { ...b.config.tls, linkCert: expired.cert, linkKey: expired.key } });
        await a.link(b, ["x/#"]);
        await until(() => logged("cluster_link_connection_down", /certificate_expired/), "reason");
        expect(await a.linkStatus(b)).toBe("disconnected");
    });

    test("the link door takes link users only, and the device door tells nobody's password from nobody's name", async () => {
        const { a, b } = await pair();
        const certificate = {
            cert: a.linkCertificate.cert,
            key: a.linkCertificate.key,
            port: b.ports.links,
            servername: b.linkHost,
        };
        await expect(b.connect({ ...certificate, reconnectPeriod: 0 })).rejects.toThrow(/Not authorized/i);
        await expect(b.connect({ port: b.ports.links, servername: b.linkHost, reconnectPeriod: 0 })).rejects.toThrow();
        const wrongName = b.connect({ username: "nobody", reconnectPeriod: 0 });
        await expect(wrongName).rejects.toThrow(/Bad username or password/i);
        await expect(b.connect({ password: "wrong", reconnectPeriod: 0 })).rejects.toThrow(/Bad username or password/i);
        expect(b.broker.engine.counters.refusedLogin).toBe(3);
    });

    test("F21: certificates and the link's password change under traffic without loss", async () => {
        const { a, b } = await pair();
        await linkAll([a, b], ["x/#"]);
        const traffic = await NumberedTraffic.between(a, b, { topic: "x/f21", count: 1500, rate: 500 });
        traffic.start();
        const server = await b.authority.link(b.linkHost);
        b.broker.reload({ ...b.config, tls: { ...b.config.tls, linkCert: server.cert, linkKey: server.key } });
        const client = await a.authority.link(a.linkHost);
        const body = a.linkBody(b, ["x/#"]);
        delete body.name;
        const ssl = { ...(body.ssl as Record<string, unknown>), certfile: client.cert, keyfile: client.key };
        const users = "/api/v5/authentication/password_based:built_in_database/users/link-lab-a";
        expect((await b.api("PUT", users, { password: "the next one" })).status).toBe(200);
        const path = "/api/v5/cluster/links/link/lab-b";
        expect((await a.api("PUT", path, { ...body, ssl, password: "the next one" })).body.status).toBe("connected");
        expect(await traffic.finish("F21 rotation")).toMatchObject({ lost: 0, duplicated: 0, outOfOrder: 0 });
        expect((await a.api("PUT", path, { ...body, ssl, password: linkPassword("a") })).body.status).toBe("disconnected");
        expect((await a.api("PUT", path, { ...body, ssl, password: "the next one" })).body.status).toBe("connected");
        expect((await a.api("PUT", path, { ...body, ssl, password: "******" })).body.status).toBe("connected");
    });
});
