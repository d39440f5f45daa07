import { createRequire } from "node:module";

/** Shows one line on a resource's own row of `pulumi up` while its provider works. Never fails, never carries a secret. */
export type Progress = (text: string) => void;

/** The engine's client, as far as it is used here. */
interface EngineLog {
    log(request: unknown, done: (error: unknown) => void): void;
}

let engine: Promise<{ client: EngineLog; request: (urn: string, text: string) => unknown } | undefined> | undefined;

/**
 * Progress lines for a resource.
 *
 * Pulumi's dynamic provider host passes the engine's address as its first argument but offers no log that knows the resource. The
 * engine's log call is an internal interface of the SDK; where it is missing or has changed, progress is silently not shown.
 *
 * @param urn the resource's URN; without it nothing is shown. State keeps a short name in its place, which stands for the URN only while
 * the program has the resource: the CLI ends in a panic when it is told of a resource by anything but a URN
 */
export function progressFor(urn: string | undefined): Progress {
    if (urn === undefined || !urn.startsWith("urn:")) {
        return () => {};
    }
    return (text) => {
        engine ??= connect();
        void engine.then((found) => found?.client.log(found.request(urn, text), () => {})).catch(() => {});
    };
}

async function connect(): ReturnType<() => NonNullable<typeof engine>> {
    const address = process.argv[2];
    if (address === undefined || !/^[\w.[\]:-]+:\d+$/.test(address)) {
        return undefined;
    }
    try {
        // As the SDK itself finds them: gRPC is a dependency of the SDK, not of this package, and strict package managers keep it from here.
        const load = createRequire(createRequire(__filename).resolve("@pulumi/pulumi"));
        const grpc = load("@grpc/grpc-js");
        const { EngineClient } = load("./proto/engine_grpc_pb.js");
        const { LogRequest, LogSeverity } = load("./proto/engine_pb.js");
        return {
            client: new EngineClient(address, grpc.credentials.createInsecure()),
            request: (urn: string, text: string) => {
                const request = new LogRequest();
                request.setSeverity(LogSeverity.INFO);
                request.setMessage(text);
                request.setUrn(urn);
                request.setEphemeral(true);
                return request;
            },
        };
    } catch {
        return undefined;
    }
}
