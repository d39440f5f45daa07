import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LinkRow } from "../../src/link/linkPair.js";
import type { AccountChange } from "../cloudsim/account.mts";
import type { CloudProject } from "../cloudsim/cloudProject.js";
import type { CloudObject } from "../cloudsim/types.mts";
import { cloudMesh, type Step, steps } from "../support/cloudMesh.js";

/** What a step of the engine was about, in the order in which a switch does things. */
const stages = [
    { what: "tried", is: ({ type }: Step) => type === "LinkPath" },
    { what: "led", is: ({ name }: Step) => /-name-of-/.test(name) },
    { what: "moved", is: ({ type }: Step) => type === "PathSwitch" },
    { what: "proven", is: ({ type, name }: Step) => type === "DeliveryProbe" && name === "fleet-aws-gcp-delivery" },
    { what: "removed", is: ({ op }: Step) => op === "delete" },
];

/** The stages of a run, each once; everything that is made comes before the first. */
function stagesOf(done: readonly Step[]): readonly string[] {
    const found = done.map((step) => stages.find(({ is }) => is(step))?.what ?? step.op).filter((what) => what !== "update");
    return found.filter((what, index) => what !== found[index - 1]);
}

const named = (done: readonly Step[], op: string) => done.filter((step) => step.op === op).map(({ name }) => name);

