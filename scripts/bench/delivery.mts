import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MqttEndpoint } from "../../src/emqx/endpoint.ts";
import { burst } from "./burst.mts";
import { bounded, median, type Row } from "./report.mts";
import { peakMbOf } from "./scale.mts";
import { BenchStack } from "./stack.mts";

const require = createRequire(import.meta.url);
const burstCount = 10_000;
const rounds = 3;

const program = `
const { Mesh } = require("linkspan");
const { LocalSite } = require("linkspan/local");
const sites = ["a", "b"].map((name, i) => new LocalSite(name, { siteNumber: i + 1 }));
new Mesh("mesh", { sites, topics: ["fleet/#"] });
`;

/** A secret as an export with --show-secrets has it. */
interface Shown {
    readonly plaintext: string;
}

interface ProbeState {
    readonly type: string;
    readonly outputs: { readonly a: Shown; readonly b: Shown; readonly pid: number };
}

function endpointOf(side: Shown): MqttEndpoint {
    return (JSON.parse(side.plaintext) as { readonly mqtt: MqttEndpoint }).mqtt;
}

/** Delivery over the link of two local sites, side by side with two mosquitto brokers and a bridge where they are installed. */
export async function benchDelivery(env: NodeJS.ProcessEnv): Promise<{ rows: Row[]; peakMb: number }> {
    const stack = await BenchStack.create(program, env);
    try {
        await stack.pulumi(["up", "--yes", "--skip-preview"]);
        const { stdout } = await stack.pulumi(["stack", "export", "--show-secrets"]);
        const resources = (JSON.parse(stdout) as { deployment: { resources: ProbeState[] } }).deployment.resources;
        const probe = resources.find((resource) => resource.type.endsWith(":DeliveryProbe"));
        if (probe === undefined) {
            throw new Error("the mesh has no delivery probe");
        }
        const ours = await measure("local sites, TLS", endpointOf(probe.outputs.a), endpointOf(probe.outputs.b));
        const pids = resources
            .filter((resource) => resource.type.endsWith(":LocalBroker"))
            .map((resource) => resource.outputs.pid);
        const peakMb = Math.max(...pids.map(peakMbOf));
        await stack.pulumi(["destroy", "--yes", "--skip-preview"]);
        return {
            rows: [
                bounded("local sites: 200/s, p50", ours.p50, "ms", 1),
                bounded("local sites: 200/s, p99", ours.p99, "ms", 10),
                bounded(`local sites: burst of ${burstCount}`, ours.burst, "msg/s", 10_000, "at least"),
                { what: "local sites: lost in all of it", value: String(ours.lost), goal: "0", met: ours.lost === 0 },
                ...(await mosquittoRows(ours)),
            ],
            peakMb,
        };
    } finally {
        stack.dispose();
    }
}

interface Figures {
    readonly p50: number;
    readonly p99: number;
    readonly burst: number;
    readonly lost: number;
}

async function measure(what: string, a: MqttEndpoint, b: MqttEndpoint): Promise<Figures> {
    const { runDelivery } = require("../../dist/probe/deliveryRun.js") as typeof import("../../src/probe/deliveryRun.ts");
    const side = (site: string, mqtt: MqttEndpoint) => ({ site, clusterName: site, mqtt });
    const figures: Figures[] = [];
    for (let round = 0; round < rounds; round++) {
        const report = await runDelivery({
            a: side("a", a),
            b: side("b", b),
            directions: [{ from: "a", to: "b", topics: ["fleet/#"] }],
            count: 2_000,
            rate: 200,
            qos: 1,
            payloadBytes: 256,
            timeoutSeconds: 60,
        });
        const [direction] = report.directions;
        const bursts = await burst(a, b, `fleet/bench/${round}`, burstCount);
        figures.push({
            p50: direction?.p50Ms ?? Number.NaN,
            p99: direction?.p99Ms ?? Number.NaN,
            burst: bursts.perSecond,
            lost: (direction?.lost ?? 0) + burstCount - bursts.received,
        });
        console.log(`  ${what}, round ${round + 1}: ${JSON.stringify(figures.at(-1))}`);
    }
    return {
        p50: median(figures.map((figure) => figure.p50)),
        p99: median(figures.map((figure) => figure.p99)),
        burst: median(figures.map((figure) => figure.burst)),
        lost: figures.reduce((sum, figure) => sum + figure.lost, 0),
    };
}

/** The same with two mosquitto brokers and a bridge, plain TCP: an anchor for what this machine can do. */
async function mosquittoRows(ours: Figures): Promise<Row[]> {
    try {
        execFileSync("mosquitto", ["-h"], { stdio: "ignore" });
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return [{ what: "mosquitto bridge", value: "not measured: mosquitto is not installed (Debian package mosquitto)" }];
        }
    }
    const folder = mkdtempSync(join(tmpdir(), "linkspan-mosquitto-"));
    const [portA, portB] = [await freePort(), await freePort()];
    const common = (port: number) =>
        `listener ${port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_inflight_messages 0\nmax_queued_messages 0\n`;
    writeFileSync(
        join(folder, "a.conf"),
        `${common(portA)}connection to-b\naddress 127.0.0.1:${portB}\ntopic fleet/# out 1\ncleansession false\n`,
    );
    writeFileSync(join(folder, "b.conf"), common(portB));
    const brokers = ["b", "a"].map((name) => spawn("mosquitto", ["-c", join(folder, `${name}.conf`)], { stdio: "ignore" }));
    try {
        await new Promise((done) => setTimeout(done, 1_500));
        const endpoint = (port: number): MqttEndpoint => ({ host: "127.0.0.1", port, tls: false });
        const theirs = await measure("mosquitto 2 bridge, plain", endpoint(portA), endpoint(portB));
        const row = (what: string, mine: number, other: number, unit: string): Row => ({
            what: `mosquitto bridge (plain TCP): ${what}`,
            value: `${other.toFixed(other >= 100 ? 0 : 2)} ${unit}`,
            against: `local sites (TLS) ${mine.toFixed(mine >= 100 ? 0 : 2)} ${unit}`,
            ratio: mine / other,
        });
        return [
            row("200/s, p50", ours.p50, theirs.p50, "ms"),
            row("200/s, p99", ours.p99, theirs.p99, "ms"),
            row(`burst of ${burstCount}`, ours.burst, theirs.burst, "msg/s"),
        ];
    } finally {
        for (const broker of brokers) {
            broker.kill("SIGKILL");
        }
        rmSync(folder, { recursive: true, force: true });
    }
}

function freePort(): Promise<number> {
    return new Promise((resolve) => {
        const server = createServer();
        server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
        });
    });
}
