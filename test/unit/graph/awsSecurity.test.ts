import { gunzipSync } from "node:zlib";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { ofType } from "../../support/graph.js";
import type { Recording } from "../../support/recorder.js";
import { licensed, oneSite, secretTexts } from "./awsFixture.js";

describe("an AWS site's firewall", () => {
    /** Every rule as one line. */
    const rules = (recording: Recording) =>
        recording.resources
            .filter(({ type }) => type.startsWith("aws:vpc/"))
            .map(({ type, inputs }) => {
                const direction = type.includes("Ingress") ? "in" : "out";
                const group = String(inputs.securityGroupId).replace(/^aws-|-firewall-id$/g, "");
                const peer = String(inputs.cidrIpv4 ?? inputs.referencedSecurityGroupId).replace(/^aws-|-firewall-id$/g, "");
                return `${group} ${direction} ${inputs.ipProtocol} ${inputs.fromPort}-${inputs.toPort} ${peer}`;
            })
            .sort();
    const always = [
        "brokers in tcp 18084-18084 doors",
        "brokers in tcp 4370-4370 brokers",
        "brokers in tcp 5370-5370 brokers",
        "brokers in tcp 8883-8883 doors",
        "brokers in tcp 8884-8884 doors",
        "brokers out tcp 4370-4370 brokers",
        "brokers out tcp 443-443 0.0.0.0/0",
        "brokers out tcp 5370-5370 brokers",
        "brokers out tcp 80-80 0.0.0.0/0",
        "doors out tcp 18084-18084 brokers",
        "doors out tcp 8883-8883 brokers",
        "doors out tcp 8884-8884 brokers",
    ];

    it("opens the client door to all, management to administrators and the link door to nobody yet", async () => {
        expect(rules(await oneSite())).toEqual(
            [...always, "doors in tcp 8883-8883 0.0.0.0/0", "doors in tcp 18084-18084 203.0.113.7/32"].sort(),
        );
    });

    it("lets administrators use the client door too where devices' ranges are listed", async () => {
        expect(rules(await oneSite({ clientCidrs: ["198.51.99.0/24"] }))).toEqual(
            [
                ...always,
                "doors in tcp 8883-8883 198.51.99.0/24",
                "doors in tcp 8883-8883 203.0.113.7/32",
                "doors in tcp 18084-18084 203.0.113.7/32",
            ].sort(),
        );
    });

    it.each([["direct" as const], [{ proxy: "socks5://bastion.example.com:1080", to: "private" as const }]])(
        "lets private administrators past the load balancer where this machine comes that way",
        async (reach) => {
            expect(rules(await oneSite({ adminCidrs: ["203.0.113.7/32", "10.200.0.0/24"], reach }))).toEqual(
                [
                    ...always,
                    "brokers in tcp 18084-18084 10.200.0.0/24",
                    "brokers in tcp 8883-8883 10.200.0.0/24",
                    "doors in tcp 8883-8883 0.0.0.0/0",
                    "doors in tcp 18084-18084 203.0.113.7/32",
                    "doors in tcp 18084-18084 10.200.0.0/24",
                ].sort(),
            );
        },
    );

    it("names its rules by what they admit, so that another order changes nothing", async () => {
        const one = await oneSite({ adminCidrs: ["203.0.113.7/32", "203.0.113.8/32"] });
        const other = await oneSite({ adminCidrs: ["203.0.113.8/32", "203.0.113.7/32"] });
        const named = (recording: Recording) =>
            ofType(recording, ":SecurityGroupIngressRule")
                .map(({ name }) => name)
                .sort();
        expect(named(one)).toEqual(named(other));
        expect(one.named("aws-admins-from-203.0.113.8-32").inputs).toEqual(other.named("aws-admins-from-203.0.113.8-32").inputs);
    });

    it("describes every group and rule in characters that AWS takes", async () => {
        const recording = await oneSite({ reach: "direct", adminCidrs: ["10.200.0.0/24"] });
        const described = recording.resources.filter(({ type }) => /SecurityGroup(IngressRule|EgressRule)?$/.test(type));
        for (const { name, inputs, type } of described.filter((one) => !one.type.endsWith(":DefaultSecurityGroup"))) {
            expect([type, name, inputs.description]).toEqual([
                type,
                name,
                expect.stringMatching(/^[A-Za-z0-9 ._:/()#,@[\]+=&;{}!$*-]{1,255}$/),
            ]);
        }
        expect(described.length).toBeGreaterThan(16);
    });
});

describe("an AWS site's secrets", () => {
    it("are one encrypted parameter each, secret also for Pulumi", async () => {
        const parameters = ofType(await oneSite(), ":Parameter");
        expect(parameters.map(({ inputs }) => inputs.name).sort()).toEqual(
            [
                "api-keys",
                "ca",
                "cookie",
                "dashboard-password",
                "license",
                "link-cert",
                "link-key",
                "server-cert",
                "server-key",
                "users",
            ].map((item) => `/linkspan/project-stack/aws/${item}`),
        );
        for (const { name, inputs, secrets } of parameters) {
            expect([name, inputs.type, inputs.tier, inputs.keyId, secrets]).toEqual([
                name,
                "SecureString",
                "Standard",
                undefined,
                ["value"],
            ]);
        }
    });

    it("are readable by the brokers' role, and nothing else is", async () => {
        const recording = await oneSite();
        const { Statement } = JSON.parse(String(recording.named("aws-broker-policy").inputs.policy));
        expect(Statement).toEqual([
            {
                Effect: "Allow",
                Action: "ssm:GetParameter",
                Resource: expect.arrayContaining(ofType(recording, ":Parameter").map(({ name }) => `arn:${name}`)),
            },
        ]);
        expect(Statement[0].Resource).toHaveLength(10);
        expect(recording.named("aws-broker-profile").inputs.role).toBe("role-aws-broker-role");
    });

    it("and disks use the user's key where one is given, through Systems Manager alone", async () => {
        const kmsKeyId = "arn:aws:kms:eu-central-1:111122223333:key/0a1b";
        const recording = await oneSite({ kmsKeyId });
        const { Statement } = JSON.parse(String(recording.named("aws-broker-policy").inputs.policy));
        expect(Statement[1]).toEqual({
            Effect: "Allow",
            Action: "kms:Decrypt",
            Resource: kmsKeyId,
            Condition: { StringEquals: { "kms:ViaService": "ssm.eu-central-1.amazonaws.com" } },
        });
        expect(ofType(recording, ":Parameter").map(({ inputs }) => inputs.keyId)).toEqual(Array(10).fill(kmsKeyId));
        expect(recording.named("aws-data-1").inputs.kmsKeyId).toBe(kmsKeyId);
        expect(recording.named("aws-broker-1").inputs.rootBlockDevice).toMatchObject({ kmsKeyId });
    });

    it("take larger parameters where users or an authority are the user's own", async () => {
        const users = [{ username: "truck", password: pulumi.secret("S3cret-truck") }];
        const tiers = ofType(await oneSite({ users }), ":Parameter").filter(({ inputs }) => inputs.tier === "Advanced");
        expect(tiers.map(({ name }) => name)).toEqual(["aws-secret-users"]);
    });

    it("are nowhere else: not in user data, not in an input that Pulumi shows", async () => {
        const recording = await oneSite(licensed);
        const texts = [...Object.values(secretTexts.secrets), secretTexts.key];
        const boot = ofType(recording, ":Instance").map(({ inputs }) => Buffer.from(String(inputs.userDataBase64), "base64"));
        expect(boot).toHaveLength(3);
        for (const text of texts) {
            expect(boot.map((zipped) => gunzipSync(zipped).includes(text))).toEqual([false, false, false]);
        }
        for (const { name, inputs, secrets } of recording.resources) {
            const open = Object.entries(inputs).filter(
                ([key]) => !secrets.some((path) => path === key || path.startsWith(`${key}.`)),
            );
            for (const text of texts) {
                expect([name, JSON.stringify(open).includes(text)]).toEqual([name, false]);
            }
        }
        expect(recording.named("aws-broker-1").secrets).toEqual([]);
    });

    it("give roles the account's permissions boundary", async () => {
        const roles = ofType(await oneSite({ permissionsBoundary: "arn:aws:iam::111122223333:policy/edge" }), ":Role");
        expect(roles.map(({ inputs }) => inputs.permissionsBoundary)).toEqual(
            Array(2).fill("arn:aws:iam::111122223333:policy/edge"),
        );
    });
});
