import { AzureSite, type AzureSiteArgs } from "../../../src/azure/index.js";
import { type RecordOptions, record } from "../../support/recorder.js";

const group = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/edge";

/** What the providers would answer: enough for every output to be known. */
export const outputs = (type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> => {
    if (type.startsWith("azure-native:")) {
        return azureOutputs(type, name, inputs);
    }
    switch (type.split(":").at(-1)) {
        case "MeshCa":
        case "Certificate":
            return { certPem: `CERT ${name}`, keyPem: `KEY ${name}`, notAfter: "2036-01-01T00:00:00.000Z" };
        case "Secrets":
            return { values: Object.fromEntries((inputs.names as string[]).map((one) => [one, `SECRET ${name} ${one}`])) };
        case "Pin":
            return { pinned: inputs.value };
        case "PackagePin":
            return { sha256: "ab".repeat(32), bytes: 1 };
        case "NodeMembership":
            return { joinedAt: "2026-01-01T00:00:00.000Z" };
        case "LinkPath":
            return { reached: inputs.host };
        case "PathSwitch":
            return { movedAt: "2026-01-01T00:00:00.000Z" };
        case "ClusterPreflight":
            return { version: "5.10.3", licenseType: "community", nodes: 1 };
        case "ClusterLink":
            return { status: "connected", changedAt: "2026-01-01T00:00:00.000Z" };
        case "DeliveryProbe":
            return { results: [] };
        default:
            return {};
    }
};

function azureOutputs(type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> {
    switch (type) {
        case "azure-native:resources:ResourceGroup":
            return { name: `${name}-12345678` };
        case "azure-native:network:PublicIPAddress":
            return { ipAddress: `20.0.${siteNumberOf(name)}.${hostOf(name)}`, name };
        case "azure-native:managedidentity:UserAssignedIdentity":
            return { clientId: `${name} client`, principalId: `${name} principal`, tenantId: "tenant" };
        case "azure-native:keyvault:Vault":
            return {
                name: inputs.vaultName,
                properties: { ...(inputs.properties as object), vaultUri: `https://${inputs.vaultName}.vault.azure.net/` },
            };
        case "azure-native:compute:VirtualMachine":
            return { vmId: `${name} number` };
        default:
            return { name: `${name}-made` };
    }
}

/** A number for each address of a site. */
function hostOf(name: string): number {
    const endings = ["-egress", "-doors-address", "-vpn-address-0", "-vpn-address-1"];
    return endings.findIndex((ending) => name.endsWith(ending)) + 1;
}

/** A number for each site of the tests, so that their addresses differ. */
function siteNumberOf(name: string): number {
    return name.charCodeAt(0) - "a".charCodeAt(0) + 1;
}

/** What Azure would answer of a network of the user's. */
export const existingNetwork = {
    virtualNetworkId: `${group}/providers/Microsoft.Network/virtualNetworks/hub`,
    cidr: "10.200.0.0/16",
    subnetId: `${group}/providers/Microsoft.Network/virtualNetworks/hub/subnets/brokers`,
    subnetCidr: "10.200.3.0/24",
    egressAddresses: ["20.9.9.9"],
} as const;

export const existingAnswer = {
    id: existingNetwork.virtualNetworkId,
    name: "hub",
    addressSpace: { addressPrefixes: ["10.200.0.0/16"] },
    subnets: [
        {
            id: existingNetwork.subnetId.toUpperCase(),
            name: "brokers",
            addressPrefix: "10.200.3.0/24",
            natGateway: { id: `${group}/providers/Microsoft.Network/natGateways/way-out` },
        },
    ],
};

export const minimal = { siteNumber: 1, location: "westeurope", adminCidrs: ["203.0.113.7/32"], meshId: "fleet" } as const;

/** Records a program that makes one Azure site. */
export const site = (
    args: Partial<AzureSiteArgs> = {},
    { name = "a", ...options }: RecordOptions & { readonly name?: string } = {},
) => record(() => ({ monthlyCosts: new AzureSite(name, { ...minimal, ...args }).monthlyCosts }), { outputs, ...options });

/** Records a program that makes nothing but a site that is refused. */
export const refusal = (args: Partial<AzureSiteArgs>, name = "a") =>
    record(() => void new AzureSite(name, { ...minimal, ...args }), { outputs }).then(
        () => "nothing was refused",
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
