import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import grpc from "@grpc/grpc-js";
import service from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import status from "@pulumi/pulumi/proto/status_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DirectCloud } from "./directCloud.js";
import { unknown } from "./paths.mts";
import { writePlugins, writePort } from "./plugins.mts";
import { ProviderServer } from "./providerServer.mts";
import { tinyCloud } from "./tinyCloud.js";
import type { Props } from "./types.mts";

const urn = (type: string, name: string) => `urn:pulumi:test::project::parent:index:Site$${type}::${name}`;
const net = urn("aws:t/net:Net", "n");

let cloud: DirectCloud;
let ports: number[];
let server: ProviderServer;
let client: service.ResourceProviderClient;

const toStruct = (value: Props) => struct.Struct.fromJavaScript(value as Record<string, struct.JavaScriptValue>);
const connect = () => new service.ResourceProviderClient(`127.0.0.1:${ports.at(-1)}`, grpc.credentials.createInsecure());

function call<Response>(start: (done: (error: grpc.ServiceError | null, response: Response) => void) => unknown) {
    return new Promise<Response>((resolve, reject) => {
        start((error, response) => (error === null ? resolve(response) : reject(error)));
    });
}

const create = (properties: Props, preview = false) =>
    call<messages.CreateResponse>((done) => client.create(createRequest(properties, preview), done));
const update = (request: messages.UpdateRequest) => call<messages.UpdateResponse>((done) => client.update(request, done));

function createRequest(properties: Props, preview = false): messages.CreateRequest {
    return new messages.CreateRequest().setUrn(net).setProperties(toStruct(properties)).setPreview(preview);
}

beforeEach(async () => {
    cloud = new DirectCloud(tinyCloud);
    ports = [];
    server = new ProviderServer(cloud.operations, (port) => ports.push(port));
    await server.start();
    client = connect();
});

afterEach(() => {
    client.close();
    server.stop();
    cloud.dispose();
});

test("a preview creates nothing and knows what is given", async () => {
    const response = await create({ range: "r", later: unknown }, true);
    expect(response.getId()).toBe("");
    expect(response.getProperties()?.toJavaScript()).toEqual({ range: "r", later: unknown });
    expect(cloud.account.objects()).toEqual([]);
});

test("an update's preview changes nothing and does not know what will change", async () => {
    const made = await create({ range: "r" });
    const change = new messages.UpdateRequest()
        .setUrn(net)
        .setId(made.getId())
        .setOlds(made.getProperties())
        .setNews(toStruct({ range: "r", tags: { a: "b" } }));
    const planned = await update(change.clone().setPreview(true));
    expect(planned.getProperties()?.toJavaScript()).toMatchObject({ arn: "arn:net-1", tags: { a: "b" }, updates: unknown });
    expect(cloud.account.objects()[0]?.inputs).toEqual({ range: "r" });
    const done = await update(change);
    expect(done.getProperties()?.toJavaScript()).toMatchObject({ tags: { a: "b" }, updates: 1 });
});

test("each provider of a program has its own configuration", async () => {
    const configure = (region: string) => new messages.ConfigureRequest().setArgs(toStruct({ region }));
    const send = (region: string) => call<messages.ConfigureResponse>((done) => client.configure(configure(region), done));
    const invoke = () =>
        call<messages.InvokeResponse>((done) =>
            client.invoke(new messages.InvokeRequest().setTok("aws:t/getZone:getZone"), done),
        );
    const answer = await send("north");
    expect(answer.getSupportspreview()).toBe(true);
    expect(answer.getAcceptsecrets()).toBe(false);
    const first = client;
    // A channel of its own, as another plugin process has.
    client = new service.ResourceProviderClient(`127.0.0.1:${ports.at(-1)}`, grpc.credentials.createInsecure(), {
        "grpc.use_local_subchannel_pool": 1,
    });
    await send("south");
    expect((await invoke()).getReturn()?.toJavaScript()).toEqual({ zone: "southa" });
    client.close();
    client = first;
    expect((await invoke()).getReturn()?.toJavaScript()).toEqual({ zone: "northa" });
});

test("check, diff, read and delete", async () => {
    const check = await call<messages.CheckResponse>((done) =>
        client.check(new messages.CheckRequest().setUrn(net).setOlds(toStruct({})).setNews(toStruct({})), done),
    );
    expect(check.getFailuresList().map((failure) => failure.getProperty())).toEqual(["range"]);
    const asked = new messages.DiffRequest()
        .setUrn(net)
        .setOldInputs(toStruct({ range: "r" }))
        .setOlds(toStruct({ range: "r", arn: "a" }))
        .setNews(toStruct({ range: unknown }));
    const diff = await call<messages.DiffResponse>((done) => client.diff(asked, done));
    expect(diff.getReplacesList()).toEqual(["range"]);
    const made = await create({ range: "r" });
    const read = () =>
        call<messages.ReadResponse>((done) => client.read(new messages.ReadRequest().setUrn(net).setId(made.getId()), done));
    expect((await read()).getInputs()?.toJavaScript()).toEqual({ range: "r" });
    await call((done) => client.delete(new messages.DeleteRequest().setUrn(net).setId(made.getId()), done));
    expect((await read()).getId()).toBe("");
});

test("an object that is not ready is reported with its id, so that Pulumi keeps it", async () => {
    cloud.faults.add({ operation: "create", what: "after", message: "not ready yet" });
    const error: grpc.ServiceError = await create({ range: "r" }).then(
        () => expect.unreachable(),
        (refusal) => refusal,
    );
    expect(error.details).toBe("not ready yet");
    const [bytes] = error.metadata.get("grpc-status-details-bin");
    const [detail] = status.Status.deserializeBinary(Buffer.from(bytes ?? "")).getDetailsList();
    const failed = messages.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
    expect(failed.getId()).toBe("net-1");
    expect(failed.getProperties()?.toJavaScript()).toMatchObject({ range: "r", arn: "arn:net-1" });
});

test("a refusal comes in the provider's words", async () => {
    await create({ range: "r" });
    await expect(create({ range: "r" })).rejects.toThrow("create: Exists: r exists");
});

test("a killed plugin drops its connections, and the next one serves elsewhere", async () => {
    cloud.faults.add({ operation: "create", what: "kill" });
    await expect(create({ range: "r" })).rejects.toThrow(/UNAVAILABLE|CANCELLED/);
    await expect.poll(() => ports.length).toBe(2);
    client.close();
    client = connect();
    expect((await create({ range: "r" })).getId()).toBe("net-1");
});

test("the plugin's executable prints the port and ends with the process that started it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cloudsim-plugins-"));
    try {
        const program = join(writePlugins(folder, ["aws", "gcp"]), "pulumi-resource-aws");
        expect(statSync(program).mode & 0o111).toBe(0o111);
        expect(() => execFileSync(program, { stdio: "ignore" })).toThrow();
        writePort(folder, "aws", 4242);
        const parent = spawn("sh", ["-c", `'${program}' 127.0.0.1:1 > '${folder}/out' & echo $! > '${folder}/pid'; sleep 0.2`]);
        await new Promise((done) => parent.once("exit", done));
        expect(readFileSync(join(folder, "out"), "utf8")).toBe("4242\n");
        const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
        const lives = () => {
            try {
                process.kill(pid, 0);
                return true;
            } catch {
                return false;
            }
        };
        await expect.poll(lives, { timeout: 5_000 }).toBe(false);
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
});
