import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readUserData, userDataLimits } from "../../../src/emqx/boot/userData.js";
import { addedBetween, changedBetween, ofType, reaches } from "../../support/graph.js";
import type { Recording } from "../../support/recorder.js";
import { licensed, oneSite } from "./awsFixture.js";

/** User data as cloud-init unpacks it. */
const userData = (recording: Recording, broker: string) =>
    gunzipSync(Buffer.from(String(recording.named(broker).inputs.userDataBase64), "base64")).toString();

describe("an AWS site's broker", () => {
    it("has a fixed address, no public one, no login, and metadata for its own processes alone", async () => {
        const recording = await oneSite(licensed);
        const { inputs } = recording.named("aws-broker-2");
        expect(inputs).toMatchObject({
            ami: "ami-newest",
            instanceType: "m7g.large",
            primaryNetworkInterface: { networkInterfaceId: "aws-interface-2-id" },
            iamInstanceProfile: "profile-aws-broker-profile",
            metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
            rootBlockDevice: { volumeType: "gp3", encrypted: true },
            userDataReplaceOnChange: true,
        });
        expect(Object.keys(inputs)).not.toEqual(expect.arrayContaining(["keyName"]));
        expect(inputs.associatePublicIpAddress).toBeUndefined();
        expect(recording.named("aws-interface-2")).toMatchObject({
            deleteBeforeReplace: true,
            inputs: {
                subnetId: "aws-brokers-eu-central-1b-id",
                privateIps: ["10.1.1.4"],
                securityGroups: ["aws-brokers-firewall-id"],
            },
        });
    });

    it("is replaced and not stopped when its size, image or boot data change, the old machine first", async () => {
        const { deleteBeforeReplace, replaceOnChanges, ignoreChanges } = (await oneSite()).named("aws-broker-1");
        expect({ deleteBeforeReplace, replaceOnChanges, ignoreChanges }).toEqual({
            deleteBeforeReplace: true,
            replaceOnChanges: ["instanceType"],
            ignoreChanges: [],
        });
    });

    it("keeps its data on an encrypted disk of its own, which is taken away from a stopped machine only", async () => {
        const recording = await oneSite({ broker: { dataDiskGb: 50, protectData: true, retainData: true } });
        expect(recording.named("aws-data-1")).toMatchObject({
            protect: true,
            retainOnDelete: true,
            inputs: { type: "gp3", size: 50, encrypted: true, availabilityZone: "eu-central-1a" },
        });
        expect(recording.named("aws-data-of-broker-1")).toMatchObject({
            deleteBeforeReplace: true,
            inputs: { volumeId: "aws-data-1-id", instanceId: "aws-broker-1-id", stopInstanceBeforeDetaching: true },
        });
        expect((await oneSite()).named("aws-data-1")).toMatchObject({ protect: false, retainOnDelete: false });
    });

    it("boots from data of its own site: name, seeds, pinned package, disk, where the secrets are", async () => {
        const recording = await oneSite(licensed);
        const sent = Buffer.from(String(recording.named("aws-broker-2").inputs.userDataBase64), "base64");
        expect(sent.length).toBeLessThanOrEqual(userDataLimits.zipped);
        const text = userData(recording, "aws-broker-2");
        const { settings, nodeConfig } = readUserData(text);
        expect(settings).toMatchObject({
            LINKSPAN_NODE: "emqx@10.1.1.4",
            LINKSPAN_PACKAGE_SHA256: "ab".repeat(32),
            LINKSPAN_DISK_HINTS: "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_awsdata-2-id /dev/sdf /dev/xvdf",
            AWS_REGION: "eu-central-1",
            SSM_URL: "https://ssm.eu-central-1.amazonaws.com",
            PARAMETER_PREFIX: "/linkspan/project-stack/aws",
        });
        expect(settings.LINKSPAN_PACKAGE_URL).toMatch(/^https:.*arm64\.deb$/);
        expect(nodeConfig).toContain("emqx@10.1.0.4");
    });

    it("takes an image and a package of the user's as they are", async () => {
        const sha256 = "12".repeat(32);
        const recording = await oneSite({
            broker: { imageId: "ami-theirs", package: { url: "https://mirror.example.com/emqx.deb", sha256 }, size: "m7i.large" },
        });
        expect(recording.named("aws-broker-1").inputs).toMatchObject({ ami: "ami-theirs", instanceType: "m7i.large" });
        expect(readUserData(userData(recording, "aws-broker-1")).settings).toMatchObject({
            LINKSPAN_PACKAGE_URL: "https://mirror.example.com/emqx.deb",
            LINKSPAN_PACKAGE_SHA256: sha256,
        });
        expect([...ofType(recording, ":Pin"), ...ofType(recording, ":PackagePin")]).toEqual([]);
    });

    it("looks for the image of its processor once and pins it", async () => {
        const asked = async (broker: NonNullable<Parameters<typeof oneSite>[0]>["broker"]) => {
            const recording = await oneSite({ broker });
            expect(recording.named("aws-image").inputs).toMatchObject({ value: "ami-newest", release: "2026-11" });
            return recording.calls.find(({ token }) => token.endsWith(":getParameter"))?.args.name;
        };
        const path = (processor: string) =>
            `/aws/service/canonical/ubuntu/server/24.04/stable/current/${processor}/hvm/ebs-gp3/ami-id`;
        expect(await asked({ imageRelease: "2026-11" })).toBe(path("arm64"));
        expect(await asked({ imageRelease: "2026-11", size: "m7i.large" })).toBe(path("amd64"));
        expect(await asked({ imageRelease: "2026-11", architecture: "x86_64" })).toBe(path("amd64"));
    });

    it("is not made before it can boot: way out, secrets, right to read them, firewall", async () => {
        const recording = await oneSite(licensed);
        const needed = [
            "aws-brokers-to-internet-eu-central-1c",
            "aws-brokers-routes-of-eu-central-1c",
            "aws-nat-eu-central-1a",
            "aws-broker-policy",
            "aws-broker-profile",
            "aws-web-out-443",
            "aws-cluster-in-4370",
            ...ofType(recording, ":Parameter").map(({ name }) => name),
        ];
        for (const name of needed) {
            expect([name, reaches(recording, "aws-broker-3", name)]).toEqual([name, true]);
        }
    });
});

