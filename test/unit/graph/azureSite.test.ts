import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { storageAccountName, vaultName } from "../../../src/azure/names.js";
import { keyWithoutOwner } from "../../../src/azure/noLogin.js";
import { checkItem } from "../../../src/azure/secretStore.js";
import { totalCost } from "../../../src/cluster/monthlyCost.js";
import { addedBetween, assertNoCycle, changedBetween, countByType, ofType, reaches, tagsOf } from "../../support/graph.js";
import type { RecordedResource, Recording } from "../../support/recorder.js";
import { existingAnswer, existingNetwork, site } from "./azureFixture.js";

const three = { license: "evaluation" } as const;

/** Sites that many tests look at, recorded once. */
const recordings = new Map<string, Promise<Recording>>();
function recorded(key: "one" | "three"): Promise<Recording> {
    const made = recordings.get(key) ?? site(key === "one" ? {} : three);
    recordings.set(key, made);
    return made;
}

/** Counts of Azure's own types, without the SDK's prefix. */
function azureCounts(recording: Recording): Record<string, number> {
    return Object.fromEntries(
        Object.entries(countByType(recording))
            .filter(([type]) => type.startsWith("azure-native:"))
            .map(([type, count]) => [type.slice("azure-native:".length), count]),
    );
}

const onceEach = {
    "resources:ResourceGroup": 1,
    "network:VirtualNetwork": 1,
    "network:Subnet": 1,
    "network:NetworkSecurityGroup": 1,
    "network:SecurityRule": 9,
    "network:PublicIPAddress": 2,
    "network:NatGateway": 1,
    "network:LoadBalancer": 1,
    "network:FlowLog": 1,
    "storage:StorageAccount": 1,
    "managedidentity:UserAssignedIdentity": 1,
    "keyvault:Vault": 1,
    "keyvault:Secret": 10,
    "authorization:RoleAssignment": 1,
    "privatedns:PrivateZone": 1,
    "privatedns:VirtualNetworkLink": 1,
};

describe("AzureSite: what is made", () => {
    it("makes one machine, disk and interface with the community licence, three with another", async () => {
        const per = (nodes: number) => ({
            ...onceEach,
            "compute:VirtualMachine": nodes,
            "compute:Disk": nodes,
            "network:NetworkInterface": nodes,
        });
        expect(azureCounts(await recorded("one"))).toEqual(per(1));
        expect(azureCounts(await recorded("three"))).toEqual(per(3));
    });

    it("makes neither network nor NAT gateway nor flow logs in a network of the user's", async () => {
        const recording = await site({ network: existingNetwork }, { calls: () => existingAnswer });
        const counts = azureCounts(recording);
        for (const type of [
            "network:VirtualNetwork",
            "network:Subnet",
            "network:NatGateway",
            "network:FlowLog",
            "storage:StorageAccount",
        ]) {
            expect(counts[type], type).toBeUndefined();
        }
        expect(counts["network:PublicIPAddress"]).toBe(1);
        expect(recording.named("a-interface-1").inputs).toMatchObject({
            networkSecurityGroup: { id: "a-brokers-firewall-id" },
            ipConfigurations: [{ privateIPAddress: "10.200.3.4", subnet: { id: existingNetwork.subnetId } }],
        });
        expect(recording.named("a-link-zone-in-network").inputs).toMatchObject({
            virtualNetwork: { id: existingNetwork.virtualNetworkId },
        });
        expect(recording.named("a-vault").inputs.properties).toMatchObject({
            networkAcls: {
                defaultAction: "Deny",
                ipRules: [{ value: "20.9.9.9/32" }],
                virtualNetworkRules: [{ id: existingNetwork.subnetId, ignoreMissingVnetServiceEndpoint: true }],
            },
        });
        expect(recording.calls).toEqual([
            {
                token: "azure-native:network:getVirtualNetwork",
                args: { resourceGroupName: "edge", virtualNetworkName: "hub" },
            },
        ]);
    });

    it("uses a resource group, an image, a package and a storage account of the user's", async () => {
        const recording = await site({
            resourceGroupName: "mine",
            broker: {
                imageId: "Canonical:ubuntu-24_04-lts:server-arm64:24.04.202607140",
                package: { url: "https://mirror.example.com/emqx.deb", sha256: "cd".repeat(32) },
            },
            flowLogs: {
                storageAccountId: "/subscriptions/s/account",
                networkWatcher: { name: "watcher", resourceGroupName: "ops" },
            },
        });
        const counts = countByType(recording);
        expect(counts["azure-native:resources:ResourceGroup"]).toBeUndefined();
        expect(counts["azure-native:storage:StorageAccount"]).toBeUndefined();
        expect(ofType(recording, ":Pin")).toEqual([]);
        expect(ofType(recording, ":PackagePin")).toEqual([]);
        expect(recording.named("a-network").inputs.resourceGroupName).toBe("mine");
        expect(recording.named("a-flow-log").inputs).toMatchObject({
            resourceGroupName: "ops",
            networkWatcherName: "watcher",
            storageId: "/subscriptions/s/account",
        });
        expect(recording.named("a-broker-1").inputs.storageProfile).toMatchObject({
            imageReference: { sku: "server-arm64", version: "24.04.202607140" },
        });
    });

    it("makes no flow logs where they are switched off", async () => {
        expect(azureCounts(await site({ flowLogs: false }))["network:FlowLog"]).toBeUndefined();
    });

    it("previews without any answer of a provider", async () => {
        const recording = await site(three, { preview: true, outputs: () => ({}) });
        expect(recording.named("a-broker-3").type).toBe("azure-native:compute:VirtualMachine");
    });

    it("puts every resource below the site, in its region and its group, with its tags", async () => {
        const recording = await site({ tags: { team: "fleet", "linkspan-site": "mine" } });
        const azure = recording.resources.filter(({ type }) => type.startsWith("azure-native:"));
        expect(azure.map(({ parent }) => parent)).toEqual(azure.map(() => "a"));
        const untagged = ["network:SecurityRule", "network:Subnet", "keyvault:Secret", "authorization:RoleAssignment"];
        for (const resource of azure) {
            const location = resource.type.startsWith("azure-native:privatedns:") ? "global" : "westeurope";
            if (untagged.some((type) => resource.type.endsWith(type))) {
                expect(resource.inputs.location, resource.name).toBeUndefined();
                continue;
            }
            expect(resource.inputs.location, resource.name).toBe(location);
            expect(tagsOf(resource), resource.name).toEqual({
                "linkspan-mesh": "fleet",
                "linkspan-site": "mine",
                team: "fleet",
            });
        }
    });
});

