import { describe, expect, it } from "vitest";
import { type Access, type Decision, decide, type RuleBook } from "./accessDecision.js";
import { type AuthzRule, linkAclRules, linkTopics } from "./acl.js";
import { parseAclFile } from "./aclFile.js";
import type { AuthorizationSource } from "./answers.js";

/** The rules that EMQX ships, shortened; its last rule lets everybody do everything. */
const shipped = `%%-------------- Default ACL rules ----

{allow, {username, {re, "^dashboard$"}}, subscribe, ["$SYS/#"]}.

{allow, {ipaddr, "127.0.0.1"}, all, ["$SYS/#", "#"]}.

{deny, all, subscribe, ["$SYS/#", {eq, "#"}, {eq, "+/#"}]}.

{allow, all}.
%% NOTE! when deploy in production: change the last rule
`;

/** Rules of a broker that is closed but for one peer. */
const closed = `
{allow, {username, "link-A"}, publish, ["$LINK/cluster/route/A", "$LINK/cluster/msg/A"]}.
{allow, {user, <<"link-A">>}, subscribe, ["$LINK/cluster/resp/A/+"]}.
{deny, {username, "link-A"}}.
{deny, all, all, ["$LINK/#"]}.
{allow, all}.
`;

const file = (rules: string): AuthorizationSource => ({ type: "file", enable: true, rules });
const database: AuthorizationSource = { type: "built_in_database", enable: true };
const { routes, messages, answers } = linkTopics("A");
const stranger = (action: Access["action"], topic: string): Access => ({ action, topic });
const user = (action: Access["action"], topic: string, username = "link-A"): Access => ({ username, action, topic });

describe("rule files", () => {
    it("reads what EMQX ships", () => {
        const rules = parseAclFile(shipped);
        expect(rules?.map(({ permission, action, topics }) => [permission, action, topics?.length])).toEqual([
            ["allow", "subscribe", 1],
            ["allow", "all", 2],
            ["deny", "subscribe", 3],
            ["allow", "all", undefined],
        ]);
        expect(rules?.[2]?.topics?.[1]).toEqual({ filter: "#", exact: true });
    });

    it("reads comments, line breaks, quoted atoms, escapes, binaries and actions with conditions", () => {
        const rules = parseAclFile(
            `% {deny, all}.\n{'allow', {'and',[{user,"a\\"b"},{clientid, <<"c">>}]},\n {publish, [{qos, 1}]}, ["x"]}.`,
        );
        expect(rules).toHaveLength(1);
        expect(rules?.[0]).toMatchObject({ permission: "allow", action: "publish", topics: [{ filter: "x", exact: false }] });
    });

    it("is empty for a file without rules", () => {
        expect(parseAclFile("%% nothing\n")).toEqual([]);
    });

    it.each([
        "{allow, all}",
        "allow.",
        "{maybe, all}.",
        '{allow, all, eat, ["a"]}.',
        "{allow, all, publish}.",
        "{allow, all, publish, [x]}.",
        '{allow, all, publish, ["a}.',
        "{allow, all,",
    ])("claims nothing about %j", (text) => {
        expect(parseAclFile(text)).toBeUndefined();
    });
});

