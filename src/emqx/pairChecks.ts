import { alarmCause, alarmText } from "./alarmCause.js";
import type { LinkMetrics, RemoteLink } from "./answers.js";
import { type EndFacts, linkOf } from "./endFacts.js";
import { type Finding, finding } from "./finding.js";

/** The link of `own` to `peer`: there, enabled, up, for some topics. */
export function checkLink(own: EndFacts, peer: EndFacts): Finding[] {
    if (!own.links.read) {
        return [];
    }
    const link = linkOf(own);
    if (link === undefined) {
        return [missingLink(own, peer)];
    }
    if (!link.enable) {
        return [
            finding("link-disabled", "fail", own.site, `the link ${link.name} is disabled`, {
                cause: `${peer.site} refuses the handshake in the other direction too (cluster_link_disabled), so that nothing flows either way.`,
                fix: "Set enable to true and run pulumi up.",
            }),
        ];
    }
    return [
        ...checkStatus(own, link),
        ...checkTopics(own, peer, link),
        ...checkRoutes(own, peer),
        ...checkBuffers(own, peer, link),
    ];
}

function missingLink(own: EndFacts, peer: EndFacts): Finding {
    const others = own.links.read ? own.links.value.map(({ name }) => name) : [];
    const real = peer.identity.read ? peer.identity.value.clusterName : peer.clusterName;
    const misnamed = others.includes(real) && real !== own.linkName;
    return finding("link-missing", "fail", own.site, `there is no link named ${own.linkName}`, {
        cause: misnamed
            ? `There is one named ${real}, which is ${peer.site}'s real cluster.name.`
            : `${peer.site}'s handshake is refused here (unknown_cluster) every 5 seconds, though its status says connected; nothing flows either way.`,
        fix: misnamed
            ? `Set ${peer.site}'s cluster name to ${real} in the program.`
            : "Run pulumi up --refresh, which makes the link.",
    });
}

function checkStatus(own: EndFacts, link: RemoteLink): Finding[] {
    const down = link.nodeStatus.filter(({ status }) => status !== "connected").map(({ node }) => node);
    if (link.status === "connected" && down.length === 0) {
        return [finding("link-status", "ok", own.site, `the link ${link.name} is connected`)];
    }
    if (down.length > 0 && down.length < link.nodeStatus.length) {
        return [
            finding("link-status", "warn", own.site, `the link ${link.name} is not connected on ${down.join(", ")}`, {
                cause: "What devices publish on these nodes does not cross.",
                fix: `Check from these nodes that ${link.server} answers.`,
            }),
        ];
    }
    return [downLink(own, link)];
}

/** Why a link is down, as far as its alarms tell. A past alarm may speak of a fault that is long mended, so it only hints. */
function downLink(own: EndFacts, link: RemoteLink): Finding {
    const all = own.alarms.read ? own.alarms.value : [];
    const standing = all.filter(({ active }) => active);
    const alarms = standing.length > 0 ? standing : all;
    const alarm = alarms.find(({ message }) => alarmCause(message) !== undefined) ?? alarms[0];
    const known = alarm === undefined ? undefined : alarmCause(alarm.message);
    const title = `the link ${link.name} is ${link.status}`;
    if (alarm === undefined) {
        return finding("link-status", "fail", own.site, title, {
            cause: `The broker reaches no MQTT listener at ${link.server}, and has no alarm that says why.`,
            fix: `Check from the broker's machine that ${link.server} answers; the broker's log names the reason.`,
        });
    }
    const said = `${alarm.active ? "EMQX says" : "EMQX's last alarm said"}: ${alarmText(alarm.message)}.`;
    return finding(alarm.active && known !== undefined ? known.id : "link-status", "fail", own.site, title, {
        cause: known === undefined ? said : alarm.active ? `${known.cause} ${said}` : `${said} ${known.cause}`,
        fix: `${known?.fix ?? "Look into the broker's log."} The link's server is ${link.server}.`,
    });
}

function checkTopics(own: EndFacts, peer: EndFacts, link: RemoteLink): Finding[] {
    if (link.topics.length > 0) {
        return [finding("topics", "ok", own.site, `receives ${link.topics.length} topic filters from ${peer.site}`)];
    }
    const back = linkOf(peer);
    // One direction may be empty on purpose; that is said once, on the side that shows both are.
    return back !== undefined && back.topics.length === 0
        ? [
              finding("topics", "fail", own.site, `neither ${own.site} nor ${peer.site} receives any topic`, {
                  cause: "The topics of both links are empty.",
                  fix: "Set the topics of at least one direction.",
              }),
          ]
        : [finding("topics", "ok", own.site, `receives nothing from ${peer.site}: its link has no topics`)];
}

/** The routes in `own` are those that the peer has announced: what `own` would send it. */
function checkRoutes(own: EndFacts, peer: EndFacts): Finding[] {
    const wanted = linkOf(peer);
    if (
        !own.counters.read ||
        own.counters.value === undefined ||
        wanted === undefined ||
        !wanted.enable ||
        wanted.topics.length === 0
    ) {
        return [];
    }
    const { routes } = own.counters.value;
    if (routes > 0) {
        return [finding("routes", "ok", own.site, `knows ${routes} routes of ${peer.site}`)];
    }
    // In order while nobody subscribes, which REST does not tell apart from a handshake that never came through.
    return [
        finding("routes", "ok", own.site, `knows no route of ${peer.site}`, {
            cause: `Nobody at ${peer.site} subscribes to ${wanted.topics.join(", ")}, or ${peer.site}'s handshake has not come through; the count is up to 15 seconds old.`,
            fix: "Run linkspan verify.",
        }),
    ];
}

function checkBuffers(own: EndFacts, peer: EndFacts, link: RemoteLink): Finding[] {
    if (!own.counters.read || own.counters.value === undefined) {
        return [];
    }
    const counters = own.counters.value;
    const lost = counters.dropped + counters.failed;
    if (lost > 0) {
        return [
            finding("buffers", "warn", own.site, `${lost} messages to ${peer.site} were lost since the link was last changed`, {
                cause: lossCause(counters),
                fix: `Run linkspan verify to see whether it still happens; look at the rules for $LINK at ${peer.site} and at maxOutageSeconds.`,
            }),
        ];
    }
    if (counters.queuing > 0 && link.status !== "connected") {
        return [
            finding("buffers", "warn", own.site, `${counters.queuing} messages wait for ${peer.site}`, {
                cause: "They are sent when the link is back in time, and are lost otherwise.",
            }),
        ];
    }
    return [finding("buffers", "ok", own.site, `no message to ${peer.site} was lost since the link was last changed`)];
}

function lossCause({ dropped, failed }: LinkMetrics): string {
    const parts = [
        dropped > 0 ? `${dropped} dropped: the buffer was full or they waited too long` : "",
        failed > 0 ? `${failed} failed: refused by the remote (its rules for $LINK) or in flight when a connection broke` : "",
    ];
    return `${parts.filter((part) => part !== "").join("; ")}.`;
}

/** What only both ends together show. */
export function checkNames(a: EndFacts, b: EndFacts): Finding[] {
    const nameOf = ({ identity, clusterName }: EndFacts) => (identity.read ? identity.value.clusterName : clusterName);
    return nameOf(a) === nameOf(b)
        ? [
              finding("equal-names", "fail", b.site, `${a.site} and ${b.site} are both named ${nameOf(b)}`, {
                  cause: "EMQX tells clusters apart by cluster.name and takes the other side for itself.",
                  fix: "Give one cluster another cluster.name; that makes it a new cluster.",
              }),
          ]
        : [];
}