describe("AzureSite: firewall", () => {
    const summary = ({ inputs }: RecordedResource) => {
        const who =
            inputs.direction === "Inbound"
                ? (inputs.sourceAddressPrefix ?? inputs.sourceAddressPrefixes)
                : (inputs.destinationAddressPrefix ?? inputs.destinationAddressPrefixes);
        const ports = inputs.destinationPortRange ?? inputs.destinationPortRanges;
        return `${inputs.direction} ${inputs.priority} ${inputs.access} ${inputs.protocol} ${who} ${ports}`;
    };

    it("keeps the group without rules of its own and every rule apart", async () => {
        const recording = await recorded("one");
        expect(recording.named("a-brokers-firewall").inputs.securityRules).toBeUndefined();
        expect(ofType(recording, ":SecurityRule").map(summary).sort()).toEqual(
            [
                "Inbound 100 Allow Tcp 10.1.0.0/24 4370,5370",
                "Inbound 110 Allow Tcp AzureLoadBalancer 18084",
                "Inbound 120 Allow Tcp Internet 8883",
                "Inbound 130 Allow Tcp 203.0.113.7/32 18084",
                "Inbound 4096 Deny * * *",
                "Outbound 100 Allow Tcp 10.1.0.0/24 4370,5370",
                "Outbound 140 Allow Tcp Internet 80,443",
                "Outbound 150 Allow Udp Internet 123",
                "Outbound 4096 Deny * * *",
            ].sort(),
        );
    });

    it("lets in listed devices and administrators, without ranges that lie in others", async () => {
        const recording = await site({
            clientCidrs: ["198.51.100.0/24", "198.51.100.7"],
            adminCidrs: ["203.0.113.7/32", "10.77.0.0/16", "203.0.113.0/24"],
            reach: "direct",
        });
        expect(recording.named("a-clients-in").inputs.sourceAddressPrefixes).toEqual([
            "198.51.100.0/24",
            "10.77.0.0/16",
            "203.0.113.0/24",
        ]);
        expect(recording.named("a-admins-in").inputs.sourceAddressPrefixes).toEqual(["10.77.0.0/16", "203.0.113.0/24"]);
        expect(summary(recording.named("a-private-clients-in"))).toBe("Inbound 121 Allow Tcp 10.77.0.0/16 8883");
    });

    it("gives each direction's priorities once, within what Azure takes", async () => {
        const recording = await site({ reach: "direct", adminCidrs: ["10.77.0.0/16"] });
        for (const direction of ["Inbound", "Outbound"]) {
            const priorities = ofType(recording, ":SecurityRule")
                .filter(({ inputs }) => inputs.direction === direction)
                .map(({ inputs }) => Number(inputs.priority));
            expect(new Set(priorities).size).toBe(priorities.length);
            expect(Math.min(...priorities)).toBeGreaterThanOrEqual(100);
            expect(Math.max(...priorities)).toBe(4096);
        }
    });

    it("never opens the plain management port or a login", async () => {
        const recording = await site({ reach: "direct", adminCidrs: ["10.77.0.0/16"] });
        const open = ofType(recording, ":SecurityRule")
            .filter(({ inputs }) => inputs.access === "Allow")
            .flatMap(({ inputs }) => inputs.destinationPortRanges as string[]);
        expect(open.filter((port) => ["22", "3389", "18083", "1883", "*"].includes(port))).toEqual([]);
    });
});

