import { describe, expect, it } from "vitest";
import { checkVirtualNetwork, type SeenNetwork } from "../../../src/azure/existingNetwork.js";
import { checkImageId } from "../../../src/azure/images.js";
import { AzureSite, type AzureSiteArgs } from "../../../src/azure/index.js";
import { record } from "../../support/recorder.js";
import { existingAnswer, existingNetwork, minimal, outputs, refusal, site } from "./azureFixture.js";

const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, "v"]));

describe("AzureSite: wrong arguments", () => {
    const wrong: readonly (readonly [string, Partial<AzureSiteArgs>, string])[] = [
        [
            "a display name as region",
            { location: "West Europe" },
            'location: "West Europe" is no region\'s name; write it in lower case without spaces, as in "westeurope"',
        ],
        [
            "a region without zones",
            { location: "westus" },
            'location: "westus" has no availability zones; choose a region that has some, or set zones if it has got them since',
        ],
        [
            "no zones",
            { zones: [] },
            "zones: [] is not possible; set 1 to 6 different zones, and keep them: another list moves nodes",
        ],
        [
            "another cloud's zone",
            { zones: ["westeurope-1"] },
            'zones[0]: "westeurope-1" is no availability zone; set "1", "2" or "3"',
        ],
        [
            "a zone twice",
            { zones: ["1", "1"] },
            'zones: ["1","1"] is not possible; set 1 to 6 different zones, and keep them: another list moves nodes',
        ],
        ["too many tags", { tags: tags(49) }, "tags: 49 are too many; Azure takes 50, 2 of which are Linkspan's own"],
        ["a tag of Azure's", { tags: { "Azure-cost": "1" } }, 'tags["Azure-cost"]: names that begin with "microsoft"'],
        ["a long tag", { tags: { ["k".repeat(129)]: "1" } }, "Azure takes names of 1 to 128 and values of up to 256 characters"],
        ["a long value of a tag", { tags: { k: "v".repeat(257) } }, 'tags["k"]: Azure takes names of 1 to 128'],
        ["a tag with a slash", { tags: { "team/cost": "1" } }, 'tags["team/cost"]: Azure refuses the characters < > % & \\ ? /'],
        [
            "a tag with a blank",
            { tags: { "cost center": "1" } },
            'tags["cost center"]: zones of Azure DNS take no name with a blank',
        ],
        ["a tag twice", { tags: { Team: "1", team: "2" } }, 'tags["team"]: Azure does not tell it from "Team"'],
        ["more nodes than the licence has", { broker: { nodes: 3 } }, "broker.nodes: 3 nodes need a licence"],
        ["everybody as administrator", { adminCidrs: ["0.0.0.0/0"] }, "adminCidrs[0]: "],
        [
            "another cloud's size",
            { broker: { size: "m7g.large" } },
            'broker.size: "m7g.large" is no size of Azure\'s; write it as in "Standard_D2ps_v6"',
        ],
        [
            "a size of the other processor",
            { broker: { size: "Standard_D2s_v5", architecture: "arm64" } },
            'broker.size: "Standard_D2s_v5" has x86_64 processors and broker.architecture is "arm64"; set a size such as "Standard_D2ps_v6", or leave broker.architecture out',
        ],
        [
            "an image without an exact version",
            { broker: { imageId: "Canonical:ubuntu-24_04-lts:server:latest" } },
            'broker.imageId: "Canonical:ubuntu-24_04-lts:server:latest" names no exact version',
        ],
        [
            "an image of another cloud",
            { broker: { imageId: "ami-0123" } },
            'broker.imageId: "ami-0123" is no image; set one as in',
        ],
        [
            "a key instead of a disk encryption set",
            { diskEncryptionSetId: "https://v.vault.azure.net/keys/k" },
            'diskEncryptionSetId: "https://v.vault.azure.net/keys/k" is no id of Microsoft.Compute/diskEncryptionSets; write it as in "/subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/diskEncryptionSets/…"',
        ],
        [
            "a name outside its zone",
            { dns: { zoneName: "example.com", resourceGroupName: "names", name: "mqtt.badexample.com" } },
            'dns.name: "mqtt.badexample.com" does not lie in the zone "example.com"; set a name that ends in the zone\'s',
        ],
        [
            "logs kept for too long",
            { flowLogs: { retentionDays: 366 } },
            "flowLogs.retentionDays: 366 is out of range; set 1 to 365 days",
        ],
        ["a direct way without a private range", { reach: "direct" }, "adminCidrs: "],
        [
            "a range beside the network",
            { network: existingNetwork, cidr: "10.1.0.0/16" },
            "cidr: the network is yours, and network.cidr says it; leave cidr out",
        ],
        [
            "a network by name",
            { network: { ...existingNetwork, virtualNetworkId: "hub" } },
            'network.virtualNetworkId: "hub" is no id of Microsoft.Network/virtualNetworks; write it as in',
        ],
        [
            "a network as its subnet",
            { network: { ...existingNetwork, subnetId: existingNetwork.virtualNetworkId } },
            "network.subnetId: ",
        ],
        [
            "a subnet outside the network",
            { network: { ...existingNetwork, subnetCidr: "10.201.0.0/24" } },
            'network.subnetCidr: "10.201.0.0/24" is not within network.cidr "10.200.0.0/16"; set the range that Azure shows for the subnet',
        ],
        [
            "a subnet that is too small",
            { network: { ...existingNetwork, subnetCidr: "10.200.3.0/30" } },
            "network.subnetCidr: a /30 is smaller than any subnet of Azure; set /29 or larger",
        ],
        [
            "a public range as a private network",
            { network: { ...existingNetwork, cidr: "20.200.0.0/16", subnetCidr: "20.200.3.0/24" } },
            'network.cidr: "20.200.0.0/16" is not private; set a range within 10.0.0.0/8',
        ],
        [
            "a network in a reserved range",
            { network: { ...existingNetwork, cidr: "172.17.0.0/16", subnetCidr: "172.17.1.0/24" } },
            "network.cidr: ",
        ],
        [
            "no addresses of the NAT gateway",
            { network: { ...existingNetwork, egressAddresses: [] } },
            "network.egressAddresses: it is missing; list the public addresses of the NAT gateway that the subnet uses: peers admit no others",
        ],
        [
            "a private address of the NAT gateway",
            { network: { ...existingNetwork, egressAddresses: ["10.0.0.1"] } },
            "network.egressAddresses[0]: ",
        ],
    ];
    it.each(wrong)("refuses %s", async (_what, args, message) => {
        expect(await refusal(args)).toContain(message);
    });

    it("refuses a missing region", async () => {
        const rest: AzureSiteArgs = JSON.parse(JSON.stringify({ ...minimal, location: undefined }));
        const program = () => void new AzureSite("a", rest);
        await expect(record(program, { outputs })).rejects.toThrow(
            'location: it is missing; set the region by its name, as in "westeurope"',
        );
    });

    it("takes zones that are named for a region that had none", async () => {
        const recording = await site({ location: "westus", zones: ["1"] });
        expect(recording.named("a-broker-1").inputs.zones).toEqual(["1"]);
    });
});

