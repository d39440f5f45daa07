import {
    awsDefaultSecurityGroup,
    awsGroupRules,
    awsSecurityGroup,
    azureSecurityGroup,
    azureSecurityRule,
    denyAllPriority,
} from "./openings.js";
import { isOff, isOn, isSet, listAt, textAt } from "./properties.js";
import type { PlainResource, ResourceGraph, Rule } from "./rule.js";

function described(resource: PlainResource): readonly string[] {
    const text = textAt(resource.props, "description");
    return text === "" || text === "Managed by Pulumi" || text === "Managed by Terraform"
        ? ["it has no description of its own"]
        : [];
}

const aws: readonly Rule[] = [
    {
        id: "AWS-0099",
        alsoKnownAs: ["CKV_AWS_23"],
        area: "network",
        title: "Security groups say what they are for.",
        severity: "LOW",
        types: [awsSecurityGroup],
        needs: "resource",
        check: described,
    },
    {
        id: "AWS-0124",
        alsoKnownAs: ["CKV_AWS_23"],
        area: "network",
        title: "Rules of security groups say what they are for.",
        severity: "LOW",
        types: awsGroupRules,
        needs: "resource",
        check: described,
    },
    {
        id: "AWS-0173",
        alsoKnownAs: ["CKV2_AWS_12"],
        area: "network",
        title: "The default security group of a VPC lets nothing through.",
        severity: "LOW",
        types: ["aws:ec2/vpc:Vpc"],
        needs: "stack",
        check: (vpc, graph) => {
            const group = graph.ofTypes(awsDefaultSecurityGroup).find((one) => graph.refers(one, "vpcId", vpc));
            if (group === undefined) {
                return ["its default security group is not taken over, so it lets members reach each other and everything out"];
            }
            return isSet(group.props, "ingress") || isSet(group.props, "egress") ? ["its default security group has rules"] : [];
        },
    },
    {
        id: "AWS-0101",
        alsoKnownAs: ["CKV_AWS_148"],
        area: "network",
        title: "The default VPC is not used.",
        severity: "HIGH",
        types: ["aws:ec2/defaultVpc:DefaultVpc"],
        needs: "resource",
        check: () => ["the default VPC has public subnets; use a network of your own"],
    },
    {
        id: "AWS-0164",
        alsoKnownAs: ["CKV_AWS_130"],
        area: "network",
        title: "Subnets give no public addresses by themselves.",
        severity: "HIGH",
        types: ["aws:ec2/subnet:Subnet"],
        needs: "resource",
        check: ({ props }) => (isOn(props, "mapPublicIpOnLaunch") ? ["mapPublicIpOnLaunch is on"] : []),
    },
    {
        id: "CKV2_AWS_5",
        alsoKnownAs: [],
        area: "network",
        title: "Every security group is used.",
        severity: "LOW",
        types: [awsSecurityGroup],
        needs: "stack",
        check: (group, graph) =>
            graph.resources.some(
                ({ type, dependencies }) => !type.startsWith("aws:vpc/securityGroup") && dependencies.includes(group.urn),
            )
                ? []
                : ["nothing uses it"],
    },
    {
        id: "CKV_AWS_331",
        alsoKnownAs: [],
        area: "network",
        title: "Transit gateways do not accept attachments by themselves.",
        severity: "HIGH",
        types: ["aws:ec2transitgateway/transitGateway:TransitGateway"],
        needs: "resource",
        check: ({ props }) =>
            textAt(props, "autoAcceptSharedAttachments") === "enable" ? ["autoAcceptSharedAttachments is enabled"] : [],
    },
    {
        id: "CKV_AWS_123",
        alsoKnownAs: [],
        area: "network",
        title: "Endpoint services accept no connection by themselves.",
        severity: "HIGH",
        types: ["aws:ec2/vpcEndpointService:VpcEndpointService"],
        needs: "resource",
        check: ({ props }) => (isOff(props, "acceptanceRequired") ? ["acceptanceRequired is off"] : []),
    },
];

