import { createHash } from "node:crypto";
import * as compute from "@pulumi/azure-native/compute/index.js";
import * as network from "@pulumi/azure-native/network/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { NodePlan } from "../cluster/clusterPlan.js";
import { NodeDeparture } from "../cluster/nodeDeparture.js";
import { NodeMembership } from "../cluster/nodeMembership.js";
import type { BrokerCluster } from "../contracts/site.js";
import { type BootPackage, renderUserData } from "../emqx/boot/userData.js";
import { failOn } from "../input.js";
import type { AzureSiteChoices } from "./choices.js";
import type { AzureDoors } from "./doors.js";
import { checkImageId } from "./images.js";
import { noLogin } from "./noLogin.js";
import { acceleratesNetworking } from "./regions.js";
import { type AzureScope, place } from "./scope.js";
import type { AzureSecretStore } from "./secretStore.js";
import type { AzureNetwork } from "./virtualNetwork.js";

/** What a site's machines are made from. */
export interface AzureBrokerParts {
    readonly network: AzureNetwork;
    readonly doors: AzureDoors;
    readonly secretStore: AzureSecretStore;
    readonly image: pulumi.Output<string>;
    readonly package: pulumi.Output<BootPackage>;
    /** Management door, as memberships reach it. */
    readonly api: BrokerCluster["api"];
    /** What must exist before a machine boots. */
    readonly boot: readonly pulumi.Resource[];
    /** What must exist before the API is asked, and stay until the last node has left. */
    readonly reached: readonly pulumi.Resource[];
}

/** A site's broker machines. */
export interface AzureBrokers {
    /** The nodes' places in their cluster, the last one last. */
    readonly memberships: readonly NodeMembership[];
    /** Differs after a machine was made or replaced. */
    readonly incarnation: pulumi.Output<string>;
}

const osDiskGb = 30;
/** The data disk's number on its machine. */
const dataLun = 0;
/**
 * Where the machine finds its data disk. Sizes from version 6 on have NVMe disks and others SCSI disks; Canonical's images make the first
 * name for both since 2025, and Azure's agent the second for SCSI.
 */
const dataDiskHints = [`/dev/disk/azure/data/by-lun/${dataLun}`, `/dev/disk/azure/scsi1/lun${dataLun}`];

/**
 * What Azure would change by restarting the machine, or refuse to change. It replaces the machine instead: a replacement goes through the
 * membership, which drains the node first and lets one node change at a time.
 */
const replaceInsteadOfRestart = ["hardwareProfile", "networkProfile", "osProfile", "securityProfile", "storageProfile", "zones"];

/** The machines, one after the other: each is in the cluster before the next is made or replaced. */
export function createBrokers(scope: AzureScope, choices: AzureSiteChoices, parts: AzureBrokerParts): AzureBrokers {
    const memberships: NodeMembership[] = [];
    for (const node of scope.plan.nodes) {
        memberships.push(brokerNode(scope, choices, parts, node, memberships.at(-1)));
    }
    return {
        memberships,
        incarnation: pulumi.all(memberships.map(({ joinedAt }) => joinedAt)).apply((times) => times.join(" ")),
    };
}

function brokerNode(
    scope: AzureScope,
    choices: AzureSiteChoices,
    parts: AzureBrokerParts,
    node: NodePlan,
    previous: NodeMembership | undefined,
): NodeMembership {
    const { parent, plan } = scope;
    const { api } = parts;
    const reached = [...parts.reached];
    const departure = new NodeDeparture(
        place(scope, `departure-${node.key}`).name,
        { api, clusterName: plan.clusterName, nodeName: node.nodeName },
        { parent, dependsOn: reached },
    );
    const userData = bootData(scope, parts, node);
    const machine = brokerMachine(scope, choices, parts, node, userData, [
        ...parts.boot,
        departure,
        ...(previous === undefined ? [] : [previous]),
    ]);
    return new NodeMembership(
        place(scope, `membership-${node.key}`).name,
        {
            api,
            clusterName: plan.clusterName,
            nodeName: node.nodeName,
            members: plan.nodes.map(({ nodeName }) => nodeName),
            version: plan.version,
            // The number that Azure gives each machine: one that is made again may have the id of the former one.
            gate: {
                instance: machine.vmId,
                size: plan.size,
                image: parts.image,
                boot: userData.apply((text) => createHash("sha256").update(text).digest("hex")),
                version: plan.version,
            },
        },
        { parent, dependsOn: reached },
    );
}

/** Boot data of the own site alone: peers come and go without touching it. No secret: everybody on the machine may read it. */
function bootData({ parent, plan }: AzureScope, parts: AzureBrokerParts, node: NodePlan): pulumi.Output<string> {
    return pulumi.all([parts.package, parts.secretStore.store]).apply(([file, secretStore]) =>
        failOn(parent, () =>
            renderUserData({
                clusterName: plan.clusterName,
                nodeName: node.nodeName,
                seeds: plan.seeds,
                version: plan.version,
                sessionQueueMessages: plan.sessionQueueMessages,
                package: file,
                dataDisk: { hints: dataDiskHints },
                secretStore,
            }),
        ),
    );
}

