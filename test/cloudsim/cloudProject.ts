import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PulumiProject, type Run } from "../support/pulumiProject.js";
import type { FaultRule } from "./faults.mts";
import { Simulation, type SimulationOptions } from "./simulation.mts";

/**
 * A Pulumi project whose clouds are simulated: the real command line and engine, simulated providers, machines and internet. All of it
 * lives in this test process; brokers hold a lease on it.
 */
export class CloudProject {
    readonly pulumi: PulumiProject;
    readonly simulation: Simulation;

    private constructor(pulumi: PulumiProject, simulation: Simulation) {
        this.pulumi = pulumi;
        this.simulation = simulation;
    }

    /**
     * Makes a project and its clouds.
     *
     * @param source a folder to copy, or files by name; `main.js` may read the address of the simulated internet from
     * `process.env.CLOUDSIM_PROXY`, for `reach: { proxy }`
     */
    static async create(
        source: string | Readonly<Record<string, string>>,
        options: Omit<SimulationOptions, "folder"> = {},
    ): Promise<CloudProject> {
        const folder = await mkdtemp(join(tmpdir(), "cloudsim-"));
        const simulation = await Simulation.open({ ...options, folder });
        try {
            const pulumi = await PulumiProject.create(source, { env: (base) => simulation.env(base) });
            return new CloudProject(pulumi, simulation);
        } catch (error) {
            await simulation.close();
            await rm(folder, { recursive: true, force: true });
            throw error;
        }
    }

    get account() {
        return this.simulation.account;
    }

    /** Makes an operation go wrong; see {@link FaultRule}. */
    fail(rule: FaultRule): void {
        this.simulation.faults.add(rule);
    }

    /** Runs the CLI and throws with its output when it fails. */
    up(...args: string[]): Promise<string> {
        return this.pulumi.up(...args);
    }

    /** The same, and returns what it said whatever the exit code. */
    tryUp(...args: string[]): Promise<Run> {
        return this.pulumi.run("up", "--yes", "--skip-preview", ...args);
    }

    preview(...args: string[]): Promise<string> {
        return this.pulumi.must("preview", ...args);
    }

    refresh(...args: string[]): Promise<string> {
        return this.pulumi.must("refresh", "--yes", "--skip-preview", ...args);
    }

    destroy(...args: string[]): Promise<string> {
        return this.pulumi.must("destroy", "--yes", "--skip-preview", ...args);
    }

    /** How many objects the account has of each type; what clouds made by themselves does not count. */
    counts(): Readonly<Record<string, number>> {
        const counts: Record<string, number> = {};
        for (const { type } of this.account.objects()) {
            counts[type] = (counts[type] ?? 0) + 1;
        }
        return counts;
    }

    /** Ends everything and removes every file. */
    async dispose(): Promise<void> {
        await this.simulation.close();
        await this.pulumi.dispose();
        await rm(this.simulation.folder, { recursive: true, force: true });
    }
}