describe("AzureSite: network and doors", () => {
    it("makes a network with Azure's own name servers and a subnet apart from it", async () => {
        const recording = await site({ cidr: "10.64.0.0/18" });
        const { inputs } = recording.named("a-network");
        expect(inputs.addressSpace).toEqual({ addressPrefixes: ["10.64.0.0/18"] });
        expect(inputs.subnets).toBeUndefined();
        expect(inputs.dhcpOptions).toBeUndefined();
        expect(recording.named("a-brokers-subnet").inputs).toMatchObject({
            addressPrefix: "10.64.0.0/26",
            natGateway: { id: "a-nat-id" },
            networkSecurityGroup: { id: "a-brokers-firewall-id" },
            defaultOutboundAccess: false,
        });
    });

    it("changes the network and the group by one operation at a time", async () => {
        const recording = await recorded("one");
        for (const { name } of ofType(recording, ":SecurityRule")) {
            expect(reaches(recording, "a-brokers-subnet", name), name).toBe(true);
        }
        expect(reaches(recording, "a-link-zone-in-network", "a-brokers-subnet")).toBe(true);
        expect(reaches(recording, "a-flow-log", "a-link-zone-in-network")).toBe(true);
    });

    it("reserves two addresses that outlive a zone and wait for nothing", async () => {
        const recording = await site({ zones: ["2"] });
        for (const name of ["a-egress", "a-doors-address"]) {
            expect(recording.named(name).inputs).toMatchObject({
                sku: { name: "Standard" },
                publicIPAllocationMethod: "Static",
                zones: ["1", "2", "3"],
            });
            expect(recording.named(name).dependencies).toEqual(["a-group"]);
        }
        expect(recording.named("a-nat").inputs).toMatchObject({
            sku: { name: "Standard" },
            publicIpAddresses: [{ id: "a-egress-id" }],
            idleTimeoutInMinutes: 15,
        });
    });

    it("passes three ports through a Standard load balancer and probes what brokers say of themselves", async () => {
        const { inputs } = (await recorded("one")).named("a-doors");
        expect(inputs).toMatchObject({
            sku: { name: "Standard" },
            loadBalancerName: "fleet-a-doors",
            frontendIPConfigurations: [{ name: "public", publicIPAddress: { id: "a-doors-address-id" } }],
            backendAddressPools: [{ name: "brokers" }],
            probes: [{ protocol: "Https", port: 18084, requestPath: "/api/v5/load_rebalance/availability_check" }],
        });
        const rules = inputs.loadBalancingRules as Record<string, unknown>[];
        expect(rules.map(({ frontendPort, backendPort }) => [frontendPort, backendPort])).toEqual([
            [8883, 8883],
            [8884, 8884],
            [18084, 18084],
        ]);
        for (const rule of rules) {
            expect(rule).toMatchObject({
                protocol: "Tcp",
                disableOutboundSnat: true,
                enableTcpReset: true,
                enableFloatingIP: false,
                idleTimeoutInMinutes: 30,
                probe: { id: expect.stringMatching(/\/loadBalancers\/fleet-a-doors\/probes\/availability$/) },
            });
        }
    });

    it("leads a public name to the doors and puts it into the certificate", async () => {
        const dns = { zoneName: "example.com", resourceGroupName: "names", name: "mqtt.eu.example.com" };
        const recording = await site({ dns });
        expect(recording.named("a-public-name").inputs).toMatchObject({
            resourceGroupName: "names",
            zoneName: "example.com",
            relativeRecordSetName: "mqtt.eu",
            recordType: "A",
            aRecords: [{ ipv4Address: "20.0.1.2" }],
        });
        expect(recording.named("a-server-certificate").inputs.dnsNames).toContain("mqtt.eu.example.com");
        const apex = await site({ dns: { ...dns, name: "example.com" } });
        expect(apex.named("a-public-name").inputs.relativeRecordSetName).toBe("@");
    });
});

