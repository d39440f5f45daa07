import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Device } from "../../../src/ipsec/device.js";
import { Account } from "../../cloudsim/account.mts";
import { aws } from "../../cloudsim/aws/index.mts";
import { types as awsTypes } from "../../cloudsim/aws/tokens.mts";
import { azure } from "../../cloudsim/azure/index.mts";
import { types as azureTypes } from "../../cloudsim/azure/tokens.mts";
import { gcp } from "../../cloudsim/gcp/index.mts";
import { types as gcpTypes } from "../../cloudsim/gcp/tokens.mts";
import { PrivateWorld, type Tunnel } from "../../cloudsim/tunnels.mts";
import type { CloudName, CloudObject, Props, Route } from "../../cloudsim/types.mts";

const suiteOfAws = (tunnel: number): Props => ({
    [`tunnel${tunnel}IkeVersions`]: ["ikev2"],
    ...Object.fromEntries(
        [1, 2].flatMap((phase) => [
            [`tunnel${tunnel}Phase${phase}EncryptionAlgorithms`, ["AES256"]],
            [`tunnel${tunnel}Phase${phase}IntegrityAlgorithms`, ["SHA2-256"]],
            [`tunnel${tunnel}Phase${phase}DhGroupNumbers`, [14]],
        ]),
    ),
});

export const suiteOfGcp = {
    phase1: {
        encryptions: ["AES-CBC-256"],
        integrities: ["HMAC-SHA2-256-128"],
        prves: ["PRF-HMAC-SHA2-256"],
        dhs: ["Group-14"],
    },
    phase2: { encryptions: ["AES-CBC-256"], integrities: ["HMAC-SHA2-256-128"], pfs: ["Group-14"] },
} as const;

export const key = (name: string) => `Key4${name}`.padEnd(32, "x");

/** A network of each cloud and one behind a user's own device, as objects alone: AWS and GCP, and GCP and Azure, are joined by two tunnels. */
export class JoinedClouds {
    readonly account: Account;
    readonly world: PrivateWorld;
    readonly #folder = mkdtempSync(join(tmpdir(), "linkspan-tunnels-"));

