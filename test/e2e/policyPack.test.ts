import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import analyzer, {
    type AnalyzeDiagnostic,
    type AnalyzeRequest as AnalyzeRequestMessage,
    type AnalyzeResponse,
    type AnalyzerInfo,
} from "@pulumi/pulumi/proto/analyzer_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rules } from "../../src/policy/rules.js";
import { repository } from "../support/pulumiProject.js";

/** What the engine sends for a text that is not known at preview. */
const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const ingress = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";

describe("the policy pack of the examples", () => {
    let folder: string;
    let pack: ChildProcess;
    let client: AnalyzerClient | undefined;

    // The engine of this machine starts no packs, so this test is the engine: it starts the program and asks it as the engine does.
    beforeAll(async () => {
        folder = await realpath(await mkdtemp(join(tmpdir(), "linkspan-pack-")));
        await cp(join(repository, "examples", "policy-pack"), folder, { recursive: true });
        await symlink(join(repository, "node_modules"), join(folder, "node_modules"));
        const { main } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as { main: string };
        pack = spawn(process.execPath, [main], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
        const port = await new Promise<number>((resolve, reject) => {
            pack.stdout?.once("data", (text: Buffer) => resolve(Number(text.toString().trim())));
            pack.once("exit", (code) => reject(new Error(`the pack ended with ${code}`)));
        });
        client = new AnalyzerClient(`127.0.0.1:${port}`, credentials.createInsecure());
    });
    afterAll(async () => {
        client?.close();
        pack.kill();
        await rm(folder, { recursive: true, force: true });
    });

    function asked(): AnalyzerClient {
        if (client === undefined) {
            throw new Error("the pack did not start");
        }
        return client;
    }
    const info = () =>
        new Promise<AnalyzerInfo>((resolve, reject) =>
            asked().getAnalyzerInfo(new Empty(), (error, answer) => (error === null ? resolve(answer) : reject(error))),
        );
    const analyze = (request: AnalyzeRequestMessage) =>
        new Promise<AnalyzeResponse>((resolve, reject) =>
            asked().analyze(request, (error, answer) => (error === null ? resolve(answer) : reject(error))),
        );

    /** What the pack says of a resource, by policy. */
    async function saidOf(type: string, props: Record<string, unknown>): Promise<Map<string, AnalyzeDiagnostic>> {
        const request = new analyzer.AnalyzeRequest();
        request.setType(type);
        request.setName("it");
        request.setUrn(`urn:pulumi:s::p::${type}::it`);
        request.setProperties(Struct.fromJavaScript(JSON.parse(JSON.stringify(props))));
        request.setOptions(new analyzer.AnalyzerResourceOptions());
        const answer = await analyze(request);
        return new Map(answer.getDiagnosticsList().map((one) => [one.getPolicyname(), one]));
    }

    it("offers a policy for every rule, at the levels that it was given", async () => {
        const answer = await info();
        expect(answer.getName()).toBe("linkspan");
        const levels = new Map(answer.getPoliciesList().map((one) => [one.getName(), one.getEnforcementlevel()]));
        expect([...levels.keys()]).toEqual(rules.map(({ id }) => id));
        const { ADVISORY, MANDATORY } = analyzer.EnforcementLevel;
        expect(["AWS-0104", "AWS-0107", "AWS-0178", "AWS-0027", "CKV_AZURE_97"].map((id) => levels.get(id))).toEqual([
            MANDATORY,
            MANDATORY,
            MANDATORY,
            ADVISORY,
            ADVISORY,
        ]);
    });

    it("refuses what breaks a rule, and has nothing against what does not", async () => {
        const open = await saidOf(ingress, {
            ipProtocol: "tcp",
            fromPort: 22,
            toPort: 22,
            cidrIpv4: "0.0.0.0/0",
            description: "x",
        });
        expect([...open.keys()]).toEqual(["AWS-0107", "LINKSPAN-0023"]);
        expect(open.get("AWS-0107")?.getMessage()).toContain("it: tcp 22 from 0.0.0.0/0 is open");
        expect(open.get("AWS-0107")?.getEnforcementlevel()).toBe(analyzer.EnforcementLevel.MANDATORY);
        const closed = { ipProtocol: "tcp", fromPort: 8884, toPort: 8884, cidrIpv4: "203.0.113.7/32", description: "x" };
        expect([...(await saidOf(ingress, closed)).keys()]).toEqual([]);
    });

    it("only says at preview what cannot be known yet", async () => {
        const later = { ipProtocol: "tcp", fromPort: 8884, toPort: 8884, cidrIpv4: unknownText, description: "x" };
        const said = await saidOf(ingress, later);
        expect(said.size).toBeGreaterThan(0);
        for (const one of said.values()) {
            expect(one.getMessage()).toMatch(/can't run policy .* during preview/);
            expect(one.getEnforcementlevel()).toBe(analyzer.EnforcementLevel.ADVISORY);
        }
        // A value that no rule asks of this one is not looked at.
        expect([...(await saidOf("aws:ec2/subnet:Subnet", { mapPublicIpOnLaunch: false, vpcId: unknownText })).keys()]).toEqual(
            [],
        );
    });
});
