import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { nodejsProject } from "../cloudsim/program.js";
import { PulumiProject, repository } from "../support/pulumiProject.js";

const program = `
const { AwsSite } = require("linkspan/aws");
new AwsSite("north", {
    siteNumber: 1,
    region: "eu-central-1",
    adminCidrs: ["203.0.113.7/32"],
    reach: { proxy: process.env.CLOUDSIM_PROXY },
    broker: { package: { url: "https://mirror.example.com/emqx.deb", sha256: "a".repeat(64) } },
});
`;

interface Process {
    readonly pid: number;
    readonly parent: number;
    readonly command: string;
}

async function processes(): Promise<readonly Process[]> {
    const { stdout } = await promisify(execFile)("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8", maxBuffer: 16 << 20 });
    return stdout.split("\n").flatMap((line) => {
        const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
        return command === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
    });
}

it("a simulation that is killed takes its brokers, its plugins and the engine with it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cloudsim-killed-"));
    const project = await PulumiProject.create(nodejsProject(program));
    try {
        const args = [join(repository, "test/cloudsim/run.mts"), "--folder", folder, "--boot", "quick"];
        const command = ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview"];
        const running = spawn(process.execPath, [...args, "--", ...command], {
            cwd: project.folder,
            env: project.environment,
            stdio: "ignore",
        });
        const ended = new Promise((done) => running.once("exit", done));
        await expect
            .poll(() => existsSync(join(folder, "machines", "aws-test-north", "ready.json")), { timeout: 120_000 })
            .toBe(true);
        const ours = (await processes()).filter(({ command }) => command.includes(folder));
        const plugins = ours.filter(({ command }) => command.includes("pulumi-resource-aws"));
        const engines = new Set(plugins.map(({ parent }) => parent));
        expect({
            brokers: ours.filter(({ command }) => command.includes("broker/main.js")).length,
            engines: engines.size,
        }).toEqual({
            brokers: 1,
            engines: 1,
        });
        running.kill("SIGKILL");
        await ended;
        const left = async () =>
            (await processes())
                .filter(({ pid, command }) => command.includes(folder) || engines.has(pid))
                .map(({ command }) => command);
        await expect.poll(left, { timeout: 30_000, interval: 500 }).toEqual([]);
    } finally {
        await project.dispose();
        await rm(folder, { recursive: true, force: true });
    }
});