    constructor() {
        this.account = new Account(join(this.#folder, "account.json"), [aws, gcp, azure]);
        this.world = new PrivateWorld(this.account);
    }

    /** All of {@link addAws}, {@link addGcp}, {@link addAzure} and the tunnels between them. */
    static make(): JoinedClouds {
        const made = new JoinedClouds();
        made.addAws();
        made.addGcp();
        made.addAzure();
        made.joinAwsAndGcp();
        made.joinGcpAndAzure();
        return made;
    }

    dispose(): void {
        this.account.save();
        rmSync(this.#folder, { recursive: true, force: true });
    }

    add(cloud: CloudName, type: string, id: string, inputs: Props, outputs: Props = {}): void {
        this.account.add({ cloud, type, id, name: id, inputs, outputs, usableAt: 0 });
    }

    object(id: string): CloudObject {
        const found = this.account.objects(true).find((each) => each.id === id);
        if (found === undefined) {
            throw new Error(`no object ${id}`);
        }
        return found;
    }

    /** Changes inputs of an object; what is `undefined` goes. */
    change(id: string, inputs: Props, outputs: Props = {}): void {
        const object = this.object(id);
        this.account.change(object, { ...object.inputs, ...inputs }, { ...object.outputs, ...outputs });
    }

    remove(id: string): void {
        this.account.remove(this.object(id));
    }

    /** Tunnels by which of their halves' names has a text in it. */
    tunnel(text: string): Tunnel {
        const found = this.world.tunnels.find(({ name }) => name.includes(text));
        if (found === undefined) {
            throw new Error(`no tunnel ${text} among ${this.world.tunnels.map(({ name }) => name).join(", ")}`);
        }
        return found;
    }

    /** What becomes of a connection from a site's broker to another address. */
    reach(from: "aws" | "gcp" | "azure", address: string, port = 8884): Route {
        const { source, machine } = brokers[from];
        const network = this.world.networks.find(({ holds }) => holds(machine));
        if (network === undefined) {
            throw new Error(`${machine} is in no network`);
        }
        return this.world.reach(network, { source, address, port }, () => true);
    }

    addAws(): void {
        const add = (type: keyof typeof awsTypes, id: string, inputs: Props, outputs: Props = {}) =>
            this.add("aws", awsTypes[type], id, inputs, outputs);
        add("vpc", "vpc", { cidrBlock: "10.1.0.0/16" });
        add("subnet", "subnet", { vpcId: "vpc", cidrBlock: "10.1.0.0/24", availabilityZone: "a" });
        add("routeTable", "table", { vpcId: "vpc" });
        add("routeTableAssociation", "association", { subnetId: "subnet", routeTableId: "table" });
        add("transitGateway", "tgw", { amazonSideAsn: 64_521 });
        add("transitAttachment", "attachment", { transitGatewayId: "tgw", vpcId: "vpc", subnetIds: ["subnet"] });
        add("transitTable", "of-network", { transitGatewayId: "tgw" });
        add("transitTable", "of-peers", { transitGatewayId: "tgw" });
        this.#under("network", "attachment", "of-network", "of-peers");
        add("securityGroup", "brokers", { vpcId: "vpc" });
        add("securityGroup", "door-group", { vpcId: "vpc" });
        for (const [id, type, group, more] of [
            ["links-in", "ingressRule", "door-group", { cidrIpv4: "10.2.0.0/16", fromPort: 8884, toPort: 8884 }],
            ["to-brokers", "egressRule", "door-group", { referencedSecurityGroupId: "brokers", fromPort: 8884, toPort: 8884 }],
            ["from-door", "ingressRule", "brokers", { referencedSecurityGroupId: "door-group", fromPort: 8884, toPort: 8884 }],
        ] as const) {
            add(type, id, { securityGroupId: group, ipProtocol: "tcp", ...more });
        }
        add("instance", "i-1", { subnetId: "subnet", vpcSecurityGroupIds: ["brokers"] }, { privateIp: "10.1.0.4", boots: 1 });
        add("loadBalancer", "door", {
            internal: true,
            securityGroups: ["door-group"],
            subnetMappings: [{ subnetId: "subnet", privateIpv4Address: "10.1.0.250" }],
            enableCrossZoneLoadBalancing: true,
        });
        add("targetGroup", "targets", { port: 8884 });
        add("listener", "listener", { loadBalancerArn: "door", port: 8884, defaultActions: [{ targetGroupArn: "targets" }] });
        add("targetGroupAttachment", "target", { targetGroupArn: "targets", targetId: "i-1" });
    }

    #under(name: string, attachment: string, under: string, knownIn: string): void {
        this.add("aws", awsTypes.transitAssociation, `${name} under`, {
            transitGatewayAttachmentId: attachment,
            transitGatewayRouteTableId: under,
        });
        this.add("aws", awsTypes.transitPropagation, `${name} known`, {
            transitGatewayAttachmentId: attachment,
            transitGatewayRouteTableId: knownIn,
        });
    }

    addGcp(): void {
        const add = (type: keyof typeof gcpTypes, id: string, inputs: Props, outputs: Props = {}) =>
            this.add("gcp", gcpTypes[type], id, { name: id, ...inputs }, outputs);
        add("network", "net", { routingMode: "GLOBAL", autoCreateSubnetworks: false });
        add("subnetwork", "sub", { network: "net", ipCidrRange: "10.2.0.0/16" }, { region: "west" });
        add(
            "instance",
            "vm",
            { networkInterfaces: [{ subnetwork: "sub", networkIp: "10.2.0.4" }] },
            { instanceId: "7", boots: 1 },
        );
        add(
            "haVpnGateway",
            "ha",
            { network: "net" },
            {
                vpnInterfaces: [
                    { id: 0, ipAddress: "192.0.2.10" },
                    { id: 1, ipAddress: "192.0.2.11" },
                ],
            },
        );
        add(
            "router",
            "router",
            {
                network: "net",
                bgp: { asn: 64_522, advertiseMode: "CUSTOM", advertisedIpRanges: [{ range: "10.2.0.0/16" }] },
            },
            { region: "west" },
        );
        add("instanceGroup", "group", { network: "net" });
        add("instanceGroupMembership", "member", { instanceGroup: "group", instance: "vm" });
        add("healthCheck", "check", { httpsHealthCheck: { port: 18_084 } });
        add("backendService", "backend", { backends: [{ group: "group" }], healthChecks: "check" });
        add("forwardingRule", "front", {
            loadBalancingScheme: "INTERNAL",
            network: "net",
            ipAddress: "10.2.0.250",
            ports: ["8884"],
            backendService: "backend",
        });
        const allow = (id: string, range: string, port: string) =>
            add("firewall", id, { network: "net", sourceRanges: [range], allows: [{ protocol: "tcp", ports: [port] }] });
        allow("from-aws", "10.1.0.0/16", "8884");
        allow("from-azure", "10.3.0.0/16", "8884");
        allow("probes", "35.191.0.0/16", "18084");
    }

    addAzure(): void {
        const add = (type: keyof typeof azureTypes, id: string, inputs: Props, outputs: Props = {}) =>
            this.add("azure-native", azureTypes[type], id, { resourceGroupName: "rg", ...inputs }, outputs);
        add("resourceGroup", "rg", {});
        add("virtualNetwork", "vnet", { virtualNetworkName: "vnet", addressSpace: { addressPrefixes: ["10.3.0.0/16"] } });
        for (const [id, range, more] of [
            ["azure-subnet", "10.3.0.0/24", { networkSecurityGroup: { id: "nsg" } }],
            ["GatewaySubnet", "10.3.255.0/27", {}],
        ] as const) {
            add("subnet", id, { virtualNetworkName: "vnet", subnetName: id, addressPrefix: range, ...more });
        }
        add("securityGroup", "nsg", { networkSecurityGroupName: "nsg" });
        const rule = (id: string, from: string, port: string, priority: number) =>
            add("securityRule", id, {
                networkSecurityGroupName: "nsg",
                direction: "Inbound",
                access: "Allow",
                protocol: "Tcp",
                priority,
                sourceAddressPrefix: from,
                destinationAddressPrefix: "*",
                destinationPortRange: port,
            });
        rule("azure-from-gcp", "10.2.0.0/16", "8884", 1202);
        rule("azure-probes", "AzureLoadBalancer", "18084", 200);
        add("networkInterface", "card", {
            ipConfigurations: [{ privateIPAddress: "10.3.0.4", subnet: { id: "azure-subnet" } }],
        });
        add("virtualMachine", "azure-vm", { networkProfile: { networkInterfaces: [{ id: "card" }] } }, { vmId: "9", boots: 1 });
        add("loadBalancer", "azure-door", {
            frontendIPConfigurations: [{ name: "f", privateIPAddress: "10.3.0.250", subnet: { id: "azure-subnet" } }],
            backendAddressPools: [
                { name: "pool", loadBalancerBackendAddresses: [{ ipAddress: "10.3.0.4", virtualNetwork: { id: "vnet" } }] },
            ],
            probes: [{ name: "probe", port: 18_084 }],
            loadBalancingRules: [
                {
                    frontendPort: 8884,
                    backendPort: 8884,
                    frontendIPConfiguration: { id: "azure-door/frontendIPConfigurations/f" },
                    backendAddressPool: { id: "azure-door/backendAddressPools/pool" },
                    probe: { id: "azure-door/probes/probe" },
                },
            ],
        });
        for (const index of [0, 1]) {
            add("publicAddress", `pip${index}`, {}, { ipAddress: `203.0.113.10${index}` });
        }
        add("virtualNetworkGateway", "vng", {
            ipConfigurations: [0, 1].map((index) => ({
                name: `i${index}`,
                subnet: { id: "GatewaySubnet" },
                publicIPAddress: { id: `pip${index}` },
            })),
            bgpSettings: {
                asn: 64_523,
                bgpPeeringAddresses: [0, 1].map((index) => ({
                    ipconfigurationId: `vng/ipConfigurations/i${index}`,
                    customBgpIpAddresses: [`169.254.21.${42 + 4 * index}`],
                })),
            },
        });
    }

    joinAwsAndGcp(): void {
        const add = (type: keyof typeof awsTypes, id: string, inputs: Props, outputs: Props = {}) =>
            this.add("aws", awsTypes[type], id, inputs, outputs);
        add("customerGateway", "cgw", { ipAddress: "192.0.2.10", bgpAsn: "64522" });
        add(
            "vpnConnection",
            "vpn",
            {
                transitGatewayId: "tgw",
                customerGatewayId: "cgw",
                ...Object.assign({}, ...[1, 2].map(suiteOfAws)),
                ...Object.fromEntries(
                    [1, 2].flatMap((tunnel) => [
                        [`tunnel${tunnel}InsideCidr`, `169.254.32.${44 + 4 * tunnel}/30`],
                        [`tunnel${tunnel}PresharedKey`, key(`aws${tunnel}`)],
                    ]),
                ),
            },
            {
                transitGatewayAttachmentId: "vpn-attachment",
                ...Object.fromEntries(
                    [1, 2].flatMap((tunnel) => [
                        [`tunnel${tunnel}Address`, `198.51.100.${tunnel}`],
                        [`tunnel${tunnel}VgwInsideAddress`, `169.254.32.${45 + 4 * tunnel}`],
                        [`tunnel${tunnel}CgwInsideAddress`, `169.254.32.${46 + 4 * tunnel}`],
                        [`tunnel${tunnel}BgpAsn`, "64521"],
                    ]),
                ),
            },
        );
        this.#under("vpn", "vpn-attachment", "of-peers", "of-network");
        add("route", "route", { routeTableId: "table", destinationCidrBlock: "10.2.0.0/16", transitGatewayId: "tgw" });
        this.#gcpSide("aws", 64_521, ["198.51.100.1", "198.51.100.2"], [0, 0], (t) => ({
            own: `169.254.32.${50 + 4 * t}`,
            peer: `169.254.32.${49 + 4 * t}`,
            key: key(`aws${t + 1}`),
        }));
    }

    joinGcpAndAzure(): void {
        const add = (type: keyof typeof azureTypes, id: string, inputs: Props) =>
            this.add("azure-native", azureTypes[type], id, { resourceGroupName: "rg", ...inputs });
        this.#gcpSide("azure", 64_523, ["203.0.113.100", "203.0.113.101"], [0, 1], (t) => ({
            own: `169.254.21.${41 + 4 * t}`,
            peer: `169.254.21.${42 + 4 * t}`,
            key: key(`azure${t}`),
        }));
        for (const t of [0, 1]) {
            add("localNetworkGateway", `lng${t}`, {
                gatewayIpAddress: `192.0.2.1${t}`,
                bgpSettings: { asn: 64_522, bgpPeeringAddress: `169.254.21.${41 + 4 * t}` },
            });
            add("gatewayConnection", `connection${t}`, {
                connectionType: "IPsec",
                connectionProtocol: "IKEv2",
                enableBgp: true,
                virtualNetworkGateway1: { id: "vng" },
                localNetworkGateway2: { id: `lng${t}` },
                sharedKey: key(`azure${t}`),
                gatewayCustomBgpIpAddresses: [0, 1].map((index) => ({
                    ipConfigurationId: `vng/ipConfigurations/i${index}`,
                    customBgpIpAddress: `169.254.21.${42 + 4 * index}`,
                })),
                ipsecPolicies: [azurePolicy],
            });
        }
    }

    /** GCP's half of two tunnels to a peer. */
    #gcpSide(
        peer: string,
        peerAsn: number,
        addresses: readonly string[],
        interfaces: readonly number[],
        tunnel: (t: number) => { own: string; peer: string; key: string },
    ): void {
        const add = (type: keyof typeof gcpTypes, id: string, inputs: Props, outputs: Props = {}) =>
            this.add("gcp", gcpTypes[type], id, { name: id, ...inputs }, outputs);
        add("externalVpnGateway", `ext-${peer}`, { interfaces: addresses.map((ipAddress, id) => ({ id, ipAddress })) });
        for (const t of [0, 1]) {
            const { own, peer: far, key: sharedSecret } = tunnel(t);
            add(
                "vpnTunnel",
                `${peer}-${t}`,
                {
                    vpnGateway: "ha",
                    vpnGatewayInterface: interfaces[t],
                    peerExternalGateway: `ext-${peer}`,
                    peerExternalGatewayInterface: t,
                    router: "router",
                    ikeVersion: 2,
                    sharedSecret,
                    cipherSuite: suiteOfGcp,
                },
                { region: "west" },
            );
            add("routerInterface", `${peer}-interface-${t}`, {
                router: "router",
                vpnTunnel: `${peer}-${t}`,
                ipRange: `${own}/30`,
            });
            add("routerPeer", `${peer}-session-${t}`, {
                router: "router",
                interface: `${peer}-interface-${t}`,
                peerIpAddress: far,
                peerAsn,
            });
        }
    }
}

