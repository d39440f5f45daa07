import { within } from "../addresses.mts";
import { itemsAt, textAt, textsAt } from "../paths.mts";
import { type AccountView, CloudError, type CloudObject, type ResourceType } from "../types.mts";
import { byName, named, refuse, subscription, tenantId, uuid } from "./naming.mts";
import { types } from "./tokens.mts";

const identity = named(
    { kind: "Microsoft.ManagedIdentity/userAssignedIdentities", property: "resourceName", max: 128 },
    {
        outputs: ({ id }) => ({ clientId: uuid(`${id} client`), principalId: uuid(`${id} principal`), tenantId }),
        handles: ({ outputs }) => [textAt(outputs, "principalId")],
        // The directory learns of it later than Azure says that it is there.
        timing: { create: 20, remove: 10, usableAfter: 40 },
    },
);

/** Azure's own roles that the simulation knows, and what they may do in a vault. */
const roles: Readonly<Record<string, string>> = { "4633458b-17de-408a-b874-0445c86b69e6": "read secrets" };

const roleAssignment: ResourceType = {
    autoName: { property: "roleAssignmentName", max: 64, separator: "-", shape: () => "00000000-0000-0000-0000" },
    required: ["principalId", "roleDefinitionId", "scope"],
    references: [
        { path: "principalId", to: types.identity, holds: false },
        { path: "scope", to: [types.vault, types.resourceGroup], holds: false },
    ],
    replaceOn: "all",
    unique: ({ inputs }) => [`${textAt(inputs, "scope")} ${textAt(inputs, "principalId")} ${textAt(inputs, "roleDefinitionId")}`],
    duplicate: () => new CloudError("RoleAssignmentExists", "The role assignment already exists."),
    verify: ({ inputs, account }) => {
        const principal = textAt(inputs, "principalId");
        const found = account.find(types.identity, principal);
        refuse(
            found === undefined || (inputs.principalType === undefined && Date.now() < found.usableAt + 1_000),
            "PrincipalNotFound",
            `Principal ${principal.replaceAll("-", "")} does not exist in the directory ${tenantId}.`,
        );
        const role = textAt(inputs, "roleDefinitionId");
        refuse(
            !role.startsWith(`${subscription}/providers/Microsoft.Authorization/roleDefinitions/`) ||
                roles[role.split("/").at(-1) ?? ""] === undefined,
            "RoleDefinitionDoesNotExist",
            `The specified role definition with ID '${role}' does not exist.`,
        );
    },
    id: ({ inputs }) =>
        `${textAt(inputs, "scope")}/providers/Microsoft.Authorization/roleAssignments/${textAt(inputs, "roleAssignmentName")}`,
    outputs: ({ inputs }) => ({ name: textAt(inputs, "roleAssignmentName"), type: "Microsoft.Authorization/roleAssignments" }),
    // A role reaches the vault a while after it was given.
    timing: { create: 20, remove: 10, usableAfter: 300 },
};

const vault = named(
    {
        kind: "Microsoft.KeyVault/vaults",
        property: "vaultName",
        max: 24,
        form: /^[A-Za-z](?:[A-Za-z0-9]|-(?!-)){1,22}[A-Za-z0-9]$/,
    },
    {
        required: ["properties"],
        references: [{ path: "properties.networkAcls.virtualNetworkRules[].id", to: types.subnet, holds: false }],
        unique: ({ inputs }) => [textAt(inputs, "vaultName").toLowerCase()],
        duplicate: (name) =>
            new CloudError("VaultAlreadyExists", `The vault name '${name}' is already in use. Vault names are globally unique.`),
        verify: ({ inputs, account, object }) => {
            refuse(
                textAt(inputs, "properties.tenantId") !== tenantId,
                "BadRequest",
                "The vault's tenant must be the subscription's",
            );
            const was = object?.inputs.properties as { readonly enablePurgeProtection?: boolean } | undefined;
            const { enablePurgeProtection } = inputs.properties as { readonly enablePurgeProtection?: boolean };
            refuse(
                enablePurgeProtection === false || (was?.enablePurgeProtection === true && enablePurgeProtection !== true),
                "BadRequest",
                "The property 'enablePurgeProtection' cannot be set to false.",
            );
            for (const rule of itemsAt(inputs, "properties.networkAcls.virtualNetworkRules")) {
                const subnet = account.find(types.subnet, rule.id);
                refuse(
                    rule.ignoreMissingVnetServiceEndpoint !== true &&
                        !textsAt(subnet?.inputs, "serviceEndpoints[].service").includes("Microsoft.KeyVault"),
                    "VirtualNetworkNotValid",
                    `Subnet ${String(rule.id)} has no service endpoint Microsoft.KeyVault.`,
                );
            }
        },
        outputs: ({ inputs, account, object }) => {
            const name = textAt(inputs, "vaultName");
            // A deleted vault keeps its name for the days of its retention.
            refuse(
                object === undefined && account.next(`vault ${name.toLowerCase()}`) > 1,
                "ConflictError",
                `A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Vault: ${name}`,
            );
            return { properties: { ...(inputs.properties as object), vaultUri: `https://${name}.vault.azure.net/` } };
        },
        timing: { create: 40, update: 10, remove: 10 },
    },
);

