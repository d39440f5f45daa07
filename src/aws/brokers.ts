import { createHash } from "node:crypto";
import * as ebs from "@pulumi/aws/ebs/index.js";
import * as ec2 from "@pulumi/aws/ec2/index.js";
import * as lb from "@pulumi/aws/lb/index.js";
import * as pulumi from "@pulumi/pulumi";
import { cloudApi } from "../cluster/brokerCluster.js";
import type { ClusterIdentity } from "../cluster/clusterIdentity.js";
import type { NodePlan } from "../cluster/clusterPlan.js";
import { NodeDeparture } from "../cluster/nodeDeparture.js";
import { NodeMembership } from "../cluster/nodeMembership.js";
import type { BrokerCluster } from "../contracts/site.js";
import { type BootPackage, gzipUserData, renderUserData } from "../emqx/boot/userData.js";
import { failOn } from "../input.js";
import type { AwsSiteChoices } from "./choices.js";
import type { AwsDoors } from "./doors.js";
import type { AwsEgress } from "./egress.js";
import type { AwsFirewall } from "./firewall.js";
import { type AwsScope, place } from "./scope.js";
import type { AwsSecretStore } from "./secretStore.js";
import { type AwsNetwork, zoneOf } from "./zones.js";

/** What brokers are made from. */
export interface BrokerParts {
    readonly network: AwsNetwork;
    readonly egress: AwsEgress;
    readonly firewall: AwsFirewall;
    readonly doors: AwsDoors;
    readonly identity: ClusterIdentity;
    readonly secretStore: AwsSecretStore;
    readonly image: pulumi.Output<string>;
    readonly package: pulumi.Output<BootPackage>;
}

/** A site's brokers. */
export interface AwsBrokers {
    /** One for each node: it is there while the node is in the cluster. */
    readonly memberships: readonly NodeMembership[];
    readonly machines: readonly BrokerMachine[];
    /** Differs after a broker machine was made or replaced. */
    readonly incarnation: pulumi.Output<string>;
}

/** A broker's machine, for what balances over machines. */
export interface BrokerMachine {
    /** The node's number. */
    readonly key: string;
    readonly instance: ec2.Instance;
    /** The attachment of its data disk, whose end stops the machine: what is attached to the machine is taken off before that. */
    readonly mounted: pulumi.Resource;
}

/** Size of a broker's root disk in GiB. */
export const rootDiskGb = 16;
/** Where AWS is told to attach the data disk; the machine finds it by the volume's serial number. */
const dataDevice = "/dev/sdf";

/** The brokers, one after the other: each machine waits until the node before it is in the cluster, also when they are replaced. */
export function createBrokers(scope: AwsScope, choices: AwsSiteChoices, parts: BrokerParts): AwsBrokers {
    const { plan } = scope;
    const api = cloudApi({ plan, reach: choices.reach, doors: parts.doors, identity: parts.identity });
    const memberships: NodeMembership[] = [];
    const machines: BrokerMachine[] = [];
    for (const node of plan.nodes) {
        const { membership, machine } = createBroker(scope, parts, api, node, memberships.at(-1));
        memberships.push(membership);
        machines.push(machine);
    }
    return {
        memberships,
        machines,
        incarnation: pulumi.all(memberships.map(({ joinedAt }) => joinedAt)).apply((times) => times.join(",")),
    };
}

function createBroker(
    scope: AwsScope,
    parts: BrokerParts,
    api: BrokerCluster["api"],
    node: NodePlan,
    previous: NodeMembership | undefined,
): { readonly membership: NodeMembership; readonly machine: BrokerMachine } {
    const { parent, plan } = scope;
    const { key, nodeName } = node;
    const member = { api, clusterName: plan.clusterName, nodeName };
    // Made before the machine, so that it ends after it: a node that still runs would join again.
    const departure = new NodeDeparture(`${plan.name}-departure-${key}`, member, { parent });
    const disk = createDataDisk(scope, parts.network, node);
    const userData = pulumi.all([disk.id, parts.package]).apply(([volumeId, source]) =>
        failOn(parent, () =>
            renderUserData({
                clusterName: plan.clusterName,
                nodeName,
                seeds: plan.seeds,
                version: plan.version,
                sessionQueueMessages: plan.sessionQueueMessages,
                package: source,
                dataDisk: { hints: diskPaths(volumeId) },
                secretStore: parts.secretStore.store,
            }),
        ),
    );
    const machine = createMachine(scope, parts, node, userData, [departure, ...(previous === undefined ? [] : [previous])]);
    const mounted = mount(scope, key, machine, disk);
    const targets = Object.entries(parts.doors.targetGroups).map(([door, group]) =>
        attach(scope, door, group, { key, instance: machine, mounted }),
    );
    const membership = new NodeMembership(
        `${plan.name}-membership-${key}`,
        {
            ...member,
            members: plan.nodes.map((one) => one.nodeName),
            version: plan.version,
            gate: {
                instance: machine.id,
                size: plan.size,
                image: parts.image,
                boot: userData.apply((text) => createHash("sha256").update(text).digest("hex")),
            },
        },
        { parent, dependsOn: [mounted, ...targets, ...parts.doors.ready, ...parts.firewall.ready] },
    );
    return { membership, machine: { key, instance: machine, mounted } };
}