describe("AzureSite: machines", () => {
    it("has a fixed address, no public one, and a place behind the load balancer", async () => {
        const recording = await recorded("three");
        for (const key of ["1", "2", "3"]) {
            const { inputs } = recording.named(`a-interface-${key}`);
            expect(inputs).toMatchObject({
                enableIPForwarding: false,
                enableAcceleratedNetworking: true,
                ipConfigurations: [
                    {
                        privateIPAllocationMethod: "Static",
                        privateIPAddress: `10.1.0.${3 + Number(key)}`,
                        subnet: { id: "a-brokers-subnet-id" },
                        loadBalancerBackendAddressPools: [{ id: "a-doors-id/backendAddressPools/brokers" }],
                    },
                ],
            });
            expect(JSON.stringify(inputs)).not.toContain("publicIPAddress");
            expect(recording.named(`a-broker-${key}`).inputs.zones).toEqual([key]);
            expect(recording.named(`a-data-${key}`).inputs.zones).toEqual([key]);
        }
    });

    it("makes an ARM machine whose image is exact, whose disk outlives it and into which nobody logs in", async () => {
        const machine = (await recorded("one")).named("a-broker-1");
        expect(machine.inputs).toMatchObject({
            hardwareProfile: { vmSize: "Standard_D2ps_v6" },
            identity: { type: "UserAssigned", userAssignedIdentities: ["a-identity-id"] },
            networkProfile: { networkInterfaces: [{ id: "a-interface-1-id", deleteOption: "Detach" }] },
            osProfile: {
                allowExtensionOperations: false,
                linuxConfiguration: { disablePasswordAuthentication: true, ssh: { publicKeys: [{ keyData: keyWithoutOwner }] } },
            },
            storageProfile: {
                imageReference: {
                    publisher: "Canonical",
                    offer: "ubuntu-24_04-lts",
                    sku: "server-arm64",
                    version: expect.stringMatching(/^24\.04\.\d{9}$/),
                },
                osDisk: { createOption: "FromImage", deleteOption: "Delete" },
                dataDisks: [{ lun: 0, createOption: "Attach", deleteOption: "Detach", managedDisk: { id: "a-data-1-id" } }],
            },
            diagnosticsProfile: { bootDiagnostics: { enabled: true } },
        });
        expect(machine.inputs.osProfile).not.toHaveProperty("adminPassword");
        expect(machine.inputs.securityProfile).toEqual({});
        expect(machine.deleteBeforeReplace).toBe(true);
        expect(machine.replaceOnChanges).toEqual(
            expect.arrayContaining(["hardwareProfile", "osProfile", "storageProfile", "zones"]),
        );
        expect(machine.customTimeouts).toEqual({ create: "30m", update: "30m", delete: "30m" });
    });

    it("makes an Intel machine with trusted launch, a customer's key and encryption at the host", async () => {
        const recording = await site({
            broker: { architecture: "x86_64" },
            diskEncryptionSetId: "/subscriptions/s/resourceGroups/keys/providers/Microsoft.Compute/diskEncryptionSets/mine",
            encryptionAtHost: true,
        });
        const { inputs } = recording.named("a-broker-1");
        expect(inputs).toMatchObject({
            hardwareProfile: { vmSize: "Standard_D2s_v5" },
            securityProfile: {
                encryptionAtHost: true,
                securityType: "TrustedLaunch",
                uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
            },
            storageProfile: {
                imageReference: { sku: "server" },
                osDisk: { managedDisk: { diskEncryptionSet: { id: expect.stringContaining("/mine") } } },
            },
        });
        expect(recording.named("a-data-1").inputs.encryption).toMatchObject({
            type: "EncryptionAtRestWithCustomerKey",
            diskEncryptionSetId: expect.stringContaining("/mine"),
        });
    });

    it("takes the processor from the size, and leaves acceleration to sizes that have it", async () => {
        const intel = await site({ broker: { size: "Standard_B2s" } });
        expect(intel.named("a-broker-1").inputs.storageProfile).toMatchObject({ imageReference: { sku: "server" } });
        expect(intel.named("a-interface-1").inputs.enableAcceleratedNetworking).toBe(false);
        const arm = await site({ broker: { size: "Standard_B2pts_v2" } });
        expect(arm.named("a-broker-1").inputs.storageProfile).toMatchObject({ imageReference: { sku: "server-arm64" } });
        expect(arm.named("a-interface-1").inputs.enableAcceleratedNetworking).toBe(true);
    });

    it("keeps data disks encrypted, closed to downloads, and protected where asked", async () => {
        expect((await recorded("one")).named("a-data-1")).toMatchObject({
            protect: false,
            inputs: {
                diskSizeGB: 20,
                creationData: { createOption: "Empty" },
                encryption: { type: "EncryptionAtRestWithPlatformKey" },
                networkAccessPolicy: "DenyAll",
                publicNetworkAccess: "Disabled",
            },
        });
        const guarded = await site({ broker: { protectData: true, retainData: true, dataDiskGb: 100 } });
        expect(guarded.named("a-data-1")).toMatchObject({ protect: true, retainOnDelete: true, inputs: { diskSizeGB: 100 } });
    });

    it("boots a machine after its way out, its rules, its secrets and the right to read them", async () => {
        const recording = await recorded("one");
        for (const name of [
            "a-brokers-subnet",
            "a-nat",
            "a-deny-in",
            "a-deny-out",
            "a-cluster-in",
            "a-web-out",
            "a-secret-cookie",
            "a-secret-link-key",
            "a-vault-reader",
            "a-data-1",
            "a-interface-1",
            "a-doors",
            "a-departure-1",
        ]) {
            expect(reaches(recording, "a-broker-1", name), name).toBe(true);
        }
    });

    it("changes one node at a time, by what Azure says of the machine", async () => {
        const recording = await recorded("three");
        expect(reaches(recording, "a-broker-2", "a-membership-1")).toBe(true);
        expect(reaches(recording, "a-broker-3", "a-membership-2")).toBe(true);
        expect(reaches(recording, "a-broker-1", "a-membership-2")).toBe(false);
        const { inputs, propertyDependencies } = recording.named("a-membership-2");
        expect(inputs.gate).toMatchObject({ instance: "a-broker-2 number", size: "Standard_D2ps_v6", version: "5.10.3" });
        expect(propertyDependencies.gate).toContain("a-broker-2");
        expect(inputs.members).toEqual(["emqx@10.1.0.4", "emqx@10.1.0.5", "emqx@10.1.0.6"]);
    });

    it("keeps the doors until the last node has left", async () => {
        const recording = await recorded("three");
        for (const node of ["1", "2", "3"]) {
            for (const door of ["a-doors", "a-admins-in", "a-probes-in", "a-doors-address"]) {
                expect(reaches(recording, `a-membership-${node}`, door), `${node} ${door}`).toBe(true);
                expect(reaches(recording, `a-departure-${node}`, door), `${node} ${door}`).toBe(true);
            }
        }
        assertNoCycle(recording);
    });

    it("has a key without an owner: a hash that is a point of the curve", () => {
        const blob = Buffer.from(keyWithoutOwner.split(" ")[1] ?? "", "base64");
        const point = blob.subarray(blob.length - 32);
        expect(point).toEqual(createHash("sha256").update("linkspan: a public key without a private key 0").digest());
        expect(isOnCurve(point)).toBe(true);
        expect(isOnCurve(Buffer.from([2, ...Array.from({ length: 31 }, () => 0)]))).toBe(false);
    });
});

