import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { cannot, type NetworkOutputs, NetworkProject } from "../support/localNetwork.js";
import type { ExportedSite } from "../support/stackSite.js";

describe("a pair whose two halves of a tunnel do not fit, by pulumi up", () => {
    let project: NetworkProject;

    beforeAll(async () => {
        project = await NetworkProject.create();
        if ((await cannot("ipsec")) === undefined) {
            await project.pulumi.must("config", "set", "sites", '["a","b"]');
            await project.pulumi.must("config", "set", "pairs", "{}");
            await project.pulumi.up("-c", "tier=nat");
        }
    });
    beforeEach(async ({ skip }) => {
        skip((await cannot("ipsec")) !== undefined, "this machine cannot");
    });
    afterAll(() => project.dispose());

    const links = async () => {
        const outputs = await project.pulumi.outputs<NetworkOutputs<ExportedSite>>();
        return outputs.links.map(({ from, to, tier, status, lost }) => `${from}>${to} ${tier} ${status} ${lost}`).sort();
    };

    it.each([
        ["key", "the pre-shared keys of the two sides differ"],
        ["suite", "the suites of the two sides differ"],
        ["range", "the ranges of the two sides do not match"],
        ["number", "the autonomous system numbers of the two sides"],
    ])("fails with another %s and says so, and goes back to the path that it has had all the time", async (wrong, cause) => {
        const { code, output } = await project.pulumi.run(
            "up",
            "--yes",
            "--skip-preview",
            ...["-c", "tier=vpn", "-c", `wrong=${wrong}`],
        );
        expect(code).not.toBe(0);
        expect(output).toContain("cannot bring the tunnels of pair a-b up");
        expect(output).toContain(cause);
        for (const tunnel of ["tunnel 0: ", "tunnel 1: "]) {
            expect(output).toContain(tunnel);
        }
        expect(output).not.toContain("WrongAAAA");
        await project.pulumi.must("config", "rm", "wrong");
        await project.pulumi.up("-c", "tier=nat");
        expect(await links()).toEqual(["a>b nat proven 0", "b>a nat proven 0"]);
        await project.pulumi.must("preview", "--expect-no-changes");
    });

    it("comes up with the same halves on both sides, after all that", async () => {
        await project.pulumi.up("-c", "tier=vpn");
        expect(await links()).toEqual(["a>b vpn proven 0", "b>a vpn proven 0"]);
    });
});
