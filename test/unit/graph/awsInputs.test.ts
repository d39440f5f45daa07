import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkSeenSubnet, checkVpc } from "../../../src/aws/existingNetwork.js";
import { AwsSite, type AwsSiteArgs } from "../../../src/aws/index.js";
import { chooseRegion } from "../../../src/aws/regions.js";
import { checkSize } from "../../../src/aws/secretStore.js";
import { checkZoneExists } from "../../../src/aws/zones.js";
import { MeshIdentity } from "../../../src/identity/meshIdentity.js";
import { licensed, oneSite, recordAws, siteArgs, theirNetwork } from "./awsFixture.js";

/** What plain JavaScript and configuration can bring, whatever the types say. */
const wrong = (more: object) => more as Partial<AwsSiteArgs>;
const theirs = (more: Partial<typeof theirNetwork>, args: Partial<AwsSiteArgs> = {}): Partial<AwsSiteArgs> => ({
    ...args,
    network: { ...theirNetwork, ...more },
});
const zoneA = theirNetwork.zones["eu-central-1a"];
const zoneB = theirNetwork.zones["eu-central-1b"];
if (zoneA === undefined || zoneB === undefined) {
    throw new Error("the network of the fixture has two zones");
}
const inZoneA = (kind: "brokers" | "public", cidr: string) =>
    theirs({ zones: { "eu-central-1a": { ...zoneA, [kind]: { id: "subnet-1", cidr } }, "eu-central-1b": zoneB } });