/** Whether 32 bytes are a point of edwards25519: whether x² = (y² - 1) / (d y² + 1) has a root. */
function isOnCurve(bytes: Buffer): boolean {
    const p = 2n ** 255n - 19n;
    const power = (base: bigint, exponent: bigint): bigint =>
        exponent === 0n ? 1n : ((exponent % 2n === 1n ? base : 1n) * power((base * base) % p, exponent / 2n)) % p;
    const inverse = (value: bigint) => power(value, p - 2n);
    const d = ((p - 121665n) * inverse(121666n)) % p;
    const little = Buffer.from(bytes);
    little[31] = (little[31] ?? 0) & 127;
    const y = BigInt(`0x${Buffer.from(little).reverse().toString("hex")}`);
    const square = ((y * y - 1n + p) * inverse((d * y * y + 1n) % p)) % p;
    return square === 0n || power(square, (p - 1n) / 2n) === 1n;
}

describe("AzureSite: secrets", () => {
    it("closes the vault to everybody but the brokers' subnet", async () => {
        const recording = await recorded("one");
        expect(recording.named("a-vault").inputs).toMatchObject({
            vaultName: expect.stringMatching(/^a-[0-9a-f]{8}$/),
            properties: {
                tenantId: "tenant",
                enableRbacAuthorization: true,
                enablePurgeProtection: true,
                networkAcls: {
                    defaultAction: "Deny",
                    virtualNetworkRules: [{ id: "a-brokers-subnet-id" }],
                    ipRules: [],
                },
            },
        });
        expect(recording.named("a-brokers-subnet").inputs.serviceEndpoints).toEqual([{ service: "Microsoft.KeyVault" }]);
    });

    it("lets the brokers' identity read secrets of its own vault and nothing else", async () => {
        const recording = await recorded("one");
        expect(ofType(recording, ":RoleAssignment")).toHaveLength(1);
        expect(recording.named("a-vault-reader").inputs).toMatchObject({
            scope: "a-vault-id",
            principalId: "a-identity principal",
            principalType: "ServicePrincipal",
            roleDefinitionId: expect.stringMatching(/roleDefinitions\/4633458b-17de-408a-b874-0445c86b69e6$/),
        });
    });

    it("stores every boot item as a secret and deletes none alone", async () => {
        const secrets = ofType(await recorded("one"), ":keyvault:Secret".slice(1));
        expect(secrets).toHaveLength(10);
        for (const { name, secrets: paths, retainOnDelete } of secrets) {
            expect(paths, name).toEqual(["properties.value"]);
            expect(retainOnDelete, name).toBe(true);
        }
    });

    it("lets no secret out of what is secret", async () => {
        const recording = await recorded("three");
        const dynamic = (type: string) => type.startsWith("pulumi-nodejs:dynamic/linkspan:");
        for (const { name, type, inputs, secrets } of recording.resources.filter((one) => !dynamic(one.type))) {
            const open = type.endsWith("keyvault:Secret") ? { ...inputs, properties: undefined } : inputs;
            const text = `${JSON.stringify(open)} ${Buffer.from(customDataOf(inputs), "base64")}`;
            expect(text, name).not.toMatch(/SECRET |KEY a-|KEY fleet/);
            expect(type.endsWith("keyvault:Secret") ? [] : secrets, name).toEqual([]);
        }
        for (const key of ["1", "2", "3"]) {
            expect(recording.named(`a-membership-${key}`).secrets).toContain("api");
            expect(recording.named(`a-departure-${key}`).secrets).toContain("api");
        }
    });

    it("refuses an item that Azure would not take, without its text", () => {
        expect(checkItem("users", "x".repeat(25 * 1024))).toHaveLength(25 * 1024);
        expect(() => checkItem("users", "x".repeat(25 * 1024 + 1))).toThrow(
            "users: the item users has 25601 bytes, and a secret of Azure holds 25600; give fewer users here and make the others over EMQX's API",
        );
        expect(() => checkItem("license", "hidden".repeat(10_000))).toThrow(/^(?!.*hidden)license: /);
    });
});

