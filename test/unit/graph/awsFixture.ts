import * as pulumi from "@pulumi/pulumi";
import { AwsSite, type AwsSiteArgs } from "../../../src/aws/index.js";
import { ExternalSite, type ExternalSiteArgs } from "../../../src/external/index.js";
import { MeshIdentity } from "../../../src/identity/meshIdentity.js";
import { Mesh } from "../../../src/mesh.js";
import { type Recording, type RecordOptions, record } from "../../support/recorder.js";

/** Texts that stand for secrets: none may be in user data or in an input that is not secret. */
export const secretTexts = {
    secrets: {
        api: "S3cret-api",
        probe: "S3cret-probe",
        device: "S3cret-device",
        link: "S3cret-link",
        cookie: "S3cret-cookie",
        dashboard: "S3cret-dashboard",
    },
    key: "S3cret-key-pem",
} as const;

const outputs: RecordOptions["outputs"] = (type, name, inputs) => {
    switch (type.split(":").at(-1)) {
        case "Secrets":
            if (name.endsWith("-tunnel-keys")) {
                return { values: Object.fromEntries([0, 1, 2, 3].map((key) => [`tunnel-${key}`, `S3cret-${name}-${key}`])) };
            }
            return { values: secretTexts.secrets };
        case "MeshCa":
        case "Certificate":
            return { certPem: `certificate of ${name}`, keyPem: `${secretTexts.key}-${name}`, notAfter: "2027-01-01T00:00:00Z" };
        case "Pin":
            return { pinned: inputs.value };
        case "PackagePin":
            return { sha256: "ab".repeat(32), bytes: 1 };
        case "NodeMembership":
            return { joinedAt: `joined-${name}` };
        case "Vpc":
            return { ownerId: `account-of-${name}` };
        case "VpnConnection":
            return {
                tunnel1Address: `1-of-${name}`,
                tunnel2Address: `2-of-${name}`,
                transitGatewayAttachmentId: `attachment-of-${name}`,
            };
        case "Eip":
            return { publicIp: `ip-of-${name}`, allocationId: `eipalloc-${name}` };
        case "LoadBalancer":
            return { dnsName: `${name}.elb.example.com`, arn: `arn:${name}`, zoneId: "Z-ELB" };
        case "Zone":
            return { zoneId: `Z-${name}` };
        case "Role":
            return { arn: `arn:${name}`, name: `role-${name}` };
        case "TargetGroup":
        case "Parameter":
            return { arn: `arn:${name}` };
        case "LogGroup":
            return { arn: `arn:aws:logs:eu-central-1:account-ours:log-group:${name}` };
        case "InstanceProfile":
            return { name: `profile-${name}` };
        case "ClusterPreflight":
            return { version: "5.10.3", licenseType: "community", nodes: 1 };
        case "ClusterLink":
            return { status: "connected", changedAt: "2026-01-01T00:00:00.000Z" };
        case "LinkPath":
            return { reached: inputs.host, verdict: "checked" };
        case "PathSwitch":
            return { movedAt: "2026-01-01T00:00:00.000Z" };
        case "DeliveryProbe":
            return { results: [] };
        default:
            return {};
    }
};

/** AWS's answers to lookups. */
const calls: RecordOptions["calls"] = (token, args) => {
    if (token.endsWith(":getAvailabilityZones")) {
        return { names: [..."abcdef"].map((letter) => `${args.region}${letter}`) };
    }
    if (token.endsWith(":getParameter")) {
        return { insecureValue: "ami-newest" };
    }
    if (token.endsWith(":getVpc")) {
        return {
            id: args.id,
            enableDnsSupport: true,
            enableDnsHostnames: true,
            cidrBlockAssociations: [{ cidrBlock: "10.50.0.0/16" }],
            ownerId: "account-theirs",
        };
    }
    if (token.endsWith(":getSubnet")) {
        const [, kind, letter] = /^subnet-(\w+)-(\w)$/.exec(String(args.id)) ?? [];
        return {
            vpcId: "vpc-theirs",
            availabilityZone: `eu-central-1${letter}`,
            cidrBlock: `10.50.${(kind === "public" ? 10 : 0) + (letter === "a" ? 0 : 1)}.0/24`,
        };
    }
    throw new Error(`the program asked AWS for ${token}`);
};

/** Runs a program with AWS's answers. */
export const recordAws = (program: () => unknown, preview = false): Promise<Recording> =>
    record(program, { outputs, calls, preview });

export const siteArgs = (siteNumber: number, more: Partial<AwsSiteArgs> = {}): AwsSiteArgs => ({
    siteNumber,
    region: "eu-central-1",
    adminCidrs: ["203.0.113.7/32"],
    ...more,
});

const recorded = new Map<string, Promise<Recording>>();

/** One site alone. The same plain arguments are recorded once. */
export const oneSite = (more: Partial<AwsSiteArgs> = {}, name = "aws", preview = false): Promise<Recording> => {
    const run = () =>
        recordAws(() => {
            new AwsSite(name, siteArgs(1, more));
        }, preview);
    if (more !== licensed && Object.keys(more).length > 0) {
        return run();
    }
    const key = JSON.stringify([more, name, preview]);
    const found = recorded.get(key) ?? run();
    recorded.set(key, found);
    return found;
};

/** A licence for more than one node. */
export const licensed = { license: "evaluation" } as const;

/** A network of the user's with two zones. */
export const theirNetwork: NonNullable<AwsSiteArgs["network"]> = {
    vpcId: "vpc-theirs",
    cidr: "10.50.0.0/16",
    zones: {
        "eu-central-1a": {
            brokers: { id: "subnet-brokers-a", cidr: "10.50.0.0/24" },
            public: { id: "subnet-public-a", cidr: "10.50.10.0/24" },
        },
        "eu-central-1b": {
            brokers: { id: "subnet-brokers-b", cidr: "10.50.1.0/24" },
            public: { id: "subnet-public-b", cidr: "10.50.11.0/24" },
        },
    },
    egressAddresses: ["198.51.99.1", "198.51.99.2"],
};

/** An existing cluster, whose link door has a port of its own. */
export const plant = (name = "plant", siteNumber = 9, link: Partial<ExternalSiteArgs["link"]> = {}): ExternalSite =>
    new ExternalSite(name, {
        siteNumber,
        clusterName: `emqx-${name}`,
        // Link doors of clouds ask for a certificate of the mesh.
        identity: MeshIdentity.of("project-stack"),
        api: { url: `https://${name}.example.com:18084`, key: "key", secret: pulumi.secret("api-S3cret") },
        link: { server: `${name}.example.com:9884`, egressAddresses: ["198.51.99.7"], ...link },
        clients: { host: `${name}.example.com`, username: "probe", password: pulumi.secret("probe-S3cret") },
    });

/** Cloud sites by name and arguments, and existing clusters, in one mesh. */
export const mesh = (
    sites: Readonly<Record<string, Partial<AwsSiteArgs>>>,
    existing: readonly string[] = [],
): Promise<Recording> =>
    recordAws(() => {
        const clouds = Object.entries(sites).map(([name, more], index) => new AwsSite(name, siteArgs(index + 1, more)));
        const others = existing.map((name, index) => plant(name, 90 + index));
        new Mesh("fleet", { sites: [...clouds, ...others], topics: ["fleet/#"] });
    });
