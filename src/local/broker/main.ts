import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { messageOf } from "../../errors.js";
import { type Broker, startBroker } from "./broker.js";
import { type LocalBrokerConfig, readBrokerConfig } from "./config.js";
import { writePrivate } from "./files.js";
import { leaseFileHolds } from "./lease.js";
import { fileLog } from "./log.js";
import { isSameProcess, ownPid, startTimeOf } from "./processIdentity.js";

// Many sites run on one machine: collect garbage early instead of letting a burst of messages grow the heap for good.
setFlagsFromString("--semi-space-growth-factor=1");

const leaseCheckMs = 1000;

/** Process entry: `node main.js <stateDir>`. Reads `config.json` there, starts the broker and writes `ready.json`. */
async function main(stateDir: string): Promise<void> {
    const { log, close } = fileLog(join(stateDir, "broker.log"));
    const pid = ownPid();
    const identity = { pid, startTime: startTimeOf(pid) ?? "" };
    const ready = (more: Record<string, unknown>) =>
        writePrivate(join(stateDir, "ready.json"), JSON.stringify({ ...identity, ...more }));
    let broker: Broker;
    let config: LocalBrokerConfig;
    try {
        config = readBrokerConfig(join(stateDir, "config.json"));
        broker = await startBroker(config, { stateDir, log });
    } catch (error) {
        log("start_failed", { reason: messageOf(error) });
        ready({ ports: {}, error: messageOf(error) });
        close();
        // What had been opened before the failure would keep the process alive, with nobody to end it.
        process.exit(1);
    }
    let stopping = false;
    const stop = (reason: string) => {
        if (stopping) {
            return;
        }
        stopping = true;
        log("stopping", { reason });
        // Whatever hangs, the process ends.
        setTimeout(() => process.exit(1), 10_000).unref();
        broker.stop().then(
            () => {
                log("stopped");
                process.exit(0);
            },
            (error) => {
                log("stop_failed", { reason: messageOf(error) });
                process.exit(1);
            },
        );
    };
    process.on("SIGTERM", () => stop("SIGTERM"));
    process.on("SIGINT", () => stop("SIGINT"));
    process.on("SIGHUP", () => {
        try {
            broker.reload(readBrokerConfig(join(stateDir, "config.json")));
        } catch (error) {
            log("reload_failed", { reason: messageOf(error) });
        }
    });
    process.on("uncaughtException", (error) => {
        log("uncaught_exception", { reason: error.stack ?? String(error) });
        stop("uncaught exception");
    });
    process.on("unhandledRejection", (error) =>
        log("unhandled_rejection", { reason: error instanceof Error ? error.stack : String(error) }),
    );
    const { lease, leaseFile } = config;
    if (lease !== undefined || leaseFile !== undefined) {
        setInterval(() => {
            if (lease !== undefined && !isSameProcess(lease.pid, lease.startTime)) {
                stop("the process of the lease is gone");
            }
            if (leaseFile !== undefined && !leaseFileHolds(leaseFile)) {
                stop("the owner of the lease is gone");
            }
        }, leaseCheckMs);
    }
    ready({ ports: broker.ports });
}

const [stateDir] = process.argv.slice(2);
if (stateDir === undefined) {
    process.stderr.write("usage: main.js <stateDir>\n");
    process.exitCode = 2;
} else {
    void main(stateDir);
}