describe("bad input to an AWS site, each with the argument named", () => {
    const cases: readonly (readonly [string, Partial<AwsSiteArgs>, RegExp])[] = [
        ["a site number out of range", { siteNumber: 0 }, /^siteNumber: 0/],
        ["a region that is none", { region: "Frankfurt" }, /^region: "Frankfurt" is no region of AWS/],
        ["a zone's name as region", { region: "eu-central-1a" }, /^region: "eu-central-1a" is no region/],
        [
            "a zone of another region",
            { zones: ["eu-central-1a", "eu-west-1b"] },
            /^zones\[1\]: "eu-west-1b" is no zone of eu-central-1/,
        ],
        ["a letter that no zone has", { zones: ["eu-central-1q"] }, /^zones\[0\]: "eu-central-1q" is no zone of eu-central-1/],
        ["a zone twice", { zones: ["eu-central-1a", "eu-central-1a"] }, /^zones: .*different zones/],
        ["no zone", { zones: [] }, /^zones: \[\] is not possible/],
        ["a zone that is no text", wrong({ zones: [1] }), /^zones\[0\]: 1 is no text/],
        [
            "an egress that does not exist",
            wrong({ egress: "perzone" }),
            /^egress: "perzone" is not known; set "single" or "perZone"$/,
        ],
        ["a range that is too small", { cidr: "10.1.0.0/24" }, /^cidr: "10\.1\.0\.0\/24" has the wrong size/],
        ["a public range", { cidr: "8.8.0.0/16" }, /^cidr: "8\.8\.0\.0\/16" is not private/],
        ["no administrators", wrong({ adminCidrs: undefined }), /^adminCidrs: it is missing/],
        ["everybody as administrators", { adminCidrs: ["0.0.0.0/0"] }, /^adminCidrs\[0\]: .*admits everybody/],
        ["nodes without a licence", { broker: { nodes: 3 } }, /^broker\.nodes: 3 nodes need a licence/],
        [
            "a size of another processor",
            { broker: { size: "m7i.large", architecture: "arm64" } },
            /^broker\.size: "m7i\.large" has x86_64/,
        ],
        [
            "an arm64 size for x86_64",
            { broker: { size: "c7gn.large", architecture: "x86_64" } },
            /^broker\.size: "c7gn\.large" has arm64/,
        ],
        ["a size that is none", { broker: { size: "large" } }, /^broker\.size: "large" is no instance type/],
        ["a key's alias", { kmsKeyId: "alias/fleet" }, /^kmsKeyId: "alias\/fleet" is no key's ARN/],
        ["a public name that is none", { dns: { zoneId: "Z1", name: "mqtt" } }, /^clientNames\[0\]: "mqtt" is no host name/],
        ["a tag of AWS's own", { tags: { "aws:owner": "x" } }, /^tags\["aws:owner"\]: .*AWS's own/],
        ["a tag that is too long", { tags: { team: "x".repeat(257) } }, /^tags\["team"\]: .*256/],
        ["a tag with other characters", { tags: { team: "a|b" } }, /^tags\["team"\]: "a\|b" has characters/],
        [
            "too many tags",
            { tags: Object.fromEntries(Array.from({ length: 48 }, (_, index) => [`t${index}`, "x"])) },
            /^tags: 48 are too many; AWS takes 50/,
        ],
        [
            "a direct reach without a private range",
            { reach: "direct" },
            /^adminCidrs: \["203\.0\.113\.7\/32"\] are public, and reach asks the brokers' private addresses/,
        ],
        ["a range beside a network of the user's", theirs({}, { cidr: "10.1.0.0/16" }), /^cidr: the network is yours/],
        ["zones beside a network", theirs({}, { zones: ["eu-central-1a"] }), /^zones: the network is yours/],
        ["egress beside a network", theirs({}, { egress: "single" }), /^egress: the network is yours/],
        [
            "a network of another region",
            theirs({}, { region: "eu-west-1" }),
            /^network\.zones: "eu-central-1a" is no zone of eu-west-1/,
        ],
        ["a network without zones", theirs({ zones: {} }), /^zones: \[\] is not possible/],
        ["a network that is no range", theirs({ cidr: "vpc" }), /^network\.cidr: "vpc" is no IPv4 range/],
        ["a network over containers' range", theirs({ cidr: "172.16.0.0/12" }), /^network\.cidr: .*containers' default network/],
        [
            "subnets that overlap",
            inZoneA("brokers", "10.50.1.0/25"),
            /^network\.zones: 10\.50\.1\.0\/25 \(the brokers' subnet of eu-central-1a\) and 10\.50\.1\.0\/24 \(the brokers' subnet of eu-central-1b\)/,
        ],
        [
            "a subnet outside of the network",
            inZoneA("public", "10.51.0.0/24"),
            /^network\.zones\["eu-central-1a"\]\.public\.cidr: it is not within network\.cidr "10\.50\.0\.0\/16"/,
        ],
        [
            "a subnet smaller than AWS has",
            inZoneA("brokers", "10.50.0.0/29"),
            /^network\.zones\["eu-central-1a"\]\.brokers\.cidr: a \/29 is smaller/,
        ],
        [
            "a zone without a public subnet",
            wrong({ network: { ...theirNetwork, zones: { "eu-central-1a": { brokers: zoneA.brokers } } } }),
            /^network\.zones\["eu-central-1a"\]\.public: it is missing/,
        ],
        [
            "a public range as a private network",
            theirs({ cidr: "18.50.0.0/16" }),
            /^network\.cidr: "18\.50\.0\.0\/16" is not private/,
        ],
        [
            "a network without egress addresses",
            wrong({ network: { ...theirNetwork, egressAddresses: undefined } }),
            /^network\.egressAddresses: it is missing/,
        ],
        [
            "a private egress address",
            theirs({ egressAddresses: ["10.0.0.1"] }),
            /^network\.egressAddresses\[0\]: .*no public address/,
        ],
    ];

    it.each(cases)("%s", async (_what, more, message) => {
        await expect(oneSite(more)).rejects.toThrow(message);
    });

    it("an identity of another mesh", async () => {
        const run = recordAws(() => {
            const identity = new MeshIdentity("other", { meshId: "other" });
            new AwsSite("aws", siteArgs(1, { identity, meshId: "fleet" }));
        });
        await expect(run).rejects.toThrow(/^identity: it belongs to mesh "other"/);
    });
});

describe("an AWS site's region", () => {
    const saved = { ...process.env };
    beforeEach(() => {
        delete process.env.AWS_REGION;
        delete process.env.AWS_DEFAULT_REGION;
    });
    afterEach(() => {
        process.env.AWS_REGION = saved.AWS_REGION;
        process.env.AWS_DEFAULT_REGION = saved.AWS_DEFAULT_REGION;
        for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION"] as const) {
            if (saved[name] === undefined) {
                delete process.env[name];
            }
        }
        pulumi.runtime.setAllConfig({});
    });

    it("is what the arguments, the zones, the stack or the environment say, in this order", () => {
        process.env.AWS_DEFAULT_REGION = "us-east-1";
        expect(chooseRegion(undefined, undefined)).toBe("us-east-1");
        process.env.AWS_REGION = "us-east-2";
        expect(chooseRegion(undefined, undefined)).toBe("us-east-2");
        pulumi.runtime.setConfig("aws:region", "us-west-2");
        expect(chooseRegion(undefined, undefined)).toBe("us-west-2");
        expect(chooseRegion(undefined, ["ap-southeast-2b"])).toBe("ap-southeast-2");
        expect(chooseRegion("us-gov-west-1", ["ap-southeast-2b"])).toBe("us-gov-west-1");
    });

    it("must be said somewhere", () => {
        pulumi.runtime.setAllConfig({});
        expect(() => chooseRegion(undefined, undefined)).toThrow(/^region: it is missing; .*pulumi config set aws:region/);
    });

    it("has its own first three zones", async () => {
        const recording = await oneSite({ ...licensed, region: "ap-northeast-1" });
        expect(recording.named("aws-data-2").inputs.availabilityZone).toBe("ap-northeast-1c");
        expect(recording.named("aws-brokers-ap-northeast-1d").inputs.cidrBlock).toBe("10.1.3.0/24");
    });
});

describe("what AWS shows, compared with what the arguments say", () => {
    it("refuses a zone that the account does not see, and names those that it sees", () => {
        expect(checkZoneExists("eu-north-1a", ["eu-north-1a"], "eu-north-1")).toBe("eu-north-1a");
        expect(() => checkZoneExists("eu-north-1d", ["eu-north-1a", "eu-north-1b"], "eu-north-1")).toThrow(
            'zones: eu-north-1 has no zone "eu-north-1d" for this account; set some of eu-north-1a, eu-north-1b',
        );
    });

    it("refuses a VPC that private zones are not answered in, or with another range", () => {
        const vpc = { enableDnsSupport: true, enableDnsHostnames: true, cidrs: ["10.50.0.0/16", "10.51.0.0/16"] };
        expect(() => checkVpc("10.51.0.0/16", vpc)).not.toThrow();
        expect(() => checkVpc("10.52.0.0/16", vpc)).toThrow(/^network\.cidr: .* it has 10\.50\.0\.0\/16, 10\.51\.0\.0\/16$/);
        expect(() => checkVpc("10.50.0.0/16", { ...vpc, enableDnsHostnames: false })).toThrow(
            /^network\.vpcId: enableDnsHostnames of the VPC is off/,
        );
        expect(() => checkVpc("10.50.0.0/16", { ...vpc, enableDnsSupport: false })).toThrow(/^network\.vpcId: enableDnsSupport/);
    });

    it("refuses a subnet of another VPC, zone or range", () => {
        const said = { vpcId: "vpc-1", availabilityZone: "eu-central-1a", cidrBlock: "10.50.0.0/24" };
        const check = (more: Partial<typeof said>) => () => checkSeenSubnet("network.zones", said, { ...said, ...more });
        expect(check({})).not.toThrow();
        expect(check({ vpcId: "vpc-2" })).toThrow(
            'network.zones: the subnet lies in the VPC "vpc-2", and the arguments say "vpc-1"',
        );
        expect(check({ availabilityZone: "eu-central-1b" })).toThrow(/lies in the zone "eu-central-1b"/);
        expect(check({ cidrBlock: "10.50.0.0/25" })).toThrow(/has the range "10\.50\.0\.0\/25"/);
    });

    it("refuses a secret that does not fit into its parameter, without showing it", () => {
        expect(checkSize("users", "Standard", "x".repeat(4096))).toHaveLength(4096);
        expect(() => checkSize("users", "Standard", "x".repeat(4097))).toThrow(
            /^users: the item users has 4097 bytes, and a parameter of AWS holds 4096; give fewer users here/,
        );
        expect(() => checkSize("license", "Standard", "ä".repeat(2049))).toThrow(/^license: the item license has 4098 bytes/);
        expect(() => checkSize("ca", "Advanced", "PEM".repeat(3000))).toThrow(/^identity: (?!.*PEM).* holds 8192/);
    });
});
