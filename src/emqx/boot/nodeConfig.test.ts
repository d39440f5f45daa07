import { describe, expect, it } from "vitest";
import { bootInput } from "../../../test/support/bootFixture.js";
import { type Access, decide, type RuleBook } from "../accessDecision.js";
import { linkAclRules, linkTopics } from "../acl.js";
import { parseAclFile } from "../aclFile.js";
import { bootItemNames, bootPaths, tlsPath } from "./bootItems.js";
import { aclText, nodeConfig, renderNodeConfig } from "./nodeConfig.js";

describe("a node's configuration", () => {
    it("is this text", () => {
        expect(renderNodeConfig(bootInput())).toMatchSnapshot();
    });

    it("is JSON, with the node's own values", () => {
        const read = JSON.parse(renderNodeConfig(bootInput({ sessionQueueMessages: 77 })));
        expect(read).toEqual(nodeConfig(bootInput({ sessionQueueMessages: 77 })));
        expect(read.node).toEqual({ name: "emqx@10.1.0.4", data_dir: "/var/lib/emqx" });
        expect(read.cluster.static.seeds).toEqual(["emqx@10.1.0.4", "emqx@10.1.1.4", "emqx@10.1.2.4"]);
        expect(read.mqtt.max_mqueue_len).toBe(77);
    });

    it("opens the doors with TLS to everybody, the plain API to the machine alone, and nothing else", () => {
        const { listeners, dashboard } = nodeConfig(bootInput());
        expect(listeners.ssl.default.bind).toBe("0.0.0.0:8883");
        expect(listeners.ssl.links.bind).toBe("0.0.0.0:8884");
        expect(dashboard.listeners.https.bind).toBe("0.0.0.0:18084");
        expect(dashboard.listeners.http.bind).toBe("127.0.0.1:18083");
        expect([listeners.tcp, listeners.ws, listeners.wss].map((kind) => kind.default.enable)).toEqual([false, false, false]);
        expect(Object.keys(listeners)).toEqual(["tcp", "ws", "wss", "ssl"]);
        expect(Object.keys(listeners.ssl)).toEqual(["default", "links"]);
    });

    it("demands a certificate of the mesh on the link door", () => {
        const { ssl } = nodeConfig(bootInput()).listeners;
        expect(ssl.links.ssl_options).toEqual({
            cacertfile: tlsPath("ca"),
            certfile: tlsPath("link-cert"),
            keyfile: tlsPath("link-key"),
            versions: ["tlsv1.3", "tlsv1.2"],
            verify: "verify_peer",
            fail_if_no_peer_cert: true,
        });
        expect(ssl.default.ssl_options.certfile).toBe(tlsPath("server-cert"));
    });

    it("asks the built-in database before the rule file, and denies what neither knows", () => {
        const { authorization } = nodeConfig(bootInput());
        expect(authorization.sources).toEqual([
            { type: "built_in_database", enable: true },
            { type: "file", enable: true, path: bootPaths.acl },
        ]);
        expect(authorization.no_match).toBe("deny");
    });

    it("leaves cookie, passwords and licence to EMQX's environment", () => {
        expect(renderNodeConfig(bootInput())).not.toMatch(/cookie|default_password|license/);
    });
});

describe("paths of items", () => {
    it("belong to items that exist", () => {
        for (const item of ["ca", "server-cert", "server-key", "link-cert", "link-key"] as const) {
            expect(bootItemNames).toContain(item);
            expect(tlsPath(item)).toBe(`/run/linkspan/tls/${item}.pem`);
        }
    });
});

describe("who may do what", () => {
    const peer = "fleet-prod-gcp";
    const { routes, messages, answers } = linkTopics(peer);
    const { authorization } = nodeConfig(bootInput());
    const book = (userRules?: RuleBook["userRules"]): RuleBook => ({
        sources: authorization.sources.map((source) => (source.type === "file" ? { ...source, rules: aclText } : source)),
        noMatch: authorization.no_match,
        userRules,
    });
    const device = (action: Access["action"], topic: string) => decide({ username: "device", action, topic }, book());
    const link = (action: Access["action"], topic: string) =>
        decide({ username: `link-${peer}`, action, topic }, book(linkAclRules(peer)));

    it("is said in a form that is understood", () => {
        expect(parseAclFile(aclText)).toMatchObject([
            { permission: "deny", action: "all", topics: [{ filter: "$LINK/#", exact: false }] },
            { permission: "deny", action: "subscribe", topics: [{ exact: false }, { exact: true }, { exact: true }] },
            { permission: "allow", action: "all" },
        ]);
    });

    it.each([
        ["publish", routes],
        ["publish", messages],
        ["publish", "$LINK/anything"],
        ["subscribe", answers],
        ["subscribe", "$LINK/#"],
        ["subscribe", "$LINK/+/msg/#"],
        ["subscribe", "$SYS/#"],
        ["subscribe", "$SYS/brokers"],
        ["subscribe", "#"],
        ["subscribe", "+/#"],
    ] as const)("denies a device to %s %s", (action, topic) => {
        expect(device(action, topic)).toBe("deny");
    });

    it.each([
        ["publish", "fleet/1/state"],
        ["subscribe", "fleet/#"],
        ["subscribe", "fleet/+/state"],
    ] as const)("allows a device to %s %s", (action, topic) => {
        expect(device(action, topic)).toBe("allow");
    });

    it.each([
        ["publish", routes],
        ["publish", messages],
        ["subscribe", answers],
        ["subscribe", answers.replace("+", "1")],
    ] as const)("allows a peer's link to %s %s", (action, topic) => {
        expect(link(action, topic)).toBe("allow");
    });

    it.each([
        ["publish", linkTopics("fleet-prod-azure").messages],
        ["publish", linkTopics("fleet-prod-azure").routes],
        ["subscribe", linkTopics("fleet-prod-azure").answers],
        ["subscribe", messages],
        ["subscribe", "$LINK/#"],
        ["publish", "fleet/1/state"],
        ["subscribe", "fleet/#"],
        ["subscribe", "#"],
    ] as const)("denies a peer's link to %s %s", (action, topic) => {
        expect(link(action, topic)).toBe("deny");
    });
});