/** A disk that outlives the machine. */
function createDataDisk(scope: AwsScope, network: AwsNetwork, { key, zone }: NodePlan): ebs.Volume {
    const { parent, region, plan, kmsKeyId } = scope;
    const at = place(scope, `data-${key}`);
    return new ebs.Volume(
        at.name,
        {
            region,
            availabilityZone: zoneOf(network, zone).name,
            type: "gp3",
            size: plan.dataDiskGb,
            encrypted: true,
            ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
            tags: at.tags,
        },
        { parent, protect: plan.protectData, retainOnDelete: plan.retainData },
    );
}

/** A machine without a public address and without a login, with a network interface of its own that keeps the node's address. */
function createMachine(
    scope: AwsScope,
    parts: BrokerParts,
    { key, zone, address }: NodePlan,
    userData: pulumi.Output<string>,
    after: readonly pulumi.Resource[],
): ec2.Instance {
    const { parent, region, plan, kmsKeyId } = scope;
    const interfacePlace = place(scope, `interface-${key}`);
    const networkInterface = new ec2.NetworkInterface(
        interfacePlace.name,
        {
            region,
            description: `Broker ${key} of ${plan.clusterName}`,
            subnetId: zoneOf(parts.network, zone).brokerSubnetId,
            privateIps: [address],
            securityGroups: [parts.firewall.brokers.id],
            sourceDestCheck: true,
            tags: interfacePlace.tags,
        },
        // The address is the node's: two interfaces cannot have it at once.
        { parent, deleteBeforeReplace: true },
    );
    const at = place(scope, `broker-${key}`);
    return new ec2.Instance(
        at.name,
        {
            region,
            ami: parts.image,
            instanceType: plan.size,
            primaryNetworkInterface: { networkInterfaceId: networkInterface.id },
            iamInstanceProfile: parts.secretStore.instanceProfile,
            metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
            rootBlockDevice: {
                volumeType: "gp3",
                volumeSize: rootDiskGb,
                encrypted: true,
                deleteOnTermination: true,
                ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
                tags: { ...at.tags, Name: `${at.tags.Name}-root` },
            },
            userDataBase64: userData.apply((text) => failOn(parent, () => gzipUserData(text))),
            userDataReplaceOnChange: true,
            tags: at.tags,
        },
        {
            parent,
            deleteBeforeReplace: true,
            // AWS would stop and start the machine; a replaced one is drained first and waited for afterwards, as every change is.
            replaceOnChanges: ["instanceType"],
            dependsOn: [...after, ...parts.egress.ready(zone), ...parts.firewall.boot, ...parts.secretStore.ready],
        },
    );
}

/** Attaches a machine's disk. */
function mount({ parent, region, plan }: AwsScope, key: string, machine: ec2.Instance, disk: ebs.Volume): pulumi.Resource {
    return new ec2.VolumeAttachment(
        `${plan.name}-data-of-broker-${key}`,
        {
            region,
            deviceName: dataDevice,
            volumeId: disk.id,
            instanceId: machine.id,
            // A disk that is pulled out of a running machine loses what was not written yet.
            stopInstanceBeforeDetaching: true,
        },
        { parent, deleteBeforeReplace: true },
    );
}

/** Lets a door lead to a machine too. */
export function attach(
    { parent, region, plan }: AwsScope,
    door: string,
    group: lb.TargetGroup,
    { key, instance, mounted }: BrokerMachine,
): pulumi.Resource {
    return new lb.TargetGroupAttachment(
        `${plan.name}-${door}-to-broker-${key}`,
        { region, targetGroupArn: group.arn, targetId: instance.id },
        // Deleted before the disk is taken away, which stops the machine.
        { parent, dependsOn: [mounted] },
    );
}

/** Where the machine may find a volume, best first: by its serial number on Nitro, by the name that AWS was told on older machines. */
function diskPaths(volumeId: string): readonly string[] {
    return [
        `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volumeId.replace("-", "")}`,
        dataDevice,
        dataDevice.replace("/sd", "/xvd"),
    ];
}
