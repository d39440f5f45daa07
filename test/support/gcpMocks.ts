import type { RecordOptions } from "./recorder.js";

const project = "acme";
const compute = `https://www.googleapis.com/compute/v1/projects/${project}`;

/** Addresses that the mocked Google gives out, by the name of the reservation. */
const addresses: Readonly<Record<string, string>> = {
    "gcp-doors-address": "34.1.0.1",
    "gcp-egress-1": "34.1.0.2",
    "gcp-egress-2": "34.1.0.3",
};

/** The primary range of the existing subnetwork that the mocked Google knows. */
export const existingSubnetwork = {
    selfLink: `${compute}/regions/europe-west4/subnetworks/shared`,
    ipCidrRange: "10.77.4.0/24",
    region: "europe-west4",
    network: `${compute}/global/networks/office`,
    privateIpGoogleAccess: true,
};

/** Outputs and answers of Google and of our own providers: enough for every output to be known. */
export const gcpMocks = {
    outputs: (type: string, name: string, inputs: Record<string, unknown>) => {
        if (type === "gcp:serviceaccount/account:Account") {
            return { email: `${name}@${project}.iam.gserviceaccount.com` };
        }
        if (type === "gcp:secretmanager/secret:Secret") {
            return { secretId: `${name}-0000000` };
        }
        if (type === "gcp:compute/address:Address") {
            return { selfLink: `${compute}/addresses/${name}`, address: inputs.address ?? addresses[name] ?? "34.9.9.9" };
        }
        if (type === "gcp:compute/instance:Instance") {
            return { selfLink: `${compute}/instances/${name}`, instanceId: `number-of-${name}` };
        }
        if (type === "gcp:compute/haVpnGateway:HaVpnGateway") {
            const vpnInterfaces = [0, 1].map((id) => ({ id, ipAddress: `${id}-of-${name}` }));
            return { selfLink: `${compute}/${name}`, name: `${name}-0000000`, vpnInterfaces };
        }
        if (type.startsWith("gcp:")) {
            return { selfLink: `${compute}/${name}`, name: inputs.name ?? `${name}-0000000` };
        }
        return ownOutputs(type, name, inputs);
    },
    calls: (token: string, args: Record<string, unknown>) => {
        if (token === "gcp:compute/getMachineTypes:getMachineTypes") {
            const name = /"(.*)"/.exec(String(args.filter))?.[1] ?? "";
            return { machineTypes: [{ name }], zone: args.zone };
        }
        if (token === "gcp:compute/getImage:getImage") {
            return { selfLink: `https://www.googleapis.com/compute/v1/projects/ubuntu-os-cloud/global/images/${args.family}-v1` };
        }
        if (token === "gcp:compute/getSubnetwork:getSubnetwork") {
            return { ...existingSubnetwork };
        }
        return {};
    },
} satisfies RecordOptions;

/** What our own providers would answer. */
function ownOutputs(type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> {
    if (type.endsWith(":MeshCa") || type.endsWith(":Certificate")) {
        return { certPem: `CERT ${name}`, keyPem: `KEY-S3cret ${name}`, notAfter: "2036-01-01T00:00:00.000Z" };
    }
    if (type.endsWith(":Secrets")) {
        const names = inputs.names as readonly string[];
        return { values: Object.fromEntries(names.map((one) => [one, `${name}-${one}-S3cret`])) };
    }
    if (type.endsWith(":Pin")) {
        return { pinned: inputs.value };
    }
    if (type.endsWith(":PackagePin")) {
        return { sha256: "ab".repeat(32), bytes: 1 };
    }
    if (type.endsWith(":NodeMembership")) {
        return { joinedAt: "2026-01-01T00:00:00.000Z", former: [] };
    }
    if (type.endsWith(":ClusterLink")) {
        return { status: "connected", changedAt: "2026-01-01T00:00:00.000Z" };
    }
    if (type.endsWith(":LinkPath")) {
        return { reached: inputs.host, verdict: "checked" };
    }
    return type.endsWith(":DeliveryProbe") ? { results: [] } : {};
}
