import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DirectCloud } from "../directCloud.js";
import type { Props } from "../types.mts";
import { route } from "./doors.mts";
import { admits } from "./firewall.mts";
import { azure } from "./index.mts";
import { types } from "./tokens.mts";

let cloud: DirectCloud;
beforeEach(async () => {
    cloud = new DirectCloud(azure);
    await cloud.create(types.resourceGroup, { resourceGroupName: "group", location: "westeurope" });
});
afterEach(() => cloud.dispose());

const at = { resourceGroupName: "group", location: "westeurope" };
const make = (type: string, inputs: Props, name?: string) => cloud.create(type, { ...at, ...inputs }, name);

async function makeNetwork() {
    const whole = await make(types.virtualNetwork, {
        virtualNetworkName: "net",
        addressSpace: { addressPrefixes: ["10.1.0.0/16"] },
    });
    const group = await make(types.securityGroup, { networkSecurityGroupName: "rules" });
    const subnet = await make(types.subnet, {
        subnetName: "brokers",
        virtualNetworkName: "net",
        addressPrefix: "10.1.0.0/24",
        networkSecurityGroup: { id: group.id },
        serviceEndpoints: [{ service: "Microsoft.KeyVault" }],
    });
    return { whole, group, subnet };
}

const card = (subnetId: string, more: Props = {}, configuration: Props = {}) => ({
    ipConfigurations: [
        {
            name: "broker",
            subnet: { id: subnetId },
            privateIPAllocationMethod: "Static",
            privateIPAddress: "10.1.0.4",
            ...configuration,
        },
    ],
    ...more,
});

const rule = (more: Props) => ({
    networkSecurityGroupName: "rules",
    direction: "Inbound",
    access: "Allow",
    priority: 100,
    protocol: "Tcp",
    sourceAddressPrefix: "*",
    sourcePortRange: "*",
    destinationAddressPrefix: "*",
    destinationPortRange: "8883",
    ...more,
});

describe("networks of the simulated Azure", () => {
    it("take one operation at a time", async () => {
        const slow = new DirectCloud(azure, {}, 1);
        try {
            const place = { ...at, virtualNetworkName: "net" };
            await slow.create(types.resourceGroup, { resourceGroupName: "group", location: "westeurope" });
            await slow.create(types.virtualNetwork, { ...place, addressSpace: { addressPrefixes: ["10.1.0.0/16"] } });
            const one = slow.create(types.subnet, { ...place, subnetName: "a", addressPrefix: "10.1.0.0/24" });
            const other = slow.create(types.subnet, { ...place, subnetName: "b", addressPrefix: "10.1.1.0/24" });
            await expect(other).rejects.toThrow('Code="AnotherOperationInProgress"');
            await one;
        } finally {
            slow.dispose();
        }
    });

    it("refuse subnets outside their range or over another, and reserved or taken addresses", async () => {
        const { subnet } = await makeNetwork();
        const place = { virtualNetworkName: "net" };
        await expect(make(types.subnet, { ...place, subnetName: "out", addressPrefix: "10.2.0.0/24" })).rejects.toThrow(
            "NetcfgInvalidSubnet",
        );
        await expect(make(types.subnet, { ...place, subnetName: "over", addressPrefix: "10.1.0.128/25" })).rejects.toThrow(
            "NetcfgSubnetRangesOverlap",
        );
        for (const privateIPAddress of ["10.1.0.3", "10.1.0.255", "10.1.1.4"]) {
            await expect(make(types.networkInterface, card(subnet.id, {}, { privateIPAddress }))).rejects.toThrow(
                "PrivateIPAddressInReservedRange",
            );
        }
        await make(types.networkInterface, card(subnet.id), "first");
        await expect(make(types.networkInterface, card(subnet.id), "second")).rejects.toThrow("PrivateIPAddressIsAllocated");
    });

    it("refuse to delete what is in use", async () => {
        const { whole, group, subnet } = await makeNetwork();
        await expect(cloud.remove(types.virtualNetwork, whole.id)).rejects.toThrow("InUseVirtualNetworkCannotBeDeleted");
        await expect(cloud.remove(types.securityGroup, group.id)).rejects.toThrow("InUseNetworkSecurityGroupCannotBeDeleted");
        await cloud.remove(types.subnet, subnet.id);
        await cloud.remove(types.securityGroup, group.id);
        await cloud.remove(types.virtualNetwork, whole.id);
        expect(cloud.account.objects().map(({ type }) => type)).toEqual([types.resourceGroup]);
    });

    it("share no public address, and want static ones", async () => {
        await expect(
            make(types.publicAddress, { sku: { name: "Standard" }, publicIPAllocationMethod: "Dynamic" }),
        ).rejects.toThrow("PublicIPAllocationMethodInvalid");
        const address = await make(types.publicAddress, { sku: { name: "Standard" }, publicIPAllocationMethod: "Static" });
        const gateway = { sku: { name: "Standard" }, publicIpAddresses: [{ id: address.id }] };
        await make(types.natGateway, gateway, "one");
        await expect(make(types.natGateway, gateway, "other")).rejects.toThrow("PublicIPAddressInUse");
    });
});

