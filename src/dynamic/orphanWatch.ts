import { connect } from "node:net";

const checkEveryMs = 2_000;
/** Refusals in a row that count as an engine that is gone. */
const refusalsToEnd = 2;

let watching = false;

/**
 * Ends this process when it is Pulumi's dynamic provider host and its engine is gone.
 *
 * An engine that is killed leaves its provider hosts running for ever, since nothing tells them. The host passes the engine's address
 * as its first argument; an address that refuses connections belongs to an engine that is gone.
 */
export function watchEngine(argv: readonly string[] = process.argv, end: () => void = () => process.exit(1)): void {
    const [, script = "", address = ""] = argv;
    const port = Number(/^127\.0\.0\.1:(\d+)$/.exec(address)?.[1] ?? 0);
    if (watching || port === 0 || !/dynamic-provider/.test(script)) {
        return;
    }
    watching = true;
    let refusals = 0;
    const timer = setInterval(() => {
        const socket = connect({ host: "127.0.0.1", port });
        socket.once("connect", () => {
            refusals = 0;
            socket.destroy();
        });
        socket.once("error", (error: NodeJS.ErrnoException) => {
            refusals = error.code === "ECONNREFUSED" ? refusals + 1 : 0;
            if (refusals === refusalsToEnd) {
                clearInterval(timer);
                end();
            }
        });
    }, checkEveryMs);
    timer.unref();
}