const gcp: readonly Rule[] = [
    {
        id: "GCP-0010",
        alsoKnownAs: ["CKV_GCP_27", "CKV2_GCP_18"],
        area: "network",
        title: "The default network is not used, nor one that makes subnets everywhere.",
        severity: "HIGH",
        types: ["gcp:compute/network:Network", "gcp:organizations/project:Project", "gcp:compute/instance:Instance"],
        needs: "resource",
        check: ({ type, props }) => {
            if (type.endsWith(":Network")) {
                return isOff(props, "autoCreateSubnetworks") ? [] : ["autoCreateSubnetworks is not off"];
            }
            if (type.endsWith(":Project")) {
                return isOff(props, "autoCreateNetwork") ? [] : ["autoCreateNetwork is not off"];
            }
            return listAt(props, "networkInterfaces").some((one) => textAt(one, "network") === "default")
                ? ["it is in the network default"]
                : [];
        },
    },
    {
        id: "GCP-0075",
        alsoKnownAs: ["CKV_GCP_74", "CKV_GCP_76"],
        area: "network",
        title: "Subnets reach Google's interfaces without public addresses.",
        severity: "LOW",
        types: ["gcp:compute/subnetwork:Subnetwork"],
        needs: "resource",
        check: ({ props }) =>
            isOn(props, "privateIpGoogleAccess") || isSet(props, "purpose") ? [] : ["privateIpGoogleAccess is not on"],
    },
];

const azure: readonly Rule[] = [
    {
        id: "CKV2_AZURE_31",
        alsoKnownAs: [],
        area: "network",
        title: "Subnets have a security group.",
        severity: "HIGH",
        types: ["azure-native:network:Subnet"],
        needs: "resource",
        // Azure refuses a security group on subnets of these names, or breaks their service with one.
        check: ({ props, name }) =>
            isSet(props, "networkSecurityGroup") ||
            /^(GatewaySubnet|RouteServerSubnet|AzureFirewallSubnet)$/.test(textAt(props, "subnetName") || name)
                ? []
                : ["networkSecurityGroup is not set"],
    },
    {
        id: "LINKSPAN-0007",
        alsoKnownAs: [],
        area: "network",
        title: "Security groups deny what they do not name: Azure's own entries let every peered network in.",
        severity: "HIGH",
        types: [azureSecurityGroup],
        needs: "stack",
        check: (group, graph) => {
            const entries = [...listAt(group.props, "securityRules"), ...entriesOf(group, graph)];
            return entries.some((entry) => (denyAllPriority(entry) ?? 0) >= 4_000)
                ? []
                : ["it has no entry that denies all inbound traffic behind its other entries (priority 4096)"];
        },
    },
    {
        id: "LINKSPAN-0017",
        alsoKnownAs: [],
        area: "network",
        title: "Subnets have no outbound access by default: brokers come from fixed addresses only.",
        severity: "MEDIUM",
        types: ["azure-native:network:Subnet"],
        needs: "resource",
        check: ({ props, name }) =>
            isOff(props, "defaultOutboundAccess") || /^GatewaySubnet$/.test(textAt(props, "subnetName") || name)
                ? []
                : ["defaultOutboundAccess is not off"],
    },
];

function entriesOf(group: PlainResource, graph: ResourceGraph): readonly unknown[] {
    return graph
        .ofTypes(azureSecurityRule)
        .filter(
            (entry) =>
                graph.refers(entry, "networkSecurityGroupName", group) ||
                (textAt(entry.props, "networkSecurityGroupName") !== "" &&
                    textAt(entry.props, "networkSecurityGroupName") === textAt(group.props, "networkSecurityGroupName")),
        )
        .map(({ props }) => props);
}

/** What firewalls and subnets must hold. */
/** What networks, subnets and their groups must hold. */
export const networkRules: readonly Rule[] = [...aws, ...gcp, ...azure];
