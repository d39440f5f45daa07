import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../src/cli/program.js";
import { bridge, type ProbeBroker, startProbeBroker } from "../../support/probeBrokers.js";
import { exportedStack, type FixtureOptions, keptIo, secrets } from "./cliFixture.js";

let folder: string;
const brokers: ProbeBroker[] = [];

beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "linkspan-cli-"));
});
afterEach(async () => {
    await Promise.all(brokers.splice(0).map((broker) => broker.stop()));
    await rm(folder, { recursive: true, force: true });
});

async function brokersOf(count: number): Promise<ProbeBroker[]> {
    const made = await Promise.all(Array.from({ length: count }, () => startProbeBroker()));
    brokers.push(...made);
    return made;
}

/** A stack whose sites are these brokers, written to a file. */
async function stack(of: readonly ProbeBroker[], more: Partial<FixtureOptions> = {}): Promise<string> {
    const names = ["aws", "azure", "gcp"];
    const sites = of.map((broker, index) => ({
        site: names[index] ?? `s${index}`,
        // Nothing listens there: looking for causes must not break the result.
        api: "https://127.0.0.1:1",
        mqttPort: broker.endpoint.port,
    }));
    const path = join(folder, "state.json");
    await writeFile(path, exportedStack({ sites, ...more }));
    return path;
}

function noSecretIn(...texts: string[]): void {
    for (const secret of secrets) {
        for (const form of [secret, Buffer.from(secret).toString("base64"), encodeURIComponent(secret)]) {
            expect(texts.join("")).not.toContain(form);
        }
    }
}