/** Largest secret, bytes. */
const mostSecret = 25_600;

const secret: ResourceType = {
    ...named(
        {
            kind: "Microsoft.KeyVault/vaults/secrets",
            property: "secretName",
            max: 127,
            form: /^[A-Za-z0-9-]{1,127}$/,
            within: ({ account, inputs }) => vaultNamed(account, inputs),
            auto: false,
        },
        {
            required: ["vaultName", "properties"],
            references: [{ path: "vaultName", to: types.vault, holds: false }],
            replaceOn: ["vaultName"],
            verify: ({ inputs }) => {
                const bytes = Buffer.byteLength(textAt(inputs, "properties.value"));
                refuse(
                    bytes === 0 || bytes > mostSecret,
                    "BadParameter",
                    `The secret's value has ${bytes} bytes; 1 to ${mostSecret} fit`,
                );
            },
        },
    ),
    // Deleting one alone goes to the vault itself, not to Azure's management, and this machine has no door there.
    guard: () => {
        throw new CloudError("Forbidden", "Client address is not authorized and caller is not a trusted service.");
    },
    goesWith: (object, other) => other.type === types.vault && object.id.startsWith(`${other.id}/`),
};

function vaultNamed(account: AccountView, inputs: CloudObject["inputs"]): CloudObject | undefined {
    return byName(account, types.vault, inputs.resourceGroupName, "vaultName", inputs.vaultName);
}

/** Who asks a vault. */
export interface Asker {
    readonly principalIds: readonly string[];
    readonly subnetId: string;
    /** Public addresses that it comes from. */
    readonly addresses: readonly string[];
}

/** A secret of a vault as an asker may read it, or Key Vault's refusal. */
export function readSecret(account: AccountView, host: string, name: string, asker: Asker): { readonly value: string } | number {
    const found = account.list(types.vault).find(({ inputs }) => host === `${textAt(inputs, "vaultName")}.vault.azure.net`);
    if (found === undefined) {
        return 404;
    }
    const rules = (found.inputs.properties as { readonly networkAcls?: Readonly<Record<string, unknown>> }).networkAcls ?? {};
    const open =
        rules.defaultAction !== "Deny" ||
        textsAt(rules, "virtualNetworkRules[].id").some((id) => account.find(types.subnet, id)?.id === asker.subnetId) ||
        textsAt(rules, "ipRules[].value").some((range) => asker.addresses.some((address) => within(address, range)));
    const allowed = account
        .list(types.roleAssignment)
        .some(
            ({ inputs, usableAt }) =>
                usableAt <= Date.now() &&
                inputs.scope === found.id &&
                asker.principalIds.includes(textAt(inputs, "principalId")) &&
                roles[textAt(inputs, "roleDefinitionId").split("/").at(-1) ?? ""] === "read secrets",
        );
    if (!open || !allowed) {
        return 403;
    }
    const secret = account.list(types.secret).find(({ id }) => id === `${found.id}/secrets/${name}`);
    return secret === undefined ? 404 : { value: textAt(secret.inputs, "properties.value") };
}

export const identityTypes: Readonly<Record<string, ResourceType>> = {
    [types.identity]: identity,
    [types.roleAssignment]: roleAssignment,
    [types.vault]: vault,
    [types.secret]: secret,
};
