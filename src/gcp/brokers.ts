import { createHash } from "node:crypto";
import * as compute from "@pulumi/gcp/compute/index.js";
import type * as serviceaccount from "@pulumi/gcp/serviceaccount/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { NodePlan } from "../cluster/clusterPlan.js";
import { NodeDeparture } from "../cluster/nodeDeparture.js";
import { NodeMembership } from "../cluster/nodeMembership.js";
import type { BrokerCluster } from "../contracts/site.js";
import { type BootPackage, type BootSecretStore, renderUserData } from "../emqx/boot/userData.js";
import { failOn } from "../input.js";
import type { GcpDoors } from "./doors.js";
import type { GcpNetwork } from "./network.js";
import { diskTypeOf } from "./regions.js";
import { type GcpScope, place } from "./scope.js";

/** What a site's machines are made from. */
export interface GcpBrokerParts {
    readonly network: GcpNetwork;
    readonly account: serviceaccount.Account;
    readonly doors: GcpDoors;
    readonly image: pulumi.Output<string>;
    readonly size: pulumi.Output<string>;
    readonly package: pulumi.Output<BootPackage>;
    readonly store: pulumi.Output<BootSecretStore>;
    /** Management door, as memberships reach it. */
    readonly api: BrokerCluster["api"];
    /** What must exist before a machine boots. */
    readonly boot: readonly pulumi.Resource[];
    /** What must exist before the API is asked, and stay until the last node has left. */
    readonly reached: readonly pulumi.Resource[];
}

/** A site's broker machines. */
export interface GcpBrokers {
    /** The nodes' places in their cluster, the last one last. */
    readonly memberships: readonly NodeMembership[];
    /** Differs after a machine was made or replaced. */
    readonly incarnation: pulumi.Output<string>;
}

/** Under this name the machine finds its data disk: `/dev/disk/by-id/google-emqx-data`, whatever the kernel calls it. */
const dataDevice = "emqx-data";
const bootDiskGb = 20;

/**
 * Machine properties that GCP would change by stopping the machine, or would change without any effect on what runs. They replace it
 * instead: a replacement goes through the membership, which drains the node first and lets one node change at a time. A machine whose
 * metadata somebody has changed by hand is made anew as well, once a refresh has seen it.
 */
const replaceInsteadOfStop = ["machineType", "metadata", "serviceAccount", "shieldedInstanceConfig", "attachedDisks"];

/** The machines, one after the other: each is in the cluster before the next is made or replaced. */
export function createBrokers(scope: GcpScope, parts: GcpBrokerParts): GcpBrokers {
    const memberships: NodeMembership[] = [];
    for (const node of scope.plan.nodes) {
        memberships.push(brokerNode(scope, parts, node, memberships.at(-1)));
    }
    return {
        memberships,
        incarnation: pulumi.all(memberships.map(({ joinedAt }) => joinedAt)).apply((times) => times.join(" ")),
    };
}

function brokerNode(
    scope: GcpScope,
    parts: GcpBrokerParts,
    node: NodePlan,
    previous: NodeMembership | undefined,
): NodeMembership {
    const { parent, plan } = scope;
    const { key, nodeName } = node;
    const member = { api: parts.api, clusterName: plan.clusterName, nodeName };
    // Made before the machine, so that it ends after it: a node that still runs would join again.
    const departure = new NodeDeparture(`${plan.name}-departure-${key}`, member, { parent });
    const userData = bootData(scope, parts, node);
    const machine = brokerMachine(scope, parts, node, userData, [
        ...parts.boot,
        departure,
        ...(previous === undefined ? [] : [previous]),
    ]);
    const grouped = groupMember(scope, parts.doors, node, machine);
    return new NodeMembership(
        `${plan.name}-membership-${key}`,
        {
            ...member,
            members: plan.nodes.map((one) => one.nodeName),
            version: plan.version,
            // The number that GCP gives each machine: a machine that is made again may have the name and link of the former one.
            gate: {
                instance: machine.instanceId,
                size: machine.machineType,
                image: parts.image,
                boot: userData.apply((text) => createHash("sha256").update(text).digest("hex")),
            },
        },
        { parent, dependsOn: [grouped, ...parts.reached] },
    );
}

