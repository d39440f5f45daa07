import { oneResource, type RuleCase, resource } from "./ruleCase.js";

const awsIn = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const awsOut = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";
const awsOld = "aws:ec2/securityGroupRule:SecurityGroupRule";
const awsGroup = "aws:ec2/securityGroup:SecurityGroup";
const awsAcl = "aws:ec2/networkAclRule:NetworkAclRule";
const gcp = "gcp:compute/firewall:Firewall";
const azureRule = "azure-native:network:SecurityRule";
const azureGroup = "azure-native:network:NetworkSecurityGroup";
const everybody = "0.0.0.0/0";

const aws = (port: number, cidrIpv4: string) => ({ ipProtocol: "tcp", fromPort: port, toPort: port, cidrIpv4 });
const google = (port: string, from: string) => ({ sourceRanges: [from], allows: [{ protocol: "tcp", ports: [port] }] });
const azure = (port: string, from: string, more: Record<string, unknown> = {}) => ({
    access: "Allow",
    direction: "Inbound",
    protocol: "Tcp",
    priority: 1000,
    sourceAddressPrefix: from,
    sourcePortRange: "*",
    destinationAddressPrefix: "*",
    destinationPortRange: port,
    ...more,
});
const acl = (from: number, to: number, more: Record<string, unknown> = {}) => ({
    ruleAction: "allow",
    protocol: "6",
    fromPort: from,
    toPort: to,
    cidrBlock: everybody,
    ...more,
});
const denyAll = (priority: number) => azure("*", "*", { access: "Deny", protocol: "*", priority, destinationPortRange: "*" });

const vpc = resource("aws:ec2/vpc:Vpc", {}, { name: "vpc" });
const closed = (props: Record<string, unknown>) =>
    resource("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", props, { propertyDependencies: { vpcId: ["vpc"] } });

