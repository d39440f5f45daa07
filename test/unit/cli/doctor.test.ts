import { describe, expect, it, vi } from "vitest";
import { doctor } from "../../../src/cli/doctorCommand.js";
import { parseStackState } from "../../../src/cli/stackState.js";
import type { Finding } from "../../../src/emqx/diagnosis.js";
import type { diagnoseEnds } from "../../../src/probe/pairDiagnosis.js";
import { exportedStack, type FixtureOptions, keptIo } from "./cliFixture.js";

const sites = ["aws", "azure", "gcp"].map((site, index) => ({ site, api: `https://127.0.0.1:${index + 1}`, mqttPort: 1 }));
const stateOf = (more: Partial<FixtureOptions> = {}) => parseStackState(exportedStack({ sites, ...more }));
const fine: Finding = { id: "version", level: "ok", site: "aws", title: "EMQX 5.10.3" };
const bad: Finding = {
    id: "acl",
    level: "fail",
    site: "gcp",
    title: "the link user may not publish",
    cause: "The rules deny $LINK/cluster/msg/m-aws.",
    fix: "Allow it.",
};
const answers =
    (...findings: Finding[]): typeof diagnoseEnds =>
    async () =>
        findings;
const plain = { all: false, json: false };

describe("linkspan doctor", () => {
    it("asks both ends of every pair once", async () => {
        const diagnose = vi.fn(answers(fine));
        expect(await doctor(stateOf(), plain, keptIo(), diagnose)).toBe(0);
        expect(diagnose.mock.calls.map(([one, other]) => [one.site, other.site])).toEqual([
            ["aws", "azure"],
            ["aws", "gcp"],
            ["azure", "gcp"],
        ]);
        expect(diagnose.mock.calls[0]).toEqual([
            {
                site: "aws",
                clusterName: "m-aws",
                api: expect.objectContaining({ url: "https://127.0.0.1:1" }),
                clientIdPrefix: "m-aws-",
                linkUser: "link-m-aws",
            },
            expect.objectContaining({ site: "azure" }),
            15,
        ]);
    });

    it("shows what is wrong with cause and fix, grouped by pair, and ends with 1", async () => {
        const io = keptIo();
        const diagnose: typeof diagnoseEnds = async (one, other) =>
            one.site === "aws" && other.site === "gcp" ? [fine, bad] : [fine];
        expect(await doctor(stateOf(), plain, io, diagnose)).toBe(1);
        expect(io.printed.out).toBe(
            [
                "mesh: nothing found",
                "pair aws-azure: 1 checks, all fine",
                "pair aws-gcp:",
                "  fail    gcp: the link user may not publish [acl]",
                "          cause: The rules deny $LINK/cluster/msg/m-aws.",
                "          fix: Allow it.",
                "pair azure-gcp: 1 checks, all fine",
                "",
                "3 ok, 0 warnings, 1 failed, 0 unknown",
                "",
            ].join("\n"),
        );
    });

    it("shows what is fine too when asked", async () => {
        const io = keptIo();
        expect(await doctor(stateOf(), { ...plain, all: true, pair: ["aws-gcp"] }, io, answers(fine))).toBe(0);
        expect(io.printed.out).toContain("  ok      aws: EMQX 5.10.3 [version]");
        expect(io.printed.out).not.toContain("azure");
    });

    it("ends with 3 where an API cannot be read, and with 0 on warnings alone", async () => {
        expect(await doctor(stateOf(), plain, keptIo(), answers({ ...fine, level: "unknown" }))).toBe(3);
        expect(await doctor(stateOf(), plain, keptIo(), answers({ ...fine, level: "unknown" }, bad))).toBe(1);
        expect(await doctor(stateOf(), plain, keptIo(), answers({ ...fine, level: "warn" }))).toBe(0);
    });

    it("names a pair that is not linked and a direction that is missing", async () => {
        const io = keptIo();
        const links = [
            ["aws", "azure"],
            ["azure", "aws"],
            ["azure", "gcp"],
        ] as const;
        expect(await doctor(stateOf({ links }), { ...plain, json: true }, io, answers(fine))).toBe(1);
        expect(JSON.parse(io.printed.out)).toMatchObject({
            ok: false,
            mesh: [
                { id: "missing-pair", level: "warn", title: "aws and gcp are not linked" },
                { id: "missing-direction", level: "fail", title: "gcp has no link to azure" },
            ],
            pairs: [{ pair: "aws-azure", findings: [fine] }],
        });
    });

    it("refuses a pair that the stack does not have", async () => {
        await expect(doctor(stateOf(), { ...plain, pair: ["aws-mars"] }, keptIo(), answers())).rejects.toMatchObject({
            exitCode: 2,
            message: expect.stringMatching(/its pairs are aws-azure, aws-gcp, azure-gcp/),
        });
    });

    it("does not call a stack without links fine", async () => {
        await expect(doctor(stateOf({ links: [] }), plain, keptIo(), answers())).rejects.toMatchObject({ exitCode: 3 });
    });
});
