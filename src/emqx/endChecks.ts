import type { RemoteLink } from "./answers.js";
import { type EndFacts, linkOf } from "./endFacts.js";
import { type Finding, finding } from "./finding.js";
import { checkRelease } from "./releases.js";

/** Checks of one end that need nothing of the other. */
export function checkEnd(end: EndFacts): Finding[] {
    if (!end.identity.read) {
        const { reason, todo } = end.identity;
        return [
            finding("api", "unknown", end.site, "the REST API cannot be read", {
                cause: sentence(reason),
                fix: todo === undefined ? "Check the API's address, key and certificate." : sentence(todo),
            }),
        ];
    }
    return [
        finding("api", "ok", end.site, "the REST API answers"),
        ...checkVersion(end),
        ...checkLicense(end),
        ...checkNodes(end),
        checkClusterName(end),
        ...checkLinkApp(end),
    ];
}

/** Text of another place as a sentence of its own. */
export function sentence(text: string): string {
    const trimmed = text.trim();
    return /[.!?]$/.test(trimmed) || trimmed === "" ? trimmed : `${trimmed}.`;
}

function checkVersion(end: EndFacts): Finding[] {
    if (!end.identity.read) {
        return [];
    }
    const { version } = end.identity.value;
    const tls = linkOf(end)?.ssl?.enable === true;
    const { level, reason } = checkRelease(version, { tls, licensed: true });
    if (level === "ok") {
        return [finding("version", "ok", end.site, `EMQX ${version.replace(/^[ev]/, "")}`)];
    }
    return [
        finding("version", level === "refuse" ? "fail" : "warn", end.site, `EMQX ${version.replace(/^[ev]/, "")}`, {
            cause: sentence(reason ?? ""),
        }),
    ];
}

function checkLicense(end: EndFacts): Finding[] {
    if (!end.license.read || !end.identity.read) {
        return [];
    }
    const { type, expired } = end.license.value;
    const licensed = type !== "community";
    const { level, reason } = checkRelease(end.identity.value.version, { tls: false, licensed });
    if (!licensed && level === "refuse") {
        return [
            finding("license", "fail", end.site, "the licence allows no cluster links", {
                cause: sentence(reason ?? ""),
                fix: "Load a licence key (POST /api/v5/license), or use EMQX 5.10.",
            }),
        ];
    }
    if (expired) {
        return [
            finding("license", "fail", end.site, `the licence (${type}) has expired`, {
                cause: "EMQX refuses new sessions without a valid licence, those of links included.",
                fix: "Load a new licence key (POST /api/v5/license).",
            }),
        ];
    }
    return [finding("license", "ok", end.site, `licence: ${type}`)];
}

function checkNodes(end: EndFacts): Finding[] {
    if (!end.nodes.read) {
        return [];
    }
    const stopped = end.nodes.value.filter(({ running }) => !running).map(({ node }) => node);
    return stopped.length === 0
        ? [finding("nodes", "ok", end.site, `${end.nodes.value.length} nodes run`)]
        : [
              finding("nodes", "warn", end.site, `${stopped.join(", ")} not running`, {
                  cause: "Links and devices of these nodes are down.",
                  fix: "Start the nodes, or take them out of the cluster.",
              }),
          ];
}

function checkClusterName(end: EndFacts): Finding {
    const real = end.identity.read ? end.identity.value.clusterName : "";
    if (real === end.clusterName) {
        return finding("cluster-name", "ok", end.site, `cluster.name is ${real}`);
    }
    return finding("cluster-name", "fail", end.site, `cluster.name is ${real}, not ${end.clusterName}`, {
        cause: `The peer's link is named ${end.clusterName}; EMQX refuses its handshake (bad_remote_cluster_link_name), though the status says connected.`,
        fix: `Name the peer's link ${real}, or set cluster.name to ${end.clusterName} (EMQX then starts as a new cluster).`,
    });
}

/** The link application of EMQX stops for good on a list in `server`; after that all links stand still and every change is refused. */
function checkLinkApp(end: EndFacts): Finding[] {
    if (!end.links.read) {
        return [finding("link-app-down", "unknown", end.site, "the links cannot be read", { cause: sentence(end.links.reason) })];
    }
    const listed = end.links.value.find(({ server }) => server.includes(","));
    const silent = end.links.value.filter(isSilent);
    if (listed === undefined && silent.length === 0) {
        return [];
    }
    return [
        finding("link-app-down", "fail", end.site, "cluster linking has stopped on this broker", {
            cause:
                listed === undefined
                    ? `EMQX has no state of ${silent.map(({ name }) => name).join(", ")} on any node: its link application does not run.`
                    : `The link ${listed.name} has more than one host in server, on which EMQX's link application stops, beyond a restart.`,
            fix: "PUT /api/v5/configs?mode=merge with the text `cluster { links = [] }`, restart the nodes, then run pulumi up --refresh to make the links again.",
        }),
    ];
}

/** A disabled link has no state on any node either; that is in order. */
function isSilent({ enable, status, nodeStatus }: RemoteLink): boolean {
    return enable && status === "inconsistent" && nodeStatus.length === 0;
}
