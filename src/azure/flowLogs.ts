import * as network from "@pulumi/azure-native/network/index.js";
import * as storage from "@pulumi/azure-native/storage/index.js";
import type * as pulumi from "@pulumi/pulumi";
import type { AzureSiteChoices } from "./choices.js";
import type { GlobalNames } from "./names.js";
import { type AzureScope, place } from "./scope.js";
import type { AzureNetwork } from "./virtualNetwork.js";

/**
 * Flow logs of the virtual network, into a storage account that only Azure's own services reach: flow logs of network security groups can
 * no longer be made since 2025-06-30.
 */
export function createFlowLogs(
    scope: AzureScope,
    { flowLogs }: AzureSiteChoices,
    parts: { readonly network: AzureNetwork; readonly names: GlobalNames; readonly after: readonly pulumi.Resource[] },
): readonly pulumi.Resource[] {
    if (flowLogs === undefined) {
        return [];
    }
    const { parent, location, tags } = scope;
    const { storageAccountId, retentionDays } = flowLogs;
    const watcher = flowLogs.networkWatcher ?? {
        name: `NetworkWatcher_${location}`,
        resourceGroupName: "NetworkWatcherRG",
    };
    const log = new network.FlowLog(
        place(scope, "flow-log").name,
        {
            resourceGroupName: watcher.resourceGroupName,
            networkWatcherName: watcher.name,
            location,
            tags: { ...tags },
            enabled: true,
            targetResourceId: parts.network.virtualNetworkId,
            storageId: storageAccountId ?? flowLogAccount(scope, parts.names).id,
            format: { type: "JSON", version: 2 },
            retentionPolicy: { enabled: true, days: retentionDays },
        },
        // Azure makes the region's network watcher when the first virtual network appears, some time after it: as late as can be.
        { parent, dependsOn: [...parts.network.ready, ...parts.after] },
    );
    return [log];
}

function flowLogAccount(scope: AzureScope, names: GlobalNames): storage.StorageAccount {
    const { name, at } = place(scope, "flow-log-account");
    return new storage.StorageAccount(
        name,
        {
            ...at,
            accountName: names.storageAccount(),
            kind: "StorageV2",
            sku: { name: "Standard_LRS" },
            accessTier: "Hot",
            minimumTlsVersion: "TLS1_2",
            enableHttpsTrafficOnly: true,
            allowBlobPublicAccess: false,
            allowCrossTenantReplication: false,
            // Network Watcher writes with the account's key.
            allowSharedKeyAccess: true,
            networkRuleSet: { defaultAction: "Deny", bypass: "AzureServices" },
        },
        { parent: scope.parent },
    );
}
