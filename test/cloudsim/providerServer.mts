import grpc from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import service from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import status from "@pulumi/pulumi/proto/status_pb.js";
import any from "google-protobuf/google/protobuf/any_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { NotReady, type Operations, PluginKilled, type Subject } from "./operations.mts";
import type { Props } from "./types.mts";

type Struct = struct.Struct;

/**
 * Speaks Pulumi's provider protocol for one simulated cloud. It serves the protocol's messages itself instead of using the SDK's
 * `provider.main`, because that cannot tell previews from updates, and real providers of clouds do: what they know at preview is known.
 */
export class ProviderServer {
    readonly #operations: Operations;
    /** Configuration of each provider of a program: each has a connection of its own. */
    readonly #configs = new Map<string, Props>();
    readonly #onPort: (port: number) => void;
    #server: grpc.Server | undefined;

    /** @param onPort is told the port on loopback that plugins must pass on to the engine, at every start */
    constructor(operations: Operations, onPort: (port: number) => void) {
        this.#operations = operations;
        this.#onPort = onPort;
    }

    async start(): Promise<void> {
        const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
        server.addService(service.ResourceProviderService, this.#methods());
        const port = await new Promise<number>((resolve, reject) => {
            server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
                error === null ? resolve(port) : reject(error),
            );
        });
        this.#server = server;
        this.#onPort(port);
    }

    /** Ends every connection at once, as the end of the plugin's process does. */
    stop(): void {
        this.#server?.forceShutdown();
        this.#server = undefined;
        this.#configs.clear();
    }

    #methods(): grpc.UntypedServiceImplementation {
        const operations = this.#operations;
        const subject = (call: { getPeer(): string }, urn: string): Subject => {
            // urn:pulumi:<stack>::<project>::<parent types$><type>::<name>
            const [, , types = "", ...name] = urn.split("::");
            const config = this.#configs.get(call.getPeer()) ?? [...this.#configs.values()].at(-1) ?? {};
            return { type: types.split("$").at(-1) ?? "", name: name.join("::"), config };
        };
        return {
            checkConfig: unary(async (request: messages.CheckRequest) => {
                const response = new messages.CheckResponse();
                response.setInputs(request.getNews());
                return response;
            }),
            diffConfig: unary(async () => {
                const response = new messages.DiffResponse();
                response.setChanges(messages.DiffResponse.DiffChanges.DIFF_NONE);
                return response;
            }),
            configure: unary(async (request: messages.ConfigureRequest, call) => {
                this.#configs.set(call.getPeer(), props(request.getArgs()));
                const response = new messages.ConfigureResponse();
                response.setSupportspreview(true);
                return response;
            }),
            getPluginInfo: unary(async () => {
                const response = new plugin.PluginInfo();
                response.setVersion(operations.cloud.version);
                return response;
            }),
            cancel: unary(async () => new empty.Empty()),
            attach: unary(async () => new empty.Empty()),
            getSchema: unary(async () => {
                const response = new messages.GetSchemaResponse();
                response.setSchema("{}");
                return response;
            }),
            invoke: unary(async (request: messages.InvokeRequest, call) => {
                const { config } = subject(call, "");
                const response = new messages.InvokeResponse();
                response.setReturn(toStruct(operations.invoke(request.getTok(), props(request.getArgs()), config)));
                return response;
            }),
            check: unary(async (request: messages.CheckRequest, call) => {
                const answer = operations.check(
                    subject(call, request.getUrn()),
                    props(request.getOlds()),
                    props(request.getNews()),
                );
                const response = new messages.CheckResponse();
                response.setInputs(toStruct(answer.inputs));
                for (const { property, reason } of answer.failures) {
                    const failure = new messages.CheckFailure();
                    failure.setProperty(property);
                    failure.setReason(reason);
                    response.addFailures(failure);
                }
                return response;
            }),
            diff: unary(async (request: messages.DiffRequest, call) => {
                const olds = props(request.getOldInputs() ?? request.getOlds());
                const { changed, replaces, deleteBeforeReplace } = operations.diff(
                    subject(call, request.getUrn()),
                    olds,
                    props(request.getNews()),
                );
                const response = new messages.DiffResponse();
                const { DIFF_SOME, DIFF_NONE } = messages.DiffResponse.DiffChanges;
                response.setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE);
                response.setDiffsList([...changed]);
                response.setReplacesList([...replaces]);
                response.setDeletebeforereplace(deleteBeforeReplace);
                return response;
            }),
            create: unary(async (request: messages.CreateRequest, call) => {
                const response = new messages.CreateResponse();
                const inputs = props(request.getProperties());
                if (request.getPreview()) {
                    response.setProperties(toStruct(inputs));
                    return response;
                }
                const { id, properties } = await this.#survive(() => operations.create(subject(call, request.getUrn()), inputs));
                response.setId(id);
                response.setProperties(toStruct(properties));
                return response;
            }),
            read: unary(async (request: messages.ReadRequest, call) => {
                const response = new messages.ReadResponse();
                const found = await operations.read(subject(call, request.getUrn()), request.getId());
                if (found !== undefined) {
                    response.setId(found.id);
                    response.setProperties(toStruct(found.properties));
                    response.setInputs(toStruct(found.inputs));
                }
                return response;
            }),
            update: unary(async (request: messages.UpdateRequest, call) => {
                const response = new messages.UpdateResponse();
                const about = subject(call, request.getUrn());
                const news = props(request.getNews());
                response.setProperties(
                    toStruct(
                        request.getPreview()
                            ? operations.previewUpdate(about, props(request.getOlds()), news)
                            : await this.#survive(() => operations.update(about, request.getId(), news)),
                    ),
                );
                return response;
            }),
            delete: unary(async (request: messages.DeleteRequest, call) => {
                await this.#survive(() => operations.remove(subject(call, request.getUrn()), request.getId()));
                return new empty.Empty();
            }),
        };
    }

    /** Ends the plugin where a fault says so; the next command finds a new one. */
    async #survive<T>(work: () => Promise<T>): Promise<T> {
        try {
            return await work();
        } catch (error) {
            if (error instanceof PluginKilled) {
                this.stop();
                await this.start();
            }
            throw error;
        }
    }
}

function unary<Request, Response>(
    answer: (request: Request, call: grpc.ServerUnaryCall<Request, Response>) => Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
    return (call, done) => {
        answer(call.request, call).then(
            (response) => done(null, response),
            (error: unknown) => done(serviceError(error), null),
        );
    };
}

function serviceError(error: unknown): Partial<grpc.StatusObject> {
    const message = error instanceof Error ? error.message : String(error);
    const known = { code: grpc.status.UNKNOWN, details: message };
    if (!(error instanceof NotReady)) {
        return known;
    }
    const detail = new messages.ErrorResourceInitFailed();
    detail.setId(error.id);
    detail.setProperties(toStruct(error.properties));
    detail.setReasonsList([message]);
    const packed = new any.Any();
    packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const rich = new status.Status();
    rich.setCode(grpc.status.UNKNOWN);
    rich.setMessage(message);
    rich.addDetails(packed);
    const metadata = new grpc.Metadata();
    // gRPC's own place for errors with details.
    metadata.set("grpc-status-details-bin", Buffer.from(rich.serializeBinary()));
    return { ...known, metadata };
}

function props(value: Struct | undefined): Props {
    return (value?.toJavaScript() ?? {}) as Props;
}

function toStruct(value: Props): Struct {
    // Structs know no `undefined`.
    return struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(value)) as Record<string, struct.JavaScriptValue>);
}
