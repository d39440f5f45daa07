import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../src/cli/program.js";
import { IncompleteError } from "../../../src/dynamic/provider.js";
import { type ProbeInputs, probeProvider } from "../../../src/probe/probeProvider.js";
import {
    api,
    device,
    linkAll,
    localBrokers,
    type TestSite,
    type TestSiteOptions,
    type TestSites,
} from "../../support/localBroker.js";
import { keptIo } from "./cliFixture.js";

let folder: string;
let mesh: TestSites<"aws" | "gcp">;
const topics = ["fleet/#"];

beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "linkspan-cli-"));
});
afterEach(async () => {
    await mesh.close();
    await rm(folder, { recursive: true, force: true });
});

async function sites(options: TestSiteOptions = {}): Promise<TestSites<"aws" | "gcp">["sites"]> {
    mesh = await localBrokers(["aws", "gcp"], options);
    return mesh.sites;
}

const apiOf = (site: TestSite) => ({
    url: `https://127.0.0.1:${site.ports.api}`,
    key: api.key,
    secret: api.secret,
    ca: site.authority.ca,
});
const sideOf = (site: TestSite) => ({
    site: site.name,
    clusterName: site.clusterName,
    mqtt: { host: "127.0.0.1", port: site.ports.mqtts, tls: true, ca: site.authority.ca, ...device },
    api: apiOf(site),
});

function probeOf({ aws, gcp }: { aws: TestSite; gcp: TestSite }): ProbeInputs {
    return {
        pair: "aws-gcp",
        a: sideOf(aws),
        b: sideOf(gcp),
        directions: [
            { from: "aws", to: "gcp", topics },
            { from: "gcp", to: "aws", topics },
        ],
        count: 20,
        timeoutSeconds: 1,
    };
}

/** The stack's state as `pulumi stack export --show-secrets` prints it. */
async function stack(both: { aws: TestSite; gcp: TestSite }): Promise<string> {
    const link = (on: TestSite, from: TestSite) => ({
        type: "pulumi-nodejs:dynamic/linkspan:ClusterLink",
        outputs: {
            api: apiOf(on),
            localCluster: on.clusterName,
            name: from.clusterName,
            server: `${from.linkHost}:8884`,
            username: `link-${on.clusterName}`,
            topics,
            tls: { enable: true },
        },
    });
    const resources = [
        link(both.aws, both.gcp),
        link(both.gcp, both.aws),
        { type: "pulumi-nodejs:dynamic/linkspan:DeliveryProbe", outputs: { ...probeOf(both), results: [] } },
    ];
    const path = join(folder, "state.json");
    await writeFile(path, JSON.stringify({ version: 3, deployment: { manifest: {}, resources } }));
    return path;
}

async function ask(path: string, ...args: string[]) {
    const io = keptIo();
    const code = await runCli(["--state", path, ...args], io);
    for (const secret of [api.secret, device.password, "PRIVATE KEY"]) {
        expect(io.printed.out + io.printed.err).not.toContain(secret);
    }
    return { code, ...io.printed };
}

/** The message with which an `up` would fail. */
async function failure(inputs: ProbeInputs): Promise<string> {
    const error = await probeProvider.create(inputs).then(
        () => undefined,
        (thrown: unknown) => thrown,
    );
    if (!(error instanceof IncompleteError)) {
        throw new Error(`expected a proof that fails, got ${String(error)}`);
    }
    return error.message;
}

describe("the command line on a local mesh", () => {
    it("finds nothing wrong with a mesh that works", async () => {
        const both = await sites();
        await linkAll([both.aws, both.gcp], topics);
        const path = await stack(both);
        const status = await ask(path, "status");
        expect(status.out).toMatch(/aws -> gcp +connected +connected +\d+ +0 +0 +0/);
        expect(status.code).toBe(0);
        const verify = await ask(path, "verify");
        expect(verify.out).toMatch(/gcp -> aws +proven +20\/20 +0 +0 +0/);
        expect(verify.code).toBe(0);
        const doctor = await ask(path, "--json", "doctor");
        const { mesh: ofMesh, pairs } = JSON.parse(doctor.out) as {
            mesh: unknown[];
            pairs: { pair: string; findings: { level: string }[] }[];
        };
        expect(ofMesh).toEqual([]);
        expect(pairs.map(({ pair }) => pair)).toEqual(["aws-gcp"]);
        expect(pairs[0]?.findings.filter(({ level }) => level === "fail" || level === "unknown")).toEqual([]);
        expect(doctor.code).toBe(0);
    });

    it("names the side whose link is missing, in doctor, in status and in the failed up", async () => {
        const both = await sites();
        await both.aws.link(both.gcp, topics);
        const path = await stack(both);
        const status = await ask(path, "status");
        expect(status.code).toBe(1);
        expect(status.out).toMatch(/aws -> gcp +\w+ +missing/);
        const doctor = await ask(path, "doctor");
        expect(doctor.code).toBe(1);
        expect(doctor.out).toMatch(/fail +gcp: .*\[link-missing\]\n +cause: .*unknown_cluster/);
        expect(await failure(probeOf(both))).toMatch(
            /aws -> gcp: 0 of 20 .*gcp -> aws: 0 of 20 .*Most likely cause: .*\(gcp\).*unknown_cluster/,
        );
    });

    it("names the side whose link is off", async () => {
        const both = await sites();
        await linkAll([both.aws, both.gcp], topics);
        await both.gcp.api("PUT", `/api/v5/cluster/links/link/${both.aws.clusterName}`, {
            ...both.gcp.linkBody(both.aws, topics),
            enable: false,
        });
        const path = await stack(both);
        const status = await ask(path, "status");
        expect(status.code).toBe(1);
        expect(status.out).toMatch(/aws -> gcp +\w+ +disabled/);
        const doctor = await ask(path, "doctor");
        expect(doctor.code).toBe(1);
        expect(doctor.out).toMatch(/fail +gcp: .*\[link-disabled\]/);
        expect(await failure(probeOf(both))).toMatch(/Most likely cause: .*\(gcp\)/);
    });

    it("names a wrong password of a link", async () => {
        const both = await sites();
        await both.aws.link(both.gcp, topics);
        await both.gcp.link(both.aws, topics, { password: "wrong" });
        const message = await failure(probeOf(both));
        expect(message).toMatch(/Most likely cause: /);
        const doctor = await ask(await stack(both), "doctor");
        expect(doctor.code).toBe(1);
        expect(doctor.out).toMatch(/\[(authentication|link-status)\]/);
    });

    it("says 3 when an API does not answer, and names it", async () => {
        const both = await sites();
        await linkAll([both.aws, both.gcp], topics);
        const path = await stack(both);
        await both.gcp.stop();
        const status = await ask(path, "status");
        expect(status.out).toContain("unreadable");
        expect(status.out).toMatch(/error: cannot .*ECONNREFUSED/);
        expect([1, 3]).toContain(status.code);
        const doctor = await ask(path, "doctor");
        expect(doctor.code).not.toBe(0);
        expect(doctor.out).toMatch(/gcp: .*\[api\]/);
    });
});