describe("rules of the simulated Azure", () => {
    it("have a priority once in each direction", async () => {
        await makeNetwork();
        await make(types.securityRule, rule({ securityRuleName: "a" }));
        await expect(make(types.securityRule, rule({ securityRuleName: "b" }))).rejects.toThrow("SecurityRuleConflict");
        await make(types.securityRule, rule({ securityRuleName: "c", direction: "Outbound" }));
        await expect(make(types.securityRule, rule({ securityRuleName: "d", priority: 4097 }))).rejects.toThrow(
            "SecurityRuleInvalidPriority",
        );
        const overlapping = { sourceAddressPrefix: undefined, sourceAddressPrefixes: ["20.0.0.0/24", "20.0.0.7/32"] };
        await expect(make(types.securityRule, rule({ ...overlapping, priority: 200 }))).rejects.toThrow("overlapping");
    });

    it("end with Azure's own: the network may come in, probes too, all may go out", async () => {
        const { subnet } = await makeNetwork();
        await make(types.networkInterface, card(subnet.id));
        const [found] = cloud.view.list(types.networkInterface);
        if (found === undefined) {
            throw new Error("there is no interface");
        }
        const inward = (from: string, port: number) =>
            admits(cloud.view, found, { direction: "Inbound", from, to: "10.1.0.4", port });
        expect(inward("10.1.77.1", 4370)).toBe(true);
        expect(inward("168.63.129.16", 18084)).toBe(true);
        expect(inward("203.0.113.9", 8883)).toBe(false);
        expect(admits(cloud.view, found, { direction: "Outbound", from: "10.1.0.4", to: "203.0.113.9", port: 8884 })).toBe(true);
        await make(
            types.securityRule,
            rule({ securityRuleName: "deny", access: "Deny", priority: 4096, destinationPortRange: "*" }),
        );
        expect(inward("10.1.77.1", 4370)).toBe(false);
        expect(inward("168.63.129.16", 18084)).toBe(false);
        await make(types.securityRule, rule({ securityRuleName: "clients", priority: 120, sourceAddressPrefix: "Internet" }));
        expect(inward("203.0.113.9", 8883)).toBe(true);
        expect(inward("10.1.77.1", 8883)).toBe(false);
    });
});

describe("load balancers of the simulated Azure", () => {
    it("refuse rules that name parts which are not theirs", async () => {
        const address = await make(types.publicAddress, { sku: { name: "Standard" }, publicIPAllocationMethod: "Static" });
        const self =
            "/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/group/providers/Microsoft.Network/loadBalancers/doors";
        const balancer = (pool: string) => ({
            loadBalancerName: "doors",
            sku: { name: "Standard" },
            frontendIPConfigurations: [{ name: "public", publicIPAddress: { id: address.id } }],
            backendAddressPools: [{ name: "brokers" }],
            probes: [{ name: "up", protocol: "Https", port: 18084, requestPath: "/", intervalInSeconds: 5 }],
            loadBalancingRules: [
                {
                    name: "clients",
                    protocol: "Tcp",
                    frontendPort: 8883,
                    backendPort: 8883,
                    frontendIPConfiguration: { id: `${self}/frontendIPConfigurations/public` },
                    backendAddressPool: { id: `${self}/backendAddressPools/${pool}` },
                    probe: { id: `${self}/probes/up` },
                },
            ],
        });
        await expect(make(types.loadBalancer, balancer("others"))).rejects.toThrow("InvalidResourceReference");
        await make(types.loadBalancer, balancer("brokers"));
        const connection = { source: "203.0.113.9", address: String(address.ipAddress), port: 8883 };
        expect(route(cloud.view, connection, () => true)).toEqual({
            dropped: `no machine stands behind ${String(address.ipAddress)}`,
        });
        expect(route(cloud.view, { ...connection, port: 1 }, () => true)).toMatchObject({
            dropped: expect.stringContaining("no load balancer takes connections to port 1"),
        });
        expect(route(cloud.view, { ...connection, address: "198.51.100.1" }, () => true)).toBeUndefined();
    });
});

