import * as authorization from "@pulumi/azure-native/authorization/index.js";
import * as keyvault from "@pulumi/azure-native/keyvault/index.js";
import * as managedidentity from "@pulumi/azure-native/managedidentity/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterIdentity } from "../cluster/clusterIdentity.js";
import { type BootItemName, bootItemNames } from "../emqx/boot/bootItems.js";
import type { BootSecretStore } from "../emqx/boot/userData.js";
import { InputError } from "../errors.js";
import { failOn } from "../input.js";
import { bootSecretsScript, bootSecretsSettings } from "./bootSecrets.js";
import type { AzureSiteChoices } from "./choices.js";
import type { GlobalNames } from "./names.js";
import { type AzureScope, place } from "./scope.js";
import type { AzureNetwork } from "./virtualNetwork.js";

/** What a broker fetches at boot, in Key Vault, and how. */
export interface AzureSecretStore {
    readonly store: pulumi.Output<BootSecretStore>;
    /** The identity that the brokers act as. */
    readonly identityId: pulumi.Output<string>;
    /** What a broker needs before it boots: every item, and the right to read it. The right takes minutes to reach the vault. */
    readonly ready: readonly pulumi.Resource[];
}

/** Azure's own role "Key Vault Secrets User": reads secrets' contents and nothing else. */
const secretsUserRole = "4633458b-17de-408a-b874-0445c86b69e6";
/** Shortest that Azure takes. A deleted vault keeps its name that long and costs nothing. */
const softDeleteDays = 7;
/** Bytes that a secret may hold. */
const largestSecret = 25 * 1024;

/**
 * The brokers' identity and one vault with one secret per boot item. The items are written through Azure's management API, so whoever runs
 * Pulumi needs no door into the vault: it is closed to everybody but the brokers' subnet.
 */
export function createSecretStore(
    scope: AzureScope,
    choices: AzureSiteChoices,
    parts: { readonly network: AzureNetwork; readonly names: GlobalNames; readonly items: ClusterIdentity["bootItems"] },
): AzureSecretStore {
    const { parent, plan, resourceGroupName } = scope;
    const { network: net, names, items } = parts;
    const own = place(scope, "identity");
    const identity = new managedidentity.UserAssignedIdentity(own.name, own.at, { parent });
    const { name, at } = place(scope, "vault");
    const vault = new keyvault.Vault(
        name,
        {
            ...at,
            vaultName: names.vault(),
            properties: {
                // The tenant of the subscription, without asking for it.
                tenantId: identity.tenantId,
                sku: { family: "A", name: "standard" },
                enableRbacAuthorization: true,
                enableSoftDelete: true,
                softDeleteRetentionInDays: softDeleteDays,
                enablePurgeProtection: true,
                enabledForDeployment: false,
                enabledForDiskEncryption: false,
                enabledForTemplateDeployment: false,
                publicNetworkAccess: "Enabled",
                networkAcls: vaultDoors(choices, net),
            },
        },
        { parent },
    );
    const secrets = bootItemNames.map(
        (item) =>
            new keyvault.Secret(
                `${plan.name}-secret-${item}`,
                {
                    resourceGroupName,
                    vaultName: vault.name,
                    secretName: item,
                    properties: {
                        value: pulumi.secret(items[item].apply((text) => failOn(parent, () => checkItem(item, text)))),
                        contentType: "text/plain",
                    },
                },
                // Deleting one alone would need a door into the vault; with the vault they all go.
                { parent, retainOnDelete: true },
            ),
    );
    const role = new authorization.RoleAssignment(
        `${plan.name}-vault-reader`,
        {
            scope: vault.id,
            principalId: identity.principalId,
            // Without it Azure looks the new identity up where it has not arrived yet.
            principalType: "ServicePrincipal",
            roleDefinitionId: vault.id.apply(
                (id) => `${subscriptionOf(id)}/providers/Microsoft.Authorization/roleDefinitions/${secretsUserRole}`,
            ),
            description: `Brokers of ${plan.clusterName} read their boot items`,
        },
        { parent },
    );
    return {
        store: pulumi.all([vault.properties, identity.clientId]).apply(([{ vaultUri }, clientId]) => ({
            script: bootSecretsScript,
            settings: bootSecretsSettings(vaultUri ?? "", clientId),
        })),
        identityId: identity.id,
        ready: [...secrets, role],
    };
}

/**
 * Checks that an item fits into a secret: Azure would say so after half of the site was made.
 *
 * @throws InputError naming the argument; never the text
 */
export function checkItem(item: BootItemName, text: string): string {
    const bytes = Buffer.byteLength(text);
    if (bytes > largestSecret) {
        throw new InputError(
            item === "users" ? "users" : item === "license" ? "license" : "identity",
            `the item ${item} has ${bytes} bytes, and a secret of Azure holds ${largestSecret}; ${
                item === "users" ? "give fewer users here and make the others over EMQX's API" : "use a shorter one"
            }`,
        );
    }
    return text;
}

/** The brokers' subnet by its service endpoint; in a network of the user's, which may have none, also by the NAT gateway's addresses. */
function vaultDoors({ network }: AzureSiteChoices, net: AzureNetwork) {
    return {
        defaultAction: "Deny",
        bypass: "AzureServices",
        virtualNetworkRules: [{ id: net.subnetId, ...(network === undefined ? {} : { ignoreMissingVnetServiceEndpoint: true }) }],
        ipRules: (network?.egressAddresses ?? []).map((address) => ({ value: `${address}/32` })),
    };
}

/** `/subscriptions/<id>` of an id of Azure's. */
function subscriptionOf(id: string): string {
    return id.split("/").slice(0, 3).join("/");
}
