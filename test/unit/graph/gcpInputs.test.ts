import { describe, expect, it } from "vitest";
import { GcpSite, type GcpSiteArgs } from "../../../src/gcp/index.js";
import { checkSubnetwork } from "../../../src/gcp/network.js";
import { checkOffered } from "../../../src/gcp/sizes.js";
import { Mesh } from "../../../src/mesh.js";
import { existingSubnetwork, gcpMocks } from "../../support/gcpMocks.js";
import { record } from "../../support/recorder.js";

const args: GcpSiteArgs = { siteNumber: 2, region: "europe-west4", meshId: "fleet", adminCidrs: ["203.0.113.7/32"] };
const network = { network: existingSubnetwork.network, subnetwork: existingSubnetwork.selfLink, cidr: "10.77.4.0/24" };

const make = (more: Record<string, unknown>) =>
    record(() => void new GcpSite("gcp", { ...args, ...more } as GcpSiteArgs), gcpMocks);

describe("bad input to a GCP site, each with the argument named", () => {
    it.each<[string, Record<string, unknown>, string]>([
        ["no region", { region: undefined }, "region: undefined is no region"],
        ["a zone as the region", { region: "europe-west4-a" }, 'region: "europe-west4-a" is no region'],
        ["a zone of another region", { zones: ["europe-west4-a", "europe-west3-b"] }, 'zones[1]: "europe-west3-b" is no zone of'],
        ["a zone twice", { zones: ["europe-west4-a", "europe-west4-a"] }, "zones:"],
        ["no zones", { zones: [] }, "zones:"],
        ["a label key in upper case", { tags: { Team: "iot" } }, 'tags: "Team" cannot be a label\'s key in GCP'],
        ["a label key that begins with a digit", { tags: { "1st": "iot" } }, 'tags: "1st" cannot be a label\'s key in GCP'],
        ["a label value with a space", { tags: { team: "i o t" } }, 'tags["team"]: "i o t" cannot be a label\'s value in GCP'],
        ["a label value that is too long", { tags: { team: "x".repeat(64) } }, 'tags["team"]:'],
        [
            "more labels than GCP takes",
            { tags: Object.fromEntries(Array.from({ length: 63 }, (_, index) => [`k${index}`, "v"])) },
            "tags: 65 are too many",
        ],
        ["no egress address", { egressAddressCount: 0 }, "egressAddressCount: 0 is out of range"],
        ["half an egress address", { egressAddressCount: 1.5 }, "egressAddressCount: 1.5 is out of range"],
        ["a public range as the site's", { cidr: "8.8.0.0/16" }, 'cidr: "8.8.0.0/16" is not private'],
        ["a public subnetwork", { network: { ...network, cidr: "8.8.8.0/24" } }, 'network.cidr: "8.8.8.0/24" is not private'],
        [
            "a subnetwork in the range of containers",
            { network: { ...network, cidr: "172.17.1.0/24" } },
            'network.cidr: "172.17.1.0/24" overlaps 172.17.0.0/16',
        ],
        [
            "a subnetwork without room for a broker",
            { network: { ...network, cidr: "10.77.4.0/29" } },
            'network.cidr: "10.77.4.0/29" has the wrong size',
        ],
        [
            "a subnetwork outside the site's range",
            { network, cidr: "10.2.0.0/16" },
            'network.cidr: "10.77.4.0/24" is not within cidr "10.2.0.0/16"',
        ],
        [
            "a network by its bare name",
            { network: { ...network, network: "office" } },
            'network.network: "office" is no self link',
        ],
        [
            "a subnetwork of another region",
            { network: { ...network, subnetwork: "projects/acme/regions/us-east1/subnetworks/shared" } },
            "network.subnetwork:",
        ],
        [
            "a subnetwork of another project",
            { network: { ...network, subnetwork: "projects/other/regions/europe-west4/subnetworks/shared" } },
            'network.subnetwork: "projects/other/regions/europe-west4/subnetworks/shared" is in another project',
        ],
        ["a text that is no machine type", { broker: { size: "large" } }, 'broker.size: "large" is no machine type'],
        [
            "a machine type of the other processor",
            { broker: { size: "n2-standard-2", architecture: "arm64" } },
            'broker.size: "n2-standard-2" has x86_64 processors and broker.architecture is "arm64"',
        ],
        ["administrators everywhere", { adminCidrs: ["0.0.0.0/0"] }, 'adminCidrs[0]: "0.0.0.0/0" admits everybody'],
        ["no administrators", { adminCidrs: undefined }, "adminCidrs: it is missing"],
        [
            "the private way with public administrators only",
            { reach: "direct" },
            'adminCidrs: ["203.0.113.7/32"] are public, and reach asks the brokers\' private addresses',
        ],
        ["a public name in upper case", { dns: { zone: "example", name: "MQTT.example.com" } }, "clientNames[0]:"],
        ["three nodes without a licence", { broker: { nodes: 3 } }, "broker.nodes: 3 nodes need a licence"],
    ])("refuses %s", async (_what, more, message) => {
        await expect(make(more)).rejects.toThrow(message);
    });

    it.each<[string, Record<string, unknown>, string]>([
        ["another range than was said", { ipCidrRange: "10.77.0.0/20" }, 'network.cidr: "10.77.4.0/24" is not the range'],
        ["another region", { region: "europe-west3" }, "is in europe-west3, the site in europe-west4"],
        ["another network", { network: "projects/acme/global/networks/lab" }, "is not in network"],
        ["no private Google access", { privateIpGoogleAccess: false }, "has no private Google access"],
    ])("refuses an existing subnetwork that has %s, once Google has said so", (_what, answer, message) => {
        const said = { network: "projects/acme/global/networks/office", region: "europe-west4", cidr: "10.77.4.0/24" };
        expect(() => checkSubnetwork({ ...existingSubnetwork, ...answer }, said)).toThrow(message);
        expect(() => checkSubnetwork(existingSubnetwork, said)).not.toThrow();
    });

    it("refuses a machine type that a zone has not, once Google has said so", () => {
        const offers = [
            { zone: "europe-west4-a", names: ["c4a-standard-2"] },
            { zone: "europe-west4-c", names: [] },
        ];
        expect(() => checkOffered("c4a-standard-2", offers)).toThrow("broker.size: europe-west4-c has no c4a-standard-2");
        expect(checkOffered("c4a-standard-2", offers.slice(0, 1))).toBe("c4a-standard-2");
    });

    it("takes an existing subnetwork that is as it was said to be", async () => {
        const recording = await make({ network });
        expect(recording.named("gcp-address-1").inputs.address).toBe("10.77.4.4");
    });

    it("refuses two sites that share addresses", async () => {
        const sites = () => [
            new GcpSite("a", { ...args, network }),
            new GcpSite("b", { ...args, siteNumber: 3, cidr: "10.77.0.0/16" }),
        ];
        await expect(record(() => void new Mesh("fleet", { sites: sites(), topics: ["fleet/#"] }), gcpMocks)).rejects.toThrow(
            /10\.77\.4\.0\/24.*10\.77\.0\.0\/16/,
        );
    });
});
