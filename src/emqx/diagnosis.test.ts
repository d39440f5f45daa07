import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linkAclRules } from "./acl.js";
import type { ClientInfo, LinkMetrics, RemoteLink } from "./answers.js";
import { diagnosePair, type Finding, likelyCause } from "./diagnosis.js";
import type { EndFacts, Reading } from "./endFacts.js";

const read = <T>(value: T): Reading<T> => ({ read: true, value });
const unread: Reading<never> = { read: false, reason: "ETIMEDOUT no answer within 5 s", todo: "Check the firewall." };
const quiet: LinkMetrics = { routes: 2, matched: 9, success: 9, failed: 0, dropped: 0, retried: 0, queuing: 0, inflight: 0 };

const connection = (peer: string, more: Partial<ClientInfo> = {}): ClientInfo => ({
    clientId: `m-${peer}-:routesync:0a1b2c3d`,
    username: `link-m-${peer}`,
    connected: true,
    ...more,
});

const link = (own: string, peer: string, more: Partial<RemoteLink> = {}): RemoteLink => ({
    name: `m-${peer}`,
    server: `${peer}.example.com:8884`,
    clientId: `m-${own}-`,
    username: `link-m-${own}`,
    hasPassword: true,
    topics: ["fleet/#"],
    enable: true,
    resourceOptions: {},
    ssl: { enable: true },
    status: "connected",
    nodeStatus: [{ node: `${own}@127.0.0.1`, status: "connected" }],
    raw: {},
    ...more,
});

/** One end of a pair in which everything is as it should be. */
function end(own: string, peer: string, more: Partial<EndFacts> = {}): EndFacts {
    return {
        site: own,
        clusterName: `m-${own}`,
        linkName: `m-${peer}`,
        linkUserOfPeer: `link-m-${peer}`,
        clientIdPrefix: `m-${own}-`,
        identity: read({ version: "e5.10.3", clusterName: `m-${own}` }),
        nodes: read([{ node: `${own}@127.0.0.1`, running: true }]),
        license: read({ type: "community", expired: false }),
        links: read([link(own, peer)]),
        counters: read(quiet),
        alarms: read([]),
        peerUser: read({ exists: true, superuser: false }),
        authenticators: read(["password_based:built_in_database"]),
        sources: read([{ type: "built_in_database", enable: true }]),
        noMatch: read("deny"),
        peerRules: read(linkAclRules(`m-${peer}`)),
        connections: read([connection(peer)]),
        ...more,
    };
}

const aws = (more: Partial<EndFacts> = {}) => end("aws", "gcp", more);
const gcp = (more: Partial<EndFacts> = {}) => end("gcp", "aws", more);
const linkOfAws = (more: Partial<RemoteLink>) => aws({ links: read([link("aws", "gcp", more)]) });
const bad = (findings: readonly Finding[]) =>
    findings.filter(({ level }) => level !== "ok").map(({ id, level, site }) => `${site} ${id} ${level}`);
const alarm = (message: string) => read([{ name: "emqx_cluster_link_mqtt:msg:m-gcp", message, active: true }]);

describe("a pair in order", () => {
    const findings = diagnosePair(aws(), gcp());

    it("has nothing but ok, on both sides and for every check", () => {
        expect(bad(findings)).toEqual([]);
        for (const site of ["aws", "gcp"]) {
            expect(findings.filter((one) => one.site === site).map(({ id }) => id)).toEqual(
                expect.arrayContaining([
                    "api",
                    "version",
                    "license",
                    "nodes",
                    "cluster-name",
                    "link-status",
                    "topics",
                    "routes",
                    "buffers",
                    "authentication",
                    "acl",
                    "stranger-acl",
                    "client-id-clash",
                ]),
            );
        }
        expect(likelyCause(findings)).toBeUndefined();
    });

    it("may be linked one way", () => {
        const oneWay = linkOfAws({ topics: [] });
        expect(bad(diagnosePair(oneWay, gcp({ counters: read({ ...quiet, routes: 0 }) })))).toEqual([]);
    });
});

