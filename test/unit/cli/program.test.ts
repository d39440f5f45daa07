import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { worst } from "../../../src/cli/cliError.js";
import { junitReport } from "../../../src/cli/junit.js";
import { age, table } from "../../../src/cli/output.js";
import { runCli } from "../../../src/cli/program.js";
import { exportedStack, keptIo, twoSites } from "./cliFixture.js";

let folder: string;
let state: string;
beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "linkspan-cli-"));
    state = join(folder, "state.json");
    await writeFile(state, exportedStack({ sites: twoSites.map((site) => (site.site === "aws" ? { ...site, folder } : site)) }));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the command line", () => {
    it.each([
        [["--help"], /Usage: linkspan \[options\] \[command\][\s\S]*Exit codes: 0 all is well; 1 a check failed/],
        [["status", "--help"], /Usage: linkspan status/],
        [["verify", "--help"], /--junit <file>/],
        [["doctor", "--help"], /each with cause and fix/],
        [["logs", "--help"], /--follow/],
        [["help", "verify"], /Usage: linkspan verify/],
        [["--version"], /^\d+\.\d+\.\d+/],
    ])("%j helps on standard output with 0", async (args, text) => {
        const io = keptIo();
        expect(await runCli(args, io)).toBe(0);
        expect(io.printed.out).toMatch(text);
        expect(io.printed.err).toBe("");
    });

    it.each([
        [[], /Usage: linkspan/],
        [["stats"], /unknown command 'stats'[\s\S]*status/],
        [["status", "--fast"], /unknown option '--fast'/],
        [["logs", "aws", "gcp"], /too many arguments/],
        [["verify", "--pair"], /argument missing/],
    ])("%j is wrong usage: 2", async (args, text) => {
        const io = keptIo();
        expect(await runCli(args, io)).toBe(2);
        expect(io.printed.err).toMatch(text);
        expect(io.printed.out).toBe("");
    });

    it("ends with 3 when the stack cannot be read", async () => {
        const io = keptIo();
        expect(await runCli(["--state", join(folder, "none.json"), "logs"], io)).toBe(3);
        expect(io.printed.err).toMatch(/^error: cannot read the exported stack/);
        await writeFile(state, "<html>");
        expect(await runCli(["--state", state, "logs"], io)).toBe(3);
    });

    it("takes --cwd and --stack to Pulumi", async () => {
        const io = keptIo({ env: { PATH: folder } });
        expect(await runCli(["--cwd", folder, "--stack", "dev", "logs"], io)).toBe(3);
        expect(io.printed.err).toMatch(/Pulumi CLI is not on PATH/);
    });
});

describe("linkspan logs", () => {
    const lines = (from: number, to: number) =>
        Array.from({ length: to - from + 1 }, (_value, index) => `{"event":"line ${from + index}"}\n`).join("");

    it("shows the last lines of a local site's broker", async () => {
        await writeFile(join(folder, "broker.log"), lines(1, 250));
        const io = keptIo();
        expect(await runCli(["--state", state, "logs", "aws", "-n", "3"], io)).toBe(0);
        expect(io.printed.out).toBe(lines(248, 250));
        const all = keptIo();
        expect(await runCli(["--state", state, "logs"], all)).toBe(0);
        expect(all.printed.out).toBe(lines(151, 250));
    });

    it("follows what is added, also after a rotation, until it is stopped", async () => {
        const path = join(folder, "broker.log");
        await writeFile(path, lines(1, 100));
        const stop = new AbortController();
        const io = keptIo({ signal: stop.signal });
        const running = runCli(["--state", state, "logs", "aws", "-n", "0", "--follow"], io);
        await new Promise((resolve) => setTimeout(resolve, 100));
        await appendFile(path, `${lines(101, 101)}{"event":"half`);
        await expect.poll(() => io.printed.out, { timeout: 5_000 }).toBe(lines(101, 101));
        await writeFile(path, lines(500, 500));
        await expect.poll(() => io.printed.out, { timeout: 5_000 }).toBe(lines(101, 101) + lines(500, 500));
        stop.abort();
        expect(await running).toBe(0);
    });

    it("says where the log of another site is", async () => {
        const io = keptIo();
        expect(await runCli(["--state", state, "logs", "gcp"], io)).toBe(0);
        expect(io.printed.out).toMatch(/Site gcp runs outside this machine.*journalctl -u emqx/);
    });

    it("says that an empty stack has no log", async () => {
        await writeFile(state, '{"version":3,"deployment":{"manifest":{}}}');
        const io = keptIo();
        expect(await runCli(["--state", state, "logs"], io)).toBe(3);
        expect(io.printed.err).toMatch(/the stack has no site; run `pulumi up` first/);
    });

    it("names the sites where one is wrong, and a log that is missing", async () => {
        const io = keptIo();
        expect(await runCli(["--state", state, "logs", "mars"], io)).toBe(2);
        expect(io.printed.err).toMatch(/no site "mars"; its sites are aws, gcp/);
        expect(await runCli(["--state", state, "logs", "aws"], io)).toBe(0);
        expect(io.printed.err).toMatch(/there is no log at/);
    });
});

describe("what is printed", () => {
    it("keeps a table's columns under their titles", () => {
        const shown = table(
            ["a", "long title"],
            [
                ["value", "1"],
                ["x", "2"],
            ],
            (text) => text,
        );
        expect(
            shown.split("\n").map((line) => line.indexOf(line.includes("long") ? "long" : line.endsWith("1") ? "1" : "2")),
        ).toEqual([7, 7, 7]);
    });

    it.each([
        ["2027-03-04T05:06:00.000Z", "7 s"],
        ["2027-03-04T05:04:00.000Z", "2 min"],
        ["2027-03-04T03:00:00.000Z", "2 h"],
        ["2027-02-28T05:06:07.000Z", "4 days"],
        ["2027-03-04T05:06:30.000Z", "0 s"],
        [undefined, "never"],
        ["yesterday", "never"],
    ])("gives the age of %s as %s", (from, shown) => {
        expect(age(from, new Date("2027-03-04T05:06:07.000Z"))).toBe(shown);
    });

    it("escapes what XML cannot hold", () => {
        const result = { from: 'a"<', to: "b&", status: "failed" as const, reason: "line\none \u0000 <x>", runId: "r" };
        const xml = junitReport([{ pair: "p", results: [result] }], new Date(0));
        expect(xml).toContain('name="a&quot;&lt; -&gt; b&amp;"');
        expect(xml).toContain('message="line&#10;one ? &lt;x&gt;"');
    });

    it("ends with the code that matters most", () => {
        expect([worst([]), worst([0, 3]), worst([0, 3, 1]), worst([2, 1])]).toEqual([0, 3, 1, 2]);
    });
});