describe("decisions", () => {
    const cases: readonly (readonly [string, Access, Partial<RuleBook>, Decision])[] = [
        [
            "the shipped file lets a stranger write link messages",
            stranger("publish", messages),
            { sources: [file(shipped)] },
            "allow",
        ],
        ["and read them", stranger("subscribe", "$LINK/#"), { sources: [file(shipped)] }, "allow"],
        ["but not subscribe to everything", stranger("subscribe", "#"), { sources: [file(shipped)] }, "deny"],
        ["a closed file refuses a stranger", stranger("publish", messages), { sources: [file(closed)] }, "deny"],
        ["and lets the peer write", user("publish", messages), { sources: [file(closed)] }, "allow"],
        ["and read answers", user("subscribe", answers), { sources: [file(closed)] }, "allow"],
        ["and nothing else", user("publish", "fleet/1"), { sources: [file(closed)] }, "deny"],
        ["another peer's user is a stranger there", user("publish", messages, "link-B"), { sources: [file(closed)] }, "deny"],
        ["devices go on", stranger("publish", "fleet/1"), { sources: [file(closed)] }, "allow"],
        [
            "where nothing fits, the setting decides",
            stranger("publish", messages),
            { sources: [file('{allow, all, all, ["x"]}.')], noMatch: "allow" },
            "allow",
        ],
        ["no source at all", stranger("publish", messages), { sources: [], noMatch: "deny" }, "deny"],
        [
            "a disabled source is not asked",
            stranger("publish", messages),
            { sources: [{ ...file(shipped), enable: false }] },
            "deny",
        ],
        ["a source that is not shown", stranger("publish", messages), { sources: [{ type: "http", enable: true }] }, "unknown"],
        [
            "rules of the user behind a file without rules",
            user("publish", messages),
            { sources: [file("%% none"), database], userRules: linkAclRules("A") },
            "allow",
        ],
        ["a file without rules", stranger("publish", messages), { sources: [file("%% secret rules")] }, "unknown"],
        [
            "a pattern that names the user",
            user("publish", messages),
            { sources: [file('{allow, {username, {re, "^link-"}}}.')] },
            "allow",
        ],
        [
            "a pattern that does not",
            user("publish", messages),
            { sources: [file('{allow, {username, {re, "^edge-"}}}.')] },
            "deny",
        ],
        [
            "a pattern that cannot be read",
            user("publish", messages),
            { sources: [file('{allow, {username, {re, "(?<!"}}}.')] },
            "unknown",
        ],
        [
            "an address that is not known",
            user("publish", messages),
            { sources: [file('{deny, {ipaddr, "10.0.0.0/8"}}.')] },
            "unknown",
        ],
        [
            "a placeholder for the user",
            user("publish", "up/link-A"),
            { sources: [file(`{allow, all, publish, ["up/\${username}"]}.`)] },
            "allow",
        ],
        [
            "a placeholder for the client",
            user("publish", "up/c"),
            { sources: [file(`{allow, all, publish, ["up/\${clientid}"]}.`)] },
            "unknown",
        ],
        [
            "a placeholder elsewhere",
            user("publish", messages),
            { sources: [file(`{allow, all, publish, ["up/\${clientid}"]}.`)] },
            "deny",
        ],
        [
            "the user's own rules come first",
            user("publish", messages),
            { sources: [database, file(shipped)], userRules: linkAclRules("A") },
            "allow",
        ],
        [
            "and close everything else",
            user("publish", "fleet/1"),
            { sources: [database, file(shipped)], userRules: linkAclRules("A") },
            "deny",
        ],
        [
            "rules without a database have no effect",
            user("publish", messages),
            { sources: [file(closed)], userRules: [{ topic: "#", permission: "deny", action: "all" }] },
            "allow",
        ],
    ];
    it.each(cases)("%s", (_what, access, book, expected) => {
        expect(decide(access, { sources: [], noMatch: "deny", ...book })).toBe(expected);
    });
});

describe("the rules of a link's user", () => {
    const rules = linkAclRules("A");
    const book: RuleBook = { sources: [database], noMatch: "allow", userRules: rules };

    it("are what EMQX needs, in this order", () => {
        expect(rules).toEqual<AuthzRule[]>([
            { topic: "$LINK/cluster/route/A", permission: "allow", action: "publish" },
            { topic: "$LINK/cluster/msg/A", permission: "allow", action: "publish" },
            { topic: "$LINK/cluster/resp/A/+", permission: "allow", action: "subscribe" },
            { topic: "$LINK/#", permission: "deny", action: "all" },
            { topic: "#", permission: "deny", action: "all" },
        ]);
    });

    it("allow its own link topics", () => {
        expect(decide(user("publish", routes), book)).toBe("allow");
        expect(decide(user("publish", messages), book)).toBe("allow");
        expect(decide(user("subscribe", answers), book)).toBe("allow");
    });

    it.each([
        ["publish", "$LINK/cluster/msg/B"],
        ["publish", "$LINK/cluster/route/A2"],
        ["publish", "$LINK/cluster/resp/A/n"],
        ["subscribe", "$LINK/cluster/msg/A"],
        ["subscribe", "$LINK/#"],
        ["subscribe", "#"],
        ["publish", "fleet/1"],
        ["subscribe", "fleet/#"],
    ] as const)("deny it to %s %s", (action, topic) => {
        expect(decide(user(action, topic), book)).toBe("deny");
    });
});