function brokerMachine(
    scope: AzureScope,
    { encryptionAtHost, trustedLaunch, diskEncryptionSetId }: AzureSiteChoices,
    parts: AzureBrokerParts,
    node: NodePlan,
    userData: pulumi.Output<string>,
    dependsOn: pulumi.Resource[],
): compute.VirtualMachine {
    const { parent, plan } = scope;
    const disk = dataDisk(scope, diskEncryptionSetId, node);
    const home = brokerInterface(scope, parts, node);
    const itself = place(scope, `broker-${node.key}`);
    return new compute.VirtualMachine(
        itself.name,
        {
            ...itself.at,
            zones: [node.zone],
            hardwareProfile: { vmSize: plan.size },
            identity: { type: "UserAssigned", userAssignedIdentities: [parts.secretStore.identityId] },
            networkProfile: { networkInterfaces: [{ id: home.id, primary: true, deleteOption: "Detach" }] },
            osProfile: {
                computerName: itself.name,
                ...noLogin,
                customData: userData.apply((text) => Buffer.from(text).toString("base64")),
            },
            securityProfile: {
                ...(encryptionAtHost ? { encryptionAtHost } : {}),
                ...(trustedLaunch
                    ? { securityType: "TrustedLaunch", uefiSettings: { secureBootEnabled: true, vTpmEnabled: true } }
                    : {}),
            },
            storageProfile: {
                imageReference: parts.image.apply((text) => checkImageId(text)),
                osDisk: {
                    createOption: "FromImage",
                    deleteOption: "Delete",
                    caching: "ReadWrite",
                    diskSizeGB: osDiskGb,
                    managedDisk: {
                        storageAccountType: "StandardSSD_LRS",
                        ...(diskEncryptionSetId === undefined ? {} : { diskEncryptionSet: { id: diskEncryptionSetId } }),
                    },
                },
                dataDisks: [
                    {
                        lun: dataLun,
                        createOption: "Attach",
                        deleteOption: "Detach",
                        caching: "None",
                        managedDisk: { id: disk.id },
                    },
                ],
            },
            // Nobody can log in. What the machine writes to its serial port, such as the marker of a failed boot, stays readable.
            diagnosticsProfile: { bootDiagnostics: { enabled: true } },
        },
        // The interface with the fixed address and the data disk serve one machine at a time.
        {
            parent,
            dependsOn,
            deleteBeforeReplace: true,
            replaceOnChanges: replaceInsteadOfRestart,
            customTimeouts: { create: "30m", update: "30m", delete: "30m" },
        },
    );
}

/** On its own, so that it outlives the machine; a protected one also outlives `pulumi destroy`. */
function dataDisk(scope: AzureScope, diskEncryptionSetId: pulumi.Input<string> | undefined, node: NodePlan): compute.Disk {
    const { parent, plan } = scope;
    const { name, at } = place(scope, `data-${node.key}`);
    return new compute.Disk(
        name,
        {
            ...at,
            zones: [node.zone],
            sku: { name: "Premium_LRS" },
            creationData: { createOption: "Empty" },
            diskSizeGB: plan.dataDiskGb,
            encryption:
                diskEncryptionSetId === undefined
                    ? { type: "EncryptionAtRestWithPlatformKey" }
                    : { type: "EncryptionAtRestWithCustomerKey", diskEncryptionSetId },
            // Nobody downloads it.
            networkAccessPolicy: "DenyAll",
            publicNetworkAccess: "Disabled",
        },
        { parent, protect: plan.protectData, retainOnDelete: plan.retainData },
    );
}

/** On its own too: the node's address and its place behind the load balancer outlive the machine. It has no public address. */
function brokerInterface(scope: AzureScope, parts: AzureBrokerParts, node: NodePlan): network.NetworkInterface {
    const { parent, plan } = scope;
    const { subnetId, interfaceSecurityGroupId } = parts.network;
    const { name, at } = place(scope, `interface-${node.key}`);
    return new network.NetworkInterface(
        name,
        {
            ...at,
            enableIPForwarding: false,
            enableAcceleratedNetworking: acceleratesNetworking(plan.size),
            ...(interfaceSecurityGroupId === undefined ? {} : { networkSecurityGroup: { id: interfaceSecurityGroupId } }),
            ipConfigurations: [
                {
                    name: "broker",
                    primary: true,
                    subnet: { id: subnetId },
                    privateIPAllocationMethod: "Static",
                    privateIPAddress: node.address,
                    privateIPAddressVersion: "IPv4",
                    loadBalancerBackendAddressPools: [{ id: parts.doors.poolId }],
                },
            ],
        },
        // Two interfaces cannot have one address. Azure changes acceleration with the machine off only, so another size keeps what there is.
        { parent, deleteBeforeReplace: true, ignoreChanges: ["enableAcceleratedNetworking"] },
    );
}