describe("linkspan verify", () => {
    it("counts messages over every pair and ends with 0", async () => {
        const of = await brokersOf(3);
        for (const from of of) {
            for (const to of of) {
                if (from !== to) {
                    bridge(from, to);
                }
            }
        }
        const io = keptIo();
        expect(await runCli(["verify", "--state", await stack(of)], io)).toBe(0);
        const lines = io.printed.out.trim().split("\n");
        expect(lines).toHaveLength(7);
        expect(lines[0]).toMatch(/^direction +result +arrived +lost +dup +order +p50 ms +p99 ms +max ms +first ms$/);
        expect(lines.slice(1).every((line) => /^\w+ -> \w+ +proven +20\/20 +0 +0 +0 /.test(line))).toBe(true);
        expect(io.printed.err).toContain("aws-azure: connecting to both sites");
        noSecretIn(io.printed.out, io.printed.err);
    });

    it("ends with 1 when a direction loses messages, with the counts and the reason", async () => {
        const [a, b] = (await brokersOf(2)) as [ProbeBroker, ProbeBroker];
        bridge(a, b);
        const io = keptIo();
        expect(await runCli(["--state", await stack([a, b], { timeoutSeconds: 1 }), "verify"], io)).toBe(1);
        expect(io.printed.out).toMatch(/aws -> azure +proven +20\/20/);
        expect(io.printed.out).toMatch(/azure -> aws +failed +0\/20 +20 /);
        expect(io.printed.out).toMatch(
            /azure -> aws: 0 of 20 messages arrived within 1 s; azure's own broker takes and delivers them/,
        );
        noSecretIn(io.printed.out, io.printed.err);
    });

    it("ends with 3 when a door cannot be reached, and calls it unproven", async () => {
        const [a, b] = (await brokersOf(2)) as [ProbeBroker, ProbeBroker];
        const path = await stack([a, b]);
        await b.stop();
        brokers.splice(1, 1);
        const io = keptIo();
        expect(await runCli(["--state", path, "verify", "--count", "5"], io)).toBe(3);
        expect(io.printed.out).toMatch(/aws -> azure +unproven +- +-/);
        expect(io.printed.out.match(/nothing listens there/g)).toHaveLength(1);
        noSecretIn(io.printed.out, io.printed.err);
    }, 30_000);

    it("writes one JSON document and nothing else", async () => {
        const [a, b] = (await brokersOf(2)) as [ProbeBroker, ProbeBroker];
        bridge(a, b);
        bridge(b, a);
        const io = keptIo();
        expect(await runCli(["--state", await stack([a, b]), "--json", "verify", "--count", "30"], io)).toBe(0);
        const document: unknown = JSON.parse(io.printed.out);
        expect(document).toMatchObject({
            startedAt: "2027-03-04T05:06:07.000Z",
            ok: true,
            pairs: [
                {
                    pair: "aws-azure",
                    results: [
                        { from: "aws", to: "azure", status: "proven", sent: 30, delivered: 30, lost: 0, duplicated: 0 },
                        { from: "azure", to: "aws", status: "proven" },
                    ],
                },
            ],
            notes: [],
        });
        expect(io.printed.err).toBe("");
        noSecretIn(io.printed.out);
    });

    it("names a pair that nothing links, though every link works", async () => {
        const of = (await brokersOf(3)) as [ProbeBroker, ProbeBroker, ProbeBroker];
        const [a, b, c] = of;
        bridge(a, b);
        bridge(b, a);
        bridge(b, c);
        bridge(c, b);
        const links = [
            ["aws", "azure"],
            ["azure", "aws"],
            ["azure", "gcp"],
            ["gcp", "azure"],
        ] as const;
        const io = keptIo();
        const path = await stack(of, { links });
        expect(await runCli(["--state", path, "verify", "--pair", "aws-azure", "--pair", "azure-gcp"], io)).toBe(0);
        expect(io.printed.err).toContain("warn: aws and gcp are not linked.");
    });

    it("writes a JUnit report", async () => {
        const [a, b] = (await brokersOf(2)) as [ProbeBroker, ProbeBroker];
        bridge(a, b);
        const report = join(folder, "report.xml");
        const io = keptIo({ cwd: folder });
        expect(await runCli(["--state", await stack([a, b], { timeoutSeconds: 1 }), "verify", "--junit", "report.xml"], io)).toBe(
            1,
        );
        const xml = await readFile(report, "utf8");
        expect(xml).toContain(
            '<testsuite name="aws-azure" tests="2" failures="1" errors="0" timestamp="2027-03-04T05:06:07.000Z">',
        );
        expect(xml).toMatch(/<testcase classname="linkspan.aws-azure" name="aws -&gt; azure" time="[\d.]+"\/>/);
        expect(xml).toMatch(/<failure message="0 of 20 messages arrived within 1 s; azure's own broker/);
    });

    it("watches until it is stopped, one line a round, and keeps the worst code", async () => {
        const [a, b] = (await brokersOf(2)) as [ProbeBroker, ProbeBroker];
        let open = true;
        bridge(a, b, () => ({ copies: open ? 1 : 0 }));
        bridge(b, a);
        const stop = new AbortController();
        let rounds = 0;
        const io = keptIo({ signal: stop.signal });
        const watching = {
            ...io,
            out: (text: string) => {
                io.out(text);
                rounds += 1;
                open = rounds !== 1;
                if (rounds === 3) {
                    stop.abort();
                }
            },
        };
        const path = await stack([a, b], { timeoutSeconds: 1 });
        expect(await runCli(["--state", path, "verify", "--watch", "0.05"], watching)).toBe(1);
        const lines = io.printed.out.trim().split("\n");
        expect(lines).toHaveLength(3);
        expect(lines[0]).toMatch(
            /^2027-03-04T05:06:07\.000Z aws-azure: aws -> azure proven 20\/20 p50 [\d.]+ ms; azure -> aws proven/,
        );
        expect(lines[1]).toContain("aws -> azure failed 0/20");
        expect(lines[2]).toContain("aws -> azure proven 20/20");
    });

    it.each([
        [["verify", "--pair", "aws-mars"], 2, /no such pair; its pairs are aws-azure/],
        [["verify", "--rate", "9000"], 2, /rate: 9000 is out of range/],
        [["verify", "--count", "many"], 2, /count.*must be a whole number/],
        [["verify", "--qos", "3"], 2, /qos.*Allowed choices are 0, 1, 2/],
        [["verify", "--watch", "0"], 2, /watch.*seconds above 0/],
        [["verify", "--timeout", "-1"], 2, /unknown option|timeout/],
    ])("refuses %j with exit code %i", async (args, code, message) => {
        const broker = { endpoint: { port: 1 } } as ProbeBroker;
        const io = keptIo();
        expect(await runCli(["--state", await stack([broker, broker]), ...args], io)).toBe(code);
        expect(io.printed.err).toMatch(message);
        expect(io.printed.out).toBe("");
    });

    it("says that a stack without a probe proves nothing", async () => {
        const broker = { endpoint: { port: 1 } } as ProbeBroker;
        const io = keptIo();
        expect(await runCli(["--state", await stack([broker, broker], { probes: false }), "verify"], io)).toBe(3);
        expect(io.printed.err).toMatch(/no delivery probe; run `pulumi up` first/);
    });
});
