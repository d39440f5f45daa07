import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { messageOf } from "../../../errors.js";
import { writePrivate } from "../../broker/files.js";
import { leaseFileHolds } from "../../broker/lease.js";
import { startTimeOf } from "../../broker/processIdentity.js";
import { unshareArgs } from "./unshare.js";

const leaseCheckMs = 1_000;

/**
 * Process entry: `node main.js <folder> [<lease file>]`. Holds a mesh's network: starts its first process in namespaces of its own, opens
 * ports on this machine's loopback for it, and writes `holder.json`. Whichever of the two is killed, the other one ends, and the kernel
 * removes every process, namespace and mount below.
 */
function main(folder: string, leaseFile: string | undefined): void {
    const identity = { pid: process.pid, startTime: startTimeOf(process.pid) ?? "" };
    const ready = (more: Record<string, unknown>) =>
        writePrivate(join(folder, "holder.json"), JSON.stringify({ ...identity, ...more }));
    const inside = spawn("unshare", [...unshareArgs, "--", process.execPath, join(__dirname, "inside.js"), folder], {
        stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let said = "";
    inside.stderr?.setEncoding("utf8").on("data", (text: string) => {
        said = `${said}${text}`.slice(-500);
    });
    let known = false;
    const stop = () => {
        // The kernel ends what is in the namespaces when this one goes.
        inside.kill("SIGKILL");
        rmSync(join(folder, "control.sock"), { force: true });
        process.exit(0);
    };
    inside.on("message", (message: { ready?: true; failed?: string; open?: string; port?: number }) => {
        if (message.ready === true) {
            known = true;
            ready({});
        } else if (message.failed !== undefined) {
            known = true;
            ready({ error: message.failed });
        } else if (message.open !== undefined) {
            open(message.open, message.port ?? 0);
        }
    });
    const open = (key: string, port: number) => {
        const server = createServer();
        server.once("error", (error) => inside.send({ opened: key, error: messageOf(error) }));
        server.listen({ host: "127.0.0.1", port, exclusive: true }, () => {
            // Whoever holds it now serves it; here it is let go.
            inside.send({ opened: key }, server, () => server.close());
        });
    };
    inside.once("error", (error) => {
        said = error.message;
    });
    inside.once("close", (code, signal) => {
        if (!known) {
            ready({ error: `${said.trim()} (unshare ended with ${signal ?? code})` });
        }
        rmSync(join(folder, "control.sock"), { force: true });
        process.exit(1);
    });
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    if (leaseFile !== undefined) {
        setInterval(() => {
            if (!leaseFileHolds(leaseFile)) {
                stop();
            }
        }, leaseCheckMs);
    }
}

const [folder, leaseFile] = process.argv.slice(2);
if (folder === undefined) {
    process.stderr.write("usage: main.js <folder> [<lease file>]\n");
    process.exitCode = 2;
} else {
    main(folder, leaseFile);
}
