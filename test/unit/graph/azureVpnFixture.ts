import * as pulumi from "@pulumi/pulumi";
import { AwsSite } from "../../../src/aws/index.js";
import { AzureSite, type AzureSiteArgs } from "../../../src/azure/index.js";
import { ExternalSite, type ExternalVpnArgs } from "../../../src/external/index.js";
import { GcpSite } from "../../../src/gcp/index.js";
import { MeshIdentity } from "../../../src/identity/meshIdentity.js";
import { Mesh, type MeshArgs } from "../../../src/mesh.js";
import { gcpMocks } from "../../support/gcpMocks.js";
import { type Recording, type RecordOptions, record } from "../../support/recorder.js";
import { existingAnswer, existingNetwork, minimal, outputs as ofAzure } from "./azureFixture.js";

const outputs: RecordOptions["outputs"] = (type, name, inputs) => {
    if (type === "gcp:compute/haVpnGateway:HaVpnGateway") {
        return { vpnInterfaces: [0, 1].map((id) => ({ id, ipAddress: `interface-${id}-of-${name}` })), selfLink: name };
    }
    if (type.startsWith("gcp:")) {
        return gcpMocks.outputs?.(type, name, inputs) ?? {};
    }
    switch (type) {
        case "aws:ec2/vpnConnection:VpnConnection":
            return { tunnel1Address: `1-of-${name}`, tunnel2Address: `2-of-${name}`, transitGatewayAttachmentId: `at-${name}` };
        case "aws:ec2/eip:Eip":
            return { publicIp: `ip-of-${name}` };
        case "aws:lb/loadBalancer:LoadBalancer":
            return { dnsName: `${name}.elb.example.com` };
        default:
            return ofAzure(type, name, inputs);
    }
};

export const gatewaySubnetId = `${existingNetwork.virtualNetworkId}/subnets/GatewaySubnet`;
/** A network of the user's with a subnet for gateways. */
export const vpnNetwork = { ...existingNetwork, gatewaySubnetId };

const calls: RecordOptions["calls"] = (token, args) => {
    switch (token.split(":").at(-1)) {
        case "getAvailabilityZones":
            return { names: [..."abc"].map((letter) => `${args.region}${letter}`) };
        case "getParameter":
            return { insecureValue: "ami-newest" };
        case "getVirtualNetwork":
            return { ...existingAnswer, subnets: [...existingAnswer.subnets, { id: gatewaySubnetId, name: "GatewaySubnet" }] };
        default:
            return gcpMocks.calls?.(token, args) ?? {};
    }
};

const recordMesh = (program: () => unknown): Promise<Recording> => record(program, { outputs, calls });

/** Sites of all three clouds. The numbers of Azure and AWS add up to 32: slot 0, which is Microsoft's own example. */
export const threeClouds = (mesh: Partial<MeshArgs> = {}, more: Partial<AzureSiteArgs> = {}): Promise<Recording> =>
    recordMesh(() => {
        const { meshId, adminCidrs } = minimal;
        const sites = [
            new AwsSite("aws", { siteNumber: 29, region: "eu-central-1", meshId, adminCidrs }),
            new AzureSite("azure", { ...minimal, siteNumber: 3, ...more }),
            new GcpSite("gcp", { siteNumber: 2, region: "europe-west4", meshId, adminCidrs }),
        ];
        const fleet = new Mesh("fleet", { sites, topics: ["fleet/#"], tier: "vpn", ...mesh });
        return { paths: fleet.paths };
    });

/** An existing cluster behind a device of its own. */
function plant(name: string, siteNumber: number, more: Partial<ExternalVpnArgs> = {}): ExternalSite {
    return new ExternalSite(name, {
        siteNumber,
        meshId: minimal.meshId,
        clusterName: `emqx-${name}`,
        identity: MeshIdentity.of(minimal.meshId),
        api: { url: `https://${name}.example.com:18084`, key: "key", secret: pulumi.secret("api-S3cret") },
        link: { server: `${name}.example.com:8884`, egressAddresses: [`198.51.99.${siteNumber}`] },
        clients: { host: `${name}.example.com`, username: "probe", password: pulumi.secret("probe-S3cret") },
        vpn: {
            addresses: [`203.0.114.${siteNumber}`, `203.0.115.${siteNumber}`],
            ranges: [`10.${siteNumber}.0.0/16`],
            linkServer: `10.${siteNumber}.0.4:9884`,
            ...more,
        },
    });
}

/** One Azure site and plants by their site numbers; plants are not linked with each other. */
export const withPlants = (
    numbers: readonly number[],
    more: Partial<AzureSiteArgs> = {},
    { vpn, ...mesh }: Partial<MeshArgs> & { readonly vpn?: Partial<ExternalVpnArgs> } = {},
): Promise<Recording> =>
    recordMesh(() => {
        const site = new AzureSite("azure", { ...minimal, siteNumber: 3, ...more });
        const plants = numbers.map((number) => plant(`plant-${number}`, number, vpn));
        const names = plants.map(({ facts }) => facts.name).sort();
        const apart = names.flatMap((one, index) =>
            names.slice(index + 1).map((other) => [`${one}-${other}`, { linked: false } as const]),
        );
        const fleet = new Mesh("fleet", {
            sites: [site, ...plants],
            topics: ["fleet/#"],
            tier: "vpn",
            pairs: Object.fromEntries(apart),
            ...mesh,
        });
        return { paths: fleet.paths, costs: site.monthlyCosts };
    });

/** Azure sites by name and arguments; their numbers in their order. */
export const azureSites = (
    sites: Readonly<Record<string, Partial<AzureSiteArgs>>>,
    mesh: Partial<MeshArgs> = {},
    opts: Readonly<Record<string, () => pulumi.ComponentResourceOptions>> = {},
): Promise<Recording> =>
    recordMesh(() => {
        const made = Object.entries(sites).map(
            ([name, more], index) => new AzureSite(name, { ...minimal, siteNumber: index + 1, ...more }, opts[name]?.()),
        );
        const fleet = new Mesh("fleet", { sites: made, topics: ["fleet/#"], tier: "vpn", ...mesh });
        return { paths: fleet.paths, costs: made[0]?.monthlyCosts };
    });

/** A recording that several tests look at, made once. */
export function once(run: () => Promise<Recording>): () => Promise<Recording> {
    let found: Promise<Recording> | undefined;
    return () => {
        found ??= run();
        return found;
    };
}