describe("a network of the user's", () => {
    const ids = { virtualNetwork: existingNetwork.virtualNetworkId, subnet: existingNetwork.subnetId };
    const [subnet] = existingAnswer.subnets;
    const check = (answer: Partial<SeenNetwork>) => () =>
        checkVirtualNetwork(ids, existingNetwork, { ...existingAnswer, ...answer });

    it("is taken as Azure confirms it, also where a subnet has several ranges", () => {
        expect(check({})).not.toThrow();
        const { addressPrefix: _one, ...rest } = { ...subnet };
        expect(check({ subnets: [{ ...rest, addressPrefixes: ["10.200.9.0/24", "10.200.3.0/24"] }] })).not.toThrow();
        expect(check({ addressSpace: { addressPrefixes: ["fd00::/48", "10.200.0.0/15"] } })).not.toThrow();
    });

    it.each<readonly [string, Partial<SeenNetwork>, string]>([
        ["name servers of its own", { dhcpOptions: { dnsServers: ["10.0.0.53"] } }, "has name servers of its own (10.0.0.53)"],
        [
            "another range",
            { addressSpace: { addressPrefixes: ["10.99.0.0/16"] } },
            '"10.200.0.0/16" is no range of the virtual network; it has 10.99.0.0/16',
        ],
        ["no such subnet", { subnets: [] }, "is no subnet of"],
        [
            "a subnet of another range",
            { subnets: [{ ...subnet, addressPrefix: "10.200.4.0/24" }] },
            '"10.200.3.0/24" is not the range of the subnet; set "10.200.4.0/24"',
        ],
        [
            "a subnet without a NAT gateway",
            { subnets: [{ id: existingNetwork.subnetId, addressPrefix: "10.200.3.0/24" }] },
            "has no NAT gateway, so that brokers come from no fixed address",
        ],
    ])("is refused with %s", (_what, answer, message) => {
        expect(check(answer)).toThrow(message);
    });
});

describe("an image", () => {
    const gallery = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/mine/images/ubuntu";
    it.each([
        [
            "Canonical:ubuntu-24_04-lts:server:24.04.202609040",
            { publisher: "Canonical", offer: "ubuntu-24_04-lts", sku: "server", version: "24.04.202609040" },
        ],
        [`${gallery}/versions/1.2.3`, { id: `${gallery}/versions/1.2.3` }],
        [
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/mine",
            { id: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/mine" },
        ],
        [
            "/CommunityGalleries/c/Images/ubuntu/Versions/1.2.3",
            { communityGalleryImageId: "/CommunityGalleries/c/Images/ubuntu/Versions/1.2.3" },
        ],
        [
            "/SharedGalleries/c/Images/ubuntu/Versions/1.2.3",
            { sharedGalleryImageId: "/SharedGalleries/c/Images/ubuntu/Versions/1.2.3" },
        ],
    ])("is read as %s", (text, reference) => {
        expect(checkImageId(text)).toEqual(reference);
    });

    it.each([gallery, "", "a:b:c", "/subscriptions/s/whatever"])("is not %s", (text) => {
        expect(() => checkImageId(text)).toThrow(/^broker[.]imageId: /);
    });
});
