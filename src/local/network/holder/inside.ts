import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { connect } from "node:net";
import { join } from "node:path";
import { messageOf } from "../../../errors.js";
import { fileLog } from "../../broker/log.js";
import { namespaceOf, siteAddresses } from "./addresses.js";
import { Capture } from "./capture.js";
import { findCharon } from "./charonDaemon.js";
import { must } from "./commands.js";
import { MeshNetwork } from "./mesh.js";
import type { Door, Request } from "./protocol.js";
import { Reconciler } from "./reconciler.js";
import { serve } from "./server.js";

/**
 * The first process of a mesh's own user, network, mount and pid namespaces: everything of the network is below it and ends with it.
 * Its parent, outside, opens the ports on this machine's loopback for it: `node inside.js <folder>`.
 */
async function main(folder: string): Promise<void> {
    process.on("disconnect", () => process.exit(0));
    process.chdir(folder);
    const { log } = fileLog(join(folder, "holder.log"));
    process.on("unhandledRejection", (error) => log("unhandled_rejection", { reason: messageOf(error) }));
    try {
        await must("mount a folder of its own", "mount", ["-t", "tmpfs", "-o", "mode=0700", "tmpfs", "/run"]);
        mkdirSync("/run/netns");
        await must("prepare namespaces", "ip", ["link", "set", "lo", "up"]);
        let charon: Promise<string> | undefined;
        const reconciler = new Reconciler(() => (charon ??= findCharon()), log);
        const network = new MeshNetwork(reconciler);
        const doors = new Doors();
        await serve("control.sock", (request) => answer(request, { network, doors, folder }));
        process.send?.({ ready: true });
    } catch (error) {
        process.send?.({ failed: messageOf(error) }, () => process.exit(1));
    }
}

interface Parts {
    readonly network: MeshNetwork;
    readonly doors: Doors;
    readonly folder: string;
}

const capture = new Capture();

async function answer(request: Request, { network, doors }: Parts): Promise<unknown> {
    switch (request.op) {
        case "hello":
            return {};
        case "putSite":
            return network.putSite(request.site);
        case "removeSite":
            doors.close(request.name);
            return network.removeSite(request.name);
        case "putPath":
            return network.putPath(request.path);
        case "removePath":
            return network.removePath(request.id);
        case "hasPath":
            return network.hasPath(request.id, request.digest);
        case "startBroker":
            return startBroker(network.site(request.site).siteNumber, request.command, request.folder);
        case "openDoors":
            return doors.open(request.site, siteAddresses(network.site(request.site).siteNumber).broker, request.doors);
        case "tunnels":
            return network.tunnels(request.site, request.peer);
        case "line":
            return network.line(request.site, request.peer);
        case "state":
            return network.state();
        case "cut":
            return network.cut(request.cut, true);
        case "restore":
            return network.cut(request.cut, false);
        case "startCapture":
            return capture.start(request.file, request.namespace);
        case "stopCapture":
            return capture.stop();
        default:
            throw new Error(
                "this holder does not know that question; it was started by another version, end it and run up again",
            );
    }
}

/** Starts a site's broker in its own network. It writes what became of it into its folder, as everywhere. */
function startBroker(siteNumber: number, command: readonly string[], folder: string): void {
    const errors = openSync(join(folder, "start.log"), "w", 0o600);
    try {
        const child = spawn("ip", ["netns", "exec", namespaceOf.broker(siteNumber), ...command], {
            cwd: folder,
            stdio: ["ignore", errors, errors],
        });
        child.on("error", () => {});
    } finally {
        closeSync(errors);
    }
}

/** The ports on this machine's loopback: opened by the parent outside, served here. */
class Doors {
    readonly #open = new Map<string, { readonly site: string; readonly server: Server; to: { host: string; port: number } }>();
    readonly #waiting = new Map<string, (answer: { server?: Server | undefined; error?: string | undefined }) => void>();

    constructor() {
        process.on("message", ({ opened, error }: { opened?: string; error?: string }, handle: unknown) => {
            if (opened !== undefined) {
                this.#waiting.get(opened)?.({ server: handle as Server | undefined, error });
                this.#waiting.delete(opened);
            }
        });
    }

    async open(site: string, host: string, doors: Readonly<Record<string, Door>>): Promise<void> {
        for (const [name, { listen, to }] of Object.entries(doors)) {
            const key = `${site}/${name}/${listen}`;
            const there = this.#open.get(key);
            if (there !== undefined) {
                there.to = { host, port: to };
                continue;
            }
            const { server, error } = await new Promise<{ server?: Server | undefined; error?: string | undefined }>(
                (resolve) => {
                    this.#waiting.set(key, resolve);
                    process.send?.({ open: key, port: listen });
                },
            );
            if (server === undefined) {
                throw new Error(error ?? `port ${listen} could not be opened`);
            }
            const door = { site, server, to: { host, port: to } };
            server.on("connection", (socket) => relay(socket, door.to));
            this.#open.set(key, door);
        }
        const wanted = new Set(Object.entries(doors).map(([name, { listen }]) => `${site}/${name}/${listen}`));
        this.#closeWhere((key, door) => door.site === site && !wanted.has(key));
    }

    close(site: string): void {
        this.#closeWhere((_key, door) => door.site === site);
    }

    #closeWhere(which: (key: string, door: { readonly site: string }) => boolean): void {
        for (const [key, door] of this.#open) {
            if (which(key, door)) {
                door.server.close();
                this.#open.delete(key);
            }
        }
    }
}

function relay(from: Socket, to: { readonly host: string; readonly port: number }): void {
    const there = connect(to);
    for (const socket of [from, there]) {
        socket.setNoDelay(true);
        socket.on("error", () => {});
    }
    from.pipe(there);
    there.pipe(from);
    from.once("close", () => there.destroy());
    there.once("close", () => from.destroy());
}

const [folder] = process.argv.slice(2);
if (folder === undefined || process.send === undefined) {
    process.stderr.write("this program is started by main.js\n");
    process.exitCode = 2;
} else {
    void main(folder);
}
