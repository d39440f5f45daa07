import { AwsSite, type AwsSiteArgs } from "../../../src/aws/index.js";
import { AzureSite, type AzureSiteArgs } from "../../../src/azure/index.js";
import { GcpSite, type GcpSiteArgs } from "../../../src/gcp/index.js";
import { Mesh } from "../../../src/mesh.js";
import type { ResourceGraph } from "../../../src/policy/rule.js";
import { existingSubnetwork, gcpMocks } from "../../support/gcpMocks.js";
import { policyGraph } from "../../support/policyGraph.js";
import { type RecordOptions, record } from "../../support/recorder.js";
import { outputs as azureOutputs, existingAnswer, existingNetwork } from "../graph/azureFixture.js";

/** What the clouds would answer: addresses that could be real, so that rules may read them. */
export const answers = {
    outputs: (type, name, inputs) => {
        if (type.startsWith("aws:")) {
            return awsOutputs(type, name);
        }
        if (type.startsWith("azure-native:")) {
            return azureOutputs(type, name, inputs);
        }
        switch (type.split(":").at(-1)) {
            case "LinkPath":
                return { reached: inputs.host, verdict: "checked" };
            case "PathSwitch":
                return { movedAt: "2026-01-01T00:00:00.000Z" };
            default:
                return gcpMocks.outputs(type, name, inputs);
        }
    },
    calls: (token, args) => {
        if (token.startsWith("aws:")) {
            return awsCalls(token, args);
        }
        return token.startsWith("azure-native:") ? existingAnswer : gcpMocks.calls(token, args);
    },
} satisfies RecordOptions;

function awsOutputs(type: string, name: string): Record<string, unknown> {
    switch (type.split(":").at(-1)) {
        case "Eip":
            return { publicIp: `18.0.0.${(name.charCodeAt(name.length - 1) % 200) + 1}`, allocationId: `eipalloc-${name}` };
        case "LoadBalancer":
            return { dnsName: `${name}.elb.example.com`, arn: `arn:${name}`, zoneId: "Z-ELB" };
        case "Zone":
            return { zoneId: `Z-${name}` };
        case "Role":
            return { arn: `arn:aws:iam::1:role/${name}`, name: `role-${name}` };
        case "Parameter":
            return { arn: `arn:aws:ssm:eu-central-1:1:parameter/linkspan/${name}`, name: `/linkspan/${name}` };
        default:
            return { arn: `arn:${name}`, name };
    }
}

function awsCalls(token: string, args: Record<string, unknown>): Record<string, unknown> {
    switch (token.split(":").at(-1)) {
        case "getAvailabilityZones":
            return { names: [..."abcdef"].map((letter) => `${args.region}${letter}`) };
        case "getParameter":
            return { insecureValue: "ami-newest" };
        case "getVpc":
            return {
                id: args.id,
                enableDnsSupport: true,
                enableDnsHostnames: true,
                cidrBlockAssociations: [{ cidrBlock: "10.50.0.0/16" }],
            };
        case "getSubnet":
            return {
                vpcId: "vpc-theirs",
                availabilityZone: "eu-central-1a",
                cidrBlock: String(args.id).includes("public") ? "10.50.10.0/24" : "10.50.0.0/24",
            };
        default:
            return {};
    }
}

export const sites = {
    aws: (more: Partial<AwsSiteArgs> = {}, name = "aws") =>
        new AwsSite(name, { siteNumber: 1, region: "eu-central-1", adminCidrs: ["203.0.113.7/32"], ...more }),
    gcp: (more: Partial<GcpSiteArgs> = {}, name = "gcp") =>
        new GcpSite(name, { siteNumber: 2, region: "europe-west4", adminCidrs: ["203.0.113.7/32"], ...more }),
    azure: (more: Partial<AzureSiteArgs> = {}, name = "azure") =>
        new AzureSite(name, { siteNumber: 3, location: "westeurope", adminCidrs: ["203.0.113.7/32"], ...more }),
} as const;

const three = { license: "evaluation", broker: { nodes: 3 } } as const;
const awsNetwork: NonNullable<AwsSiteArgs["network"]> = {
    vpcId: "vpc-theirs",
    cidr: "10.50.0.0/16",
    zones: {
        "eu-central-1a": {
            brokers: { id: "subnet-brokers", cidr: "10.50.0.0/24" },
            public: { id: "subnet-public", cidr: "10.50.10.0/24" },
        },
    },
    egressAddresses: ["18.99.0.1"],
};
const gcpNetwork: NonNullable<GcpSiteArgs["network"]> = {
    network: existingSubnetwork.network,
    subnetwork: existingSubnetwork.selfLink,
    cidr: existingSubnetwork.ipCidrRange,
};

/** Which clouds' resources a program makes: the first parts of their types. */
type Cloud = "aws" | "gcp" | "azure-native";

/** Programs that cover what sites can be, by what they are. */
export const programs: Readonly<Record<string, { readonly clouds: readonly Cloud[]; readonly run: () => void }>> = {
    "an AWS site of one node": { clouds: ["aws"], run: () => void sites.aws() },
    "an AWS site of three nodes": { clouds: ["aws"], run: () => void sites.aws({ ...three, egress: "perZone" }) },
    "an AWS site in a network of the user's": { clouds: ["aws"], run: () => void sites.aws({ network: awsNetwork }) },
    "a GCP site of one node": { clouds: ["gcp"], run: () => void sites.gcp() },
    "a GCP site of three nodes": { clouds: ["gcp"], run: () => void sites.gcp({ ...three, egressAddressCount: 2 }) },
    "a GCP site in a network of the user's": { clouds: ["gcp"], run: () => void sites.gcp({ network: gcpNetwork }) },
    "an Azure site of one node": { clouds: ["azure-native"], run: () => void sites.azure() },
    "an Azure site of three nodes": { clouds: ["azure-native"], run: () => void sites.azure(three) },
    "an Azure site in a network of the user's": {
        clouds: ["azure-native"],
        run: () => void sites.azure({ network: existingNetwork }),
    },
    "a mesh of the three clouds, tier nat": {
        clouds: ["aws", "gcp", "azure-native"],
        run: () =>
            void new Mesh("fleet", {
                sites: [sites.aws(three), sites.gcp(three), sites.azure({ ...three, clientCidrs: ["198.51.100.0/24"] })],
                tier: "nat",
                topics: ["fleet/#"],
            }),
    },
};

const recorded = new Map<string, Promise<ResourceGraph>>();

/** What a program of {@link programs} makes. Recorded once. */
export function graphOf(program: string): Promise<ResourceGraph> {
    const found = recorded.get(program) ?? record(programs[program]?.run ?? (() => {}), answers).then(policyGraph);
    recorded.set(program, found);
    return found;
}