describe("a pair of AWS and GCP, beside a third site on Azure", () => {
    let project: CloudProject;
    let before: Readonly<Record<string, number>>;

    beforeAll(async () => {
        project = await cloudMesh(["aws", "gcp", "azure"]);
        await project.pulumi.must("config", "set", "tier", "nat");
        await project.up();
        before = project.counts();
    });
    afterAll(async () => await project?.dispose());

    const tier = (value: string) => project.pulumi.must("config", "set", "--path", "pairs.aws-gcp.tier", value);
    const set = (key: string, value: string) => project.pulumi.must("config", "set", key, value);
    const tunnels = () => project.simulation.machines.world.tunnels;
    const logged = () => project.simulation.log.lines.join("\n");
    const proven = async () =>
        (await project.pulumi.outputs<{ links: readonly LinkRow[] }>()).links
            .filter(({ pair }) => pair === "aws-gcp")
            .map(({ from, to, tier: by, status, lost }) => `${from}>${to} ${by} ${status} ${lost}`)
            .sort();
    /** Changes what a cloud makes, behind everybody's back. */
    const meddle = (matches: (object: CloudObject) => boolean, change: (object: CloudObject) => void) =>
        project.account.onChange(({ what, object }: AccountChange) => {
            if (what === "created" && matches(object)) {
                change(object);
            }
        });
    const wrongKeys = (object: CloudObject) =>
        project.account.change(
            object,
            { ...object.inputs, tunnel1PresharedKey: "x".repeat(32), tunnel2PresharedKey: "y".repeat(32) },
            object.outputs,
        );

    it("whose new tunnels have a wrong key on one side stays on its old path, and is told why", async () => {
        const off = meddle(({ type }) => type.endsWith(":VpnConnection"), wrongKeys);
        await tier("vpn");
        await set("pathSeconds", "5");
        const failed = await steps(project);
        off();
        expect(failed.code).not.toBe(0);
        expect(failed.output).toMatch(/cannot use the path from "fleet-(aws|gcp)" to "fleet-(aws|gcp)" \(tier vpn\)/);
        expect(failed.output).toContain("look whether the pair's tunnels are up (the mesh's output `paths` says where)");
        expect(failed.output).toContain("What was in use before is still in use");
        expect(tunnels().map(({ up }) => up)).toEqual([false, false, false, false]);
        expect(logged()).toMatch(/tunnel vpn-\S+ tunnel 1 - gcp-vpn-tunnel-aws-\S+: down: pre-shared key: /);
        expect(stagesOf(failed.steps)).toEqual(["create"]);
        expect(named(failed.steps, "delete")).toEqual([]);
    });

    it("whose new path lacks a rule in one direction leads neither over it", async () => {
        for (const object of project.account.objects().filter(({ type }) => type.endsWith(":VpnConnection"))) {
            const twin = tunnels().flatMap(({ halves }) => halves.filter(({ name }) => !name.startsWith("vpn-")));
            const keyOf = (number: number) =>
                twin.find(({ peerOutside }) => peerOutside === object.outputs[`tunnel${number}Address`])?.key;
            const keys = { tunnel1PresharedKey: keyOf(1), tunnel2PresharedKey: keyOf(2) };
            project.account.change(object, { ...object.inputs, ...keys }, object.outputs);
        }
        const rule = project.account.objects().find(({ name }) => name.startsWith("aws-vpn-from-gcp"));
        if (rule === undefined) {
            throw new Error("there is no rule for GCP's brokers");
        }
        project.account.remove(rule);
        const failed = await steps(project);
        expect(failed.code).not.toBe(0);
        expect(failed.output).toContain('cannot use the path from "fleet-gcp" to "fleet-aws" (tier vpn)');
        expect(logged()).toMatch(
            /does not reach aws-private-door-\S+ \(10\.1\.\S+\): \{"dropped":"no rule of sg-\S+ admits 10\.2\./,
        );
        // The other direction was tried and works, and still is not led over the new path.
        expect(failed.steps.map(({ op, name }) => `${op} ${name}`)).toEqual(["update aws-path-to-gcp"]);
    });

    it("goes back to where it has been all the time, and nothing was lost or touched", async () => {
        await tier("nat");
        await set("prove", "always");
        const back = await steps(project);
        expect(back.output).not.toContain("error:");
        expect(await proven()).toEqual(["aws>gcp nat proven 0", "gcp>aws nat proven 0"]);
        expect(named(back.steps, "create")).toEqual([]);
        expect(named(back.steps, "update").filter((name) => /-name-of-|-move-|-nat-/.test(name))).toEqual([]);
        expect(project.counts()).toEqual(before);
        await set("prove", "change");
        await set("pathSeconds", "60");
    });

    it("is switched to vpn: made, tried, led, moved, proven, and then what is old removed", async () => {
        await tier("vpn");
        const { code, output, steps: done } = await steps(project);
        expect([code, code === 0 ? "" : output]).toEqual([0, ""]);
        expect(stagesOf(done)).toEqual(["create", "tried", "led", "moved", "proven", "removed"]);
        expect(named(done, "delete").sort()).toEqual([
            "aws-nat-from-gcp-1",
            "aws-nat-to-gcp",
            "gcp-nat-from-aws",
            "gcp-nat-to-aws",
        ]);
        // In place: a record that were replaced would be unknown to name servers for a while. No other rule changes, nor any other pair.
        expect(
            named(done, "update")
                .filter(
                    (name) => name !== "default" && !name.endsWith("azure-gcp-delivery") && !name.endsWith("aws-azure-delivery"),
                )
                .sort(),
        ).toEqual([
            "aws-name-of-gcp",
            "aws-path-to-gcp",
            "fleet-aws-gcp-delivery",
            "fleet-aws-gcp-move-aws-at-gcp",
            "fleet-aws-gcp-move-gcp-at-aws",
            "gcp-name-of-aws",
            "gcp-path-to-aws",
        ]);
        expect(done.filter(({ op }) => op.includes("replace"))).toEqual([]);
        expect(await proven()).toEqual(["aws>gcp vpn proven 0", "gcp>aws vpn proven 0"]);
        expect(tunnels().map(({ up, reasons }) => ({ up, reasons }))).toEqual(Array(4).fill({ up: true, reasons: [] }));
    });

    it("then stays as it is", async () => {
        await project.up("--expect-no-changes");
    });

    it("carries on with the other tunnels when one is broken by hand", async () => {
        const [broken] = project.account.objects().filter(({ type }) => type.endsWith(":VPNTunnel"));
        if (broken === undefined) {
            throw new Error("there is no tunnel");
        }
        project.account.change(broken, { ...broken.inputs, sharedSecret: "z".repeat(32) }, broken.outputs);
        await project.simulation.machines.cutLinks();
        await set("prove", "always");
        await project.up();
        expect(
            tunnels()
                .map(({ up }) => up)
                .sort(),
        ).toEqual([false, true, true, true]);
        expect(await proven()).toEqual(["aws>gcp vpn proven 0", "gcp>aws vpn proven 0"]);
        await set("prove", "change");
    });

    it("is switched back in the same order", async () => {
        await tier("nat");
        const { code, output, steps: done } = await steps(project);
        expect([code, code === 0 ? "" : output]).toEqual([0, ""]);
        expect(stagesOf(done.filter(({ name }) => !/azure/.test(name)))).toEqual([
            "create",
            "tried",
            "led",
            "moved",
            "proven",
            "removed",
        ]);
        expect(named(done, "create").sort()).toEqual([
            "aws-nat-from-gcp-1",
            "aws-nat-to-gcp",
            "gcp-nat-from-aws",
            "gcp-nat-to-aws",
        ]);
        expect(await proven()).toEqual(["aws>gcp nat proven 0", "gcp>aws nat proven 0"]);
        expect(project.counts()).toEqual(before);
    });

    it("goes without a trace", async () => {
        await project.destroy();
        expect(project.account.objects(true)).toEqual([]);
        expect(project.simulation.machines.processes().size).toBe(0);
    });
});
