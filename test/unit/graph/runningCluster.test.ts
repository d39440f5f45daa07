import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { AzureSite } from "../../../src/azure/index.js";
import type { CloudSiteArgs } from "../../../src/cluster/args.js";
import { GcpSite } from "../../../src/gcp/index.js";
import { gcpMocks } from "../../support/gcpMocks.js";
import { assertNoCycle, ofType, reaches } from "../../support/graph.js";
import { type Recording, record } from "../../support/recorder.js";
import { oneSite } from "./awsFixture.js";
import { minimal, outputs } from "./azureFixture.js";

const key = () => pulumi.secret("bGljZW5jZQ==.c2lnbmF0dXJl");
const users = () => [
    { username: "pump-7", password: pulumi.secret("pump-S3cret") },
    { username: "yard.gate@b", password: pulumi.secret("gate-S3cret") },
];
/** Made in the run that records them: outputs belong to their run. */
type Given = () => Pick<CloudSiteArgs, "license" | "users" | "broker">;

const clouds: readonly (readonly [string, (given: Given) => Promise<Recording>])[] = [
    ["aws", (given) => oneSite(given(), "s")],
    [
        "gcp",
        (given) =>
            record(
                () =>
                    void new GcpSite("s", {
                        siteNumber: 2,
                        region: "europe-west4",
                        meshId: "fleet",
                        adminCidrs: ["203.0.113.7/32"],
                        ...given(),
                    }),
                gcpMocks,
            ),
    ],
    ["azure", (given) => record(() => void new AzureSite("s", { ...minimal, ...given() }), { outputs })],
];

describe.each(clouds)("a running cluster on %s", (_cloud, recordSite) => {
    it("gets a licence key over its API, once its first node is there, and knows each device user", async () => {
        const recording = await recordSite(() => ({ license: key(), users: users(), broker: { nodes: 2 } }));
        const license = recording.named("s-license");
        expect(license.inputs).toMatchObject({ key: "bGljZW5jZQ==.c2lnbmF0dXJl" });
        expect(license.secrets).toEqual(expect.arrayContaining(["api", "key"]));
        for (const name of ["s-license", "s-user-pump-7", "s-user-yard.gate@b"]) {
            expect(reaches(recording, name, "s-membership-1"), name).toBe(true);
            // Adding a node asks for neither again, and no machine waits for a user.
            expect(recording.named(name).dependencies, name).not.toContain("s-membership-2");
            expect(reaches(recording, "s-membership-2", name), name).toBe(false);
        }
        const user = recording.named("s-user-pump-7");
        expect(user.inputs).toMatchObject({ username: "pump-7", password: "pump-S3cret" });
        expect(user.secrets).toEqual(expect.arrayContaining(["api", "password"]));
        expect(user.deletedWith).toBe("s-secrets");
        expect(recording.resources.map(({ name }) => name)).not.toContain("s-user-device");
        assertNoCycle(recording);
    });

    it("gets no licence where none is given, and its generated device user", async () => {
        const recording = await recordSite(() => ({ license: "evaluation", broker: { nodes: 1 } }));
        expect(ofType(recording, ":ClusterLicense")).toEqual([]);
        expect(ofType(recording, ":DeviceUser").map(({ name }) => name)).toEqual(["s-user-device"]);
        expect(recording.named("s-user-device").inputs.username).toBe("device");
    });

    it("changes nothing of a machine for another user or another key", async () => {
        const [before, after] = [
            await recordSite(() => ({ license: key(), users: users(), broker: { nodes: 1 } })),
            await recordSite(() => ({
                license: pulumi.secret("YW5vdGhlcg==.c2lnbmF0dXJl"),
                users: users().slice(1),
                broker: { nodes: 1 },
            })),
        ];
        const machine = (recording: Recording) =>
            recording.resources
                .filter(({ type }) => /:(Instance|VirtualMachine|NodeMembership|NetworkInterface|Volume|Disk)$/.test(type))
                .map(({ name, inputs }) => [name, inputs]);
        expect(machine(before).length).toBeGreaterThan(2);
        expect(machine(after)).toEqual(machine(before));
        const names = (recording: Recording) => ofType(recording, ":DeviceUser").map(({ name }) => name);
        expect([names(before), names(after)]).toEqual([["s-user-pump-7", "s-user-yard.gate@b"], ["s-user-yard.gate@b"]]);
    });
});

describe("links of a cluster", () => {
    it("wait for its licence, and not for its device users", async () => {
        const { Mesh } = await import("../../../src/mesh.js");
        const recording = await record(() => {
            const site = (name: string, siteNumber: number) =>
                new GcpSite(name, {
                    siteNumber,
                    region: "europe-west4",
                    meshId: "fleet",
                    adminCidrs: ["203.0.113.7/32"],
                    license: key(),
                    broker: { nodes: 1 },
                });
            new Mesh("fleet", { sites: [site("a", 1), site("b", 2)], topics: ["x/#"] });
        }, gcpMocks);
        for (const link of ["fleet-a-b-a-to-b", "fleet-a-b-b-to-a"]) {
            expect(reaches(recording, link, "a-license"), link).toBe(true);
            expect(reaches(recording, link, "b-license"), link).toBe(true);
            expect(reaches(recording, link, "a-user-device"), link).toBe(false);
        }
    });
});