describe("what is wrong", () => {
    const cases: readonly (readonly [string, EndFacts, EndFacts, readonly string[], RegExp])[] = [
        [
            "an API that does not answer",
            aws(),
            gcp({
                identity: unread,
                nodes: unread,
                license: unread,
                links: unread,
                counters: unread,
                alarms: unread,
                peerUser: unread,
                authenticators: unread,
                sources: unread,
                noMatch: unread,
                peerRules: unread,
                connections: unread,
            }),
            ["gcp api unknown"],
            /REST API cannot be read \(gcp\): ETIMEDOUT/,
        ],
        [
            "links that cannot be read",
            aws({ links: unread }),
            gcp(),
            ["aws link-app-down unknown"],
            /links cannot be read \(aws\)/,
        ],
        [
            "a release with broken TLS",
            aws({ identity: read({ version: "e6.2.1", clusterName: "m-aws" }) }),
            gcp(),
            ["aws version fail", "gcp version warn"],
            /EMQX 6\.2\.1 \(aws\): .*TLS/,
        ],
        [
            "a release of another major version",
            aws({ identity: read({ version: "e6.0.0", clusterName: "m-aws" }) }),
            gcp(),
            ["aws version warn", "gcp version warn"],
            /^$/,
        ],
        [
            "a licence without links",
            aws({ identity: read({ version: "e6.2.2", clusterName: "m-aws" }) }),
            gcp({
                identity: read({ version: "e6.2.2", clusterName: "m-gcp" }),
                license: read({ type: "official", expired: false }),
            }),
            ["aws version warn", "aws license fail", "gcp version warn"],
            /licence allows no cluster links \(aws\)/,
        ],
        [
            "an expired licence",
            aws({ license: read({ type: "official", expired: true }) }),
            gcp(),
            ["aws license fail"],
            /licence \(official\) has expired/,
        ],
        [
            "a stopped node",
            aws({
                nodes: read([
                    { node: "n1", running: false },
                    { node: "n2", running: true },
                ]),
            }),
            gcp(),
            ["aws nodes warn"],
            /n1 not running \(aws\)/,
        ],
        [
            "another name of the cluster",
            aws(),
            gcp({ identity: read({ version: "e5.10.3", clusterName: "elsewhere" }) }),
            ["gcp cluster-name fail"],
            /cluster\.name is elsewhere, not m-gcp \(gcp\): .*bad_remote_cluster_link_name/,
        ],
        [
            "equal names",
            aws({ identity: read({ version: "e5.10.3", clusterName: "emqxcl" }) }),
            gcp({ identity: read({ version: "e5.10.3", clusterName: "emqxcl" }) }),
            ["aws cluster-name fail", "gcp cluster-name fail", "gcp equal-names fail"],
            /aws and gcp are both named emqxcl/,
        ],
        [
            "a missing link",
            aws(),
            gcp({ links: read([]) }),
            ["gcp link-missing fail"],
            /no link named m-aws \(gcp\): .*unknown_cluster/,
        ],
        [
            "a disabled link",
            linkOfAws({ enable: false, status: "disconnected", nodeStatus: [] }),
            gcp(),
            ["aws link-disabled fail"],
            /m-gcp is disabled \(aws\): .*cluster_link_disabled/,
        ],
        [
            "a disabled link as the list of 5.10.3 shows it",
            linkOfAws({ enable: false, status: "inconsistent", nodeStatus: [] }),
            gcp(),
            ["aws link-disabled fail"],
            /disabled/,
        ],
        [
            "two hosts in server",
            linkOfAws({ server: "a:1,b:1", status: "inconsistent", nodeStatus: [] }),
            gcp(),
            ["aws link-app-down fail", "aws link-status fail"],
            /linking has stopped on this broker \(aws\): .*more than one host/,
        ],
        [
            "a link without state",
            linkOfAws({ status: "inconsistent", nodeStatus: [] }),
            gcp(),
            ["aws link-app-down fail", "aws link-status fail"],
            /linking has stopped/,
        ],
        [
            "topics on neither side",
            linkOfAws({ topics: [] }),
            gcp({ links: read([link("gcp", "aws", { topics: [] })]) }),
            ["aws topics fail", "gcp topics fail"],
            /neither aws nor gcp receives/,
        ],
        [
            "one node without connection",
            linkOfAws({
                nodeStatus: [
                    { node: "n1", status: "connected" },
                    { node: "n2", status: "connecting" },
                ],
            }),
            gcp(),
            ["aws link-status warn"],
            /not connected on n2/,
        ],
        [
            "nodes that disagree",
            linkOfAws({
                status: "inconsistent",
                nodeStatus: [
                    { node: "n1", status: "disconnected" },
                    { node: "n2", status: "connected" },
                ],
            }),
            gcp(),
            ["aws link-status warn"],
            /not connected on n1 \(aws\): .*does not cross/,
        ],
        [
            "nodes that are all down in different ways",
            linkOfAws({
                status: "inconsistent",
                nodeStatus: [
                    { node: "n1", status: "disconnected" },
                    { node: "n2", status: "connecting" },
                ],
            }),
            gcp(),
            ["aws link-status fail"],
            /is inconsistent \(aws\)/,
        ],
        [
            "a user that is gone",
            aws({ peerUser: read({ exists: false, superuser: false }) }),
            gcp(),
            ["aws authentication fail"],
            /no user link-m-gcp \(aws\)/,
        ],
        ["a cleared password", linkOfAws({ hasPassword: false }), gcp(), ["aws authentication fail"], /has no password \(aws\)/],
        [
            "rules without $LINK",
            aws({ peerRules: read([{ topic: "#", permission: "allow", action: "all" }]) }),
            gcp(),
            ["aws acl fail"],
            /may not publish \$LINK\/cluster\/route\/m-gcp.* \(aws\)/,
        ],
        [
            "a rule against messages",
            aws({
                peerRules: read([
                    { topic: "$LINK/cluster/msg/+", permission: "deny", action: "publish" },
                    ...linkAclRules("m-gcp"),
                ]),
            }),
            gcp(),
            ["aws acl fail"],
            /may not publish \$LINK\/cluster\/msg\/m-gcp \(aws\)/,
        ],
        ["a superuser", aws({ peerUser: read({ exists: true, superuser: true }) }), gcp(), ["aws acl warn"], /^$/],
        ["rules that are not shown", aws({ sources: read([{ type: "http", enable: true }]) }), gcp(), ["aws acl warn"], /^$/],
        ["open $LINK topics", aws({ noMatch: read("allow") }), gcp(), ["aws stranger-acl warn"], /^$/],
        [
            "a broker without passwords",
            aws({ authenticators: read([]), peerUser: read(undefined) }),
            gcp(),
            ["aws stranger-acl warn"],
            /^$/,
        ],
        [
            "lost messages",
            aws({ counters: read({ ...quiet, dropped: 3, failed: 4 }) }),
            gcp(),
            ["aws buffers warn"],
            /7 messages to gcp were lost .*\(aws\): 3 dropped.*4 failed/,
        ],
        [
            "somebody else with the same ids",
            aws({ connections: read([connection("gcp"), connection("gcp", { username: "thief" })]) }),
            gcp(),
            ["aws client-id-clash fail"],
            /others connect with gcp's client ids.*thief/,
        ],
        [
            "a second installation",
            aws({ connections: read([connection("gcp"), connection("gcp")]) }),
            gcp(),
            ["aws client-id-clash fail"],
            /more clusters than gcp.*2 route connections.*1 nodes/,
        ],
        [
            "prefixes that begin alike",
            aws({ connections: read([connection("gcp"), connection("gcp-2", { clientId: "m-gcp-2-:routesync:ff" })]) }),
            gcp(),
            ["aws client-id-clash warn"],
            /^$/,
        ],
    ];
    it.each(cases)("%s", (_what, a, b, expected, cause) => {
        const findings = diagnosePair(a, b);
        expect(bad(findings)).toEqual(expected);
        expect(likelyCause(findings) ?? "").toMatch(cause);
        // The same holds whichever side comes first.
        expect(bad(diagnosePair(b, a)).toSorted()).toHaveLength(expected.length);
        for (const { level, cause: why, title } of findings) {
            expect(title).not.toBe("");
            expect(level === "fail" && why === undefined).toBe(false);
        }
    });

    it("does not count connections that are gone", () => {
        const facts = aws({ connections: read([connection("gcp"), connection("gcp", { connected: false })]) });
        expect(bad(diagnosePair(facts, gcp()))).toEqual([]);
    });

    it("says why no route may be known when nothing else is wrong", () => {
        const findings = diagnosePair(aws({ counters: read({ ...quiet, routes: 0 }) }), gcp());
        expect(bad(findings)).toEqual([]);
        expect(likelyCause(findings)).toMatch(/knows no route of gcp \(aws\): Nobody at gcp subscribes to fleet\/#/);
    });
});

describe("a link that is down", () => {
    const down = (message: string) => ({ ...linkOfAws({ status: "disconnected" }), alarms: alarm(message) });
    const cases: readonly (readonly [string, string, RegExp])[] = [
        ["resource down: Connection refused", "link-status", /Nothing listens/],
        ["resource down: timeout", "link-status", /firewall/],
        ["resource down: nxdomain", "link-status", /cannot resolve/],
        ["resource down: closed", "link-status", /TLS listener behind a link without TLS/],
        ['resource down: {ssl_error,{tls_alert,{certificate_required,"…"}}}', "tls", /asks for a client certificate/],
        ['resource down: {tls_alert,{certificate_expired,"…"}}', "tls", /expired/],
        ['resource down: {tls_alert,{handshake_failure,"{bad_cert,hostname_check_failed}"}}', "tls", /another name/],
        ['resource down: {tls_alert,{unknown_ca,"…"}}', "tls", /does not know the authority/],
        ['resource down: {tls_alert,{bad_certificate,"…"}}', "tls", /refuses the other's certificate/],
        ["resource down: {ssl_error,closed}", "tls", /TLS handshake fails/],
        ["resource down: {bad_username_or_password,#{}}", "authentication", /user or password/],
        ["resource down: {unauthorized_client,#{}}", "authentication", /not in/],
        ["resource down: disconnected, session_taken_over", "client-id-clash", /same client ids/],
    ];
    it.each(cases)("%s", (message, id, cause) => {
        const findings = diagnosePair(down(message), gcp());
        expect(findings.filter(({ level }) => level === "fail")).toEqual([
            {
                id,
                level: "fail",
                site: "aws",
                title: "the link m-gcp is disconnected",
                cause: expect.stringMatching(cause),
                fix: expect.stringContaining("gcp.example.com:8884"),
            },
        ]);
        expect(likelyCause(findings)).toMatch(cause);
    });

    it("shows an alarm that nobody knows, short and in one line, and no PEM text", () => {
        const pem = `-----BEGIN PRIVATE KEY-----\n${"QUJD".repeat(20)}\n-----END PRIVATE KEY-----`;
        const said = likelyCause(diagnosePair(down(`resource down: odd\n${pem} ${"x".repeat(400)}`), gcp())) ?? "";
        expect(said).toMatch(/EMQX says: resource down: odd … x+…$/);
        expect(said).not.toContain("QUJD");
        expect(said.length).toBeLessThan(300);
    });

    it("says so when there is no alarm", () => {
        expect(likelyCause(diagnosePair(linkOfAws({ status: "connecting" }), gcp()))).toMatch(
            /is connecting \(aws\): .*no alarm/,
        );
    });

    it("lets a standing alarm speak before a past one", () => {
        const alarms = read([
            { name: "x", message: "resource down: timeout", active: true },
            { name: "x", message: "resource down: {tls_alert,{unknown_ca,1}}", active: false },
        ]);
        const findings = diagnosePair({ ...linkOfAws({ status: "disconnected" }), alarms }, gcp());
        expect(bad(findings)).toEqual(["aws link-status fail"]);
        expect(likelyCause(findings)).toMatch(/firewall.*EMQX says: resource down: timeout/);
    });

    it("lets a standing alarm that nobody knows speak before a past one", () => {
        const alarms = read([
            { name: "x", message: "resource down: something new", active: true },
            { name: "x", message: "resource down: timeout", active: false },
        ]);
        const said = likelyCause(diagnosePair({ ...linkOfAws({ status: "disconnected" }), alarms }, gcp()));
        expect(said).toMatch(/EMQX says: resource down: something new$/);
    });

    it("takes a past alarm for a hint only", () => {
        const alarms = read([{ name: "x", message: "resource down: {tls_alert,{unknown_ca,1}}", active: false }]);
        expect(bad(diagnosePair({ ...linkOfAws({ status: "disconnected" }), alarms }, gcp()))).toEqual(["aws link-status fail"]);
    });

    it("marks what a past alarm said", () => {
        const facts = {
            ...linkOfAws({ status: "disconnected" }),
            alarms: read([{ name: "x", message: "resource down: timeout", active: false }]),
        };
        expect(likelyCause(diagnosePair(facts, gcp()))).toMatch(
            /is disconnected \(aws\): EMQX's last alarm said: resource down: timeout/,
        );
    });
});

describe("the likely cause", () => {
    const finding = fc.record<Finding>({
        id: fc.constantFrom("api", "acl", "link-missing", "buffers", "stranger-acl", "new-check"),
        level: fc.constantFrom("ok", "warn", "fail", "unknown"),
        site: fc.constantFrom("aws", "gcp"),
        title: fc.constantFrom("this", "that"),
    });

    it("is a failure wherever there is one, and nothing where all is ok", () => {
        fc.assert(
            fc.property(fc.array(finding), (findings) => {
                const cause = likelyCause(findings);
                const fails = findings.filter(({ level }) => level === "fail").map(({ title, site }) => `${title} (${site})`);
                if (fails.length > 0) {
                    expect(fails).toContain(cause);
                } else if (findings.every(({ level }) => level === "ok")) {
                    expect(cause).toBeUndefined();
                }
            }),
        );
    });

    it("prefers what explains the rest", () => {
        const fail = (id: string): Finding => ({ id, level: "fail", site: "aws", title: id });
        expect(likelyCause([fail("link-status"), fail("new-check"), fail("acl"), fail("link-app-down")])).toBe(
            "link-app-down (aws)",
        );
        expect(likelyCause([fail("new-check"), fail("link-status")])).toBe("link-status (aws)");
    });
});
