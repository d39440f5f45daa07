import { decide, type RuleBook } from "./accessDecision.js";
import { linkTopics } from "./acl.js";
import { type EndFacts, type LinkConnection, linkOf } from "./endFacts.js";
import { type Finding, finding } from "./finding.js";

/** Whether the links of `peer` get into `own` and may do there what links do. */
export function checkAccess(own: EndFacts, peer: EndFacts): Finding[] {
    return [...checkLogin(own, peer), ...checkRules(own, peer), ...checkStrangers(own)];
}

function checkLogin(own: EndFacts, peer: EndFacts): Finding[] {
    if (own.authenticators.read && own.authenticators.value.length === 0) {
        return [
            finding("stranger-acl", "warn", own.site, "the broker asks nobody for a password", {
                cause: "Whoever reaches a listener may connect.",
                fix: "Add an authenticator (POST /api/v5/authentication) and users for the devices.",
            }),
        ];
    }
    const link = linkOf(peer);
    const user = own.linkUserOfPeer;
    if (user === undefined || link === undefined || link.username !== user) {
        return link !== undefined && link.username === undefined
            ? [
                  finding("authentication", "warn", peer.site, `the link ${link.name} presents no user`, {
                      cause: `${own.site} asks for one.`,
                      fix: "Set the link's username and password, unless its listener takes the client certificate for both.",
                  }),
              ]
            : [];
    }
    if (link.hasPassword === false) {
        return [
            finding("authentication", "fail", peer.site, `the link ${link.name} has no password`, {
                cause: "It was cleared by a change that left it out.",
                fix: "Run pulumi up --refresh, which sets it again.",
            }),
        ];
    }
    if (!own.peerUser.read || own.peerUser.value === undefined) {
        return [];
    }
    return own.peerUser.value.exists
        ? [finding("authentication", "ok", own.site, `the user ${user} exists`)]
        : [
              finding("authentication", "fail", own.site, `there is no user ${user}`, {
                  cause: `${peer.site}'s link logs in with it and is refused.`,
                  fix: "Run pulumi up --refresh, which makes the user.",
              }),
          ];
}

function checkRules(own: EndFacts, peer: EndFacts): Finding[] {
    const book = rulesOf(own);
    const username = linkOf(peer)?.username ?? own.linkUserOfPeer;
    if (book === undefined || username === undefined) {
        return [];
    }
    if (own.peerUser.read && own.peerUser.value?.superuser === true && username === own.linkUserOfPeer) {
        return [
            finding("acl", "warn", own.site, `the user ${username} may do everything`, {
                cause: "It is a superuser, and no rule holds for it.",
                fix: "Take the flag is_superuser off; the rules for $LINK suffice.",
            }),
        ];
    }
    const known = username === own.linkUserOfPeer ? book : { ...book, userRules: undefined };
    const topics = linkTopics(peer.clusterName);
    const wishes = [
        ["publish", topics.routes],
        ["publish", topics.messages],
        ["subscribe", topics.answers],
    ] as const;
    const decisions = wishes.map(([action, topic]) => ({ action, topic, decision: decide({ username, action, topic }, known) }));
    const denied = decisions.filter(({ decision }) => decision === "deny");
    if (denied.length > 0) {
        return [
            finding(
                "acl",
                "fail",
                own.site,
                `the user ${username} may not ${denied.map(({ action, topic }) => `${action} ${topic}`).join(", ")}`,
                {
                    cause: `The rules here deny it; EMQX then gives up the messages of both directions, though the status says connected.`,
                    fix: `Allow ${username} to publish ${topics.routes} and ${topics.messages} and to subscribe ${topics.answers}, before every rule that denies $LINK/#.`,
                },
            ),
        ];
    }
    return decisions.some(({ decision }) => decision === "unknown")
        ? [
              finding("acl", "warn", own.site, `the rules for the user ${username} cannot be told from the API`, {
                  cause: "They stand in a source that EMQX does not show.",
                  fix: `If messages are missing, allow it to publish ${topics.routes} and ${topics.messages} and to subscribe ${topics.answers}.`,
              }),
          ]
        : [finding("acl", "ok", own.site, `the user ${username} may use its link topics`)];
}