export const azurePolicy: Props = {
    ikeEncryption: "AES256",
    ikeIntegrity: "SHA256",
    dhGroup: "DHGroup14",
    ipsecEncryption: "AES256",
    ipsecIntegrity: "SHA256",
    pfsGroup: "PFS2048",
};

const brokers = {
    aws: { machine: "i-1", source: "10.1.0.4" },
    gcp: { machine: "vm", source: "10.2.0.4" },
    azure: { machine: "azure-vm", source: "10.3.0.4" },
} as const;

/** A device that has the other half of GCP's tunnels to AWS: what AWS's side says, on a machine of the user's own. */
export function deviceLikeAws(): Device {
    return {
        site: "plant",
        asn: 64_521,
        ranges: ["10.1.0.0/16"],
        routerId: "198.51.100.1",
        suite: "aes-cbc",
        timers: { keepalive: 10, hold: 30 },
        dataPath: "xfrm",
        tunnels: [0, 1].map((t) => ({
            name: `gcp-${t}`,
            localAddress: `198.51.100.${t + 1}`,
            remoteAddress: "192.0.2.10",
            localInside: `169.254.32.${49 + 4 * t}`,
            remoteInside: `169.254.32.${50 + 4 * t}`,
            presharedKey: key(`aws${t + 1}`),
            remoteAsn: 64_522,
            remoteRanges: ["10.2.0.0/16"],
        })),
    };
}