export const networkCases: readonly RuleCase[] = [
    oneResource(
        "AWS-0099",
        awsGroup,
        [{ description: "Doors" }],
        [
            [{}, "it has no description of its own"],
            [{ description: "Managed by Pulumi" }, "it has no description of its own"],
        ],
    ),
    oneResource("AWS-0124", awsIn, [{ description: "Devices" }], [[{}, "it has no description of its own"]]),
    {
        rule: "AWS-0107",
        good: [
            [resource(awsIn, aws(8883, everybody))],
            [resource(awsIn, aws(22, "203.0.113.7/32"))],
            [resource(awsOut, aws(22, everybody))],
        ],
        bad: [
            [[resource(awsIn, aws(22, everybody))], "tcp 22 from 0.0.0.0/0 is open"],
            [[resource(awsIn, { ipProtocol: "-1", cidrIpv6: "::/0" })], "all 0-65535 from ::/0 is open"],
            [
                [resource(awsOld, { type: "ingress", protocol: "tcp", fromPort: 3000, toPort: 4000, cidrBlocks: [everybody] })],
                "tcp 3000-4000 from 0.0.0.0/0 is open",
            ],
            [
                [resource(awsGroup, { ingress: [{ protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: [everybody] }] })],
                "tcp 22 from 0.0.0.0/0 is open",
            ],
            [[resource(awsIn, aws(22, "128.0.0.0/1"))], "tcp 22 from 128.0.0.0/1 is open"],
        ],
    },
    {
        rule: "AWS-0104",
        good: [
            [resource(awsOut, aws(443, "203.0.113.7/32"))],
            [resource(awsIn, aws(443, everybody))],
            [resource(awsOut, { ipProtocol: "tcp", fromPort: 4370, toPort: 4370, referencedSecurityGroupId: "sg-1" })],
        ],
        bad: [
            [[resource(awsOut, { ipProtocol: "-1", cidrIpv4: everybody })], "all 0-65535 to 0.0.0.0/0 is open"],
            [
                [resource(awsGroup, { egress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: [everybody] }] })],
                "all 0-65535 to 0.0.0.0/0 is open",
            ],
            [
                [resource(awsOld, { type: "egress", protocol: "tcp", fromPort: 443, toPort: 443, cidrBlocks: [everybody] })],
                "tcp 443 to 0.0.0.0/0 is open",
            ],
        ],
    },
    oneResource(
        "AWS-0105",
        awsAcl,
        [acl(8883, 8883), acl(22, 22, { cidrBlock: "10.0.0.0/8" }), acl(22, 22, { egress: true })],
        [
            [acl(20, 30), "tcp 20-30 from 0.0.0.0/0 is open"],
            [acl(0, 0, { protocol: "-1" }), "all 0-65535 from 0.0.0.0/0 is open"],
        ],
    ),
    oneResource(
        "AWS-0102",
        awsAcl,
        [acl(1024, 65_535), acl(0, 65_535, { ruleAction: "deny" })],
        [
            [acl(0, 65_535), "tcp 0-65535 from 0.0.0.0/0 is open"],
            [acl(0, 0, { protocol: -1 }), "all 0-65535 from 0.0.0.0/0 is open"],
        ],
    ),
    {
        rule: "AWS-0173",
        good: [[closed({ ingress: [], egress: [] }), vpc]],
        bad: [
            [[vpc], "its default security group is not taken over, so it lets members reach each other and everything out"],
            [[closed({ ingress: [{ self: true }] }), vpc], "its default security group has rules"],
        ],
    },
    {
        rule: "AWS-0101",
        good: [[vpc]],
        bad: [[[resource("aws:ec2/defaultVpc:DefaultVpc")], "the default VPC has public subnets; use a network of your own"]],
    },
    oneResource(
        "AWS-0164",
        "aws:ec2/subnet:Subnet",
        [{}, { mapPublicIpOnLaunch: false }],
        [[{ mapPublicIpOnLaunch: true }, "mapPublicIpOnLaunch is on"]],
    ),
    {
        rule: "CKV2_AWS_5",
        good: [
            [
                resource("aws:ec2/instance:Instance", {}, { propertyDependencies: { vpcSecurityGroupIds: ["group"] } }),
                resource(awsGroup, {}, { name: "group" }),
            ],
        ],
        bad: [
            [
                [
                    resource(awsIn, {}, { propertyDependencies: { securityGroupId: ["group"] } }),
                    resource(awsGroup, {}, { name: "group" }),
                ],
                "nothing uses it",
            ],
        ],
    },
    oneResource(
        "CKV_AWS_331",
        "aws:ec2transitgateway/transitGateway:TransitGateway",
        [{}, { autoAcceptSharedAttachments: "disable" }],
        [[{ autoAcceptSharedAttachments: "enable" }, "autoAcceptSharedAttachments is enabled"]],
    ),
    oneResource(
        "CKV_AWS_123",
        "aws:ec2/vpcEndpointService:VpcEndpointService",
        [{ acceptanceRequired: true }],
        [[{ acceptanceRequired: false }, "acceptanceRequired is off"]],
    ),
    oneResource(
        "GCP-0027",
        gcp,
        [google("8884", "203.0.113.7/32"), { sourceTags: ["x"], allows: [{ protocol: "tcp" }] }],
        [
            [google("8883", everybody), "tcp 8883 from 0.0.0.0/0 is open"],
            [{ allows: [{ protocol: "tcp", ports: ["1-2"] }] }, "tcp 1-2 from 0.0.0.0/0 is open"],
        ],
    ),
    oneResource(
        "GCP-0035",
        gcp,
        [
            google("1", everybody),
            { direction: "EGRESS", destinationRanges: ["10.0.0.0/8"], allows: [{ protocol: "all" }] },
            { direction: "EGRESS", destinationRanges: [everybody], denies: [{ protocol: "all" }] },
            { direction: "EGRESS", destinationRanges: [everybody], allows: [{ protocol: "all" }], disabled: true },
        ],
        [
            [{ direction: "EGRESS", allows: [{ protocol: "all" }] }, "all 0-65535 to 0.0.0.0/0 is open"],
            [
                { direction: "EGRESS", destinationRanges: [everybody], allows: [{ protocol: "tcp", ports: ["443"] }] },
                "tcp 443 to 0.0.0.0/0 is open",
            ],
        ],
    ),
    oneResource(
        "GCP-0070",
        gcp,
        [google("3389", "203.0.113.7/32")],
        [[google("3000-4000", everybody), "tcp 3000-4000 from 0.0.0.0/0 is open"]],
    ),
    oneResource(
        "GCP-0071",
        gcp,
        [google("22", "35.235.240.0/20"), google("8883", everybody)],
        [[google("22", everybody), "tcp 22 from 0.0.0.0/0 is open"]],
    ),
    oneResource(
        "GCP-0072",
        gcp,
        [google("8883", "10.0.0.0/8"), { sourceTags: ["x"], allows: [{ protocol: "icmp" }] }],
        [
            [{ sourceTags: ["x"], allows: [{ protocol: "all" }] }, "all 0-65535 from group:x is open"],
            [google("0-65535", "10.0.0.0/8"), "tcp 0-65535 from 10.0.0.0/8 is open"],
        ],
    ),
    oneResource(
        "GCP-0074",
        gcp,
        [google("8883-8884", "10.0.0.0/8"), { sourceRanges: ["10.0.0.0/8"], allows: [{ protocol: "icmp" }] }],
        [[google("8000-9000", "10.0.0.0/8"), "tcp 8000-9000 from 10.0.0.0/8 is open"]],
    ),
    {
        rule: "GCP-0010",
        good: [
            [resource("gcp:compute/network:Network", { autoCreateSubnetworks: false })],
            [resource("gcp:organizations/project:Project", { autoCreateNetwork: false })],
            [resource("gcp:compute/instance:Instance", { networkInterfaces: [{ network: "site" }] })],
        ],
        bad: [
            [[resource("gcp:compute/network:Network")], "autoCreateSubnetworks is not off"],
            [[resource("gcp:organizations/project:Project")], "autoCreateNetwork is not off"],
            [
                [resource("gcp:compute/instance:Instance", { networkInterfaces: [{ network: "default" }] })],
                "it is in the network default",
            ],
        ],
    },
    oneResource(
        "GCP-0075",
        "gcp:compute/subnetwork:Subnetwork",
        [{ privateIpGoogleAccess: true }, { purpose: "PRIVATE_NAT" }],
        [[{}, "privateIpGoogleAccess is not on"]],
    ),
    {
        rule: "AZU-0047",
        good: [
            [resource(azureRule, azure("8884", "203.0.113.7/32"))],
            [resource(azureRule, azure("8884", "AzureLoadBalancer"))],
            [resource(azureRule, denyAll(4096))],
        ],
        bad: [
            [[resource(azureRule, azure("8883", "Internet"))], "tcp 8883 from Internet is open"],
            [[resource("azure-native:network/v20240501:SecurityRule", azure("8883", "*"))], "tcp 8883 from * is open"],
            [[resource(azureGroup, { securityRules: [azure("8883", everybody)] })], "tcp 8883 from 0.0.0.0/0 is open"],
            [
                [resource(azureRule, azure("1", "", { sourceAddressPrefixes: ["10.0.0.0/8", everybody] }))],
                "tcp 1 from 10.0.0.0/8, 0.0.0.0/0 is open",
            ],
        ],
    },
    oneResource(
        "AZU-0048",
        azureRule,
        [azure("3389", "203.0.113.7/32")],
        [
            [azure("3389", "*"), "tcp 3389 from * is open"],
            [azure("", "*", { destinationPortRanges: ["80", "3000-4000"] }), "tcp 80, 3000-4000 from * is open"],
        ],
    ),
    oneResource(
        "AZU-0050",
        azureRule,
        [azure("22", "203.0.113.7/32"), azure("22", "*", { direction: "Outbound" })],
        [[azure("22", "Internet"), "tcp 22 from Internet is open"]],
    ),
    oneResource(
        "AZU-0051",
        azureRule,
        [azure("443", "*", { direction: "Outbound", destinationAddressPrefix: "AzureKeyVault" })],
        [[azure("443", "*", { direction: "Outbound" }), "tcp 443 to * is open"]],
    ),
    oneResource(
        "AZU-0074",
        azureRule,
        [azure("8883", "*"), azure("5432", "10.1.0.0/24")],
        [
            [azure("5432", "VirtualNetwork"), "tcp 5432 from VirtualNetwork is open"],
            [azure("23", "*"), "tcp 23 from * is open"],
        ],
    ),
    oneResource(
        "CKV_AZURE_77",
        azureRule,
        [azure("8883", "*"), azure("53", "10.0.0.0/8", { protocol: "Udp" })],
        [
            [azure("123", "*", { protocol: "Udp" }), "udp 123 from * is open"],
            [azure("123", "*", { protocol: "*" }), "all 123 from * is open"],
        ],
    ),
    oneResource(
        "CKV2_AZURE_31",
        "azure-native:network:Subnet",
        [{ networkSecurityGroup: { id: "g" } }, { subnetName: "GatewaySubnet" }],
        [[{ subnetName: "brokers" }, "networkSecurityGroup is not set"]],
    ),
    {
        rule: "LINKSPAN-0001",
        good: [
            [resource(awsIn, aws(18_084, "203.0.113.7/32"))],
            [resource(gcp, google("8883", everybody))],
            [resource(azureRule, azure("18084", "AzureLoadBalancer"))],
        ],
        bad: [
            [[resource(awsIn, aws(18_084, everybody))], "tcp 18084 from 0.0.0.0/0 is open"],
            [[resource(gcp, google("18083", everybody))], "tcp 18083 from 0.0.0.0/0 is open"],
            [[resource(azureRule, azure("8000-9000", "Internet"))], "tcp 8000-9000 from Internet is open"],
        ],
    },
    {
        rule: "LINKSPAN-0002",
        good: [[resource(awsIn, aws(18_084, "10.0.0.0/8"))], [resource(awsOut, aws(1_883, "10.0.0.0/8"))]],
        bad: [
            [[resource(awsIn, aws(18_083, "10.0.0.0/8"))], "tcp 18083 from 10.0.0.0/8 is open"],
            [[resource(gcp, google("1883", "10.0.0.0/8"))], "tcp 1883 from 10.0.0.0/8 is open"],
        ],
    },
    {
        rule: "LINKSPAN-0007",
        good: [
            [resource(azureGroup, { securityRules: [denyAll(4096)] })],
            [
                resource(azureRule, denyAll(4096), { propertyDependencies: { networkSecurityGroupName: ["group"] } }),
                resource(azureGroup, {}, { name: "group" }),
            ],
        ],
        bad: [
            [
                [resource(azureRule, denyAll(4096)), resource(azureGroup, {}, { name: "group" })],
                "it has no entry that denies all inbound traffic behind its other entries (priority 4096)",
            ],
            [
                [resource(azureGroup, { securityRules: [denyAll(100)] })],
                "it has no entry that denies all inbound traffic behind its other entries (priority 4096)",
            ],
            [
                [resource(azureGroup, { securityRules: [{ ...denyAll(4096), sourceAddressPrefix: "Internet" }] })],
                "it has no entry that denies all inbound traffic behind its other entries (priority 4096)",
            ],
        ],
    },
    oneResource(
        "LINKSPAN-0017",
        "azure-native:network:Subnet",
        [{ defaultOutboundAccess: false }, { subnetName: "GatewaySubnet" }],
        [[{}, "defaultOutboundAccess is not off"]],
    ),
    {
        rule: "LINKSPAN-0023",
        good: [[resource(awsIn, aws(8_884, "203.0.113.7/32"))], [resource(awsOut, aws(443, everybody))]],
        bad: [[[resource(awsIn, aws(8_884, everybody))], "tcp 8884 from 0.0.0.0/0 is open"]],
    },
    {
        rule: "LINKSPAN-0003",
        good: [
            [resource(awsIn, aws(8_884, "203.0.113.7/32"))],
            [resource(awsIn, { ipProtocol: "tcp", fromPort: 8_884, toPort: 8_884, referencedSecurityGroupId: "sg-1" })],
            [resource(awsIn, { ipProtocol: "tcp", fromPort: 8_884, toPort: 8_884, prefixListId: "pl-1" })],
            [resource(gcp, google("8884", "10.2.0.0/16"))],
            [resource(azureRule, azure("8884", "203.0.113.7"))],
        ],
        bad: [
            [[resource(awsIn, aws(8_884, "203.0.113.0/24"))], "tcp 8884 from 203.0.113.0/24 is open"],
            [[resource(gcp, google("8883-8884", everybody))], "tcp 8883-8884 from 0.0.0.0/0 is open"],
            [[resource(azureRule, azure("8884", "VirtualNetwork"))], "tcp 8884 from VirtualNetwork is open"],
            [[resource(azureRule, azure("8884", "10.1.2.3/16"))], "tcp 8884 from 10.1.2.3/16 is open"],
        ],
    },
    {
        rule: "LINKSPAN-0004",
        good: [
            [resource(awsIn, { ipProtocol: "tcp", fromPort: 4_370, toPort: 4_370, referencedSecurityGroupId: "sg-1" })],
            [resource(gcp, { sourceServiceAccounts: ["a@b"], allows: [{ protocol: "tcp", ports: ["4370", "5370"] }] })],
            [resource(azureRule, azure("4370", "10.3.0.0/24"))],
        ],
        bad: [
            [[resource(awsIn, aws(4_370, "203.0.113.7/32"))], "tcp 4370 from 203.0.113.7/32 is open"],
            [[resource(azureRule, azure("5370", "VirtualNetwork"))], "tcp 5370 from VirtualNetwork is open"],
        ],
    },
];