/** Payloads on link topics are trusted by the receiver, so that only links may write there. */
function checkStrangers(own: EndFacts): Finding[] {
    const book = rulesOf(own);
    if (book === undefined) {
        return [];
    }
    const { routes, messages, answers } = linkTopics(own.linkName);
    const wishes = [
        { action: "publish", topic: routes },
        { action: "publish", topic: messages },
        { action: "subscribe", topic: answers },
    ] as const;
    const strangers = { ...book, userRules: undefined };
    const decisions = wishes.map((wish) => decide(wish, strangers));
    if (decisions.includes("allow")) {
        return [
            finding("stranger-acl", "warn", own.site, "clients other than links may use $LINK topics", {
                cause: "Any client that may connect could forge routes and messages of the peer.",
                fix: 'Deny $LINK/# to everybody but the link users, for example {deny, all, all, ["$LINK/#"]}. in acl.conf before the rule that allows all.',
            }),
        ];
    }
    return decisions.includes("unknown")
        ? [
              finding("stranger-acl", "ok", own.site, "who may use $LINK topics cannot be told from the API", {
                  cause: "The rules stand in a source that EMQX does not show.",
                  fix: "Make sure that $LINK/# is denied to everybody but the link users.",
              }),
          ]
        : [finding("stranger-acl", "ok", own.site, "$LINK topics are closed to other clients")];
}

function rulesOf({ sources, noMatch, peerRules }: EndFacts): RuleBook | undefined {
    return sources.read && noMatch.read
        ? { sources: sources.value, noMatch: noMatch.value, userRules: peerRules.read ? peerRules.value : undefined }
        : undefined;
}

/** Whether somebody else connects to `own` with the client ids of `peer`'s links. */
export function checkClientIds(own: EndFacts, peer: EndFacts): Finding[] {
    const prefix = linkOf(peer)?.clientId ?? peer.clientIdPrefix;
    if (!own.connections.read || prefix === undefined || prefix === "") {
        return [];
    }
    const connected = own.connections.value.filter((connection) => connection.connected);
    const same = connected.filter((connection) => prefixOf(connection) === prefix);
    const user = linkOf(peer)?.username;
    const strangers = same.filter(({ username }) => user !== undefined && username !== user);
    if (strangers.length > 0) {
        return [
            clash(
                own,
                `others connect with ${peer.site}'s client ids (${prefix}…)`,
                `Their user is ${strangers[0]?.username ?? "none"}, that of ${peer.site} is ${user}.`,
            ),
        ];
    }
    const nodes = peer.nodes.read ? peer.nodes.value.length : undefined;
    if (nodes !== undefined && same.length > nodes) {
        return [
            clash(
                own,
                `more clusters than ${peer.site} connect with its client ids (${prefix}…)`,
                `${same.length} route connections are open and ${peer.site} has ${nodes} nodes.`,
            ),
        ];
    }
    const near = connected
        .map(prefixOf)
        .find((other) => other !== prefix && (other.startsWith(prefix) || prefix.startsWith(other)));
    if (near !== undefined) {
        return [
            finding("client-id-clash", "warn", own.site, `the client id prefixes ${prefix} and ${near} begin alike`, {
                cause: "A rule or a kick that is meant for one of them meets the other too.",
                fix: "Give one of them another clientIdPrefix, with a separator at its end.",
            }),
        ];
    }
    return [finding("client-id-clash", "ok", own.site, `the client ids ${prefix}… are ${peer.site}'s alone`)];
}

function clash(own: EndFacts, title: string, cause: string): Finding {
    return finding("client-id-clash", "fail", own.site, title, {
        cause: `${cause} Connections with equal client ids throw each other out again and again.`,
        fix: "Give each installation its own clientIdPrefix, or end the one that should no longer run.",
    });
}

function prefixOf({ clientId }: LinkConnection): string {
    return clientId.slice(0, clientId.lastIndexOf(":routesync:"));
}
