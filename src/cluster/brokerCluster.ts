import * as pulumi from "@pulumi/pulumi";
import type { BrokerCluster, ClientDoor } from "../contracts/site.js";
import { keyPair } from "../identity/certificate.js";
import { linkPassword } from "../identity/linkPassword.js";
import type { Reach } from "./args.js";
import type { ClusterIdentity } from "./clusterIdentity.js";
import { apiKeyName, type ClusterPlan, probeUser } from "./clusterPlan.js";
import { doorPorts } from "./ports.js";
import { reachesPrivately } from "./privateReach.js";

/** What the contract's view of a cloud site's cluster is made from. */
export interface CloudClusterParts {
    readonly plan: ClusterPlan;
    readonly identity: ClusterIdentity;
    readonly reach: Reach;
    readonly doors: CloudDoors;
    readonly clientNames?: readonly string[] | undefined;
    /** Differs after a broker machine was made or replaced. */
    readonly incarnation: pulumi.Output<string>;
    /** What must exist before the API is asked, and stay until links are deleted: nodes in the cluster, load balancer, rules. */
    readonly ready: readonly pulumi.Resource[];
}

/** A site's public doors. */
export interface CloudDoors {
    /** Fixed public addresses, the same for clients, links and management. */
    readonly addresses: readonly pulumi.Output<string>[];
    /** Where this machine and peers dial: an address or a name of the cloud's that leads to healthy ones only. */
    readonly host: pulumi.Output<string>;
}

/** The contract's view of a cloud site's cluster. */
export function cloudCluster(parts: CloudClusterParts): BrokerCluster {
    const { plan, identity, doors } = parts;
    const { secrets, caPem, link } = identity;
    return {
        clusterName: plan.clusterName,
        api: cloudApi(parts),
        clientDoor: clientDoor(parts),
        probe: pulumi.secret(
            pulumi
                .all([dialled(parts), secrets.value("probe"), caPem, detour(parts.reach, "clients")])
                .apply(([host, password, ca, way]) => ({
                    host,
                    port: doorPorts.clients,
                    tls: true,
                    ca,
                    serverName: plan.clusterName,
                    username: probeUser,
                    password,
                    ...way,
                })),
        ),
        linkLogin: { kind: "managed" },
        linkIdentity: { certificate: keyPair(link), passwordFor: (peer) => linkPassword(secrets.value("link"), peer) },
        version: pulumi.output(plan.version),
        incarnation: parts.incarnation,
        ready: parts.ready,
    };

    function clientDoor({ clientNames }: CloudClusterParts): pulumi.Output<ClientDoor> {
        const [named] = clientNames ?? [];
        return pulumi
            .all([named ?? doors.addresses[0] ?? doors.host, caPem])
            .apply(([host, ca]) => ({ host, port: doorPorts.clients, scheme: "mqtts" as const, ca }));
    }
}

/** The management door as this machine reaches it. Secret. Also what node memberships ask, before the cluster's contract is complete. */
export function cloudApi(
    parts: Pick<CloudClusterParts, "plan" | "reach" | "doors"> & {
        readonly identity: Pick<ClusterIdentity, "secrets" | "caPem">;
    },
): BrokerCluster["api"] {
    const { plan, identity } = parts;
    return pulumi.secret(
        pulumi
            .all([dialled(parts), identity.secrets.value("api"), identity.caPem, detour(parts.reach, "api")])
            .apply(([host, secret, ca, way]) => ({
                url: `https://${host}:${doorPorts.api}`,
                key: apiKeyName,
                secret,
                ca,
                serverName: plan.clusterName,
                ...way,
            })),
    );
}

function dialled({ plan, reach, doors }: Pick<CloudClusterParts, "plan" | "reach" | "doors">): pulumi.Output<string> {
    const [first] = plan.nodes;
    return reachesPrivately(reach) && first !== undefined ? pulumi.output(first.address) : doors.host;
}

type Detour = { readonly connect?: { readonly host: string; readonly port: number }; readonly proxy?: string };

function detour(reach: Reach, door: "api" | "clients"): pulumi.Output<Detour> {
    if (typeof reach === "string") {
        return pulumi.output({});
    }
    return "proxy" in reach
        ? pulumi.output(reach.proxy).apply((proxy): Detour => ({ proxy }))
        : pulumi.output<Detour>({ connect: reach.connect[door] });
}
