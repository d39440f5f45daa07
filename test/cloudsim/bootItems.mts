import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { built } from "./built.mts";
import type { Machine } from "./types.mts";

/** What a machine's boot data says of its secret store. */
export interface FetchPlan {
    /** Bash text that defines `fetch_item NAME`. */
    readonly script: string;
    readonly settings: Readonly<Record<string, string>>;
    readonly items: readonly string[];
}

/** What was fetched, and why the rest was not. */
export interface Fetched {
    readonly items: ReadonlyMap<string, string>;
    readonly missing: readonly string[];
    /** What the script said on standard error. */
    readonly said: string;
}

/** Fetches all items with the boot data's own script; must end with the last one. The empty environment is what a machine's unit has. */
const fetchAll = `
set -uo pipefail
. "$1/settings"
. "$1/script"
for item in $ITEMS; do
    ( set -euo pipefail; fetch_item "$item" ) >"$1/$item.part" 2>>"$1/said" </dev/null && [ -s "$1/$item.part" ] && mv "$1/$item.part" "$1/$item"
done
true
`;

/**
 * The network that machines see of their cloud: the metadata service and the cloud's APIs, over a proxy that knows which machine asks.
 * Boot scripts run for real, with curl, certificates and all.
 */
export class MachineNetwork {
    readonly #folder: string;
    readonly #machines = new Map<string, Machine["ask"]>();
    readonly #sockets = new Set<Socket>();
    #proxy: Server | undefined;
    #started: Promise<number> | undefined;
    #authority: { certPem: string; keyPem: string } | undefined;
    readonly #contexts = new Map<string, Promise<SecureContext>>();

    constructor(folder: string) {
        this.#folder = folder;
    }

    stop(): void {
        for (const socket of this.#sockets) {
            socket.destroy();
        }
        this.#proxy?.close();
    }

    /** Runs a machine's script for its items. */
    async fetch(machine: Machine, { script, settings, items }: FetchPlan): Promise<Fetched> {
        const port = await this.#start();
        const identity = Buffer.from(machine.key).toString("hex");
        this.#machines.set(identity, machine.ask);
        const folder = mkdtempSync(join(this.#folder, "fetch-"));
        try {
            writeFileSync(join(folder, "script"), script);
            writeFileSync(
                join(folder, "settings"),
                Object.entries(settings)
                    .map(([name, value]) => `export ${name}='${value}'\n`)
                    .join(""),
            );
            const proxy = `http://${identity}:x@127.0.0.1:${port}`;
            const authority = join(folder, "authority.pem");
            writeFileSync(authority, this.#authority?.certPem ?? "");
            await run("bash", ["--norc", "-c", fetchAll, "fetch", folder], {
                PATH: "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin",
                ITEMS: items.join(" "),
                http_proxy: proxy,
                https_proxy: proxy,
                CURL_CA_BUNDLE: authority,
                SSL_CERT_FILE: authority,
            });
            const found = new Map(items.flatMap((item) => readIf(join(folder, item)).map((text) => [item, text] as const)));
            return {
                items: found,
                missing: items.filter((item) => !found.has(item)),
                said: readIf(join(folder, "said")).join("").trim(),
            };
        } finally {
            this.#machines.delete(identity);
            rmSync(folder, { recursive: true, force: true });
        }
    }

    #start(): Promise<number> {
        this.#started ??= this.#serve();
        return this.#started;
    }

    async #serve(): Promise<number> {
        this.#authority = await built.issue().createAuthority("simulated internet", 30);
        const answer = (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response);
        const proxy = createServer(answer);
        // CONNECT: TLS ends here, with a certificate for the name that was asked for.
        proxy.on("connect", (request: IncomingMessage, socket: Socket) => {
            socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
            const secure = new TLSSocket(socket, {
                isServer: true,
                SNICallback: (name, done) => {
                    this.#context(name).then(
                        (context) => done(null, context),
                        (error: Error) => done(error),
                    );
                },
            });
            secure.on("error", () => socket.destroy());
            identities.set(secure, identityOf(request));
            proxy.emit("connection", secure);
        });
        proxy.on("connection", (socket: Socket) => {
            this.#sockets.add(socket);
            socket.on("close", () => this.#sockets.delete(socket));
            socket.on("error", () => socket.destroy());
        });
        await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
        this.#proxy = proxy;
        return (proxy.address() as AddressInfo).port;
    }

    #context(name: string): Promise<SecureContext> {
        const { certPem = "", keyPem = "" } = this.#authority ?? {};
        const known = this.#contexts.get(name);
        const made =
            known ??
            built
                .issue()
                .issueCertificate(
                    { commonName: name, dnsNames: [name], ipAddresses: [], usage: ["server"], validityDays: 30 },
                    { certPem, keyPem },
                )
                .then((certificate) => createSecureContext({ cert: certificate.certPem, key: certificate.keyPem }));
        this.#contexts.set(name, made);
        return made;
    }

    async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const parts: Buffer[] = [];
        for await (const part of request) {
            parts.push(part as Buffer);
        }
        const overTls = identities.get(request.socket);
        const identity = overTls ?? identityOf(request);
        const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
        const url = new URL(
            overTls === undefined ? (request.url ?? "/") : `https://${request.headers.host ?? ""}${request.url ?? "/"}`,
        );
        const answer = this.#machines.get(identity)?.({
            method: request.method ?? "GET",
            url,
            headers,
            body: Buffer.concat(parts).toString("utf8"),
        });
        response.writeHead(answer?.status ?? 502, answer?.headers);
        response.end(answer?.body ?? `no server ${url.host} in the simulated internet`);
    }
}

/** Which machine is behind a connection: the user name of the proxy's address, which curl and Python send along. */
const identities = new WeakMap<Socket, string>();

function identityOf(request: IncomingMessage): string {
    const [, basic = ""] = /^Basic (\S+)$/.exec(request.headers["proxy-authorization"] ?? "") ?? [];
    return Buffer.from(basic, "base64").toString("utf8").split(":")[0] ?? "";
}

function readIf(path: string): string[] {
    try {
        return [readFileSync(path, "utf8")];
    } catch {
        return [];
    }
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
    return new Promise((done) => {
        const child = spawn(command, args, { env, stdio: "ignore" });
        const late = setTimeout(() => child.kill("SIGKILL"), 60_000);
        child.on("error", () => done());
        child.on("close", () => {
            clearTimeout(late);
            done();
        });
    });
}
