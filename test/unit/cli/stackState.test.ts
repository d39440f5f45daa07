import { describe, expect, it } from "vitest";
import { CliError } from "../../../src/cli/cliError.js";
import { parseStackState, siteName } from "../../../src/cli/stackState.js";
import { exportedStack, twoSites } from "./cliFixture.js";

describe("the stack's state", () => {
    it("gives links, probes and local brokers, with secrets out of their envelopes", () => {
        const state = parseStackState(
            exportedStack({ sites: twoSites, results: [{ from: "aws", to: "gcp", status: "proven", lost: 0 }] }),
        );
        expect(state.links).toEqual([
            {
                localCluster: "m-aws",
                remoteCluster: "m-gcp",
                server: "gcp.link.m.internal:8884",
                topics: ["fleet/#"],
                clientIdPrefix: "m-aws-",
                username: "link-m-aws",
                tls: true,
                enable: true,
                api: { url: "https://127.0.0.1:1", key: "key-aws", secret: "api-S3cret-aws" },
            },
            expect.objectContaining({ localCluster: "m-gcp", remoteCluster: "m-aws" }),
        ]);
        expect(state.probes).toHaveLength(1);
        expect(state.probes[0]).toMatchObject({
            pair: "aws-gcp",
            a: { site: "aws", mqtt: { port: 1, username: "probe", password: "mqtt-S3cret" }, api: { secret: "api-S3cret-aws" } },
            count: 20,
            results: [{ from: "aws", to: "gcp", status: "proven", lost: 0, runId: "none" }],
        });
        expect(state.brokers).toEqual([{ site: "aws", clusterName: "m-aws", folder: "/nowhere/aws" }]);
        expect([siteName(state, "m-gcp"), siteName(state, "m-other")]).toEqual(["gcp", "m-other"]);
    });

    it("ignores what is being deleted, and results it does not know", () => {
        const text = exportedStack({
            sites: twoSites,
            results: [{ from: "aws", to: "gcp", status: "new-in-later-version" }, {}],
        });
        const parsed = JSON.parse(text) as { deployment: { resources: { type: string; delete?: boolean; deleted?: boolean }[] } };
        for (const resource of parsed.deployment.resources) {
            if (resource.type.endsWith(":ClusterLink")) {
                resource.delete = true;
            }
        }
        const state = parseStackState(JSON.stringify(parsed));
        expect(state.links).toEqual([]);
        expect(state.probes[0]?.results).toEqual([]);
    });

    it("takes a stack that was destroyed as empty", () => {
        expect(parseStackState('{"version":3,"deployment":{"manifest":{}}}')).toMatchObject({
            links: [],
            probes: [],
            brokers: [],
        });
    });

    it.each([
        ["not JSON", "<html>", /not JSON/],
        ["another document", '{"hello":1}', /no "deployment.resources"/],
        ["an array", "[]", /no "deployment.resources"/],
    ])("refuses %s", (_name, text, message) => {
        expect(() => parseStackState(text)).toThrow(CliError);
        expect(() => parseStackState(text)).toThrow(message);
    });

    it("refuses an export without secrets, and says how to export", () => {
        const text = exportedStack({ sites: twoSites }).replaceAll('"plaintext"', '"ciphertext"');
        expect(() => parseStackState(text)).toThrow(/encrypted; export it with --show-secrets/);
    });

    it.each([
        ["server", /cluster link "m-gcp" has no usable "server"/],
        ["topics", /cluster link "m-gcp" has no usable "topics"/],
        ["api", /cluster link "m-gcp" has no usable "api": url/],
    ])("names the part that a link lacks: %s", (key, message) => {
        const parsed = JSON.parse(exportedStack({ sites: twoSites })) as {
            deployment: { resources: { type: string; inputs: object; outputs: object }[] };
        };
        for (const resource of parsed.deployment.resources) {
            for (const values of [resource.inputs, resource.outputs]) {
                delete (values as Record<string, unknown> | undefined)?.[key];
            }
        }
        expect(() => parseStackState(JSON.stringify(parsed))).toThrow(message);
    });
});
