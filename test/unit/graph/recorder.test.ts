import * as ec2 from "@pulumi/aws/ec2/index.js";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { addedBetween, assertNoCycle, changedBetween, countByType, ofType, reaches, tagsOf } from "../../support/graph.js";
import { type Recording, record } from "../../support/recorder.js";

/** A network, two subnets one after the other, and an address. */
const network = (more: { readonly third?: boolean; readonly subnetRange?: string } = {}) =>
    record(
        () => {
            const vpc = new ec2.Vpc("vpc", { cidrBlock: "10.1.0.0/16", tags: { site: "a" } }, { protect: true });
            const one = new ec2.Subnet(
                "one",
                { vpcId: vpc.id, cidrBlock: more.subnetRange ?? "10.1.0.0/24" },
                {
                    aliases: [{ name: "first" }],
                    ignoreChanges: ["tags"],
                    replaceOnChanges: ["cidrBlock"],
                    deleteBeforeReplace: true,
                    retainOnDelete: true,
                    deletedWith: vpc,
                    customTimeouts: { create: "10m" },
                },
            );
            new ec2.Subnet("two", { vpcId: pulumi.interpolate`${vpc.id}`, cidrBlock: "10.1.1.0/24" }, { dependsOn: one });
            if (more.third === true) {
                new ec2.Eip("third");
            }
        },
        { outputs: (type) => (type.endsWith(":Vpc") ? { defaultSecurityGroupId: "sg-1" } : {}) },
    );

describe("recorder", () => {
    it("keeps the options of a resource", async () => {
        const recording = await network();
        expect(recording.named("vpc")).toMatchObject({ protect: true, retainOnDelete: false, aliases: [], customTimeouts: {} });
        expect(recording.named("one")).toMatchObject({
            protect: false,
            deleteBeforeReplace: true,
            retainOnDelete: true,
            deletedWith: "vpc",
            ignoreChanges: ["tags"],
            replaceOnChanges: ["cidrBlock"],
            aliases: ["::first"],
            customTimeouts: { create: "10m" },
        });
    });

    it("tells what each input waits for from what the resource waits for", async () => {
        const recording = await network();
        expect(recording.named("two").propertyDependencies).toEqual({ vpcId: ["vpc"] });
        expect(recording.named("two").dependencies).toEqual(["one", "vpc"]);
    });

    it("names an explicit provider, and none for the default one", async () => {
        const recording = await record(() => {
            const provider = new (class extends pulumi.ProviderResource {})("aws", "other", { region: "eu-west-1" });
            new ec2.Eip("address", {}, { provider });
            new ec2.Eip("usual");
        });
        expect(recording.named("address").provider).toMatch(/::other::other-id$/);
        expect(recording.named("usual").provider).toBe("");
    });

    it("answers calls and keeps them", async () => {
        const recording = await record(() => ec2.getVpc({ id: "vpc-1" }), {
            calls: (token, args) => ({ cidrBlock: "10.9.0.0/16", asked: `${token} ${String(args.id)}` }),
        });
        expect(recording.outputs).toMatchObject({ cidrBlock: "10.9.0.0/16", asked: "aws:ec2/getVpc:getVpc vpc-1" });
        expect(recording.calls).toEqual([{ token: "aws:ec2/getVpc:getVpc", args: { id: "vpc-1" } }]);
    });

    it("keeps what is only looked up apart from what is made", async () => {
        const recording = await record(() => {
            const vpc = ec2.Vpc.get("theirs", "vpc-1");
            new ec2.Subnet("one", { vpcId: vpc.id, cidrBlock: "10.1.0.0/24" });
        });
        expect(recording.reads).toEqual([{ type: "aws:ec2/vpc:Vpc", name: "theirs", id: "vpc-1" }]);
        expect(recording.resources.map(({ name }) => name)).toEqual(["one"]);
        expect(recording.named("one").dependencies).toEqual(["theirs"]);
        assertNoCycle(recording);
    });
});

describe("what is read of a recording", () => {
    it("counts by type", async () => {
        expect(countByType(await network())).toEqual({ "aws:ec2/vpc:Vpc": 1, "aws:ec2/subnet:Subnet": 2 });
        expect(ofType(await network(), ":Subnet").map(({ name }) => name)).toEqual(["one", "two"]);
    });

    it("follows dependencies in their direction only", async () => {
        const recording = await network();
        expect(reaches(recording, "two", "vpc")).toBe(true);
        expect(reaches(recording, "vpc", "two")).toBe(false);
        expect(reaches(recording, "two", "two")).toBe(false);
        expect(() => reaches(recording, "two", "three")).toThrow("no resource three");
    });

    it("sees what changed, what went and what came", async () => {
        const before = await network();
        expect(changedBetween(before, await network())).toEqual([]);
        expect(changedBetween(before, await network({ third: true }))).toEqual([]);
        expect(addedBetween(before, await network({ third: true }))).toEqual(["third"]);
        expect(changedBetween(await network({ third: true }), before)).toEqual(["third"]);
        expect(changedBetween(before, await network({ subnetRange: "10.1.8.0/24" }))).toEqual(["one"]);
    });

    it("finds circles and missing resources", async () => {
        const recording = await network();
        const [vpc, one] = [recording.named("vpc"), recording.named("one")];
        const of = (resources: Recording["resources"]): Recording => ({ ...recording, resources });
        expect(() => assertNoCycle(recording)).not.toThrow();
        expect(() => assertNoCycle(of([{ ...vpc, dependencies: ["one"] }, one]))).toThrow(
            "resources wait for each other: vpc > one > vpc",
        );
        expect(() => assertNoCycle(of([one]))).toThrow("one waits for vpc, which the program does not make");
    });

    it("reads tags and labels", async () => {
        const recording = await network();
        expect(tagsOf(recording.named("vpc"))).toEqual({ site: "a" });
        expect(tagsOf({ ...recording.named("two"), inputs: { labels: { site: "b" } } })).toEqual({ site: "b" });
        expect(tagsOf(recording.named("two"))).toEqual({});
    });
});
