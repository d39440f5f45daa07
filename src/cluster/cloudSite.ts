import * as pulumi from "@pulumi/pulumi";
import type { Platform, SiteFacts, VpnFacts } from "../contracts/site.js";
import { checkDialHost, checkPort } from "../emqx/endpoint.js";
import { parseProxy } from "../emqx/proxy.js";
import { InputError, quote } from "../errors.js";
import { MeshIdentity } from "../identity/meshIdentity.js";
import { defaultMeshId } from "../naming.js";
import type { CloudSiteArgs, Reach } from "./args.js";
import { type ClusterPlan, type ClusterPlanInput, type LicenseKind, planCluster } from "./clusterPlan.js";

/** What a cloud adds to the arguments that all cloud sites share. */
export type CloudChoices = Pick<ClusterPlanInput, "zones" | "subnets" | "brokerRanges" | "defaults">;

/** A cloud site's arguments, checked, and what was decided from them. */
export interface CloudSiteChoices {
    readonly plan: ClusterPlan;
    readonly reach: Reach;
    /** Linkspan's own tags and the user's, which win. */
    readonly tags: Readonly<Record<string, string>>;
    /** The mesh's authority. Makes it on first use, so it is called after all checks. */
    identity(): MeshIdentity;
}

/**
 * Checks a cloud site's arguments and decides its cluster.
 *
 * @throws InputError naming the argument
 */
export function chooseCloudSite(name: string, args: CloudSiteArgs, cloud: CloudChoices): CloudSiteChoices {
    const meshId = args.meshId ?? args.identity?.meshId ?? defaultMeshId(pulumi.getProject(), pulumi.getStack());
    if (args.identity !== undefined && args.identity.meshId !== meshId) {
        throw new InputError(
            "identity",
            `it belongs to mesh ${quote(args.identity.meshId)}, the site to ${quote(meshId)}; set the same meshId on both`,
        );
    }
    for (const [index, user] of listOf(args.users, "users").entries()) {
        if (!pulumi.Output.isInstance(user?.password)) {
            throw new InputError(
                `users[${index}].password`,
                "it is given as a plain value and would stand in the program; pass config.requireSecret(...) or pulumi.secret(...)",
            );
        }
    }
    const { imageId: _image, ...broker } = args.broker ?? {};
    const plan = planCluster({
        name,
        siteNumber: args.siteNumber,
        meshId,
        cidr: args.cidr,
        license: licenseKind(args.license),
        broker,
        adminCidrs: args.adminCidrs,
        clientCidrs: args.clientCidrs,
        users: args.users,
        ...cloud,
    });
    checkClientNames(listOf(args.clientNames, "clientNames"));
    return {
        plan,
        reach: checkReach(args.reach ?? "public"),
        tags: { "linkspan-mesh": meshId, "linkspan-site": name, ...args.tags },
        identity: () => args.identity ?? MeshIdentity.of(meshId),
    };
}

/** A site's VPN gateway, or why it can have none. */
export type VpnSupport = VpnFacts | { readonly reason: string };

/** What the mesh's plan reads of a cloud site. */
export function cloudFacts(
    plan: ClusterPlan,
    platform: Platform,
    cidr: string = plan.ranges.cidr,
    vpn: VpnSupport = { reason: "the VPN tier between cloud sites is not in this version of Linkspan" },
): SiteFacts {
    return {
        name: plan.name,
        siteNumber: plan.siteNumber,
        platform,
        linkProtocol: "emqx",
        clusterName: plan.clusterName,
        meshId: plan.meshId,
        version: plan.version,
        tiers: {
            nat: { supported: true },
            vpn: "reason" in vpn ? { supported: false, reason: vpn.reason } : { supported: true },
            interconnect: {
                supported: false,
                reason: "the interconnect tier between cloud sites is not in this version of Linkspan",
            },
        },
        ...("reason" in vpn ? {} : { vpn }),
        cidr,
        filtersSources: true,
        fixedEgress: true,
    };
}

/** A list that may be left out. Plain JavaScript is held to the types by nothing else. */
function listOf<T>(list: readonly T[] | undefined, argument: string): readonly T[] {
    if (list !== undefined && !Array.isArray(list)) {
        throw new InputError(argument, `${quote(list)} is no list; write it in brackets, or leave it out`);
    }
    return list ?? [];
}

function licenseKind(license: CloudSiteArgs["license"]): LicenseKind {
    if (license === undefined || license === "community" || license === "evaluation") {
        return license ?? "community";
    }
    if (!pulumi.Output.isInstance(license)) {
        throw new InputError(
            "license",
            'it is neither "community" nor "evaluation"; a licence key must be a Pulumi secret: config.requireSecret("emqxLicense")',
        );
    }
    return "key";
}

function checkClientNames(names: readonly string[]): void {
    for (const [index, name] of names.entries()) {
        if (!/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) {
            throw new InputError(
                `clientNames[${index}]`,
                `${quote(name)} is no host name; write it in lower case, as in "mqtt.example.com"`,
            );
        }
    }
}

function checkReach(reach: Reach): Reach {
    if (reach === "public" || reach === "direct") {
        return reach;
    }
    if (typeof reach === "object" && reach !== null) {
        if ("proxy" in reach && reach.proxy !== undefined && [undefined, "public", "private"].includes(reach.to)) {
            if (typeof reach.proxy === "string") {
                parseProxy(reach.proxy, "reach.proxy");
            }
            return reach;
        }
        if ("connect" in reach && reach.connect?.api !== undefined && reach.connect.clients !== undefined) {
            checkDialled("reach.connect.api", reach.connect.api);
            checkDialled("reach.connect.clients", reach.connect.clients);
            return reach;
        }
    }
    throw new InputError(
        "reach",
        `${quote(reach)} is not known; set "public", "direct", { proxy: "socks5://host:port" } or { connect: { api: { host, port }, clients: { host, port } } }`,
    );
}

/** Mostly the end of an SSH tunnel, on this machine. */
function checkDialled(argument: string, { host, port }: { readonly host: string; readonly port: number }): void {
    if (typeof host !== "string") {
        throw new InputError(`${argument}.host`, `${quote(host)} is no host; set a name or an address`);
    }
    checkDialHost(host, { allowLoopback: true, argument: `${argument}.host` });
    checkPort(port, `${argument}.port`);
}