function customDataOf(inputs: Readonly<Record<string, unknown>>): string {
    const profile = inputs.osProfile as { readonly customData?: string } | undefined;
    return profile?.customData ?? "";
}

describe("AzureSite: boot data", () => {
    it("is what the own site says, the same for the same site, within Azure's limit", async () => {
        const recording = await recorded("three");
        const again = await site(three);
        for (const key of ["1", "2", "3"]) {
            const data = customDataOf(recording.named(`a-broker-${key}`).inputs);
            expect(data).toBe(customDataOf(again.named(`a-broker-${key}`).inputs));
            const text = Buffer.from(data, "base64").toString();
            expect(text.startsWith("#cloud-config\n")).toBe(true);
            expect(text).toContain("/dev/disk/azure/data/by-lun/0");
            expect(text).toMatch(/https:\/\/a-[0-9a-f]{8}\.vault\.azure\.net/);
            expect(Buffer.from(data, "base64").length).toBeLessThan(65_535);
        }
    });
});

describe("AzureSite: what does not change", () => {
    it("keeps everything when a zone is added at the end", async () => {
        const broker = { nodes: 2 };
        const before = await site({ ...three, broker, zones: ["1", "2"] });
        const after = await site({ ...three, broker, zones: ["1", "2", "3"] });
        expect(changedBetween(before, after)).toEqual([]);
        expect(addedBetween(before, after)).toEqual([]);
    });

    it("adds a node without touching machines, doors, rules or boot data", async () => {
        const before = await site({ ...three, broker: { nodes: 3 } });
        const after = await site({ ...three, broker: { nodes: 5 } });
        // The others learn of it: who must be in the cluster, and the addresses that the certificate carries.
        expect(changedBetween(before, after)).toEqual([
            "a-membership-1",
            "a-membership-2",
            "a-membership-3",
            "a-server-certificate",
        ]);
        expect(addedBetween(before, after)).toEqual(
            ["4", "5"]
                .flatMap((key) => ["broker", "data", "departure", "interface", "membership"].map((what) => `a-${what}-${key}`))
                .sort(),
        );
    });

    it("renames nothing when devices' ranges change their order", async () => {
        const before = await site({ clientCidrs: ["198.51.100.0/24", "192.0.2.0/24"] });
        const after = await site({ clientCidrs: ["192.0.2.0/24", "198.51.100.0/24"] });
        expect(addedBetween(before, after)).toEqual([]);
        expect(changedBetween(before, after)).toEqual(["a-clients-in"]);
    });
});

