import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { MeshIdentity } from "../../../src/identity/meshIdentity.js";
import { Secrets } from "../../../src/identity/secrets.js";
import { record } from "../../support/recorder.js";

const outputs = (type: string) =>
    type.endsWith(":MeshCa")
        ? { certPem: "CA CERT", keyPem: "CA KEY", notAfter: "2036-01-01T00:00:00.000Z" }
        : type.endsWith(":Secrets")
          ? { values: { api: "A", link: "L" } }
          : { certPem: "CERT", keyPem: "KEY", notAfter: "2027-01-01T00:00:00.000Z" };

describe("MeshIdentity", () => {
    it("is one authority per mesh and program, whoever asks first", async () => {
        const recording = await record(
            () => {
                const one = MeshIdentity.of("fleet");
                const same = MeshIdentity.of("fleet");
                const other = MeshIdentity.of("lab");
                expect(same).toBe(one);
                expect(other).not.toBe(one);
                expect(one.meshId).toBe("fleet");
            },
            { outputs },
        );
        expect(recording.resources.map(({ type, name, parent }) => [type, name, parent])).toEqual([
            ["linkspan:identity:MeshIdentity", "fleet", ""],
            ["linkspan:identity:MeshIdentity", "lab", ""],
            ["pulumi-nodejs:dynamic/linkspan:MeshCa", "fleet-ca", "fleet"],
            ["pulumi-nodejs:dynamic/linkspan:MeshCa", "lab-ca", "lab"],
        ]);
    });

    it("belongs to its program: the next one gets its own", async () => {
        const seen: MeshIdentity[] = [];
        for (let run = 0; run < 2; run++) {
            await record(
                () => {
                    seen.push(MeshIdentity.of("fleet"));
                },
                { outputs },
            );
        }
        expect(seen[0]).not.toBe(seen[1]);
    });

    it("issues certificates whose authority key stays secret", async () => {
        const recording = await record(
            () => {
                const identity = MeshIdentity.of("fleet");
                identity.issue(
                    "edge-server",
                    { commonName: "edge", dnsNames: ["edge.example"], usage: ["server"] },
                    { parent: identity },
                );
            },
            { outputs },
        );
        const certificate = recording.named("edge-server");
        expect(certificate.type).toBe("pulumi-nodejs:dynamic/linkspan:Certificate");
        expect(certificate.inputs).toMatchObject({
            caCertPem: "CA CERT",
            caKeyPem: "CA KEY",
            commonName: "edge",
            dnsNames: ["edge.example"],
            usage: ["server"],
        });
        expect(certificate.secrets).toEqual(["caKeyPem"]);
        expect(certificate.secretOutputs.toSorted()).toEqual(["caKeyPem", "keyPem"]);
        expect(certificate.dependencies).toEqual(["fleet-ca"]);
        expect(recording.named("fleet-ca").secretOutputs).toEqual(["keyPem"]);
    });

    it("makes no authority where the user brings one", async () => {
        const recording = await record(
            () => {
                const identity = new MeshIdentity("own", {
                    meshId: "fleet",
                    ca: { certPem: "MY CA", keyPem: pulumi.secret("MY KEY") },
                });
                identity.issue("edge", { commonName: "edge" });
            },
            { outputs },
        );
        expect(recording.resources.map(({ name }) => name).sort()).toEqual(["edge", "own"]);
        expect(recording.named("edge").inputs).toMatchObject({ caCertPem: "MY CA", caKeyPem: "MY KEY" });
        expect(recording.named("edge").secrets).toEqual(["caKeyPem"]);
    });

    it("refuses a key in plain text, a rotation of a given authority and a bad mesh id", async () => {
        const make = (args: object) => () => new MeshIdentity("own", args as never);
        await record(
            () => {
                expect(make({ meshId: "fleet", ca: { certPem: "x", keyPem: "PLAIN-KEY" } })).toThrow(
                    /^ca\.keyPem: it is given as a plain value/,
                );
                expect(make({ meshId: "fleet", ca: { certPem: "x", keyPem: "PLAIN-KEY" } })).not.toThrow(/PLAIN-KEY/);
                expect(make({ meshId: "fleet", rotation: 1, ca: { certPem: "x", keyPem: pulumi.secret("k") } })).toThrow(
                    /^rotation: your own authority/,
                );
                expect(make({ meshId: "Fleet!" })).toThrow(/^meshId: "Fleet!" is no mesh id/);
            },
            { outputs },
        );
    });
});

describe("Secrets", () => {
    it("gives each value as a secret output and refuses names that it does not have", async () => {
        const seen: [string, boolean][] = [];
        const recording = await record(
            async () => {
                const secrets = new Secrets("edge-secrets", { names: ["api", "link"] });
                expect(() => secrets.value("nope")).toThrow(/there is no secret "nope"; the names are api, link/);
                const value = secrets.value("link");
                const isSecret = await pulumi.isSecret(value);
                await new Promise<void>((resolve) => {
                    value.apply((text) => {
                        seen.push([text, isSecret]);
                        resolve();
                    });
                });
            },
            { outputs },
        );
        expect(seen).toEqual([["L", true]]);
        expect(recording.named("edge-secrets").secretOutputs).toEqual(["values"]);
    });
});