/** Boot data of the own site alone: peers come and go without touching it. No secret: everybody who may see a machine may read it. */
function bootData({ parent, plan }: GcpScope, parts: GcpBrokerParts, node: NodePlan): pulumi.Output<string> {
    return pulumi.all([parts.package, parts.store]).apply(([file, secretStore]) =>
        failOn(parent, () =>
            renderUserData({
                clusterName: plan.clusterName,
                nodeName: node.nodeName,
                seeds: plan.seeds,
                version: plan.version,
                sessionQueueMessages: plan.sessionQueueMessages,
                package: file,
                dataDisk: { hints: [`/dev/disk/by-id/google-${dataDevice}`] },
                secretStore,
            }),
        ),
    );
}

function brokerMachine(
    scope: GcpScope,
    parts: GcpBrokerParts,
    node: NodePlan,
    userData: pulumi.Output<string>,
    dependsOn: pulumi.Resource[],
): compute.Instance {
    const { parent, plan, region, labels, kmsKey } = scope;
    const diskType = diskTypeOf(plan.size);
    const data = place(scope, `data-${node.key}`);
    // On its own, so that it outlives the machine; a protected one also outlives `pulumi destroy`.
    const disk = new compute.Disk(
        data.name,
        {
            ...data.at,
            zone: node.zone,
            labels,
            type: diskType,
            size: plan.dataDiskGb,
            diskEncryptionKey: kmsKey === undefined ? undefined : { kmsKeySelfLink: kmsKey },
        },
        { parent, protect: plan.protectData, retainOnDelete: plan.retainData },
    );
    const home = place(scope, `address-${node.key}`);
    // Reserved: while a machine is being replaced, no other machine of the subnetwork gets the node's address.
    const address = new compute.Address(
        home.name,
        {
            ...home.at,
            region,
            labels,
            addressType: "INTERNAL",
            purpose: "GCE_ENDPOINT",
            subnetwork: parts.network.subnetwork,
            address: node.address,
        },
        { parent },
    );
    const itself = place(scope, `broker-${node.key}`);
    return new compute.Instance(
        itself.name,
        {
            ...itself.at,
            zone: node.zone,
            labels,
            machineType: parts.size,
            allowStoppingForUpdate: false,
            canIpForward: false,
            bootDisk: {
                autoDelete: true,
                kmsKeySelfLink: kmsKey,
                initializeParams: { image: parts.image, type: diskType, size: bootDiskGb, labels },
            },
            attachedDisks: [{ source: disk.selfLink, deviceName: dataDevice, mode: "READ_WRITE" }],
            // No access configuration: no public address.
            networkInterfaces: [
                { subnetwork: parts.network.subnetwork, networkIp: address.address, nicType: "GVNIC", stackType: "IPV4_ONLY" },
            ],
            serviceAccount: { email: parts.account.email, scopes: ["https://www.googleapis.com/auth/cloud-platform"] },
            shieldedInstanceConfig: { enableSecureBoot: true, enableVtpm: true, enableIntegrityMonitoring: true },
            scheduling: { automaticRestart: true, onHostMaintenance: "MIGRATE" },
            metadata: {
                "user-data": userData,
                "enable-oslogin": "TRUE",
                "block-project-ssh-keys": "TRUE",
                // No interactive console. What the machine writes to its serial port, such as the marker of a failed boot, stays readable.
                "serial-port-enable": "FALSE",
                "disable-legacy-endpoints": "TRUE",
            },
        },
        // The fixed address and the data disk serve one machine at a time.
        { parent, dependsOn, deleteBeforeReplace: true, replaceOnChanges: replaceInsteadOfStop },
    );
}

/** Puts a machine into its zone's group; one that was replaced is in none. */
function groupMember(
    { parent, plan, project }: GcpScope,
    { groups }: GcpDoors,
    node: NodePlan,
    machine: compute.Instance,
): compute.InstanceGroupMembership {
    const group = groups.get(node.zone);
    if (group === undefined) {
        throw new RangeError(`there is no group for ${node.zone}`);
    }
    return new compute.InstanceGroupMembership(
        `${plan.name}-group-of-broker-${node.key}`,
        { project, zone: node.zone, instance: machine.selfLink, instanceGroup: group.name },
        { parent, deleteBeforeReplace: true },
    );
}