describe("an AWS site's brokers", () => {
    it("come one at a time: each waits until the one before is in the cluster", async () => {
        const recording = await oneSite(licensed);
        expect(recording.named("aws-broker-2").dependencies).toContain("aws-membership-1");
        expect(recording.named("aws-broker-3").dependencies).toContain("aws-membership-2");
        expect(reaches(recording, "aws-broker-1", "aws-membership-2")).toBe(false);
        // By `dependsOn` alone: an input would let the replacement of one machine replace the next with it.
        for (const waits of Object.values(recording.named("aws-broker-2").propertyDependencies)) {
            expect(waits.filter((name) => /-(membership|broker)-1$/.test(name))).toEqual([]);
        }
    });

    it("are drained before their machine goes, and leave after it", async () => {
        const recording = await oneSite(licensed);
        const membership = recording.named("aws-membership-2");
        expect(membership.propertyDependencies.gate).toContain("aws-broker-2");
        expect(membership.inputs).toMatchObject({
            clusterName: "project-stack-aws",
            nodeName: "emqx@10.1.1.4",
            members: ["emqx@10.1.0.4", "emqx@10.1.1.4", "emqx@10.1.2.4"],
            version: "5.10.3",
            gate: { instance: "aws-broker-2-id", size: "m7g.large", image: "ami-newest" },
        });
        expect(membership.secrets).toContain("api");
        for (const name of ["data-of-broker-2", "clients-to-broker-2", "links-to-broker-2", "api-to-broker-2"]) {
            expect(membership.dependencies).toContain(`aws-${name}`);
            // By an input, so that they go with the machine.
            expect(Object.values(recording.named(`aws-${name}`).propertyDependencies).flat()).toContain("aws-broker-2");
        }
        expect(recording.named("aws-broker-2").dependencies).toContain("aws-departure-2");
        expect(recording.named("aws-departure-2").inputs).toMatchObject({ nodeName: "emqx@10.1.1.4" });
    });

    it("are asked through doors that are open: listeners, administrators' rules, ways to the brokers", async () => {
        const recording = await oneSite();
        expect(recording.named("aws-membership-1").dependencies).toEqual(
            expect.arrayContaining([
                "aws-api-listener",
                "aws-admins-from-203.0.113.7-32",
                "aws-api-to-brokers",
                "aws-api-from-doors",
            ]),
        );
    });

    it("stay as they are when others come: from 3 to 5 nodes", async () => {
        const three = await oneSite(licensed);
        const five = await oneSite({ ...licensed, broker: { nodes: 5 } });
        // The members of the cluster and the addresses in its certificate are what others have to know of the new ones.
        expect(changedBetween(three, five)).toEqual([
            ...[1, 2, 3].map((key) => `aws-membership-${key}`),
            "aws-server-certificate",
        ]);
        expect(addedBetween(three, five).filter((name) => name.endsWith("-4"))).toEqual([
            "aws-api-to-broker-4",
            "aws-broker-4",
            "aws-clients-to-broker-4",
            "aws-data-4",
            "aws-data-of-broker-4",
            "aws-departure-4",
            "aws-interface-4",
            "aws-links-to-broker-4",
            "aws-membership-4",
        ]);
        expect(addedBetween(three, five).filter((name) => !/-[45]$/.test(name))).toEqual([]);
    });

    it("stay as they are when a zone is added at the end", async () => {
        const zones = ["eu-central-1a", "eu-central-1b"];
        const two = await oneSite({ ...licensed, broker: { nodes: 2 }, zones });
        const three = await oneSite({ ...licensed, broker: { nodes: 2 }, zones: [...zones, "eu-central-1c"] });
        // The load balancer takes the new zone's address in place; the certificate carries it.
        expect(changedBetween(two, three)).toEqual(["aws-doors", "aws-server-certificate"]);
        expect(addedBetween(two, three)).toEqual(
            [
                "aws-brokers-eu-central-1c",
                "aws-brokers-routes-eu-central-1c",
                "aws-brokers-routes-of-eu-central-1c",
                "aws-brokers-to-internet-eu-central-1c",
                "aws-door-eu-central-1c",
                "aws-public-eu-central-1c",
                "aws-public-routes-of-eu-central-1c",
            ].sort(),
        );
    });

    it("previews with nothing known yet", async () => {
        const recording = await oneSite(licensed, "aws", true);
        expect(ofType(recording, ":Instance")).toHaveLength(3);
    });
});
