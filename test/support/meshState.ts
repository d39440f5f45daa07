import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCli } from "../../src/cli/program.js";
import { pairKey } from "../../src/naming.js";
import type { DeliveryResult } from "../../src/probe/deliveryResult.js";
import { reportFault } from "./faultReport.js";
import { api, device, linkPassword, type TestSite } from "./localBroker.js";

/** What a stack holds of a mesh of test brokers. */
export interface MeshState {
    readonly topics: readonly string[];
    /** `[on, from]`: the link on one site that receives from the other. @default every two sites, both ways */
    readonly links?: readonly (readonly [TestSite, TestSite])[];
    /** What links say of themselves other than the usual. */
    readonly linkArgs?: (on: TestSite, from: TestSite) => Readonly<Record<string, unknown>>;
    readonly timeoutSeconds?: number;
}

/** The way to a test broker's API. */
export const apiOf = (site: TestSite) => ({
    url: `https://127.0.0.1:${site.ports.api}`,
    key: api.key,
    secret: api.secret,
    ca: site.authority.ca,
});

/** Writes what `pulumi stack export --show-secrets` would print for a mesh of test brokers. Returns the file's path. */
export function writeState(folder: string, sites: readonly TestSite[], mesh: MeshState): string {
    const { topics, linkArgs = () => ({}), timeoutSeconds = 10 } = mesh;
    const links =
        mesh.links ?? sites.flatMap((on) => sites.filter((from) => from !== on).map((from): [TestSite, TestSite] => [on, from]));
    const linked = (one: TestSite, other: TestSite) => links.some(([on, from]) => on === one && from === other);
    const side = (site: TestSite) => ({
        site: site.name,
        clusterName: site.clusterName,
        mqtt: { host: "127.0.0.1", port: site.ports.mqtts, tls: true, ca: site.authority.ca, ...device },
        api: apiOf(site),
    });
    const pairs = sites
        .flatMap((a, index) => sites.slice(index + 1).map((b) => [a, b] as const))
        .filter(([a, b]) => linked(a, b) || linked(b, a));
    const resources = [
        ...links.map(([on, from]) => ({
            type: "pulumi-nodejs:dynamic/linkspan:ClusterLink",
            outputs: {
                api: apiOf(on),
                localCluster: on.clusterName,
                name: from.clusterName,
                server: `${from.linkHost}:8884`,
                username: `link-${on.clusterName}`,
                topics,
                tls: { enable: true },
                ...linkArgs(on, from),
            },
        })),
        ...pairs.map(([a, b]) => ({
            type: "pulumi-nodejs:dynamic/linkspan:DeliveryProbe",
            outputs: {
                pair: pairKey(a.name, b.name),
                a: side(a),
                b: side(b),
                directions: [
                    { from: a.name, to: b.name, topics },
                    { from: b.name, to: a.name, topics },
                ],
                timeoutSeconds,
                results: [],
            },
        })),
    ];
    const path = join(folder, "state.json");
    writeFileSync(path, JSON.stringify({ version: 3, deployment: { manifest: {}, resources } }));
    return path;
}

/** What `linkspan verify --json` says. */
export interface Verdict {
    readonly ok: boolean;
    readonly pairs: { readonly pair: string; readonly results: readonly DeliveryResult[]; readonly cause?: string }[];
    readonly notes: { readonly id: string; readonly title: string }[];
}

/** Runs `linkspan` on a state file. Fails when a secret is printed. */
export async function linkspan(state: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const printed = { out: "", err: "" };
    const code = await runCli(["--state", state, ...args], {
        out: (text) => {
            printed.out += text;
        },
        err: (text) => {
            printed.err += text;
        },
        env: {},
        cwd: process.cwd(),
        now: () => new Date(),
        color: false,
        signal: new AbortController().signal,
    });
    const all = printed.out + printed.err;
    for (const secret of [api.secret, device.password, linkPassword(""), "PRIVATE KEY"]) {
        if (all.includes(secret)) {
            throw new Error(`linkspan ${args.join(" ")} printed a secret`);
        }
    }
    return { code, ...printed };
}

/** Runs `linkspan verify --json`. */
export async function verify(state: string, ...args: string[]): Promise<{ code: number; verdict: Verdict; err: string }> {
    const { code, out, err } = await linkspan(state, "--json", "verify", ...args);
    return { code, verdict: JSON.parse(out) as Verdict, err };
}

/** A table row for each direction that a proof has measured. */
export function reportResults(id: string, name: string, results: readonly DeliveryResult[], note?: string): void {
    for (const { from, to, status, sent, delivered, lost, duplicated } of results) {
        reportFault({
            id,
            name: `${name} ${from}->${to}`,
            ...(sent === undefined ? {} : { sent }),
            ...(delivered === undefined ? {} : { delivered }),
            ...(lost === undefined ? {} : { lost }),
            ...(duplicated === undefined ? {} : { duplicated }),
            note: note === undefined ? status : `${status}: ${note}`,
        });
    }
}