describe("AzureSite: names", () => {
    const longSite = "a-site-with-24-characters".slice(0, 24);
    // A cluster's name is a label of a host name in its certificate: 63 characters with the mesh's and the hyphen between.
    const longMesh = "m".repeat(38);

    it("fit what Azure takes for the longest site and mesh", async () => {
        const recording = await site({ meshId: longMesh, license: "evaluation", broker: { nodes: 7 } }, { name: longSite });
        const ending = 8;
        for (const { name, type } of recording.resources.filter((one) => one.type.startsWith("azure-native:"))) {
            const longest = /VirtualNetwork$|VirtualMachine$/.test(type) ? 64 : 80;
            expect(name.length + ending, name).toBeLessThanOrEqual(longest);
            expect(name, name).toMatch(/^[a-z][a-z0-9-]*$/);
        }
        expect(String(recording.named(`${longSite}-doors`).inputs.loadBalancerName).length).toBeLessThanOrEqual(80);
        expect(recording.named(`${longSite}-vault`).inputs.vaultName).toMatch(/^[a-z][a-z0-9-]{1,22}[a-z0-9]$/);
        expect(recording.named(`${longSite}-flow-log-account`).inputs.accountName).toMatch(/^[a-z0-9]{3,24}$/);
        const profile = recording.named(`${longSite}-broker-7`).inputs.osProfile as { readonly computerName: string };
        expect(profile.computerName.length).toBeLessThanOrEqual(64);
    });

    it("end in a hyphen nowhere and never hold two", () => {
        expect(vaultName("a-site-with-24-charact", "0123abcd")).toBe("a-site-with-24-0123abcd");
        expect(vaultName("a", "0123abcd")).toBe("a-0123abcd");
        expect(storageAccountName("a-site-with-24-characters", "0123abcd")).toBe("asitewith24chara0123abcd");
    });
});

describe("AzureSite: costs", () => {
    it("says what is known and what is left out, and the class comment says the same", async () => {
        const { outputs } = await recorded("one");
        const made = outputs as { readonly monthlyCosts: Parameters<typeof totalCost>[0] };
        const { usd, without } = totalCost(made.monthlyCosts);
        expect(usd).toBe(93.65);
        expect(without).toContain("1 load balancer with 3 rules");
        expect(readFileSync(join(__dirname, "../../../src/azure/site.ts"), "utf8")).toContain(`${usd} USD`);
        for (const { what, source, date } of made.monthlyCosts) {
            expect(source, what).not.toBe("");
            expect(date, what).toMatch(/^\d{4}-\d{2}(-\d{2})?$/);
        }
    });
});