describe("vaults of the simulated Azure", () => {
    const properties = { sku: { family: "A", name: "standard" }, tenantId: "99999999-8888-7777-6666-555555555555" };

    it("keep their names after they were deleted, and take their secrets along", async () => {
        const vault = await make(types.vault, { vaultName: "edge-0123", properties });
        await cloud.create(types.secret, { ...at, vaultName: "edge-0123", secretName: "ca", properties: { value: "pem" } });
        expect(cloud.view.list(types.secret)).toHaveLength(1);
        await cloud.remove(types.vault, vault.id);
        expect(cloud.view.list(types.secret)).toHaveLength(0);
        await expect(make(types.vault, { vaultName: "edge-0123", properties })).rejects.toThrow("deleted state");
        await make(types.vault, { vaultName: "edge-4567", properties });
    });

    it("let no single secret be deleted from outside, and want names and endpoints that fit", async () => {
        await make(types.vault, { vaultName: "edge-0123", properties });
        const secret = await cloud.create(types.secret, {
            ...at,
            vaultName: "edge-0123",
            secretName: "ca",
            properties: { value: "pem" },
        });
        await expect(cloud.remove(types.secret, secret.id)).rejects.toThrow("Forbidden");
        await expect(make(types.vault, { vaultName: "edge--0123", properties })).rejects.toThrow("InvalidResourceName");
        await makeNetwork();
        const bare = await make(types.subnet, { subnetName: "bare", virtualNetworkName: "net", addressPrefix: "10.1.1.0/24" });
        const networkAcls = { defaultAction: "Deny", virtualNetworkRules: [{ id: bare.id }] };
        await expect(make(types.vault, { vaultName: "edge-89", properties: { ...properties, networkAcls } })).rejects.toThrow(
            "VirtualNetworkNotValid",
        );
    });
});

describe("machines of the simulated Azure", () => {
    const machine = (more: Readonly<Record<string, Props>> = {}) => ({
        zones: ["1"],
        hardwareProfile: { vmSize: "Standard_D2ps_v6" },
        osProfile: {
            customData: Buffer.from("#cloud-config\n").toString("base64"),
            linuxConfiguration: {
                disablePasswordAuthentication: true,
                ssh: {
                    publicKeys: [{ keyData: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEHFKlar3WxCklBCLTSImtRp5/9UgeocPNa66aFTXXcR" }],
                },
            },
            ...more.osProfile,
        },
        securityProfile: { ...more.securityProfile },
        ...more.top,
    });
    const image = { publisher: "Canonical", offer: "ubuntu-24_04-lts", sku: "server-arm64", version: "24.04.202609040" };

    async function ready(zone = "1") {
        const { subnet } = await makeNetwork();
        const { id: cardId } = await make(types.networkInterface, card(subnet.id));
        const { id: diskId } = await make(types.disk, { zones: [zone], creationData: { createOption: "Empty" }, diskSizeGB: 20 });
        const attached = (imageReference: Props) => ({
            networkProfile: { networkInterfaces: [{ id: cardId }] },
            storageProfile: { imageReference, dataDisks: [{ lun: 0, createOption: "Attach", managedDisk: { id: diskId } }] },
        });
        return { attached, cardId, diskId };
    }

    it("hold their interfaces and disks, and cannot change what they were made of", async () => {
        const { attached, cardId, diskId } = await ready();
        const first = await make(types.virtualMachine, machine({ top: { vmName: "one", ...attached(image) } }));
        await expect(make(types.virtualMachine, machine({ top: { vmName: "two", ...attached(image) } }))).rejects.toThrow(
            "AttachDiskWhileBeingDetached",
        );
        await expect(cloud.remove(types.disk, diskId)).rejects.toThrow("OperationNotAllowed");
        await expect(cloud.remove(types.networkInterface, cardId)).rejects.toThrow("NicInUse");
        const changed = machine({ osProfile: { customData: "AAAA" }, top: { vmName: "one", ...attached(image) } });
        await expect(cloud.update(types.virtualMachine, first.id, { ...at, ...changed })).rejects.toThrow(
            "PropertyChangeNotAllowed",
        );
    });

    it.each<[string, Readonly<Record<string, Props>>, Props, string]>([
        ["an image of the other processor", {}, { ...image, sku: "server" }, "CPU Architecture"],
        ["an image that does not exist", {}, { ...image, version: "1.0.0" }, "PlatformImageNotFound"],
        ["trusted launch on a size without it", { securityProfile: { securityType: "TrustedLaunch" } }, image, "TrustedLaunch"],
        [
            "encryption at the host that is not registered",
            { securityProfile: { encryptionAtHost: true } },
            image,
            "EncryptionAtHost",
        ],
        [
            "no way to log in at all",
            { osProfile: { linuxConfiguration: { disablePasswordAuthentication: true } } },
            image,
            "SSH key",
        ],
        ["boot data that is not base64", { osProfile: { customData: "#cloud-config" } }, image, "Base64"],
    ])("refuse %s", async (_what, more, imageReference, message) => {
        const { attached } = await ready();
        const inputs = machine({ ...more, top: { vmName: "one", ...attached(imageReference) } });
        await expect(make(types.virtualMachine, inputs)).rejects.toThrow(message);
    });

    it("refuse a disk of another zone", async () => {
        const { attached } = await ready("2");
        await expect(make(types.virtualMachine, machine({ top: attached(image) }))).rejects.toThrow("not in the zone of the VM");
    });
});
